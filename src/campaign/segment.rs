//! The event segment: select and fill, chunk by chunk, on one device.
//!
//! A chunk is uploaded once. The survivors' columns stay where they are and feed the fill; the cutflow and the spectrum
//! are accumulators that stay there too, until [`EventSegment::finish`] downloads them. Of a chunk, only the survivors'
//! rows come back, and only if the card keeps them. A batch that does not fit the device's memory is cut in two until its
//! parts do.
//!
//! Bytes over the bus, for E events with O objects in all:
//!
//! * in: `4 (E + 1)` for each collection's offsets, `4 O` for each of its quantities, `4 E` for each scalar, and a constant
//!   for the program, the edges and the cleared status words;
//! * out: control words for each chunk, `4 (2 + variables)` for each survivor that is kept, and at the end the tallies.

use std::ops::Range;

use arrow_buffer::ScalarBuffer;

use crate::Device;
use crate::card::Keep;
use crate::device::{Bytes, Cuda, Download, Host, OnDevice, Operation, Place, Upload};
use crate::error::Result;
use crate::events::{Collection, EventBatch, EventColumns};
use crate::selection::{Batch, Cutflow, Origin, Selected, Selection, Survivors, Tally};
use crate::spectrum::{Entries, Fill, Spectrum, SpectrumAccumulator};

/// Selects and fills the batches of one sample.
pub struct EventSegment<'a> {
    selection: &'a Selection,
    fill: &'a Fill,
    /// The positions of the filled variables in the selection, one for each axis.
    filled: &'a [usize],
    keep: Keep,
    state: State,
}

/// What stays where it is between chunks.
struct Accumulators<P: Place> {
    cutflow: Tally<P>,
    spectrum: SpectrumAccumulator<P>,
    survivors: u64,
}

impl Accumulators<Host> {
    fn empty(selection: &Selection, fill: &Fill) -> Self {
        let (cutflow, spectrum) = (Tally::empty(selection.cutflow_rows()), SpectrumAccumulator::empty(fill.rows()));
        Self { cutflow, spectrum, survivors: 0 }
    }
}

enum State {
    Cpu(Accumulators<Host>),
    Cuda(Cuda, Accumulators<OnDevice>),
}

/// What a sample yields.
#[derive(Debug, Clone)]
pub struct Streamed {
    /// Events after each cut.
    pub cutflow: Cutflow,
    /// The filled spectrum or plane.
    pub spectrum: Spectrum,
    /// How many events survived.
    pub survivors: u64,
}

impl Streamed {
    /// Nothing yet.
    ///
    /// # Errors
    /// None: the rows are those of the selection and of the fill.
    pub fn empty(selection: &Selection, fill: &Fill) -> Result<Self> {
        Self::of(selection, fill, &Accumulators::empty(selection, fill))
    }

    fn of(selection: &Selection, fill: &Fill, all: &Accumulators<Host>) -> Result<Self> {
        let (cutflow, spectrum) = (Cutflow::new(selection, &all.cutflow)?, Spectrum::new(fill, &all.spectrum)?);
        Ok(Self { cutflow, spectrum, survivors: all.survivors })
    }

    /// Adds what another part of the sample yielded.
    ///
    /// # Errors
    /// Sums that leave their range.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        self.survivors += other.survivors;
        self.cutflow.merge(&other.cutflow)?;
        self.spectrum.merge(&other.spectrum)
    }
}

/// Selects and fills one batch on the CPU, on the calling thread.
///
/// # Errors
/// What the data contradicts, with the row and the file of `origin`.
pub fn select_and_fill(
    selection: &Selection,
    fill: &Fill,
    filled: &[usize],
    batch: &EventBatch,
    origin: Origin,
) -> Result<(Streamed, Survivors<Host>)> {
    let nothing = Accumulators::empty(selection, fill);
    let step = |batch| selection.cpu(batch);
    let columns = batch.columns.clone();
    let (all, survivors) = step_on(selection, fill, filled, nothing, columns, origin, step, |e| fill.cpu(e))?;
    Ok((Streamed::of(selection, fill, &all)?, survivors))
}

/// The survivors of a part of a batch.
#[derive(Debug)]
pub struct KeptPart {
    /// The event of the batch that the survivors' index counts from.
    pub first: usize,
    /// The survivors.
    pub survivors: Survivors<Host>,
}

impl<'a> EventSegment<'a> {
    /// A segment with nothing counted yet. `filled` names the variables of the selection that the axes of `fill` take.
    ///
    /// # Errors
    /// A failed allocation.
    pub fn new(
        device: &Device,
        selection: &'a Selection,
        fill: &'a Fill,
        filled: &'a [usize],
        keep: Keep,
    ) -> Result<Self> {
        let state = match device {
            Device::Cpu => State::Cpu(Accumulators::empty(selection, fill)),
            Device::Cuda(cuda) => State::Cuda(
                cuda.clone(),
                Accumulators {
                    cutflow: Tally::empty_on(cuda, selection.cutflow_rows())?,
                    spectrum: SpectrumAccumulator::empty_on(cuda, fill.rows())?,
                    survivors: 0,
                },
            ),
        };
        Ok(Self { selection, fill, filled, keep, state })
    }

