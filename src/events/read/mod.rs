//! Reads the projected columns of Parquet files, in parallel, batch by batch, in the order of files and rows.
//!
//! **Conventions.** A collection of objects is either flat, as in NanoAOD (`Jet_pt`, `Jet_eta`, ... as lists, with an
//! optional counter `nJet` that must agree with them), or nested (`Jet` as a list of structs). Lists and large lists
//! with any name for their elements, nullable columns without nulls, integers of any width, and files of any writer
//! are read alike; embedded metadata and extension types are ignored. A scalar `MET_pt` is a column, or the field `pt`
//! of a column of structs `MET`.
//!
//! **Numbers.** Everything becomes f32. f32 and narrower stay exact; f64 and integers that f32 cannot hold are rounded to
//! the nearest once (an f64 beyond the range of f32 becomes infinite); a `bool` is 0 or 1. NaN passes: the selection
//! reports it where it would decide a cut. The ids `run`, `luminosityBlock` and `event` are read if they are there,
//! and keep all their digits.
//!
//! **Cost.** Only the projected Parquet leaves are decoded. Row groups are the unit of parallelism, so a file with a
//! single row group is decoded by one thread. A batch holds 4 bytes a value and 4 an event and collection, plus 16 an
//! event for ids; f32 columns are not copied.
//!
//! ```no_run
//! use trawl::events::{CollectionProjection, EventSource, Projection};
//! let projection = Projection {
//!     collections: vec![CollectionProjection::new("FatJet", ["pt", "eta", "phi", "mass"])],
//!     scalars: vec!["weight".into()],
//! };
//! let source = EventSource::open(&["data/*.parquet".into()], &projection)?;
//! for batch in source.batches(65_536, 4) {
//!     let batch = batch?;
//!     let jets = &batch.columns.collections[0];
//!     let leading_pt = jets.quantities[0].get(jets.offsets[0] as usize);
//!     println!("{} events from row {}: {leading_pt:?}", batch.columns.events, batch.first_row);
//! }
//! # Ok::<(), trawl::Error>(())
//! ```

pub(super) mod binding;
mod decode;
pub(super) mod file;
mod paths;
mod stream;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use rayon::prelude::*;

use crate::error::{Fault, Problems, Result};
use crate::events::EventBatch;
use binding::Binding;
use decode::Decoder;
use stream::{Demand, Ordered, Outlet};

/// The name of the operation in messages.
const NAME: &str = "events.read";

/// Which quantities of one collection are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionProjection {
    /// For example `FatJet`.
    pub name: String,
    /// For example `pt`, `eta`, `phi`, `mass`; at least one.
    pub quantities: Vec<String>,
}

impl CollectionProjection {
    /// The `quantities` of the collection `name`.
    pub fn new<Q: Into<String>>(name: impl Into<String>, quantities: impl IntoIterator<Item = Q>) -> Self {
        Self { name: name.into(), quantities: quantities.into_iter().map(Into::into).collect() }
    }
}

/// Which columns are read; the order here is the order in the batches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Projection {
    /// Collections of objects.
    pub collections: Vec<CollectionProjection>,
    /// Numbers for each event: `weight`, `MET_pt`.
    pub scalars: Vec<String>,
}

/// Parquet files whose schemas were checked, ready to be read any number of times.
#[derive(Debug, Clone)]
pub struct EventSource {
    files: Vec<PathBuf>,
    parts: Arc<[FilePart]>,
}

/// What reading needs to know of one file.
#[derive(Debug)]
struct FilePart {
    path: PathBuf,
    binding: Binding,
    row_groups: Vec<RowGroup>,
}

#[derive(Debug, Clone, Copy)]
struct RowGroup {
    rows: u64,
    /// The values of the projected leaf that has most of them.
    values: u64,
}

/// Consecutive row groups of one file: what one thread decodes at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Task {
    file: usize,
    row_groups: std::ops::Range<usize>,
    first_row: u64,
    rows: u64,
    rows_per_batch: usize,
}

impl EventSource {
    /// Finds the files that `patterns` (files, folders, globs) name and checks that each holds what is projected.
    ///
    /// # Errors
    /// Every problem of every file at once: missing, not Parquet, truncated, damaged, columns missing or of a wrong
    /// type; folders and globs without Parquet files; files named twice.
    pub fn open(patterns: &[String], projection: &Projection) -> Result<Self> {
        let files = paths::expand(patterns)?;
        let opened: Vec<Result<FilePart>> =
            files.par_iter().map(|path| FilePart::open(path.clone(), projection)).collect();
        let mut problems = Problems::default();
        let parts = opened.into_iter().filter_map(|part| problems.take(part)).collect();
        problems.finish()?;
        Ok(Self { files, parts })
    }

    /// The files in the order in which they are read.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The files with the events in each, in the order in which they are read.
    pub fn files_and_rows(&self) -> impl Iterator<Item = (&Path, u64)> {
        let rows = |part: &FilePart| part.row_groups.iter().map(|group| group.rows).sum();
        self.files.iter().map(PathBuf::as_path).zip(self.parts.iter().map(rows))
    }

    /// The events in all files together.
    pub fn rows(&self) -> u64 {
        self.parts.iter().flat_map(|part| &part.row_groups).map(|group| group.rows).sum()
    }

