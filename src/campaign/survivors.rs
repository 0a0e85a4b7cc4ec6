//! The selected events that a card keeps: ids, variables and weights as a Parquet table.

use super::run::Run;
use super::segment::KeptPart;
use crate::error::Result;
use crate::events::{Column, EventBatch, write_table};
use crate::report::DataFile;
use crate::selection::Selection;

/// The rows so far: 16 bytes of ids and 4 bytes for each variable and the weight.
pub(super) struct KeptEvents {
    names: Vec<String>,
    run: Vec<u32>,
    luminosity_block: Vec<u32>,
    event: Vec<u64>,
    variables: Vec<Vec<f32>>,
    weight: Vec<f32>,
}

impl KeptEvents {
    pub(super) fn new(selection: &Selection) -> Self {
        let names: Vec<String> = selection.variables().map(str::to_owned).collect();
        let variables = vec![Vec::new(); names.len()];
        Self { names, run: Vec::new(), luminosity_block: Vec::new(), event: Vec::new(), variables, weight: Vec::new() }
    }

    /// Adds the survivors of a part of a batch.
    pub(super) fn add(&mut self, batch: &EventBatch, part: &KeptPart) {
        for index in &part.survivors.index[..part.survivors.count] {
            let (run, luminosity_block, event) = batch.id(part.first + *index as usize);
            self.run.push(run);
            self.luminosity_block.push(luminosity_block);
            self.event.push(event);
        }
        for (column, values) in self.variables.iter_mut().zip(&part.survivors.variables) {
            column.extend_from_slice(&values[..part.survivors.count]);
        }
        self.weight.extend_from_slice(&part.survivors.weight[..part.survivors.count]);
    }

    /// Writes the table into the output folder.
    pub(super) fn write(self, run: &mut Run, name: &str, holds: &str) -> Result<()> {
        let mut columns = vec![
            ("run", Column::U32(self.run.into())),
            ("luminosityBlock", Column::U32(self.luminosity_block.into())),
            ("event", Column::U64(self.event.into())),
        ];
        let named = self.names.iter().map(String::as_str);
        columns.extend(named.zip(self.variables.into_iter().map(|values| Column::F32(values.into()))));
        columns.push(("weight", Column::F32(self.weight.into())));
        run.output.write_with(name, |path| write_table(path, &columns))?;
        run.report.files.push(DataFile { path: name.into(), holds: holds.into() });
        Ok(())
    }
}
