//! Jets against FastJet's numbers.

#[path = "common/data.rs"]
mod data;

use std::fs;

use data::data;
use trawl::device::Operation;
use trawl::features::cluster::{Algorithm, Cluster, Histories, Jet, Particles, Recombination};
use trawl::features::image::{Axes as ImageAxes, Image, Images, Input, Membership};
use trawl::features::substructure::{
    Axes, Correlations, Normalisation, Observable, Observables, Subjettiness, Substructure,
};
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

/// The two large jets of the sample event, and what is computed of them without normalisation.
fn of_the_large_jets(event: &[FourMomentum], axes: Axes, beta: f64) -> Observables<trawl::device::Host> {
    let histories = clustered(Algorithm::AntiKt, 1.0, event);
    let jets = histories.event(0).inclusive_jets(100.0);
    let jets: Vec<_> = jets.iter().map(|jet| constituents(event, &histories, jet)).collect();
    let subjettiness = Some(Subjettiness { beta, axes, normalisation: Normalisation::Absent });
    let kind = Substructure { subjettiness, correlations: Some(Correlations { beta }), ..Substructure::default() };
    kind.cpu(Particles::of_groups(&jets.iter().map(Vec::as_slice).collect::<Vec<_>>())).unwrap()
}

fn expect(found: &Observables<trawl::device::Host>, jet: usize, expected: &[(Observable, f64, f64)]) {
    for (of, wanted, within) in expected {
        let got = found.of(*of)[jet];
        assert!(found.is_defined(jet, *of) && (got - wanted).abs() <= *within, "{of:?}: {got} {wanted}");
    }
}

/// fastjet-contrib 1.045, Nsubjettiness/example_basic_usage.ref, to six decimals.
#[test]
fn subjettiness_of_the_large_jets_is_that_of_fastjet_contrib() {
    use Observable::*;
    let Some(event) = sample() else { return };
    let six = |of, wanted| (of, wanted, 0.000_000_51);
    let winner = of_the_large_jets(&event, Axes::WinnerTakesAllKt, 1.0);
    let first = [(Tau1, 11.941_857), (Tau2, 9.241_132), (Tau3, 6.734_744), (Tau21, 0.773_844), (Tau32, 0.728_779)];
    let second = [(Tau1, 16.041_313), (Tau2, 12.911_866), (Tau3, 10.685_697), (Tau21, 0.804_913), (Tau32, 0.827_587)];
    expect(&winner, 0, &first.map(|(of, wanted)| six(of, wanted)));
    expect(&winner, 1, &second.map(|(of, wanted)| six(of, wanted)));
    let half = of_the_large_jets(&event, Axes::HalfKt, 2.0);
    expect(&half, 0, &[(Tau1, 1.293_818), (Tau2, 0.829_418), (Tau3, 0.598_098)].map(|(of, wanted)| six(of, wanted)));
    expect(&half, 1, &[(Tau1, 6.954_043), (Tau2, 3.806_724), (Tau3, 2.076_080)].map(|(of, wanted)| six(of, wanted)));
    assert_eq!(winner.multiplicity.to_vec(), [35, 47]);
}

/// fastjet-contrib 1.045, EnergyCorrelator/example.ref: correlations to two decimals, C2 to six; D2 is computed from those.
#[test]
fn correlations_of_the_large_jets_are_those_of_fastjet_contrib() {
    use Observable::*;
    let Some(event) = sample() else { return };
    let two = |of, wanted| (of, wanted, 0.005_1);
    let one = of_the_large_jets(&event, Axes::Kt, 1.0);
    expect(&one, 0, &[two(E1, 983.64), two(E2, 10_006.49), two(E3, 9_934.06), (C2, 0.097_588, 0.000_000_51)]);
    expect(&one, 1, &[two(E1, 910.03), two(E2, 13_863.90), two(E3, 65_435.19), (C2, 0.309_811, 0.000_000_51)]);
    // Three times the rounding of e1, and a little for the others.
    expect(&one, 0, &[(D2, 9.436_05, 0.000_16)]);
    expect(&one, 1, &[(D2, 18.506_41, 0.000_32)]);
    let squares = of_the_large_jets(&event, Axes::Kt, 2.0);
    expect(&squares, 0, &[two(E2, 1_272.64), two(E3, 260.18)]);
    expect(&squares, 1, &[two(E2, 6_328.24), two(E3, 16_871.11)]);
}

