//! The executor of the CPU against the reference, event by event, over everything that the language has.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::math::{Columns, Scratch, run_event, weight};
use super::program::NONE;
use super::*;
use crate::events::Collection;
use crate::selection::tally::WeightedCount;

pub(super) static EVERYTHING: LazyLock<Selection> = LazyLock::new(everything);

/// A selection with every construct.
fn everything() -> Selection {
    let cut = |name: &str, require: &str| Cut::new(name, require);
    let variable = |(name, value): (&str, &str)| Variable::new(name, value);
    let definition = Definition {
        objects: vec![
            Object::new("lepton", "Electron").and("Muon").keep("pt > 10 && abs(eta) < 2.47 || flavour == 13"),
            Object { apart: vec![("lepton".into(), 0.4)], ..Object::new("jet", "Jet").keep("pt > 25") },
            Object::new("soft", "Jet").keep("pt < 0.5 * event.met + 20").order("abs(eta)").leading(3),
            Object::new("tight", "Jet")
                .keep("pt > 19 && (abs(eta) < 0.305 || mass > 4)")
                .keep("where(phi > 0, mass, eta + 3) > 0.2 || event.met > 30 && mass < 50")
                .order("where(mass > 4, -pt, eta)"),
            Object::new("raw", "Jet").order("none").quantity("mass", QuantityFrom::Constant(4.5)),
        ],
        pairs: vec![
            Pair {
                name: "z".into(),
                of: ["lepton".into(), "lepton".into()],
                keep: vec!["first.flavour == second.flavour".into()],
                best: "abs(mass(first + second) - 91.2)".into(),
            },
            Pair {
                name: "near".into(),
                of: ["lepton".into(), "jet".into()],
                keep: vec!["first.place == 0 || second.pt > 26 && (first.eta < 2 || event.met > 0)".into()],
                best: "deltaR(first, second)".into(),
            },
        ],
        variables: [
            ("m_ll", "mass(lepton[0] + lepton[1])"),
            ("ht", "sum(jet.pt) + lepton[0].pt"),
            ("n_central", "count(abs(jet.eta) < 1)"),
            ("heaviest", "jet[argmax(jet.mass)].eta"),
            ("least", "otherwise(min(raw.phi), -9)"),
            ("all_mass", "mass(sum(raw))"),
            ("closest", "deltaR(near.first, near.second)"),
            ("m_z", "mass(z)"),
            ("y_z", "otherwise(rapidity(z), 99)"),
            ("mt", "transverseMass(lepton[0], momentum(met, 0, met_phi, 0))"),
            ("n_tight", "count(tight.place > 0 || tight.mass < 50 && met > 3)"),
            ("guarded", "sum(where(tight.eta > 0, tight.place, where(tight.phi > 0 && met > 1, met, tight.pt)))"),
            ("mixed", "where(met > 30 || count(soft) == 2, sqrt(abs(met)), -exp(-0.01 * abs(met)))"),
            (
                "functions",
                "atan2(met, 2) + hypot(met, 3) + pow(abs(met) + 1, 0.3) + floor(met) + cos(met_phi) * sinh(0.1)",
            ),
            ("dphi", "deltaPhi(jet[0].phi, met_phi)"),
            ("edge", "otherwise(max(soft.pt) - soft[count(soft) - 1].pt, 1000)"),
        ]
        .map(variable)
        .to_vec(),
        cuts: vec![
            cut("a lepton", "count(lepton) >= 1"),
            cut("not far forward", "!(abs(lepton[0].eta) > 2.3)"),
            cut("jets or met", "count(jet) >= 1 || met > 35 || any(raw.pt > 90)"),
            cut("mass", "m_ll > 20 || count(lepton) < 2"),
        ],
        channels: vec![
            Channel { entry: cut("ee", "lepton[0].flavour == 11 && lepton[1].flavour == 11"), cuts: vec![] },
            Channel {
                entry: cut("mumu", "all(lepton.flavour == 13)"),
                cuts: vec![cut("energetic", "lepton[0].pt > 40"), cut("good z", "m_z > 60 && count(z) == 1")],
            },
            Channel { entry: cut("other", "count(lepton) < 3 && met != 7"), cuts: vec![cut("jet", "jet[0].pt > 30")] },
        ],
        regions: vec![cut("high", "met > 60 && finite(mt)"), cut("boosted", "y_z > 0.5 && y_z < 90")],
        features: vec![Features {
            object: "jet".into(),
            number: 3,
            quantities: vec!["pt".into(), "eta".into()],
            padding: -1.0,
        }],
    };
    Selection::new(definition, Weight::column("w", 0.5, 8.0).unwrap()).unwrap_or_else(|error| panic!("{error}"))
}

