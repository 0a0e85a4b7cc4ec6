//! A block of events through a program, one instruction after the other.

use std::ops::Range;

use super::Part;
use super::bank::{Bank, compute, folded};
use super::objects::{Found, Items, Lanes, Lookup, NextPair, These};
use crate::math::angle::delta_r;
use crate::math::exact::WeightScale;
use crate::selection::select::math::{Columns, precedes, single, smaller};
use crate::selection::select::program::{Code, Instruction, NONE, Program};
use crate::selection::tally::WeightedCount;

/// Runs blocks; its buffers are used again for the next one.
pub(super) struct Executor<'a> {
    program: &'a Program,
    columns: &'a Columns<'a>,
    /// The events that have not left, ascending.
    active: Vec<u32>,
    /// One lane for each active event.
    events: Bank,
    /// One lane for each item or pair of the loop that runs.
    items: Bank,
    objects: Vec<Found>,
    flags: Vec<u32>,
    /// For each cut or requirement, the event registers that are read after it before they are written.
    live: Vec<Vec<u32>>,
    /// For each instruction that begins a loop, whether its body writes each register.
    written: Vec<Vec<bool>>,
    /// The instruction that began the loop that runs, or the last one that ran.
    this_loop: usize,
    faulty: Vec<usize>,
}

impl<'a> Executor<'a> {
    pub fn new(program: &'a Program, columns: &'a Columns<'a>) -> Self {
        Self {
            program,
            columns,
            active: Vec::new(),
            events: Bank::new(program.registers),
            items: Bank::new(program.registers),
            objects: program.objects.iter().map(|_| Found::default()).collect(),
            flags: Vec::new(),
            live: live_registers(program),
            written: registers_of_loops(program),
            this_loop: 0,
            faulty: Vec::new(),
        }
    }

