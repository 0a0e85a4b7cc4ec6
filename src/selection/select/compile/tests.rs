//! Tests of the compiler.

mod messages;
mod programs;
mod properties;

use super::super::program::{Code, Instruction};
use super::super::{Channel, Cut, Definition, Features, Object, Pair, QuantityFrom, Variable, Weight};
use super::{Compiled, compile};

/// A program as lines, for reading.
fn listing(compiled: &Compiled) -> String {
    let program = &compiled.program;
    let line = |(index, step): (usize, &Instruction)| {
        let Instruction { code, dest, a, b, c, check, number } = *step;
        let field = |field: u32| if field == u32::MAX { "-".to_owned() } else { field.to_string() };
        let number = if code == Code::Number { format!(" {number}") } else { String::new() };
        let fields = [dest, a, b, c, check].map(field).join(" ");
        format!("{index:3} {code:?} {fields}{number}")
    };
    let lines: Vec<String> = program.instructions.iter().enumerate().map(line).collect();
    lines.join("\n")
}

fn demo() -> Definition {
    Definition {
        objects: vec![Object::new("jet", "FatJet").keep("pt > 200").keep("abs(eta) < 2.0")],
        variables: vec![
            Variable::new("m_Y", "mass(jet[0] + jet[1])"),
            Variable::new("m_X", "max(jet[0].mass, jet[1].mass)"),
        ],
        cuts: vec![
            Cut::new("two large-R jets", "count(jet) >= 2"),
            Cut::new("leading pT > 500 GeV", "jet[0].pt > 500"),
            Cut::new("m_JJ > 1.3 TeV", "mass(jet[0] + jet[1]) > 1300"),
        ],
        ..Definition::default()
    }
}

/// Leptons, jets, a pair of leptons, an event's momentum.
fn dilepton() -> Definition {
    let z = Pair {
        name: "z".into(),
        of: ["lepton".into(), "lepton".into()],
        keep: vec!["first.charge * second.charge < 0".into(), "first.flavour == second.flavour".into()],
        best: "abs(mass(first + second) - 91.19)".into(),
    };
    Definition {
        objects: vec![
            Object::new("lepton", "Electron").and("Muon").keep("pt > 27 && abs(eta) < 2.47"),
            Object::new("jet", "Jet").keep("pt > 30").apart("lepton", 0.4).leading(8),
        ],
        pairs: vec![z],
        variables: vec![
            Variable::new("met", "momentum(MET_pt, 0, MET_phi, 0)"),
            Variable::new("m_ll", "mass(z)"),
            Variable::new("ht", "sum(jet.pt)"),
            Variable::new("tagged", "jet[argmax(jet.btag)]"),
        ],
        ..Definition::default()
    }
}

fn compiled(definition: &Definition) -> Compiled {
    let compiled = compile(definition, &Weight::default());
    assert_eq!(compiled.mistakes, []);
    compiled
}

/// Every mistake: its keys and its message.
fn mistakes(definition: &Definition) -> Vec<(String, String)> {
    let compiled = compile(definition, &Weight::default());
    compiled.mistakes.into_iter().map(|mistake| (mistake.path.join("."), mistake.why)).collect()
}
