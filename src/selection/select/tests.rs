mod guards;

use proptest::prelude::*;

use super::*;
use crate::events::Collection;
use crate::selection::{Cutflow, CutflowTable};
use crate::settings::Document;

/// An item of a collection: pt, eta, phi, mass.
type Item = [f32; 4];

/// A batch with one collection `FatJet` (whatever quantities the selection asks of it) and event scalars.
fn columns(selection: &Selection, events: &[Vec<Item>], scalars: &[(&str, Vec<f32>)]) -> EventColumns<Host> {
    let projection = selection.projection();
    let collections = projection.collections.iter().map(|collection| {
        let ends = events.iter().scan(0, |end, items| {
            *end += items.len() as u32;
            Some(*end)
        });
        let value = |item: &Item, quantity: &str| match quantity {
            "pt" => item[0],
            "eta" => item[1],
            "phi" => item[2],
            _ => item[3],
        };
        Collection {
            offsets: std::iter::once(0).chain(ends).collect(),
            quantities: (collection.quantities.iter())
                .map(|quantity| events.iter().flatten().map(|item| value(item, quantity)).collect())
                .collect(),
        }
    });
    let scalar = |name: &String| {
        let (_, values) = scalars.iter().find(|(known, _)| known == name).expect("the test gives every scalar");
        values.clone().into()
    };
    EventColumns {
        events: events.len(),
        collections: collections.collect(),
        scalars: projection.scalars.iter().map(scalar).collect(),
    }
}

fn run_on(selection: &Selection, columns: EventColumns<Host>, cutflow: Tally<Host>) -> Result<Selected<Host>> {
    let batch = Batch { columns, cutflow, origin: Origin { file: "a.parquet".into(), first_row: 100 } };
    selection.check(&batch)?;
    selection.cpu(batch)
}

fn run(selection: &Selection, events: &[Vec<Item>], scalars: &[(&str, Vec<f32>)]) -> Result<Selected<Host>> {
    run_on(selection, columns(selection, events, scalars), Tally::empty(selection.cutflow_rows()))
}

fn compiled(objects: Vec<Object>, variables: Vec<Variable>, cuts: Vec<Cut>, weight: Weight) -> Result<Selection> {
    Selection::new(Definition { objects, variables, cuts, ..Definition::default() }, weight)
}

fn table(selection: &Selection, selected: &Selected<Host>) -> CutflowTable {
    Cutflow::new(selection, &selected.cutflow).unwrap().table()
}

fn dijets() -> Selection {
    compiled(
        vec![Object::new("jet", "FatJet").keep("pt > 200").keep("abs(eta) < 2.0").leading(2)],
        vec![
            Variable::new("m_Y", "mass(jet[0] + jet[1])"),
            Variable::new("m_X", "max(jet[0].mass, jet[1].mass)"),
            Variable::new("lead_pt", "jet[0].pt"),
            Variable::new("n_jet", "count(jet)"),
        ],
        vec![Cut::new("two large-R jets", "count(jet) >= 2"), Cut::new("leading pT > 500 GeV", "jet[0].pt > 500")],
        Weight::default(),
    )
    .unwrap()
}

const PI: f32 = std::f32::consts::PI;

