//! What programs look like.

use super::*;
use crate::selection::select::program::{NONE, ObjectPlan, Quantity};

fn codes(compiled: &Compiled) -> Vec<Code> {
    compiled.program.instructions.iter().map(|step| step.code).collect()
}

fn position(compiled: &Compiled, wanted: impl Fn(&Instruction) -> bool) -> usize {
    compiled.program.instructions.iter().position(wanted).expect("such an instruction")
}

#[test]
fn the_demo_is_a_short_program() {
    let compiled = compiled(&demo());
    let program = &compiled.program;
    assert_eq!(program.projection.collections.len(), 1);
    assert_eq!(program.projection.collections[0].quantities, ["pt", "eta", "phi", "mass"]);
    assert_eq!(program.checked, ["jet.pt", "abs(eta) of jet", "jet.pt", "jet[0].pt", "mass(jet[0] + jet[1])"]);
    assert_eq!((program.cuts, program.rows, program.variables, program.weight_column), (3, 4, 2, NONE));
    assert!(program.registers <= 18 && program.instructions.len() <= 41, "{}", listing(&compiled));
    // pt > 200 for the comparison of eta; jet[0] for the second cut, jet[0] + jet[1] for the third.
    let presences: Vec<u32> = program.presences.iter().map(|presence| presence.at_least).collect();
    assert_eq!(presences, [1, 1, 2]);
    assert_eq!(compiled.outputs.variables, ["m_Y", "m_X"]);
}

#[test]
fn work_waits_for_the_cuts_before_it() {
    let compiled = compiled(&demo());
    let cuts: Vec<usize> = (0..compiled.program.instructions.len())
        .filter(|index| compiled.program.instructions[*index].code == Code::Cut)
        .collect();
    assert_eq!(cuts.len(), 3);
    assert!(position(&compiled, |step| step.code == Code::Count) < cuts[0]);
    let first_at = position(&compiled, |step| step.code == Code::At);
    assert!((cuts[0]..cuts[1]).contains(&first_at));
    let mass = position(&compiled, |step| step.code == Code::MassOf);
    assert!((cuts[1]..cuts[2]).contains(&mass));
    // The mass is computed once, for the cut and for the variable.
    assert_eq!(codes(&compiled).iter().filter(|code| **code == Code::MassOf).count(), 1);
}

#[test]
fn what_is_not_used_is_not_read() {
    let mut definition = demo();
    definition.objects.push(Object::new("muon", "Muon").keep("isolation < 0.1"));
    definition.variables.push(Variable::new("soft", "muon[0].pt < 10"));
    assert_eq!(compiled(&definition).program, compiled(&demo()).program);
    definition.objects[1].keep = vec!["isolation <".into()];
    assert_eq!(mistakes(&definition).len(), 1);
}

#[test]
fn joined_collections_have_a_source_each() {
    let definition = Definition {
        objects: vec![
            Object::new("lepton", "Electrons")
                .and("Muon")
                .quantity("mass", QuantityFrom::Constant(0.1))
                .quantity("isolation", QuantityFrom::Column("relIso".into()))
                .order("none"),
        ],
        variables: vec![Variable::new("m", "lepton[0].mass + lepton[0].flavour + lepton[0].isolation")],
        ..Definition::default()
    };
    let program = compiled(&definition).program;
    let collections = &program.projection.collections;
    assert_eq!((collections[0].name.as_str(), collections[1].name.as_str()), ("Electrons", "Muon"));
    assert_eq!(
        (&collections[0].quantities, &collections[1].quantities),
        (&vec!["relIso".into()], &vec!["relIso".into()])
    );
    assert_eq!(program.sources, [0, 1]);
    let constant = |constant| Quantity { column: NONE, constant };
    let column = |column| Quantity { column, constant: 0.0 };
    let expected = [constant(0.1), constant(0.1), constant(11.0), constant(13.0), column(0), column(1)];
    assert_eq!(program.quantities, expected);
    assert_eq!(program.columns, [(0, 0), (1, 0)]);
}

#[test]
fn counting_alone_reads_one_column() {
    let definition = Definition {
        objects: vec![Object::new("jet", "Jet").order("none")],
        cuts: vec![Cut::new("two", "count(jet) >= 2")],
        ..Definition::default()
    };
    assert_eq!(compiled(&definition).program.projection.collections[0].quantities, ["pt"]);
}

