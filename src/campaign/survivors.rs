//! The selected events that a card keeps: ids, variables, features, flags and weights as a Parquet table.

use super::run::Run;
use crate::device::Host;
use crate::error::Result;
use crate::events::{Column, EventBatch, write_table};
use crate::report::DataFile;
use crate::selection::{Selection, Survivors};

/// Survivors with their ids.
pub(super) struct Survived {
    run: Vec<u32>,
    luminosity_block: Vec<u32>,
    event: Vec<u64>,
    survivors: Survivors<Host>,
}

impl Survived {
    /// The survivors of a part of a batch that begins at its event `first`.
    pub(super) fn of(batch: &EventBatch, first: usize, survivors: Survivors<Host>) -> Self {
        let count = survivors.count;
        let (mut run, mut luminosity_block) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut event = Vec::with_capacity(count);
        for index in &survivors.index[..count] {
            let id = batch.id(first + *index as usize);
            run.push(id.0);
            luminosity_block.push(id.1);
            event.push(id.2);
        }
        Self { run, luminosity_block, event, survivors }
    }
}

/// The table of one sample while it is written.
pub(super) struct SurvivorTable {
    name: String,
    outputs: crate::selection::Outputs,
    parts: Vec<Survived>,
}

impl SurvivorTable {
    pub(super) fn create(_run: &mut Run, name: &str, selection: &Selection) -> Result<Self> {
        Ok(Self { name: name.to_owned(), outputs: selection.outputs().clone(), parts: Vec::new() })
    }

    pub(super) fn write(&mut self, survived: Survived) -> Result<()> {
        self.parts.push(survived);
        Ok(())
    }

    pub(super) fn finish(self, run: &mut Run, holds: &str) -> Result<()> {
        let all = |of: &dyn Fn(&Survived) -> &[f32]| -> Vec<f32> {
            self.parts.iter().flat_map(|part| of(part)[..part.survivors.count].iter().copied()).collect()
        };
        let mut columns = vec![
            ("run".to_owned(), Column::U32(self.parts.iter().flat_map(|part| part.run.iter().copied()).collect())),
            (
                "luminosityBlock".to_owned(),
                Column::U32(self.parts.iter().flat_map(|part| part.luminosity_block.iter().copied()).collect()),
            ),
            ("event".to_owned(), Column::U64(self.parts.iter().flat_map(|part| part.event.iter().copied()).collect())),
        ];
        for (at, name) in self.outputs.variables.iter().enumerate() {
            columns.push((name.clone(), Column::F32(all(&|part| &part.survivors.variables[at]).into())));
        }
        columns.push(("weight".into(), Column::F32(all(&|part| &part.survivors.weight).into())));
        let named: Vec<(&str, Column)> = columns.iter().map(|(name, column)| (name.as_str(), column.clone())).collect();
        write_table(&run.output.path_of(&self.name), &named)?;
        run.output.record(&self.name)?;
        run.report.files.push(DataFile { path: self.name, holds: holds.into() });
        Ok(())
    }
}
