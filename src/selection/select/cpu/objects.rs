//! The objects of a block: which items each event has kept.

use std::cmp::Ordering;
use std::ops::Range;

use super::lanes::Lanes;
use crate::selection::select::math::Columns;
use crate::selection::select::program::{NONE, ObjectPlan, Program};

/// The kept items of one object: event i of the block has `counts[i]` of them, at the positions from `starts[i]` on.
#[derive(Default)]
pub(super) struct Found {
    pub counts: Vec<u32>,
    starts: Vec<u32>,
    order: Order,
    /// Items by their position in the columns of their source, plus the length of the columns of the sources before.
    references: Vec<u32>,
    /// Where the references of each source begin.
    bases: Vec<u32>,
    /// While the object is built: what each source gave.
    parts: Vec<Part>,
    /// While a source is added: how many items were kept before each lane.
    kept_before: Vec<u32>,
    /// The keys and references of one event.
    sorted: Vec<(f64, u32)>,
}

/// What a position in an object stands for.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// The item at that position of the columns of the only source: everything was kept, as it came.
    #[default]
    OfFile,
    /// The reference at that position.
    Listed,
}

/// The items of one source that were kept: how many of each event, which, and their keys, if there are any.
#[derive(Default)]
struct Part {
    counts: Vec<u32>,
    kept: Vec<u32>,
    keys: Vec<f64>,
}

/// Where the values of a quantity are.
pub(super) enum Lookup<'a> {
    /// The same for every item.
    Constant(f64),
    /// By the reference of the item.
    Column(&'a [f32]),
    /// It depends on the source of the item.
    BySource,
}

impl Found {
    /// Begins to build.
    pub fn begin(&mut self, program: &Program, columns: &Columns<'_>, plan: &ObjectPlan) {
        self.bases.clear();
        let mut base = 0;
        for source in 0..plan.sources {
            self.bases.push(base);
            let offsets = columns.offsets[program.sources[(plan.first_source + source) as usize] as usize];
            base += offsets.last().copied().unwrap_or(0);
        }
        self.counts.clear();
        self.starts.clear();
        self.parts.resize_with(plan.sources as usize, Part::default);
    }

    /// Takes all items of the only source, for the `active` events of a batch: the whole building of such an object.
    pub fn take_all(&mut self, offsets: &[u32], active: &[u32], leading: u32) {
        self.order = Order::OfFile;
        self.starts.extend(active.iter().map(|event| offsets[*event as usize]));
        let count = |event: &u32| (offsets[*event as usize + 1] - offsets[*event as usize]).min(leading);
        self.counts.extend(active.iter().map(count));
    }

    /// Adds the items of one source: those for which `keep` is not 0 (without it, all), with their `keys`.
    pub fn add(&mut self, source: u32, lanes: &Lanes, keep: Option<&[f64]>, keys: Option<&[f64]>) {
        let base = self.bases[source as usize];
        let Part { counts, kept, keys: kept_keys } = &mut self.parts[source as usize];
        counts.clear();
        kept.clear();
        kept_keys.clear();
        let Some(keep) = keep else {
            counts.extend_from_slice(lanes.counts());
            lanes.items(0).append_to(kept, base);
            kept_keys.extend_from_slice(keys.unwrap_or_default());
            return;
        };
        // Everything is put where the next that is kept belongs, without a branch that would be guessed wrongly.
        lanes.items(0).append_to(kept, base);
        self.kept_before.clear();
        let mut number = 0;
        for (lane, keep) in keep.iter().enumerate() {
            self.kept_before.push(number as u32);
            kept[number] = kept[lane];
            number += usize::from(*keep != 0.0);
        }
        self.kept_before.push(number as u32);
        kept.truncate(number);
        let mut lane = 0;
        counts.extend(lanes.counts().iter().map(|count| {
            let first = lane;
            lane += *count as usize;
            self.kept_before[lane] - self.kept_before[first]
        }));
        if let Some(keys) = keys {
            kept_keys.extend(keys.iter().zip(keep).filter(|(_, keep)| **keep != 0.0).map(|(key, _)| *key));
        }
    }

    /// Orders what was kept by the keys and drops what is beyond `leading`.
    pub fn finish(&mut self, leading: u32) {
        self.order = Order::Listed;
        let mut parts = std::mem::take(&mut self.parts);
        if parts.len() > 1 {
            parts[0] = joined(&parts);
        }
        let Some(part) = parts.first_mut() else { return };
        std::mem::swap(&mut self.references, &mut part.kept);
        let mut start = 0;
        for count in &part.counts {
            let range = start..start + *count as usize;
            if !part.keys.is_empty() {
                self.sort(range.clone(), &part.keys[range.clone()]);
            }
            self.starts.push(start as u32);
            self.counts.push((*count).min(leading));
            start = range.end;
        }
        self.parts = parts;
    }