#[test]
fn what_items_are_separated_from_begins_with_its_direction() {
    let program = compiled(&Definition { cuts: vec![Cut::new("one", "count(jet) > 0")], ..dilepton() }).program;
    let lepton = program.objects.iter().find(|object| object.sources == 2).expect("the leptons");
    let ObjectPlan { first_quantity, has_direction, .. } = *lepton;
    assert_eq!(has_direction, 1);
    // Quantity 0 of both sources: eta.
    for source in 0..2 {
        let (collection, quantity) =
            program.columns[program.quantities[first_quantity as usize + source].column as usize];
        assert_eq!(program.projection.collections[collection].quantities[quantity], "eta");
    }
    assert_eq!(program.objects.iter().filter(|object| object.has_direction == 1).count(), 1);
}

#[test]
fn channels_regions_and_features_have_rows_flags_and_places() {
    let mut definition = dilepton();
    let channel = |name: &str, cuts: &[&str]| Channel {
        entry: Cut::new(name, "lepton[0].flavour == 11"),
        cuts: cuts.iter().map(|cut| Cut::new(*cut, *cut)).collect(),
    };
    definition.cuts = vec![Cut::new("two", "count(lepton) >= 2")];
    definition.channels = vec![channel("ee", &["MET_pt > 30", "ht > 100"]), channel("mm", &[])];
    definition.regions = vec![Cut::new("signal", "ht > 300")];
    let quantities = vec!["pt".into(), "eta".into()];
    definition.features = vec![Features { object: "jet".into(), number: 3, quantities, padding: -1.0 }];
    let compiled = compiled(&definition);
    let program = &compiled.program;
    // 2 of the cuts, 3 of ee, 1 of mm, 1 of the region.
    assert_eq!((program.rows, program.cuts), (7, 1));
    let of = |code| program.instructions.iter().filter(move |step| step.code == code);
    assert_eq!(of(Code::Tally).map(|step| step.c).collect::<Vec<_>>(), [2, 5, 6]);
    assert_eq!(of(Code::Flag).map(|step| step.dest).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(of(Code::Require).count(), 1);
    assert_eq!(compiled.outputs.flags, ["ee", "mm", "signal"]);
    // m_ll and ht are numbers; 3 places of pt, eta and the mask.
    assert_eq!(compiled.outputs.variables, ["m_ll", "ht"]);
    assert_eq!(compiled.outputs.features[0].first, 2);
    assert_eq!(program.variables, 2 + 9);
    assert_eq!(of(Code::Store).map(|step| step.dest).collect::<Vec<_>>(), (0..11).collect::<Vec<_>>());
}

#[test]
fn the_weight_is_read_last() {
    let weight = Weight::column("genWeight", 1.0, 10.0).expect("a weight");
    let mut definition = demo();
    definition.cuts.push(Cut::new("met", "MET_pt > 3"));
    let program = compile(&definition, &weight).program;
    assert_eq!((program.projection.scalars, program.weight_column), (vec!["MET_pt".into(), "genWeight".into()], 1));
}

#[test]
fn definitions_come_in_any_order() {
    let mut definition = demo();
    definition.variables.reverse();
    definition.variables.insert(0, Variable::new("ratio", "m_X / m_Y"));
    definition.objects[0].keep.push("pt > fraction * event.MET_pt".into());
    definition.variables.push(Variable::new("fraction", "0.5"));
    assert_eq!(compiled(&definition).outputs.variables, ["ratio", "m_X", "m_Y", "fraction"]);
}

#[test]
fn a_place_that_is_computed_may_be_outside_without_blame() {
    let mut definition = demo();
    definition.cuts = vec![Cut::new("last", "jet[count(jet) - 1].pt > 3")];
    definition.variables.clear();
    let compiled = compiled(&definition);
    // Inside unless known to be outside: 1 - (place < 0 or place >= count).
    let codes = codes(&compiled);
    assert!(codes.contains(&Code::Not) && codes.contains(&Code::Or), "{}", listing(&compiled));
    let check = compiled.program.checks.last().expect("a check");
    assert_eq!(check.presences, 1);
}
