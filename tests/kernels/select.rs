//! `selection.select`: the same survivors, variables and cutflow to the bit.

use trawl::device::{Cuda, Device, Download, Host, Operation, Place, Upload};
use trawl::events::{Collection, EventColumns};
use trawl::math::philox::{Philox, Stage};
use trawl::selection::{
    Batch, Channel, Cut, Definition, Features, Object, Origin, Pair, Selected, Selection, Tally, Variable, Weight,
};

use crate::harness::{cuda, every_block_size, floats_are_exact};

/// Every part of the language: joined, ordered and separated objects, a pair, reductions, channels, regions, features.
fn everything() -> Selection {
    let definition = Definition {
        objects: vec![
            Object::new("lepton", "Muon").and("Electron").keep("pt > 20").order("-pt"),
            Object::new("jet", "FatJet").keep("pt > 150 && abs(eta) <= 2.0").leading(3).apart("lepton", 0.4),
            Object::new("central", "FatJet").keep("abs(eta) < 0.8").keep("pt >= 100").order("mass"),
        ],
        pairs: vec![Pair {
            name: "z".into(),
            of: ["lepton".into(), "lepton".into()],
            keep: vec!["first.flavour == second.flavour".into()],
            best: "abs(mass(first + second) - 91.19)".into(),
        }],
        variables: [
            ("m_Y", "mass(jet[0] + jet[1])"),
            ("pt_Y", "pt(jet[0] + lepton[0])"),
            ("distance", "deltaR(jet[0], jet[1])"),
            ("m_X", "max(jet[0].mass, jet[1].mass)"),
            ("least", "min(abs(jet[0].eta), max(met, jet[2].pt))"),
            ("n", "count(central)"),
            ("ht", "sum(jet.pt)"),
            ("heaviest", "jet[argmax(jet.mass)].pt"),
            ("any_forward", "sum(where(abs(jet.eta) > 1, exp(-jet.pt / 500), 0))"),
            ("m_z", "mass(z)"),
            ("y", "rapidity(sum(jet))"),
            ("m_t", "transverseMass(lepton[0], jet[0])"),
            ("odd", "otherwise(log(met) + sqrt(met) * hypot(met, ht) + pow(abs(met), 0.3), -1)"),
            ("angle", "atan2(sin(jet[0].phi), cos(jet[0].phi)) + sinh(jet[0].eta) + cosh(jet[0].eta)"),
            ("half_heavy", "min(m_X, 0.5)"),
        ]
        .map(|(name, value)| Variable::new(name, value))
        .to_vec(),
        cuts: vec![
            Cut::new("a jet", "count(jet) >= 1"),
            Cut::new("leading", "jet[0].pt > 200 || m_Y > 300"),
            Cut::new("not three central", "count(central) <= 2"),
            Cut::new("not too much missing", "met < 16"),
        ],
        channels: vec![
            channel("leptons", "count(lepton) >= 2", &[("pair", "abs(m_z - 91.19) < 60"), ("far", "distance > 0.3")]),
            channel("no_leptons", "count(lepton) < 2", &[]),
        ],
        regions: vec![Cut::new("signal", "any(jet.mass > 100)"), Cut::new("control", "all(jet.mass > 100)")],
        features: vec![Features {
            object: "jet".into(),
            number: 2,
            quantities: vec!["pt".into(), "eta".into()],
            padding: -1.0,
        }],
    };
    Selection::new(definition, Weight::column("genWeight", 0.7, 16.0).unwrap())
        .unwrap_or_else(|error| panic!("{error}"))
}

fn channel(name: &str, require: &str, cuts: &[(&str, &str)]) -> Channel {
    let cuts = cuts.iter().map(|(name, require)| Cut::new(*name, *require)).collect();
    Channel { entry: Cut::new(name, require), cuts }
}

/// Lists of 0 to 5 items with few distinct pT and eta, so that ties and edges of cuts occur.
fn collection(random: &Philox, events: usize, quantities: &[String], base: u64) -> Collection<Host> {
    let mut offsets = vec![0u32];
    let mut values = vec![Vec::new(); quantities.len()];
    for event in 0..events as u64 {
        let items = (random.uniforms(event, base)[0] * 6.0) as u64;
        offsets.push(offsets[event as usize] + items as u32);
        for item in 0..items {
            let [u, v] = random.uniforms(event, base + 1 + 2 * item);
            let [w, x] = random.uniforms(event, base + 2 + 2 * item);
            for (column, quantity) in values.iter_mut().zip(quantities) {
                column.push(match quantity.as_str() {
                    "pt" => [18.0, 100.0, 200.0, 250.5, 300.0, 700.0, 1234.5][(u * 7.0) as usize],
                    "eta" => [-2.0, -1.3, -0.8, 0.0, 0.25, 2.0, 2.1][(v * 7.0) as usize],
                    "phi" => (w as f32 - 0.5) * std::f32::consts::TAU,
                    _ => x as f32 * 200.0,
                });
            }
        }
    }
    Collection { offsets: offsets.into(), quantities: values.into_iter().map(Into::into).collect() }
}

fn columns(selection: &Selection, events: usize, seed: u64) -> EventColumns<Host> {
    let random = Philox::new(seed, Stage::Probe);
    let projection = selection.projection();
    let collections = projection.collections.iter().zip(0u64..);
    let scalars = projection.scalars.iter().zip(0u64..);
    EventColumns {
        events,
        collections: collections.map(|(named, at)| collection(&random, events, &named.quantities, 1000 * at)).collect(),
        scalars: scalars
            .map(|(_, at)| {
                (0..events as u64).map(|event| random.uniforms(event, 9000 + at)[0] as f32 * 20.0 - 3.0).collect()
            })
            .collect(),
    }
}