    /// Brings the references of an event into the order of their keys; mostly they are.
    fn sort(&mut self, range: Range<usize>, keys: &[f64]) {
        if keys.is_sorted_by(|first, second| first <= second) {
            return;
        }
        let references = &mut self.references[range];
        self.sorted.clear();
        self.sorted.extend(keys.iter().copied().zip(references.iter().copied()));
        // Stable, so that equal keys keep the order in which they were found.
        self.sorted.sort_by(|first, second| by_key(first.0, second.0));
        references.iter_mut().zip(&self.sorted).for_each(|(reference, sorted)| *reference = sorted.1);
    }

    /// Where the values of a quantity are.
    pub fn lookup<'a>(
        &self,
        program: &Program,
        columns: &'a Columns<'_>,
        plan: &ObjectPlan,
        quantity: u32,
    ) -> Lookup<'a> {
        if plan.sources != 1 {
            return Lookup::BySource;
        }
        let from = program.quantities[(plan.first_quantity + quantity) as usize];
        match from.column {
            NONE => Lookup::Constant(f64::from(from.constant)),
            column => Lookup::Column(columns.quantities[column as usize]),
        }
    }

    /// Keeps the events of the lanes that stay, which ascend, of `lanes`.
    pub fn retain(&mut self, staying: &[u32], lanes: usize) {
        super::block::retain(&mut self.counts, staying, lanes);
        super::block::retain(&mut self.starts, staying, lanes);
    }

    /// The items of an event of the block.
    pub fn of_event(&self, event: usize) -> impl Iterator<Item = u32> + '_ {
        let start = self.starts[event];
        (start..start + self.counts[event]).map(|position| self.reference_at(position))
    }

    /// The item of an event at a place.
    pub fn reference(&self, event: usize, place: u32) -> Option<u32> {
        (place < self.counts[event]).then(|| self.reference_at(self.starts[event] + place))
    }

    /// Appends what `value` makes of the item of each event at a place; NaN where there is none.
    pub fn at_place(&self, place: u32, value: impl Fn(u32) -> f64, values: &mut Vec<f64>) {
        let of_event = self.starts.iter().zip(&self.counts);
        let there = |count: &u32| place < *count;
        match self.order {
            Order::OfFile => values
                .extend(of_event.map(|(start, count)| if there(count) { value(*start + place) } else { f64::NAN })),
            Order::Listed => values.extend(of_event.map(|(start, count)| {
                if there(count) { value(self.references[(*start + place) as usize]) } else { f64::NAN }
            })),
        }
    }

    #[inline]
    fn reference_at(&self, position: u32) -> u32 {
        match self.order {
            Order::OfFile => position,
            Order::Listed => self.references[position as usize],
        }
    }

    /// Appends the items of all events, one event after the other.
    pub fn append_to(&self, items: &mut Vec<u32>) {
        let total: usize = self.counts.iter().map(|count| *count as usize).sum();
        items.reserve(total);
        let ranges = self.starts.iter().zip(&self.counts).map(|(start, count)| *start..*start + *count);
        match self.order {
            Order::OfFile => ranges.for_each(|range| items.extend(range)),
            // No event has left and nothing was dropped.
            Order::Listed if total == self.references.len() => items.extend_from_slice(&self.references),
            Order::Listed => {
                let listed = |range: Range<u32>| &self.references[range.start as usize..range.end as usize];
                ranges.for_each(|range| items.extend_from_slice(listed(range)));
            }
        }
    }

    /// A quantity of a kept item.
    pub fn quantity(
        &self,
        program: &Program,
        columns: &Columns<'_>,
        plan: &ObjectPlan,
        quantity: u32,
        reference: u32,
    ) -> f64 {
        // Few sources, and nearly always one: the last whose references begin at or below this one.
        let source = self.bases.iter().rposition(|base| *base <= reference).unwrap_or(0);
        let from = program.quantities[(plan.first_quantity + quantity * plan.sources) as usize + source];
        if from.column == NONE {
            return f64::from(from.constant);
        }
        f64::from(columns.quantities[from.column as usize][(reference - self.bases[source]) as usize])
    }
}

/// The items of several sources, event by event, source after source.
fn joined(parts: &[Part]) -> Part {
    let events = parts.first().map_or(0, |part| part.counts.len());
    let mut all = Part { counts: Vec::with_capacity(events), ..Part::default() };
    let mut next = vec![0; parts.len()];
    for event in 0..events {
        let before = all.kept.len();
        for (part, next) in parts.iter().zip(&mut next) {
            let range = *next..*next + part.counts[event] as usize;
            all.kept.extend_from_slice(&part.kept[range.clone()]);
            if !part.keys.is_empty() {
                all.keys.extend_from_slice(&part.keys[range.clone()]);
            }
            *next = range.end;
        }
        all.counts.push((all.kept.len() - before) as u32);
    }
    all
}

/// Ascending; NaN, which is a fault of its event in any case, after all numbers.
fn by_key(first: f64, second: f64) -> Ordering {
    first.partial_cmp(&second).unwrap_or_else(|| first.is_nan().cmp(&second.is_nan()))
}
