//! The objects of a block: which items each event has kept, and the lanes of loops over them.

use std::cell::OnceCell;
use std::cmp::Ordering;
use std::ops::Range;

use crate::selection::select::math::Columns;
use crate::selection::select::program::{NONE, ObjectPlan, Program};

/// The kept items of one object: event i of the block has `counts[i]` of them from `starts[i]` on.
#[derive(Default)]
pub(super) struct Found {
    pub counts: Vec<u32>,
    starts: Vec<u32>,
    /// Items by their position in the columns of their source, plus the length of the columns of the sources before.
    references: Vec<u32>,
    /// Where the references of each source begin.
    bases: Vec<u32>,
    /// While the object is built: what each source gave.
    parts: Vec<Part>,
    /// The keys and references of one event.
    sorted: Vec<(f64, u32)>,
}

/// The items of one source that were kept: how many of each event, which, and their keys, if there are any.
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
    /// Begins to build for so many events.
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
        self.references.clear();
        self.parts.clear();
    }

    /// Adds the items of one source: those for which `keep` is not 0 (without it, all), in the order of `keys`.
    pub fn add(&mut self, lanes: &Lanes, keep: Option<&[f64]>, keys: Option<&[f64]>) {
        let Items::OfSource { source, items } = &lanes.items[0] else { return };
        let base = self.bases[*source as usize];
        let item = |lane: usize| match items {
            These::All(range) => base + (range.start + lane) as u32,
            These::Listed(list) => base + list[lane],
        };
        let Some(keep) = keep else {
            let kept = (0..lanes.len()).map(item).collect();
            let keys = keys.map_or_else(Vec::new, <[f64]>::to_vec);
            self.parts.push(Part { counts: lanes.events.clone(), kept, keys });
            return;
        };
        let kept: Vec<usize> = (0..lanes.len()).filter(|lane| keep[*lane] != 0.0).collect();
        let mut lane = 0;
        let counts = lanes.counts().map(|count| {
            let end = lane + count as usize;
            let of_event = keep[lane..end].iter().filter(|keep| **keep != 0.0).count();
            lane = end;
            of_event as u32
        });
        let part = Part {
            counts: counts.collect(),
            kept: kept.iter().map(|lane| item(*lane)).collect(),
            keys: keys.map_or_else(Vec::new, |keys| kept.iter().map(|lane| keys[*lane]).collect()),
        };
        self.parts.push(part);
    }

    /// Orders what was kept by the keys and drops what is beyond `leading`.
    pub fn finish(&mut self, leading: u32) {
        let mut parts = std::mem::take(&mut self.parts);
        let part = if parts.len() == 1 { parts.remove(0) } else { joined(&parts) };
        self.references = part.kept;
        let mut start = 0;
        for count in part.counts {
            let range = start..start + count as usize;
            if !part.keys.is_empty() {
                self.sort(range.clone(), &part.keys[range]);
            }
            self.starts.push(start as u32);
            self.counts.push(count.min(leading));
            start += count as usize;
        }
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

    /// Keeps the events that stay.
    pub fn retain(&mut self, stays: &[bool]) {
        if self.counts.len() != stays.len() {
            return;
        }
        let mut kept = 0;
        for (event, stays) in stays.iter().enumerate() {
            (self.counts[kept], self.starts[kept]) = (self.counts[event], self.starts[event]);
            kept += usize::from(*stays);
        }
        self.counts.truncate(kept);
        self.starts.truncate(kept);
    }

    /// The items of an event of the block.
    pub fn of_event(&self, event: usize) -> &[u32] {
        let start = self.starts[event] as usize;
        &self.references[start..start + self.counts[event] as usize]
    }

    /// The item of an event at a place.
    pub fn reference(&self, event: usize, place: u32) -> Option<u32> {
        (place < self.counts[event]).then(|| self.references[(self.starts[event] + place) as usize])
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

/// Items of the columns of a source.
pub(super) enum These {
    /// Consecutive ones: those of a block that no event has left.
    All(Range<usize>),
    Listed(Vec<u32>),
}

/// What the lanes of a loop are.
pub(super) enum Items {
    /// Items as they are in the file.
    OfSource { source: u32, items: These },
    /// Kept items, by reference.
    Kept(Vec<u32>),
}

/// Pairs are quadratic in the items of an event: a loop over all of an event with 5,000 would take a gigabyte.
const PAIRS_A_LOOP: usize = 1 << 16;

/// The pair that the next loop begins with: the item `first` of the first object of an event, and all that go with it.
#[derive(Default)]
pub(super) struct NextPair {
    event: usize,
    first: usize,
}

/// The lanes of a loop: for each event of the block, its items or pairs, one after the other.
pub(super) struct Lanes {
    length: usize,
    owners: OnceCell<Vec<u32>>,
    /// How many lanes each event has; empty for pairs.
    events: Vec<u32>,
    /// The items; of a pair, the firsts and the seconds.
    pub items: Vec<Items>,
    /// Their places in their objects; empty while an object is built.
    pub places: Vec<Vec<u32>>,
}

impl Lanes {
    /// Every item of a source of an object, for the `active` events of a batch.
    pub fn of_source(program: &Program, columns: &Columns<'_>, plan: &ObjectPlan, source: u32, active: &[u32]) -> Self {
        let offsets = columns.offsets[program.sources[(plan.first_source + source) as usize] as usize];
        let items_of = |event: &u32| offsets[*event as usize]..offsets[*event as usize + 1];
        let events: Vec<u32> = active.iter().map(|event| items_of(event).len() as u32).collect();
        let first = active.first().map_or(0, |event| items_of(event).start as usize);
        let last = active.last().map_or(0, |event| items_of(event).end as usize);
        let length = events.iter().map(|count| *count as usize).sum();
        // Events are ascending and so are their items: as many as lie between the ends are all that lie there.
        let items = if length == last - first {
            These::All(first..last)
        } else {
            These::Listed(active.iter().flat_map(items_of).collect())
        };
        let items = vec![Items::OfSource { source, items }];
        Self { length, owners: OnceCell::new(), events, items, places: Vec::new() }
    }

    /// Every kept item of an object.
    pub fn of_object(found: &Found) -> Self {
        let events = found.counts.clone();
        let references: Vec<u32> = (0..events.len()).flat_map(|event| found.of_event(event).iter().copied()).collect();
        let places = events.iter().flat_map(|count| 0..*count).collect();
        let (length, owners) = (references.len(), OnceCell::new());
        Self { length, owners, events, items: vec![Items::Kept(references)], places: vec![places] }
    }

    /// The pairs of kept items from `next` on, as many as one loop takes; of one object with itself, each pair once. None:
    /// there are no more.
    pub fn of_pairs(first: &Found, second: &Found, same: bool, next: &mut NextPair) -> Self {
        let mut owners = Vec::new();
        let (mut firsts, mut seconds) = (Vec::new(), Vec::new());
        let (mut first_places, mut second_places) = (Vec::new(), Vec::new());
        while next.event < first.counts.len() && firsts.len() < PAIRS_A_LOOP {
            let (ours, theirs) = (first.of_event(next.event), second.of_event(next.event));
            if next.first == ours.len() {
                *next = NextPair { event: next.event + 1, first: 0 };
                continue;
            }
            let start = if same { next.first + 1 } else { 0 };
            for (place, item) in theirs.iter().enumerate().skip(start) {
                firsts.push(ours[next.first]);
                seconds.push(*item);
                first_places.push(next.first as u32);
                second_places.push(place as u32);
                owners.push(next.event as u32);
            }
            next.first += 1;
        }
        let (length, items) = (owners.len(), vec![Items::Kept(firsts), Items::Kept(seconds)]);
        let places = vec![first_places, second_places];
        Self { length, owners: OnceCell::from(owners), events: Vec::new(), items, places }
    }

    pub fn len(&self) -> usize {
        self.length
    }

    /// The event of the block that each lane belongs to.
    pub fn owners(&self) -> &[u32] {
        self.owners.get_or_init(|| owners(&self.events))
    }

    /// How many lanes each event has.
    pub fn counts(&self) -> impl Iterator<Item = u32> {
        self.events.iter().copied()
    }
}

/// The items of several sources, event by event, source after source.
fn joined(parts: &[Part]) -> Part {
    let events = parts.first().map_or(0, |part| part.counts.len());
    let mut all = Part { counts: Vec::with_capacity(events), kept: Vec::new(), keys: Vec::new() };
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

fn owners(events: &[u32]) -> Vec<u32> {
    let mut owners = Vec::with_capacity(events.iter().sum::<u32>() as usize);
    for (event, count) in events.iter().zip(0..).map(|(count, event)| (event, *count)) {
        owners.resize(owners.len() + count as usize, event);
    }
    owners
}
