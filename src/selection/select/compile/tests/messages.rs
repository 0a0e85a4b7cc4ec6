//! What the compiler says of mistakes, and where.

use super::*;
use crate::events::Wanted;

/// The message of the only mistake in a cut `text`, and what is underlined.
fn said_of(definition: Definition, text: &str) -> (String, String) {
    let definition = Definition { cuts: vec![Cut::new("cut", text)], ..definition };
    let found = mistakes(&definition);
    assert_eq!(found.len(), 1, "{text}: {found:#?}");
    assert_eq!(found[0].0, "select.cut");
    pointed(&found[0].1)
}

/// The message and what is underlined of three lines.
fn pointed(why: &str) -> (String, String) {
    let lines: Vec<&str> = why.lines().collect();
    assert_eq!(lines.len(), 3, "{why}");
    let (start, carets) = (lines[2].find('^').expect("a caret"), lines[2].trim());
    let under = lines[1].chars().skip(start).take(carets.len()).collect();
    (lines[0].to_owned(), under)
}

#[test]
fn mistakes_in_types_say_what_to_write() {
    let table = include_str!("messages.txt");
    let mut checked = 0;
    let mut wrong = String::new();
    for entry in table.trim().split("\n\n") {
        let mut lines = entry.lines();
        let text = lines.next().unwrap_or_default();
        let expected: Vec<&str> = lines.collect();
        let (message, under) = said_of(dilepton(), text);
        if expected != [message.as_str(), &format!("^{under}")] {
            wrong += &format!("{text}\n{message}\n^{under}\n\n");
        }
        checked += 1;
    }
    assert!(wrong.is_empty() && checked > 60, "{checked} texts; got\n{wrong}");
}

/// Every mistake of a definition: keys, first line, what is underlined (nothing for those at no place).
fn all_of(definition: &Definition) -> Vec<String> {
    let line = |(path, why): (String, String)| match why.contains('\n') {
        true => {
            let (message, under) = pointed(&why);
            format!("{path}: {message} ^{under}")
        }
        false => format!("{path}: {why}"),
    };
    mistakes(definition).into_iter().map(line).collect()
}

#[test]
fn mistakes_of_all_parts_are_found_at_once() {
    let mut definition = dilepton();
    definition.objects[0].keep.push("pt > 30 && lepton.eta < 2".into());
    definition.objects[1].order = Some("-jet.pt".into());
    definition.objects[1].apart = vec![("leptn".into(), 0.4), ("lepton".into(), -1.0)];
    definition.objects[1].keep.push("jet[0].pt > 3".into());
    definition.objects.push(Object { from: vec![], leading: Some(0), ..Object::new("1x", "A") });
    definition.objects.push(Object { flavours: Some(vec![1.0]), ..Object::new("both", "A").and("A") });
    definition.objects.push(Object::new("odd", "Jet").and("Track").keep("flavour == 3"));
    definition.pairs[0].keep.push("first.pt > lepton.pt".into());
    definition.pairs[0].of[1] = "muon".into();
    definition.variables.push(Variable::new("mass", "3"));
    definition.variables.push(Variable::new("jet", "4"));
    definition.variables.push(Variable::new("a", "b + 1"));
    definition.variables.push(Variable::new("b", "c * 2"));
    definition.variables.push(Variable::new("c", "a"));
    definition.variables.push(Variable::new("MET_pt", "MET_pt * 1000"));
    definition.variables.push(Variable::new("quiet", "a + b + c + MET_pt + m_ll"));
    definition.cuts = vec![Cut::new("x", "quiet > jte[0].pt || sum(ht) > len(jet)"), Cut::new("x", "true")];
    definition.channels = vec![Channel { entry: Cut::new("e e", "true"), cuts: vec![Cut::new("y", "a")] }];
    definition.regions = vec![Cut::new("sr", "ht"), Cut::new("sr", "true")];
    let features = |object: &str, number, quantities: &[&str]| Features {
        object: object.into(),
        number,
        quantities: quantities.iter().map(|name| (*name).to_owned()).collect(),
        padding: 0.0,
    };
    definition.features =
        vec![features("jte", 2, &["pt"]), features("jet", 9, &["pt", "pt", "a b"]), features("lepton", 0, &[])];
    let found = all_of(&definition).join("\n");
    let expected = include_str!("all.txt");
    assert!(found == expected.trim_end(), "got\n{found}");
}

#[test]
fn what_is_no_object_is_said_and_items_of_pairs_are_suggested() {
    let mut definition = dilepton();
    definition.pairs[0].keep.push("secnd.pt > 30".into());
    definition.objects[1].apart = vec![("z".into(), 0.4)];
    let features = Features { object: "mu".into(), number: 2, quantities: vec!["pt".into()], padding: 0.0 };
    definition.features = vec![features];
    let expected = [
        "objects.jet.apart: unknown object 'z'; it is a pair",
        "pairs.z.keep: unknown object 'secnd'; did you mean 'second'? ^secnd",
        "features.mu: unknown object 'mu'; known are lepton, jet",
    ];
    assert_eq!(all_of(&definition), expected);
}

