//! Rows become columns: what the generators of this folder push their events into.

use std::ops::Range;

use crate::events::{Collection, EventBatch, EventColumns, EventIds, Projection};

const EVENTS_PER_LUMINOSITY_BLOCK: u64 = 1000;

/// Growing columns of a [`Projection`].
pub(super) struct Record {
    offsets: Vec<Vec<u32>>,
    quantities: Vec<Vec<Vec<f32>>>,
    scalars: Vec<Vec<f32>>,
}

impl Record {
    pub fn new(projection: &Projection, events: usize) -> Self {
        let collections = &projection.collections;
        Self {
            offsets: collections.iter().map(|_| vec![0]).collect(),
            quantities: collections.iter().map(|one| vec![Vec::new(); one.quantities.len()]).collect(),
            scalars: projection.scalars.iter().map(|_| Vec::with_capacity(events)).collect(),
        }
    }

    /// Adds an object to the collection at this position of the projection.
    #[inline]
    pub fn push<const N: usize>(&mut self, collection: usize, object: [f32; N]) {
        let columns = &mut self.quantities[collection];
        debug_assert_eq!(columns.len(), N);
        columns.iter_mut().zip(object).for_each(|(column, value)| column.push(value));
    }

    /// Ends the event with its scalars, in the order of the projection.
    pub fn end_event<const N: usize>(&mut self, scalars: [f32; N]) {
        debug_assert_eq!(self.scalars.len(), N);
        self.scalars.iter_mut().zip(scalars).for_each(|(column, value)| column.push(value));
        for (offsets, columns) in self.offsets.iter_mut().zip(&self.quantities) {
            offsets.push(columns.first().map_or(0, Vec::len) as u32);
        }
    }

    /// The batch of `rows` of a sample whose first event has the number `first_event`.
    pub fn finish(self, rows: Range<u64>, first_event: u64) -> EventBatch {
        let numbers: Vec<u64> = rows.clone().map(|row| first_event.wrapping_add(row)).collect();
        let blocks = numbers.iter().map(|number| (1 + number / EVENTS_PER_LUMINOSITY_BLOCK) as u32).collect();
        let ids = EventIds { run: Some(vec![1; numbers.len()]), luminosity_block: Some(blocks), event: Some(numbers) };
        let collections = self.offsets.into_iter().zip(self.quantities).map(|(offsets, quantities)| Collection {
            offsets: offsets.into(),
            quantities: quantities.into_iter().map(Into::into).collect(),
        });
        let collections = collections.collect();
        let events = ids.event.as_ref().map_or(0, Vec::len);
        let columns = EventColumns { events, collections, scalars: self.scalars.into_iter().map(Into::into).collect() };
        EventBatch { columns, ids, file: 0, first_row: rows.start }
    }
}
