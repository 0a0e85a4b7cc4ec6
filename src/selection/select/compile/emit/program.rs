//! Cuts, channels, regions, variables and features, in the order in which events meet them.

use super::super::check::Checked;
use super::super::objects::{Finished, Tables};
use super::super::typed::{Kind, Typed};
use super::super::{FeatureTable, Outputs};
use super::guards::{Context, Fact};
use super::{Emitter, Value, Where, step};
use crate::selection::select::Definition;
use crate::selection::select::program::{Check, Code, Instruction, Presence};

/// A program on registers that are each written once, and its tables.
pub(in super::super) struct Emitted {
    pub tables: Finished,
    pub steps: Vec<Instruction>,
    pub checks: Vec<Check>,
    pub presences: Vec<Presence>,
    pub words: Vec<String>,
    /// Consecutive registers: first, how many.
    pub groups: Vec<(u32, u32)>,
    /// The first instruction of each text, and the keys that lead to it.
    pub texts: Vec<(usize, Vec<String>)>,
    pub rows: u32,
    pub variables: u32,
    /// The scalar column of the weight.
    pub weight: Option<u32>,
    pub outputs: Outputs,
}

/// Emits everything; of what has mistakes (`checked` is `None`), only the weight.
pub(in super::super) fn emit(definition: &Definition, checked: Option<&Checked>, weight: Option<&str>) -> Emitted {
    let nothing = (Definition::default(), Checked::default());
    let (definition, checked) = checked.map_or((&nothing.0, &nothing.1), |checked| (definition, checked));
    let mut emitter = Emitter {
        definition,
        checked,
        tables: Tables::default(),
        steps: Vec::new(),
        body: None,
        groups: Vec::new(),
        registers: 0,
        known: Default::default(),
        compared: Default::default(),
        context: Context::default(),
        facts: Default::default(),
        folds: Vec::new(),
        objects: vec![None; definition.objects.len()],
        pairs: vec![None; definition.pairs.len()],
        variables: vec![None; definition.variables.len()],
        checks: Vec::new(),
        presences: Vec::new(),
        words: Vec::new(),
        texts: Vec::new(),
    };
    emitter.cuts();
    let mut outputs = Outputs::default();
    let mut row = definition.cuts.len() as u32 + 1;
    emitter.channels(&mut row, &mut outputs.flags);
    emitter.regions(&mut row, &mut outputs.flags);
    let mut variable = 0;
    emitter.store_variables(&mut variable, &mut outputs.variables);
    emitter.store_features(&mut variable, &mut outputs.features);
    emitter.finish(weight, row, variable, outputs)
}

impl Emitter<'_> {
    fn cuts(&mut self) {
        for (cut, typed) in self.definition.cuts.iter().zip(&self.checked.cuts) {
            self.begin(&["select", &cut.name]);
            let a = self.scalar(typed);
            self.push(Instruction { a, ..step(Code::Cut) });
        }
    }

    fn channels(&mut self, row: &mut u32, flags: &mut Vec<String>) {
        let mut any = None;
        for (channel, (entry, cuts)) in self.definition.channels.iter().zip(&self.checked.channels) {
            self.begin(&["channels", &channel.entry.name]);
            let mut passed = self.scalar(entry);
            // How far the event came: 1 if it belongs to the channel, and 1 more for each cut passed.
            let mut level = passed;
            // Its cuts are made for those that came so far.
            let mut set = self.facts.with(0, Fact { register: passed, holds: true });
            for (cut, typed) in channel.cuts.iter().zip(cuts) {
                self.begin(&["channels", &channel.entry.name, &cut.name]);
                self.context = Context { set, registers: vec![passed] };
                let one = self.scalar(typed);
                set = self.facts.with(set, Fact { register: one, holds: true });
                passed = self.binary(Code::And, passed, one);
                level = self.binary(Code::Add, level, passed);
            }
            self.context = Context::default();
            self.push(Instruction { a: level, c: *row, ..step(Code::Tally) });
            *row += 1 + cuts.len() as u32;
            self.push(Instruction { dest: flags.len() as u32, a: passed, ..step(Code::Flag) });
            flags.push(channel.entry.name.clone());
            any = Some(any.map_or(passed, |any| self.binary(Code::Or, any, passed)));
        }
        if let Some(a) = any {
            self.push(Instruction { a, ..step(Code::Require) });
        }
    }

    fn regions(&mut self, row: &mut u32, flags: &mut Vec<String>) {
        for (region, typed) in self.definition.regions.iter().zip(&self.checked.regions) {
            self.begin(&["regions", &region.name]);
            let a = self.scalar(typed);
            self.push(Instruction { a, c: *row, ..step(Code::Tally) });
            *row += 1;
            self.push(Instruction { dest: flags.len() as u32, a, ..step(Code::Flag) });
            flags.push(region.name.clone());
        }
    }

    fn store_variables(&mut self, variable: &mut u32, names: &mut Vec<String>) {
        let checked = self.checked;
        for (index, _) in checked.variables.iter().enumerate().filter(|(_, typed)| is_number(typed)) {
            let name = &self.definition.variables[index].name;
            self.begin(&["define", name]);
            if let (Value::Register(a), _) = self.variable(index) {
                self.push(Instruction { dest: *variable, a, ..step(Code::Store) });
            }
            *variable += 1;
            names.push(name.clone());
        }
    }

    fn store_features(&mut self, variable: &mut u32, tables: &mut Vec<FeatureTable>) {
        for (features, index) in self.definition.features.iter().zip(&self.checked.features) {
            self.begin(&["features", &features.object]);
            let first = *variable as usize;
            let object = self.object(*index);
            let padding = self.constant(f64::from(features.padding));
            for quantity in &features.quantities {
                for place in 0..features.number {
                    let value = self.quantity(Where::Place(object, place), quantity);
                    let a = self.binary(Code::Otherwise, value, padding);
                    self.push(Instruction { dest: *variable, a, ..step(Code::Store) });
                    *variable += 1;
                }
            }
            let count = self.count(*index);
            for place in 0..features.number {
                let place = self.constant(f64::from(place));
                let a = self.binary(Code::Above, count, place);
                self.push(Instruction { dest: *variable, a, ..step(Code::Store) });
                *variable += 1;
            }
            tables.push(FeatureTable {
                object: features.object.clone(),
                number: features.number as usize,
                quantities: features.quantities.clone(),
                first,
            });
        }
    }

    fn finish(mut self, weight: Option<&str>, rows: u32, variables: u32, outputs: Outputs) -> Emitted {
        let weight = weight.map(|column| self.tables.scalar(column));
        let tables = self.tables.finish();
        for step in &mut self.steps {
            if matches!(step.code, Code::At | Code::AtPlace | Code::Item) {
                step.b = tables.renumbered[step.a as usize][step.b as usize];
            }
        }
        Emitted {
            tables,
            steps: self.steps,
            checks: self.checks,
            presences: self.presences,
            words: self.words,
            groups: self.groups,
            texts: self.texts,
            rows,
            variables,
            weight,
            outputs,
        }
    }
}

fn is_number(typed: &Typed) -> bool {
    typed.kind == Kind::Number
}