    /// Reads everything, in batches of at most `rows_per_batch` events of one file.
    ///
    /// The batches and their order depend on the files and on `rows_per_batch` alone. They are decoded ahead on as many
    /// threads as the current rayon pool has; at most `queue` + 1 of them wait for the consumer, and each thread holds one
    /// more. (The peak thus is `queue + 1 + threads` batches and the row groups' compressed pages.) Both arguments
    /// count as at least 1. After an error the iterator ends.
    pub fn batches(&self, rows_per_batch: usize, queue: usize) -> Batches {
        let tasks = self.tasks(rows_per_batch.max(1));
        let parts = self.parts.clone();
        let count = tasks.len();
        let work = move |task: usize, outlet: &Outlet<'_, EventBatch>| {
            let task = &tasks[task];
            if let Err(error) = parts[task.file].read(task, outlet) {
                outlet.put(Err(error));
            }
        };
        Batches(Ordered::start(count, rayon::current_num_threads(), queue, work))
    }

    /// Stub until the reader's branch is merged.
    pub fn map_batches<T: Send + 'static>(
        &self,
        rows_per_batch: usize,
        queue: usize,
        work: impl Fn(EventBatch) -> Result<T> + Send + Sync + 'static,
    ) -> impl Iterator<Item = Result<T>> {
        self.batches(rows_per_batch, queue).map(move |batch| work(batch?))
    }

    fn tasks(&self, rows_per_batch: usize) -> Vec<Task> {
        self.parts.iter().enumerate().flat_map(|(file, part)| part.tasks(file, rows_per_batch)).collect()
    }
}

/// Batches of events in the order of files and rows; see [`EventSource::batches`].
pub struct Batches(Ordered<EventBatch>);

impl Iterator for Batches {
    type Item = Result<EventBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl FilePart {
    fn open(path: PathBuf, projection: &Projection) -> Result<Self> {
        let (_, metadata) = file::open(NAME, &path)?;
        let binding = Binding::new(&path, &metadata, projection)?;
        let row_groups = metadata.metadata().row_groups().iter().map(|group| {
            let leaf_values = |&leaf: &usize| file::count(group.column(leaf).num_values());
            let values = binding.leaves.iter().map(leaf_values).max().unwrap_or(0);
            RowGroup { rows: file::count(group.num_rows()), values }
        });
        let row_groups = row_groups.collect();
        Ok(Self { path, binding, row_groups })
    }

    /// Joins small row groups until a task holds a batch's worth of rows.
    fn tasks(&self, file: usize, rows_per_batch: usize) -> Vec<Task> {
        let mut tasks: Vec<Task> = Vec::new();
        let mut first_row = 0;
        for (index, group) in self.row_groups.iter().enumerate().filter(|(_, group)| group.rows > 0) {
            let rows_per_batch = rows_within_offsets(group, rows_per_batch);
            match tasks.last_mut() {
                Some(task) if task.rows + group.rows <= rows_per_batch.min(task.rows_per_batch) as u64 => {
                    task.row_groups.end = index + 1;
                    task.rows += group.rows;
                }
                _ => {
                    tasks.push(Task { file, row_groups: index..index + 1, first_row, rows: group.rows, rows_per_batch })
                }
            }
            first_row += group.rows;
        }
        tasks
    }

    /// Decodes the batches of `task` one by one into `outlet`.
    fn read(&self, task: &Task, outlet: &Outlet<'_, EventBatch>) -> Result<()> {
        let end = task.first_row + task.rows;
        let damaged = |row: u64, why: String| {
            let rows = format!("rows {row} to {} of '{}'", end - 1, self.path.display());
            let fault = Fault::new(NAME, format!("{rows} cannot be decoded")).because(why);
            fault.suggest("The file is damaged: fetch or write it again").data()
        };
        let (file, metadata) = file::open(NAME, &self.path)?;
        let reader = file::guarded(|| self.reader(file, metadata, task));
        let mut reader = reader.map_err(|why| damaged(task.first_row, why))?;
        let decoder = Decoder { path: &self.path, file: task.file, binding: &self.binding };
        let mut row = task.first_row;
        while row < end {
            let record = file::guarded(|| reader.next().transpose().map_err(|error| error.to_string()));
            let record = record.map_err(|why| damaged(row, why))?;
            let Some(record) = record.filter(|record| record.num_rows() as u64 <= end - row) else {
                return Err(damaged(row, "the footer promises another number of rows".into()));
            };
            let batch = decoder.decode(&record, row)?;
            row += record.num_rows() as u64;
            if outlet.put(Ok(batch)) == Demand::Stopped {
                break;
            }
        }
        Ok(())
    }

    fn reader(
        &self,
        file: File,
        metadata: ArrowReaderMetadata,
        task: &Task,
    ) -> Result<ParquetRecordBatchReader, String> {
        let mask = ProjectionMask::leaves(metadata.parquet_schema(), self.binding.leaves.iter().copied());
        ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
            .with_projection(mask)
            .with_row_groups(task.row_groups.clone().collect())
            .with_batch_size(task.rows_per_batch)
            .build()
            .map_err(|error| error.to_string())
    }
}

/// As many rows as asked, or fewer where lists are so long that the 31-bit offsets of decoded lists might overflow.
fn rows_within_offsets(group: &RowGroup, rows_per_batch: usize) -> usize {
    // A quarter of what offsets can say leaves room for events with more objects than the mean of their row group.
    const VALUES: u64 = 1 << 29;
    let mean = group.values / group.rows.max(1) + 1;
    rows_per_batch.min((VALUES / mean).max(1) as usize)
}