/// The splitting scales are those of the history that gives FastJet's exclusive jets.
#[test]
fn splitting_scales_are_those_of_the_last_mergings() {
    let Some(event) = sample() else { return };
    let found = of_the_large_jets(&event, Axes::Kt, 1.0);
    let histories = clustered(Algorithm::AntiKt, 1.0, &event);
    for (number, jet) in histories.event(0).inclusive_jets(100.0).iter().enumerate() {
        let parts = constituents(&event, &histories, jet);
        let again = clustered(Algorithm::Kt, 100.0, &parts);
        let two = again.event(0).exclusive_jets(2, |at| parts[at]);
        let [a, b] = [two[0].momentum, two[1].momentum];
        let turned = (a.phi() - b.phi()).abs();
        let apart = (a.rapidity() - b.rapidity()).hypot(turned.min(2.0 * std::f64::consts::PI - turned));
        let wanted = a.pt().min(b.pt()) * apart;
        expect(&found, number, &[(Observable::Split12, wanted, 1e-9 * wanted)]);
        let second = 100.0 * again.event(0).splitting(2).sqrt();
        expect(&found, number, &[(Observable::Split23, second, 1e-9 * second)]);
    }
}

/// A sum that knows which pixel is which, the pixels that are lit, the brightest, and who is outside.
fn seen(images: &Images<trawl::device::Host>, jet: usize) -> (f64, usize, usize, f32, u32) {
    let image = images.image(jet);
    let weights = (0..).map(|at| f64::from((97 * at + 31 * jet as u32) % 1009 + 1));
    let sum = image.iter().zip(weights).map(|(share, weight)| f64::from(*share) * weight).sum();
    let (brightest, share) = image.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap();
    (sum, image.iter().filter(|share| **share > 0.0).count(), brightest, *share, images.outside[jet])
}

/// `scripts/oracles/images.py golden --sample` (numpy 2.4.6, fastjet 3.5.2.0). All particles around these two axes are their constituents.
#[test]
fn images_of_the_large_jets_are_those_of_numpy() {
    let Some(event) = sample() else { return };
    let histories = clustered(Algorithm::AntiKt, 1.0, &event);
    let jets = histories.event(0).inclusive_jets(100.0);
    let parts: Vec<_> = jets.iter().map(|jet| constituents(&event, &histories, jet)).collect();
    let own = Input::of_jets(Particles::of_groups(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>()));
    let axes = ImageAxes {
        event: vec![0, 0].into(),
        rapidity: jets.iter().map(|jet| jet.momentum.rapidity()).collect(),
        phi: jets.iter().map(|jet| jet.momentum.phi()).collect(),
    };
    let around = Input::around(axes, Particles::of_groups(&[&event]));
    let cone = Image { membership: Membership::Cone { radius: 1.0 }, ..Image::default() };
    let expected = [(799.230_408, 24, 0.817_743_3, 0), (837.546_709, 31, 0.885_481_6, 7)];
    for images in [Image::default().cpu(own).unwrap(), cone.cpu(around).unwrap()] {
        for (jet, (wanted, wanted_lit, wanted_share, wanted_outside)) in expected.into_iter().enumerate() {
            let (sum, lit, brightest, share, outside) = seen(&images, jet);
            assert!((sum - wanted).abs() < 1e-4 && (share - wanted_share).abs() < 1e-7, "{sum} {share}");
            assert_eq!((lit, brightest, outside), (wanted_lit, 20 * 40 + 20, wanted_outside));
        }
    }
}
