//! A block of events through a program, one instruction after the other.

use std::ops::Range;

use super::Part;
use super::bank::{Bank, compute, folded};
use super::lanes::{Items, Lanes, NextPair};
use super::objects::{Found, Lookup};
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
    /// What the lanes of that loop are.
    lanes: Lanes,
    objects: Vec<Found>,
    flags: Vec<u32>,
    /// The weights of the active events, and their sums.
    weights: Vec<f32>,
    remaining: WeightedCount,
    /// At a cut: the lanes that stay, ascending.
    staying: Vec<u32>,
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
            lanes: Lanes::default(),
            objects: program.objects.iter().map(|_| Found::default()).collect(),
            flags: Vec::new(),
            weights: Vec::new(),
            remaining: WeightedCount::default(),
            staying: Vec::new(),
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
        self.weights.clear();
        self.weights.extend_from_slice(weights);
        self.remaining = WeightedCount::of(scale, weights);
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
                    self.leave(here, step.a, scale, &mut part.rows[passed]);
                    passed += 1;
                }
                Code::Require => self.leave(here, step.a, scale, &mut part.rows[passed]),
                Code::Tally => {
                    for (weight, level) in self.weights.iter().zip(self.events.get(step.a)) {
                        if *level > 0.0 {
                            part.rows[step.c as usize + *level as usize - 1].add(scale, *weight);
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
        part.rows[passed].include(&self.remaining);
        part.weight.extend_from_slice(&self.weights);
        part.index.extend_from_slice(&self.active);
        part.flags.extend_from_slice(&self.flags);
    }

    /// Lets go the events for which register `a` is 0, and counts them in `row`.
    fn leave(&mut self, here: usize, a: u32, scale: WeightScale, row: &mut WeightedCount) {
        let lanes = self.active.len();
        self.staying.resize(lanes, 0);
        let mut staying = 0;
        // Each is put where the next that stays belongs: no branch that would be guessed wrongly.
        for (lane, value) in (0..).zip(self.events.get(a)) {
            self.staying[staying] = lane;
            staying += usize::from(*value != 0.0);
        }
        self.staying.truncate(staying);
        if staying == lanes {
            return;
        }
        retain(&mut self.active, &self.staying, lanes);
        retain(&mut self.weights, &self.staying, lanes);
        retain(&mut self.flags, &self.staying, lanes);
        for register in &self.live[here] {
            retain(&mut self.events.registers[*register as usize], &self.staying, lanes);
        }
        self.objects.iter_mut().for_each(|object| object.retain(&self.staying, lanes));
        // Sums of weights are exact, so what has left is what is missing.
        let before = std::mem::replace(&mut self.remaining, WeightedCount::of(scale, &self.weights));
        row.include(&before.without(&self.remaining));
    }

    fn quantity_at(&mut self, step: &Instruction) {
        let object = &self.program.objects[step.a as usize];
        let found = &self.objects[step.a as usize];
        let value = |lane: usize, place: u32| {
            let item = |item| found.quantity(self.program, self.columns, object, step.b, item);
            found.reference(lane, place).map_or(f64::NAN, item)
        };
        if step.code == Code::AtPlace {
            // A place that is NaN or negative names nothing.
            let at = |place: f64| if place >= 0.0 { place as u32 } else { NONE };
            return self.events.write(step.dest, |events, out| {
                out.extend(events.get(step.c).iter().enumerate().map(|(lane, place)| value(lane, at(*place))));
            });
        }
        match found.lookup(self.program, self.columns, object, step.b) {
            Lookup::Constant(constant) => {
                let at = |count: &u32| if step.c < *count { constant } else { f64::NAN };
                self.events.set(step.dest, found.counts.iter().map(at));
            }
            Lookup::Column(column) => {
                let at = |item: u32| f64::from(column[item as usize]);
                self.events.write(step.dest, |_, out| found.at_place(step.c, at, out));
            }
            Lookup::BySource => self.events.set(step.dest, (0..self.active.len()).map(|lane| value(lane, step.c))),
        }
    }

    fn build(&mut self, here: usize) -> usize {
        let step = self.program.instructions[here];
        let keep = step.c as usize;
        let object = step.a as usize;
        let plan = &self.program.objects[object];
        let Keep { keep_register, key_register, check } = Keep::of(&self.program.instructions[keep]);
        let mut found = std::mem::take(&mut self.objects[object]);
        found.begin(self.program, self.columns, plan);
        if plan.sources == 1 && keep_register == NONE && key_register == NONE {
            let source = self.program.sources[plan.first_source as usize];
            found.take_all(self.columns.offsets[source as usize], &self.active, plan.leading);
            self.objects[object] = found;
            return keep + 1;
        }
        let mut lanes = std::mem::take(&mut self.lanes);
        for source in 0..plan.sources {
            lanes.of_source(self.program, self.columns, plan, source, &self.active);
            self.loop_body(here + 1..keep, &lanes);
            let kept = |bank: &Bank, lane: usize| keep_register == NONE || bank.get(keep_register)[lane] != 0.0;
            if key_register != NONE {
                let lacking = self.items.not_numbers(key_register, key_register);
                // The key of an item that is not kept orders nothing.
                let lacking = lacking.into_iter().filter(|lane| kept(&self.items, *lane)).collect();
                self.note(check, lacking, Some(&lanes));
            }
            let of = |register: u32| (register != NONE).then(|| self.items.get(register));
            found.add(source, &lanes, of(keep_register), of(key_register));
        }
        found.finish(plan.leading);
        self.objects[object] = found;
        self.lanes = lanes;
        keep + 1
    }

    fn each(&mut self, here: usize) -> usize {
        let step = self.program.instructions[here];
        let (folds, object) = (step.c as usize, step.a as usize);
        let mut lanes = std::mem::take(&mut self.lanes);
        lanes.of_object(&self.objects[object]);
        self.loop_body(here + 1..folds, &lanes);
        for fold in &self.program.instructions[folds..folds + step.b as usize] {
            let values = self.items.get(fold.a);
            let mut start = 0;
            let folded = lanes.counts().iter().map(|count| {
                let of_event = &values[start..start + *count as usize];
                start += *count as usize;
                folded(fold.b, of_event)
            });
            self.events.set(fold.dest, folded);
        }
        self.lanes = lanes;
        folds + step.b as usize
    }

    fn pairs(&mut self, here: usize) -> usize {
        let step = self.program.instructions[here];
        let best = step.dest as usize;
        let end = self.program.instructions[best];
        let events = self.active.len();
        let mut chosen: Vec<Option<Chosen>> = vec![None; events];
        let mut next = NextPair::default();
        let mut lanes = std::mem::take(&mut self.lanes);
        loop {
            let (first, second) = (&self.objects[step.a as usize], &self.objects[step.b as usize]);
            lanes.of_pairs(first, second, step.a == step.b, &mut next);
            if lanes.len() == 0 {
                break;
            }
            self.loop_body(here + 1..best, &lanes);
            let kept = |bank: &Bank, lane: usize| end.a == NONE || bank.get(end.a)[lane] != 0.0;
            let lacking = self.items.not_numbers(end.b, end.b);
            let lacking = lacking.into_iter().filter(|lane| kept(&self.items, *lane)).collect();
            self.note(end.check, lacking, Some(&lanes));
            let scores = self.items.get(end.b);
            let (firsts, seconds) = (lanes.places(0), lanes.places(1));
            for (lane, owner) in lanes.owners().iter().enumerate() {
                let before = &mut chosen[*owner as usize];
                let score = scores[lane];
                if kept(&self.items, lane) && before.is_none_or(|before| precedes(score, before.score)) {
                    *before = Some(Chosen { score, first: firsts[lane], second: seconds[lane] });
                }
            }
        }
        self.lanes = lanes;
        let place = |of: fn(&Chosen) -> u32| {
            let of = move |chosen: &Option<Chosen>| chosen.as_ref().map_or(f64::NAN, |chosen| f64::from(of(chosen)));
            chosen.iter().map(of)
        };
        self.events.set(end.dest, place(|chosen| chosen.first));
        self.events.set(end.dest + 1, place(|chosen| chosen.second));
        self.events.set(end.dest + 2, chosen.iter().map(|chosen| f64::from(u8::from(chosen.is_some()))));
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
                    self.items.set(step.dest, lanes.places(step.c).iter().map(|place| f64::from(*place)));
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
        let found = &self.objects[step.a as usize];
        let lookup = match lanes.source() {
            Some(source) => {
                let from = self.program.quantities[(plan.first_quantity + step.b * plan.sources + source) as usize];
                match from.column {
                    NONE => Lookup::Constant(f64::from(from.constant)),
                    column => Lookup::Column(self.columns.quantities[column as usize]),
                }
            }
            None => found.lookup(self.program, self.columns, plan, step.b),
        };
        match (lookup, lanes.items(step.c)) {
            (Lookup::Constant(constant), _) => self.items.fill(step.dest, lanes.len(), constant),
            (Lookup::Column(column), Items::Consecutive(first, end)) => {
                let values = &column[first as usize..end as usize];
                self.items.set(step.dest, values.iter().map(|value| f64::from(*value)));
            }
            (Lookup::Column(column), Items::Listed(items)) => {
                self.items.set(step.dest, items.iter().map(|item| f64::from(column[*item as usize])));
            }
            (Lookup::BySource, items) => {
                let value = |item: u32| found.quantity(self.program, self.columns, plan, step.b, item);
                match items {
                    Items::Consecutive(first, end) => self.items.set(step.dest, (first..end).map(value)),
                    Items::Listed(items) => self.items.set(step.dest, items.iter().map(|item| value(*item))),
                }
            }
        }
    }

    fn separation(&mut self, step: &Instruction, lanes: &Lanes) {
        let plan = &self.program.objects[step.c as usize];
        let found = &self.objects[step.c as usize];
        let nearest = |eta: f64, phi: f64, owner: u32| {
            let mut smallest = f64::INFINITY;
            for item in found.of_event(owner as usize) {
                let value = |quantity| found.quantity(self.program, self.columns, plan, quantity, item);
                smallest = smaller(smallest, delta_r(eta, phi, value(0), value(1)));
            }
            smallest
        };
        self.items.write(step.dest, |items, out| {
            let lanes = items.get(step.a).iter().zip(items.get(step.b)).zip(lanes.owners());
            out.extend(lanes.map(|((eta, phi), owner)| nearest(*eta, *phi, *owner)));
        });
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

/// Keeps the values of the lanes that stay, which ascend.
pub(super) fn retain<T: Copy>(values: &mut Vec<T>, staying: &[u32], lanes: usize) {
    // A register that is live on one path only may not have been written on this one.
    if values.len() != lanes {
        return;
    }
    for (kept, lane) in staying.iter().enumerate() {
        values[kept] = values[*lane as usize];
    }
    values.truncate(staying.len());
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
