//! The CPU's executor: events by themselves, each on one thread.

use rayon::prelude::*;

use super::math::{
    Entry, Kind, Missing, Object, difference_of, imbalance_of, mass_of, missing_of, object_of, rapidity_of,
    transverse_mass_of,
};
use super::{Input, Matrices, Objects, RapidityMass, Verdict};
use crate::device::Host;

/// Events that a thread makes at a time.
const EVENTS_A_TASK: usize = 64;

/// The objects of an event in the order of their rows, and room for numbers to be sorted.
#[derive(Default)]
struct Event {
    objects: Vec<Option<Object>>,
    order: Vec<u32>,
}

pub(super) fn matrices(matrix: &RapidityMass, input: &Input<Host>) -> Matrices<Host> {
    let (events, words, entries) = (input.events(), matrix.words(), matrix.kept());
    let (width, scale) = (entries.len(), 1.0 / matrix.collision_energy_gev);
    let mut values = vec![0.0_f32; events * width];
    let mut present = vec![0_u32; events * words];
    let mut outside = vec![0_u32; events];
    let tasks = values.par_chunks_mut(EVENTS_A_TASK * width).zip(present.par_chunks_mut(EVENTS_A_TASK * words));
    let tasks = tasks.zip(outside.par_chunks_mut(EVENTS_A_TASK)).enumerate();
    tasks.for_each_init(Event::default, |event, (task, ((values, present), outside))| {
        let rows = values.chunks_exact_mut(width).zip(present.chunks_exact_mut(words)).zip(outside);
        for (number, ((values, present), outside)) in (task * EVENTS_A_TASK..).zip(rows) {
            event.load(matrix, input, number);
            let missing = missing_of(input.missing_gev[number], input.missing_phi[number]);
            *outside = event.make(&entries, missing, scale, values, present);
        }
    });
    Matrices {
        width: width as u32,
        values: values.into(),
        present: present.into(),
        outside: outside.into(),
        verdict: vec![Verdict::Made as u32; events].into(),
    }
}

impl Event {
    /// The leading objects of each type, and nothing in the rows behind them.
    fn load(&mut self, matrix: &RapidityMass, input: &Input<Host>, event: usize) {
        self.objects.clear();
        let mut end = 0;
        for (of_type, objects) in matrix.types.iter().zip(&input.objects) {
            end += of_type.most as usize;
            self.find_leading(objects, event);
            let leading = self.order.iter().take(of_type.most as usize).map(|at| {
                let at = *at as usize;
                Some(object_of(objects.pt_gev[at], objects.eta[at], objects.phi[at], objects.mass_gev[at]))
            });
            self.objects.extend(leading);
            self.objects.resize(end, None);
        }
    }

    /// The objects with pT in its order, of equals the first before.
    fn find_leading(&mut self, objects: &Objects<Host>, event: usize) {
        let pt = &objects.pt_gev;
        self.order.clear();
        self.order.extend((objects.offsets[event]..objects.offsets[event + 1]).filter(|at| pt[*at as usize] > 0.0));
        self.order.sort_unstable_by(|a, b| pt[*b as usize].total_cmp(&pt[*a as usize]).then(a.cmp(b)));
    }

    /// All entries, and how many are not in [0, 1).
    fn make(&self, entries: &[Entry], missing: Missing, scale: f64, values: &mut [f32], present: &mut [u32]) -> u32 {
        let mut outside = 0;
        for (at, (entry, value)) in entries.iter().zip(values).enumerate() {
            let Some(found) = self.value_of(*entry, missing, scale) else { continue };
            *value = found as f32;
            present[at / 32] |= 1 << (at % 32);
            outside += u32::from(!(0.0..1.0).contains(value));
        }
        outside
    }

    /// An entry whose objects are there.
    fn value_of(&self, entry: Entry, missing: Missing, scale: f64) -> Option<f64> {
        let of_row = || self.objects[entry.row as usize - 1];
        let of_column = || self.objects[entry.column as usize - 1];
        Some(match entry.kind {
            Kind::Missing => missing.energy * scale,
            Kind::WithMissing => transverse_mass_of(missing, of_column()?) * scale,
            Kind::Rapidity => rapidity_of(of_row()?),
            Kind::Leading => of_row()?.transverse_energy * scale,
            // Where there is an object, there is one before it.
            Kind::Imbalance => {
                let before = self.objects[entry.row as usize - 2]?;
                imbalance_of(before.transverse_energy, of_row()?.transverse_energy)
            }
            Kind::Mass => mass_of(of_row()?, of_column()?) * scale,
            Kind::Difference => difference_of(of_row()?, of_column()?),
        })
    }
}