/// Only the files tell which columns there are: the reader is told where each is needed.
#[test]
fn every_column_has_a_place_that_needs_it() {
    let mut definition = dilepton();
    definition.cuts = vec![Cut::new("cut", "m_l > 30 && lepton[0].tight && jet[nBest].eta < 2")];
    let uses = compiled(&definition).program.projection.uses;
    let of = |collection: Option<&str>, name: &str| {
        let found = uses.iter().filter(|one| one.collection.as_deref() == collection && one.name == name);
        found.map(|one| (one.wanted, one.key.clone(), one.quoted.clone())).collect::<Vec<_>>()
    };
    let text = "    m_l > 30 && lepton[0].tight && jet[nBest].eta < 2\n";
    let under = |before: usize, carets: usize| format!("{text}    {}{}", " ".repeat(before), "^".repeat(carets));
    let at = |wanted, quoted| (wanted, "select.cut".to_owned(), quoted);
    assert_eq!(of(None, "m_l"), [at(Wanted::Number, under(0, 3))]);
    assert_eq!(uses.iter().find(|one| one.name == "m_l").unwrap().defined.as_deref(), Some("m_ll"));
    let tight = [at(Wanted::Number, under(12, 15)), at(Wanted::Flag, under(12, 15))];
    assert_eq!((of(Some("Electron"), "tight"), of(Some("Muon"), "tight")), (tight.to_vec(), tight.to_vec()));
    assert_eq!(of(None, "nBest"), [at(Wanted::Number, under(35, 5)), at(Wanted::Place, under(35, 5))]);
    assert_eq!(of(Some("Jet"), "pt")[0].1, "objects.jet.keep");
    let weighted = compile(&definition, &Weight::column("genWeight", 1.0, 1.0).unwrap());
    assert!(weighted.program.projection.uses.iter().any(|one| one.name == "genWeight"));
}

#[test]
fn circles_through_objects_are_named() {
    let mut definition = demo();
    definition.objects[0].keep.push("pt > m_X / 10".into());
    assert_eq!(all_of(&definition), ["define.m_X: 'jet' needs itself: jet -> m_X -> jet ^jet"]);
}

#[test]
fn long_texts_are_shown_around_the_place() {
    let text = format!("{} + jte[0].pt > {}1", vec!["MET_pt"; 40].join(" + "), "1 + ".repeat(60));
    let mut definition = demo();
    definition.cuts = vec![Cut::new("long", text)];
    let found = mistakes(&definition);
    let lines: Vec<&str> = found[0].1.lines().collect();
    assert!(lines[1].len() <= 110 && lines[1].starts_with("    ...") && lines[1].ends_with("..."), "{}", lines[1]);
    assert_eq!(pointed(&found[0].1).1, "jte");
}

#[test]
fn limits_are_mistakes_and_no_crash() {
    let said = |text: String| said_of(dilepton(), &text).0;
    let nested = "more than 64 levels of nesting; name a part of it in [define]";
    assert_eq!(said(format!("{}1{} > 0", "(".repeat(4000), ")".repeat(4000))), nested);
    assert_eq!(said(format!("{}1 > 0", "-".repeat(4000))), nested);
    assert_eq!(said(format!("{}1{} > 0", "abs(".repeat(100), ")".repeat(100))), nested);
    assert_eq!(said(format!("jet{} > 0", "[jet".repeat(2000))), nested);
    assert!(said(format!("z{} > 0", ".a".repeat(2000))).starts_with("more than 8 names"));
    let too_long = "an expression has at most 10000 characters; split it with [define]";
    assert_eq!(said("(".repeat(100_000)), too_long);
    assert_eq!(said("1".repeat(1_000_000)), too_long);
    // Long is not deep.
    let mut definition = dilepton();
    definition.cuts = vec![
        Cut::new("sum", format!("{}ht > 0", "ht + ".repeat(1900))),
        Cut::new("any", format!("{}flag", "flag || ".repeat(1200))),
    ];
    compiled(&definition);
}

#[test]
fn definitions_build_on_each_other_only_so_far() {
    let chain =
        |number: usize| (1..number).map(|index| Variable::new(format!("d{index}"), format!("abs(d{})", index - 1)));
    let mut definition = Definition { variables: vec![Variable::new("d0", "MET_pt")], ..Definition::default() };
    definition.variables.extend(chain(60));
    compiled(&definition);
    definition.variables.extend(chain(3000).skip(59));
    let found = all_of(&definition);
    assert!(found.len() == 1 && found[0].contains("build on each other"), "{found:?}");
    definition.variables.reverse();
    let found = all_of(&definition);
    assert!(found.len() == 1 && found[0].contains("build on each other"), "{found:?}");
}

#[test]
fn too_many_values_at_once_are_a_mistake_at_their_text() {
    let mut definition = demo();
    // Every scalar is read for the first cut and still needed for the second.
    let sum = |sign: &str| (0..200).map(|index| format!("s{index}")).collect::<Vec<_>>().join(sign);
    definition.cuts =
        vec![Cut::new("first", format!("{} > 0", sum(" + "))), Cut::new("second", format!("{} > 0", sum(" * ")))];
    let found = mistakes(&definition);
    assert!(found.len() == 1 && found[0].0 == "select.first" && found[0].1.contains("too much"), "{found:?}");
}
