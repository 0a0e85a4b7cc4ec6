//! Draws against their probabilities, limits of the smearing, and tallies that depend on nothing but the seed.

use std::ops::Range;

use super::*;
use crate::math::philox::{Philox, Stage};
use crate::math::poisson::PoissonTable;
use crate::math::special::{ln_poisson_term, normal_survival, significance};
use crate::math::{det, special};
use crate::toys::Template;

const MEANS: [f64; 12] = [0.0, 1e-12, 0.003, 0.5, 3.7, 15.999, 16.0, 16.5, 100.25, 2000.0, 31_000.25, 1.2e6];

fn template(relative: Vec<f64>) -> Template {
    Template { name: "template".into(), relative }
}

fn uncertainty(smearing: Smearing, statistical: Vec<f64>, templates: &[Vec<f64>]) -> BackgroundUncertainty {
    let named =
        |(index, relative): (usize, &Vec<f64>)| Template { name: index.to_string(), relative: relative.clone() };
    let templates = templates.iter().enumerate().map(named).collect();
    BackgroundUncertainty::new(smearing, statistical, templates).unwrap()
}

/// Windows of one cell each, which exceed from `critical` on; one level, reached from 1.
fn judged(cells: Input<Host>, critical: Vec<u32>) -> Input<Host> {
    let windows = critical.len() as u32;
    Input {
        start: (0..windows).collect(),
        end: (1..=windows).collect(),
        height: vec![1; critical.len()].into(),
        minimum: vec![1; critical.len()].into(),
        critical: critical.into(),
        ..cells
    }
}

fn exceeding(smearing: Smearing, input: &Input<Host>, toys: u64) -> f64 {
    let smeared = Smeared { seed: 12, first_toy: 0, toys, smearing };
    smeared.check(input).unwrap();
    smeared.cpu(input.clone()).unwrap().tally[0] as f64 / toys as f64
}

#[test]
fn quantiles_invert_the_tail() {
    let random = Philox::new(1, Stage::Probe);
    let mut uniforms: Vec<f64> = (0..2000).map(|unit| random.uniforms(unit, 0)[0]).collect();
    uniforms.extend((1..53).map(|power| det::powi(0.5, power)));
    uniforms.extend([0.075, 0.925, 0.5 - 1e-12, 1.0 - 1.1e-16, 1.3e-11, 1.4e-11, 1e-300]);
    for u in uniforms {
        let (z, wanted) = (math::normal_quantile(u), -significance(det::ln(u)));
        // `significance` loses digits where ln u is near 0; there 1 - u is exact.
        let wanted = if u > 0.9 { significance(det::ln(1.0 - u)) } else { wanted };
        assert!((z - wanted).abs() <= 4e-15 * (1.0 + wanted.abs()), "{u}: {z}, not {wanted}");
    }
}

/// M uniform numbers at equal distances: every count is drawn M times its probability, give or take the ends of its interval.
#[test]
fn every_count_has_its_probability() {
    let uniforms = 200_000;
    for mean in MEANS {
        let mut drawn = std::collections::BTreeMap::<u32, u64>::new();
        for index in 0..uniforms {
            let u = (f64::from(index) + 0.5) / f64::from(uniforms);
            *drawn.entry(math::poisson_draw(mean, u)).or_default() += 1;
        }
        for (count, times) in drawn {
            let p = if mean > 0.0 { det::exp(ln_poisson_term(f64::from(count), mean)) } else { 1.0 };
            let wanted = f64::from(uniforms) * p;
            assert!((times as f64 - wanted).abs() <= 1.0 + 1e-6, "mean {mean}: {count} {times} times, not {wanted}");
        }
    }
}

#[test]
fn below_sixteen_a_draw_is_the_inverted_distribution_function() {
    let random = Philox::new(2, Stage::Probe);
    for mean in MEANS.into_iter().filter(|mean| *mean < math::FROM_MODE) {
        let table = PoissonTable::new(mean).unwrap();
        for unit in 0..3000 {
            let [a, b, ..] = random.words(unit, 7);
            let u = crate::math::philox::uniform_f64(a, b);
            assert_eq!(math::poisson_draw(mean, u), table.draw(crate::math::philox::join(a, b)), "{mean} {u}");
        }
    }
}

#[test]
fn searches_end_at_both_ends() {
    for mean in MEANS {
        let sigma = mean.sqrt() + 1.0;
        for u in [1.2e-16, 1.0 - 1.2e-16] {
            let count = f64::from(math::poisson_draw(mean, u));
            assert!((count - mean).abs() < 10.0 * sigma + 10.0, "{mean} {u}: {count}");
        }
    }
    // What no input of `Input::of_cells` holds ends as well.
    for mean in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
        math::poisson_draw(mean, 0.5);
    }
}

