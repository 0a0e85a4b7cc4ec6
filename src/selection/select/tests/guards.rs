//! Which NaN are faults: those that something was compared with, where the comparison mattered.

use super::*;

const NAN: f32 = f32::NAN;

/// What a selection of jets and `met` says of one event.
fn faults(definition: &Definition, jets: &[Item], met: f32) -> bool {
    let selection = Selection::new(definition.clone(), Weight::default()).unwrap_or_else(|error| panic!("{error}"));
    match run(&selection, &[jets.to_vec()], &[("met", vec![met]), ("flag", vec![NAN])]) {
        Ok(_) => false,
        Err(error) => {
            assert!(error.to_string().contains(" is NaN in row 100"), "{error}");
            true
        }
    }
}

fn with_cut(cut: &str) -> Definition {
    Definition {
        objects: vec![Object::new("jet", "FatJet").order("none"), Object::new("other", "FatJet").order("none")],
        cuts: vec![Cut::new("cut", cut)],
        ..Definition::default()
    }
}

fn with_keep(keep: &[&str]) -> Definition {
    let jet = keep.iter().fold(Object::new("jet", "FatJet").order("none"), |jet, keep| jet.keep(*keep));
    Definition { objects: vec![jet], cuts: vec![Cut::new("cut", "count(jet) > 0")], ..Definition::default() }
}

#[test]
fn conditions_on_the_event() {
    // met is 40, the only jet has pt 50 and no eta, flag is NaN.
    let jets = [[50.0, NAN, 0.0, 10.0]];
    for (cut, expected) in [
        ("met > 30 && flag > 0", true),
        ("met > 50 && flag > 0", false),
        ("flag > 0 && met > 50", true),
        ("met > 30 || flag > 0", false),
        ("met > 50 || flag > 0", true),
        ("met > 50 || met < 20 || flag", true),
        ("met > 50 || met < 45 || flag", false),
        ("met > 30 && (met > 60 || flag)", true),
        ("met > 30 && !(met > 20 || flag)", false),
        ("met > 50 && (met > 60 || flag)", false),
        ("where(met > 30, met, where(flag, 1, 2)) > 3", false),
        ("where(met < 30, met, where(flag, 1, 2)) > 3", true),
        ("finite(flag) && flag > 3", false),
        ("!finite(flag) || flag > 3", false),
        ("jet[1].pt > 3 && flag > 3", false),
        ("jet[0].pt > 3 && jet[0].eta > 3", true),
        // An equal comparison with fewer conditions, or others, is one of its own.
        ("(met > 50 && flag > 0) || flag > 0", true),
        ("(met > 50 && flag > 0) || (met > 60 && flag > 0)", false),
        ("(met > 50 && flag > 0) || (met < 60 && flag > 0)", true),
        ("(met > 50 && met > 55 && flag > 0) || (met < 60 && met > 50 && flag > 0)", false),
        // Reductions.
        ("met > 50 && any(jet.eta > 0)", false),
        ("met > 30 && any(jet.eta > 0)", true),
        ("(met > 50 && any(jet.eta > 0)) || any(jet.eta > 0)", true),
        ("any(jet.pt > 60 && jet.eta > 0)", false),
        ("any(jet.pt < 60 && jet.eta > 0)", true),
        ("any(jet.pt > 60 && flag > 0)", false),
        ("any(jet.pt < 60 && flag > 0)", true),
        ("any(jet.pt > 60 && (met > 50 || where(flag, met, 3) > 2))", false),
        ("any(jet.pt < 60 && (met > 50 || where(flag, met, 3) > 2))", true),
        ("met > 50 && any(jet.pt < 60 && flag > 0)", false),
        ("sum(where(jet.pt > 60, jet.pt, where(jet.eta > 0, 1, 2))) > 0", true),
        ("sum(where(jet.pt < 60, jet.pt, where(jet.eta > 0, 1, 2))) > 0", false),
        // What another reduction finds was compared before the loop.
        ("any(jet.pt > 60 && any(other.eta > 0))", true),
    ] {
        assert_eq!(faults(&with_cut(cut), &jets, 40.0), expected, "{cut}");
    }
}