#[test]
fn a_hand_computed_selection() {
    let selection = dijets();
    let events = [
        vec![],                                                                         // no objects at all
        vec![[600.0, 0.0, 0.0, 0.0]],                                                   // one
        vec![[600.0, 0.0, 0.0, 10.0], [400.0, 0.0, PI, 20.0], [300.0, 0.5, 1.0, 90.0]], // survives; third jet is beyond leading
        vec![[300.0, 0.0, 0.0, 0.0], [250.0, 0.0, PI, 0.0]],                            // leading pT too low
        vec![[100.0, 0.0, 0.0, 0.0], [900.0, 2.5, 0.0, 0.0], [700.0, -1.9, 0.0, 5.0]],  // one passes the cuts
        vec![[300.0, 0.0, 0.0, 7.0], [800.0, 0.0, PI, 3.0]],                            // survives; the order is by pT
    ];
    let selected = run(&selection, &events, &[]).unwrap();
    let survivors = &selected.survivors;
    assert_eq!(survivors.count, 2);
    assert_eq!(survivors.index[..], [2, 5]);
    assert_eq!(survivors.variables[1][..], [20.0, 7.0]);
    assert_eq!(survivors.variables[2][..], [600.0, 800.0]);
    assert_eq!(survivors.variables[3][..], [2.0, 2.0]);
    assert_eq!(survivors.weight[..], [1.0, 1.0]);
    // Back to back at eta 0: m^2 = (sqrt(600^2 + 10^2) + sqrt(400^2 + 20^2))^2 - 200^2, and likewise with 800, 3, 300, 7
    // and 500 (Python 3.11 math.hypot, f64).
    let masses = [980.390_927_529_029_7, 979.893_884_455_392_3];
    for (got, expected) in survivors.variables[0].iter().zip(masses) {
        assert!((f64::from(*got) - expected).abs() < 1e-4, "{got} {expected}");
    }
    let table = table(&selection, &selected);
    assert_eq!(table.rows.iter().map(|row| row.events).collect::<Vec<_>>(), [6, 3, 2]);
    assert_eq!(table.rows[1].efficiency, 0.5);
    assert_eq!(table.rows[2].relative_efficiency, 2.0 / 3.0);
}

#[test]
fn equal_pt_keeps_the_order_of_the_file() {
    let selection = compiled(
        vec![Object::new("jet", "FatJet")],
        (0..3).map(|rank| Variable::new(format!("m{rank}"), format!("jet[{rank}].mass"))).collect(),
        vec![],
        Weight::default(),
    )
    .unwrap();
    let pts = [50.0, 70.0, 70.0, 50.0, 70.0];
    let items = pts.iter().zip(1..).map(|(pt, index)| [*pt, 0.0, 0.0, index as f32]).collect();
    let variables = run(&selection, &[items], &[]).unwrap().survivors.variables;
    assert_eq!(variables.iter().map(|column| column[0]).collect::<Vec<_>>(), [2.0, 3.0, 5.0]);
}

#[test]
fn a_missing_object_fails_comparisons_and_makes_variables_nan() {
    let objects = || vec![Object::new("jet", "FatJet")];
    let variables = vec![
        Variable::new("softer", "jet[1].pt"),
        Variable::new("larger", "max(jet[0].pt, jet[1].pt)"),
        Variable::new("distance", "deltaR(jet[0], jet[1])"),
        Variable::new("magnitude", "abs(jet[0].eta)"),
    ];
    let selection = compiled(objects(), variables, vec![], Weight::default()).unwrap();
    let events = [vec![[5.0, -1.0, 3.0, 0.0]], vec![[5.0, 1.0, 3.0, 0.0], [9.0, 1.0, -3.0, 0.0]]];
    let found = run(&selection, &events, &[]).unwrap().survivors;
    assert_eq!(found.count, 2);
    for column in &found.variables[..3] {
        assert_eq!(column[0].to_bits(), 0x7fc0_0000);
    }
    // 2 pi - 6 = 0.28318530717958645; from -3 to 3 across the seam.
    assert_eq!([found.variables[0][1], found.variables[1][1]], [5.0, 9.0]);
    assert_eq!(found.variables[2][1], 0.283_185_3);
    assert_eq!(found.variables[3][..], [1.0, 1.0]);
    for cut in ["jet[1].pt > 0", "jet[1].pt < 1e9", "mass(jet[0] + jet[1]) >= 0"] {
        let selection = compiled(objects(), vec![], vec![Cut::new("cut", cut)], Weight::default()).unwrap();
        assert_eq!(run(&selection, &events, &[]).unwrap().survivors.index[..], [1], "{cut}");
    }
}

