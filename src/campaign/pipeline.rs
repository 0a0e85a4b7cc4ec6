//! The event segment on CUDA: one chunk travels while the one before is worked on. See [`super::segment`].

use super::segment::{Accumulators, KeptPart};
use crate::card::Keep;
use crate::device::memory::Budget;
use crate::device::{Cuda, Download, Host, OnDevice, Operation, Pending, Upload};
use crate::error::Result;
use crate::events::EventColumns;
use crate::selection::{self, Batch, Evaluating, Origin, Selection, Survivors, Tally};
use crate::spectrum::{self, Entries, Fill, SpectrumAccumulator};

/// The chunks on their way, and what stays on the device between them.
pub(super) struct Pipeline<'a> {
    cuda: Cuda,
    selection: &'a Selection,
    fill: &'a Fill,
    filled: &'a [usize],
    keep: Keep,
    for_selection: selection::Prepared,
    for_fill: spectrum::Prepared,
    cutflow: Tally<OnDevice>,
    spectrum: SpectrumAccumulator<OnDevice>,
    survivors: u64,
    evaluating: Option<Chunk<Evaluating>>,
    returning: Option<Chunk<Returning>>,
}

/// A part of a batch.
struct Chunk<T> {
    batch: u64,
    first: usize,
    state: T,
}

/// Survivors on their way to the host.
struct Returning {
    count: usize,
    index: Pending<u32>,
    variables: Vec<Pending<f32>>,
    weight: Pending<f32>,
    flags: Pending<u32>,
}

impl<'a> Pipeline<'a> {
    pub(super) fn new(
        cuda: &Cuda,
        selection: &'a Selection,
        fill: &'a Fill,
        filled: &'a [usize],
        keep: Keep,
    ) -> Result<Self> {
        Ok(Self {
            cuda: cuda.clone(),
            selection,
            fill,
            filled,
            keep,
            for_selection: selection::Prepared::default(),
            for_fill: fill.prepare(cuda)?,
            cutflow: Tally::empty_on(cuda, selection.cutflow_rows())?,
            spectrum: SpectrumAccumulator::empty_on(cuda, fill.rows())?,
            survivors: 0,
            evaluating: None,
            returning: None,
        })
    }

    pub(super) fn memory(&self) -> Budget {
        self.cuda.memory()
    }

    /// Sends a chunk on its way, and moves the ones before it on.
    pub(super) fn push(
        &mut self,
        columns: &EventColumns<Host>,
        origin: Origin,
        batch: u64,
        first: usize,
    ) -> Result<Option<KeptPart>> {
        let columns = columns.upload(&self.cuda)?;
        self.selection.check(&Batch {
            columns: columns.clone(),
            cutflow: self.cutflow.clone(),
            origin: origin.clone(),
        })?;
        let (cutflow, prepared) = (&mut self.cutflow, &mut self.for_selection);
        let state = self.selection.begin(&self.cuda, prepared, columns, cutflow, origin)?;
        match self.evaluating.replace(Chunk { batch, first, state }) {
            Some(before) => self.complete(before),
            None => Ok(None),
        }
    }

    /// Waits for an evaluation, fills with what survived and asks for it; the survivors of the chunk before come out.
    fn complete(&mut self, chunk: Chunk<Evaluating>) -> Result<Option<KeptPart>> {
        let survivors = self.selection.end(&self.cuda, chunk.state)?;
        self.survivors += survivors.count as u64;
        let values = self.filled.iter().map(|variable| survivors.variables[*variable].clone()).collect();
        let entries = Entries { values, weights: survivors.weight.clone(), spectrum: self.spectrum.clone() };
        self.fill.check(&entries)?;
        let Entries { values, weights, spectrum } = entries;
        // A shared accumulator cannot be written.
        drop(spectrum);
        self.fill.add(&self.cuda, &mut self.for_fill, &values, &weights, &mut self.spectrum)?;
        if self.keep == Keep::Histograms {
            return Ok(None);
        }
        let state = Returning::ask_for(&self.cuda, &survivors)?;
        let before = self.returning.replace(Chunk { batch: chunk.batch, first: chunk.first, state });
        before.map(Chunk::wait).transpose()
    }

    /// Drains what is on its way.
    pub(super) fn finish(mut self) -> Result<(Accumulators, Vec<KeptPart>)> {
        let mut kept = Vec::new();
        if let Some(chunk) = self.evaluating.take() {
            kept.extend(self.complete(chunk)?);
        }
        if let Some(chunk) = self.returning.take() {
            kept.push(chunk.wait()?);
        }
        self.fill.end(&self.cuda, &self.for_fill)?;
        let (cutflow, spectrum) = (self.cutflow.download(&self.cuda)?, self.spectrum.download(&self.cuda)?);
        Ok((Accumulators { cutflow, spectrum, survivors: self.survivors }, kept))
    }
}

impl Returning {
    fn ask_for(cuda: &Cuda, survivors: &Survivors<OnDevice>) -> Result<Self> {
        Ok(Self {
            count: survivors.count,
            index: cuda.download_later(&survivors.index)?,
            variables: survivors.variables.iter().map(|column| cuda.download_later(column)).collect::<Result<_>>()?,
            weight: cuda.download_later(&survivors.weight)?,
            flags: cuda.download_later(&survivors.flags)?,
        })
    }
}

impl Chunk<Returning> {
    fn wait(self) -> Result<KeptPart> {
        let Returning { count, index, variables, weight, flags } = self.state;
        let variables = variables.into_iter().map(Pending::wait).collect::<Result<_>>()?;
        let survivors =
            Survivors { count, index: index.wait()?, variables, weight: weight.wait()?, flags: flags.wait()? };
        Ok(KeptPart { batch: self.batch, first: self.first, survivors })
    }
}
