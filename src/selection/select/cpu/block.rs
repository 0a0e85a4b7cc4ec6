//! A block of events through a program, one instruction after the other.

use std::ops::Range;

use super::Part;
use super::objects::{Found, Items, Lanes, NextPair, These};
use crate::math::angle::{delta_phi, delta_r};
use crate::math::det;
use crate::math::exact::WeightScale;
use crate::math::lorentz::{self, FourMomentum};
use crate::selection::select::math::{Columns, larger, precedes, single, smaller};
use crate::selection::select::program::{Code, Fold, Instruction, NONE, Program};
use crate::selection::tally::WeightedCount;

/// Registers with one value a lane.
#[derive(Default)]
struct Bank {
    registers: Vec<Vec<f64>>,
    /// The output of the instruction that runs: a destination may also be an operand.
    spare: Vec<f64>,
}

impl Bank {
    fn new(registers: u32) -> Self {
        Self { registers: vec![Vec::new(); registers as usize], spare: Vec::new() }
    }

    fn get(&self, register: u32) -> &[f64] {
        &self.registers[register as usize]
    }

    fn set(&mut self, dest: u32, values: impl Iterator<Item = f64>) {
        self.spare.clear();
        self.spare.extend(values);
        std::mem::swap(&mut self.registers[dest as usize], &mut self.spare);
    }

    fn fill(&mut self, dest: u32, lanes: usize, value: f64) {
        let register = &mut self.registers[dest as usize];
        register.clear();
        register.resize(lanes, value);
    }

    fn map(&mut self, dest: u32, a: u32, f: impl Fn(f64) -> f64) {
        let mut out = std::mem::take(&mut self.spare);
        out.clear();
        out.extend(self.get(a).iter().map(|a| f(*a)));
        self.spare = std::mem::replace(&mut self.registers[dest as usize], out);
    }

    fn zip(&mut self, dest: u32, a: u32, b: u32, f: impl Fn(f64, f64) -> f64) {
        let mut out = std::mem::take(&mut self.spare);
        out.clear();
        out.extend(self.get(a).iter().zip(self.get(b)).map(|(a, b)| f(*a, *b)));
        self.spare = std::mem::replace(&mut self.registers[dest as usize], out);
    }

    fn momentum(&self, first: u32, lane: usize) -> FourMomentum {
        let at = |offset: u32| self.registers[(first + offset) as usize][lane];
        FourMomentum { px: at(0), py: at(1), pz: at(2), energy: at(3) }
    }

    fn map_momentum(&mut self, dest: u32, a: u32, f: impl Fn(FourMomentum) -> f64) {
        let lanes = self.get(a).len();
        let mut out = std::mem::take(&mut self.spare);
        out.clear();
        out.extend((0..lanes).map(|lane| f(self.momentum(a, lane))));
        self.spare = std::mem::replace(&mut self.registers[dest as usize], out);
    }

