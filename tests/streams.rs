//! Chunks in flight on the emulated device: what overlaps with what, how little memory it takes, and that nothing of it
//! changes an answer.

#[path = "common/runs.rs"]
mod runs;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use runs::{Said, say, trawl};
use trawl::Device;
use trawl::campaign::segment::{EventSegment, KeptPart, Streamed};
use trawl::card::Keep;
use trawl::device::{Bytes, CudaSettings, DeviceChoice, kernels};
use trawl::events::{DijetSample, EventBatch, Resonance, generate_columns};
use trawl::selection::{Cut, Definition, Object, Origin, Selection, Variable, Weight};
use trawl::spectrum::{Axis, Fill, Filling};
use trawl_emulator::{CallKind, Trace, Variant, reports, reset_statistics, start_trace, statistics, trace};

/// The driver's counters belong to one test at a time.
fn driver() -> Option<MutexGuard<'static, ()>> {
    static ONE: Mutex<()> = Mutex::new(());
    if kernels::images().is_empty() {
        assert!(std::env::var_os("TRAWL_REQUIRE_KERNELS").is_none(), "this build has no kernels");
        println!("skipped: built without kernels");
        return None;
    }
    trawl_emulator::install();
    Some(ONE.lock().unwrap_or_else(PoisonError::into_inner))
}

fn selection(largest_weight: f64) -> Selection {
    let definition = Definition {
        objects: vec![Object::new("jet", "FatJet").keep("pt > 200").keep("abs(eta) < 2.0")],
        variables: vec![Variable::new("m_Y", "mass(jet[0] + jet[1])")],
        cuts: vec![Cut::new("two jets", "count(jet) >= 2"), Cut::new("high mass", "m_Y > 1300")],
        ..Definition::default()
    };
    Selection::new(definition, Weight::column("weight", 1.0, largest_weight).unwrap()).unwrap()
}

fn fillings(selection: &Selection) -> [Filling; 1] {
    let axes = vec![Axis::regular("m_Y", "GeV", 30, 1300.0, 6000.0).unwrap()];
    [Filling { fill: Fill::new(axes, selection.weight().scale()).unwrap(), variables: vec![0] }]
}

/// Batches of so many events, with the columns in the order of the selection's projection.
fn batches(selection: &Selection, size: u64, number: u64) -> Vec<EventBatch> {
    let resonance = Resonance { events: 20, ..Resonance::default() };
    let sample =
        DijetSample { events: size * number, resonance: Some(resonance), weight: 0.25, ..DijetSample::default() };
    let made = (0..number).map(|batch| {
        let mut batch = generate_columns(&sample, batch * size..(batch + 1) * size);
        let generated = &DijetSample::projection().collections[0].quantities;
        let wanted = &selection.projection().collections[0].quantities;
        let columns = &mut batch.columns.collections[0].quantities;
        let place = |name: &String| generated.iter().position(|known| known == name).expect("the generator has it");
        *columns = wanted.iter().map(|name| columns[place(name)].clone()).collect();
        batch
    });
    made.collect()
}

fn cuda(memory: Option<Bytes>) -> Device {
    let settings = CudaSettings { memory, ..CudaSettings::default() };
    Device::choose_with(DeviceChoice::Cuda(0), settings).unwrap()
}

fn origin(batch: &EventBatch) -> Origin {
    Origin { file: "generated".into(), first_row: batch.first_row }
}

/// (row, variable, weight) of every survivor.
type Rows = Vec<(u64, f32, f32)>;

fn run(
    device: &Device,
    selection: &Selection,
    fillings: &[Filling],
    batches: &[EventBatch],
) -> (Streamed, Rows, usize) {
    let mut segment = EventSegment::new(device, selection, fillings, Keep::Survivors).unwrap();
    let mut parts: Vec<KeptPart> = Vec::new();
    for batch in batches {
        let ready;
        (segment, ready) = segment.push(&batch.columns, &origin(batch)).unwrap();
        parts.extend(ready);
    }
    let (streamed, rest) = segment.finish().unwrap();
    parts.extend(rest);
    let rows = parts.iter().flat_map(|KeptPart { batch, first, survivors }| {
        let start = batches[*batch as usize].first_row + *first as u64;
        let row =
            move |at: usize| (start + u64::from(survivors.index[at]), survivors.variables[0][at], survivors.weight[at]);
        (0..survivors.count).map(row)
    });
    (streamed, rows.collect(), parts.len())
}

