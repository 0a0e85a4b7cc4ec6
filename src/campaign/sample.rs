//! One sample: its files, its weight, and its events through selection and fill.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use super::progress::Stage;
use super::run::Run;
use super::segment::{EventSegment, KeptPart, Streamed, select_and_fill};
use super::survivors::{Gathered, Sink, Survived, SurvivorTable};
use crate::Device;
use crate::card::{EventWork, GeneratorSum, Keep, Role, Sample};
use crate::error::{Error, Fault, Result};
use crate::events::{
    BadFiles, EventBatch, EventColumns, EventSource, FileEvent, Ids, LuminosityMask, Projection, ReadOptions,
};
use crate::features::jets::JetMaker;
use crate::math::exact::WeightScale;
use crate::report::number;
use crate::selection::tally::WeightedCount;
use crate::selection::{Origin, Outputs, Selection, Weight};
use crate::spectrum::Filling;

const NAME: &str = "campaign.sample";

/// Events that the CPU decodes, selects and fills at once: their columns stay in a second-level cache.
const EVENTS_A_BATCH: usize = 1 << 14;
/// The same where jets are clustered of particles, of which there are hundreds an event.
const EVENTS_A_BATCH_OF_PARTICLES: usize = 1 << 11;
/// Events that go to a device at once: 65,536 events of four jets are about 5 MB, small beside any memory, large beside the
/// cost of a launch.
const EVENTS_A_CHUNK: usize = 1 << 16;
/// Batches that wait between the decoder and whoever takes them.
const BATCHES_IN_QUEUE: usize = 4;
/// What the products of the CPU may take while they wait, if all their events survived. Row groups are taken in their order, so a
/// thread must be able to finish one while another works on the one before: with room for four batches, two threads were as
/// fast as one on row groups of a million events (64 batches).
const BYTES_IN_QUEUE: usize = 256 << 20;
/// As many for each thread.
const PRODUCTS_A_THREAD: usize = 64;

/// A file that was left out.
pub(super) struct Skipped {
    pub path: PathBuf,
    pub why: String,
    /// The events that are lost, if its footer could be read.
    pub rows: Option<u64>,
}

/// The selection of a sample, for the opening of its files: the weight may lack its last factor.
fn provisional(work: &EventWork, sample: &Sample) -> Result<Selection> {
    Ok(work.selection.with_weight(sample.weight.with_sum(1.0)?))
}

/// Opens the files of one sample for the columns that its selection and weight need.
///
/// # Errors
/// Every problem of the files; a luminosity mask that cannot be read.
pub(super) fn open(work: &EventWork, sample: &Sample, bad_files: BadFiles) -> Result<EventSource> {
    EventSource::open_with(&patterns(sample), &projection(work, sample)?, &options(sample, bad_files)?)
}

/// The columns of a sample, with the ids that survivors keep.
fn projection(work: &EventWork, sample: &Sample) -> Result<Projection> {
    let ids = match (work.keep, &work.model) {
        (Keep::Histograms, None) => Ids::Skipped,
        (Keep::Survivors, _) | (_, Some(_)) => Ids::IfPresent,
    };
    let maker = JetMaker::new(&work.jets, provisional(work, sample)?.projection())?;
    Ok(Projection { ids, ..maker.read().clone() })
}

fn options(sample: &Sample, bad_files: BadFiles) -> Result<ReadOptions> {
    let mask = sample.reading.luminosity_mask.as_ref().map(LuminosityMask::read).transpose()?;
    let (schema, luminosity_mask) = (sample.reading.schema.clone(), mask.map(Arc::new));
    Ok(ReadOptions { schema, bad_files, luminosity_mask })
}

fn patterns(sample: &Sample) -> Vec<String> {
    sample.files.iter().map(|path| path.display().to_string()).collect()
}

