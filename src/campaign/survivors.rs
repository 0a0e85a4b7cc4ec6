//! The selected events that a card keeps: ids, variables, features, flags and weights as a Parquet table.

use super::run::Run;
use crate::device::Host;
use crate::error::Result;
use crate::events::{ColumnKind, EventBatch, EventSource, TableWriter, Values};
use crate::report::DataFile;
use crate::selection::{FeatureTable, Outputs, Selection, Survivors};

/// Survivors with their ids, as far as their file has them, shaped as the columns of the table: threads that select do this,
/// so that what waits to be written is small and little is left for the one that writes.
pub(super) struct Survived {
    run: Option<Vec<u32>>,
    luminosity_block: Option<Vec<u32>>,
    /// Whether `event` is the file's own and not the row.
    is_numbered: bool,
    event: Vec<u64>,
    variables: Vec<Vec<f32>>,
    weight: Vec<f32>,
    flags: Vec<Vec<bool>>,
    /// Of each table of features: its quantities, and its mask.
    features: Vec<(Vec<Vec<f32>>, Vec<bool>)>,
}

impl Survived {
    /// The survivors of a part of a batch that begins at its event `first`.
    pub(super) fn of(batch: &EventBatch, first: usize, survivors: &Survivors<Host>, outputs: &Outputs) -> Self {
        let count = survivors.count;
        let events = survivors.index[..count].iter().map(|index| first + *index as usize);
        let of_survivors =
            |ids: &Option<Vec<u32>>| ids.as_ref().map(|ids| events.clone().map(|event| ids[event]).collect());
        let (run, luminosity_block) = (of_survivors(&batch.ids.run), of_survivors(&batch.ids.luminosity_block));
        let event = match &batch.ids.event {
            Some(ids) => events.map(|event| ids[event]).collect(),
            None => events.map(|event| batch.first_row + event as u64).collect(),
        };
        let variables = &survivors.variables[..outputs.variables.len()];
        let flag = |bit| survivors.flags[..count].iter().map(|flags| flags >> bit & 1 == 1).collect();
        let mask =
            |table: &FeatureTable| rows(table, table.quantities.len(), survivors).map(|there| there != 0.0).collect();
        Self {
            run,
            luminosity_block,
            is_numbered: batch.ids.event.is_some(),
            event,
            variables: variables.iter().map(|column| column[..count].to_vec()).collect(),
            weight: survivors.weight[..count].to_vec(),
            flags: (0..outputs.flags.len()).map(flag).collect(),
            features: outputs.features.iter().map(|table| (lists(table, survivors), mask(table))).collect(),
        }
    }
}

/// What is kept of survivors in memory: what networks learn from and are scored by.
#[derive(Debug, Clone, Default)]
pub(super) struct Gathered {
    /// Which variables of the selection.
    variables: Vec<usize>,
    /// Which region's flag, if any.
    region: Option<usize>,
    /// A column for each variable.
    pub(super) columns: Vec<Vec<f32>>,
    /// The weights of events.
    pub(super) weight: Vec<f32>,
    /// Whether events are in the region; no flags without one.
    pub(super) is_in_region: Vec<bool>,
    /// The runs; 0 where a file has none.
    pub(super) run: Vec<u32>,
    /// The numbers of events, or their rows where a file has none.
    pub(super) event: Vec<u64>,
    /// How many events have no number but their row.
    pub(super) unnumbered: usize,
    /// How many events have no run.
    pub(super) without_run: usize,
}

impl Gathered {
    /// Nothing yet of these variables, by their places in the selection, and of this flag.
    pub(super) fn of(variables: Vec<usize>, region: Option<usize>) -> Self {
        let columns = vec![Vec::new(); variables.len()];
        Self { variables, region, columns, ..Self::default() }
    }

    /// The number of events.
    pub(super) fn events(&self) -> usize {
        self.event.len()
    }

    /// An event in words.
    pub(super) fn name_of(&self, event: usize) -> String {
        match self.run[event] {
            0 => format!("event {}", self.event[event]),
            run => format!("event {} of run {run}", self.event[event]),
        }
    }

    /// Numbers that tell events apart, whatever file they are in.
    pub(super) fn keys(&self) -> Vec<u64> {
        // The golden ratio's multiples do not meet numbers of events.
        let of_run = |run: &u32| u64::from(*run).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.run.iter().zip(&self.event).map(|(run, event)| event.wrapping_add(of_run(run))).collect()
    }

