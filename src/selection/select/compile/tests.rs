//! Tests of the compiler.

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
    format!("{}\n{} registers", lines.join("\n"), program.registers)
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

fn mistakes(definition: &Definition) -> Vec<String> {
    let compiled = compile(definition, &Weight::default());
    compiled.mistakes.into_iter().map(|mistake| format!("{}: {}", mistake.path.join("."), mistake.why)).collect()
}

#[test]
fn the_demo() {
    let compiled = compile(&demo(), &Weight::default());
    assert_eq!(compiled.mistakes, []);
    println!("{}", listing(&compiled));
}
#[test]
fn dilepton() {
    let definition = Definition {
        objects: vec![
            Object::new("lepton", "Electron").and("Muon").keep("pt > 27 && abs(eta) < 2.47"),
            Object::new("jet", "Jet").keep("pt > 30").apart("lepton", 0.4).leading(8),
        ],
        pairs: vec![Pair {
            name: "z".into(),
            of: ["lepton".into(), "lepton".into()],
            keep: vec!["first.charge * second.charge < 0".into(), "first.flavour == second.flavour".into()],
            best: "abs(mass(first + second) - 91.19)".into(),
        }],
        variables: vec![
            Variable::new("m_ll", "mass(z)"),
            Variable::new("dr_ll", "deltaR(z.first, z.second)"),
            Variable::new("ht", "sum(jet.pt)"),
            Variable::new("met", "momentum(MET_pt, 0, MET_phi, 0)"),
            Variable::new("mt", "transverseMass(z.first, met)"),
            Variable::new("best_btag", "jet[argmax(jet.btag)].pt"),
            Variable::new("m_all", "mass(sum(jet) + z)"),
            Variable::new("near", "min(deltaR(jet, lepton[0]))"),
        ],
        cuts: vec![
            Cut::new("two leptons", "count(lepton) >= 2"),
            Cut::new("z", "count(z) == 1 && m_ll > 60"),
            Cut::new("b", "best_btag > 30 && any(jet.pt > ht / 3)"),
        ],
        channels: vec![
            Channel { entry: Cut::new("ee", "z.first.flavour == 11"), cuts: vec![Cut::new("met", "MET_pt > 30")] },
            Channel { entry: Cut::new("mm", "z.first.flavour == 13"), cuts: vec![] },
        ],
        regions: vec![Cut::new("sr", "ht > 300"), Cut::new("tight", "flag && all(jet.isTight)")],
        features: vec![Features {
            object: "jet".into(),
            number: 2,
            quantities: vec!["pt".into(), "eta".into()],
            padding: 0.0,
        }],
    };
    let compiled = compile(&definition, &Weight::default());
    println!("{:#?}", compiled.mistakes);
    println!("{}\n{:#?}", listing(&compiled), compiled.outputs);
    println!(
        "{:#?} {:?} {:?} {:?}",
        compiled.program.projection, compiled.program.checked, compiled.program.checks, compiled.program.presences
    );
}