    /// The events of the blocks so far in which something that was compared is NaN.
    pub fn take_faulty(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.faulty)
    }

    /// Runs the events `block`, whose weights are given, and adds what they yield.
    pub fn run(&mut self, block: Range<usize>, weights: &[f32], scale: WeightScale, part: &mut Part) {
        self.active.clear();
        self.active.extend(block.clone().map(|event| event as u32));
        self.flags.clear();
        self.flags.resize(block.len(), 0);
        let mut tally = Tally { first: block.start, weights, scale, rows: &mut part.rows };
        let (mut next, mut passed) = (0, 0);
        let program = self.program;
        while next < program.instructions.len() {
            // With nobody left, nothing that follows counts, stores or compares anything.
            if self.active.is_empty() {
                return;
            }
            let step = &program.instructions[next];
            let here = next;
            next += 1;
            match step.code {
                Code::Build => next = self.build(here),
                Code::Each => next = self.each(here),
                Code::Pairs => next = self.pairs(here),
                Code::Cut => {
                    self.leave(here, step.a, passed, &mut tally);
                    passed += 1;
                }
                Code::Require => self.leave(here, step.a, passed, &mut tally),
                Code::Tally => {
                    for (event, level) in self.active.iter().zip(self.events.get(step.a)) {
                        if *level > 0.0 {
                            tally.add(*event, step.c as usize + *level as usize - 1);
                        }
                    }
                }
                Code::Flag => {
                    for (flags, holds) in self.flags.iter_mut().zip(self.events.get(step.a)) {
                        *flags |= u32::from(*holds != 0.0) << step.dest;
                    }
                }
                Code::Store => {
                    let values = self.events.get(step.a).iter().map(|value| single(*value));
                    part.variables[step.dest as usize].extend(values);
                }
                Code::Scalar => {
                    let column = self.columns.scalars[step.a as usize];
                    self.events.set(step.dest, self.active.iter().map(|event| f64::from(column[*event as usize])));
                }
                Code::Count => {
                    let counts = &self.objects[step.a as usize].counts;
                    self.events.set(step.dest, counts.iter().map(|count| f64::from(*count)));
                }
                Code::At | Code::AtPlace => self.quantity_at(step),
                _ => self.compute(step),
            }
        }
        self.active.iter().for_each(|event| tally.add(*event, passed));
        part.weight.extend(self.active.iter().map(|event| weights[*event as usize - block.start]));
        part.index.extend_from_slice(&self.active);
        part.flags.extend_from_slice(&self.flags);
    }

    /// Lets go the events for which register `a` is 0.
    fn leave(&mut self, here: usize, a: u32, passed: usize, tally: &mut Tally<'_>) {
        let stays: Vec<bool> = self.events.get(a).iter().map(|value| *value != 0.0).collect();
        if stays.iter().all(|stays| *stays) {
            return;
        }
        for (event, _) in self.active.iter().zip(&stays).filter(|(_, stays)| !**stays) {
            tally.add(*event, passed);
        }
        retain(&mut self.active, &stays);
        retain(&mut self.flags, &stays);
        for register in &self.live[here] {
            retain(&mut self.events.registers[*register as usize], &stays);
        }
        self.objects.iter_mut().for_each(|object| object.retain(&stays));
    }

    fn quantity_at(&mut self, step: &Instruction) {
        let object = &self.program.objects[step.a as usize];
        let found = &self.objects[step.a as usize];
        let value = |lane: usize, place: u32| {
            let item = |item| found.quantity(self.program, self.columns, object, step.b, item);
            found.reference(lane, place).map_or(f64::NAN, item)
        };
        if step.code == Code::At {
            let lanes = 0..self.active.len();
            return match found.lookup(self.program, self.columns, object, step.b) {
                Lookup::Column(column) => {
                    let at = |item: u32| f64::from(column[item as usize]);
                    let at = |lane| found.reference(lane, step.c).map_or(f64::NAN, at);
                    self.events.set(step.dest, lanes.map(at));
                }
                _ => self.events.set(step.dest, lanes.map(|lane| value(lane, step.c))),
            };
        }
        let places = std::mem::take(&mut self.events.registers[step.c as usize]);
        // A place that is NaN or negative names nothing.
        let at = |place: f64| if place >= 0.0 { place as u32 } else { NONE };
        let values = places.iter().enumerate().map(|(lane, place)| value(lane, at(*place))).collect();
        self.events.registers[step.c as usize] = places;
        self.events.registers[step.dest as usize] = values;
    }

    fn build(&mut self, here: usize) -> usize {
        let step = self.program.instructions[here];
        let keep = step.c as usize;
        let object = step.a as usize;
        let plan = &self.program.objects[object];
        let Keep { keep_register, key_register, check } = Keep::of(&self.program.instructions[keep]);
        let mut found = std::mem::take(&mut self.objects[object]);
        found.begin(self.program, self.columns, plan);
        for source in 0..plan.sources {
            let lanes = Lanes::of_source(self.program, self.columns, plan, source, &self.active);
            self.loop_body(here + 1..keep, &lanes);
            let kept = |bank: &Bank, lane: usize| keep_register == NONE || bank.get(keep_register)[lane] != 0.0;
            if key_register != NONE {
                let lacking = self.items.not_numbers(key_register, key_register);
                // The key of an item that is not kept orders nothing.
                let lacking = lacking.into_iter().filter(|lane| kept(&self.items, *lane)).collect();
                self.note(check, lacking, Some(&lanes));
            }
            let of = |register: u32| (register != NONE).then(|| self.items.get(register));
            found.add(&lanes, of(keep_register), of(key_register));
        }
        found.finish(plan.leading);
        self.objects[object] = found;
        keep + 1
    }

    fn each(&mut self, here: usize) -> usize {
        let step = self.program.instructions[here];
        let (folds, object) = (step.c as usize, step.a as usize);
        let found = std::mem::take(&mut self.objects[object]);
        let lanes = Lanes::of_object(&found);
        self.objects[object] = found;
        self.loop_body(here + 1..folds, &lanes);
        for fold in &self.program.instructions[folds..folds + step.b as usize] {
            let values = self.items.get(fold.a);
            let mut start = 0;
            let folded = lanes.counts().map(|count| {
                let of_event = &values[start..start + count as usize];
                start += count as usize;
                folded(fold.b, of_event)
            });
            self.events.set(fold.dest, folded);
        }
        folds + step.b as usize
    }

    fn pairs(&mut self, here: usize) -> usize {
        let step = self.program.instructions[here];
        let best = step.dest as usize;
        let end = self.program.instructions[best];
        let events = self.active.len();
        let mut chosen: Vec<Option<Chosen>> = vec![None; events];
        let mut next = NextPair::default();
        loop {
            let (first, second) = (&self.objects[step.a as usize], &self.objects[step.b as usize]);
            let lanes = Lanes::of_pairs(first, second, step.a == step.b, &mut next);
            if lanes.len() == 0 {
                break;
            }
            self.loop_body(here + 1..best, &lanes);
            let kept = |bank: &Bank, lane: usize| end.a == NONE || bank.get(end.a)[lane] != 0.0;
            let lacking = self.items.not_numbers(end.b, end.b);
            let lacking = lacking.into_iter().filter(|lane| kept(&self.items, *lane)).collect();
            self.note(end.check, lacking, Some(&lanes));
            let scores = self.items.get(end.b);
            for (lane, owner) in lanes.owners().iter().enumerate() {
                let before = &mut chosen[*owner as usize];
                let score = scores[lane];
                if kept(&self.items, lane) && before.is_none_or(|before| precedes(score, before.score)) {
                    *before = Some(Chosen { score, first: lanes.places[0][lane], second: lanes.places[1][lane] });
                }
            }
        }
        let place = |of: fn(&Chosen) -> u32| -> Vec<f64> {
            chosen.iter().map(|chosen| chosen.as_ref().map_or(f64::NAN, |chosen| f64::from(of(chosen)))).collect()
        };
        let (first, second) = (place(|chosen| chosen.first), place(|chosen| chosen.second));
        let there = chosen.iter().map(|chosen| f64::from(u8::from(chosen.is_some()))).collect();
        for (at, values) in [first, second, there].into_iter().enumerate() {
            self.events.registers[end.dest as usize + at] = values;
        }
        best + 1
    }

    /// Runs the instructions of a loop for all of its lanes.
    fn loop_body(&mut self, body: Range<usize>, lanes: &Lanes) {
        self.this_loop = body.start - 1;
        for step in &self.program.instructions[body] {
            match step.code {
                Code::Broadcast => {
                    let values = self.events.get(step.a);
                    self.items.set(step.dest, lanes.owners().iter().map(|owner| values[*owner as usize]));
                }
                Code::Item => self.item(step, lanes),
                Code::Place => {
                    let places = lanes.places[step.c as usize].iter();
                    self.items.set(step.dest, places.map(|place| f64::from(*place)));
                }
                Code::Separation => self.separation(step, lanes),
                Code::Number => self.items.fill(step.dest, lanes.len(), step.number),
                _ => self.compute_in_loop(step, lanes),
            }
        }
    }

    /// A quantity of the items that the loop runs over.
    fn item(&mut self, step: &Instruction, lanes: &Lanes) {
        let plan = &self.program.objects[step.a as usize];
        let (source, items) = match &lanes.items[step.c as usize] {
            Items::OfSource { source, items } => (*source, items),
            Items::Kept(references) => {
                let found = &self.objects[step.a as usize];
                return match found.lookup(self.program, self.columns, plan, step.b) {
                    Lookup::Constant(constant) => self.items.fill(step.dest, lanes.len(), constant),
                    Lookup::Column(column) => {
                        let value = |item: &u32| f64::from(column[*item as usize]);
                        self.items.set(step.dest, references.iter().map(value));
                    }
                    Lookup::BySource => {
                        let value = |item: &u32| found.quantity(self.program, self.columns, plan, step.b, *item);
                        self.items.set(step.dest, references.iter().map(value));
                    }
                };
            }
        };
        let from = self.program.quantities[(plan.first_quantity + step.b * plan.sources + source) as usize];
        if from.column == NONE {
            return self.items.fill(step.dest, lanes.len(), f64::from(from.constant));
        }
        let column = self.columns.quantities[from.column as usize];
        match items {
            These::All(range) => self.items.set(step.dest, column[range.clone()].iter().map(|value| f64::from(*value))),
            These::Listed(list) => {
                self.items.set(step.dest, list.iter().map(|item| f64::from(column[*item as usize])));
            }
        }
    }

    fn separation(&mut self, step: &Instruction, lanes: &Lanes) {
        let plan = &self.program.objects[step.c as usize];
        let found = &self.objects[step.c as usize];
        let (eta, phi) = (self.items.get(step.a), self.items.get(step.b));
        let nearest = |lane: usize| {
            let owner = lanes.owners()[lane] as usize;
            let mut smallest = f64::INFINITY;
            for item in found.of_event(owner) {
                let value = |quantity| found.quantity(self.program, self.columns, plan, quantity, *item);
                smallest = smaller(smallest, delta_r(eta[lane], phi[lane], value(0), value(1)));
            }
            smallest
        };
        let values: Vec<f64> = (0..lanes.len()).map(nearest).collect();
        self.items.registers[step.dest as usize] = values;
    }

    fn compute_in_loop(&mut self, step: &Instruction, lanes: &Lanes) {
        let lacking = self.lacking(step, &self.items);
        self.note(step.check, lacking, Some(lanes));
        compute(&mut self.items, step);
    }

    fn compute(&mut self, step: &Instruction) {
        if step.code == Code::Number {
            self.events.fill(step.dest, self.active.len(), step.number);
            return;
        }
        let lacking = self.lacking(step, &self.events);
        self.note(step.check, lacking, None);
        compute(&mut self.events, step);
    }

    /// The lanes in which a checked instruction has an operand that is NaN.
    fn lacking(&self, step: &Instruction, bank: &Bank) -> Vec<usize> {
        match step.code {
            Code::Above | Code::AtLeast | Code::Below | Code::AtMost | Code::Equal | Code::Unequal
                if step.check != NONE =>
            {
                bank.not_numbers(step.a, step.b)
            }
            Code::Truth if step.check != NONE => bank.not_numbers(step.a, step.a),
            _ => Vec::new(),
        }
    }

    /// Notes the events of lanes whose NaN is the data's own: everything was there that the check names.
    fn note(&mut self, check: u32, lanes: Vec<usize>, of: Option<&Lanes>) {
        if lanes.is_empty() || check == NONE {
            return;
        }
        let check = self.program.checks[check as usize];
        let range = check.first_presence as usize..(check.first_presence + check.presences) as usize;
        let needed = &self.program.presences[range];
        let written = &self.written[self.this_loop];
        for lane in lanes {
            let event = of.map_or(lane, |of| of.owners()[lane] as usize);
            let value = |register: u32| {
                let in_loop = of.is_some() && written[register as usize];
                if in_loop { self.items.get(register)[lane] } else { self.events.get(register)[event] }
            };
            if needed.iter().all(|needed| value(needed.register) >= f64::from(needed.at_least)) {
                self.faulty.push(self.active[event] as usize);
            }
        }
    }
}

