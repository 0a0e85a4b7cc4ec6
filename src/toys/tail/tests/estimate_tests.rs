//! Global p-values of the tail against brute force, exact sums, formulas and goldens.

use super::*;
use crate::device::Device;
use crate::hunt::{BumpHunter, Convention, Scan, Windows};
use crate::math::special::{ln_normal_survival, ln_poisson_survival, ln_poisson_term, significance};
use crate::spectrum::Expectation;
use crate::toys::throw::{critical_counts, level_z};
use crate::toys::{Deviations, Exceedance, ExceedingToys, Experiment, Plane, Stopped, Stopping, Throw};

fn rising(edges: usize) -> Vec<f64> {
    (0..edges).map(|edge| edge as f64).collect()
}

fn experiment(rows: usize, cells: Vec<f64>, ranges: &[Range<usize>]) -> Experiment {
    let windows = Windows::new(rising(rows + 1), rising(cells.len() / rows + 1), ranges).unwrap();
    of_windows(windows, cells)
}

fn of_windows(windows: Windows, cells: Vec<f64>) -> Experiment {
    let expectation = Expectation::given(cells, None).unwrap();
    Experiment::new(windows, &expectation, 0.0, Scan::default(), Exceedance::AtLeast).unwrap()
}

/// The estimate at a local significance of `z`.
fn estimate(experiment: &Experiment, z: f64, seed: u64, toys: u64) -> TailEstimate {
    let toys = Tail { seed, first_toy: 0, toys };
    let tally = experiment.tail(&Device::Cpu, ln_normal_survival(z), toys, &|_| Ok(())).unwrap();
    TailEstimate::new(&tally).unwrap()
}

/// The levels of toys.throw at 1, 2, 3 and 4 sigma.
const LEVELS_OF_SIGMAS: [u32; 4] = [20, 40, 60, 80];

#[test]
fn brute_force_agrees_at_one_to_four_sigma_in_every_geometry() {
    let brute_toys = 40_000;
    let (mut geometries, mut pulls, mut chi_squared) = (0, 0, 0.0);
    for (cells, scale) in [(3, 0.05), (8, 0.7), (30, 3.0), (12, 60.0), (18, 1e4)] {
        let means: Vec<f64> =
            (0..cells).map(|cell| scale * (-0.1 * cell as f64).exp() * [1.0, 0.3, 2.0][cell % 3]).collect();
        let hunter = BumpHunter { width_max: Some(8), ..BumpHunter::default() };
        let bump_hunter = Windows::spectrum(&rising(cells + 1), &means, &hunter).unwrap();
        let all_widths: Vec<_> = bump_hunter.ids().map(|window| bump_hunter.range(window)).collect();
        let kinds: [(&str, Vec<Range<usize>>); 6] = [
            ("disjoint", (0..cells / 3).map(|window| 3 * window..3 * window + 3).collect()),
            ("sliding", (0..cells - 2).map(|first| first..first + 3).collect()),
            ("nested", (1..=cells).map(|end| 0..end).collect()),
            ("identical", (0..5).map(|_| 0..2).chain((0..4).map(|_| 1..cells)).collect()),
            ("all widths", all_widths),
            ("one", std::iter::once(1..cells).collect()),
        ];
        for (kind, ranges) in kinds {
            let experiment = experiment(1, means.clone(), &ranges);
            let findings = experiment.scan(&Device::Cpu, &vec![0; cells]).unwrap();
            let throw = Throw { seed: 7, first_toy: 0, toys: brute_toys };
            let brute = experiment.throw(&Device::Cpu, &findings, throw, &|_| Ok(())).unwrap();
            geometries += 1;
            for level in LEVELS_OF_SIGMAS {
                let tail = estimate(&experiment, level_z(level), 8, 4000);
                let (seen, number) = (brute.reaching(level) as f64, brute_toys as f64);
                let error = (number * tail.p * (1.0 - tail.p)).sqrt().hypot(number * tail.error);
                let off = seen - number * tail.p;
                let what =
                    format!("{kind} in {cells} cells at {}: {seen} and {} +- {error}", level_z(level), number * tail.p);
                // A few events are not normal: one more or less than four standard deviations is allowed.
                assert!(off.abs() < 4.0 * error + 1.0, "{what}");
                if number * tail.p > 10.0 && tail.p < 0.99 {
                    chi_squared += (off / error).powi(2);
                    pulls += 1;
                }
                assert!(tail.p <= tail.independent * (1.0 + 4.0 * tail.relative_error), "{what}");
                assert!(tail.independent <= tail.sum_of_local, "{what}");
            }
        }
    }
    assert!(geometries >= 20 && pulls > 50, "{geometries} geometries, {pulls} pulls");
    // Levels of one geometry share their toys, so the sum varies more than that of independent pulls: 6 of its deviations.
    let off = (chi_squared - f64::from(pulls)) / (2.0 * f64::from(pulls)).sqrt();
    assert!(off.abs() < 6.0, "chi^2 {chi_squared} of {pulls}");
}

