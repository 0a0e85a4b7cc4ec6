use super::math::{Found, frame_of};
use super::*;
use crate::features::order::{Order, Ordering};
use crate::math::lorentz::{FourMomentum, momentum_of};
use crate::math::philox::{Philox, Stage};

type Jet = Vec<FourMomentum>;

/// `physics.md` 4.4, golden 1, computed with NumPy from the transcription.
const FIRST: [(f64, f64, f64); 4] = [(800.0, 0.5, 1.0), (300.0, 0.7, 1.2), (120.0, 0.3, 0.8), (40.0, 0.9, 1.1)];

fn massless((pt, eta, phi): (f64, f64, f64)) -> FourMomentum {
    momentum_of(pt, eta, phi, 0.0)
}

fn first() -> Jet {
    FIRST.map(massless).to_vec()
}

/// Golden 2, which is truncated.
fn second() -> Jet {
    let constituent = |k: i32| {
        let wide = 0.05 * (1.0 + 0.1 * f64::from(k));
        let (eta, phi) = (0.4 + wide * f64::from(7 * k % 13 - 6), 0.3 + wide * f64::from(5 * k % 11 - 5));
        massless((500.0 * 0.8_f64.powi(k), eta, phi))
    };
    (0..24).map(constituent).collect()
}

fn random_jet(seed: u64, constituents: usize, width: f64) -> Jet {
    let random = Philox::new(seed, Stage::Probe);
    let [place, other] = random.uniforms(1 << 32, 0);
    let constituent = |unit: u64| {
        let ([a, b], [c, d]) = (random.uniforms(unit, 0), random.uniforms(unit, 1));
        let eta = 4.0 * place - 2.0 + width * (a + b - 1.0);
        let phi = 6.0 * other - 3.0 + width * (c - 0.5);
        momentum_of(400.0 * d * d * d + 0.5, eta, phi, if b > 0.7 { 0.14 } else { 0.0 })
    };
    (0..constituents as u64).map(constituent).collect()
}

fn aligned(align: &Align, jets: &[Jet]) -> Aligned<Host> {
    let slices: Vec<&[FourMomentum]> = jets.iter().map(Vec::as_slice).collect();
    align.cpu(Particles::of_groups(&slices)).unwrap()
}

fn with(change: impl FnOnce(&mut Parameters)) -> Align {
    let mut parameters = Parameters::default();
    change(&mut parameters);
    Align::new(parameters).unwrap()
}

/// The constituents of a jet: index, pT in units of the jet's, eta and phi.
fn rows_of(aligned: &Aligned<Host>, jet: usize) -> Vec<(u32, [f64; 3])> {
    let start = jet * aligned.most as usize;
    let rows = start..start + aligned.number[jet] as usize;
    rows.map(|row| (aligned.index[row], [aligned.pt[row], aligned.eta[row], aligned.phi[row]])).collect()
}

fn near(a: &[f64; 3], b: &[f64; 3], within: f64) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() <= within)
}

