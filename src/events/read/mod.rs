//! Reads the projected columns of Parquet files, in parallel, batch by batch, in the order of files and rows.
//!
//! **Conventions.** A collection of objects is either flat, as in NanoAOD (`Jet_pt`, `Jet_eta`, ... as lists, with an
//! optional counter `nJet` that must agree with them), or nested (`Jet` as a list of structs). Lists and large lists
//! with any name for their elements, nullable columns without nulls, integers of any width, and files of any writer
//! are read alike; embedded metadata and extension types are ignored. A scalar `MET_pt` is a column, or the field `pt`
//! of a column of structs `MET`.
//!
//! **Numbers.** Everything becomes f32. f32 and narrower stay exact; f64 is rounded to the nearest once (beyond the range of
//! f32 it becomes infinite); a `bool` is 0 or 1. An integer that f32 cannot hold (16777217, and most beyond) is an error:
//! compared, it would be another one. NaN passes: the selection
//! reports it where it would decide a cut. The ids `run`, `luminosityBlock` and `event` are read if they are there and
//! wanted ([`Ids`]), and keep all their digits.
//!
//! **Other names and units** are given by a [`Schema`]; numbers made from the ids are `event_hash`, `fold_hash` and
//! `in_luminosity_mask`. See the documentation of [`Preset`](super::Preset) and [`event_hash`](super::event_hash()).
//!
//! **Bad files.** [`BadFiles`] says whether they end the reading or are left out. Page checksums are verified where pages
//! carry them. Sizes that headers promise are held against the footer and the file before there is room made for them.
//!
//! **Cost.** Only the projected Parquet leaves are decoded. Row groups are the unit of parallelism, so a file with a
//! single row group is decoded by one thread. A batch holds 4 bytes a value and 4 an event and collection, plus 16 an
//! event for ids; f32 is decoded in its place. Beside the batches a thread holds one page of each leaf.
//!
//! ```no_run
//! use trawl::events::{CollectionProjection, EventSource, Projection};
//! let projection = Projection {
//!     collections: vec![CollectionProjection::new("FatJet", ["pt", "eta", "phi", "mass"])],
//!     scalars: vec!["weight".into()],
//!     ..Projection::default()
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
mod leaf;
mod lists;
mod pages;
mod part;
mod paths;
mod stream;
mod uses;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::error::{Error, Problems, Result};
use crate::events::EventBatch;
use crate::events::luminosity::LuminosityMask;
use crate::events::schema::Schema;
use part::{FilePart, RowGroup, Task};
pub(super) use paths::expand;
use stream::{Demand, Ordered, Outlet};
pub use uses::{ColumnUse, Wanted};

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
    /// Numbers for each event: `weight`, `MET_pt`, and the derived `event_hash`, `fold_hash` and `in_luminosity_mask`.
    pub scalars: Vec<String>,
    /// Whether the batches name their events.
    pub ids: Ids,
    /// Where these are needed, for messages about columns that are missing; and which must be flags or integers.
    pub uses: Vec<ColumnUse>,
}

/// Whether batches carry run, luminosity block and event number. They cost up to an eighth of the reading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ids {
    /// Nobody asks: [`EventBatch::id`] knows the row alone.
    Skipped,
    /// As far as a file has them.
    #[default]
    IfPresent,
}

/// What happens when a file cannot be opened, contradicts the projection, or turns out to be damaged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BadFiles {
    /// It is an error.
    #[default]
    Refuse,
    /// It is left out: see [`EventSource::skipped`] and [`FileEvent::Failed`].
    Skip,
}

/// How files are read; the default is NanoAOD, no bad files, no mask.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// The names and units of columns.
    pub schema: Schema,
    /// What happens to bad files.
    pub bad_files: BadFiles,
    /// For the scalar `in_luminosity_mask`.
    pub luminosity_mask: Option<Arc<LuminosityMask>>,
}

/// A file that [`BadFiles::Skip`] left out when the source was opened.
#[derive(Debug)]
pub struct SkippedFile {
    /// Which file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub error: Error,
    /// The events that are lost, if its footer could be read.
    pub rows: Option<u64>,
}

/// What [`EventSource::map_files`] delivers.
#[derive(Debug)]
pub enum FileEvent<T> {
    /// What the work made of one batch.
    Product(T),
    /// All batches of this file were delivered. Files without events finish too.
    Finished {
        /// The position in [`EventSource::files`].
        file: usize,
    },
    /// The file is damaged; nothing more comes of it, and what came counts for nothing. With [`BadFiles::Skip`] alone.
    Failed {
        /// The position in [`EventSource::files`].
        file: usize,
        /// What is wrong with it.
        error: Error,
        /// The events that are lost: all of the file.
        rows: u64,
    },
}

