//! From the pages of row groups to batches of events: checks what files get wrong.
//!
//! A batch is decoded in segments of a few thousand rows, column after column, so that the levels of a segment stay in the
//! cache. The lists of a collection's first quantity give the offsets; those of the others are compared with them.

use std::fs::File;
use std::sync::Arc;

use parquet::errors::ParquetError;

use super::binding::{Binding, CollectionSites, ScalarSite, Site};
use super::leaf::{LeafReader, Levels};
use super::lists::{Lists, append_offsets};
use super::{FilePart, Ids, NAME, RowGroup, Task};
use crate::device::Host;
use crate::error::{Error, Fault};
use crate::events::derived::{Derived, event_hash, fold_hash};
use crate::events::luminosity::LuminosityMask;
use crate::events::{Collection, EventBatch, EventColumns, EventIds};

/// Rows that are decoded at a time: 8,192 to 65,536 rows took the same time within 3 % on a million events a row group.
const SEGMENT: usize = 16_384;

/// Why a batch cannot be delivered.
pub(super) enum Trouble {
    /// The decoder's words.
    Damaged(String),
    /// Ours.
    Fault(Box<Error>),
}

/// What the decoder says of a column.
fn damaged(site: &Site) -> impl FnOnce(ParquetError) -> Trouble + '_ {
    move |error| Trouble::Damaged(format!("column '{site}': {error}"))
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Fault(Box::new(error))
    }
}

/// Decodes the row groups of one task, batch after batch.
pub(super) struct Decoder<'a> {
    part: &'a FilePart,
    mask: Option<&'a LuminosityMask>,
    file: Arc<File>,
    task: &'a Task,
    /// The row group to open next.
    next_group: usize,
    group: Option<Group>,
    scratch: Scratch,
}

/// An open row group.
struct Group {
    collections: Vec<CollectionReaders>,
    scalars: Vec<Option<LeafReader>>,
    run: Option<LeafReader>,
    luminosity_block: Option<LeafReader>,
    event: Option<LeafReader>,
    rows_left: u64,
}

struct CollectionReaders {
    quantities: Vec<LeafReader>,
    counter: Option<LeafReader>,
}

/// Levels of a segment, kept to be filled again.
#[derive(Default)]
struct Scratch {
    first: Levels,
    other: Levels,
    counts: Vec<u32>,
}

/// A batch in the making.
struct Parts {
    collections: Vec<(Vec<u32>, Vec<Vec<f32>>)>,
    scalars: Vec<Vec<f32>>,
    run: Vec<u32>,
    luminosity_block: Vec<u32>,
    event: Vec<u64>,
}

impl Group {
    fn open(binding: &Binding, file: &Arc<File>, group: &RowGroup) -> Result<Self, Trouble> {
        let leaf = |site: &Site| {
            let chunk = &group.chunks[site.leaf.place];
            LeafReader::open(&site.leaf, chunk, file, group.rows).map_err(damaged(site))
        };
        let optional = |site: &Option<Site>| site.as_ref().map(leaf).transpose();
        let collection = |sites: &CollectionSites| {
            let quantities = sites.quantities.iter().map(leaf).collect::<Result<_, _>>()?;
            Ok::<_, Trouble>(CollectionReaders { quantities, counter: optional(&sites.counter)? })
        };
        let scalar = |site: &ScalarSite| match site {
            ScalarSite::Column(site) => leaf(site).map(Some),
            ScalarSite::Derived(_) => Ok(None),
        };
        Ok(Self {
            collections: binding.collections.iter().map(collection).collect::<Result<_, _>>()?,
            scalars: binding.scalars.iter().map(scalar).collect::<Result<_, _>>()?,
            run: optional(&binding.run)?,
            luminosity_block: optional(&binding.luminosity_block)?,
            event: optional(&binding.event)?,
            rows_left: group.rows,
        })
    }

