//! The lanes of a loop over the items of a block's events, or over their pairs.

use std::cell::{Cell, OnceCell};
use std::ops::Range;

use super::objects::Found;
use crate::selection::select::math::Columns;
use crate::selection::select::program::{ObjectPlan, Program};

/// Pairs are quadratic in the items of an event: a loop over all of an event with 5,000 would take a gigabyte.
const PAIRS_A_LOOP: usize = 1 << 16;

/// The pair that the next loop begins with: the item `first` of the first object of an event, and all that go with it.
#[derive(Default)]
pub(super) struct NextPair {
    event: usize,
    first: u32,
}

/// The items of the lanes.
#[derive(Clone, Copy)]
pub(super) enum Items<'a> {
    /// Consecutive ones of a source, by their positions in its columns: those of a block that no event has left.
    Consecutive(u32, u32),
    /// Others of a source, by their positions in its columns, or kept items of an object, by their references.
    Listed(&'a [u32]),
}

impl Items<'_> {
    /// Appends them, counted from `base`.
    pub fn append_to(self, all: &mut Vec<u32>, base: u32) {
        match self {
            Self::Consecutive(first, end) => all.extend(base + first..base + end),
            Self::Listed(items) => all.extend(items.iter().map(|item| base + item)),
        }
    }
}

/// For each event of the block, its items or pairs, one after the other. Used again for the next loop.
#[derive(Default)]
pub(super) struct Lanes {
    length: usize,
    /// The source whose items these are, while an object is built.
    source: Option<u32>,
    /// How many lanes each event has; empty for pairs.
    counts: Vec<u32>,
    consecutive: Option<Range<u32>>,
    /// The items, unless they are consecutive; of a pair, the firsts and the seconds.
    listed: [Vec<u32>; 2],
    owners: Lazy,
    places: [Lazy; 2],
}

/// A list that is made when it is asked for, in the memory of the one before.
#[derive(Default)]
struct Lazy {
    made: OnceCell<Vec<u32>>,
    spare: Cell<Vec<u32>>,
}

impl Lazy {
    fn forget(&mut self) {
        if let Some(made) = self.made.take() {
            self.spare.set(made);
        }
    }

    fn get_or(&self, fill: impl FnOnce(&mut Vec<u32>)) -> &[u32] {
        self.made.get_or_init(|| {
            let mut list = self.spare.take();
            list.clear();
            fill(&mut list);
            list
        })
    }
}

impl Lanes {
    fn begin(&mut self, source: Option<u32>) {
        self.source = source;
        self.consecutive = None;
        self.counts.clear();
        self.listed.iter_mut().for_each(Vec::clear);
        self.owners.forget();
        self.places.iter_mut().for_each(Lazy::forget);
    }

    /// Every item of a source of an object, for the `active` events of a batch.
    pub fn of_source(
        &mut self,
        program: &Program,
        columns: &Columns<'_>,
        plan: &ObjectPlan,
        source: u32,
        active: &[u32],
    ) {
        self.begin(Some(source));
        let offsets = columns.offsets[program.sources[(plan.first_source + source) as usize] as usize];
        let items_of = |event: &u32| offsets[*event as usize]..offsets[*event as usize + 1];
        self.counts.extend(active.iter().map(|event| items_of(event).len() as u32));
        self.length = self.counts.iter().map(|count| *count as usize).sum();
        let first = active.first().map_or(0, |event| items_of(event).start);
        let last = active.last().map_or(0, |event| items_of(event).end);
        // Events are ascending and so are their items: as many as lie between the ends are all that lie there.
        if self.length == (last - first) as usize {
            self.consecutive = Some(first..last);
        } else {
            let items = &mut self.listed[0];
            items.reserve(self.length);
            active.iter().for_each(|event| items.extend(items_of(event)));
        }
    }

    /// Every kept item of an object.
    pub fn of_object(&mut self, found: &Found) {
        self.begin(None);
        self.counts.extend_from_slice(&found.counts);
        found.append_to(&mut self.listed[0]);
        self.length = self.listed[0].len();
    }

    /// The pairs of kept items from `next` on, as many as one loop takes; of one object with itself, each pair once. None:
    /// there are no more.
    pub fn of_pairs(&mut self, first: &Found, second: &Found, same: bool, next: &mut NextPair) {
        self.begin(None);
        let (mut owners, [mut first_places, mut second_places]) =
            (self.owners.spare.take(), self.places.each_mut().map(|places| places.spare.take()));
        [&mut owners, &mut first_places, &mut second_places].into_iter().for_each(Vec::clear);
        let [firsts, seconds] = &mut self.listed;
        while next.event < first.counts.len() && firsts.len() < PAIRS_A_LOOP {
            let Some(item) = first.reference(next.event, next.first) else {
                *next = NextPair { event: next.event + 1, first: 0 };
                continue;
            };
            let start = if same { next.first + 1 } else { 0 };
            for (place, other) in (0..).zip(second.of_event(next.event)).skip(start as usize) {
                firsts.push(item);
                seconds.push(other);
                first_places.push(next.first);
                second_places.push(place);
                owners.push(next.event as u32);
            }
            next.first += 1;
        }
        self.length = owners.len();
        self.owners.made = OnceCell::from(owners);
        self.places[0].made = OnceCell::from(first_places);
        self.places[1].made = OnceCell::from(second_places);
    }

    pub fn len(&self) -> usize {
        self.length
    }

    /// The source whose items these are, or none: they are kept items.
    pub fn source(&self) -> Option<u32> {
        self.source
    }

    /// The items; of a pair, the first (0) or the second (1).
    pub fn items(&self, which: u32) -> Items<'_> {
        match &self.consecutive {
            Some(range) => Items::Consecutive(range.start, range.end),
            None => Items::Listed(&self.listed[which as usize]),
        }
    }

    /// The event of the block that each lane belongs to.
    pub fn owners(&self) -> &[u32] {
        self.owners.get_or(|owners| {
            for (event, count) in (0..).zip(&self.counts) {
                owners.resize(owners.len() + *count as usize, event);
            }
        })
    }

    /// The places of the items in their object; of a pair, of the first (0) or the second (1).
    pub fn places(&self, which: u32) -> &[u32] {
        self.places[which as usize].get_or(|places| self.counts.iter().for_each(|count| places.extend(0..*count)))
    }

    /// How many lanes each event has.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }
}
