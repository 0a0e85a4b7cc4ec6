//! Jets against FastJet's numbers.

#[path = "common/data.rs"]
mod data;

use std::fs;

use data::data;
use trawl::device::Operation;
use trawl::features::cluster::{Algorithm, Cluster, Histories, Jet, Particles, Recombination};
use trawl::math::lorentz::FourMomentum;

/// FastJet's sample event: energy, px, py and pz of 354 particles.
fn sample() -> Option<Vec<FourMomentum>> {
    let text = fs::read_to_string(data()?.join("fastjet/single-event.dat")).unwrap();
    let numbers = |line: &str| -> Vec<f64> { line.split_whitespace().map(|word| word.parse().unwrap()).collect() };
    let event = text.lines().map(numbers).filter(|numbers| numbers.len() == 4);
    Some(event.map(|p| FourMomentum { energy: p[0], px: p[1], py: p[2], pz: p[3] }).collect())
}

fn clustered(algorithm: Algorithm, radius: f64, event: &[FourMomentum]) -> Histories<trawl::device::Host> {
    Cluster::new(algorithm, radius).unwrap().cpu(Particles::of_groups(&[event])).unwrap()
}

fn constituents(event: &[FourMomentum], histories: &Histories<trawl::device::Host>, jet: &Jet) -> Vec<FourMomentum> {
    histories.event(0).constituents(jet).into_iter().map(|at| event[at as usize]).collect()
}

/// The numbers are printed to three decimals in pyjet's README.rst and tests/test_cluster.py.
#[test]
fn the_sample_event_has_the_jets_that_fastjet_finds() {
    let Some(event) = sample() else { return };
    assert_eq!(event.len(), 354);
    let histories = clustered(Algorithm::AntiKt, 0.6, &event);
    let jets = histories.event(0).inclusive_jets(0.0);
    assert_eq!(jets.len(), 91);
    let expected = [
        (983.280, -0.868, 2.905, 36.457, 34),
        (901.745, 0.221, -0.252, 51.850, 34),
        (67.994, -1.194, -0.200, 11.984, 32),
        (12.465, 0.433, 0.673, 5.461, 13),
        (6.568, -2.629, 1.133, 2.099, 9),
        (6.498, -1.828, -2.248, 3.309, 6),
    ];
    for (jet, (pt, eta, phi, mass, particles)) in jets.iter().zip(expected) {
        let p = jet.momentum;
        for (got, wanted) in [(p.pt(), pt), (p.eta(), eta), (p.phi(), phi), (p.mass(), mass)] {
            assert!((got - wanted).abs() <= 0.000_51, "{got} {wanted}");
        }
        assert_eq!(histories.event(0).constituents(jet).len(), particles);
    }
}

#[test]
fn the_first_jet_splits_as_fastjet_says() {
    let Some(event) = sample() else { return };
    let histories = clustered(Algorithm::AntiKt, 0.6, &event);
    let parts = constituents(&event, &histories, &histories.event(0).inclusive_jets(0.0)[0]);
    let again = clustered(Algorithm::Kt, 0.6, &parts);
    let two = again.event(0).exclusive_jets(2, |at| parts[at]);
    for (jet, (pt, eta, phi, mass)) in
        two.iter().zip([(946.493, -0.870, 2.908, 20.117), (36.921, -0.800, 2.821, 4.119)])
    {
        let p = jet.momentum;
        for (got, wanted) in [(p.pt(), pt), (p.eta(), eta), (p.phi(), phi), (p.mass(), mass)] {
            assert!((got - wanted).abs() <= 0.000_51, "{got} {wanted}");
        }
    }
    let number = again.event(0).exclusive_number(0.5);
    let nine: Vec<f64> =
        again.event(0).exclusive_jets(number, |at| parts[at]).iter().map(|jet| jet.momentum.pt()).collect();
    let expected = [308.478, 256.731, 142.326, 135.971, 91.084, 30.970, 7.123, 5.951, 4.829];
    assert_eq!(nine.len(), 9);
    assert!(nine.iter().zip(expected).all(|(got, wanted)| (got - wanted).abs() <= 0.000_51), "{nine:?}");
}

/// fastjet-contrib 1.045, Nsubjettiness/example_basic_usage.ref, to four decimals.
#[test]
fn large_jets_of_the_sample_event_are_those_of_fastjet_contrib() {
    let Some(event) = sample() else { return };
    let histories = clustered(Algorithm::AntiKt, 1.0, &event);
    let jets = histories.event(0).inclusive_jets(100.0);
    let two_pi = 2.0 * std::f64::consts::PI;
    let expected =
        [(-0.8673, 2.9051, 983.3873, 39.9912, 1378.1622, 35), (0.2195, 6.0349, 908.0979, 87.7124, 934.3868, 47)];
    assert_eq!(jets.len(), 2);
    for (jet, (y, phi, pt, mass, energy, particles)) in jets.iter().zip(expected) {
        let p = jet.momentum;
        let got = [p.rapidity(), p.phi().rem_euclid(two_pi), p.pt(), p.mass(), p.energy];
        for (got, wanted) in got.into_iter().zip([y, phi, pt, mass, energy]) {
            assert!((got - wanted).abs() <= 0.000_051, "{got} {wanted}");
        }
        assert_eq!(histories.event(0).constituents(jet).len(), particles);
    }
    // The winner keeps its rapidity, azimuth and mass (and not its pseudorapidity, as particles have masses here).
    let parts = constituents(&event, &histories, &jets[0]);
    let winner = Cluster::new(Algorithm::Kt, 1.0).unwrap().with_recombination(Recombination::WinnerTakesAll);
    let winner = winner.cpu(Particles::of_groups(&[&parts])).unwrap();
    let axis = winner.event(0).exclusive_jets(1, |at| parts[at])[0].momentum;
    let sum: f64 = parts.iter().map(|p| p.pt()).sum();
    assert!((axis.pt() - sum).abs() < 1e-9 * sum);
    assert!(parts.iter().any(|p| (p.rapidity() - axis.rapidity()).abs() < 1e-9 && (p.phi() - axis.phi()).abs() < 1e-9));
}
