//! Events of Dark Machines lines as the columns of a batch.

use super::line::{Event, Kind, Object};
use crate::events::{Collection, CollectionProjection, EventBatch, EventColumns, EventIds, Integers, Projection};

/// The collections of the output; their order is that of [`place`].
const COLLECTIONS: [(&str, &[&str]); 4] = [
    ("Jet", &["pt", "eta", "phi", "mass", "btag"]),
    ("Electron", &["pt", "eta", "phi", "mass", "charge"]),
    ("Muon", &["pt", "eta", "phi", "mass", "charge"]),
    ("Photon", &["pt", "eta", "phi", "mass"]),
];
const SCALARS: [&str; 3] = ["MET_pt", "MET_phi", "weight"];

/// The columns of the output that have a [`Projection`].
pub(super) fn projection() -> Projection {
    let collections =
        COLLECTIONS.iter().map(|(name, quantities)| CollectionProjection::new(*name, quantities.iter().copied()));
    Projection {
        collections: collections.collect(),
        scalars: SCALARS.map(str::to_owned).to_vec(),
        ..Projection::default()
    }
}

/// Which collection an object is in, and its last quantity there.
fn place(kind: Kind) -> (usize, Option<f32>) {
    match kind {
        Kind::Jet { btag } => (0, Some(btag)),
        Kind::Electron { charge } => (1, Some(charge)),
        Kind::Muon { charge } => (2, Some(charge)),
        Kind::Photon => (3, None),
    }
}

/// Objects of one collection of the events so far.
#[derive(Debug)]
struct Objects {
    offsets: Vec<u32>,
    quantities: Vec<Vec<f32>>,
}

/// Events so far.
#[derive(Debug)]
pub(super) struct Columns {
    collections: [Objects; COLLECTIONS.len()],
    scalars: [Vec<f32>; SCALARS.len()],
    rows: Vec<u64>,
    ids: Vec<u64>,
    processes: Vec<u32>,
    objects: usize,
}

impl Default for Columns {
    fn default() -> Self {
        let collections =
            COLLECTIONS.map(|(_, quantities)| Objects { offsets: vec![0], quantities: vec![vec![]; quantities.len()] });
        let scalars = Default::default();
        Self { collections, scalars, rows: Vec::new(), ids: Vec::new(), processes: Vec::new(), objects: 0 }
    }
}

impl Columns {
    pub fn events(&self) -> usize {
        self.rows.len()
    }

    pub fn objects(&self) -> usize {
        self.objects
    }

    /// Adds the event of a row, with the number of its process.
    pub fn push(&mut self, event: &Event<'_>, process: u32, row: u64, objects: &[Object]) {
        for object in objects {
            let (collection, last) = place(object.kind);
            let values = [object.pt_gev, object.eta, object.phi, object.mass_gev].into_iter().chain(last);
            let quantities = &mut self.collections[collection].quantities;
            quantities.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
        }
        for collection in &mut self.collections {
            // A batch ends long before 2^32 objects.
            collection.offsets.push(collection.quantities[0].len() as u32);
        }
        let scalars = [event.met_gev, event.met_phi, event.weight];
        self.scalars.iter_mut().zip(scalars).for_each(|(column, value)| column.push(value));
        self.rows.push(row);
        self.ids.push(event.name.map_or(0, |(id, _)| id));
        self.processes.push(process);
        self.objects += objects.len();
    }

    /// The batch, and the columns that only files with names of processes have.
    pub fn finish(self) -> (EventBatch, [(&'static str, Integers); 2]) {
        let further = [("event_id", Integers::U64(self.ids)), ("process", Integers::U32(self.processes))];
        let collections = self.collections.into_iter().map(|objects| Collection {
            offsets: objects.offsets.into(),
            quantities: objects.quantities.into_iter().map(Into::into).collect(),
        });
        let scalars = self.scalars.into_iter().map(Into::into).collect();
        let columns = EventColumns { events: self.rows.len(), collections: collections.collect(), scalars };
        let first_row = self.rows.first().copied().unwrap_or(0);
        let ids = EventIds { event: Some(self.rows), ..EventIds::default() };
        (EventBatch { columns, ids, file: 0, first_row }, further)
    }
}