/// The published steps, with the library's functions and four-momenta, and no care for speed.
fn plainly(parameters: Parameters, jet: &Jet) -> Vec<(u32, [f64; 3])> {
    let mut left: Vec<(u32, FourMomentum)> = (0..).zip(jet.iter().copied()).collect();
    let along = |p: f64, energy: f64, rapidity: f64| {
        (p * rapidity.cosh() + energy * rapidity.sinh(), energy * rapidity.cosh() + p * rapidity.sinh())
    };
    let turn = |x: f64, y: f64, angle: f64| (x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos());
    let distance2 = |p: &FourMomentum| p.eta().powi(2) + p.phi().powi(2);
    loop {
        if left.len() < parameters.least as usize {
            return Vec::new();
        }
        let sum: FourMomentum = left.iter().map(|(_, p)| *p).sum();
        for (_, p) in &mut left {
            (p.pz, p.energy) = along(p.pz, p.energy, -(sum.pz / sum.energy).atanh());
            (p.px, p.py) = turn(p.px, p.py, -sum.phi());
        }
        let sum: FourMomentum = left.iter().map(|(_, p)| *p).sum();
        let scale = parameters.mass_gev / sum.mass();
        let wanted = (1.0 - (parameters.mass_gev / parameters.energy_gev).powi(2)).sqrt().atanh();
        for (_, p) in &mut left {
            (p.px, p.py, p.pz, p.energy) = (p.px * scale, p.py * scale, p.pz * scale, p.energy * scale);
            (p.px, p.energy) = along(p.px, p.energy, wanted - (sum.px / sum.energy).atanh());
        }
        let hardest = (0..left.len()).rev().max_by(|a, b| left[*a].1.pt().total_cmp(&left[*b].1.pt())).unwrap();
        let angle = -left[hardest].1.pz.atan2(left[hardest].1.py);
        for (_, p) in &mut left {
            (p.py, p.pz) = turn(p.py, p.pz, angle);
        }
        let before = left.len();
        left.retain(|(_, p)| distance2(p) <= parameters.largest_distance.powi(2));
        if left.len() < before {
            continue;
        }
        if left.len() > parameters.most as usize {
            let key = |p: &FourMomentum| match parameters.truncation {
                Truncation::Pt => p.pt(),
                Truncation::Kt => p.pt() * distance2(p).sqrt(),
            };
            left.sort_by(|(_, a), (_, b)| key(b).total_cmp(&key(a)));
            left.truncate(parameters.most as usize);
            left.sort_by_key(|(index, _)| *index);
            continue;
        }
        let others = (0..left.len()).filter(|at| *at != hardest);
        let second = others.max_by(|a, b| left[*a].1.pt().total_cmp(&left[*b].1.pt()));
        let sign = if second.is_some_and(|at| left[at].1.eta() < 0.0) { -1.0 } else { 1.0 };
        let jet_pt = (parameters.energy_gev.powi(2) - parameters.mass_gev.powi(2)).sqrt();
        return left.iter().map(|(index, p)| (*index, [p.pt() / jet_pt, sign * p.eta(), p.phi()])).collect();
    }
}

#[test]
fn the_worked_jet() {
    let aligned = aligned(&Align::default(), &[first()]);
    let expected = [
        [0.625232, 0.0, 0.077353],
        [0.240436, 0.052103, -0.335629],
        [0.099398, -0.047602, 0.483944],
        [0.033601, -0.230092, -0.475154],
    ];
    for ((index, mut got), (place, expected)) in rows_of(&aligned, 0).into_iter().zip((0..).zip(&expected)) {
        // The printed pT are not divided by that of the jet.
        got[0] *= 0.9375_f64.sqrt();
        assert!(index == place && near(&got, expected, 6e-7), "{got:?} instead of {expected:?}");
    }
    assert_eq!((aligned.number[0], aligned.verdict[0]), (4, Verdict::Kept as u32));
    assert!((aligned.beta[0] - -0.3745108134).abs() < 1e-10, "{}", aligned.beta[0]);
    assert_eq!(aligned.index[4..], [NO_CONSTITUENT; 16]);
    assert!(aligned.pt[4..].iter().chain(&aligned.eta[4..]).chain(&aligned.phi[4..]).all(|value| *value == 0.0));
}

#[test]
fn the_worked_jet_that_is_truncated_and_both_orders() {
    let aligned = aligned(&Align::default(), &[first(), second()]);
    assert_eq!(aligned.number.to_vec(), [4, 20]);
    let rows = rows_of(&aligned, 1);
    let expected = [
        (0, [0.200798, 0.0, 0.235439]),
        (1, [0.159418, 0.067103, -0.06839]),
        (2, [0.123378, -0.269184, -0.051388]),
        (3, [0.102239, 0.137911, -0.07111]),
        (19, [0.00281, -0.333903, 0.02425]),
    ];
    for (place, expected) in expected {
        let (index, mut got) = rows[place];
        got[0] *= 0.9375_f64.sqrt();
        assert!(index == place as u32 && near(&got, &expected, 6e-7), "{got:?} instead of {expected:?}");
    }
    let order = Order::new(Ordering::Kt, 20, Truncation::Pt).unwrap().cpu(aligned.coordinates()).unwrap();
    assert_eq!(order.order[..5], [0, 1, 2, 3, u32::MAX]);
    assert_eq!(order.order[20..], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 12, 15, 14, 17, 16, 19, 18]);
}