/// Parquet files whose schemas were checked, ready to be read any number of times.
#[derive(Debug, Clone)]
pub struct EventSource {
    files: Vec<PathBuf>,
    parts: Arc<[FilePart]>,
    skipped: Arc<[SkippedFile]>,
    bad_files: BadFiles,
    mask: Option<Arc<LuminosityMask>>,
}

impl EventSource {
    /// Finds the files that `patterns` (files, folders, globs) name and checks that each holds what is projected.
    ///
    /// # Errors
    /// Every problem of every file at once: missing, not Parquet, truncated, damaged, columns missing or of a wrong
    /// type, or flags in one file and measured numbers in another; folders and globs without Parquet files; files named twice.
    pub fn open(patterns: &[String], projection: &Projection) -> Result<Self> {
        Self::open_with(patterns, projection, &ReadOptions::default())
    }

    /// The same, by other names, or without bad files.
    ///
    /// # Errors
    /// As [`EventSource::open`]. With [`BadFiles::Skip`], problems of single files are errors only if no file is left.
    pub fn open_with(patterns: &[String], projection: &Projection, options: &ReadOptions) -> Result<Self> {
        let found = paths::expand(patterns)?;
        let opened: Vec<_> = found.par_iter().map(|path| FilePart::open(path.clone(), projection, options)).collect();
        let (mut parts, mut skipped) = (Vec::<FilePart>::new(), Vec::new());
        for (path, opened) in found.into_iter().zip(opened) {
            let opened = opened.and_then(|part| part.agree(parts.first()));
            match opened {
                Ok(part) => parts.push(part),
                Err((error, rows)) => skipped.push(SkippedFile { path, error, rows }),
            }
        }
        const USAGE: u8 = 2;
        let usage = skipped.iter().any(|file| file.error.exit_code() == USAGE);
        if !skipped.is_empty() && (options.bad_files == BadFiles::Refuse || parts.is_empty() || usage) {
            let mut problems = Problems::default();
            skipped.into_iter().for_each(|file| problems.push(file.error));
            problems.finish()?;
            skipped = Vec::new();
        }
        let files = parts.iter().map(|part| part.path.clone()).collect();
        let mask = options.luminosity_mask.clone();
        Ok(Self { files, parts: parts.into(), skipped: skipped.into(), bad_files: options.bad_files, mask })
    }

    /// The files in the order in which they are read.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The files that were left out, with [`BadFiles::Skip`].
    pub fn skipped(&self) -> &[SkippedFile] {
        &self.skipped
    }

    /// The files with the events in each, in the order in which they are read.
    pub fn files_and_rows(&self) -> impl Iterator<Item = (&Path, u64)> {
        self.files.iter().map(PathBuf::as_path).zip(self.parts.iter().map(FilePart::rows))
    }

    /// The events in all files together.
    pub fn rows(&self) -> u64 {
        self.parts.iter().map(FilePart::rows).fold(0, u64::saturating_add)
    }

    /// Whether any of the files says in which runs its events are, and the projection asks for that.
    pub fn has_runs(&self) -> bool {
        self.parts.iter().any(|part| part.binding.run.is_some())
    }

    /// Whether any of the files says in which luminosity blocks its events are, and the projection asks for that.
    pub fn has_luminosity_blocks(&self) -> bool {
        self.parts.iter().any(|part| part.binding.luminosity_block.is_some())
    }

    /// Reads everything, in batches of at most `rows_per_batch` events of one file.
    ///
    /// The batches and their order depend on the files and on `rows_per_batch` alone. They are decoded ahead on as many
    /// threads as the current rayon pool has; at most `queue` + 1 of them wait for the consumer, and each thread holds one
    /// more. (The peak thus is `queue + 1 + threads` batches and a page of each leaf for each thread.) Both arguments
    /// count as at least 1. After an error the iterator ends. A batch holds fewer events where they have thousands of
    /// objects.
    pub fn batches(&self, rows_per_batch: usize, queue: usize) -> Batches {
        self.map_batches(rows_per_batch, queue, Ok)
    }

    /// What `work` makes of the batches, in their order; it runs on the thread that decoded the batch, or on one that has
    /// nothing left to decode.
    ///
    /// Batches and memory are those of [`EventSource::batches`], with products in the queue instead of batches. A panic of
    /// the work is passed on to the consumer. A file that turns out to be damaged is an error here, also with
    /// [`BadFiles::Skip`]: some of its products may already be delivered, see [`EventSource::map_files`].
    ///
    /// ```no_run
    /// # use trawl::events::{EventSource, Projection};
    /// # let source = EventSource::open(&["data".into()], &Projection::default())?;
    /// let sums = source.map_batches(65_536, 4, |batch| Ok(batch.columns.scalars[0].iter().sum::<f32>()));
    /// let sum = sums.sum::<trawl::Result<f32>>()?;
    /// # Ok::<(), trawl::Error>(())
    /// ```
    pub fn map_batches<T, W>(&self, rows_per_batch: usize, queue: usize, work: W) -> MappedBatches<T>
    where
        T: Send + 'static,
        W: Fn(EventBatch) -> Result<T> + Send + Sync + 'static,
    {
        MappedBatches(self.map(rows_per_batch, queue, BadFiles::Refuse, work))
    }

