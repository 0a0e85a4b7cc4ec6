//! The event segment on the emulated device: what crosses the bus, and that splitting a batch changes nothing.
//!
//! One test, so that the driver's counters are this test's alone.

use trawl::Device;
use trawl::campaign::segment::{EventSegment, KeptPart, Streamed};
use trawl::card::Keep;
use trawl::device::{Bytes, CudaSettings, DeviceChoice, Host, Operation, kernels};
use trawl::events::{CollectionProjection as NamedCollection, DijetSample, EventBatch, Resonance, generate_columns};
use trawl::selection::{Batch, Cut, Definition, Object, Origin, Selection, Tally, Variable, Weight};
use trawl::spectrum::{Axis, Entries, Fill, Filling};
use trawl_emulator::statistics;

const VARIABLES: u64 = 2;

fn selection() -> Selection {
    let definition = Definition {
        objects: vec![Object::new("jet", "FatJet").keep("pt > 200").keep("abs(eta) < 2.0")],
        variables: vec![
            Variable::new("m_Y", "mass(jet[0] + jet[1])"),
            Variable::new("m_X", "max(jet[0].mass, jet[1].mass)"),
        ],
        cuts: vec![Cut::new("two jets", "count(jet) >= 2"), Cut::new("high mass", "m_Y > 1300")],
        ..Definition::default()
    };
    Selection::new(definition, Weight::column("weight", 1.0, 1.0).unwrap()).unwrap()
}

/// A plane, and a spectrum beside it.
fn fillings(selection: &Selection) -> [Filling; 2] {
    let axes = [
        Axis::regular("m_Y", "GeV", 7, 1300.0, 6000.0).unwrap(),
        Axis::regular("m_X", "GeV", 11, 50.0, 3000.0).unwrap(),
    ];
    let filling = |variables: &[usize]| {
        let axes = variables.iter().map(|variable| axes[*variable].clone()).collect();
        Filling { fill: Fill::new(axes, selection.weight().scale()).unwrap(), variables: variables.to_vec() }
    };
    [filling(&[0, 1]), filling(&[1])]
}

/// Batches with the columns of the selection's projection: the generator's are those of `DijetSample::projection`, in
/// another order.
fn batches(selection: &Selection, sizes: &[u64]) -> Vec<EventBatch> {
    let resonance = Resonance { events: 20, ..Resonance::default() };
    let total = sizes.iter().sum();
    let sample = DijetSample { events: total, resonance: Some(resonance), weight: 0.25, ..DijetSample::default() };
    let mut first = 0;
    let made = sizes.iter().map(|size| {
        let rows = first..first + size;
        first += size;
        let mut batch = generate_columns(&sample, rows);
        let generated = &DijetSample::projection().collections[0].quantities;
        let wanted = &selection.projection().collections[0].quantities;
        let columns = &mut batch.columns.collections[0].quantities;
        let place = |name: &String| generated.iter().position(|known| known == name).expect("the generator has it");
        *columns = wanted.iter().map(|name| columns[place(name)].clone()).collect();
        batch
    });
    made.collect()
}

/// The survivors of a batch, whatever its parts: its first row, then rows, variables and weights.
#[derive(Debug, PartialEq, Default)]
struct Kept {
    first_row: u64,
    index: Vec<u32>,
    variables: Vec<Vec<f32>>,
    weight: Vec<f32>,
}

struct Result {
    streamed: Streamed,
    kept: Vec<Kept>,
    chunks: usize,
}

fn run(device: &Device, selection: &Selection, fillings: &[Filling], batches: &[EventBatch], keep: Keep) -> Result {
    let mut segment = EventSegment::new(device, selection, fillings, keep).unwrap();
    let mut parts: Vec<KeptPart> = Vec::new();
    for batch in batches {
        let origin = Origin { file: "generated".into(), first_row: batch.first_row };
        let ready;
        (segment, ready) = segment.push(&batch.columns, &origin).unwrap();
        parts.extend(ready);
    }
    let (streamed, rest) = segment.finish().unwrap();
    parts.extend(rest);
    let chunks = parts.len();
    let nothing = |batch: &EventBatch| Kept {
        first_row: batch.first_row,
        variables: vec![Vec::new(); VARIABLES as usize],
        ..Kept::default()
    };
    let mut kept: Vec<Kept> = batches.iter().map(nothing).collect();
    assert!(parts.is_sorted_by_key(|part| (part.batch, part.first)), "parts come in the order of the events");
    for KeptPart { batch, first, survivors } in parts {
        let all = &mut kept[batch as usize];
        all.index.extend(survivors.index[..survivors.count].iter().map(|index| index + first as u32));
        for (column, values) in all.variables.iter_mut().zip(&survivors.variables) {
            column.extend_from_slice(&values[..survivors.count]);
        }
        all.weight.extend_from_slice(&survivors.weight[..survivors.count]);
    }
    Result { streamed, kept, chunks }
}

fn same(a: &Result, b: &Result) {
    assert_eq!(a.streamed.cutflow, b.streamed.cutflow);
    assert_eq!(a.streamed.spectra, b.streamed.spectra);
    assert_eq!(a.kept, b.kept);
}