/// The places of the launches that begin a chunk's work.
fn evaluations(trace: &Trace) -> Vec<usize> {
    let is_one = |place: &usize| trace.calls[*place].kernel == "selection_select";
    (0..trace.calls.len()).filter(is_one).collect()
}

#[test]
fn a_chunk_travels_while_the_one_before_is_worked_on() {
    let Some(_one) = driver() else { return };
    let selection = selection(1.0);
    let fillings = fillings(&selection);
    let batches = batches(&selection, 1000, 12);
    let mut segment = EventSegment::new(&cuda(None), &selection, &fillings, Keep::Survivors).unwrap();
    // Until the pipeline is full, host memory is page-locked and modules are loaded.
    let (first, rest) = batches.split_at(4);
    for batch in first {
        (segment, _) = segment.push(&batch.columns, &origin(batch)).unwrap();
    }
    start_trace();
    for batch in rest {
        (segment, _) = segment.push(&batch.columns, &origin(batch)).unwrap();
    }
    let trace = trace();
    drop(segment);

    let streams_of = |kind: CallKind| {
        let mut streams: Vec<u64> =
            trace.calls.iter().filter(|call| call.kind == kind).map(|call| call.stream).collect();
        streams.sort_unstable();
        streams.dedup();
        streams
    };
    let streams = [CallKind::Upload, CallKind::Kernel, CallKind::Download].map(streams_of);
    assert!(streams.iter().all(|streams| streams.len() == 1), "{streams:?}");
    let [uploads, kernels, downloads] = streams.map(|streams| streams[0]);
    assert!(uploads != kernels && kernels != downloads && downloads != uploads, "{uploads} {kernels} {downloads}");
    assert!(![uploads, kernels, downloads].contains(&0), "the default stream waits for every other");

    let forbidden = [CallKind::WaitForStream, CallKind::WaitForMemory, CallKind::Pin];
    for call in &trace.calls {
        assert!(!forbidden.contains(&call.kind), "{call:?}");
        assert!(call.pinned, "a copy through memory that is not page-locked: {call:?}");
    }

    let evaluations = evaluations(&trace);
    assert_eq!(evaluations.len(), rest.len());
    let (mut copies, mut waits) = (0, 0);
    for (place, call) in trace.calls.iter().enumerate() {
        // The newest chunk whose work was asked for when this call was made, and where its uploads began.
        let chunk = evaluations.partition_point(|evaluation| *evaluation < place);
        let Some(newest) = chunk.checked_sub(1).map(|chunk| evaluations[chunk]) else { continue };
        let uploads_of_newest = chunk.checked_sub(2).map_or(0, |chunk| evaluations[chunk]);
        let is_of_newest = |before: &usize| match trace.calls[*before].kind {
            CallKind::Kernel => *before >= newest,
            CallKind::Upload => *before > uploads_of_newest,
            _ => false,
        };
        match call.kind {
            // The next chunk's: it may not stand behind any kernel of the newest, or asked for after it.
            CallKind::Upload => {
                let blocked = trace
                    .before(place)
                    .into_iter()
                    .find(|before| trace.calls[*before].kind == CallKind::Kernel && *before >= newest);
                assert_eq!(blocked.map(|before| &trace.calls[before]), None, "holds back an upload of chunk {chunk}");
                copies += 1;
            }
            CallKind::WaitForEvent => {
                let waited = trace.before(place).into_iter().find(is_of_newest);
                assert_eq!(waited.map(|before| &trace.calls[before]), None, "the host waits for chunk {}", chunk - 1);
                waits += 1;
            }
            _ => {}
        }
    }
    // Offsets, four quantities, the weight and the addresses; a status and four columns of survivors.
    assert!(copies >= 6 * (rest.len() - 1) && waits >= 5 * (rest.len() - 1), "{copies} uploads, {waits} waits");
    assert_eq!(reports(), Vec::<String>::new());
}