#[test]
fn expectations_are_smeared_by_the_formula() {
    assert_eq!(math::smeared(3.0, 0.5, 9.0, true), 3.0 * det::exp(0.5));
    assert_eq!(math::smeared(3.0, 9.5, 9.0, true), 3.0 * det::exp(9.0));
    assert_eq!(math::smeared(3.0, 0.5, 9.0, false), 1.5);
    assert_eq!([-0.5, 0.0].map(|x| math::smeared(3.0, x, 9.0, false)), [0.0, 0.0]);
    assert_eq!(math::smeared(3.0, 11.0, 10.0, false), 30.0);
}

/// The sample moments of the smeared expectations of 40,000 toys: means to 4 standard errors, widths to 3 %, correlations to 0.03.
#[test]
fn toys_have_the_moments_and_correlations_of_the_model() {
    let (expected, toys) = ([10.0, 20.0, 30.0], 40_000);
    let templates = [vec![0.2, -0.2, 0.0], vec![0.0, 0.1, 0.1], vec![0.05; 3]];
    for smearing in [Smearing::LogNormal, Smearing::TruncatedGaussian] {
        let uncertainty = uncertainty(smearing, vec![0.1, 0.0, 0.2], &templates);
        let input = Input::of_cells(&expected, &uncertainty).unwrap();
        let (mut scratch, random) = (cpu::Scratch::new(&input), Philox::new(4, Stage::Smear));
        let (mut sum, mut products) = ([0.0; 3], [[0.0; 3]; 3]);
        for toy in 0..toys {
            cpu::draw_nuisances(&random, toy, &mut scratch);
            cpu::smear(smearing, &input, &mut scratch);
            let off: Vec<f64> = scratch.smeared.iter().zip(&expected).map(|(got, wanted)| got - wanted).collect();
            for c in 0..3 {
                sum[c] += off[c];
                (0..3).for_each(|d| products[c][d] += off[c] * off[d]);
            }
        }
        let covariance = |c: usize, d: usize| products[c][d] / toys as f64;
        for c in 0..3 {
            let (sigma, wanted) = (covariance(c, c).sqrt(), expected[c] * uncertainty.relative(&expected, c..c + 1));
            let mean = sum[c] / toys as f64;
            assert!(mean.abs() < 4.0 * sigma / 200.0, "{smearing:?}: mean of cell {c} is {mean} off");
            assert!((sigma / wanted - 1.0).abs() < 0.03, "{smearing:?}: cell {c} has {sigma}, not {wanted}");
        }
        // Gaussian: (-0.04 + 0.0025) / 0.0525 = -0.714 of cells 0 and 1.
        let sigma =
            |cells: Range<usize>| expected[cells.clone()].iter().sum::<f64>() * uncertainty.relative(&expected, cells);
        let (first, second, both) = (sigma(0..1), sigma(1..2), sigma(0..2));
        let wanted = (both * both - first * first - second * second) / (2.0 * first * second);
        let correlation = covariance(0, 1) / (covariance(0, 0) * covariance(1, 1)).sqrt();
        assert!((correlation - wanted).abs() < 0.02 && wanted < -0.65, "{smearing:?}: {correlation}, not {wanted}");
    }
}

/// Where the template outweighs Poisson's width by a hundred, every window exceeds 1.1 times its expectation when the nuisance says so.
#[test]
fn fully_correlated_windows_exceed_together() {
    let (relative, toys, cells) = (0.1, 4000, 4);
    let expected = vec![1e6; cells];
    for smearing in [Smearing::LogNormal, Smearing::TruncatedGaussian] {
        let uncertainty = uncertainty(smearing, vec![0.0; cells], &[vec![relative; cells]]);
        let input = judged(Input::of_cells(&expected, &uncertainty).unwrap(), vec![1_100_000; cells]);
        let kappa = smearing.coefficient(relative);
        let z = match smearing {
            Smearing::LogNormal => (det::ln(1.1) + 0.5 * kappa * kappa) / kappa,
            Smearing::TruncatedGaussian => 1.0,
        };
        let (p, got) = (normal_survival(z), exceeding(smearing, &input, toys));
        // 4 standard errors of 4000 toys, and 0.01 sigma for Poisson's width in four windows.
        assert!((got - p).abs() < 4.0 * (p * (1.0 - p) / toys as f64).sqrt() + 0.003, "{smearing:?}: {got}, not {p}");
    }
}