    fn clear(&mut self) {
        *self = Self::of(std::mem::take(&mut self.variables), self.region);
    }

    fn add(&mut self, survived: &Survived) {
        for (column, variable) in self.columns.iter_mut().zip(&self.variables) {
            column.extend_from_slice(&survived.variables[*variable]);
        }
        self.weight.extend_from_slice(&survived.weight);
        self.is_in_region.extend(self.region.iter().flat_map(|region| &survived.flags[*region]));
        self.event.extend_from_slice(&survived.event);
        self.unnumbered += if survived.is_numbered { 0 } else { survived.event.len() };
        match &survived.run {
            Some(run) => self.run.extend_from_slice(run),
            None => {
                self.run.resize(self.event.len(), 0);
                self.without_run += survived.event.len();
            }
        }
    }
}

/// Where survivors go.
pub(super) struct Sink<'a> {
    /// Into a table of their sample.
    pub(super) table: Option<SurvivorTable>,
    /// Into memory.
    pub(super) gathered: Option<&'a mut Gathered>,
}

impl<'a> Sink<'a> {
    /// Into a table, into memory from its beginning, into both, or nowhere.
    pub(super) fn new(table: Option<SurvivorTable>, mut gathered: Option<&'a mut Gathered>) -> Self {
        if let Some(gathered) = &mut gathered {
            gathered.clear();
        }
        Self { table, gathered }
    }

    /// Whether survivors go anywhere.
    pub(super) fn is_open(&self) -> bool {
        self.table.is_some() || self.gathered.is_some()
    }

    pub(super) fn take(&mut self, survived: &Survived) -> Result<()> {
        if let Some(gathered) = &mut self.gathered {
            gathered.add(survived);
        }
        self.table.as_mut().map_or(Ok(()), |table| table.write(survived))
    }
}

/// The table of one sample, which grows batch by batch: `run` and `luminosityBlock` if a file of the sample has them (0 for
/// the events of a file that has not), `event` (the row in the file if that has none), the variables, `weight`, a flag for
/// each channel and region by its name, and for each table of features `lepton_pt`, ... and `lepton_mask`, lists of fixed
/// length.
pub(super) struct SurvivorTable {
    name: String,
    has_runs: bool,
    has_luminosity_blocks: bool,
    writer: TableWriter,
}

impl SurvivorTable {
    pub(super) fn create(run: &Run, name: &str, selection: &Selection, source: &EventSource) -> Result<Self> {
        let outputs = selection.outputs();
        let (has_runs, has_luminosity_blocks) = (source.has_runs(), source.has_luminosity_blocks());
        let ids = [
            (has_runs, "run", ColumnKind::U32),
            (has_luminosity_blocks, "luminosityBlock", ColumnKind::U32),
            (true, "event", ColumnKind::U64),
        ];
        let ids = ids.into_iter().filter(|(there, ..)| *there);
        let mut columns: Vec<_> = ids.map(|(_, name, kind)| (name.to_owned(), kind)).collect();
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
        Ok(Self { name: name.to_owned(), has_runs, has_luminosity_blocks, writer })
    }

    pub(super) fn write(&mut self, survived: &Survived) -> Result<()> {
        let unknown = vec![0; survived.event.len()];
        let (runs, blocks) = (survived.run.as_ref(), survived.luminosity_block.as_ref());
        let mut values = Vec::new();
        values.extend(self.has_runs.then(|| Values::U32(runs.unwrap_or(&unknown))));
        values.extend(self.has_luminosity_blocks.then(|| Values::U32(blocks.unwrap_or(&unknown))));
        values.push(Values::U64(&survived.event));
        values.extend(survived.variables.iter().map(|column| Values::F32(column)));
        values.push(Values::F32(&survived.weight));
        values.extend(survived.flags.iter().map(|flags| Values::Bool(flags)));
        for (quantities, mask) in &survived.features {
            values.extend(quantities.iter().map(|quantity| Values::F32(quantity)));
            values.push(Values::Bool(mask));
        }
        self.writer.write(&values)
    }

    pub(super) fn finish(self, run: &mut Run, holds: &str) -> Result<()> {
        let written = self.writer.finish()?;
        run.output.record(&self.name, &written);
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