#[test]
fn conditions_on_items() {
    // Jets of pt 50 and 20; the second has no eta.
    let jets = [[50.0, 1.0, 0.0, 10.0], [20.0, NAN, 0.0, 20.0]];
    for (keep, expected) in [
        (vec!["pt > 30", "abs(eta) < 2"], false),
        (vec!["abs(eta) < 2", "pt > 30"], true),
        (vec!["pt > 10", "abs(eta) < 2"], true),
        (vec!["pt > 10", "mass < 15", "abs(eta) < 2"], false),
        (vec!["pt > 10 && mass < 15", "abs(eta) < 2 && abs(eta) > 0"], false),
        (vec!["pt < 30 || abs(eta) < 2"], false),
        (vec!["pt > 30 || abs(eta) < 2"], true),
        (vec!["where(pt > 30, eta, mass) > 0"], false),
        (vec!["where(pt < 30, eta, mass) > 0"], true),
        (vec!["where(pt < 30, eta > 0, mass > 0)"], true),
        (vec!["event.met > 50", "eta > 0"], false),
        (vec!["pt > 60", "event.flag > 0"], false),
        (vec!["pt > 30", "event.flag > 0"], true),
    ] {
        assert_eq!(faults(&with_keep(&keep), &jets, 40.0), expected, "{keep:?}");
    }
    let mut ordered = with_keep(&["pt > 30"]);
    ordered.objects[0].order = Some("where(eta > 0, 1, 2)".into());
    assert!(!faults(&ordered, &jets, 40.0), "the key of an item that is not kept");
    ordered.objects[0].keep = vec!["mass > 3".into()];
    assert!(faults(&ordered, &jets, 40.0));
}

#[test]
fn conditions_on_pairs() {
    let jets = [[50.0, 1.0, 0.0, 10.0], [20.0, NAN, 0.0, 20.0]];
    for (keep, expected) in [
        ("first.pt < 30 && second.eta > 0", false),
        ("first.pt > 30 && second.eta > 0", true),
        ("first.place == 1 && second.eta > 0", false),
        ("second.place == 1 && second.eta > 0", true),
    ] {
        let mut definition = with_cut("count(p) == 1");
        let of = ["jet".into(), "jet".into()];
        definition.pairs = vec![Pair { name: "p".into(), of, keep: vec![keep.into()], best: "first.pt".into() }];
        assert_eq!(faults(&definition, &jets, 40.0), expected, "{keep}");
    }
}

#[test]
fn conditions_of_channels() {
    let cut = |text: &str| Cut::new(text, text);
    for (entry, cuts, expected) in [
        ("met > 50", vec!["flag > 0"], false),
        ("met > 30", vec!["flag > 0"], true),
        ("met > 30", vec!["met > 50", "flag > 0"], false),
        ("met > 30", vec!["met > 20", "flag > 0"], true),
    ] {
        let channels =
            vec![Channel { entry: Cut::new("channel", entry), cuts: cuts.iter().map(|text| cut(text)).collect() }];
        let definition = Definition { channels, ..Definition::default() };
        assert_eq!(faults(&definition, &[], 40.0), expected, "{entry} {cuts:?}");
    }
}

#[test]
fn what_definitions_compare_is_compared_wherever_they_are_used() {
    let mut definition = with_cut("met > 50 && good");
    definition.variables = vec![Variable::new("good", "flag > 0")];
    assert!(faults(&definition, &[], 40.0));
    definition.variables = vec![Variable::new("good", "met > 50 && flag > 0")];
    assert!(!faults(&definition, &[], 40.0));
}

#[test]
fn places_count_from_0_in_the_order_of_the_object() {
    let mut definition = with_cut("any(jet.place == 1 && jet.mass > 6)");
    definition.objects[0] = Object::new("jet", "FatJet").keep("pt > 10");
    definition.variables =
        vec![Variable::new("total", "sum(jet.place * jet.mass)"), Variable::new("last", "max(jet.place)")];
    let of = ["jet".into(), "jet".into()];
    definition.pairs = vec![Pair { name: "p".into(), of, keep: vec![], best: "-first.place - second.place".into() }];
    definition.variables.push(Variable::new("both", "p.first.mass * 100 + p.second.mass"));
    let selection = Selection::new(definition, Weight::default()).unwrap_or_else(|error| panic!("{error}"));
    assert!(!selection.projection().collections[0].quantities.contains(&"place".to_owned()));
    let event = [[20.0, 0.0, 0.0, 5.0], [5.0, 0.0, 0.0, 50.0], [40.0, 0.0, 0.0, 3.0], [30.0, 0.0, 0.0, 7.0]];
    let found = run(&selection, &[event.to_vec()], &[]).unwrap().survivors;
    // By falling pT: 3, 7, 5. The pair of the largest places is the second and the third.
    let values: Vec<f32> = found.variables.iter().map(|values| values[0]).collect();
    assert_eq!(values, [7.0 + 2.0 * 5.0, 2.0, 705.0]);
}

#[test]
fn a_place_is_only_where_there_is_one() {
    let said = |definition: Definition| Selection::new(definition, Weight::default()).unwrap_err().to_string();
    assert!(said(with_keep(&["place > 0"])).contains("items have places when they are kept and ordered"));
    assert!(said(with_cut("jet[0].place > 0")).contains("'place' is of each item in turn"));
    // Unless the object has a quantity of that name.
    let mut own = with_keep(&["place > 0"]);
    own.objects[0] = own.objects[0].clone().quantity("place", QuantityFrom::Column("place".into()));
    own.cuts.push(Cut::new("first", "jet[0].place > 0"));
    Selection::new(own, Weight::default()).unwrap_or_else(|error| panic!("{error}"));
}
