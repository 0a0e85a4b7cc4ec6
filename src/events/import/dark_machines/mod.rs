//! Dark Machines CSV (arXiv:2105.14027) to Parquet.
//!
//! | column | from |
//! |---|---|
//! | `event` | the row, counted over all inputs: the id in the files of signals is the same in every line |
//! | `event_id`, `process` | the file's own id; the number of the process (names: metadata `trawl.process`) |
//! | `Jet_{pt,eta,phi,mass,btag}` | `j` (`btag` 0) and `b` (`btag` 1) in the order of the file |
//! | `Electron_`, `Muon_{pt,eta,phi,mass,charge}` | `e-`, `e+`; `m-`, `m+` (also `mu-`, `mu+`) |
//! | `Photon_{pt,eta,phi,mass}` | `g` (also `a`) |
//! | `MET_pt`, `MET_phi`, `weight` | as the line has them |
//!
//! Energies are in GeV; files are in MeV unless the user says otherwise. A jet's mass comes from `E`, `pt` and `eta`,
//! of which the files hold six digits: it is right to about `E / 500`, and 0 where rounding made its square negative or
//! the file has no energies.

mod columns;
mod line;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::complaints::Complaints;
use super::{Imported, NAME, check_paths, note_origin, unreadable};
use crate::error::{Fault, Problems, Result};
use crate::events::{EventWriter, Layout, Preset};
use columns::Columns;
use line::{Form, Head, Object, parse};

/// Events that are held before they are written.
const EVENTS_TOGETHER: usize = 10_000;
/// Objects that are held before they are written: batches of crowded events are smaller.
const OBJECTS_TOGETHER: usize = 1_000_000;
/// 5,000 objects need 300 kB; what is longer is no text.
const LONGEST_LINE: u64 = 4 << 20;
/// How files begin that gzip compressed.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// What some editors put before the text of a file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// More processes than any file has: their names are kept until the end.
const MOST_PROCESSES: usize = 10_000;

/// The unit of energies and momenta in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EnergyUnit {
    /// Divided by 1000 on reading.
    #[default]
    Mev,
    /// Taken as they are.
    Gev,
}

impl EnergyUnit {
    fn gev(self, value: f64) -> f64 {
        match self {
            Self::Mev => value / 1000.0,
            Self::Gev => value,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Mev => "MeV, divided by 1000",
            Self::Gev => "GeV, taken as they are",
        }
    }
}

/// Which Dark Machines files become one Parquet file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DarkMachinesImport {
    /// The CSV files, in the order of their events in the output. All have names of processes, or none has.
    pub files: Vec<PathBuf>,
    /// Their unit.
    pub unit: EnergyUnit,
}

/// Writes the events of `import` to `output`; `progress` is told the number of events of each step.
///
/// ```
/// use trawl::events::{DarkMachinesImport, import_dark_machines};
/// let folder = tempfile::tempdir()?;
/// let (from, to) = (folder.path().join("chan1.csv"), folder.path().join("chan1.parquet"));
/// std::fs::write(&from, "7;ttbar;0.5;250000;1.5;j,60000,50000,0.1,-2;m+,41000,40000,0.2,0.3;\n")?;
/// let import = DarkMachinesImport { files: vec![from], ..Default::default() };
/// assert_eq!(import_dark_machines(&import, &to, &|_| Ok(()))?.events, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Every mistake of every file (the first twenty of each one by one), a file without events, files of which
/// only some name processes; a disk that refuses; whatever `progress` answers. An existing `output` is then as it was.
pub fn import_dark_machines(
    import: &DarkMachinesImport,
    output: &Path,
    progress: &dyn Fn(u64) -> Result<()>,
) -> Result<Imported> {
    check_paths(&import.files, output)?;
    let layout = Layout { rows_per_group: 50_000, ..Layout::default() };
    let writer = EventWriter::create(output, &columns::projection(), layout)?;
    let mut job = Job {
        unit: import.unit,
        progress,
        writer: Some(writer),
        head: None,
        columns: Columns::default(),
        processes: HashMap::new(),
        events: 0,
        notes: Vec::new(),
    };
    let mut problems = Problems::default();
    for path in &import.files {
        let Some(lines) = problems.take(Lines::open(path)) else {
            job.writer = None;
            continue;
        };
        let mut complaints = Complaints::default();
        job.read(path, lines, &mut complaints)?;
        complaints.faults(path).into_iter().for_each(|fault| problems.push(fault));
    }
    problems.finish()?;
    job.finish(&import.files)
}

