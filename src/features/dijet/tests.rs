//! The discriminant's golden numbers, every labelling, and what cannot be paired.

use super::math::{of_logits, of_probabilities};
use super::*;
use crate::Device;
use crate::math::det;
use crate::math::lorentz::FourMomentum;

/// ln(0.8 / 0.1) and ln 18, by the formula of the discriminant.
const GOLDEN: [([f64; 3], f64); 2] = [([0.8, 0.1, 0.1], 2.079_441_5), ([0.9, 0.05, 0.05], 2.890_371_8)];

#[test]
fn discriminants_are_those_of_the_formula_from_probabilities_and_logits() {
    for ([higgs, top, qcd], expected) in GOLDEN {
        assert!((of_probabilities(higgs, top, qcd, 0.25) - expected).abs() < 5e-8);
        for common in [-800.0, 0.0, 30.0] {
            let [h, t, q] = [higgs, top, qcd].map(|p| det::ln(p) + common);
            assert!((of_logits(h, t, q, 0.25) - expected).abs() < 5e-8, "{common}");
        }
    }
    // Top alone, or QCD alone, in the denominator.
    assert!((of_logits(1.0, 2.0, 3.0, 1.0) + 1.0).abs() < 1e-15 && (of_logits(1.0, 2.0, 3.0, 0.0) + 2.0).abs() < 1e-15);
    assert_eq!(of_probabilities(0.0, 0.5, 0.5, 0.25), -LARGEST_DISCRIMINANT);
    assert_eq!(of_probabilities(1.0, 0.0, 0.0, 0.25), LARGEST_DISCRIMINANT);
    assert_eq!(of_logits(1e300, 0.0, 0.0, 0.25), LARGEST_DISCRIMINANT);
}

fn jet(pt: f32, eta: f32, phi: f32, mass: f32) -> FourMomentum {
    FourMomentum::from_pt_eta_phi_mass(pt, eta, phi, mass)
}

fn run(dijet: Dijet, events: &[&[FourMomentum]], scores: &[f64]) -> Output<Host> {
    let input = Input { jets: Particles::of_groups(events), scores: scores.to_vec().into() };
    Device::Cpu.run(&dijet, input).unwrap()
}

#[test]
fn the_two_hardest_are_labelled_as_asked() {
    // The two hardest are the last and the first, of which the last is harder and lighter.
    let event = [jet(900.0, 0.5, 0.0, 400.0), jet(30.0, 1.0, 1.0, 1.0), jet(1000.0, -0.7, 3.0, 90.0)];
    let scores = [0.9, 0.05, 0.05, 0.98, 0.01, 0.01, 0.1, 0.5, 0.4];
    let labelled = |labelling| {
        let output = run(
            Dijet { labelling, ..Dijet::default() },
            &[&[], &event, &event[..1]],
            &[&scores[..], &scores[..3]].concat(),
        );
        assert_eq!(
            output.verdict.to_vec(),
            [Verdict::TooFewJets, Verdict::Found, Verdict::TooFewJets].map(|v| v as u32)
        );
        assert_eq!((output.mass_gev[0], output.rapidity_difference[2], output.first[2]), (0.0, 0.0, 0));
        (output.first[1], output.second[1], output.discriminant_first[1] > output.discriminant_second[1])
    };
    assert_eq!(labelled(Labelling::LargerPtFirst), (2, 0, false));
    assert_eq!(labelled(Labelling::HeavierFirst), (0, 2, true));
    assert_eq!(labelled(Labelling::LighterFirst), (2, 0, false));
    assert_eq!(labelled(Labelling::HiggsFirst), (0, 2, true));
}

#[test]
fn equal_jets_keep_their_order() {
    let event = [jet(500.0, 0.0, 0.0, 50.0); 3];
    for labelling in [Labelling::LargerPtFirst, Labelling::HeavierFirst, Labelling::LighterFirst, Labelling::HiggsFirst]
    {
        let output = run(Dijet { labelling, ..Dijet::default() }, &[&event], &[0.5, 0.2, 0.3].repeat(3));
        assert_eq!((output.first[0], output.second[0], output.rapidity_difference[0]), (0, 1, 0.0), "{labelling:?}");
    }
}

#[test]
fn mass_and_rapidity_difference_are_those_of_the_formulae() {
    let event = [jet(1500.0, 0.3, 0.1, 100.0), jet(1400.0, -0.4, 3.2, 500.0)];
    let output = run(Dijet::default(), &[&event], &[]);
    let sum = event[0] + event[1];
    let mass = (sum.energy.powi(2) - sum.px.powi(2) - sum.py.powi(2) - sum.pz.powi(2)).sqrt();
    assert!((output.mass_gev[0] - mass).abs() < 1e-9 * mass);
    // Massive jets: rapidities are nearer to each other than pseudorapidities.
    let expected = event[0].rapidity() - event[1].rapidity();
    assert!((output.rapidity_difference[0] - expected).abs() < 1e-12 && expected < 0.69);
    assert_eq!(output.discriminant_first[0], 0.0);
}

#[test]
fn what_cannot_be_paired_is_named() {
    let jets = [jet(1500.0, 0.3, 0.1, 100.0), jet(1400.0, -0.4, 3.2, 500.0)];
    let try_with = |dijet: Dijet, scores: &[f64]| {
        let input = Input { jets: Particles::of_groups(&[&jets]), scores: scores.to_vec().into() };
        Device::Cpu.run(&dijet, input).unwrap_err().to_string()
    };
    let default = Dijet::default();
    assert!(try_with(Dijet { top_fraction: f64::NAN, ..default }, &[]).contains("the fraction NaN of top"));
    assert!(try_with(default, &[0.1]).contains("1 scores of 2 jets"));
    assert!(try_with(Dijet { labelling: Labelling::HiggsFirst, ..default }, &[]).contains("there are no scores"));
    for wrong in [f64::NAN, -0.1, f64::INFINITY] {
        let error = try_with(default, &[0.1, 0.2, 0.7, 0.5, wrong, 0.1]);
        assert!(error.contains("of jet 1 are no probabilities"), "{error}");
    }
    assert!(try_with(default, &[0.0; 6]).contains("of jet 0 are no probabilities"));
    assert!(try_with(Dijet { scores: Scores::Logits, ..default }, &[f64::NAN; 6]).contains("are no logits"));
}
