//! The CPU's executor.

use rayon::prelude::*;

use super::math::{mass2_of, of_logits, of_probabilities};
use super::{Dijet, Input, Labelling, Output, Scores, Verdict};
use crate::device::Host;
use crate::features::cluster::math::{pt2_of, rapidity_of};
use crate::math::lorentz::{add_momenta, mass_of};

/// What is known of one event.
#[derive(Default)]
struct Pair {
    verdict: u32,
    first: u32,
    second: u32,
    mass_gev: f64,
    rapidity_difference: f64,
    discriminants: [f64; 2],
}

pub(super) fn pairs(dijet: &Dijet, input: &Input<Host>) -> Output<Host> {
    let pairs: Vec<Pair> = (0..input.jets.groups()).into_par_iter().map(|event| pair(dijet, input, event)).collect();
    let numbers = |of: fn(&Pair) -> f64| pairs.iter().map(of).collect();
    let words = |of: fn(&Pair) -> u32| pairs.iter().map(of).collect();
    Output {
        verdict: words(|pair| pair.verdict),
        first: words(|pair| pair.first),
        second: words(|pair| pair.second),
        mass_gev: numbers(|pair| pair.mass_gev),
        rapidity_difference: numbers(|pair| pair.rapidity_difference),
        discriminant_first: numbers(|pair| pair.discriminants[0]),
        discriminant_second: numbers(|pair| pair.discriminants[1]),
    }
}

fn pair(dijet: &Dijet, input: &Input<Host>, event: usize) -> Pair {
    let rows = input.jets.rows(event);
    if rows.len() < 2 {
        return Pair { verdict: Verdict::TooFewJets as u32, ..Pair::default() };
    }
    // The two of largest pT; of equal ones the first.
    let (mut one, mut other, mut largest, mut next) = (0, 0, -1.0, -1.0);
    for row in rows.clone() {
        let pt2 = pt2_of(input.jets.momentum(row));
        if pt2 > largest {
            (other, next) = (one, largest);
            (one, largest) = (row, pt2);
        } else if pt2 > next {
            (other, next) = (row, pt2);
        }
    }
    let (a, b) = (input.jets.momentum(one), input.jets.momentum(other));
    let discriminant = |row: usize| match (dijet.scores, input.scores.is_empty()) {
        (_, true) => 0.0,
        (Scores::Probabilities, _) => {
            let [higgs, top, qcd] = [0, 1, 2].map(|class| input.scores[3 * row + class]);
            of_probabilities(higgs, top, qcd, dijet.top_fraction)
        }
        (Scores::Logits, _) => {
            let [higgs, top, qcd] = [0, 1, 2].map(|class| input.scores[3 * row + class]);
            of_logits(higgs, top, qcd, dijet.top_fraction)
        }
    };
    let discriminants = [discriminant(one), discriminant(other)];
    let swapped = match dijet.labelling {
        Labelling::LargerPtFirst => false,
        Labelling::HeavierFirst => mass2_of(b) > mass2_of(a),
        Labelling::LighterFirst => mass2_of(b) < mass2_of(a),
        Labelling::HiggsFirst => discriminants[1] > discriminants[0],
    };
    let (y, other_y) = (rapidity_of(a, pt2_of(a)), rapidity_of(b, pt2_of(b)));
    let (one, other) = ((one - rows.start) as u32, (other - rows.start) as u32);
    Pair {
        verdict: Verdict::Found as u32,
        first: if swapped { other } else { one },
        second: if swapped { one } else { other },
        mass_gev: mass_of(add_momenta(a, b)),
        rapidity_difference: (y - other_y).abs(),
        discriminants: if swapped { [discriminants[1], discriminants[0]] } else { discriminants },
    }
}