/// An import under way.
struct Job<'a> {
    unit: EnergyUnit,
    progress: &'a dyn Fn(u64) -> Result<()>,
    /// Given up with the first mistake: nothing is written then, but mistakes are still looked for.
    writer: Option<EventWriter>,
    /// How lines begin in the first file, and its name.
    head: Option<(Head, PathBuf)>,
    columns: Columns,
    /// The number of each name, in the order in which they were met.
    processes: HashMap<String, u32>,
    /// Written and held.
    events: u64,
    /// What the user should know.
    notes: Vec<String>,
}

impl Job<'_> {
    /// Reads one file to its end.
    fn read(&mut self, path: &Path, mut lines: Lines, complaints: &mut Complaints) -> Result<()> {
        let mut form = None;
        let mut objects = Vec::new();
        let mut looked_at = 0;
        while let Some(text) = lines.next().map_err(|error| unreadable(path, error))? {
            let place = format!("line {}", lines.number);
            let Some(text) = text else {
                complaints.push(place, "it is not text in lines: too long");
                break;
            };
            if form.is_none() {
                match Form::of(&text).and_then(|form| self.admit(form, path)) {
                    Ok(first) => form = Some(first),
                    Err(why) => {
                        complaints.push(place, format!("{why}; the other lines were not read"));
                        break;
                    }
                }
            }
            // The first line has set it.
            let Some(form) = form.as_mut() else { break };
            let taken = self.take(&text, form, &mut objects);
            if let Err(why) = taken.and_then(|()| self.check_end(path, &text, lines.end)) {
                complaints.push(place, why);
                self.writer = None;
            }
            looked_at += 1;
            if looked_at % EVENTS_TOGETHER == 0 {
                (self.progress)(EVENTS_TOGETHER as u64)?;
            }
            self.write_if(self.columns.events() >= EVENTS_TOGETHER || self.columns.objects() >= OBJECTS_TOGETHER)?;
        }
        if form.is_none() && complaints.is_empty() {
            complaints.push("the whole", "it has no lines");
        }
        if !complaints.is_empty() {
            self.writer = None;
        }
        (self.progress)((looked_at % EVENTS_TOGETHER) as u64)
    }

    /// Holds a file to the form of the first one: the output has one set of columns.
    fn admit(&mut self, form: Form, path: &Path) -> Result<Form, String> {
        match &self.head {
            Some((head, first)) if *head != form.head => {
                let (has, lacks) = if *head == Head::Named { (first.as_path(), path) } else { (path, first.as_path()) };
                let (has, lacks) = (has.display(), lacks.display());
                Err(format!("'{has}' has event ids and processes and '{lacks}' has none: import them one by one"))
            }
            Some(_) => Ok(form),
            None => {
                self.head = Some((form.head, path.to_owned()));
                Ok(form)
            }
        }
    }

    /// Reads one line and keeps its event.
    fn take(&mut self, text: &str, form: &mut Form, objects: &mut Vec<Object>) -> Result<(), String> {
        let event = parse(text, form, self.unit, objects)?;
        let code = match event.name {
            Some((_, process)) => self.code(process)?,
            None => 0,
        };
        if self.writer.is_some() {
            self.columns.push(&event, code, self.events, objects);
            self.events += 1;
        }
        Ok(())
    }

    /// A download that broke off ends within a line, and what is left of the last object may still look like one. Published
    /// files end with a line break.
    fn check_end(&mut self, path: &Path, text: &str, end: End) -> Result<(), String> {
        match (end, text.trim_end().ends_with(';')) {
            (End::LineBreak, _) => Ok(()),
            (End::File, false) => Err(
                "the file ends within it, without ';' or a line break; fetch it again, or end it with a line break \
                     if it is whole"
                    .into(),
            ),
            (End::File, true) => {
                let whole = "objects are missing if the file was cut";
                self.notes.push(format!("the last line of '{}' has no line break: {whole}", path.display()));
                Ok(())
            }
        }
    }

    fn code(&mut self, process: &str) -> Result<u32, String> {
        if let Some(&code) = self.processes.get(process) {
            return Ok(code);
        }
        if self.processes.len() >= MOST_PROCESSES {
            return Err(format!(
                "there are more than {MOST_PROCESSES} names of processes: the second field is no name"
            ));
        }
        let code = self.processes.len() as u32;
        self.processes.insert(process.to_owned(), code);
        Ok(code)
    }

    fn write_if(&mut self, now: bool) -> Result<()> {
        let Some(writer) = self.writer.as_mut().filter(|_| now) else { return Ok(()) };
        let (batch, further) = std::mem::take(&mut self.columns).finish();
        let named = matches!(self.head, Some((Head::Named, _)));
        writer.write_with(&batch, if named { &further } else { &[] })
    }

    fn finish(mut self, files: &[PathBuf]) -> Result<Imported> {
        self.write_if(true)?;
        let mut names: Vec<(String, u32)> = self.processes.into_iter().collect();
        names.sort_by_key(|(_, code)| *code);
        let names: Vec<String> = names.into_iter().map(|(name, _)| name).collect();
        // Only a mistake takes the writer away, and mistakes were reported.
        let Some(mut writer) = self.writer else {
            return Err(Fault::new(NAME, "nothing was written").data());
        };
        let (number, unit) = (files.len(), self.unit.words());
        writer.note("trawl.source", format!("Dark Machines CSV, {number} files, energies in {unit}"));
        note_origin(&mut writer, files, Preset::DarkMachines);
        let mut notes = self.notes;
        if !names.is_empty() {
            writer.note("trawl.process", serde_json::Value::from(names.clone()).to_string());
            let codes = names.iter().enumerate().map(|(code, name)| format!("{code} {name}"));
            notes.push(format!("process: {}", codes.collect::<Vec<_>>().join(", ")));
        }
        writer.finish()?;
        Ok(Imported { events: self.events, notes })
    }
}

