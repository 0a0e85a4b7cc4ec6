//! `features.dijet`: the same pairs, labels and numbers, to the last bit.

use trawl::Device;
use trawl::device::{Host, Operation};
use trawl::features::dijet::{Dijet, Input, Labelling, Output, Scores};
use trawl::features::particles::Particles;
use trawl::math::lorentz::FourMomentum;
use trawl::math::philox::{Philox, Stage};

use crate::harness::{cuda, every_block_size, floats_are_exact};

/// Events of 0 to 6 jets in any order, some of them equal.
fn input(events: usize, scores: bool) -> Input<Host> {
    let random = Philox::new(events as u64, Stage::Probe);
    let groups: Vec<Vec<FourMomentum>> = (0..events as u64)
        .map(|event| {
            let jet = |jet: u64| {
                let ([a, b], [c, d]) = (random.uniforms(event, 2 * jet), random.uniforms(event, 2 * jet + 1));
                let pt = if a < 0.1 { 500.0 } else { 200.0 + 1500.0 * a };
                FourMomentum::from_pt_eta_phi_mass(
                    pt as f32,
                    (4.0 * b - 2.0) as f32,
                    (6.2 * c) as f32,
                    (300.0 * d) as f32,
                )
            };
            (0..event % 7).map(jet).collect()
        })
        .collect();
    let jets = Particles::of_groups(&groups.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let number = if scores { 3 * jets.px.len() } else { 0 };
    let score = |at: u64| 0.01 + random.uniforms(at, 99)[0];
    Input { jets, scores: (0..number as u64).map(score).collect() }
}

fn agree(what: &str, here: &Output<Host>, there: &Output<Host>) {
    assert_eq!((&here.verdict, &here.first, &here.second), (&there.verdict, &there.first, &there.second), "{what}");
    let columns = [
        (&here.mass_gev, &there.mass_gev),
        (&here.rapidity_difference, &there.rapidity_difference),
        (&here.discriminant_first, &there.discriminant_first),
        (&here.discriminant_second, &there.discriminant_second),
    ];
    for (here, there) in columns.into_iter().flat_map(|(here, there)| here.iter().zip(there)) {
        // The perturbed build contracts products and sums, as this project's kernels are never compiled.
        let near = (here - there).abs() <= 1e-9 * here.abs().max(1.0);
        assert!(
            if floats_are_exact() { here.to_bits() == there.to_bits() } else { near },
            "{what}: {here:e} {there:e}"
        );
    }
}

#[test]
fn typical_sizes() {
    if !floats_are_exact() {
        // Of so many, some jets have the same pT in different directions, whose order contraction changes.
        return;
    }
    let Some(cuda) = cuda() else { return };
    let there = Device::Cuda(cuda).run(&Dijet::default(), input(1024, false)).unwrap();
    agree("1,024 events", &Dijet::default().cpu(input(1024, false)).unwrap(), &there);
}

#[test]
fn the_same_pairs_by_every_label_and_block_size() {
    let labels = [Labelling::LargerPtFirst, Labelling::HeavierFirst, Labelling::LighterFirst, Labelling::HiggsFirst];
    for (threads, cuda) in every_block_size() {
        for events in [0, 1, 31, 32, 33, 300] {
            for labelling in labels {
                for scores in [Scores::Probabilities, Scores::Logits] {
                    let dijet = Dijet { labelling, scores, ..Dijet::default() };
                    let input = input(events, labelling == Labelling::HiggsFirst || events == 33);
                    let there = Device::Cuda(cuda.clone()).run(&dijet, input.clone()).unwrap();
                    agree(&format!("{dijet:?}, {events} events by {threads}"), &dijet.cpu(input).unwrap(), &there);
                }
            }
        }
    }
}

/// The kernel would compute with it, so that it is refused before it goes there.
#[test]
fn values_are_looked_at_before_they_go_to_a_device() {
    let Some(cuda) = cuda() else { return };
    let good = input(20, true);
    let mut jets = good.jets.clone();
    jets.energy = jets.energy.iter().map(|energy| -energy).collect();
    let mut scores = good.scores.to_vec();
    scores[4] = f64::NAN;
    let dijet = Dijet { labelling: Labelling::HiggsFirst, ..Dijet::default() };
    for bad in [Input { jets, ..good.clone() }, Input { scores: scores.into(), ..good }] {
        let there = Device::Cuda(cuda.clone()).run(&dijet, bad.clone()).unwrap_err().to_string();
        assert_eq!(there, dijet.cpu(bad).unwrap_err().to_string());
    }
}