    /// What `work` makes of the batches, and where each file ends: for sums in which no damaged file has a part.
    ///
    /// The events of a file come together, in the order of the files. With [`BadFiles::Skip`] a file may fail after some of
    /// its products were delivered, because a page is looked at when its turn comes. Keep the sums of the current file
    /// apart, add them to the total when it has [`FileEvent::Finished`], and drop them when it has
    /// [`FileEvent::Failed`]. An error of `work` itself ends everything.
    ///
    /// ```no_run
    /// use trawl::events::FileEvent;
    /// # use trawl::events::{EventSource, Projection};
    /// # let source = EventSource::open(&["data".into()], &Projection::default())?;
    /// let (mut total, mut of_file) = (0, 0);
    /// for event in source.map_files(65_536, 4, |batch| Ok(batch.columns.events)) {
    ///     match event? {
    ///         FileEvent::Product(events) => of_file += events,
    ///         FileEvent::Finished { .. } => total += std::mem::take(&mut of_file),
    ///         FileEvent::Failed { error, rows, .. } => {
    ///             eprintln!("{rows} events are lost: {error}");
    ///             of_file = 0;
    ///         }
    ///     }
    /// }
    /// # Ok::<(), trawl::Error>(())
    /// ```
    pub fn map_files<T, W>(&self, rows_per_batch: usize, queue: usize, work: W) -> MappedFiles<T>
    where
        T: Send + 'static,
        W: Fn(EventBatch) -> Result<T> + Send + Sync + 'static,
    {
        self.map(rows_per_batch, queue, self.bad_files, work)
    }

    fn map<T, W>(&self, rows_per_batch: usize, queue: usize, bad_files: BadFiles, work: W) -> MappedFiles<T>
    where
        T: Send + 'static,
        W: Fn(EventBatch) -> Result<T> + Send + Sync + 'static,
    {
        let tasks = self.tasks(rows_per_batch.max(1));
        let (count, parts, mask, work) = (tasks.len(), self.parts.clone(), self.mask.clone(), Arc::new(work));
        let run = move |index: usize, outlet: &Outlet<'_, Step<T>>| {
            let task = &tasks[index];
            let (file, part) = (task.file, &parts[task.file]);
            let mut over = Demand::More;
            let read = part.read(task, mask.as_deref(), |batch| {
                let work = work.clone();
                over = outlet.make(move || Ok(Step { file, event: FileEvent::Product(work(batch)?) }));
                over
            });
            let last = tasks.get(index + 1).is_none_or(|next| next.file != file);
            match read {
                Err(error) if bad_files == BadFiles::Skip => {
                    let event = FileEvent::Failed { file, error, rows: part.rows() };
                    outlet.put(Ok(Step { file, event }));
                }
                Err(error) => {
                    outlet.put(Err(error));
                }
                Ok(()) if last && over == Demand::More => {
                    outlet.put(Ok(Step { file, event: FileEvent::Finished { file } }));
                }
                Ok(()) => {}
            }
        };
        let ordered = Ordered::start(count, rayon::current_num_threads(), queue, run);
        MappedFiles { ordered, failed: None }
    }

    fn tasks(&self, rows_per_batch: usize) -> Vec<Task> {
        self.parts.iter().enumerate().flat_map(|(file, part)| part.tasks(file, rows_per_batch)).collect()
    }
}

struct Step<T> {
    file: usize,
    event: FileEvent<T>,
}

/// Products in the order of files and rows; see [`EventSource::map_files`].
pub struct MappedFiles<T> {
    ordered: Ordered<Step<T>>,
    /// The last file that failed. Its row groups are decoded independently, and those after the damage do not count.
    failed: Option<usize>,
}

impl<T> Iterator for MappedFiles<T> {
    type Item = Result<FileEvent<T>>;

    fn next(&mut self) -> Option<Self::Item> {
        let failed = self.failed;
        let step = self.ordered.find(|step| !step.as_ref().is_ok_and(|step| Some(step.file) == failed))?;
        Some(step.map(|step| {
            if matches!(step.event, FileEvent::Failed { .. }) {
                self.failed = Some(step.file);
            }
            step.event
        }))
    }
}

/// Products in the order of files and rows; see [`EventSource::map_batches`].
pub struct MappedBatches<T>(MappedFiles<T>);

/// Batches of events in the order of files and rows; see [`EventSource::batches`].
pub type Batches = MappedBatches<EventBatch>;

impl<T> Iterator for MappedBatches<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.find_map(|event| match event {
            Ok(FileEvent::Product(product)) => Some(Ok(product)),
            Ok(FileEvent::Finished { .. }) => None,
            Ok(FileEvent::Failed { error, .. }) | Err(error) => Some(Err(error)),
        })
    }
}