    /// Selects and fills one batch; the kept survivors come back in the order of the events. After an error the segment
    /// is gone: nothing half-counted can be read.
    ///
    /// # Errors
    /// What the data contradicts, with the row and the file of `origin`; a failure of the device; a device too small for
    /// a single event.
    pub fn push(mut self, columns: &EventColumns<Host>, origin: &Origin) -> Result<(Self, Vec<KeptPart>)> {
        let mut kept = Vec::new();
        let parts = self.parts(columns)?;
        for part in parts {
            let first = part.start;
            let columns = if part.len() == columns.events { columns.clone() } else { slice(columns, part) };
            let origin = Origin { first_row: origin.first_row + first as u64, ..origin.clone() };
            let survivors;
            (self, survivors) = self.push_part(columns, origin)?;
            kept.extend(survivors.map(|survivors| KeptPart { first, survivors }));
        }
        Ok((self, kept))
    }

    /// Ends the stream: downloads the tallies.
    ///
    /// # Errors
    /// A failure of the device.
    pub fn finish(self) -> Result<Streamed> {
        let all = match self.state {
            State::Cpu(all) => all,
            State::Cuda(cuda, all) => Accumulators {
                cutflow: all.cutflow.download(&cuda)?,
                spectrum: all.spectrum.download(&cuda)?,
                survivors: all.survivors,
            },
        };
        Streamed::of(self.selection, self.fill, &all)
    }

    fn push_part(mut self, columns: EventColumns<Host>, origin: Origin) -> Result<(Self, Option<Survivors<Host>>)> {
        let kept = self.keep == Keep::Survivors;
        let (selection, fill) = (self.selection, self.fill);
        let (state, survivors) = match self.state {
            State::Cpu(all) => {
                let step = |batch| selection.cpu(batch);
                let (all, survivors) =
                    step_on(selection, fill, self.filled, all, columns, origin, step, |e| fill.cpu(e))?;
                (State::Cpu(all), kept.then_some(survivors))
            }
            State::Cuda(cuda, all) => {
                let columns = columns.upload(&cuda)?;
                let step = |batch| selection.cuda(&cuda, batch);
                let (all, survivors) =
                    step_on(selection, fill, self.filled, all, columns, origin, step, |e| fill.cuda(&cuda, e))?;
                let survivors = if kept { Some(survivors.download(&cuda)?) } else { None };
                (State::Cuda(cuda, all), survivors)
            }
        };
        self.state = state;
        Ok((self, survivors))
    }

    /// The ranges of events that the device can hold at once, in order.
    fn parts(&self, columns: &EventColumns<Host>) -> Result<Vec<Range<usize>>> {
        let State::Cuda(cuda, _) = &self.state else { return Ok(std::iter::once(0..columns.events).collect()) };
        let mut parts = Vec::new();
        let mut waiting: Vec<Range<usize>> = std::iter::once(0..columns.events).collect();
        while let Some(range) = waiting.pop() {
            let needed = self.needed(columns, &range);
            if needed <= cuda.memory().0 {
                parts.push(range);
            } else if range.len() <= 1 {
                cuda.memory().require(Selection::NAME, needed)?;
            } else {
                let middle = range.start + range.len() / 2;
                waiting.push(middle..range.end);
                waiting.push(range.start..middle);
            }
        }
        Ok(parts)
    }

    /// The device memory for these events: both plans, as if every event survived.
    fn needed(&self, columns: &EventColumns<Host>, range: &Range<usize>) -> Bytes {
        let batch = Batch {
            columns: slice(columns, range.clone()),
            cutflow: Tally::<Host>::empty(self.selection.cutflow_rows()),
            origin: Origin::default(),
        };
        let entries = Entries::<Host> {
            values: vec![vec![0.0; range.len()].into(); self.filled.len()],
            weights: vec![0.0; range.len()].into(),
            spectrum: SpectrumAccumulator::empty(self.fill.rows()),
        };
        self.selection.plan(&batch).total() + self.fill.plan(&entries).total()
    }
}

/// One chunk in one place: select, then fill with the survivors.
#[allow(clippy::too_many_arguments)] // the two operations and their state, once for both places
fn step_on<P: Place>(
    selection: &Selection,
    fill: &Fill,
    filled: &[usize],
    all: Accumulators<P>,
    columns: EventColumns<P>,
    origin: Origin,
    select: impl Fn(Batch<P>) -> Result<Selected<P>>,
    fill_with: impl Fn(Entries<P>) -> Result<SpectrumAccumulator<P>>,
) -> Result<(Accumulators<P>, Survivors<P>)> {
    let batch = Batch { columns, cutflow: all.cutflow, origin };
    selection.check(&batch)?;
    let Selected { survivors, cutflow } = select(batch)?;
    let values = filled.iter().map(|variable| survivors.variables[*variable].clone()).collect();
    let entries = Entries { values, weights: survivors.weight.clone(), spectrum: all.spectrum };
    fill.check(&entries)?;
    let count = all.survivors + survivors.count as u64;
    Ok((Accumulators { cutflow, spectrum: fill_with(entries)?, survivors: count }, survivors))
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
