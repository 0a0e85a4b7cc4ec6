//! The generators: frozen events, independence of chunks and threads, and the distributions that they promise.

use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use sha2::{Digest, Sha256};
use trawl::events::{
    Content, Decay, DijetSample, DileptonSample, EventBatch, Generator, METADATA_KEY, Pair, PlaneSample, Process,
    Product, Projection, Resonance, SETTINGS_KEY, ShowerSample, Signal, SignalKind, Tune, generate_file,
};
use trawl::math::lorentz::FourMomentum;

#[path = "generate/command_line.rs"]
mod command_line;
#[path = "generate/dijet.rs"]
mod dijet;
#[path = "generate/dilepton.rs"]
mod dilepton;
#[path = "generate/frozen.rs"]
mod frozen;
#[path = "generate/plane.rs"]
mod plane;

/// The columns of a batch by their names in files.
struct Table<'a> {
    projection: Projection,
    batch: &'a EventBatch,
}

impl<'a> Table<'a> {
    fn new(sample: &dyn Generator, batch: &'a EventBatch) -> Self {
        Self { projection: sample.projection(), batch }
    }

    fn scalar(&self, name: &str) -> &[f32] {
        let index = self.projection.scalars.iter().position(|known| known == name).unwrap();
        &self.batch.columns.scalars[index]
    }

    /// The values of `quantity` of the event's objects.
    fn list(&self, collection: &str, quantity: &str, event: usize) -> &[f32] {
        let index = self.projection.collections.iter().position(|known| known.name == collection).unwrap();
        let quantities = &self.projection.collections[index].quantities;
        let place = quantities.iter().position(|known| known == quantity).unwrap();
        let collection = &self.batch.columns.collections[index];
        &collection.quantities[place][collection.offsets[event] as usize..collection.offsets[event + 1] as usize]
    }

    fn events(&self) -> usize {
        self.batch.columns.events
    }
}

fn quantile(values: &mut [f64], p: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(p * values.len() as f64) as usize]
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    quantile(&mut values.into_iter().collect::<Vec<_>>(), 0.5)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// `count` of `total` lies within 4 standard deviations, or `slack` (absolute), of the share `expected`.
#[track_caller]
fn assert_share(count: usize, total: usize, expected: f64, slack: f64) {
    let share = count as f64 / total as f64;
    let error = (expected * (1.0 - expected) / total as f64).sqrt();
    assert!((share - expected).abs() < 4.0 * error + slack, "{count} of {total} = {share}, expected {expected}");
}