fn batch(selection: &Selection, columns: EventColumns<Host>) -> Batch<Host> {
    let origin = Origin { file: "a.parquet".into(), first_row: 0 };
    Batch { columns, cutflow: Tally::empty(selection.cutflow_rows()), origin }
}

fn assert_equal(here: &Selected<Host>, there: &Selected<Host>, what: &str) {
    assert_eq!(here.survivors.count, there.survivors.count, "{what}");
    assert_eq!(here.survivors.index, there.survivors.index, "{what}");
    assert_eq!(here.survivors.flags, there.survivors.flags, "{what}");
    assert_eq!(here.cutflow.words, there.cutflow.words, "{what}");
    if !floats_are_exact() {
        return;
    }
    let bits = |column: &[f32]| column.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&here.survivors.weight), bits(&there.survivors.weight), "{what}");
    for (variable, (here, there)) in here.survivors.variables.iter().zip(&there.survivors.variables).enumerate() {
        assert_eq!(bits(here), bits(there), "variable {variable}, {what}");
    }
}

fn on(cuda: &Cuda, selection: &Selection, columns: EventColumns<Host>) -> trawl::Result<Selected<Host>> {
    Device::Cuda(cuda.clone()).run(selection, batch(selection, columns))
}

/// What takes little time, for shapes around the tiles of the compaction.
fn little() -> Selection {
    let definition = Definition {
        objects: vec![Object::new("jet", "FatJet").keep("pt > 100")],
        variables: vec![Variable::new("leading", "jet[0].pt"), Variable::new("n", "count(jet)")],
        cuts: vec![Cut::new("two jets", "count(jet) >= 2")],
        ..Definition::default()
    };
    Selection::new(definition, Weight::column("genWeight", 0.7, 16.0).unwrap())
        .unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_same_survivors_at_every_shape_and_block_size() {
    for (selection, shapes) in [(everything(), [0, 1, 31, 33, 700]), (little(), [0, 2047, 2048, 2049, 4500])] {
        for (threads, cuda) in every_block_size() {
            for (seed, events) in shapes.into_iter().enumerate() {
                let columns = columns(&selection, events, seed as u64);
                let here = selection.cpu(batch(&selection, columns.clone())).unwrap();
                assert!(events < 700 || here.survivors.count > 20, "{}", here.survivors.count);
                assert_equal(&here, &on(&cuda, &selection, columns).unwrap(), &format!("{events} events by {threads}"));
            }
        }
    }
}

#[test]
fn nothing_and_everything_survive() {
    let Some(cuda) = cuda() else { return };
    let variables = vec![Variable::new("met_again", "met")];
    let definition = Definition { variables, ..Definition::default() };
    let all = Selection::new(definition, Weight::constant(3.0).unwrap()).unwrap();
    let cuts = vec![Cut::new("never", "count(jet) > 99")];
    let definition = Definition { objects: vec![Object::new("jet", "Jet")], cuts, ..Definition::default() };
    let none = Selection::new(definition, Weight::default()).unwrap();
    for selection in [&all, &none] {
        let columns = columns(selection, 4097, 5);
        let here = selection.cpu(batch(selection, columns.clone())).unwrap();
        assert_equal(&here, &on(&cuda, selection, columns).unwrap(), "all or none");
    }
}

#[test]
fn the_cutflow_goes_in_and_comes_out() {
    let Some(cuda) = cuda() else { return };
    let selection = everything();
    let mut here = Tally::empty(selection.cutflow_rows());
    let mut there = Tally::empty_on(&cuda, selection.cutflow_rows()).unwrap();
    for (events, seed) in [(700, 1), (0, 2), (300, 3)] {
        let columns = columns(&selection, events, seed);
        let origin = Origin::default();
        let uploaded = columns.upload(&cuda).unwrap();
        here = selection.cpu(Batch { columns, cutflow: here, origin: origin.clone() }).unwrap().cutflow;
        there = selection.cuda(&cuda, Batch { columns: uploaded, cutflow: there, origin }).unwrap().cutflow;
    }
    assert_eq!(here.words, there.download(&cuda).unwrap().words);
}

#[test]
fn the_same_error_names_the_same_row() {
    let Some(cuda) = cuda() else { return };
    let selection = everything();
    let projection = selection.projection();
    let place = |names: &[String], name: &str| names.iter().position(|known| known == name).unwrap();
    let fat_jet = projection.collections.iter().position(|collection| collection.name == "FatJet").unwrap();
    let eta = place(&projection.collections[fat_jet].quantities, "eta");
    let (met, weight) = (place(&projection.scalars, "met"), place(&projection.scalars, "genWeight"));
    for change in 0..3 {
        let mut columns = columns(&selection, 1500, 77);
        match change {
            0 => set(&mut columns.collections[fat_jet].quantities[eta], &[700, 2500, 2501], f32::NAN),
            1 => set(&mut columns.scalars[met], &(3..40).collect::<Vec<_>>(), f32::NAN),
            _ => set(&mut columns.scalars[weight], &[1049, 1], 1e9),
        }
        let here = selection.cpu(batch(&selection, columns.clone())).unwrap_err().to_string();
        assert_eq!(here, on(&cuda, &selection, columns).unwrap_err().to_string());
    }
}

fn set(column: &mut <Host as Place>::Column<f32>, places: &[usize], value: f32) {
    let mut values = column.to_vec();
    places.iter().for_each(|place| values[*place] = value);
    *column = values.into();
}