/// Reads, selects and fills one sample; survivors are written, and gathered where that is asked for, as they come. Files that are left
/// out are recorded.
///
/// # Errors
/// What the data contradict, with the sample, the file and the row; a disk that refuses; a signal.
pub(super) fn stream(
    run: &mut Run,
    work: &EventWork,
    sample: &Sample,
    source: &EventSource,
    fillings: &[Filling],
    mut gathered: Option<&mut Gathered>,
) -> Result<Streamed> {
    let mut lost = Vec::from_iter(source.skipped().iter().map(|file| Skipped {
        path: file.path.clone(),
        why: file.error.to_string(),
        rows: file.rows,
    }));
    let mut source = source.clone();
    let streamed = loop {
        match pass(run, work, sample, &source, fillings, gathered.as_deref_mut())
            .map_err(|error| error.about(&format!("sample '{}'", sample.name)))?
        {
            Pass::Done(streamed, failed) => {
                lost.extend(failed);
                break streamed;
            }
            Pass::Again(failed) => {
                lost.extend(failed);
                let (left_out, name) = (lost.len(), sample.name.as_str());
                tracing::warn!(
                    sample = name,
                    left_out,
                    "reads the sample again, without what failed in its sum of weights"
                );
                source = without(work, sample, &source, &lost)?;
            }
        }
    };
    if !lost.is_empty() {
        say_normalisation(run, sample, source.files().len());
    }
    lost.into_iter().for_each(|file| run.record_skipped(&sample.name, file));
    Ok(streamed)
}

/// How one reading of a sample ended.
enum Pass {
    /// All that could be read was; these files failed.
    Done(Streamed, Vec<Skipped>),
    /// These files failed after they had become part of the sum of generator weights. A file that is left out must have no
    /// part in that sum either, or the yields of the others are too low.
    Again(Vec<Skipped>),
}

/// The sample without the files that were lost.
fn without(work: &EventWork, sample: &Sample, source: &EventSource, lost: &[Skipped]) -> Result<EventSource> {
    let kept = source.files().iter().filter(|file| lost.iter().all(|lost| lost.path != **file));
    // A path that exists is no pattern.
    let kept: Vec<String> = kept.map(|file| file.display().to_string()).collect();
    if let (true, Some(file)) = (kept.is_empty(), lost.last()) {
        let problem = format!("no file of sample '{}' can be read to its end", sample.name);
        return Err(Fault::new(NAME, problem).because(file.why.clone()).data());
    }
    EventSource::open_with(&kept, &projection(work, sample)?, &options(sample, BadFiles::Skip)?)
}

/// Says what files that were left out mean for the weights of a simulation.
fn say_normalisation(run: &mut Run, sample: &Sample, files: usize) {
    let name = &sample.name;
    match (sample.weight.generator_sum, sample.role) {
        (_, Role::Data) => {
            run.note(
                "Normalisation",
                format!("{name} lacks the events of skipped files; the luminosity is not corrected"),
            );
        }
        (GeneratorSum::InFiles, _) => {
            let words = format!("the sum of generator weights of {name} is that of the {files} file(s) that were read");
            run.note("Normalisation", words);
        }
        (GeneratorSum::Given(_), _) => {
            let words = format!("{name} lacks the events of skipped files, and its weights are not corrected for that");
            run.note("Normalisation", words);
        }
    }
}

/// The weight of a sample, for which all of its events may have to be summed first; or the files that failed in that.
fn weight(run: &Run, sample: &Sample, source: &EventSource) -> Result<Result<Weight, Vec<Skipped>>> {
    let sum = match (sample.weight.generator_sum, &sample.weight.column) {
        (GeneratorSum::Given(sum), _) => sum,
        (GeneratorSum::InFiles, None) => source.rows() as f64,
        (GeneratorSum::InFiles, Some(column)) => match generator_sum(run, sample, source, column)? {
            (_, failed) if !failed.is_empty() => return Ok(Err(failed)),
            (sum, _) => sum,
        },
    };
    if sum == 0.0 {
        let problem = format!("the generator weights of sample '{}' add up to 0", sample.name);
        return Err(Fault::new(NAME, problem).because("a cross section is divided by that sum").data());
    }
    sample.weight.with_sum(sum).map(Ok)
}

