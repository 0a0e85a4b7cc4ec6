//! The CPU's executor: jets by themselves, each on one thread.

use rayon::prelude::*;

use super::jet::{Constituents, Rows, Wanted};
use super::{Align, Aligned, NO_CONSTITUENT, Particles};
use crate::device::Host;
use crate::math::four::{Four, four};

/// Jets that a thread aligns at a time.
const JETS_A_TASK: usize = 256;

/// The answers for some jets: parts of all columns.
struct Answers<'c> {
    rows: Rows<'c>,
    number: &'c mut [u32],
    verdict: &'c mut [u32],
    beta: &'c mut [f64],
}

pub(super) fn align(align: &Align, jets: &Particles<Host>) -> Aligned<Host> {
    let (groups, most) = (jets.groups(), align.most as usize);
    let [mut pt, mut eta, mut phi] = [(); 3].map(|()| vec![0.0; groups * most]);
    let mut index = vec![NO_CONSTITUENT; groups * most];
    let (mut number, mut verdict, mut beta) = (vec![0; groups], vec![0; groups], vec![0.0; groups]);
    let chunk = JETS_A_TASK * most;
    let rows = pt.par_chunks_mut(chunk).zip(eta.par_chunks_mut(chunk)).zip(phi.par_chunks_mut(chunk));
    let of_jets = number.par_chunks_mut(JETS_A_TASK).zip(verdict.par_chunks_mut(JETS_A_TASK));
    let of_jets = of_jets.zip(beta.par_chunks_mut(JETS_A_TASK));
    let tasks = rows.zip(index.par_chunks_mut(chunk)).zip(of_jets).enumerate();
    tasks.for_each_init(Constituents::default, |constituents, (task, (rows, ((number, verdict), beta)))| {
        let (((pt, eta), phi), index) = rows;
        let mut answers = Answers { rows: Rows { pt, eta, phi, index }, number, verdict, beta };
        run(align, jets, task * JETS_A_TASK, constituents, &mut answers);
    });
    Aligned {
        most: align.most,
        pt: pt.into(),
        eta: eta.into(),
        phi: phi.into(),
        index: index.into(),
        number: number.into(),
        verdict: verdict.into(),
        beta: beta.into(),
    }
}

fn run(align: &Align, jets: &Particles<Host>, first: usize, constituents: &mut Constituents, answers: &mut Answers) {
    four!(all_jets(
        align: &Align,
        jets: &Particles<Host>,
        first: usize,
        constituents: &mut Constituents,
        answers: &mut Answers,
    ));
}

#[inline(always)]
fn all_jets<V: Four>(
    align: &Align,
    jets: &Particles<Host>,
    first: usize,
    constituents: &mut Constituents,
    answers: &mut Answers,
) {
    let most = align.most as usize;
    let wanted = Wanted {
        target: align.target,
        most,
        least: align.least as usize,
        largest2: align.largest_distance * align.largest_distance,
        truncation: align.truncation,
    };
    for at in 0..answers.number.len() {
        let group = jets.rows(first + at);
        let (px, py) = (&jets.px[group.clone()], &jets.py[group.clone()]);
        constituents.load(px, py, &jets.pz[group.clone()], &jets.energy[group]);
        let Rows { pt, eta, phi, index } = &mut answers.rows;
        let rows = at * most..(at + 1) * most;
        let mut rows = Rows {
            pt: &mut pt[rows.clone()],
            eta: &mut eta[rows.clone()],
            phi: &mut phi[rows.clone()],
            index: &mut index[rows],
        };
        let outcome = constituents.align::<V>(&wanted, &mut rows);
        answers.number[at] = outcome.number;
        answers.verdict[at] = outcome.verdict as u32;
        answers.beta[at] = outcome.beta;
    }
}