#[test]
fn random_jets_are_those_of_the_published_steps() {
    let (mut dropped, mut truncated) = (0, 0);
    for truncation in [Truncation::Pt, Truncation::Kt] {
        for (most, largest_distance) in [(20, 1.0), (7, 0.6), (200, 0.4)] {
            let parameters = Parameters { most, largest_distance, truncation, ..Parameters::default() };
            let align = Align::new(parameters).unwrap();
            let sizes = [10, 20, 31, 32, 33, 64, 65, 100];
            let jets: Vec<Jet> = (0..80).map(|seed| random_jet(seed, sizes[seed as usize % 8], 1.2)).collect();
            let found = aligned(&align, &jets);
            for (at, jet) in jets.iter().enumerate() {
                let (got, expected) = (rows_of(&found, at), plainly(parameters, jet));
                let mut both = got.iter().zip(&expected);
                let same = both.all(|(a, b)| a.0 == b.0 && near(&a.1, &b.1, 1e-9));
                assert!(got.len() == expected.len() && same, "{parameters:?} jet {at}");
                dropped += usize::from(got.len() < jet.len().min(most as usize));
                truncated += usize::from(got.len() == most as usize && jet.len() > most as usize);
            }
        }
    }
    assert!(dropped > 20 && truncated > 100, "{dropped} lost constituents and {truncated} were truncated");
}

#[test]
fn aligned_jets_have_the_mass_the_energy_and_the_orientation() {
    // Without masses, so that rows are four-momenta.
    let jets: Vec<Jet> = (0..200)
        .map(|seed| random_jet(seed, 3 + seed as usize % 40, 0.8))
        .map(|jet| jet.iter().map(|p| massless((p.pt(), p.eta(), p.phi()))).collect())
        .collect();
    let found = aligned(&Align::default(), &jets);
    let mut kept = 0;
    for jet in 0..jets.len() {
        let rows = rows_of(&found, jet);
        if rows.is_empty() {
            continue;
        }
        kept += 1;
        let momenta = rows.iter().map(|(_, [pt, eta, phi])| massless((pt * 0.9375_f64.sqrt(), *eta, *phi)));
        let sum: FourMomentum = momenta.sum();
        assert!((sum.mass() - 0.25).abs() < 1e-12 && (sum.energy - 1.0).abs() < 1e-12, "{sum:?}");
        assert!(sum.eta().abs() < 1e-12 && sum.phi().abs() < 1e-12, "{sum:?}");
        let turned = rows.iter().filter(|(_, [_, eta, phi])| *eta == 0.0 && *phi > 0.0);
        assert_eq!(turned.count(), 1, "the hardest is at eta = 0");
        let others = rows.iter().filter(|(_, [_, eta, _])| *eta != 0.0);
        let second = others.max_by(|a, b| a.1[0].total_cmp(&b.1[0])).unwrap();
        assert!(second.1[1] > 0.0, "{rows:?}");
        assert!(rows.iter().all(|(_, [_, eta, phi])| eta * eta + phi * phi <= 1.0));
    }
    assert!(kept > 150, "only {kept} jets were kept");
}

