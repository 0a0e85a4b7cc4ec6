//! Whatever is written: registers hold what is read from them, and nothing panics.

use proptest::prelude::*;

use super::super::operands::{loops, may_check, reads, writes};
use super::super::{assign, check, emit};
use super::*;
use crate::selection::select::program::{Check, NONE};

/// Walks a program beside itself before registers were assigned, every loop twice, and asserts that every register holds
/// what is read from it.
fn registers_hold(definition: &Definition) {
    let checked = check::check(definition, &mut Vec::new()).0.expect("no mistakes");
    let emitted = emit::emit(definition, Some(&checked), None);
    let (mut steps, mut presences) = (emitted.steps.clone(), emitted.presences.clone());
    let registers =
        assign::assign(&mut steps, &emitted.checks, &mut presences, &emitted.groups).expect("few registers");
    let loops = loops(&steps);
    let mut order: Vec<usize> = Vec::new();
    let mut here = 0;
    while here < steps.len() {
        order.push(here);
        if let Some((begin, end)) = loops.iter().find(|(begin, _)| *begin == here) {
            order.extend((begin + 1..=*end).chain(begin + 1..=*end));
            here = *end;
        }
        here += 1;
    }
    let mut holds = vec![NONE; registers as usize];
    let write = |holds: &mut Vec<u32>, index: usize| {
        for offset in 0..writes(steps[index].code) {
            holds[(steps[index].dest + offset) as usize] = emitted.steps[index].dest + offset;
        }
    };
    for index in order {
        let (before, after) = (&emitted.steps[index], &steps[index]);
        let Check { first_presence, presences: count } = match after.check {
            check if check != NONE && may_check(after.code) => emitted.checks[check as usize],
            _ => Check { first_presence: 0, presences: 0 },
        };
        let there = first_presence as usize..(first_presence + count) as usize;
        let checked = there.map(|one| ((emitted.presences[one].register, 1), (presences[one].register, 1)));
        let read: Vec<_> = reads(before).into_iter().zip(reads(after)).chain(checked).collect();
        for ((virtual_first, width), (first, _)) in read {
            for offset in 0..width {
                assert_eq!(holds[(first + offset) as usize], virtual_first + offset, "instruction {index}");
                let written = after.dest..after.dest + writes(after.code);
                assert!(!written.contains(&(first + offset)), "{index} writes what it reads");
            }
        }
        if let Some((_, end)) = loops.iter().find(|(begin, _)| *begin == index) {
            // What a loop makes is there from its beginning.
            (index + 1..=*end).filter(|step| matches!(steps[*step].code, Code::Fold | Code::Best)).for_each(|step| {
                write(&mut holds, step);
            });
        } else if matches!(after.code, Code::Fold | Code::Best) {
            for offset in 0..writes(after.code) {
                assert_eq!(holds[(after.dest + offset) as usize], before.dest + offset, "instruction {index}");
            }
        } else {
            write(&mut holds, index);
        }
    }
}

#[test]
fn registers_of_known_programs_hold() {
    registers_hold(&demo());
    let mut definition = dilepton();
    let names = ["m_ll > 60", "deltaR(z.first, tagged) > 0.4 || any(deltaR(jet, z.second) < ht / 100)"];
    definition.cuts = names.iter().map(|text| Cut::new(*text, *text)).collect();
    registers_hold(&definition);
}

/// Texts of each type over the definition [`dilepton`].
#[derive(Debug, Clone)]
struct Texts {
    number: BoxedStrategy<String>,
    condition: BoxedStrategy<String>,
    momentum: BoxedStrategy<String>,
}

fn choose(words: &'static [&'static str]) -> BoxedStrategy<String> {
    prop::sample::select(words).prop_map(str::to_owned).boxed()
}

fn binary(
    left: &BoxedStrategy<String>,
    signs: &'static [&'static str],
    right: &BoxedStrategy<String>,
) -> BoxedStrategy<String> {
    (left.clone(), choose(signs), right.clone()).prop_map(|(a, sign, b)| format!("({a} {sign} {b})")).boxed()
}

fn call(functions: &'static [&'static str], arguments: &[&BoxedStrategy<String>]) -> BoxedStrategy<String> {
    let arguments: Vec<_> = arguments.iter().map(|one| (*one).clone()).collect();
    (choose(functions), arguments).prop_map(|(name, arguments)| format!("{name}({})", arguments.join(", "))).boxed()
}

