//! The event segment: select and fill, chunk by chunk, on one device.
//!
//! A chunk is uploaded once. The survivors' columns stay where they are and feed the fill; the cutflow and the spectrum
//! are accumulators that stay there too, until [`EventSegment::finish`] downloads them. Of a chunk, only the survivors'
//! rows come back, and only if the card keeps them. A batch that does not fit the device's memory is cut in two until its
//! parts do; there is room for two chunks at once.
//!
//! # A pipeline on CUDA
//!
//! Chunk k travels on the stream of uploads while the kernels of chunk k - 1 run on a second stream and the survivors of
//! chunk k - 2 come back on a third, all through page-locked memory:
//!
//! 1. [`EventSegment::push`] uploads chunk k, asks for its evaluation and for its 24 bytes of status;
//! 2. only then it waits for the status of chunk k - 1, while the device has chunk k to work on, and asks for the compaction,
//!    the fill and the survivors of chunk k - 1;
//! 3. it hands out the survivors of chunk k - 2.
//!
//! So survivors, and errors of the data, come one or two pushes later; [`EventSegment::finish`] gives the rest. The host
//! never waits for what it has just asked for. (It waits for the bus where chunks come faster than that carries them away:
//! 16 MiB may be on their way.)
//!
//! # Bytes over the bus
//!
//! For E events with O objects in all, of which S events survive:
//!
//! * in: `4 (E + 1)` for each collection's offsets of a chunk, `4 O` for each of its quantities, `4 E` for each scalar, and
//!   8 bytes a column and chunk for its address; the program and the edges once;
//! * out: 24 bytes a chunk, `4 S (3 + variables)` if survivors are kept (row, variables, weight, flags), and at the end the
//!   tallies and 16 bytes.
//!
//! # The floor on an H100
//!
//! From bytes counted on the emulated driver; no time was measured. PCIe 5 x16 carries 64 GB/s in each direction by its
//! name and about 55 GB/s in practice; the HBM3 of an SXM card moves 3.35 TB/s. `cards/dilepton.toml` on
//! `trawl generate dilepton` takes 54 bytes an event in (16 of them offsets, one for each collection) and 40 out: a fifth
//! of the events survive, each with 52 values. So the bus allows 55e9 / 54 = 1.0e9 events a second. The kernels read those
//! bytes once, write and read a reference and a key (12 bytes) of about three items of objects, and write, read and write
//! again what survivors have: about 250 bytes an event, for which the memory allows 3.35e12 / 250 = 1.3e10 events a second,
//! 13 times as many. On such a device a segment is bound by the bus, and before it by the cores that decode; copies and
//! kernels that took turns would add up.

use std::ops::Range;

use arrow_buffer::ScalarBuffer;

use super::pipeline::Pipeline;
use crate::Device;
use crate::card::Keep;
use crate::device::{Bytes, Host, Operation};
use crate::error::Result;
use crate::events::{Collection, EventBatch, EventColumns};
use crate::selection::{Batch, Cutflow, Origin, Selected, Selection, Survivors, Tally};
use crate::spectrum::{Entries, Filling, Spectrum, SpectrumAccumulator};

/// Selects and fills the batches of one sample.
pub struct EventSegment<'a> {
    selection: &'a Selection,
    fillings: &'a [Filling],
    keep: Keep,
    batches: u64,
    state: State<'a>,
}

/// What adds up over chunks.
pub(super) struct Accumulators {
    pub(super) cutflow: Tally<Host>,
    /// One for each filling.
    pub(super) spectra: Vec<SpectrumAccumulator<Host>>,
    pub(super) survivors: u64,
}

impl Accumulators {
    fn empty(selection: &Selection, fillings: &[Filling]) -> Self {
        let spectra = fillings.iter().map(|filling| SpectrumAccumulator::empty(filling.fill.rows())).collect();
        Self { cutflow: Tally::empty(selection.cutflow_rows()), spectra, survivors: 0 }
    }
}

enum State<'a> {
    Cpu(Accumulators),
    Cuda(Box<Pipeline<'a>>),
}

/// What a sample yields.
#[derive(Debug, Clone)]
pub struct Streamed {
    /// Events after each cut.
    pub cutflow: Cutflow,
    /// The filled spectra and planes, one for each filling.
    pub spectra: Vec<Spectrum>,
    /// How many events survived.
    pub survivors: u64,
}