/// What the reference says of a batch: the survivors' rows, flags and variables, the rows of the tally, and the faults.
#[derive(Debug, Default, PartialEq)]
struct Said {
    index: Vec<u32>,
    flags: Vec<u32>,
    variables: Vec<Vec<u32>>,
    rows: Vec<WeightedCount>,
    faults: Vec<(u64, u32)>,
}

fn reference(selection: &Selection, batch: &EventColumns<Host>) -> Said {
    let program = &*selection.program;
    let columns = Columns {
        offsets: batch.collections.iter().map(|collection| &collection.offsets[..]).collect(),
        quantities: (program.columns.iter())
            .map(|(collection, quantity)| &batch.collections[*collection].quantities[*quantity][..])
            .collect(),
        scalars: batch.scalars.iter().map(|scalar| &scalar[..]).collect(),
    };
    let mut said = Said {
        variables: vec![Vec::new(); program.variables as usize],
        rows: vec![WeightedCount::default(); program.rows as usize],
        ..Said::default()
    };
    let mut scratch = Scratch::new(program);
    for event in 0..batch.events {
        let mut stored = vec![0; program.variables as usize];
        let outcome = run_event(program, &columns, event, &mut scratch, |at, value| stored[at] = value.to_bits());
        if outcome.fault != NONE {
            said.faults.push((event as u64, outcome.fault));
            continue;
        }
        let weight = weight(&columns, program.weight_column, selection.weight.factor, event);
        said.rows[outcome.passed as usize].add(selection.weight.scale, weight);
        scratch.rows.iter().for_each(|row| said.rows[*row as usize].add(selection.weight.scale, weight));
        if outcome.survives {
            said.index.push(event as u32);
            said.flags.push(outcome.flags);
            said.variables.iter_mut().zip(stored).for_each(|(column, value)| column.push(value));
        }
    }
    said
}

fn assert_equal(selection: &Selection, batch: EventColumns<Host>) {
    let said = reference(selection, &batch);
    let origin = Origin { file: "a.parquet".into(), first_row: 0 };
    let cutflow = Tally::empty(selection.cutflow_rows());
    let selected = selection.cpu(Batch { columns: batch, cutflow, origin: origin.clone() });
    if let Some((row, fault)) = said.faults.first().copied() {
        let status = Status { row, fault, events: said.faults.len() as u64 };
        assert_eq!(selected.unwrap_err().to_string(), selection.fault(&origin, status).to_string());
        return;
    }
    let selected = selected.unwrap();
    let survivors = &selected.survivors;
    assert_eq!((&survivors.index[..], &survivors.flags[..]), (&said.index[..], &said.flags[..]));
    for (at, (column, expected)) in survivors.variables.iter().zip(&said.variables).enumerate() {
        let bits: Vec<u32> = column.iter().map(|value| value.to_bits()).collect();
        assert_eq!(bits, *expected, "variable {at}");
    }
    assert_eq!(selected.cutflow.rows().unwrap(), said.rows);
}

/// A value of a column: few distinct ones, so that ties and the edges of cuts occur, and rarely NaN or infinity.
fn value(quantity: &str) -> BoxedStrategy<f32> {
    let rare = prop_oneof![4000 => Just(None), 1 => Just(Some(f32::NAN)), 1 => Just(Some(f32::INFINITY))];
    let usual = match quantity {
        "pt" => prop::sample::select(vec![5.0f32, 10.0, 20.0, 27.5, 40.0, 40.0, 91.0, 300.0]).boxed(),
        "eta" => prop::sample::select(vec![-2.47f32, -1.0, -0.3, 0.0, 0.3, 0.31, 2.4]).boxed(),
        "phi" => (-3.1f32..3.1).boxed(),
        "mass" => prop::sample::select(vec![0.0f32, 4.5, 10.0, 91.0]).boxed(),
        _ => (-10.0f32..70.0).boxed(),
    };
    (usual, rare).prop_map(|(usual, rare)| rare.unwrap_or(usual)).boxed()
}