    /// The lanes in which one of the operands is NaN.
    fn not_numbers(&self, a: u32, b: u32) -> Vec<usize> {
        let (a, b) = (self.get(a), self.get(b));
        // A sum is NaN if one term is; that infinities cancel to NaN is sorted out below.
        if !a.iter().zip(b).fold(false, |any, (a, b)| any | (a + b).is_nan()) {
            return Vec::new();
        }
        (0..a.len()).filter(|lane| a[*lane].is_nan() || b[*lane].is_nan()).collect()
    }
}

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
            found
                .reference(lane, place)
                .map_or(f64::NAN, |item| found.quantity(self.program, self.columns, object, step.b, item))
        };
        match step.code {
            Code::At => self.events.set(step.dest, (0..self.active.len()).map(|lane| value(lane, step.c))),
            _ => {
                let places = std::mem::take(&mut self.events.registers[step.c as usize]);
                // A place that is NaN or negative names nothing.
                let at = |place: f64| if place >= 0.0 { place as u32 } else { NONE };
                let values = places.iter().enumerate().map(|(lane, place)| value(lane, at(*place)));
                let values: Vec<f64> = values.collect();
                self.events.registers[step.c as usize] = places;
                self.events.registers[step.dest as usize] = values;
            }
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
            let keys = (key_register != NONE).then(|| self.items.get(key_register));
            found.add(&lanes, |lane| kept(&self.items, lane), keys);
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
            for (lane, owner) in lanes.owners.iter().enumerate() {
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
                    self.items.set(step.dest, lanes.owners.iter().map(|owner| values[*owner as usize]));
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
                let value = |item: &u32| found.quantity(self.program, self.columns, plan, step.b, *item);
                return self.items.set(step.dest, references.iter().map(value));
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
            let owner = lanes.owners[lane] as usize;
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
            let event = of.map_or(lane, |of| of.owners[lane] as usize);
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

/// Arithmetic, comparisons and momenta: the same in events and in loops.
// Neither less nor greater is not the same as equal: NaN is unequal to nothing here.
#[allow(clippy::double_comparisons)]
fn compute(bank: &mut Bank, step: &Instruction) {
    let Instruction { dest, a, b, c, check, .. } = *step;
    let truth = |holds: bool| if holds { 1.0 } else { 0.0 };
    match step.code {
        Code::Add => bank.zip(dest, a, b, |a, b| a + b),
        Code::Subtract => bank.zip(dest, a, b, |a, b| a - b),
        Code::Multiply => bank.zip(dest, a, b, |a, b| a * b),
        Code::Divide => bank.zip(dest, a, b, |a, b| a / b),
        Code::Negate => bank.map(dest, a, |a| -a),
        Code::Absolute => bank.map(dest, a, det::absolute),
        Code::SquareRoot => bank.map(dest, a, det::sqrt),
        Code::Exponential => bank.map(dest, a, det::exp),
        Code::Logarithm => bank.map(dest, a, det::ln),
        Code::Sine => bank.map(dest, a, det::sin),
        Code::Cosine => bank.map(dest, a, det::cos),
        Code::HyperbolicSine => bank.map(dest, a, det::sinh),
        Code::HyperbolicCosine => bank.map(dest, a, det::cosh),
        Code::ArcTangent => bank.zip(dest, a, b, det::atan2),
        Code::Hypotenuse => bank.zip(dest, a, b, det::hypot),
        Code::Minimum => bank.zip(dest, a, b, smaller),
        Code::Maximum => bank.zip(dest, a, b, larger),
        Code::Power => bank.zip(dest, a, b, det::pow),
        Code::Floor => bank.map(dest, a, f64::floor),
        Code::DeltaPhi => bank.zip(dest, a, b, delta_phi),
        Code::Round => bank.map(dest, a, |a| f64::from(single(a))),
        Code::Above => bank.zip(dest, a, b, |a, b| truth(a > b)),
        Code::AtLeast => bank.zip(dest, a, b, |a, b| truth(a >= b)),
        Code::Below => bank.zip(dest, a, b, |a, b| truth(a < b)),
        Code::AtMost => bank.zip(dest, a, b, |a, b| truth(a <= b)),
        Code::Equal => bank.zip(dest, a, b, |a, b| truth(a == b)),
        Code::Unequal => bank.zip(dest, a, b, |a, b| truth(a < b || a > b)),
        Code::Truth => bank.map(dest, a, |a| truth(a < 0.0 || a > 0.0)),
        Code::And => bank.zip(dest, a, b, |a, b| truth(a != 0.0 && b != 0.0)),
        Code::Or => bank.zip(dest, a, b, |a, b| truth(a != 0.0 || b != 0.0)),
        Code::Not => bank.map(dest, a, |a| truth(a == 0.0)),
        Code::Otherwise => bank.zip(dest, a, b, |a, b| if a.is_nan() { b } else { a }),
        Code::Finite => bank.map(dest, a, |a| truth(det::is_finite(a))),
        Code::MassOf => bank.map_momentum(dest, a, lorentz::mass_of),
        Code::PtOf => bank.map_momentum(dest, a, lorentz::pt_of),
        Code::EtaOf => bank.map_momentum(dest, a, lorentz::eta_of),
        Code::PhiOf => bank.map_momentum(dest, a, lorentz::phi_of),
        Code::RapidityOf => bank.map_momentum(dest, a, lorentz::rapidity_of),
        Code::Choose => {
            let (a, b, c) = (bank.get(a), bank.get(b), bank.get(c));
            let chosen = (0..a.len()).map(|lane| if a[lane] != 0.0 { b[lane] } else { c[lane] }).collect();
            bank.registers[dest as usize] = chosen;
        }
        Code::DeltaR => {
            let (a, b, c, d) = (bank.get(a), bank.get(b), bank.get(c), bank.get(check));
            let distances = (0..a.len()).map(|lane| delta_r(a[lane], b[lane], c[lane], d[lane])).collect();
            bank.registers[dest as usize] = distances;
        }
        Code::Momentum => {
            let (a, b, c, d) = (bank.get(a), bank.get(b), bank.get(c), bank.get(check));
            let mut parts: [Vec<f64>; 4] = std::array::from_fn(|_| Vec::with_capacity(a.len()));
            for lane in 0..a.len() {
                let p = lorentz::momentum_of(a[lane], b[lane], c[lane], d[lane]);
                for (part, value) in parts.iter_mut().zip([p.px, p.py, p.pz, p.energy]) {
                    part.push(value);
                }
            }
            for (at, part) in parts.into_iter().enumerate() {
                bank.registers[dest as usize + at] = part;
            }
        }
        // What steers, loads and stores is the executor's own; the compiler puts nothing else into a program.
        _ => debug_assert!(false, "{:?} computes nothing", step.code),
    }
}

/// The fold of the values of one event.
fn folded(kind: u32, values: &[f64]) -> f64 {
    if kind == Fold::Sum as u32 {
        return values.iter().fold(0.0, |sum, value| sum + value);
    }
    let Some((first, others)) = values.split_first() else { return f64::NAN };
    let (mut best, mut place) = (*first, 0);
    let least = kind == Fold::Minimum as u32 || kind == Fold::PlaceOfMinimum as u32;
    for (value, at) in others.iter().zip(1..) {
        let extreme = if least { smaller(best, *value) } else { larger(best, *value) };
        // Not equal to itself either, if NaN; then there is no place.
        if extreme != best {
            (best, place) = (extreme, at);
        }
    }
    if kind == Fold::Minimum as u32 || kind == Fold::Maximum as u32 || best.is_nan() {
        return best;
    }
    f64::from(place)
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