/// The sum of a column over all events of the files that could be opened, exactly, and the files that could not be read to
/// their end.
fn generator_sum(run: &Run, sample: &Sample, opened: &EventSource, column: &str) -> Result<(f64, Vec<Skipped>)> {
    let scale = WeightScale::new(sample.weight.largest)?;
    let projection = Projection { scalars: vec![column.to_owned()], ids: Ids::Skipped, ..Projection::default() };
    // A path that exists is no pattern.
    let names: Vec<String> = opened.files().iter().map(|file| file.display().to_string()).collect();
    let source = EventSource::open_with(&names, &projection, &options(sample, run.bad_files)?)?;
    let stage = run.progress.stage(&format!("sum weights {}", sample.name), "events", Some(source.rows()));
    let refused = Refusal { column: column.to_owned(), largest: sample.weight.largest, files: source.files().to_vec() };
    let sum_of = move |batch: EventBatch| -> Result<(u64, WeightedCount)> {
        let mut sum = WeightedCount::default();
        for (row, weight) in batch.columns.scalars[0].iter().enumerate() {
            if scale.weight(f64::from(*weight)).is_err() {
                return Err(refused.error(*weight, batch.file, batch.first_row + row as u64));
            }
            sum.add(scale, *weight);
        }
        Ok((batch.columns.events as u64, sum))
    };
    let (mut total, mut lost) = (WeightedCount::default(), Vec::new());
    for event in source.map_files(EVENTS_A_CHUNK, BATCHES_IN_QUEUE, sum_of) {
        match event? {
            FileEvent::Product((events, sum)) => {
                total.merge(&sum)?;
                stage.add(events);
            }
            FileEvent::Finished { .. } => {}
            FileEvent::Failed { file, error, rows } => lost.push(failed(&source, file, &error, rows)),
        }
        run.progress.interrupted()?;
    }
    Ok((total.sum(scale), lost))
}

/// A file that failed after it had been opened.
fn failed(source: &EventSource, file: usize, error: &Error, rows: u64) -> Skipped {
    Skipped { path: source.files()[file].clone(), why: error.to_string(), rows: Some(rows) }
}

/// What is said of a weight that has no part in a sum.
struct Refusal {
    column: String,
    largest: f64,
    files: Vec<PathBuf>,
}

impl Refusal {
    fn error(&self, weight: f32, file: usize, row: u64) -> Error {
        let (column, largest, file) = (&self.column, self.largest, self.files[file].display());
        let (problem, reason) = if !weight.is_finite() {
            ("is not finite", "a sum with it would have no value".to_owned())
        } else if f64::from(weight.abs()) > largest {
            ("is too large", format!("largest_weight is {largest}"))
        } else {
            ("is too small", format!("beside largest_weight, {largest}, its square would be lost"))
        };
        Fault::new(NAME, format!("the weight '{column}' = {weight:e} {problem} in row {row} of {file}"))
            .because(reason)
            .suggest("Declare the largest weight of the sample, or mend the column.")
            .data()
    }
}

/// Reads the files once.
fn pass(
    run: &mut Run,
    work: &EventWork,
    sample: &Sample,
    source: &EventSource,
    fillings: &[Filling],
    gathered: Option<&mut Gathered>,
) -> Result<Pass> {
    let weight = match weight(run, sample, source)? {
        Ok(weight) => weight,
        Err(failed) => return Ok(Pass::Again(failed)),
    };
    let fillings: Vec<Filling> = fillings.iter().map(|filling| filling.with_scale(weight.scale())).collect();
    let selection = work.selection.with_weight(weight);
    let maker = JetMaker::new(&work.jets, selection.projection())?;
    let stage = run.progress.stage(&format!("select {}", sample.name), "events", Some(source.rows()));
    let table = match work.keep {
        Keep::Histograms => None,
        Keep::Survivors => {
            let name = format!("survivors-{}.parquet", sample.name);
            Some(SurvivorTable::create(run, &name, &selection, source)?)
        }
    };
    let mut sink = Sink::new(table, gathered);
    let files: Arc<[Arc<str>]> = source.files().iter().map(|file| file.display().to_string().into()).collect();
    // A clone counts with it.
    let made = maker.clone();
    let (streamed, lost) = match &run.device {
        Device::Cpu => on_cpu(run, &stage, source, files, maker, selection, fillings, &mut sink)?,
        Device::Cuda(_) => on_cuda(run, &stage, source, &files, maker, &selection, &fillings, &mut sink)?,
    };
    if sample.weight.generator_sum == GeneratorSum::InFiles && !lost.is_empty() {
        return Ok(Pass::Again(lost));
    }
    run.record_stage(stage.finish());
    if made.too_large() > 0 {
        let number = number::count(made.too_large());
        let words = format!(
            "{number} events and jets of {} were too large for the device: the CPU clustered them",
            sample.name
        );
        run.note("Jets", words);
    }
    if let Some(table) = sink.table {
        table.finish(
            run,
            &format!("The selected events of {}: ids, variables, features, flags, weights.", sample.name),
        )?;
    }
    Ok(Pass::Done(streamed, lost))
}