/// The exact probability that any window reaches its critical count, summed over all counts of up to four cells.
fn exact(means: &[f64], ranges: &[Range<usize>], critical: &[u32]) -> f64 {
    let most: Vec<u32> = means.iter().map(|mean| (mean + 9.0 * mean.sqrt() + 12.0) as u32).collect();
    let mut counts = vec![0; means.len()];
    let mut sum = 0.0;
    loop {
        let total = |range: &Range<usize>| counts[range.clone()].iter().sum::<u32>();
        if ranges.iter().zip(critical).any(|(range, critical)| total(range) >= *critical) {
            let ln_p: f64 = counts.iter().zip(means).map(|(n, mean)| ln_poisson_term(f64::from(*n), *mean)).sum();
            sum += ln_p.exp();
        }
        let Some(cell) = (0..counts.len()).find(|cell| counts[*cell] < most[*cell]) else { return sum };
        counts[..cell].fill(0);
        counts[cell] += 1;
    }
}

#[test]
fn exact_sums_agree_and_errors_are_what_they_say() {
    let geometries: [(&[f64], &[Range<usize>]); 5] = [
        (&[0.3, 0.8, 0.2], &[0..2, 1..3]),
        (&[4.0, 2.5, 3.0], &[0..1, 0..2, 0..3]),
        (&[1.0, 2.0], &[0..1, 0..1, 1..2, 1..2, 0..2]),
        (&[6.0, 1.5, 4.0], &[0..2, 1..3, 2..3, 0..3]),
        (&[0.05, 0.5, 0.01, 0.2], &[0..2, 1..3, 2..4]),
    ];
    let (mut chi_squared, mut pulls) = (0.0, 0.0);
    for (means, ranges) in geometries {
        let experiment = experiment(1, means.to_vec(), ranges);
        let expected: Vec<f64> = ranges.iter().map(|range| means[range.clone()].iter().sum()).collect();
        for z in [1.0, 2.0, 3.0, 4.0, 5.0] {
            let ln_p = ln_normal_survival(z);
            let critical = critical_counts(&expected, Convention::ExcessOnly, Exceedance::AtLeast, z, ln_p);
            let truth = exact(means, ranges, &critical);
            for seed in 0..4 {
                let tail = estimate(&experiment, z, seed, 3000);
                let off = (tail.p - truth) / tail.error;
                assert!(off.abs() < 4.0, "{means:?} at {z}: {} +- {}, exactly {truth}", tail.p, tail.error);
                chi_squared += off * off;
                pulls += 1.0;
            }
        }
    }
    // Pulls below 1 come from estimates without any variance, whose error is that of half a toy.
    assert!(
        chi_squared > 0.3 * pulls && chi_squared < pulls + 4.0 * (2.0f64 * pulls).sqrt(),
        "{chi_squared} of {pulls}"
    );
}

#[test]
fn disjoint_windows_give_the_product_and_identical_ones_count_once() {
    let singles: Vec<_> = (0..20).map(|cell| cell..cell + 1).collect();
    let disjoint = experiment(1, (0..20).map(|cell| 3.0 + 2.0 * f64::from(cell)).collect(), &singles);
    let copies: Vec<_> = (0..27).flat_map(|row| (0..57).map(move |_| row..row + 1)).collect();
    let identical = experiment(27, vec![40.0; 27], &copies);
    for z in [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 20.0] {
        let tail = estimate(&disjoint, z, 1, 10_000);
        let off = (tail.p - tail.independent).abs();
        assert!(off < 4.0 * tail.error && tail.relative_error < 0.01, "z = {z}: {tail:?}");
        // 27 independent rows of 57 copies: 1 - (1 - P)^27 with P a 1539th of the sum.
        let tail = estimate(&identical, z, 2, 3000);
        let once = -(27.0 * (-tail.sum_of_local / 1539.0).ln_1p()).exp_m1();
        assert!((tail.p - once).abs() < 4.0 * tail.error, "z = {z}: {once} and {tail:?}");
    }
}