#[test]
fn ten_times_the_memory_goes_through_in_chunks() {
    let Some(_one) = driver() else { return };
    let selection = selection(1.0);
    let fillings = fillings(&selection);
    let batches = batches(&selection, 1 << 14, 6);
    let bytes: usize = batches.iter().map(|batch| batch.columns.bytes()).sum();
    // Scaled down like the card below.
    let memory = bytes as u64 / 10;
    let expected = run(&Device::Cpu, &selection, &fillings, &batches);
    let small = cuda(Some(Bytes(memory)));
    reset_statistics();
    let held = statistics().device_bytes;
    let got = run(&small, &selection, &fillings, &batches);
    let peak = statistics().peak_device_bytes - held;
    println!("{} of columns through {}: {} chunks, peak {}", Bytes(bytes as u64), Bytes(memory), got.2, Bytes(peak));
    assert!(peak <= memory, "{peak} of {memory} bytes");
    assert!(got.2 > 20, "{} chunks", got.2);
    assert_eq!((&got.0.cutflow, &got.0.spectra, &got.1), (&expected.0.cutflow, &expected.0.spectra, &expected.1));
    assert_eq!(reports(), Vec::<String>::new());
}

#[test]
fn any_chunks_give_the_same_and_name_the_same_event() {
    let Some(_one) = driver() else { return };
    let selection = selection(1.0);
    let fillings = fillings(&selection);
    let expected = run(&Device::Cpu, &selection, &fillings, &batches(&selection, 1200, 1));
    for size in [1, 7, 100, 399, 1200] {
        let (events, number) = if size == 1 { (1, 60) } else { (size, 1200_u64.div_ceil(size)) };
        let mut chunks = batches(&selection, events, number);
        if size > 1 {
            // The same 1200 events, whatever the last chunk would hold.
            chunks = cut(&batches(&selection, 1200, 1)[0], size as usize);
        }
        let on_cpu = run(&Device::Cpu, &selection, &fillings, &chunks);
        let on_cuda = run(&cuda(None), &selection, &fillings, &chunks);
        assert_eq!(
            (&on_cuda.0.cutflow, &on_cuda.0.spectra, &on_cuda.1),
            (&on_cpu.0.cutflow, &on_cpu.0.spectra, &on_cpu.1)
        );
        if size > 1 {
            assert_eq!((&on_cuda.0.cutflow, &on_cuda.0.spectra), (&expected.0.cutflow, &expected.0.spectra));
            assert_eq!(on_cuda.1, expected.1);
        }
    }
    // The weight 0.25 is above the largest: found one push later, or at the end, and named as on the CPU.
    let refused = crate::selection(0.125);
    let fillings = crate::fillings(&refused);
    for number in [1, 2, 5] {
        let chunks = batches(&refused, 50, number);
        let error_of = |device: &Device| {
            let mut segment = EventSegment::new(device, &refused, &fillings, Keep::Histograms).unwrap();
            for batch in &chunks {
                segment = match segment.push(&batch.columns, &origin(batch)) {
                    Ok((segment, _)) => segment,
                    Err(error) => return error.to_string(),
                };
            }
            segment.finish().map(|_| ()).expect_err("a weight is too large").to_string()
        };
        let error = error_of(&Device::Cpu);
        assert_eq!(error_of(&cuda(None)), error);
        assert!(error.contains("of generated") && error.contains("too large"), "{error}");
    }
    assert_eq!(reports(), Vec::<String>::new());
}

/// A batch in pieces of so many events.
fn cut(batch: &EventBatch, size: usize) -> Vec<EventBatch> {
    let starts = (0..batch.columns.events).step_by(size);
    let piece = |start: usize| {
        let end = batch.columns.events.min(start + size);
        let mut piece = batch.clone();
        piece.columns.events = end - start;
        for collection in &mut piece.columns.collections {
            let offsets = &collection.offsets[start..=end];
            let (first, last) = (offsets[0] as usize, offsets[offsets.len() - 1] as usize);
            for column in &mut collection.quantities {
                *column = column.slice(first, last - first);
            }
            collection.offsets = offsets.iter().map(|offset| offset - offsets[0]).collect();
        }
        for column in &mut piece.columns.scalars {
            *column = column.slice(start, end - start);
        }
        piece.first_row += start as u64;
        piece
    };
    starts.map(piece).collect()
}