impl Streamed {
    /// Nothing yet.
    ///
    /// # Errors
    /// None: the rows are those of the selection and of the fillings.
    pub fn empty(selection: &Selection, fillings: &[Filling]) -> Result<Self> {
        Self::of(selection, fillings, &Accumulators::empty(selection, fillings))
    }

    fn of(selection: &Selection, fillings: &[Filling], all: &Accumulators) -> Result<Self> {
        let spectra = fillings.iter().zip(&all.spectra).map(|(filling, filled)| Spectrum::new(&filling.fill, filled));
        let (cutflow, spectra) = (Cutflow::new(selection, &all.cutflow)?, spectra.collect::<Result<_>>()?);
        Ok(Self { cutflow, spectra, survivors: all.survivors })
    }

    /// Adds what another part of the sample yielded.
    ///
    /// # Errors
    /// Sums that leave their range.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        self.survivors += other.survivors;
        self.cutflow.merge(&other.cutflow)?;
        self.spectra.iter_mut().zip(&other.spectra).try_for_each(|(sum, more)| sum.merge(more))
    }
}

/// Selects and fills one batch on the CPU, on the calling thread.
///
/// # Errors
/// What the data contradicts, with the row and the file of `origin`.
pub fn select_and_fill(
    selection: &Selection,
    fillings: &[Filling],
    batch: &EventBatch,
    origin: Origin,
) -> Result<(Streamed, Survivors<Host>)> {
    let nothing = Accumulators::empty(selection, fillings);
    let (all, survivors) = step(selection, fillings, nothing, batch.columns.clone(), origin)?;
    Ok((Streamed::of(selection, fillings, &all)?, survivors))
}

/// The survivors of a part of a batch.
#[derive(Debug)]
pub struct KeptPart {
    /// Which batch: 0 for the first that was pushed.
    pub batch: u64,
    /// The event of the batch that the survivors' index counts from.
    pub first: usize,
    /// The survivors.
    pub survivors: Survivors<Host>,
}

impl<'a> EventSegment<'a> {
    /// A segment with nothing counted yet.
    ///
    /// # Errors
    /// A failed allocation.
    pub fn new(device: &Device, selection: &'a Selection, fillings: &'a [Filling], keep: Keep) -> Result<Self> {
        let state = match device {
            Device::Cpu => State::Cpu(Accumulators::empty(selection, fillings)),
            Device::Cuda(cuda) => State::Cuda(Box::new(Pipeline::new(cuda, selection, fillings, keep)?)),
        };
        Ok(Self { selection, fillings, keep, batches: 0, state })
    }

    /// Selects and fills one batch. Survivors are handed out in the order of the events, if they are kept: for every batch
    /// that had any events at least one part, on CUDA in one of the next calls. After an error the segment is gone:
    /// nothing half-counted can be read.
    ///
    /// # Errors
    /// What the data of this batch or of one before contradicts, with the row and the file of its `origin`; a failure of
    /// the device; a device too small for a single event.
    pub fn push(mut self, columns: &EventColumns<Host>, origin: &Origin) -> Result<(Self, Vec<KeptPart>)> {
        let batch = self.batches;
        self.batches += 1;
        let mut kept = Vec::new();
        for part in self.parts(columns)? {
            let first = part.start;
            let columns = if part.len() == columns.events { columns.clone() } else { slice(columns, part) };
            let origin = Origin { first_row: origin.first_row + first as u64, ..origin.clone() };
            self.state = match self.state {
                State::Cpu(all) => {
                    let (all, survivors) = step(self.selection, self.fillings, all, columns, origin)?;
                    kept.extend((self.keep == Keep::Survivors).then_some(KeptPart { batch, first, survivors }));
                    State::Cpu(all)
                }
                State::Cuda(mut pipeline) => {
                    kept.extend(pipeline.push(&columns, origin, batch, first)?);
                    State::Cuda(pipeline)
                }
            };
        }
        Ok((self, kept))
    }

    /// Ends the stream: downloads the tallies, and gives the survivors that have not been handed out.
    ///
    /// # Errors
    /// What the data of the last batches contradicts; a failure of the device.
    pub fn finish(self) -> Result<(Streamed, Vec<KeptPart>)> {
        let (all, kept) = match self.state {
            State::Cpu(all) => (all, Vec::new()),
            State::Cuda(pipeline) => pipeline.finish()?,
        };
        Ok((Streamed::of(self.selection, self.fillings, &all)?, kept))
    }