/// Every thread that decodes also selects and fills; what is left is added up here, in the order of the events.
#[allow(clippy::too_many_arguments)] // one call, from the function above
fn on_cpu(
    run: &Run,
    stage: &Stage,
    source: &EventSource,
    files: Arc<[Arc<str>]>,
    maker: JetMaker,
    selection: Selection,
    fillings: Vec<Filling>,
    sink: &mut Sink,
) -> Result<(Streamed, Vec<Skipped>)> {
    let keeps = sink.is_open();
    let events_a_batch = if maker.is_idle() { EVENTS_A_BATCH } else { EVENTS_A_BATCH_OF_PARTICLES };
    let mut total = Streamed::empty(&selection, &fillings)?;
    let queue = products_in_queue(&selection, &fillings);
    let selection = Arc::new(selection);
    let work = {
        let selection = selection.clone();
        move |batch: EventBatch| {
            let batch = make(&maker, &Device::Cpu, batch, &files)?;
            let origin = Origin { file: files[batch.file].clone(), first_row: batch.first_row };
            let (counted, survivors) = select_and_fill(&selection, &fillings, &batch, origin)?;
            let survived = keeps.then(|| Survived::of(&batch, 0, &survivors, selection.outputs()));
            Ok((batch.columns.events as u64, counted, survived))
        }
    };
    // Of a file that may still fail, nothing is counted or written before it has ended well.
    let mut waiting: Vec<(u64, Streamed, Option<Survived>)> = Vec::new();
    let mut lost = Vec::new();
    for event in source.map_files(events_a_batch, queue, work) {
        match event? {
            FileEvent::Product(product) if run.bad_files == BadFiles::Skip => {
                stage.add(product.0);
                waiting.push(product);
            }
            FileEvent::Product(product) => {
                stage.add(product.0);
                take(product, &mut total, sink)?;
            }
            FileEvent::Finished { .. } => {
                waiting.drain(..).try_for_each(|product| take(product, &mut total, sink))?;
            }
            FileEvent::Failed { file, error, rows } => {
                waiting.clear();
                lost.push(failed(source, file, &error, rows));
            }
        }
        run.progress.interrupted()?;
    }
    Ok((total, lost))
}

/// The jets of a batch; what is wrong with its particles is told with the file.
fn make(maker: &JetMaker, device: &Device, batch: EventBatch, files: &[Arc<str>]) -> Result<EventBatch> {
    let file = files[batch.file].clone();
    maker.make(device, batch).map_err(|error| error.about(&format!("'{file}'")))
}

/// How many products of the CPU may wait.
fn products_in_queue(selection: &Selection, fillings: &[Filling]) -> usize {
    let outputs = selection.outputs();
    let features: usize = outputs.features.iter().map(|table| table.number * table.quantities.len()).sum();
    // Values, weight, flags and index of 4 bytes, ids of 16; sums, their squares and entries of each cell.
    let of_event = 4 * (outputs.variables.len() + features + 3) + 16;
    let rows: usize = fillings.iter().map(|filling| filling.fill.rows()).sum();
    let bytes = EVENTS_A_BATCH * of_event + 40 * rows;
    (BYTES_IN_QUEUE / bytes).clamp(BATCHES_IN_QUEUE, PRODUCTS_A_THREAD * rayon::current_num_threads())
}