/// A run of the dilepton card on a device, in a folder of its own.
fn run_card(files: &str, output: &Path, memory: Option<u64>, more: &[&str]) -> Said {
    let mut command = trawl();
    let device = if memory.is_some() { "cuda" } else { "cpu" };
    command.args(["run", concat!(env!("CARGO_MANIFEST_DIR"), "/cards/dilepton.toml"), "--device", device]);
    command.args(["--set", &format!("samples.data.files={files}"), "--output"]).arg(output).args(more);
    if let Some(memory) = memory {
        command.envs(Variant::Checked.environment());
        command.env("TRAWL_EMULATOR_MEMORY", memory.to_string());
        command.env("TRAWL_EMULATOR_STATISTICS", output.with_extension("json"));
    }
    say(command)
}

fn generate(events: u64, seed: u64, file: &Path) {
    let mut command = trawl();
    command.args(["generate", "dilepton", "--events", &events.to_string(), "--seed", &seed.to_string()]);
    command.arg("--output").arg(file);
    let said = say(command);
    assert_eq!(said.code, Some(0), "{}", said.err);
}

fn statistic(output: &Path, name: &str) -> u64 {
    let text = std::fs::read_to_string(output.with_extension("json")).expect("the driver writes it");
    let (_, value) = text.split_once(&format!("\"{name}\": ")).expect("it is among them");
    value[..value.find(',').expect("a list")].parse().expect("a number")
}

fn survivors(output: &Path) -> Vec<u8> {
    std::fs::read(output.join("survivors-data.parquet")).expect("the run wrote it")
}

#[test]
fn a_card_runs_on_a_device_of_a_tenth_of_its_bytes() {
    if driver().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.parquet");
    // A device of 256 MiB and ten times as many bytes, both divided by 512: the emulator checks every access, about
    // 13 million of them a second.
    let memory = 1 << 19;
    let events = 100_000;
    generate(events, 1, &file);
    let (cpu, cuda): (PathBuf, PathBuf) = (folder.path().join("cpu"), folder.path().join("cuda"));
    for (output, memory, threads) in [(&cpu, None, "1"), (&cuda, Some(memory), "3")] {
        let said = run_card(&file.display().to_string(), output, memory, &["--threads", threads]);
        assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    }
    let streamed = statistic(&cuda, "upload_bytes");
    println!(
        "{:.1} bytes an event in, {:.1} out; peak {} on a device of {}",
        streamed as f64 / events as f64,
        statistic(&cuda, "download_bytes") as f64 / events as f64,
        Bytes(statistic(&cuda, "peak_device_bytes")),
        Bytes(memory)
    );
    assert!(streamed >= 10 * memory, "{streamed} bytes");
    // Nine tenths are the run's.
    assert!(statistic(&cuda, "peak_device_bytes") <= memory / 10 * 9);
    assert_eq!(survivors(&cpu), survivors(&cuda));
}

#[test]
fn a_bad_file_is_left_out_on_a_device_too() {
    if driver().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for seed in 1..=3 {
        generate(1500, seed, &folder.path().join(format!("events-{seed}.parquet")));
    }
    // Damage in the middle of the second file's pages: its footer, and its first columns, can be read.
    let bad = folder.path().join("events-2.parquet");
    let mut bytes = std::fs::read(&bad).unwrap();
    let (start, end) = (bytes.len() / 2, bytes.len() * 3 / 4);
    bytes[start..end].fill(0xa5);
    std::fs::write(&bad, bytes).unwrap();
    let files = folder.path().join("events-*.parquet").display().to_string();
    let (cpu, cuda): (PathBuf, PathBuf) = (folder.path().join("cpu"), folder.path().join("cuda"));
    for (output, memory) in [(&cpu, None), (&cuda, Some(1 << 28))] {
        let refused = run_card(&files, &output.with_extension("refused"), memory, &[]);
        assert_eq!(refused.code, Some(1), "{}{}", refused.out, refused.err);
        let said = run_card(&files, output, memory, &["--skip-bad-files"]);
        assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    }
    assert!(survivors(&cpu).len() > 1000);
    assert_eq!(survivors(&cpu), survivors(&cuda));
}