#[test]
fn the_rapidity_of_one_momentum_is_right_at_any_pseudorapidity() {
    let variables = vec![
        Variable::new("of_item", "rapidity(jet[0])"),
        Variable::new("of_parts", "rapidity(momentum(jet[0].pt, jet[0].eta, 0, jet[0].mass))"),
        Variable::new("in_loop", "max(rapidity(jet))"),
        Variable::new("own_mass", "mass(jet[0])"),
        Variable::new("of_sum", "rapidity(jet[0] + jet[0])"),
    ];
    let selection = compiled(vec![Object::new("jet", "FatJet")], variables, vec![], Weight::default()).unwrap();
    let etas = [-400.0, -25.0, -3.0, -1e-6, 0.0, 0.5, 4.0, 18.0, 30.0, 400.0f32];
    let masses = [0.0, 50.0, 3000.0f32];
    let items: Vec<Item> = etas.iter().flat_map(|&eta| masses.map(|mass| [100.0, eta, 1.0, mass])).collect();
    let events: Vec<Vec<Item>> = items.iter().map(|item| vec![*item]).collect();
    let found = run(&selection, &events, &[]).unwrap().survivors.variables;
    for (index, [pt, eta, _, mass]) in items.into_iter().enumerate() {
        // Of large |eta|, the logarithm of 2 pt sinh(eta) / m_T.
        let [magnitude, pt, mass_squared] = [eta.abs(), pt, mass * mass].map(f64::from);
        let transverse = (pt * pt + mass_squared).sqrt();
        let expected = if magnitude > 20.0 {
            magnitude + (pt / transverse).ln()
        } else {
            (pt * magnitude.sinh() / transverse).asinh()
        };
        let expected = expected.copysign(f64::from(eta)) as f32;
        for column in &found[..3] {
            let close = (column[index] - expected).abs() <= 2e-7 * expected.abs();
            assert!(close, "{} for {expected} at eta {eta}, mass {mass}", column[index]);
        }
        assert_eq!(found[3][index], mass);
        // E and pz of a sum agree in ever more digits further out.
        if magnitude <= 4.0 {
            assert!((found[4][index] - expected).abs() <= 1e-6 * expected.abs(), "{} for {expected}", found[4][index]);
        }
    }
}

#[test]
fn infinity_compares_and_is_kept_as_a_number() {
    // What a float64 of 1e300 is read as.
    let scalars = [("MET_pt", vec![1e300f64 as f32, 40.0, -1e300f64 as f32])];
    let variables = vec![Variable::new("met", "MET_pt"), Variable::new("beyond", "MET_pt * 1e37")];
    let survivors = |cut: &str| {
        let cuts = vec![Cut::new("cut", cut)];
        let selection = compiled(vec![], variables.clone(), cuts, Weight::default()).unwrap();
        run(&selection, &[vec![], vec![], vec![]], &scalars).unwrap().survivors
    };
    let found = survivors("MET_pt > 30");
    assert_eq!(found.index[..], [0, 1]);
    assert_eq!(found.variables[0][..], [f32::INFINITY, 40.0]);
    assert_eq!(found.variables[1][..], [f32::INFINITY; 2]);
    assert_eq!(survivors("MET_pt < 30").variables[0][..], [f32::NEG_INFINITY]);
    assert_eq!(survivors("finite(MET_pt)").index[..], [1]);
}

#[test]
fn a_variable_in_a_cut_has_its_rounded_value() {
    // 16777217 is the first integer that f32 does not hold: the scalar itself is 16777216, and so is the variable.
    let selection = |cut: &str| {
        let variables = vec![Variable::new("third", "max(met, 0.1)"), Variable::new("again", "third")];
        compiled(vec![], variables, vec![Cut::new("cut", cut)], Weight::default()).unwrap()
    };
    let passes = |cut: &str| run(&selection(cut), &[vec![]], &[("met", vec![0.05])]).unwrap().survivors.count;
    // 0.1 rounds up to f32, 0.100000001490116.
    assert_eq!(passes("third > 0.1"), 1);
    assert_eq!(passes("max(met, 0.1) > 0.1"), 0);
    assert_eq!(passes("again <= 0.100000001490116119384765625"), 1);
}

