//! The observables against plain sums over all pairs and triples.

use super::math::{Power, Sums};
use super::*;
use crate::features::cluster::{distances2, pt2_of, rapidity_of};
use crate::math::det;
use crate::math::four::{Four, Plain};
use crate::math::lorentz::FourMomentum;
use crate::math::philox::{Philox, Stage};

/// Two prongs and what is around them; some massive.
fn jet(seed: u64, constituents: usize) -> Vec<FourMomentum> {
    let random = Philox::new(seed, Stage::Probe);
    let of = |unit: u64| {
        let ([a, b], [c, d]) = (random.uniforms(unit, 0), random.uniforms(unit, 1));
        let (eta, phi) = match (a * 10.0) as u32 {
            0..4 => (0.2 * b, 3.0 + 0.2 * c),
            4..7 => (0.2 * b + 0.5, -3.0 + 0.2 * c),
            _ => (1.6 * b - 0.8, 2.5 + 1.4 * c),
        };
        let pt = 200.0 * det::pow(d, 4.0) + 0.1;
        let mass = if a > 0.9 { 0.5 } else { 0.0 };
        FourMomentum::from_pt_eta_phi_mass(pt as f32, eta as f32, phi as f32, mass)
    };
    (0..constituents as u64).map(of).collect()
}