#[test]
fn boosts_along_the_beam_rotations_about_it_and_scales_change_nothing() {
    let jets: Vec<Jet> = (0..60).map(|seed| random_jet(seed, 5 + seed as usize, 0.8)).collect();
    let (sinh, cosh) = (0.7_f64.sinh(), 0.7_f64.cosh());
    let (sin, cos) = 2.1_f64.sin_cos();
    let changes: [fn(FourMomentum, f64, f64) -> FourMomentum; 3] = [
        |p, sinh, cosh| FourMomentum { pz: cosh * p.pz + sinh * p.energy, energy: cosh * p.energy + sinh * p.pz, ..p },
        |p, sin, cos| FourMomentum { px: cos * p.px - sin * p.py, py: sin * p.px + cos * p.py, ..p },
        |p, scale, _| FourMomentum { px: p.px * scale, py: p.py * scale, pz: p.pz * scale, energy: p.energy * scale },
    ];
    for align in [Align::default(), with(|p| p.truncation = Truncation::Kt)] {
        let before = aligned(&align, &jets);
        for (change, (a, b)) in changes.into_iter().zip([(sinh, cosh), (sin, cos), (17.3, 0.0)]) {
            let changed: Vec<Jet> = jets.iter().map(|jet| jet.iter().map(|p| change(*p, a, b)).collect()).collect();
            let after = aligned(&align, &changed);
            for jet in 0..jets.len() {
                let (before, after) = (rows_of(&before, jet), rows_of(&after, jet));
                assert_eq!(before.len(), after.len());
                for (before, after) in before.iter().zip(&after) {
                    assert!(before.0 == after.0 && near(&before.1, &after.1, 1e-12), "{before:?} {after:?}");
                }
            }
        }
    }
}

#[test]
fn jets_that_cannot_be_aligned_are_counted_by_reason() {
    let p = massless((5.0, 0.3, 0.2));
    let beam = FourMomentum { px: 0.0, py: 0.0, pz: 7.0, energy: 7.0 };
    let spacelike = FourMomentum { energy: 0.5, ..p };
    let jets = [
        vec![],
        vec![p; 2],
        // Collinear, all along the beam, none at all, faster than light.
        vec![p; 3],
        vec![beam; 4],
        vec![FourMomentum::ZERO; 5],
        vec![spacelike; 3],
        // What is left after one is taken away is too little.
        vec![massless((50.0, 0.0, 0.0)), massless((50.0, 0.0, 0.3)), massless((1.0, 2.0, 3.0))],
        first(),
    ];
    let found = aligned(&Align::default(), &jets);
    let [few, none, kept] = [Verdict::TooFew, Verdict::NoMass, Verdict::Kept].map(|verdict| verdict as u32);
    assert_eq!(found.verdict.to_vec(), [few, few, none, none, none, none, few, kept]);
    assert_eq!(
        [Verdict::Kept, Verdict::TooFew, Verdict::NoMass, Verdict::NotFinite].map(|v| found.count(v)),
        [1, 3, 4, 0]
    );
    assert_eq!(
        (found.number.to_vec(), found.index[..140].to_vec()),
        (vec![0, 0, 0, 0, 0, 0, 0, 4], vec![u32::MAX; 140])
    );
    assert!(found.beta[..7].iter().all(|beta| *beta == 0.0));
    let align = Align::default();
    for bad in [FourMomentum { px: f64::NAN, ..p }, FourMomentum { energy: f64::INFINITY, ..p }] {
        assert_eq!(frame_of(bad, align.target).found, Found::NotFinite);
    }
}

