//! A batch of events as columns: what the reader delivers, what selections take, what goes to a device as it is.

use arrow_buffer::ScalarBuffer;

use crate::device::{Cuda, Host, OnDevice, Place, Upload};
use crate::error::Result;

/// The objects of one kind (for example all jets) of a batch of events: one list of objects for each event.
///
/// Event `i` owns the objects `offsets[i] .. offsets[i + 1]` of every quantity.
#[derive(Debug, Clone)]
pub struct Collection<P: Place> {
    /// `events + 1` positions, ascending; the first is 0, whatever the position of the batch in its file.
    pub offsets: P::Column<u32>,
    /// The projected quantities in the order of the projection, one value for each object.
    pub quantities: Vec<P::Column<f32>>,
}

/// The projected columns of a batch of events, on the host or on a device.
#[derive(Debug, Clone)]
pub struct EventColumns<P: Place> {
    /// The number of events.
    pub events: usize,
    /// In the order of [`Projection::collections`](super::Projection).
    pub collections: Vec<Collection<P>>,
    /// In the order of [`Projection::scalars`](super::Projection), one value for each event.
    pub scalars: Vec<P::Column<f32>>,
}

impl EventColumns<Host> {
    /// The bytes that these columns occupy: what an upload moves and what a queue of batches holds.
    pub fn bytes(&self) -> usize {
        let of_collection = |collection: &Collection<Host>| {
            size_of_val(&collection.offsets[..]) + collection.quantities.iter().map(of_values).sum::<usize>()
        };
        let of_collections: usize = self.collections.iter().map(of_collection).sum();
        of_collections + self.scalars.iter().map(of_values).sum::<usize>()
    }
}

impl Upload for EventColumns<Host> {
    type There = EventColumns<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<EventColumns<OnDevice>> {
        let of_collection = |collection: &Collection<Host>| -> Result<Collection<OnDevice>> {
            Ok(Collection {
                offsets: collection.offsets.upload(cuda)?,
                quantities: collection.quantities.upload(cuda)?,
            })
        };
        let collections: Result<Vec<_>> = self.collections.iter().map(of_collection).collect();
        Ok(EventColumns { events: self.events, collections: collections?, scalars: self.scalars.upload(cuda)? })
    }
}

fn of_values(values: &ScalarBuffer<f32>) -> usize {
    size_of_val(&values[..])
}

/// The names of the events of a batch, as far as the file has them. They stay on the host: survivors are looked up here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventIds {
    /// NanoAOD's `run`.
    pub run: Option<Vec<u32>>,
    /// NanoAOD's `luminosityBlock`.
    pub luminosity_block: Option<Vec<u32>>,
    /// NanoAOD's `event`; the row number in the file takes its place where the file has none.
    pub event: Option<Vec<u64>>,
}

/// Consecutive events of one file.
#[derive(Debug, Clone)]
pub struct EventBatch {
    /// What was projected.
    pub columns: EventColumns<Host>,
    /// Which events these are.
    pub ids: EventIds,
    /// The position of the file in [`EventSource::files`](super::EventSource::files).
    pub file: usize,
    /// The row of the first event in its file, counting from 0.
    pub first_row: u64,
}

impl EventBatch {
    /// The run, luminosity block and event number of the event at `index` of this batch; 0, 0 and the row of the file
    /// stand in for what the file does not say.
    ///
    /// # Panics
    /// If `index` is not below the number of events.
    pub fn id(&self, index: usize) -> (u32, u32, u64) {
        assert!(index < self.columns.events, "event {index} of a batch of {}", self.columns.events);
        let number = |column: &Option<Vec<u32>>| column.as_ref().map_or(0, |values| values[index]);
        let event = self.ids.event.as_ref().map_or(self.first_row + index as u64, |values| values[index]);
        (number(&self.ids.run), number(&self.ids.luminosity_block), event)
    }
}
