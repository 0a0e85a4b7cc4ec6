//! The selected events that a card keeps: ids, variables, features, flags and weights as a Parquet table.

use super::run::Run;
use crate::device::Host;
use crate::error::Result;
use crate::events::{ColumnKind, EventBatch, TableWriter, Values};
use crate::report::DataFile;
use crate::selection::{FeatureTable, Outputs, Selection, Survivors};

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

/// The table of one sample, which grows batch by batch: `run`, `luminosityBlock`, `event`, the variables, `weight`, a flag for
/// each channel and region by its name, and for each table of features `lepton_pt`, ... and `lepton_mask`, lists of fixed
/// length.
pub(super) struct SurvivorTable {
    name: String,
    outputs: Outputs,
    writer: TableWriter,
}

impl SurvivorTable {
    pub(super) fn create(run: &Run, name: &str, selection: &Selection) -> Result<Self> {
        let outputs = selection.outputs().clone();
        let mut columns = vec![
            ("run".to_owned(), ColumnKind::U32),
            ("luminosityBlock".to_owned(), ColumnKind::U32),
            ("event".to_owned(), ColumnKind::U64),
        ];
        columns.extend(outputs.variables.iter().map(|name| (name.clone(), ColumnKind::F32)));
        columns.push(("weight".to_owned(), ColumnKind::F32));
        columns.extend(outputs.flags.iter().map(|name| (name.clone(), ColumnKind::Bool)));
        for FeatureTable { object, number, quantities, .. } in &outputs.features {
            let length = *number;
            let named = |quantity: &str| format!("{object}_{quantity}");
            columns.extend(quantities.iter().map(|quantity| (named(quantity), ColumnKind::F32List { length })));
            columns.push((named("mask"), ColumnKind::BoolList { length }));
        }
        let named: Vec<(&str, ColumnKind)> = columns.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
        let writer = TableWriter::create(run.output.path_of(name), &named)?;
        Ok(Self { name: name.to_owned(), outputs, writer })
    }

    pub(super) fn write(&mut self, survived: &Survived) -> Result<()> {
        let survivors = &survived.survivors;
        let count = survivors.count;
        let flags: Vec<Vec<bool>> = (0..self.outputs.flags.len())
            .map(|bit| survivors.flags[..count].iter().map(|flags| flags >> bit & 1 == 1).collect())
            .collect();
        let features: Vec<Vec<f32>> = self.outputs.features.iter().flat_map(|table| lists(table, survivors)).collect();
        let masks: Vec<Vec<bool>> = (self.outputs.features.iter())
            .map(|table| rows(table, table.quantities.len(), survivors).map(|there| there != 0.0).collect())
            .collect();
        let mut values =
            vec![Values::U32(&survived.run), Values::U32(&survived.luminosity_block), Values::U64(&survived.event)];
        let variables = &survivors.variables[..self.outputs.variables.len()];
        values.extend(variables.iter().map(|column| Values::F32(&column[..count])));
        values.push(Values::F32(&survivors.weight[..count]));
        values.extend(flags.iter().map(|flags| Values::Bool(flags)));
        let mut columns = features.iter();
        for (table, mask) in self.outputs.features.iter().zip(&masks) {
            values.extend(columns.by_ref().take(table.quantities.len()).map(|column| Values::F32(column)));
            values.push(Values::Bool(mask));
        }
        self.writer.write(&values)
    }

    pub(super) fn finish(self, run: &mut Run, holds: &str) -> Result<()> {
        self.writer.finish()?;
        run.output.record(&self.name)?;
        run.report.files.push(DataFile { path: self.name, holds: holds.into() });
        Ok(())
    }
}

/// The columns of a table of features, survivor after survivor.
fn lists(table: &FeatureTable, survivors: &Survivors<Host>) -> Vec<Vec<f32>> {
    (0..table.quantities.len()).map(|quantity| rows(table, quantity, survivors).collect()).collect()
}

/// The places of one quantity (the mask is behind the last), survivor after survivor.
fn rows<'a>(
    table: &'a FeatureTable,
    quantity: usize,
    survivors: &'a Survivors<Host>,
) -> impl Iterator<Item = f32> + 'a {
    let first = table.first + quantity * table.number;
    let places = &survivors.variables[first..first + table.number];
    (0..survivors.count).flat_map(move |row| places.iter().map(move |place| place[row]))
}