/// Texts that are at most so deep; `leaves` are those of depth 0.
fn deeper(leaves: &Texts, depth: usize, over_items: Option<&Texts>) -> Texts {
    let mut texts = leaves.clone();
    for _ in 0..depth {
        let Texts { number, condition, momentum } = &texts;
        let mut numbers = vec![
            leaves.number.clone(),
            binary(number, &["+", "-", "*", "/"], number),
            call(&["abs", "sqrt", "exp", "log", "sin", "cos", "sinh", "cosh", "floor", "-"], &[number]),
            call(&["min", "max", "hypot", "atan2", "deltaPhi", "pow", "otherwise"], &[number, number]),
            call(&["mass", "pt", "eta", "phi", "rapidity"], &[momentum]),
            call(&["deltaR", "deltaPhi", "transverseMass"], &[momentum, momentum]),
            call(&["where"], &[condition, number, number]),
        ];
        let mut conditions = vec![
            leaves.condition.clone(),
            binary(number, &["<", "<=", ">", ">="], number),
            binary(condition, &["&&", "||", "==", "!="], condition),
            condition.clone().prop_map(|text| format!("!({text})")).boxed(),
            call(&["finite"], &[number]),
        ];
        let mut momenta = vec![
            leaves.momentum.clone(),
            binary(momentum, &["+"], momentum),
            call(&["momentum"], &[number, number, number, number]),
        ];
        if let Some(Texts { number: item, condition, momentum }) = over_items {
            // The first term makes it of the items, whatever the rest is.
            let item = item.clone().prop_map(|text| format!("jet.pt + {text}")).boxed();
            let met = condition.clone().prop_map(|text| format!("jet.tag && {text}")).boxed();
            let momentum = momentum.clone().prop_map(|text| format!("jet + {text}")).boxed();
            numbers.push(call(&["sum", "min", "max", "argmin", "argmax"], &[&item]));
            numbers.push(call(&["count"], &[&met]));
            conditions.push(call(&["any", "all"], &[&met]));
            momenta.push(call(&["sum"], &[&momentum]));
            momenta.push(call(&["argmax"], &[&item]).prop_map(|place| format!("jet[{place}]")).boxed());
        }
        texts = Texts {
            number: prop::strategy::Union::new(numbers).boxed(),
            condition: prop::strategy::Union::new(conditions).boxed(),
            momentum: prop::strategy::Union::new(momenta).boxed(),
        };
    }
    texts
}

fn texts() -> Texts {
    let event = Texts {
        number: choose(&[
            "m_ll",
            "ht",
            "MET_pt",
            "2.5",
            "count(jet)",
            "jet[1].pt",
            "lepton[0].charge",
            "z.first.pt",
            "tagged.btag",
        ]),
        condition: choose(&["true", "flag", "(count(z) == 1)", "(lepton[0].flavour == 11)", "(jet[0].pt > 3)"]),
        momentum: choose(&["jet[0]", "lepton[1]", "z", "z.second", "met", "tagged", "sum(jet)"]),
    };
    let items = Texts {
        number: prop_oneof![choose(&["jet.pt", "jet.btag"]), event.number.clone()].boxed(),
        condition: prop_oneof![choose(&["(jet.pt > 30)", "jet.tag"]), event.condition.clone()].boxed(),
        momentum: prop_oneof![choose(&["jet"]), event.momentum.clone()].boxed(),
    };
    let items = deeper(&items, 2, None);
    deeper(&event, 3, Some(&items))
}

/// Signs, words and numbers in any order.
fn soup() -> BoxedStrategy<String> {
    const WORDS: &[&str] = &[
        "jet",
        "lepton",
        "z",
        "m_ll",
        "met",
        "pt",
        ".",
        "[",
        "]",
        "(",
        ")",
        "0",
        "1.5",
        "+",
        "-",
        "*",
        "/",
        "!",
        "&&",
        "||",
        "<",
        ">=",
        "==",
        "=",
        ",",
        "count",
        "sum",
        "max",
        "deltaR",
        "event",
        "first",
        "true",
        "where",
        "separation",
        "argmax",
        "mass",
        "é",
    ];
    prop::collection::vec(choose(WORDS), 0..30).prop_map(|words| words.join(" ")).boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_is_of_the_right_types_compiles(
        number in texts().number,
        condition in texts().condition,
        momentum in texts().momentum,
        region in texts().condition,
    ) {
        let mut definition = dilepton();
        definition.variables.push(Variable::new("x", number));
        definition.variables.push(Variable::new("p", momentum));
        definition.cuts = vec![Cut::new("cut", condition)];
        definition.channels = vec![Channel { entry: Cut::new("a", "x > 3"), cuts: vec![Cut::new("b", "mass(p) > x")] }];
        definition.regions = vec![Cut::new("c", region)];
        let found = mistakes(&definition);
        prop_assert!(found.is_empty(), "{found:#?}");
        registers_hold(&definition);
    }

    #[test]
    fn no_text_panics(bytes in prop::collection::vec(any::<u8>(), 0..60), soup in soup()) {
        for text in [String::from_utf8_lossy(&bytes).into_owned(), soup] {
            let mut definition = dilepton();
            definition.objects[0].keep = vec![text.clone()];
            definition.objects[1].order = Some(text.clone());
            definition.pairs[0].best = text.clone();
            definition.variables.push(Variable::new("x", text.clone()));
            definition.cuts = vec![Cut::new(text.clone(), text)];
            compile(&definition, &Weight::default());
        }
    }
}