#[test]
fn weights_are_summed_exactly_with_their_errors() {
    let selection = dijets().with_weight(Weight::column("genWeight", 0.5, 10.0).unwrap());
    let good = vec![[600.0, 0.0, 0.0, 10.0], [400.0, 0.0, PI, 20.0]];
    let events = [good.clone(), vec![], good];
    let selected = run(&selection, &events, &[("genWeight", vec![3.0, 8.0, -1.0])]).unwrap();
    assert_eq!(selected.survivors.weight[..], [1.5, -0.5]);
    let table = table(&selection, &selected);
    let sums: Vec<_> = table.rows.iter().map(|row| (row.weights, row.error)).collect();
    assert_eq!(sums, [(5.0, 18.5f64.sqrt()), (1.0, 2.5f64.sqrt()), (1.0, 2.5f64.sqrt())]);
    let text = table.to_string();
    let expected = "\
cut                   events  weights    +-    of all  of before
all events                 3     5.00  4.30  100.00 %   100.00 %
two large-R jets           2     1.00  1.58   20.00 %    20.00 %
leading pT > 500 GeV       2     1.00  1.58   20.00 %   100.00 %
";
    assert_eq!(text, expected);
    assert_eq!(table.csv().lines().nth(2), Some(",two large-R jets,2,1,1.5811388300841898,0.2,0.2"));
}

#[test]
fn what_has_no_answer_is_an_error_with_its_place() {
    let nan = f32::NAN;
    let said = |selection: &Selection, events: &[Vec<Item>], scalars: &[(&str, Vec<f32>)]| {
        let error = run(selection, events, scalars).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        error.to_string()
    };
    let jets = |eta| vec![[600.0, eta, 0.0, 10.0], [400.0, 0.0, PI, 20.0]];
    let text = said(&dijets(), &[jets(0.0), jets(nan), jets(nan)], &[]);
    assert!(
        text.starts_with(
            "selection.select: abs(eta) of jet is NaN in row 101 of a.parquet and in one more event of this batch ("
        ),
        "{text}"
    );
    // A NaN behind a failed cut is not compared.
    let mut behind = jets(nan);
    behind[0][0] = 100.0;
    assert_eq!(run(&dijets(), &[behind], &[]).unwrap().survivors.count, 0);
    let any = vec![Cut::new("any", "count(jet) > 0")];
    let ordered = compiled(vec![Object::new("jet", "FatJet")], vec![], any, Weight::default()).unwrap();
    let text = said(&ordered, &[vec![[nan, 0.0, 0.0, 0.0]]], &[]);
    assert!(text.contains("is NaN in row 100"), "{text}");
    let cut = vec![Cut::new("missing momentum", "met > 30")];
    let selection = compiled(vec![], vec![], cut, Weight::default()).unwrap();
    let text = said(&selection, &[vec![], vec![]], &[("met", vec![40.0, nan])]);
    assert!(text.contains("met is NaN in row 101"), "{text}");
    let weighted = dijets().with_weight(Weight::column("w", 1.0, 100.0).unwrap());
    let wrongs = [(nan, "not finite"), (f32::INFINITY, "not finite"), (-129.0, "too large"), (1e-9, "too small")];
    for (wrong, why) in wrongs {
        let text = said(&weighted, &[vec![], vec![]], &[("w", vec![1.0, wrong])]);
        assert!(text.contains(&format!("the weight 'w' x 1 is {why} in row 101")), "{text}");
    }
    assert!(Weight::column("w", f32::INFINITY.into(), 1.0).is_err() && Weight::constant(0.0).is_err());
    // A NaN that nothing compares is a value like any other.
    let carried = compiled(vec![], vec![Variable::new("met", "event.met")], vec![], Weight::default()).unwrap();
    assert!(run(&carried, &[vec![]], &[("met", vec![nan])]).unwrap().survivors.variables[0][0].is_nan());
}

#[test]
fn columns_that_contradict_each_other_are_refused() {
    let selection = dijets();
    let sound = columns(&selection, &[vec![[1.0; 4]], vec![[2.0; 4]]], &[]);
    let refused = |change: &dyn Fn(&mut EventColumns<Host>)| {
        let mut columns = sound.clone();
        change(&mut columns);
        run_on(&selection, columns, Tally::empty(selection.cutflow_rows())).unwrap_err().to_string()
    };
    assert!(refused(&|columns| columns.events = 3).contains("offsets of 'FatJet': expected 4, got 3"));
    assert!(refused(&|columns| columns.collections.clear()).contains("collections: expected 1, got 0"));
    for offsets in [[0, 3, 2], [1, 1, 2], [0, 1, 9]] {
        assert!(refused(&|columns| columns.collections[0].offsets = offsets.to_vec().into()).contains("do not divide"));
    }
    assert!(
        refused(&|columns| columns.collections[0].quantities[1] = vec![1.0].into())
            .contains("'FatJet_eta': expected 2, got 1")
    );
}

