//! One file: what is known of it, how it is cut into tasks, and how a task is read.

use std::ops::Range;
use std::path::PathBuf;

use parquet::file::metadata::RowGroupMetaData;

use super::binding::Binding;
use super::decode::{Decoder, Trouble};
use super::file::{self, Identity};
use super::pages::Chunk;
use super::stream::Demand;
use super::{Ids, NAME, Projection, ReadOptions};
use crate::error::{Error, Fault, Result};
use crate::events::EventBatch;
use crate::events::luminosity::LuminosityMask;

/// What reading needs to know of one file. The footer, of which that is little, is not kept.
#[derive(Debug)]
pub(super) struct FilePart {
    pub path: PathBuf,
    pub binding: Binding,
    pub row_groups: Vec<RowGroup>,
    identity: Identity,
}

#[derive(Debug)]
pub(super) struct RowGroup {
    pub rows: u64,
    /// Of the leaves that are read.
    pub chunks: Vec<Chunk>,
}

/// Consecutive row groups of one file: what one thread decodes at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    pub file: usize,
    pub row_groups: Range<usize>,
    pub first_row: u64,
    pub rows: u64,
    pub rows_per_batch: usize,
}

impl FilePart {
    /// Reads the footer of `path` and finds the projected columns.
    ///
    /// # Errors
    /// What is wrong, and the number of rows if the footer could be read.
    pub fn open(path: PathBuf, projection: &Projection, options: &ReadOptions) -> Result<Self, (Error, Option<u64>)> {
        let (file, metadata) = file::open(NAME, &path).map_err(|error| (error, None))?;
        let groups = metadata.metadata().row_groups();
        let rows = groups.iter().map(|group| file::count(group.num_rows())).fold(0, u64::saturating_add);
        let lost = |error| (error, Some(rows));
        let identity = Identity::of(NAME, &path, &file).map_err(lost)?;
        let binding = Binding::new(&path, &metadata, projection, options).map_err(lost)?;
        let row_group = |group: &RowGroupMetaData| RowGroup {
            rows: file::count(group.num_rows()),
            chunks: binding.leaves.iter().map(|&leaf| Chunk::new(group.column(leaf))).collect(),
        };
        let row_groups = groups.iter().map(row_group).collect();
        Ok(Self { path, binding, row_groups, identity })
    }

    /// Itself, unless a column has flags here and measured numbers in the `first` file, or the other way round: what a
    /// condition on it means would depend on the file.
    pub fn agree(self, first: Option<&Self>) -> Result<Self, (Error, Option<u64>)> {
        let Some(first) = first else { return Ok(self) };
        if self.binding.ids == Ids::IfPresent && self.binding.event.is_some() != first.binding.event.is_some() {
            let (with, without) = if self.binding.event.is_some() { (&self, first) } else { (first, &self) };
            let problem =
                format!("'{}' numbers its events, '{}' does not", with.path.display(), without.path.display());
            let fault = Fault::new(NAME, problem).because("survivors of a sample are told apart by their numbers");
            return Err((
                fault.suggest("Add the column to that file, or make two samples of them").data(),
                Some(self.rows()),
            ));
        }
        let Some((site, [one, here])) = first.binding.contradiction(&self.binding) else { return Ok(self) };
        let (there, path) = (first.path.display(), self.path.display());
        let fault = Fault::new(NAME, format!("column '{site}' is {one} in '{there}' and {here} in '{path}'"));
        let fault = fault.because("the files of a sample have the same columns");
        Err((fault.suggest("Write one of the files again, or make two samples of them").data(), Some(self.rows())))
    }

    pub fn rows(&self) -> u64 {
        self.row_groups.iter().map(|group| group.rows).fold(0, u64::saturating_add)
    }

    /// Joins small row groups until a task holds a batch's worth of rows. A file without rows is a task too.
    pub fn tasks(&self, file: usize, rows_per_batch: usize) -> Vec<Task> {
        let mut tasks: Vec<Task> = Vec::new();
        let mut first_row = 0;
        for (index, group) in self.row_groups.iter().enumerate().filter(|(_, group)| group.rows > 0) {
            let rows_per_batch = group.rows_of_a_batch(rows_per_batch);
            match tasks.last_mut() {
                Some(task) if task.rows + group.rows <= rows_per_batch.min(task.rows_per_batch) as u64 => {
                    task.row_groups.end = index + 1;
                    task.rows += group.rows;
                }
                _ => {
                    tasks.push(Task { file, row_groups: index..index + 1, first_row, rows: group.rows, rows_per_batch })
                }
            }
            // Footers lie; what is read is held against the pages.
            first_row = first_row.saturating_add(group.rows);
        }
        if tasks.is_empty() {
            tasks.push(Task { file, row_groups: 0..0, first_row: 0, rows: 0, rows_per_batch });
        }
        tasks
    }

    /// Hands the batches of `task` to `deliver`, one by one, for as long as there is demand.
    ///
    /// # Errors
    /// The first damage, null, contradiction.
    pub fn read(
        &self,
        task: &Task,
        mask: Option<&LuminosityMask>,
        mut deliver: impl FnMut(EventBatch) -> Demand,
    ) -> Result<()> {
        if task.rows == 0 {
            return Ok(());
        }
        let file = file::reopen(NAME, &self.path, &self.identity)?;
        let end = task.first_row.saturating_add(task.rows);
        let mut decoder = Decoder::new(self, mask, file, task);
        let mut row = task.first_row;
        while row < end {
            let rows = task.rows_per_batch.min(usize::try_from(end - row).unwrap_or(usize::MAX));
            let batch = file::guarded(|| match decoder.batch(row, rows) {
                Ok(batch) => Ok(Ok(batch)),
                Err(Trouble::Fault(error)) => Ok(Err(*error)),
                Err(Trouble::Damaged(why)) => Err(why),
            });
            let batch = batch.map_err(|why| self.damaged(row..end, why))??;
            row += rows as u64;
            if deliver(batch) == Demand::Stopped {
                break;
            }
        }
        Ok(())
    }

    fn damaged(&self, rows: Range<u64>, why: String) -> Error {
        let rows = format!("rows {} to {} of '{}'", rows.start, rows.end.saturating_sub(1), self.path.display());
        let fault = Fault::new(NAME, format!("{rows} cannot be decoded")).because(why);
        fault.suggest("The file is damaged: fetch or write it again").data()
    }
}

impl RowGroup {
    /// As many rows as asked, or fewer where lists are so long that a batch would have more than 16 million objects.
    fn rows_of_a_batch(&self, rows_per_batch: usize) -> usize {
        const MOST: u64 = 1 << 24;
        let values = self.chunks.iter().map(Chunk::values).max().unwrap_or(0);
        let mean = values / self.rows.max(1) + 1;
        rows_per_batch.min((MOST / mean).max(1) as usize)
    }
}