/// Adds what one batch yielded.
fn take(
    (_, counted, survived): (u64, Streamed, Option<Survived>),
    total: &mut Streamed,
    sink: &mut Sink,
) -> Result<()> {
    total.merge(&counted)?;
    survived.map_or(Ok(()), |survived| sink.take(&survived))
}

/// The device selects and fills what the threads decode; survivors come back one or two batches later. A file that may
/// still fail has a segment of its own, so that nothing of it is counted or written before it has ended well.
#[allow(clippy::too_many_arguments)] // one call, from `stream`
fn on_cuda(
    run: &Run,
    stage: &Stage,
    source: &EventSource,
    files: &[Arc<str>],
    maker: JetMaker,
    selection: &Selection,
    fillings: &[Filling],
    sink: &mut Sink,
) -> Result<(Streamed, Vec<Skipped>)> {
    let keep = if sink.is_open() { Keep::Survivors } else { Keep::Histograms };
    let start = || Ok::<_, Error>((EventSegment::new(&run.device, selection, fillings, keep)?, InFlight::default()));
    let (mut total, mut lost) = (Streamed::empty(selection, fillings)?, Vec::new());
    let mut current = None;
    let mut waiting: Vec<Survived> = Vec::new();
    let events_a_chunk = if maker.is_idle() { EVENTS_A_CHUNK } else { EVENTS_A_BATCH_OF_PARTICLES };
    let (device, names) = (run.device.clone(), files.to_vec());
    let work = move |batch| make(&maker, &device, batch, &names);
    for event in source.map_files(events_a_chunk, BATCHES_IN_QUEUE, work) {
        match event? {
            FileEvent::Product(batch) => {
                let (segment, mut ids) = current.take().map_or_else(start, Ok)?;
                let origin = Origin { file: files[batch.file].clone(), first_row: batch.first_row };
                let (segment, parts) = segment.push(&batch.columns, &origin)?;
                stage.add(batch.columns.events as u64);
                if keep == Keep::Survivors {
                    ids.sent(batch);
                }
                waiting.extend(ids.of(parts, selection.outputs()));
                current = Some((segment, ids));
            }
            FileEvent::Finished { .. } => {
                if let Some((segment, mut ids)) = current.take_if(|_| run.bad_files == BadFiles::Skip) {
                    let (counted, parts) = segment.finish()?;
                    total.merge(&counted)?;
                    waiting.extend(ids.of(parts, selection.outputs()));
                    write(sink, &mut waiting)?;
                }
            }
            FileEvent::Failed { file, error, rows } => {
                (current, waiting) = (None, Vec::new());
                lost.push(failed(source, file, &error, rows));
            }
        }
        if run.bad_files == BadFiles::Refuse {
            write(sink, &mut waiting)?;
        }
        run.progress.interrupted()?;
    }
    if let Some((segment, mut ids)) = current {
        let (counted, parts) = segment.finish()?;
        total.merge(&counted)?;
        waiting.extend(ids.of(parts, selection.outputs()));
        write(sink, &mut waiting)?;
    }
    Ok((total, lost))
}

/// The ids of the batches whose survivors have not all come back.
#[derive(Default)]
struct InFlight {
    batches: VecDeque<EventBatch>,
    /// The number of the first of them.
    first: u64,
}

impl InFlight {
    fn sent(&mut self, batch: EventBatch) {
        // The columns are on the device.
        let columns = EventColumns { collections: Vec::new(), scalars: Vec::new(), ..batch.columns };
        self.batches.push_back(EventBatch { columns, ..batch });
    }

    fn forget_one(&mut self) {
        self.batches.pop_front();
        self.first += 1;
    }

    /// Gives the parts, which come in the order of the batches, their ids.
    fn of(&mut self, parts: Vec<KeptPart>, outputs: &Outputs) -> impl Iterator<Item = Survived> {
        parts.into_iter().filter_map(move |part| {
            while self.first < part.batch {
                self.forget_one();
            }
            self.batches.front().map(|batch| Survived::of(batch, part.first, &part.survivors, outputs))
        })
    }
}

fn write(sink: &mut Sink, survived: &mut Vec<Survived>) -> Result<()> {
    survived.drain(..).try_for_each(|survived| sink.take(&survived))
}