/// One cell of mean 3 known to 100 %: the probability of nothing at all is the marginal one, by quadrature.
#[test]
fn a_single_cell_is_a_mixture_of_poisson_distributions() {
    let toys = 60_000;
    for smearing in [Smearing::LogNormal, Smearing::TruncatedGaussian] {
        let uncertainty = uncertainty(smearing, vec![1.0], &[]);
        let input = judged(Input::of_cells(&[3.0], &uncertainty).unwrap(), vec![1]);
        let kappa = smearing.coefficient(1.0);
        let (mut p, mut sum) = (0.0, 0.0);
        for index in -1000..=1000 {
            let t = 0.01 * f64::from(index);
            let weight = det::exp(-0.5 * t * t);
            let mean = 3.0 * smearing.factor(smearing.middle(kappa * kappa) + kappa * t);
            p += weight * -det::exp_m1(-mean);
            sum += weight;
        }
        let (p, got) = (p / sum, exceeding(smearing, &input, toys));
        let error = (p * (1.0 - p) / toys as f64).sqrt();
        assert!((got - p).abs() < 4.0 * error, "{smearing:?}: {got}, not {p} +- {error}");
    }
}

#[test]
fn the_tally_does_not_depend_on_the_split_or_the_threads() {
    let cells = MEANS.len();
    let own = (0..cells).map(|cell| 0.1 * (cell % 3) as f64).collect();
    let uncertainty = uncertainty(Smearing::LogNormal, own, &[vec![0.1; cells], vec![-0.2; cells], vec![0.3; cells]]);
    let cells = judged(Input::of_cells(&MEANS, &uncertainty).unwrap(), MEANS.map(|mean| mean as u32 + 3).to_vec());
    let level = |level: u32| MEANS.map(|mean| mean as u32 + level + (f64::from(level) * 0.2 * mean) as u32);
    let input = Input::<Host> { minimum: (1..=6).flat_map(level).collect(), ..cells };
    let tally = |first_toy, toys| {
        let smeared = Smeared { seed: 3, first_toy, toys, smearing: Smearing::LogNormal };
        smeared.cpu(input.clone()).unwrap().tally.to_vec()
    };
    let all = tally(5, 300);
    assert_eq!(all[1..].iter().sum::<u64>(), 300);
    for pieces in [vec![1, 299], vec![150, 150], vec![99, 1, 200]] {
        let (mut sum, mut first) = (vec![0; all.len()], 5);
        for piece in pieces {
            sum.iter_mut().zip(tally(first, piece)).for_each(|(sum, part)| *sum += part);
            first += piece;
        }
        assert_eq!(sum, all);
    }
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(alone.install(|| tally(5, 300)), all);
    // All other toys, because one in and one out may be alike.
    assert_ne!(tally(305, 300), all);
}

#[test]
fn what_cannot_be_thrown_is_refused_at_once() {
    let none = uncertainty(Smearing::LogNormal, vec![0.0; 2], &[]);
    let good = judged(Input::of_cells(&[1.0, 2.0], &none).unwrap(), vec![1, 1]);
    assert!(good.own.is_empty() && good.templates() == 0);
    let smeared = |first_toy, toys| Smeared { seed: 1, first_toy, toys, smearing: Smearing::LogNormal };
    assert!(smeared(0, 1).check(&good).is_ok());
    assert_eq!(smeared(u64::MAX, 2).check(&good).unwrap_err().problems().len(), 1);
    let bad = Input::<Host> {
        end: vec![1].into(),
        critical: Vec::new().into(),
        middle: vec![0.0].into(),
        most: Vec::new().into(),
        own: vec![0.0].into(),
        shared: vec![0.0; 3].into(),
        ..good.clone()
    };
    assert_eq!(smeared(0, 0).check(&bad).unwrap_err().problems().len(), 7);
    let many = Input::<Host> { shared: vec![0.0; 2 * (MOST_TEMPLATES + 1)].into(), ..good };
    assert!(smeared(0, 1).check(&many).unwrap_err().to_string().contains("129 templates"));

    assert_eq!(Input::of_cells(&[f64::NAN, -1.0, 1.0], &none).unwrap_err().problems().len(), 3);
    let wide = BackgroundUncertainty::new(Smearing::LogNormal, vec![0.0], vec![template(vec![2.0])]).unwrap();
    let error = Input::of_cells(&[1e5], &wide).unwrap_err().to_string();
    assert!(error.contains("events would be expected of a toy (the sums of a toy have 32 bits)"), "{error}");
    assert!(special::normal_survival(8.1) < 1e-15);
}