#[test]
fn the_golden_geometry_has_its_table() {
    // 12 cells x 5 m_Y bins as in the tests of `toys::experiment`, whose 200,000 toys of NumPy gave the numbers.
    let cells: Vec<f64> =
        (0..60).map(|cell| 40.0 * (-0.15 * f64::from(cell % 12) - 0.3 * f64::from(cell / 12)).exp()).collect();
    let ranges: Vec<_> = (0..5).flat_map(|row| (0..10).map(move |c| 12 * row + c..12 * row + c + 3)).collect();
    let golden = experiment(5, cells, &ranges);
    for (z, p) in [(2.0, 0.5050), (2.5, 0.1859), (3.0, 0.0424), (3.5, 0.0081), (4.0, 0.0011)] {
        let tail = estimate(&golden, z, 1, 10_000);
        let error = (p * (1.0 - p) / 200_000f64).sqrt().hypot(tail.error).hypot(0.000_05 / 3f64.sqrt());
        assert!((tail.p - p).abs() < 4.0 * error, "{p} +- {error}: {tail:?}");
        assert!(tail.p < tail.independent && tail.independent < tail.sum_of_local, "{tail:?}");
        // A trial with 40,000 toys gave 3 sigma to 0.15 % and 4 sigma to 0.1 %.
        let reached = tail.relative_error / 2.0;
        assert!((z < 3.0 || reached < 0.0018) && (z < 4.0 || reached < 0.0013), "z = {z}: {reached}");
    }
}

/// The estimate at a local significance of `z` of toys that stop at an accuracy, from 2,000 on.
fn stopped(experiment: &Experiment, z: f64, seed: u64, relative: f64) -> (TailEstimate, Stopped) {
    let stopping = Stopping::Accurate { relative, minimum: 2000, maximum: 100_000 };
    let toys = ExceedingToys { seed, first_toy: 0, stopping };
    let (tally, stopped) = experiment.tail_until(&Device::Cpu, ln_normal_survival(z), toys, &mut |_| Ok(())).unwrap();
    (TailEstimate::new(&tally).unwrap(), stopped)
}

/// Over many seeds the mean of estimates that were stopped by their own errors is the exact p-value.
#[test]
fn stopping_at_an_accuracy_does_not_bias_the_estimate() {
    let (means, ranges) = ([4.0, 2.5, 3.0], [0..1, 0..2, 0..3]);
    let experiment = experiment(1, means.to_vec(), &ranges);
    let expected: Vec<f64> = ranges.iter().map(|range| means[range.clone()].iter().sum()).collect();
    let z = 3.0;
    let ln_p = ln_normal_survival(z);
    let critical = critical_counts(&expected, Convention::ExcessOnly, Exceedance::AtLeast, z, ln_p);
    let truth = exact(&means, &ranges, &critical);
    let seeds = 100;
    // The coefficient of variation of the weights is 0.42: a few chunks, and accuracies of which some lie where a chunk ends.
    for relative in [0.0040, 0.0043, 0.0047, 0.0055] {
        let (mut sum, mut squares, mut fewest, mut most) = (0.0, 0.0, u64::MAX, 0);
        for seed in 0..seeds {
            let (tail, stopped) = stopped(&experiment, z, seed, relative);
            assert!(matches!(stopped, Stopped::Accuracy { reached, .. } if reached <= relative), "{stopped:?}");
            let off = tail.p / truth - 1.0;
            (sum, squares) = (sum + off, squares + off * off);
            (fewest, most) = (fewest.min(tail.toys), most.max(tail.toys));
        }
        let (mean, spread) = (sum / f64::from(seeds as u32), (squares / f64::from(seeds as u32)).sqrt());
        println!("{relative}: {fewest} to {most} toys, off by {mean:e}, each by {spread:e}");
        assert!(mean.abs() < 4.0 * relative / (seeds as f64).sqrt(), "{relative}: off by {mean}");
        assert!(spread < 1.3 * relative && fewest >= 4000 && most < 20_000, "{relative}: {spread}, {fewest} to {most}");
    }
}

