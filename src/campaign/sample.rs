//! One sample: its files, its weight, and its events through selection and fill.

use std::sync::Arc;

use super::progress::Stage;
use super::run::Run;
use super::segment::{EventSegment, Streamed, select_and_fill};
use super::survivors::{Survived, SurvivorTable};
use crate::Device;
use crate::card::{EventWork, GeneratorSum, Keep, Sample};
use crate::error::{Fault, Result};
use crate::events::{EventBatch, EventSource, Projection};
use crate::math::exact::WeightScale;
use crate::selection::tally::WeightedCount;
use crate::selection::{Origin, Selection, Weight};
use crate::spectrum::{Axis, Fill};

const NAME: &str = "campaign.sample";

/// Events that the CPU decodes, selects and fills at once: their columns stay in a second-level cache.
const EVENTS_A_BATCH: usize = 1 << 14;
/// Events that go to a device at once: 65,536 events of four jets are about 5 MB, small beside any memory, large beside the
/// cost of a launch.
const EVENTS_A_CHUNK: usize = 1 << 16;
/// Batches that wait between the decoder and whoever takes them.
const BATCHES_IN_QUEUE: usize = 4;

/// The selection of a sample, for the opening of its files: the weight may lack its last factor.
fn provisional(work: &EventWork, sample: &Sample) -> Result<Selection> {
    Ok(work.selection.with_weight(sample.weight.with_sum(1.0)?))
}

/// Opens the files of one sample for the columns that its selection and weight need.
pub(super) fn open(work: &EventWork, sample: &Sample) -> Result<EventSource> {
    EventSource::open(&patterns(sample), provisional(work, sample)?.projection())
}

fn patterns(sample: &Sample) -> Vec<String> {
    sample.files.iter().map(|path| path.display().to_string()).collect()
}

/// The weight of a sample, for which all of its events may have to be summed first.
fn weight(run: &Run, sample: &Sample, source: &EventSource) -> Result<Weight> {
    let sum = match (sample.weight.generator_sum, &sample.weight.column) {
        (GeneratorSum::Given(sum), _) => sum,
        (GeneratorSum::InFiles, None) => source.rows() as f64,
        (GeneratorSum::InFiles, Some(column)) => generator_sum(run, sample, column)?,
    };
    if sum == 0.0 {
        let problem = format!("the generator weights of sample '{}' add up to 0", sample.name);
        return Err(Fault::new(NAME, problem).because("a cross section is divided by that sum").data());
    }
    sample.weight.with_sum(sum)
}

/// The sum of a column over all events, exactly.
fn generator_sum(run: &Run, sample: &Sample, column: &str) -> Result<f64> {
    let scale = WeightScale::new(sample.weight.largest)?;
    let projection = Projection { scalars: vec![column.to_owned()], ..Projection::default() };
    let source = EventSource::open(&patterns(sample), &projection)?;
    let stage = run.progress.stage(&format!("sum weights {}", sample.name), "events", Some(source.rows()));
    let sum_of = move |batch: EventBatch| -> Result<(u64, WeightedCount)> {
        let mut sum = WeightedCount::default();
        for weight in &batch.columns.scalars[0] {
            // Also refuses what is no number or out of range.
            scale.weight(f64::from(*weight))?;
            sum.add(scale, *weight);
        }
        Ok((batch.columns.events as u64, sum))
    };
    let mut total = WeightedCount::default();
    for sum in source.map_batches(EVENTS_A_CHUNK, BATCHES_IN_QUEUE, sum_of) {
        let (events, sum) = sum?;
        total.merge(&sum)?;
        stage.add(events);
        run.progress.interrupted()?;
    }
    Ok(total.sum(scale))
}

/// Reads, selects and fills one sample; survivors are written as they come.
pub(super) fn stream(
    run: &mut Run,
    work: &EventWork,
    sample: &Sample,
    source: &EventSource,
    axes: &[Axis],
    filled: &[usize],
) -> Result<Streamed> {
    let weight = weight(run, sample, source)?;
    let fill = Fill::new(axes.to_vec(), weight.scale())?;
    let selection = work.selection.with_weight(weight);
    let stage = run.progress.stage(&format!("select {}", sample.name), "events", Some(source.rows()));
    let mut table = match work.keep {
        Keep::Histograms => None,
        Keep::Survivors => Some(SurvivorTable::create(run, &format!("survivors-{}.parquet", sample.name), &selection)?),
    };
    let files: Arc<[Arc<str>]> = source.files().iter().map(|file| file.display().to_string().into()).collect();
    let streamed = match &run.device {
        Device::Cpu => on_cpu(run, &stage, source, files, selection, fill, filled, &mut table)?,
        Device::Cuda(_) => on_cuda(run, &stage, source, &files, &selection, &fill, filled, &mut table)?,
    };
    run.record_stage(stage.finish());
    if let Some(table) = table {
        table.finish(
            run,
            &format!("The selected events of {}: ids, variables, features, flags, weights.", sample.name),
        )?;
    }
    Ok(streamed)
}

/// Every thread that decodes also selects and fills; what is left is added up here, in the order of the events.
#[allow(clippy::too_many_arguments)] // one call, from the function above
fn on_cpu(
    run: &Run,
    stage: &Stage,
    source: &EventSource,
    files: Arc<[Arc<str>]>,
    selection: Selection,
    fill: Fill,
    filled: &[usize],
    table: &mut Option<SurvivorTable>,
) -> Result<Streamed> {
    let keeps = table.is_some();
    let mut total = Streamed::empty(&selection, &fill)?;
    let filled = filled.to_vec();
    let (selection, fill) = (Arc::new(selection), Arc::new(fill));
    let work = {
        let (selection, fill) = (selection.clone(), fill.clone());
        move |batch: EventBatch| {
            let origin = Origin { file: files[batch.file].clone(), first_row: batch.first_row };
            let (counted, survivors) = select_and_fill(&selection, &fill, &filled, &batch, origin)?;
            let survived = keeps.then(|| Survived::of(&batch, 0, survivors));
            Ok((batch.columns.events as u64, counted, survived))
        }
    };
    for product in source.map_batches(EVENTS_A_BATCH, BATCHES_IN_QUEUE, work) {
        let (events, counted, survived) = product?;
        total.merge(&counted)?;
        if let (Some(table), Some(survived)) = (&mut *table, survived) {
            table.write(survived)?;
        }
        stage.add(events);
        run.progress.interrupted()?;
    }
    Ok(total)
}

#[allow(clippy::too_many_arguments)] // one call, from `stream`
fn on_cuda(
    run: &Run,
    stage: &Stage,
    source: &EventSource,
    files: &[Arc<str>],
    selection: &Selection,
    fill: &Fill,
    filled: &[usize],
    table: &mut Option<SurvivorTable>,
) -> Result<Streamed> {
    let keep = if table.is_some() { Keep::Survivors } else { Keep::Histograms };
    let mut segment = EventSegment::new(&run.device, selection, fill, filled, keep)?;
    for batch in source.batches(EVENTS_A_CHUNK, BATCHES_IN_QUEUE) {
        let batch = batch?;
        let origin = Origin { file: files[batch.file].clone(), first_row: batch.first_row };
        let parts;
        (segment, parts) = segment.push(&batch.columns, &origin)?;
        if let Some(table) = table {
            for part in parts {
                table.write(Survived::of(&batch, part.first, part.survivors))?;
            }
        }
        stage.add(batch.columns.events as u64);
        run.progress.interrupted()?;
    }
    segment.finish()
}