    /// The ranges of events of which the device can hold two at once, in order.
    fn parts(&self, columns: &EventColumns<Host>) -> Result<Vec<Range<usize>>> {
        let State::Cuda(pipeline) = &self.state else { return Ok(std::iter::once(0..columns.events).collect()) };
        let mut parts = Vec::new();
        let mut waiting: Vec<Range<usize>> = std::iter::once(0..columns.events).collect();
        while let Some(range) = waiting.pop() {
            let needed = self.needed(columns, &range);
            if needed <= pipeline.memory().0 {
                parts.push(range);
            } else if range.len() <= 1 {
                pipeline.memory().require(Selection::NAME, needed)?;
            } else {
                let middle = range.start + range.len() / 2;
                waiting.push(middle..range.end);
                waiting.push(range.start..middle);
            }
        }
        Ok(parts)
    }

    /// The device memory for two chunks like these events: all plans, as if every event survived.
    fn needed(&self, columns: &EventColumns<Host>, range: &Range<usize>) -> Bytes {
        let batch = Batch {
            columns: slice(columns, range.clone()),
            cutflow: Tally::<Host>::empty(self.selection.cutflow_rows()),
            origin: Origin::default(),
        };
        let column: ScalarBuffer<f32> = vec![0.0; range.len()].into();
        let fills = self.fillings.iter().map(|Filling { fill, variables }| {
            let values = vec![column.clone(); variables.len()];
            let spectrum = SpectrumAccumulator::empty(fill.rows());
            fill.plan(&Entries::<Host> { values, weights: column.clone(), spectrum })
        });
        let plans = std::iter::once(self.selection.plan(&batch)).chain(fills);
        plans.map(|plan| plan.fixed + plan.per_unit * plan.units * 2).sum()
    }
}

/// One chunk on the CPU: select, then fill with the survivors.
fn step(
    selection: &Selection,
    fillings: &[Filling],
    all: Accumulators,
    columns: EventColumns<Host>,
    origin: Origin,
) -> Result<(Accumulators, Survivors<Host>)> {
    let batch = Batch { columns, cutflow: all.cutflow, origin };
    selection.check(&batch)?;
    let Selected { survivors, cutflow } = selection.cpu(batch)?;
    let fill = |(filling, before): (&Filling, SpectrumAccumulator<Host>)| {
        let entries = filling.entries(&survivors, before);
        filling.fill.check(&entries)?;
        filling.fill.cpu(entries)
    };
    let spectra = fillings.iter().zip(all.spectra).map(fill).collect::<Result<_>>()?;
    let count = all.survivors + survivors.count as u64;
    Ok((Accumulators { cutflow, spectra, survivors: count }, survivors))
}

/// The events `range` of a batch; offsets count from the range's first object, values are shared.
fn slice(columns: &EventColumns<Host>, range: Range<usize>) -> EventColumns<Host> {
    let of_collection = |collection: &Collection<Host>| {
        let offsets = &collection.offsets[range.start..=range.end];
        let (first, last) = (offsets[0], offsets[offsets.len() - 1]);
        let values = |column: &ScalarBuffer<f32>| column.slice(first as usize, (last - first) as usize);
        Collection {
            offsets: offsets.iter().map(|offset| offset - first).collect(),
            quantities: collection.quantities.iter().map(values).collect(),
        }
    };
    EventColumns {
        events: range.len(),
        collections: columns.collections.iter().map(of_collection).collect(),
        scalars: columns.scalars.iter().map(|column| column.slice(range.start, range.len())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_counts_its_objects_from_its_own_first() {
        let columns = EventColumns::<Host> {
            events: 4,
            collections: vec![Collection {
                offsets: vec![0, 2, 2, 5, 6].into(),
                quantities: vec![vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0].into()],
            }],
            scalars: vec![vec![10.0, 11.0, 12.0, 13.0].into()],
        };
        let part = slice(&columns, 1..3);
        assert_eq!(part.events, 2);
        assert_eq!(part.collections[0].offsets[..], [0, 0, 3]);
        assert_eq!(part.collections[0].quantities[0][..], [3.0, 4.0, 5.0]);
        assert_eq!(part.scalars[0][..], [11.0, 12.0]);
        let none = slice(&columns, 4..4);
        assert_eq!((none.events, &none.collections[0].offsets[..]), (0, &[0u32][..]));
    }
}