#[test]
fn the_plane_of_1539_windows_is_precise_enough() {
    let plane = Plane::read(concat!(env!("CARGO_MANIFEST_DIR"), "/cards/edges/y-xh-proposed.toml")).unwrap();
    let columns = plane.columns();
    let cells: Vec<f64> = (0..plane.cells())
        .map(|cell| 60.0 * (-0.12 * (cell % columns) as f64 - 0.25 * (cell / columns) as f64).exp() + 0.01)
        .collect();
    let plane = of_windows(plane.windows().unwrap(), cells);
    let mut last = 1.0;
    for (z, wanted) in [(5.0, 0.005), (8.0, 0.01)] {
        let (tail, stopped) = stopped(&plane, z, 1, wanted);
        println!("{z} sigma: {tail:?}");
        assert!(matches!(stopped, Stopped::Accuracy { .. }), "{stopped:?}");
        assert!(tail.windows == 1539 && tail.relative_error < wanted && tail.toys == 2000, "{tail:?}");
        assert!(tail.p < last && tail.p < tail.independent, "{tail:?}");
        assert!(tail.effective_trials.unwrap() > 20.0 && tail.effective_toys > 1000.0, "{tail:?}");
        last = tail.p;
    }
}

#[test]
fn p_values_below_every_double_keep_their_logarithms() {
    let one = experiment(1, vec![100.0], std::slice::from_ref(&(0..1)));
    let tail = estimate(&one, 60.0, 1, 100);
    let count =
        critical_counts(&[100.0], Convention::ExcessOnly, Exceedance::AtLeast, 60.0, ln_normal_survival(60.0))[0];
    assert!((tail.ln_p / ln_poisson_survival(u64::from(count), 100.0) - 1.0).abs() < 1e-12, "{tail:?}");
    assert!(tail.ln_p < -1800.0 && tail.p == 0.0 && tail.error == 0.0, "{tail:?}");
    let Deviations::Measured { z, error } = tail.z else { panic!("{tail:?}") };
    // dz = dp / phi(z) is about (dp/p) / z.
    assert!(
        (z - significance(tail.ln_p)).abs() < 1e-9 && (error * z / tail.relative_error - 1.0).abs() < 0.01,
        "{tail:?}"
    );
    // Windows that share half of their cells do not reach it together: the sum is all.
    let two = experiment(1, vec![50.0; 3], &[0..2, 1..3]);
    let (one, two) = (estimate(&one, 60.0, 1, 100), estimate(&two, 60.0, 1, 1000));
    assert!((two.ln_p - one.ln_p - 2f64.ln()).abs() < 1e-11, "{two:?}");
    assert!((two.effective_trials.unwrap() / one.effective_trials.unwrap() - 2.0).abs() < 1e-11, "{two:?}");
}

#[test]
fn an_observation_without_an_excess_has_p_one() {
    let flat = experiment(1, vec![5.0; 4], &[0..2, 1..3, 2..4]);
    let toys = Tail { seed: 1, first_toy: 0, toys: 10 };
    let tally = flat.tail(&Device::Cpu, 0.0, toys, &|_| Ok(())).unwrap();
    let tail = TailEstimate::new(&tally).unwrap();
    assert_eq!((tally.reached()[3], tail.p, tail.effective_trials), (10, 1.0, None));
    assert!(matches!(tail.z, Deviations::Below(z) if z.is_finite()), "{tail:?}");
    for wrong in [f64::NAN, 0.1] {
        assert!(flat.tail(&Device::Cpu, wrong, toys, &|_| Ok(())).is_err());
    }
    assert!(flat.tail(&Device::Cpu, f64::NEG_INFINITY, toys, &|_| Ok(())).is_err());
}

#[test]
fn progress_shows_the_convergence_and_can_end_the_toys() {
    let flat = experiment(1, vec![5.0; 4], &[0..2, 1..3, 2..4]);
    let toys = Tail { seed: 1, first_toy: 7, toys: 5000 };
    let seen = std::cell::RefCell::new(Vec::new());
    let progress = |tally: &TailTally| {
        seen.borrow_mut().push((tally.toys(), TailEstimate::new(tally)?.relative_error));
        Ok(())
    };
    let all = flat.tail(&Device::Cpu, -8.0, toys, &progress).unwrap();
    let seen = seen.into_inner();
    assert_eq!(seen.iter().map(|(toys, _)| *toys).collect::<Vec<_>>(), [2000, 4000, 5000]);
    assert!(seen.windows(2).all(|pair| pair[1].1 < pair[0].1), "{seen:?}");
    let part = |first_toy, toys| flat.tail(&Device::Cpu, -8.0, Tail { seed: 1, first_toy, toys }, &|_| Ok(())).unwrap();
    assert_eq!(part(3007, 2000).merge(&part(7, 3000)).unwrap(), all);
    let stop = |_: &TailTally| Err(crate::error::Fault::new("test", "stop").usage());
    assert!(flat.tail(&Device::Cpu, -8.0, toys, &stop).is_err());
}
