//! The CPU's executor: four jets at a time, each group on one thread.

use rayon::prelude::*;

use super::jets::{Jets, LANES};
use super::{Coordinates, NO_ROW, Order, Orders};
use crate::device::Host;
use crate::math::four::{Four, four};

/// Jets that a thread orders at a time.
const JETS_A_TASK: usize = 256;

pub(super) fn order(order: &Order, jets: &Coordinates<Host>) -> Orders<Host> {
    let most = order.most as usize;
    let mut places = vec![NO_ROW; jets.number.len() * most];
    let tasks = places.par_chunks_mut(JETS_A_TASK * most).enumerate();
    tasks.for_each_init(Jets::default, |group, (task, places)| run(order, jets, task * JETS_A_TASK, group, places));
    let number: Vec<u32> = jets.number.iter().map(|number| *number.min(&order.most)).collect();
    Orders { most: order.most, order: places.into(), number: number.into() }
}

fn run(order: &Order, jets: &Coordinates<Host>, first: usize, group: &mut Jets, places: &mut [u32]) {
    four!(all_jets(order: &Order, jets: &Coordinates<Host>, first: usize, group: &mut Jets, places: &mut [u32]));
}

#[inline(always)]
fn all_jets<V: Four>(order: &Order, jets: &Coordinates<Host>, first: usize, group: &mut Jets, places: &mut [u32]) {
    let most = order.most as usize;
    for (index, places) in places.chunks_mut(LANES * most).enumerate() {
        let jet = |lane: usize| -> [&[f64]; 3] {
            let jet = first + index * LANES + lane;
            let Some(number) = jets.number.get(jet) else { return [&[]; 3] };
            let start = jet * jets.rows as usize;
            let rows = start..start + *number as usize;
            [&jets.pt[rows.clone()], &jets.eta[rows.clone()], &jets.phi[rows]]
        };
        group.load([jet(0), jet(1), jet(2), jet(3)]);
        let mut places = places.chunks_exact_mut(most);
        let mut rows: [&mut [u32]; LANES] = std::array::from_fn(|_| places.next().unwrap_or_default());
        group.order::<V>(order.ordering, order.truncation, &mut rows);
    }
}