fn particles(jets: &[Vec<FourMomentum>]) -> Particles<Host> {
    Particles::of_groups(&jets.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn every_kind() -> Vec<Substructure> {
    let kind = |tau_beta, axes, normalisation, beta| Substructure {
        splittings: Splittings::Computed,
        subjettiness: Some(Subjettiness { beta: tau_beta, axes, normalisation }),
        correlations: Some(Correlations { beta }),
        guard: Guard::Value(0.0),
    };
    vec![
        Substructure::default(),
        kind(2.0, Axes::HalfKt, Normalisation::Absent, 2.0),
        kind(0.7, Axes::Kt, Normalisation::Radius(0.8), 1.7),
        kind(1.0, Axes::WinnerTakesAllKt, Normalisation::Absent, 0.5),
    ]
}

/// The formulas, term by term.
fn plain(kind: &Substructure, jet: &[FourMomentum]) -> [f64; Observable::NUMBER] {
    let place = |p: FourMomentum| (rapidity_of(p, pt2_of(p)), det::quick_atan2(p.py, p.px));
    let apart = |a: FourMomentum, b: FourMomentum, beta: f64| {
        let all = Plain::all;
        let ((y, phi), (other_y, other_phi)) = (place(a), place(b));
        det::pow(distances2((all(y), all(phi)), all(other_y), all(other_phi)).least(), 0.5 * beta)
    };
    let mut values = [0.0; Observable::NUMBER];
    let clustered = |axes: Axes| axes.cluster().unwrap().cpu(Particles::of_groups(&[jet])).unwrap();
    let kt = clustered(Axes::Kt);
    for number in [1, 2] {
        values[number - 1] = RADIUS * det::sqrt(kt.event(0).splitting(number));
    }
    let Some(Subjettiness { beta, axes, normalisation }) = kind.subjettiness else { return values };
    let history = clustered(axes);
    let sum: f64 = jet.iter().map(|p| p.pt()).sum();
    let under = match normalisation {
        Normalisation::Radius(radius) => sum * det::pow(radius, beta),
        Normalisation::Absent => 1.0,
    };
    for number in 1..=4 {
        let axes = history.event(0).exclusive_jets(number, |at| jet[at]);
        if jet.len() <= number {
            continue;
        }
        let nearest =
            |p: &FourMomentum| axes.iter().map(|axis| apart(*p, axis.momentum, beta)).fold(f64::INFINITY, f64::min);
        values[1 + number] = jet.iter().map(|p| p.pt() * nearest(p)).sum::<f64>() / under;
    }
    values[Observable::Tau21 as usize] = values[3] / values[2];
    values[Observable::Tau32 as usize] = values[4] / values[3];
    let Some(Correlations { beta }) = kind.correlations else { return values };
    let (mut pairs, mut triples) = (0.0, 0.0);
    for (i, a) in jet.iter().enumerate() {
        for (j, b) in jet.iter().enumerate().skip(i + 1) {
            pairs += a.pt() * b.pt() * apart(*a, *b, beta);
            for c in &jet[j + 1..] {
                let distances = apart(*a, *b, beta) * apart(*a, *c, beta) * apart(*b, *c, beta);
                triples += a.pt() * b.pt() * c.pt() * distances;
            }
        }
    }
    values[Observable::E1 as usize..].copy_from_slice(&[
        sum,
        pairs,
        triples,
        triples * sum / (pairs * pairs),
        triples * (sum * sum * sum) / (pairs * pairs * pairs),
    ]);
    values
}

#[test]
fn observables_are_plain_sums() {
    let jets: Vec<_> = (0..24).map(|seed| jet(seed, 3 + (seed * 5 % 40) as usize)).collect();
    for kind in every_kind() {
        let found = kind.cpu(particles(&jets)).unwrap();
        for (number, jet) in jets.iter().enumerate() {
            let expected = plain(&kind, jet);
            assert_eq!(found.multiplicity[number] as usize, jet.len());
            for of in Observable::ALL {
                let (got, wanted) = (found.of(of)[number], expected[of as usize]);
                if wanted.is_finite() {
                    assert!((got - wanted).abs() <= 1e-11 * wanted, "{kind:?}, jet {number}, {of:?}: {got} {wanted}");
                }
            }
        }
    }
}

#[test]
fn four_at_a_time_are_one_after_the_other() {
    let jets: Vec<_> = (0..10).map(|number| jet(number, 7 * number as usize)).collect();
    let all = particles(&jets);
    for kind in every_kind() {
        let sums = cpu::plain_sums(&kind, &all).unwrap();
        let found = kind.cpu(all.clone()).unwrap();
        for (number, sums) in sums.iter().enumerate() {
            let row = math::row_of(&kind, sums);
            assert_eq!(row.defined, found.defined[number]);
            for of in Observable::ALL {
                assert_eq!(row.values[of as usize].to_bits(), found.of(of)[number].to_bits(), "{of:?} of {number}");
            }
        }
    }
}

#[test]
fn answers_do_not_depend_on_threads_or_on_the_other_jets() {
    let jets: Vec<_> = (0..150).map(|seed| jet(seed, (seed % 50) as usize)).collect();
    let all = particles(&jets);
    let kind = Substructure::default();
    let found = kind.cpu(all.clone()).unwrap();
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let again = pool.install(|| kind.cpu(all.clone()).unwrap());
        assert_eq!((&again.values, &again.defined), (&found.values, &found.defined));
    }
    let alone = kind.cpu(all.of_some(&[149])).unwrap();
    assert!(Observable::ALL.iter().all(|of| alone.of(*of)[0] == found.of(*of)[149]));
}

fn massless(pt: f32, eta: f32, phi: f32) -> FourMomentum {
    FourMomentum::from_pt_eta_phi_mass(pt, eta, phi, 0.0)
}

/// What data and programs contain: each must have finite values, and say which of them mean something.
#[test]
fn degenerate_jets_have_stated_answers() {
    use Observable::*;
    let beam = |pz: f64| FourMomentum { px: 0.0, py: 0.0, pz, energy: pz.abs() };
    let bit = |all: &[Observable]| all.iter().fold(0, |bits, of| bits | of.bit());
    let one = massless(50.0, 0.3, 1.0);
    let slow = FourMomentum { px: 30.0, py: 0.0, pz: 0.0, energy: 0.0 };
    let huge = FourMomentum { px: 7e99, py: -7e99, pz: 0.0, energy: 1e100 };
    let turned = FourMomentum { py: 7e99, ..huge };
    let tiny = FourMomentum { px: 1e-200, py: 0.0, pz: 0.0, energy: 1e-200 };
    let pairs = bit(&[Split12, Tau1, Tau2, Tau21, E1, E2]);
    let of_three = bit(&[Split12, Split23, Tau1, Tau2, Tau3, E1, E2, E3]);
    let all_of_three = of_three | bit(&[Tau21, Tau32, C2, D2]);
    let cases: Vec<(&str, Vec<FourMomentum>, Option<u32>)> = vec![
        ("nothing", vec![], Some(bit(&[E1]))),
        ("one", vec![one], Some(bit(&[Tau1, E1]))),
        ("two", vec![one, massless(20.0, 0.5, 1.2)], Some(pairs)),
        ("twins", vec![one, one], Some(pairs & !bit(&[Tau21]))),
        ("three", vec![one, massless(20.0, 0.5, 1.2), massless(9.0, 0.0, 1.4)], Some(all_of_three)),
        ("triplets", vec![one; 3], Some(of_three)),
        ("collinear", vec![one, massless(100.0, 0.3, 1.0), massless(25.0, 0.3, 1.0), massless(1.0, 0.3, 1.0)], None),
        ("no momentum", vec![FourMomentum::ZERO; 5], Some(bit(&[Split12, Split23, E1, E2, E3]))),
        (
            "along the beam",
            vec![beam(100.0), beam(-3.0), beam(100.0), beam(0.5)],
            Some(bit(&[Split12, Split23, E1, E2, E3])),
        ),
        ("some along the beam", vec![one, beam(100.0), massless(20.0, 0.5, 1.2), beam(-1e99)], None),
        ("no energy", vec![slow, one, massless(20.0, 0.5, 1.2), slow], None),
        ("as large as may be", vec![huge, turned, one, huge], None),
        ("as small as may be", vec![tiny, tiny, one, massless(20.0, 0.5, 1.2)], None),
        ("only tiny", vec![tiny; 4], Some(bit(&[Split12, Split23, E1, E2, E3]))),
        ("two apart with nothing", vec![massless(5.0, 4.0, 0.0), massless(5.0, -4.0, 3.1), FourMomentum::ZERO], None),
    ];
    let jets = particles(&cases.iter().map(|(_, jet, _)| jet.clone()).collect::<Vec<_>>());
    let guards = [Guard::Value(-1.0), Guard::Offset(1e-5), Guard::Floor(1e-8)];
    for kind in every_kind().into_iter().flat_map(|kind| guards.map(|guard| Substructure { guard, ..kind })) {
        let found = kind.cpu(jets.clone()).unwrap();
        for (number, (what, jet, defined)) in cases.iter().enumerate() {
            let value = |of: Observable| found.of(of)[number];
            for of in Observable::ALL {
                assert!(value(of).is_finite(), "{what}, {of:?}: {}", value(of));
            }
            if let Some(defined) = defined {
                assert_eq!(found.defined[number], *defined, "{what}: {:#b} {defined:#b}", found.defined[number]);
            }
            for (axes, tau) in [(1, Tau1), (2, Tau2), (3, Tau3), (4, Tau4)] {
                assert!(jet.len() > axes || value(tau) == 0.0, "{what}");
            }
            if let (Guard::Value(otherwise), false) = (kind.guard, found.is_defined(number, D2)) {
                assert_eq!(value(D2), otherwise, "{what}");
            }
        }
    }
    // What flies along the beam has no pT and changes nothing but the number.
    let pair =
        [one, massless(20.0, 0.5, 1.2), massless(9.0, 0.0, 1.4), massless(4.0, 0.1, 1.3), massless(3.0, 0.4, 0.8)];
    let with_beam: Vec<FourMomentum> = pair.into_iter().chain([beam(7.0), beam(-1e6)]).collect();
    let found = Substructure::default().cpu(particles(&[pair.to_vec(), with_beam])).unwrap();
    for of in Observable::ALL {
        let (without, with) = (found.of(of)[0], found.of(of)[1]);
        assert!((without - with).abs() <= 1e-13 * without, "{of:?}: {without} {with}");
    }
    assert_eq!(found.multiplicity.to_vec(), [5, 7]);
}

#[test]
fn guards_are_what_they_say() {
    let wide = jet(1, 30);
    let jets = particles(&[wide, vec![massless(50.0, 0.0, 0.0); 3]]);
    let of = |guard| Substructure { guard, ..Substructure::default() }.cpu(jets.clone()).unwrap();
    let taus = of(Guard::Value(7.0));
    let [tau1, tau2] = [Observable::Tau1, Observable::Tau2].map(|tau| taus.of(tau)[0]);
    let ratio = |found: &Observables<Host>| found.of(Observable::Tau21).to_vec();
    assert_eq!(ratio(&taus), [tau2 / tau1, 7.0]);
    assert_eq!(ratio(&of(Guard::Offset(0.5))), [tau2 / (0.5 + tau1), 0.0]);
    assert_eq!(ratio(&of(Guard::Floor(1e-8))), [tau2 / tau1, 1.0]);
    assert_eq!(ratio(&of(Guard::Floor(10.0))), [1.0, 1.0]);
    assert_eq!(taus.of(Observable::C2)[1], 7.0);
    // At one place but for rounding, with every exponent.
    let near: Vec<FourMomentum> = [(50.0, 0.3), (20.0, 0.3), (7.0, 0.3 + 1e-14)]
        .map(|(pt, eta)| {
            let (px, py) = (pt * 1.1_f64.cos(), pt * 1.1_f64.sin());
            FourMomentum { px, py, pz: pt * f64::sinh(eta), energy: pt * f64::cosh(eta) }
        })
        .to_vec();
    for kind in every_kind().into_iter().map(|kind| Substructure { guard: Guard::Value(-1.0), ..kind }) {
        let found = kind.cpu(particles(std::slice::from_ref(&near))).unwrap();
        for (of, is_wanted) in [
            (Observable::Tau21, kind.subjettiness.is_some()),
            (Observable::Tau32, kind.subjettiness.is_some()),
            (Observable::C2, kind.correlations.is_some()),
            (Observable::D2, kind.correlations.is_some()),
        ] {
            assert!(!found.is_defined(0, of) && (!is_wanted || found.of(of)[0] == -1.0), "{kind:?} {of:?}");
        }
    }
    assert_eq!(of(Guard::Floor(1e-8)).of(Observable::D2)[1], 0.0);
}

#[test]
fn what_is_not_wanted_is_not_computed() {
    let all = particles(&[jet(3, 20)]);
    let whole = Substructure::default();
    let found = whole.cpu(all.clone()).unwrap();
    let only = [
        (Substructure { subjettiness: None, correlations: None, ..whole }, 0..2),
        (Substructure { splittings: Splittings::Omitted, correlations: None, ..whole }, 2..8),
        (Substructure { splittings: Splittings::Omitted, subjettiness: None, ..whole }, 8..13),
    ];
    for (kind, columns) in only {
        let part = kind.cpu(all.clone()).unwrap();
        for of in Observable::ALL {
            let is_there = columns.contains(&(of as usize));
            assert_eq!(part.of(of)[0], if is_there { found.of(of)[0] } else { 0.0 }, "{of:?}");
            assert_eq!(part.is_defined(0, of), is_there, "{of:?}");
        }
    }
}

#[test]
fn jets_without_constituents_and_no_jets_have_answers() {
    let kind = Substructure::default();
    let none = kind.cpu(particles(&[])).unwrap();
    assert_eq!((none.jets(), none.values.len()), (0, 0));
    let empty = kind.cpu(particles(&[vec![], vec![]])).unwrap();
    assert_eq!((empty.jets(), empty.of(Observable::E1)), (2, &[0.0, 0.0][..]));
}

#[test]
fn what_cannot_be_computed_is_named() {
    let good = massless(5.0, 0.0, 0.0);
    let jets = particles(&[vec![good]]);
    let wrong = Substructure {
        subjettiness: Some(Subjettiness { beta: 0.0, axes: Axes::Kt, normalisation: Normalisation::Radius(f64::NAN) }),
        correlations: Some(Correlations { beta: 11.0 }),
        guard: Guard::Floor(-1.0),
        ..Substructure::default()
    };
    let error = wrong.run(&Device::Cpu, &jets).unwrap_err().to_string();
    for wanted in [
        "beta = 0 of N-subjettiness",
        "beta = 11 of energy correlations",
        "radius R0 = NaN",
        "the floor -1 of the guard",
    ] {
        assert!(error.contains(wanted), "{error}");
    }
    let kind = Substructure::default();
    let bad = particles(&[vec![good], vec![good, FourMomentum { px: f64::NAN, ..good }]]);
    let error = kind.cpu(bad).unwrap_err().to_string();
    assert!(error.starts_with("features.substructure: px = NaN of particle 1 in jet 1"), "{error}");
    let mut short = jets;
    short.pz = Vec::new().into();
    assert!(kind.cpu(short).unwrap_err().to_string().contains("pz: expected 1 particles, got 0"));
    let large = particles(&[vec![good], vec![good; 4097]]);
    let error = kind.cpu(large.clone()).unwrap_err().to_string();
    assert!(error.contains("jet 1 has 4097 constituents and may have 4096"), "{error}");
    assert!(Substructure { correlations: None, ..kind }.cpu(large).is_ok());
}

#[test]
fn exponents_of_one_and_two_are_those_of_the_power_function() {
    for distance2 in [0.0, 1e-12, 0.3, 4.0, 4e10] {
        for (beta, half) in [(1.0, 0.5), (2.0, 1.0)] {
            let (quick, slow) = (Power::of(beta), Power::Half(half));
            let [quick, slow] = [quick, slow].map(|power| power.of_each(Plain::all(distance2)).least());
            assert!((quick - slow).abs() <= 1e-15 * slow, "{distance2} {beta}");
        }
    }
    assert_eq!(Sums::default().taus, [0.0; 4]);
}