/// The rows that a block's events are counted in.
struct Tally<'a> {
    /// The event of the first weight.
    first: usize,
    weights: &'a [f32],
    scale: WeightScale,
    rows: &'a mut [WeightedCount],
}

impl Tally<'_> {
    fn add(&mut self, event: u32, row: usize) {
        self.rows[row].add(self.scale, self.weights[event as usize - self.first]);
    }
}

/// The best pair of an event so far.
#[derive(Clone, Copy)]
struct Chosen {
    score: f64,
    first: u32,
    second: u32,
}

/// The operands of [`Code::Keep`].
struct Keep {
    keep_register: u32,
    key_register: u32,
    check: u32,
}

impl Keep {
    fn of(step: &Instruction) -> Self {
        Self { keep_register: step.a, key_register: step.b, check: step.check }
    }
}

fn retain<T: Copy>(values: &mut Vec<T>, stays: &[bool]) {
    // A register that is live on one path only may not have been written on this one.
    if values.len() != stays.len() {
        return;
    }
    let mut kept = 0;
    for (lane, stays) in stays.iter().enumerate() {
        values[kept] = values[lane];
        kept += usize::from(*stays);
    }
    values.truncate(kept);
}

/// For each instruction that lets events go, the event registers that a later one reads before any writes them.
fn live_registers(program: &Program) -> Vec<Vec<u32>> {
    let mut live = vec![false; program.registers as usize];
    let mut of_each = vec![Vec::new(); program.instructions.len()];
    for (at, step) in program.instructions.iter().enumerate().rev() {
        if matches!(step.code, Code::Cut | Code::Require) {
            of_each[at] = (0..program.registers).filter(|register| live[*register as usize]).collect();
        }
        // Registers of loops count too: that keeps some that nobody needs, and misses none.
        step.reads(&program.checks, &program.presences, |register| live[register as usize] = true);
    }
    of_each
}

/// For each instruction that begins a loop, the registers that its body writes; empty for the others.
fn registers_of_loops(program: &Program) -> Vec<Vec<bool>> {
    let of_loop = |(begin, step): (usize, &Instruction)| {
        let end = match step.code {
            Code::Build | Code::Each => step.c as usize,
            Code::Pairs => step.dest as usize,
            _ => return Vec::new(),
        };
        let mut written = vec![false; program.registers as usize];
        for step in &program.instructions[begin + 1..end] {
            let width = if step.code == Code::Momentum { 4 } else { 1 };
            written[step.dest as usize..][..width].fill(true);
        }
        written
    };
    program.instructions.iter().enumerate().map(of_loop).collect()
}