#[test]
fn mistakes_are_found_together_and_named() {
    let error = compiled(
        vec![Object::new("jet", "FatJet").keep("pt >> 3").leading(2), Object::new("muon", "Muon").leading(0)],
        vec![Variable::new("a", "b"), Variable::new("b", "jet[2].pt"), Variable::new("c", "muon")],
        vec![Cut::new("x", "count(jte) > 1"), Cut::new("x", "a > 1")],
        Weight::default(),
    )
    .unwrap_err();
    let said: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    for expected in [
        "objects.jet.keep: expected a value, got '>'\n    pt >> 3\n        ^",
        "objects.muon.leading: 0 would keep no object",
        "select.x: unknown object 'jte'; did you mean 'jet'?\n    count(jte) > 1\n          ^^^",
        "select.x: a cut above is also named 'x'",
        "define.b: jet[2] never exists, since leading = 2",
        "define.c: 'muon' is an object; write count(muon), muon[0].pt",
    ] {
        assert!(said.iter().any(|text| text.contains(expected)), "{expected} in {said:#?}");
    }
    // The order of definitions does not matter.
    let later = vec![Variable::new("a", "max(c, 1)"), Variable::new("c", "2")];
    compiled(vec![], later, vec![], Weight::default()).unwrap();
}

#[test]
fn a_card_is_read_and_its_mistakes_have_lines() {
    let card = r#"
[objects.jet]
from = "FatJet"
quantities = { mass = "msoftdrop" }
keep = ["pt > 200", "abs(eta) < 2.0"]
leading = 2
[define]
m_Y = "mass(jet[0] + jet[1])"
met = "MET_pt"
[select]
"two large-R jets" = "count(jet) >= 2"
"#;
    let document = Document::parse("a.toml", card, &[]).unwrap();
    let selection = Selection::read(&document.root(), vec![]).unwrap();
    document.finish().unwrap();
    assert_eq!(selection.projection().collections[0].quantities, ["pt", "eta", "phi", "msoftdrop"]);
    assert_eq!(selection.projection().scalars, ["MET_pt"]);
    assert_eq!(selection.variables().collect::<Vec<_>>(), ["m_Y", "met"]);
    let wrong = card
        .replace("from = \"FatJet\"\n", "")
        .replace("count(jet)", "count(jets)")
        .replace("jet[1])", "jet[1]")
        .replace("leading = 2", "leading = \"2\"");
    let document = Document::parse("a.toml", &wrong, &[]).unwrap();
    assert!(Selection::read(&document.root(), vec![]).is_none());
    let said = document.finish().unwrap_err();
    let places = [
        "2: key 'from'",
        "2: objects.jet.from",
        "5: objects.jet.leading",
        "7: define.m_Y",
        "10: select.two large-R jets",
    ];
    for (problem, place) in said.problems().iter().zip(places) {
        assert!(problem.to_string().starts_with(&format!("card: a.toml:{place}")), "{place}: {problem}");
    }
    assert_eq!(said.problems().len(), places.len());
}