fn batch(selection: &Selection) -> BoxedStrategy<EventColumns<Host>> {
    let projection = selection.projection().clone();
    let events = 0usize..40;
    events
        .prop_flat_map(move |events| {
            let collections: Vec<_> = projection
                .collections
                .iter()
                .map(|collection| {
                    let item: Vec<_> = collection.quantities.iter().map(|quantity| value(quantity)).collect();
                    prop::collection::vec(prop::collection::vec(item, 0..4), events)
                })
                .collect();
            let scalars: Vec<_> = (projection.scalars.iter())
                .map(|name| {
                    let of = if name == "w" { (-4.0f32..15.0).boxed() } else { value(name) };
                    prop::collection::vec(of, events)
                })
                .collect();
            (Just(events), collections, scalars)
        })
        .prop_map(|(events, collections, scalars)| EventColumns {
            events,
            collections: collections.iter().map(|lists| collection(lists)).collect(),
            scalars: scalars.into_iter().map(Into::into).collect(),
        })
        .boxed()
}

fn collection(lists: &[Vec<Vec<f32>>]) -> Collection<Host> {
    let ends = lists.iter().scan(0, |end, items| {
        *end += items.len() as u32;
        Some(*end)
    });
    let quantities = lists.iter().flatten().next().map_or(0, Vec::len);
    Collection {
        offsets: std::iter::once(0).chain(ends).collect(),
        quantities: (0..quantities).map(|at| lists.iter().flatten().map(|item| item[at]).collect()).collect(),
    }
}

#[test]
fn everything_compiles_to_few_registers() {
    let selection = everything();
    assert!(selection.program.registers <= 60, "{} registers", selection.program.registers);
    let found: std::collections::BTreeSet<u32> =
        selection.program.instructions.iter().map(|step| step.code as u32).collect();
    // All codes but the four that no text here needs: Truth, Logarithm, Sine, EtaOf among them.
    assert!(found.len() >= 49, "only {} codes are used: {found:?}", found.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn blocks_give_what_single_events_give(batch in batch(&EVERYTHING)) {
        let selection = &*EVERYTHING;
        let mut batch = batch;
        // A collection that is empty everywhere still has its columns.
        for (collection, named) in batch.collections.iter_mut().zip(&selection.projection().collections) {
            collection.quantities.resize(named.quantities.len(), Vec::new().into());
        }
        assert_equal(selection, batch);
    }
}

/// Events with up to `longest` items; one value of `rare` is NaN, if that is not 0.
pub(super) fn long_batch(
    selection: &Selection,
    events: usize,
    longest: u64,
    rare: u64,
    seed: u64,
) -> EventColumns<Host> {
    use crate::math::philox::{Philox, Stage};
    let random = Philox::new(seed, Stage::Probe);
    let uniform = |unit: u64, draw: u64| random.uniforms(unit, draw)[0];
    let lost = |unit: u64, draw: u64| rare > 0 && random.uniforms(unit, draw)[1] * (rare as f64) < 1.0;
    let collections = selection.projection().collections.iter().zip(1u64..).map(|(named, at)| {
        let mut offsets = vec![0u32];
        for event in 0..events as u64 {
            offsets.push(offsets[event as usize] + (uniform(event, at) * (longest + 1) as f64) as u32);
        }
        let items = u64::from(offsets[events]);
        let column = |quantity: &String, draw: u64| -> Vec<f32> {
            let spread = match quantity.as_str() {
                "pt" => (4.0, 100.0),
                "eta" => (-2.6, 5.2),
                "phi" => (-3.1, 6.2),
                _ => (0.0, 30.0),
            };
            let draw = 100 * at + draw;
            let value = |item| if lost(item, draw) { f64::NAN } else { spread.0 + spread.1 * uniform(item, draw) };
            (0..items).map(|item| value(item) as f32).collect()
        };
        let quantities = named.quantities.iter().zip(0..).map(|(name, draw)| column(name, draw).into()).collect();
        Collection { offsets: offsets.into(), quantities }
    });
    let collections = collections.collect();
    let scalars = selection.projection().scalars.iter().zip(5000u64..).map(|(name, draw)| {
        let value = |event| if name != "w" && lost(event, draw) { f64::NAN } else { uniform(event, draw) * 15.0 };
        (0..events as u64).map(|event| value(event) as f32).collect()
    });
    EventColumns { events, collections, scalars: scalars.collect() }
}

#[test]
fn long_batches_and_long_lists_give_the_same() {
    let selection = everything();
    for (events, longest) in [(5000usize, 6u64), (33_000, 3), (3, 300)] {
        assert_equal(&selection, long_batch(&selection, events, longest, 0, 5));
    }
}

#[test]
fn what_is_guarded_faults_alike() {
    let selection = everything();
    for seed in 0..40 {
        assert_equal(&selection, long_batch(&selection, 200, 3, 100 + 100 * seed, seed));
    }
}
