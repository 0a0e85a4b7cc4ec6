//! From rows of a frame to events.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::super::complaints::Complaints;
use super::super::{Imported, MOST_ETA, MOST_PHI, NAME, check_paths, narrow, note_origin, within};
use super::LhcoImport;
use super::frame::Frame;
use super::names::Names;
use crate::error::{Fault, Problems, Result};
use crate::events::{
    Collection, CollectionProjection, EventBatch, EventColumns, EventIds, EventWriter, Layout, Preset, Projection,
};

/// Numbers of a particle: pt, eta, phi.
const PER_PARTICLE: usize = 3;
const TRUTH: &str = "truth_signal";

/// What the rows of a frame are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rows {
    /// Particles, and the truth after them if the file has it.
    Events { particles: usize, truth: Truth },
    /// Named features.
    Features(Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    Known,
    Absent,
}

impl Rows {
    fn of(names: &Names) -> Result<Self, String> {
        match names {
            Names::Named(names) => Ok(Self::Features(names.clone())),
            Names::Numbered(columns) => {
                let particles = columns / PER_PARTICLE;
                let truth = match columns % PER_PARTICLE {
                    0 => Truth::Absent,
                    1 => Truth::Known,
                    _ => {
                        return Err(format!(
                            "it has {columns} columns: not three for each particle, nor one more for the truth"
                        ));
                    }
                };
                if particles == 0 {
                    return Err(format!("it has {columns} columns: no particle has so few"));
                }
                Ok(Self::Events { particles, truth })
            }
        }
    }

    fn projection(&self) -> Projection {
        match self {
            Self::Events { truth, .. } => Projection {
                collections: vec![CollectionProjection::new("Particle", ["pt", "eta", "phi"])],
                scalars: if *truth == Truth::Known { vec![TRUTH.to_owned()] } else { Vec::new() },
                ..Projection::default()
            },
            Self::Features(names) => Projection { scalars: names.clone(), ..Projection::default() },
        }
    }

    fn layout(&self) -> Layout {
        // 20,000 events of 170 particles are 40 MB: what the writer holds.
        let rows_per_group = if matches!(self, Self::Events { .. }) { 20_000 } else { 100_000 };
        Layout { rows_per_group, ..Layout::default() }
    }

    fn words(&self) -> String {
        match self {
            Self::Events { particles, truth: Truth::Known } => format!("events of {particles} particles and the truth"),
            Self::Events { particles, truth: Truth::Absent } => {
                format!("events of {particles} particles without truth")
            }
            Self::Features(names) => format!("features {}", names.join(", ")),
        }
    }
}

pub(super) fn run(import: &LhcoImport, output: &Path, progress: &dyn Fn(u64) -> Result<()>) -> Result<Imported> {
    check_paths(&import.files, output)?;
    let (rows, frames) = open(import)?;
    let mut job = Job {
        writer: Some(EventWriter::create(output, &rows.projection(), rows.layout())?),
        rows,
        events: 0,
        not_finite: 0,
    };
    let mut problems = Problems::default();
    for (path, frame) in &frames {
        let mut complaints = Complaints::default();
        job.read(frame, &mut complaints, progress)?;
        complaints.faults(path).into_iter().for_each(|fault| problems.push(fault));
    }
    problems.finish()?;
    job.finish(&import.files)
}

/// The frames of all files, which hold the same kind of rows.
fn open(import: &LhcoImport) -> Result<(Rows, Vec<(PathBuf, Frame)>)> {
    let mut problems = Problems::default();
    let (mut first, mut frames) = (None, Vec::new());
    for path in &import.files {
        let Some(frame) = problems.take(Frame::open(path, import.key.as_deref())) else { continue };
        let refused = |why: String| Fault::new(NAME, format!("'{}' cannot be imported", path.display())).because(why);
        let Some(rows) = problems.take(Rows::of(&frame.names).map_err(|why| refused(why).data())) else { continue };
        match &first {
            None => first = Some((rows, path.clone())),
            Some((same, _)) if *same == rows => {}
            Some((other, of)) => {
                let why = format!("it has {}, and '{}' has {}", rows.words(), of.display(), other.words());
                problems.push(refused(why).suggest("Import them one by one.").data());
            }
        }
        if frame.rows == 0 {
            problems.push(refused("it has no rows".into()).data());
        }
        frames.push((path.clone(), frame));
    }
    problems.finish()?;
    match first {
        Some((rows, _)) => Ok((rows, frames)),
        None => Err(Fault::new(NAME, "there is no file to import").usage()),
    }
}

/// An import under way.
struct Job {
    /// Given up with the first mistake: nothing is written then, but mistakes are still looked for.
    writer: Option<EventWriter>,
    rows: Rows,
    events: u64,
    /// Features that are NaN or infinite.
    not_finite: u64,
}