/// Events with 0 to 5 items of few distinct values, so that ties and edges of cuts occur.
fn some_events() -> impl Strategy<Value = Vec<(Vec<Item>, f32)>> {
    let pt = prop::sample::select(vec![150.0f32, 200.0, 250.0, 500.0, 500.1, 900.0]);
    let eta = prop::sample::select(vec![-2.0f32, -1.5, 0.0, 1.99, 2.0, 2.5]);
    let item = (pt, eta, -3.1f32..3.1, 0.0f32..200.0).prop_map(|(pt, eta, phi, mass)| [pt, eta, phi, mass]);
    prop::collection::vec((prop::collection::vec(item, 0..6), -5.0f32..20.0), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn agrees_with_a_naive_selection(events in some_events()) {
        let selection = dijets().with_weight(Weight::column("w", 0.25, 20.0).unwrap());
        let (items, weights): (Vec<_>, Vec<_>) = events.iter().cloned().unzip();
        let selected = run(&selection, &items, &[("w", weights)]).unwrap();
        let mut counted = [0u64; 3];
        let mut expected = Vec::new();
        for (row, (items, weight)) in events.iter().enumerate() {
            let mut jets: Vec<&Item> = items.iter().filter(|item| item[0] > 200.0 && item[1].abs() < 2.0).collect();
            jets.sort_by(|a, b| b[0].total_cmp(&a[0]));
            jets.truncate(2);
            counted[0] += 1;
            counted[1] += u64::from(jets.len() >= 2);
            if jets.len() >= 2 && jets[0][0] > 500.0 {
                counted[2] += 1;
                expected.push((row as u32, jets[0][3].max(jets[1][3]), weight * 0.25));
            }
        }
        let survivors = &selected.survivors;
        let got: Vec<_> =
            (0..survivors.count).map(|at| (survivors.index[at], survivors.variables[1][at], survivors.weight[at])).collect();
        prop_assert_eq!(got, expected);
        let table = table(&selection, &selected);
        prop_assert_eq!(table.rows.iter().map(|row| row.events).collect::<Vec<_>>(), counted);
    }

    #[test]
    fn batches_and_threads_change_nothing(events in some_events(), split in 0usize..60) {
        let selection = dijets().with_weight(Weight::column("w", 1.0, 20.0).unwrap());
        let split = split.min(events.len());
        let part = |part: &[(Vec<Item>, f32)]| {
            let (items, weights): (Vec<_>, Vec<_>) = part.iter().cloned().unzip();
            columns(&selection, &items, &[("w", weights)])
        };
        let whole = run_on(&selection, part(&events), Tally::empty(selection.cutflow_rows())).unwrap();
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let (first, second) = one.install(|| {
            let first = run_on(&selection, part(&events[..split]), Tally::empty(selection.cutflow_rows())).unwrap();
            let second = run_on(&selection, part(&events[split..]), first.cutflow.clone()).unwrap();
            (first, second)
        });
        prop_assert_eq!(&whole.cutflow.words, &second.cutflow.words);
        prop_assert_eq!(whole.survivors.count, first.survivors.count + second.survivors.count);
        for variable in 0..4 {
            let bits = |survivors: &Survivors<Host>| -> Vec<u32> {
                survivors.variables[variable].iter().map(|value| value.to_bits()).collect()
            };
            prop_assert_eq!(bits(&whole.survivors), [bits(&first.survivors), bits(&second.survivors)].concat());
        }
    }
}

#[test]
fn blocks_join_in_order() {
    let selection = compiled(
        vec![Object::new("jet", "FatJet")],
        vec![Variable::new("leading_pt", "jet[0].pt")],
        vec![Cut::new("odd", "jet[0].eta > 0")],
        Weight::default(),
    )
    .unwrap();
    for count in [1usize, 4095, 4096, 4097, 10_001] {
        let events: Vec<Vec<Item>> = (0..count).map(|row| vec![[row as f32, (row % 2) as f32, 0.0, 0.0]]).collect();
        let survivors = run(&selection, &events, &[]).unwrap().survivors;
        let expected: Vec<u32> = (0..count as u32).filter(|row| row % 2 == 1).collect();
        assert_eq!(survivors.index[..], expected);
        assert!(survivors.variables[0].iter().zip(&expected).all(|(pt, row)| *pt == *row as f32));
    }
}

#[test]
fn cutflows_of_samples_add() {
    let selection = dijets();
    let good = vec![[600.0, 0.0, 0.0, 10.0], [400.0, 0.0, PI, 20.0]];
    let flow = |events: &[Vec<Item>]| Cutflow::new(&selection, &run(&selection, events, &[]).unwrap().cutflow).unwrap();
    let mut sum = flow(&[good.clone(), vec![]]);
    sum.merge(&flow(std::slice::from_ref(&good))).unwrap();
    assert_eq!(sum, flow(&[good.clone(), good, vec![]]));
    let other = compiled(vec![], vec![], vec![], Weight::default()).unwrap();
    let other = Cutflow::new(&other, &Tally::empty(other.cutflow_rows())).unwrap();
    assert!(sum.merge(&other).is_err());
}