#[test]
fn unusual_constituents_have_stated_values() {
    // One without momentum, one at rest with a mass, one with no more pT than 1e-200: none of them is NaN.
    let mut jet = first();
    jet.push(FourMomentum::ZERO);
    jet.push(FourMomentum { energy: 1e-3, ..FourMomentum::ZERO });
    jet.push(massless((1e-200, 0.5, 1.0)));
    let found = aligned(&Align::default(), &[jet.clone()]);
    let rows = rows_of(&found, 0);
    assert!(rows.iter().all(|(_, values)| values.iter().all(|value| value.is_finite())), "{rows:?}");
    assert!(rows.contains(&(4, [0.0, 0.0, 0.0])), "{rows:?}");
    // A hardest along the axis is not rotated; the jet is along the beam in the laboratory, where its azimuth is 0.
    let both = |x: f64, y: f64, z: f64| FourMomentum { px: x, py: y, pz: z, energy: (x * x + y * y + z * z).sqrt() };
    let along = vec![
        both(0.0, 3.0, 40.0),
        both(0.0, -3.0, 40.0),
        both(0.0, 0.0, 50.0),
        both(1.0, 0.0, 9.0),
        both(-1.0, 0.0, 9.0),
    ];
    let found = aligned(&with(|p| p.largest_distance = 100.0), &[along]);
    assert_eq!(found.verdict[0], Verdict::Kept as u32);
    let rows = rows_of(&found, 0);
    assert!(rows.iter().all(|(_, values)| values.iter().all(|value| value.is_finite())), "{rows:?}");
    // Huge and tiny momenta.
    for scale in [1e97, 1e-90] {
        let scaled = |p: &FourMomentum| FourMomentum {
            px: p.px * scale,
            py: p.py * scale,
            pz: p.pz * scale,
            energy: p.energy * scale,
        };
        let found = aligned(&Align::default(), &[first().iter().map(scaled).collect()]);
        assert_eq!((found.number[0], found.verdict[0]), (4, Verdict::Kept as u32), "{scale:e}");
    }
}

#[test]
fn of_equals_the_first_is_kept() {
    // Two of each, at one place: 24 constituents of which 20 may stay.
    let jet: Jet = second().into_iter().take(12).flat_map(|p| [p, p]).collect();
    let found = aligned(&with(|p| p.most = 19), &[jet]);
    let kept: Vec<u32> = rows_of(&found, 0).iter().map(|(index, _)| *index).collect();
    assert_eq!(kept, (0..19).collect::<Vec<u32>>());
}

#[test]
fn answers_do_not_depend_on_threads_or_on_the_other_jets() {
    let jets: Vec<Jet> = (0..600).map(|seed| random_jet(seed, seed as usize % 70, 0.9)).collect();
    let all = aligned(&Align::default(), &jets);
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let again = pool.install(|| aligned(&Align::default(), &jets));
        assert_eq!((&again.pt, &again.eta, &again.phi), (&all.pt, &all.eta, &all.phi));
        assert_eq!((&again.index, &again.number, &again.beta), (&all.index, &all.number, &all.beta));
    }
    let alone = aligned(&Align::default(), &jets[455..456]);
    assert_eq!(rows_of(&alone, 0), rows_of(&all, 455));
}

#[test]
fn what_cannot_be_aligned_is_named() {
    let change = Parameters { mass_gev: 2.0, most: 2, largest_distance: f64::NAN, ..Parameters::default() };
    let error = Align::new(change).unwrap_err().to_string();
    for wanted in ["mass 2 GeV is not from", "2 constituents at most are fewer than the least, 3", "distance NaN"] {
        assert!(error.contains(wanted), "{error}");
    }
    for (parameters, wanted) in [
        (Parameters { energy_gev: f64::INFINITY, ..Parameters::default() }, "energy inf GeV"),
        (Parameters { mass_gev: f64::NAN, ..Parameters::default() }, "mass NaN GeV"),
        (Parameters { most: 0, ..Parameters::default() }, "0 constituents at most is not"),
        (Parameters { most: 70_000, ..Parameters::default() }, "70000 constituents at most"),
        (Parameters { largest_distance: 0.0, ..Parameters::default() }, "distance 0 is not"),
    ] {
        let error = Align::new(parameters).unwrap_err().to_string();
        assert!(error.starts_with("features.align: ") && error.contains(wanted), "{error}");
    }
    let bad = [massless((5.0, 0.0, 0.0)), FourMomentum { pz: f64::NAN, ..massless((5.0, 0.0, 0.0)) }];
    let error = Align::default().run(&Device::Cpu, &Particles::of_groups(&[&[], &bad])).unwrap_err().to_string();
    assert!(error.contains("pz = NaN of particle 1 in jet 1"), "{error}");
    let none = Align::default().run(&Device::Cpu, &Particles::of_groups(&[])).unwrap();
    assert_eq!((none.aligned.number.len(), none.aligned.pt.len(), none.too_large), (0, 0, 0));
}