impl Job {
    fn read(&mut self, frame: &Frame, complaints: &mut Complaints, progress: &dyn Fn(u64) -> Result<()>) -> Result<()> {
        let together = frame.rows_together();
        for start in (0..frame.rows).step_by(together) {
            let rows = start..frame.rows.min(start + together);
            let count = rows.len() as u64;
            match frame.read(rows.clone()) {
                Ok(values) => self.take(&values, rows, complaints)?,
                Err(why) => complaints.push("part", why),
            }
            if !complaints.is_empty() {
                self.writer = None;
            }
            progress(count)?;
        }
        Ok(())
    }

    /// Writes these rows, which are right up to what `complaints` hears.
    fn take(&mut self, values: &[f64], rows: Range<usize>, complaints: &mut Complaints) -> Result<()> {
        let columns = match &self.rows {
            Rows::Events { particles, truth } => events(values, *particles, *truth, rows.clone(), complaints),
            Rows::Features(names) => {
                let columns = features(values, names.len());
                self.not_finite += columns
                    .scalars
                    .iter()
                    .map(|of| of.iter().filter(|value| !value.is_finite()).count() as u64)
                    .sum::<u64>();
                columns
            }
        };
        let first = self.events;
        self.events += rows.len() as u64;
        let Some(writer) = self.writer.as_mut().filter(|_| complaints.is_empty()) else { return Ok(()) };
        let ids = EventIds { event: Some((first..self.events).collect()), ..EventIds::default() };
        writer.write(&EventBatch { columns, ids, file: 0, first_row: first })
    }

    fn finish(self, files: &[PathBuf]) -> Result<Imported> {
        // Only a mistake takes the writer away, and mistakes were reported.
        let Some(mut writer) = self.writer else { return Err(Fault::new(NAME, "nothing was written").data()) };
        let (number, rows) = (files.len(), self.rows.words());
        writer.note("trawl.source", format!("LHC Olympics HDF5, {number} files, {rows}"));
        note_origin(&mut writer, files, Preset::Lhco);
        writer.finish()?;
        let mut notes = vec![self.rows.words()];
        if self.not_finite > 0 {
            notes.push(format!("{} values are NaN or infinite in 32 bits, and were kept", self.not_finite));
        }
        Ok(Imported { events: self.events, notes })
    }
}

/// One column a feature.
fn features(values: &[f64], width: usize) -> EventColumns<crate::device::Host> {
    let column =
        |index: usize| values.iter().skip(index).step_by(width).map(|&value| value as f32).collect::<Vec<f32>>();
    let scalars = (0..width).map(|index| column(index).into()).collect();
    EventColumns { events: values.len() / width, collections: Vec::new(), scalars }
}

/// The particles of each row without the padding, and the truth.
fn events(
    values: &[f64],
    particles: usize,
    truth: Truth,
    rows: Range<usize>,
    complaints: &mut Complaints,
) -> EventColumns<crate::device::Host> {
    let width = PER_PARTICLE * particles + usize::from(truth == Truth::Known);
    let (mut offsets, mut quantities, mut signal) = (vec![0u32], vec![Vec::new(); PER_PARTICLE], Vec::new());
    for (row, numbers) in rows.clone().zip(values.chunks_exact(width)) {
        let (momenta, label) = numbers.split_at(PER_PARTICLE * particles);
        for (index, momentum) in momenta.chunks_exact(PER_PARTICLE).enumerate() {
            // Padding, by far the most of a row. NaN is none.
            if momentum[0] == 0.0 {
                continue;
            }
            match particle(momentum) {
                Ok(three) => quantities.iter_mut().zip(three).for_each(|(column, value)| column.push(value)),
                Err(why) => complaints.push(format!("row {row}"), format!("particle {} has {why}", index + 1)),
            }
        }
        if let [label] = label {
            if *label != 0.0 && *label != 1.0 {
                complaints.push(format!("row {row}"), format!("the truth is {label}, and neither 0 nor 1"));
            }
            signal.push(*label as f32);
        }
        // A batch ends long before 2^32 particles.
        offsets.push(quantities[0].len() as u32);
    }
    let quantities = quantities.into_iter().map(Into::into).collect();
    let scalars = if truth == Truth::Known { vec![signal.into()] } else { Vec::new() };
    EventColumns { events: rows.len(), collections: vec![Collection { offsets: offsets.into(), quantities }], scalars }
}

fn particle(momentum: &[f64]) -> Result<[f32; PER_PARTICLE], String> {
    let [pt, eta, phi] = momentum else { return Err("not three numbers".into()) };
    if pt.is_nan() || *pt <= 0.0 {
        return Err(format!("a pt that is {pt}"));
    }
    let eta = within(*eta, MOST_ETA).map_err(|why| format!("an eta that {why}"))?;
    let phi = within(*phi, MOST_PHI).map_err(|why| format!("a phi that {why}"))?;
    let narrow = |value| narrow(value).map_err(|why| format!("a value that {why}"));
    Ok([narrow(*pt)?, narrow(eta)?, narrow(phi)?])
}
