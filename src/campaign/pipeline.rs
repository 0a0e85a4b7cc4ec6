//! The event segment on CUDA: one chunk travels while the one before is worked on. See [`super::segment`].

use super::segment::{Accumulators, KeptPart};
use crate::card::Keep;
use crate::device::memory::Budget;
use crate::device::{Cuda, Download, Host, OnDevice, Operation, Pending, Upload};
use crate::error::Result;
use crate::events::EventColumns;
use crate::selection::{self, Batch, Evaluating, Origin, Selection, Survivors, Tally};
use crate::spectrum::{self, Entries, Filling, SpectrumAccumulator};

/// The chunks on their way, and what stays on the device between them.
pub(super) struct Pipeline<'a> {
    cuda: Cuda,
    selection: &'a Selection,
    fills: Vec<DeviceFill<'a>>,
    keep: Keep,
    for_selection: selection::Prepared,
    cutflow: Tally<OnDevice>,
    survivors: u64,
    evaluating: Option<Chunk<Evaluating>>,
    returning: Option<Chunk<Returning>>,
}

/// A filling, and what it has on the device.
struct DeviceFill<'a> {
    filling: &'a Filling,
    prepared: spectrum::Prepared,
    spectrum: SpectrumAccumulator<OnDevice>,
}

impl<'a> DeviceFill<'a> {
    fn new(cuda: &Cuda, filling: &'a Filling) -> Result<Self> {
        let spectrum = SpectrumAccumulator::empty_on(cuda, filling.fill.rows())?;
        Ok(Self { filling, prepared: filling.fill.prepare(cuda)?, spectrum })
    }

    /// Asks for the fill with survivors.
    fn add(&mut self, cuda: &Cuda, survivors: &Survivors<OnDevice>) -> Result<()> {
        let (fill, entries) = (&self.filling.fill, self.filling.entries(survivors, self.spectrum.clone()));
        fill.check(&entries)?;
        let Entries { values, weights, spectrum } = entries;
        // A shared accumulator cannot be written.
        drop(spectrum);
        fill.add(cuda, &mut self.prepared, &values, &weights, &mut self.spectrum)
    }
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
    pub(super) fn new(cuda: &Cuda, selection: &'a Selection, fillings: &'a [Filling], keep: Keep) -> Result<Self> {
        Ok(Self {
            cuda: cuda.clone(),
            selection,
            fills: fillings.iter().map(|filling| DeviceFill::new(cuda, filling)).collect::<Result<_>>()?,
            keep,
            for_selection: selection::Prepared::default(),
            cutflow: Tally::empty_on(cuda, selection.cutflow_rows())?,
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
        self.fills.iter_mut().try_for_each(|fill| fill.add(&self.cuda, &survivors))?;
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
        self.fills.iter().try_for_each(|fill| fill.filling.fill.end(&self.cuda, &fill.prepared))?;
        let cutflow = self.cutflow.download(&self.cuda)?;
        let spectra = self.fills.iter().map(|fill| fill.spectrum.download(&self.cuda)).collect::<Result<_>>()?;
        Ok((Accumulators { cutflow, spectra, survivors: self.survivors }, kept))
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