fn cuda(memory: Option<Bytes>) -> Device {
    let settings = CudaSettings { memory, ..CudaSettings::default() };
    Device::choose_with(DeviceChoice::Cuda(0), settings).unwrap()
}

#[test]
fn a_chunk_crosses_once_and_only_survivors_and_tallies_come_back() {
    if kernels::images().is_empty() {
        assert!(std::env::var_os("TRAWL_REQUIRE_KERNELS").is_none(), "this build has no kernels");
        println!("skipped: built without kernels");
        return;
    }
    trawl_emulator::install();
    let selection = selection();
    let fillings = fillings(&selection);
    let batches = batches(&selection, &[1299, 0, 1, 700]);
    let device = cuda(None);

    let measured = |part: &[EventBatch], keep: Keep| {
        let before = statistics();
        let result = run(&device, &selection, &fillings, part, keep);
        let after = statistics();
        (after.upload_bytes - before.upload_bytes, after.download_bytes - before.download_bytes, result)
    };
    // What a stream takes beside its chunks: the tables of the program and the edges, from a batch of no events.
    let none: &[EventBatch] = &batches[1..2];
    let (empty_in, empty_out, empty) = measured(none, Keep::Survivors);
    let in_projection = |collection: &NamedCollection| 1 + collection.quantities.len();
    let projection = selection.projection();
    let columns = projection.collections.iter().map(in_projection).sum::<usize>() + projection.scalars.len();
    let addresses = 8 * columns as u64;
    let tables = empty_in - none[0].columns.bytes() as u64 - addresses;
    let rows: usize = fillings.iter().map(|filling| filling.fill.rows()).sum();
    let words = (selection.cutflow_rows() + rows) as u64 * 7;
    assert_eq!(empty.kept[0].index.len(), 0);
    assert!(tables < 4096, "{tables} bytes for the program and the edges");
    // Both words of each fill's status; and the three words of each chunk's.
    let tallies = 8 * words + 16 * fillings.len() as u64;
    assert_eq!(empty_out, 24 + tallies);

    let (bytes_in, bytes_out, on_cuda) = measured(&batches, Keep::Survivors);
    let projected: u64 = batches.iter().map(|batch| batch.columns.bytes() as u64).sum();
    let survivors: u64 = on_cuda.kept.iter().map(|batch| batch.index.len() as u64).sum();
    let chunks = batches.len() as u64;
    assert_eq!(on_cuda.chunks, batches.len());
    assert!(survivors > 500, "{survivors} of 2000");
    assert_eq!(bytes_in, projected + chunks * addresses + tables, "values, offsets, addresses; the program once");
    // Row, variables, weight and flags of each survivor.
    let rows_out = 4 * (3 + VARIABLES) * survivors;
    assert_eq!(bytes_out, rows_out + 24 * chunks + tallies, "survivors and tallies");
    let per_event = |bytes: u64| bytes as f64 / 2000.0;
    println!(
        "bytes an event: in {:.2}, of which the columns {:.2}; out {:.2}, of which survivors {:.2} and tallies {:.2}",
        per_event(bytes_in),
        per_event(projected),
        per_event(bytes_out),
        per_event(rows_out),
        per_event(tallies)
    );

    // Without survivors nothing but tallies and control words comes back.
    let (_, bytes_out, tallies_only) = measured(&batches, Keep::Histograms);
    assert_eq!(bytes_out, 24 * chunks + tallies);
    assert_eq!(tallies_only.streamed.spectra, on_cuda.streamed.spectra);

    let on_cpu = run(&Device::Cpu, &selection, &fillings, &batches, Keep::Survivors);
    same(&on_cpu, &on_cuda);

    // A quarter of the memory that the largest batch needs: more chunks, the same answer.
    let needs = |batch: &EventBatch| {
        let input = Batch::<Host> {
            columns: batch.columns.clone(),
            cutflow: Tally::empty(selection.cutflow_rows()),
            origin: Origin::default(),
        };
        let events = batch.columns.events;
        let fills = fillings.iter().map(|Filling { fill, variables }| {
            fill.plan(&Entries::<Host> {
                values: vec![vec![0.0; events].into(); variables.len()],
                weights: vec![0.0; events].into(),
                spectrum: Tally::empty(fill.rows()),
            })
        });
        // Room for two chunks.
        let plans = std::iter::once(selection.plan(&input)).chain(fills);
        plans.map(|plan| plan.fixed + plan.per_unit * plan.units * 2).sum::<Bytes>().0
    };
    let (for_none, for_largest) = (needs(&batches[1]), needs(&batches[0]));
    let small = cuda(Some(Bytes(for_none + (for_largest - for_none) / 4)));
    let in_parts = run(&small, &selection, &fillings, &batches, Keep::Survivors);
    assert!(in_parts.chunks >= on_cuda.chunks + 3, "{} chunks", in_parts.chunks);
    same(&on_cpu, &in_parts);
    // A device too small for a single event says so.
    let tiny = cuda(Some(Bytes(1000)));
    let segment = EventSegment::new(&tiny, &selection, &fillings, Keep::Histograms).unwrap();
    let refused = segment.push(&batches[0].columns, &Origin::default());
    let error = refused.err().expect("1000 bytes hold no accumulator");
    assert_eq!(error.exit_code(), 2);
}