/// What a line ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    LineBreak,
    /// Nothing: the file is over.
    File,
}

/// The lines of a file, none of which may fill the memory. Empty lines at the end are no lines.
struct Lines {
    reader: BufReader<File>,
    bytes: Vec<u8>,
    /// Of the latest line, counting from 1.
    number: u64,
    /// Of the latest line.
    end: End,
}

impl Lines {
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| unreadable(path, error))?;
        let mut reader = BufReader::with_capacity(1 << 18, file);
        let begin = reader.fill_buf().map_err(|error| unreadable(path, error))?;
        if begin.starts_with(&GZIP) {
            let fault = Fault::new(NAME, format!("'{}' is compressed with gzip", path.display()));
            let fault = fault.because("lines of text are read");
            return Err(fault.suggest("Decompress it with gunzip, and name the file that this gives.").data());
        }
        if begin.starts_with(BYTE_ORDER_MARK) {
            reader.consume(BYTE_ORDER_MARK.len());
        }
        Ok(Self { reader, bytes: Vec::new(), number: 0, end: End::LineBreak })
    }

    /// The next line; `Some(None)` if it is too long to be one. What is not UTF-8 becomes a replacement character,
    /// which no field admits.
    fn next(&mut self) -> std::io::Result<Option<Option<String>>> {
        self.bytes.clear();
        self.number += 1;
        let length = (&mut self.reader).take(LONGEST_LINE).read_until(b'\n', &mut self.bytes)?;
        if length == 0 {
            return Ok(None);
        }
        if length as u64 == LONGEST_LINE && !self.bytes.ends_with(b"\n") {
            return Ok(Some(None));
        }
        self.end = if self.bytes.ends_with(b"\n") { End::LineBreak } else { End::File };
        let text = String::from_utf8_lossy(&self.bytes).trim_end_matches(['\r', '\n']).to_owned();
        if text.trim().is_empty() && self.only_blanks_follow()? {
            return Ok(None);
        }
        Ok(Some(Some(text)))
    }

    fn only_blanks_follow(&mut self) -> std::io::Result<bool> {
        loop {
            let held = self.reader.fill_buf()?;
            if held.is_empty() {
                return Ok(true);
            }
            if held.iter().any(|byte| !byte.is_ascii_whitespace()) {
                return Ok(false);
            }
            let length = held.len();
            self.reader.consume(length);
        }
    }
}