    fn is_at_end(&mut self) -> Result<bool, ParquetError> {
        let collections =
            self.collections.iter_mut().flat_map(|readers| readers.quantities.iter_mut().chain(&mut readers.counter));
        let ids = [&mut self.run, &mut self.luminosity_block, &mut self.event].into_iter().flatten();
        for reader in collections.chain(self.scalars.iter_mut().flatten()).chain(ids) {
            if !reader.is_at_end()? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl<'a> Decoder<'a> {
    /// Stands before the first row of `task`.
    pub fn new(part: &'a FilePart, mask: Option<&'a LuminosityMask>, file: File, task: &'a Task) -> Self {
        let (file, next_group) = (Arc::new(file), task.row_groups.start);
        Self { part, mask, file, task, next_group, group: None, scratch: Scratch::default() }
    }

    /// The next `rows` events, the first of which is `first_row` of the file.
    ///
    /// # Errors
    /// The first null, disagreement of lengths or id out of range, with its column and row; what the decoder says.
    pub fn batch(&mut self, first_row: u64, rows: usize) -> Result<EventBatch, Trouble> {
        let mut parts = self.room(rows);
        let mut done = 0;
        while done < rows {
            let mut group = match self.group.take() {
                Some(group) => group,
                None => self.open_next()?,
            };
            let left = usize::try_from(group.rows_left).unwrap_or(usize::MAX);
            let rows = left.min(rows - done).min(SEGMENT);
            let binding = &self.part.binding;
            let mut segment = Segment {
                part: self.part,
                binding,
                first_row: first_row + done as u64,
                rows,
                scratch: &mut self.scratch,
            };
            segment.read(&mut group, &mut parts)?;
            done += rows;
            group.rows_left -= rows as u64;
            if group.rows_left > 0 {
                self.group = Some(group);
            } else if !group.is_at_end().map_err(|error| Trouble::Damaged(error.to_string()))? {
                return Err(Trouble::Damaged("the footer promises fewer rows".into()));
            }
        }
        Ok(self.finish(parts, first_row, rows))
    }

    fn open_next(&mut self) -> Result<Group, Trouble> {
        // A task has as many rows as its row groups together, none of which is empty.
        let found =
            self.part.row_groups[self.next_group..self.task.row_groups.end].iter().position(|group| group.rows > 0);
        let Some(ahead) = found else { return Err(Trouble::Damaged("the footer promises more rows".into())) };
        let group = Group::open(&self.part.binding, &self.file, &self.part.row_groups[self.next_group + ahead])?;
        self.next_group += ahead + 1;
        Ok(group)
    }

    /// Room for a batch, as far as the footer's promises are plausible.
    fn room(&self, rows: usize) -> Parts {
        const MOST: u64 = 1 << 22;
        let groups = &self.part.row_groups[self.task.row_groups.clone()];
        let of_rows = || Vec::with_capacity(rows.min(MOST as usize));
        let of_values = |site: &Site| {
            let values: u64 =
                groups.iter().map(|group| group.chunks[site.leaf.place].values()).fold(0, u64::saturating_add);
            let mean = values / self.task.rows.max(1) + 1;
            Vec::with_capacity(mean.saturating_mul(rows as u64).min(MOST) as usize)
        };
        let collection = |sites: &CollectionSites| {
            let mut offsets = Vec::with_capacity(rows.min(MOST as usize) + 1);
            offsets.push(0);
            (offsets, sites.quantities.iter().map(of_values).collect())
        };
        let binding = &self.part.binding;
        Parts {
            collections: binding.collections.iter().map(collection).collect(),
            scalars: binding.scalars.iter().map(|_| of_rows()).collect(),
            run: Vec::new(),
            luminosity_block: Vec::new(),
            event: Vec::new(),
        }
    }

    fn finish(&self, mut parts: Parts, first_row: u64, events: usize) -> EventBatch {
        let binding = &self.part.binding;
        for (site, values) in binding.scalars.iter().zip(&mut parts.scalars) {
            if let ScalarSite::Derived(derived) = site {
                *values = self.derived(*derived, &parts.run, &parts.luminosity_block, &parts.event, events);
            }
        }
        let collections = parts.collections.into_iter().map(|(offsets, quantities)| Collection::<Host> {
            offsets: offsets.into(),
            quantities: quantities.into_iter().map(Into::into).collect(),
        });
        let scalars = parts.scalars.into_iter().map(Into::into).collect();
        let columns = EventColumns { events, collections: collections.collect(), scalars };
        let ids = match binding.ids {
            Ids::Skipped => EventIds::default(),
            Ids::IfPresent => EventIds {
                run: binding.run.as_ref().map(|_| parts.run),
                luminosity_block: binding.luminosity_block.as_ref().map(|_| parts.luminosity_block),
                event: binding.event.as_ref().map(|_| parts.event),
            },
        };
        EventBatch { columns, ids, file: self.task.file, first_row }
    }

    fn derived(&self, derived: Derived, run: &[u32], block: &[u32], event: &[u64], events: usize) -> Vec<f32> {
        match (derived, self.mask) {
            (Derived::EventHash | Derived::FoldHash, _) => {
                let hash = if derived == Derived::FoldHash { fold_hash } else { event_hash };
                let runs = run.iter().copied().chain(std::iter::repeat(0));
                event.iter().zip(runs).map(|(&event, run)| hash(run, event)).collect()
            }
            (Derived::InLuminosityMask, None) => vec![1.0; events],
            (Derived::InLuminosityMask, Some(mask)) => {
                let names = run.iter().zip(block);
                names.map(|(&run, &block)| f32::from(u8::from(mask.contains(run, block)))).collect()
            }
        }
    }
}

/// The next rows of an open row group.
struct Segment<'a> {
    part: &'a FilePart,
    binding: &'a Binding,
    first_row: u64,
    rows: usize,
    scratch: &'a mut Scratch,
}

impl Segment<'_> {
    fn read(&mut self, group: &mut Group, parts: &mut Parts) -> Result<(), Trouble> {
        let binding = self.binding;
        let collections = binding.collections.iter().zip(&mut group.collections).zip(&mut parts.collections);
        for ((sites, readers), (offsets, quantities)) in collections {
            self.collection(sites, readers, offsets, quantities)?;
        }
        for ((site, reader), values) in binding.scalars.iter().zip(&mut group.scalars).zip(&mut parts.scalars) {
            if let (ScalarSite::Column(site), Some(reader)) = (site, reader) {
                let before = values.len();
                let inexact = reader.read_f32(self.rows, &mut self.scratch.first, values).map_err(damaged(site))?;
                self.no_null(site)?;
                self.exact(site, inexact.map(|row| (row, values[before + row])))?;
            }
        }
        self.integers(&binding.run, &mut group.run, &mut parts.run)?;
        self.integers(&binding.luminosity_block, &mut group.luminosity_block, &mut parts.luminosity_block)?;
        self.integers(&binding.event, &mut group.event, &mut parts.event)
    }

    fn fault(&self, column: &dyn std::fmt::Display, row: usize, what: &str) -> Fault {
        let row = self.first_row + row as u64;
        Fault::new(NAME, format!("column '{column}' of '{}' {what} in row {row}", self.part.path.display()))
    }

    fn null(&self, column: &dyn std::fmt::Display, row: usize, place: &str) -> Trouble {
        let fault = self.fault(column, row, &format!("is null{place}"));
        fault.because("a missing number has no place in a cut or a sum").data().into()
    }

    /// Run, luminosity block, event, counts.
    fn integers<T: TryFrom<i64> + TryFrom<u64>>(
        &mut self,
        site: &Option<Site>,
        reader: &mut Option<LeafReader>,
        out: &mut Vec<T>,
    ) -> Result<(), Trouble> {
        let (Some(site), Some(reader)) = (site, reader) else { return Ok(()) };
        let misfit = reader.read_integers(self.rows, &mut self.scratch.first, out).map_err(damaged(site))?;
        self.no_null(site)?;
        match misfit {
            None => Ok(()),
            Some(row) => {
                Err(self.fault(site, row, "is out of range").because("it counts or numbers events").data().into())
            }
        }
    }

    /// Looks through the levels of a column with one number for each event.
    fn no_null(&self, site: &Site) -> Result<(), Trouble> {
        let (full, levels) = (site.leaf.full_level(), &self.scratch.first.definition);
        // A sum over all, not a search: the compiler makes wide instructions of it.
        if !levels.iter().fold(false, |any, &level| any | (level != full)) {
            return Ok(());
        }
        let row = levels.iter().position(|&level| level != full).unwrap_or(0);
        let own = site.leaf.is_own_null(self.scratch.first.definition[row]);
        Err(if own { self.null(site, row, "") } else { self.null(&site.column, row, "") })
    }

    /// Refuses an integer that was rounded, by its row and what it became: comparisons with it would be wrong.
    fn exact(&self, site: &Site, inexact: Option<(usize, f32)>) -> Result<(), Trouble> {
        let Some((row, rounded)) = inexact else { return Ok(()) };
        let fault = self.fault(site, row, "holds an integer that float32 cannot hold");
        let taken = f64::from(rounded);
        let fault = fault.because(format!("it would be taken as {taken}, and comparisons with it would be wrong"));
        let how = "Leave it out of expressions (run, luminosityBlock and event of survivors keep all digits), or, if it \
                   measures something, map it with the factor of a unit";
        Err(fault.suggest(how).data().into())
    }

    /// The same of lists that end at `ends`, by the place among all values of the batch.
    fn exact_in_lists(&self, site: &Site, inexact: Option<usize>, values: &[f32], ends: &[u32]) -> Result<(), Trouble> {
        // The first of the ends is where the first list begins.
        let row = |place: usize| ends.partition_point(|&end| end as usize <= place).saturating_sub(1);
        self.exact(site, inexact.map(|place| (row(place), values[place])))
    }

    fn collection(
        &mut self,
        sites: &CollectionSites,
        readers: &mut CollectionReaders,
        offsets: &mut Vec<u32>,
        quantities: &mut [Vec<f32>],
    ) -> Result<(), Trouble> {
        let start = offsets.len() - 1;
        let mut columns = sites.quantities.iter().zip(&mut readers.quantities).zip(quantities);
        // The binding refuses a collection without quantities.
        let Some(((first, reader), values)) = columns.next() else { return Ok(()) };
        let before = values.len();
        let inexact = reader.read_f32(self.rows, &mut self.scratch.first, values).map_err(damaged(first))?;
        self.offsets(first, &self.scratch.first, offsets)?;
        self.exact_in_lists(first, inexact.map(|place| before + place), values, &offsets[start..])?;
        for ((site, reader), values) in columns {
            let before = values.len();
            let inexact = reader.read_f32(self.rows, &mut self.scratch.other, values).map_err(damaged(site))?;
            let same_levels = (site.leaf.full_level(), site.leaf.element_level())
                == (first.leaf.full_level(), first.leaf.element_level());
            // Equal levels say the same where they mean the same, and the first are in order.
            if !(same_levels && self.scratch.other == self.scratch.first) {
                self.compare(site, first, &offsets[start..])?;
            }
            self.exact_in_lists(site, inexact.map(|place| before + place), values, &offsets[start..])?;
        }
        if let (Some(site), Some(_)) = (&sites.counter, &readers.counter) {
            self.check_counter(site, &mut readers.counter, first, &offsets[start..])?;
        }
        Ok(())
    }

    /// Appends the ends of the lists of `site`, whose levels these are.
    fn offsets(&self, site: &Site, levels: &Levels, offsets: &mut Vec<u32>) -> Result<(), Trouble> {
        match append_offsets(&site.leaf, levels, self.rows, offsets) {
            Lists::Whole => Ok(()),
            Lists::NullList { row } => Err(self.null(&site.column, row, "")),
            Lists::NullElement { row, within, level } => {
                let place = format!(" at position {within} of the list");
                let own = site.field.is_none() || site.leaf.is_own_null(level);
                Err(if own { self.null(site, row, &place) } else { self.null(&site.column, row, &place) })
            }
            Lists::TooMany => {
                let problem = format!("column '{site}' of '{}' has too many values", self.part.path.display());
                let why = format!("a batch that holds row {} has 2^32 or more", self.first_row);
                Err(Fault::new(NAME, problem).because(why).suggest("Read fewer events at a time").data().into())
            }
            Lists::Broken => Err(Trouble::Damaged(format!("the lists of '{site}' begin in the middle"))),
        }
    }

    /// Compares the lists of `site` with those of `first`, which end at `expected`.
    fn compare(&self, site: &Site, first: &Site, expected: &[u32]) -> Result<(), Trouble> {
        let mut found = vec![expected[0]];
        self.offsets(site, &self.scratch.other, &mut found)?;
        let Some(row) = (0..self.rows).find(|&row| found[row + 1] != expected[row + 1]) else { return Ok(()) };
        let length = |ends: &[u32]| ends[row + 1] - ends[row];
        let what = format!("has {} values, but '{first}' has {}", length(&found), length(expected));
        Err(self.fault(site, row, &what).because("they describe the same objects").data().into())
    }

    fn check_counter(
        &mut self,
        counter: &Site,
        reader: &mut Option<LeafReader>,
        first: &Site,
        ends: &[u32],
    ) -> Result<(), Trouble> {
        let mut counts = std::mem::take(&mut self.scratch.counts);
        counts.clear();
        self.integers(&Some(counter.clone()), reader, &mut counts)?;
        let wrong = ends.windows(2).zip(&counts).position(|(ends, &count)| ends[1] - ends[0] != count);
        if let Some(row) = wrong {
            let what = format!("has {} values, but '{counter}' says {}", ends[row + 1] - ends[row], counts[row]);
            let fault = self.fault(first, row, &what).because("the counter and the lists contradict each other");
            return Err(fault.data().into());
        }
        self.scratch.counts = counts;
        Ok(())
    }
}
