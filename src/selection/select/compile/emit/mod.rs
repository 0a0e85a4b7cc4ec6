//! From typed expressions to instructions on registers that are each written once.
//!
//! Event code goes to one list. While a loop is made, its body grows beside that list, so that whatever the body needs of the
//! event lands before the loop; the body reads it through a broadcast. What was computed once is not computed again.

mod guards;
mod presence;
mod program;
mod values;

use std::collections::HashMap;
use std::rc::Rc;

use super::check::Checked;
use super::objects::Tables;
use super::typed::{Kind, Typed};
use crate::selection::select::Definition;
use crate::selection::select::program::{Check, Code, Instruction, NONE, Presence};

use guards::{Context, Fact, Facts};
pub(super) use program::{Emitted, emit};

/// What makes two instructions the same: code, operands, number.
type Sameness = (u32, [u32; 4], u64);

/// Checked comparisons: what was known where each was made, and its register. See [`guards`].
type Compared = HashMap<Sameness, Vec<(usize, u32)>>;

/// The code of a loop while it grows.
#[derive(Default)]
struct Body {
    steps: Vec<Instruction>,
    known: HashMap<Sameness, u32>,
    compared: Compared,
    context: Context,
}

/// A momentum, by what is known of it.
#[derive(Debug, Clone, Copy)]
enum Momentum {
    /// An item: its quantities are columns.
    Item(Where),
    /// The registers of pt, eta, phi and mass.
    Parts([u32; 4]),
    /// The first of four registers: px, py, pz, energy.
    Sum(u32),
}

/// An item, by where it is.
#[derive(Debug, Clone, Copy)]
enum Where {
    /// Object (of the program), place.
    Place(u32, u32),
    /// Object, register of the place.
    Register(u32, u32),
    /// Object, which of a pair.
    Loop(u32, u32),
}

/// The value of a definition.
#[derive(Debug, Clone)]
enum Value {
    Register(u32),
    Momentum(Momentum),
}

/// A reduction that was made.
struct Folded {
    inner: Rc<Typed>,
    object: u32,
    kind: u32,
    /// What was known where it was made.
    set: usize,
    register: u32,
}

struct Emitter<'a> {
    definition: &'a Definition,
    checked: &'a Checked,
    tables: Tables<'a>,
    steps: Vec<Instruction>,
    body: Option<Body>,
    /// Consecutive registers: first, how many.
    groups: Vec<(u32, u32)>,
    registers: u32,
    known: HashMap<Sameness, u32>,
    compared: Compared,
    context: Context,
    facts: Facts,
    folds: Vec<Folded>,
    /// The number of each object in the program.
    objects: Vec<Option<u32>>,
    /// The first of the three registers of each pair.
    pairs: Vec<Option<u32>>,
    variables: Vec<Option<(Value, Vec<Presence>)>>,
    checks: Vec<Check>,
    presences: Vec<Presence>,
    words: Vec<String>,
    /// Which text each instruction of the event belongs to: its first, and the keys that lead to it.
    texts: Vec<(usize, Vec<String>)>,
}

fn step(code: Code) -> Instruction {
    Instruction { code, dest: 0, a: 0, b: 0, c: 0, check: NONE, number: 0.0 }
}

fn sameness(step: &Instruction) -> Sameness {
    let fourth = if super::operands::may_check(step.code) { NONE } else { step.check };
    (step.code as u32, [step.a, step.b, step.c, fourth], step.number.to_bits())
}

impl Emitter<'_> {
    fn group(&mut self, width: u32) -> u32 {
        self.groups.push((self.registers, width));
        self.registers += width;
        self.registers - width
    }

    fn push(&mut self, step: Instruction) {
        match &mut self.body {
            Some(body) => body.steps.push(step),
            None => self.steps.push(step),
        }
    }

    /// Emits `step` with new registers, or finds those of an equal one.
    fn made(&mut self, mut step: Instruction, width: u32) -> u32 {
        let sameness = sameness(&step);
        let known = self.body.as_ref().map_or(&self.known, |body| &body.known);
        if let Some(register) = known.get(&sameness) {
            return *register;
        }
        step.dest = self.group(width);
        self.push(step);
        let known = self.body.as_mut().map_or(&mut self.known, |body| &mut body.known);
        known.insert(sameness, step.dest);
        step.dest
    }

    fn constant(&mut self, number: f64) -> u32 {
        self.made(Instruction { number, ..step(Code::Number) }, 1)
    }

    fn unary(&mut self, code: Code, a: u32) -> u32 {
        self.made(Instruction { a, ..step(code) }, 1)
    }

    fn binary(&mut self, code: Code, a: u32, b: u32) -> u32 {
        self.made(Instruction { a, b, ..step(code) }, 1)
    }

    fn four(&mut self, code: Code, [a, b, c, check]: [u32; 4], width: u32) -> u32 {
        self.made(Instruction { a, b, c, check, ..step(code) }, width)
    }

    /// Runs `rule` for what is of the event, also within a loop.
    fn of_event<T>(&mut self, rule: impl FnOnce(&mut Self) -> T) -> T {
        let body = self.body.take();
        let result = rule(self);
        self.body = body;
        result
    }

    /// Runs `rule` as the body of a loop; what it emitted.
    fn body_of<T>(&mut self, rule: impl FnOnce(&mut Self) -> T) -> (T, Vec<Instruction>) {
        let before = self.body.replace(Body { context: self.context.clone(), ..Body::default() });
        let result = rule(self);
        let body = std::mem::replace(&mut self.body, before).unwrap_or_default();
        (result, body.steps)
    }

    /// Event registers in the loop that grows; outside of one as they are.
    fn broadcast(&mut self, register: u32) -> u32 {
        if self.body.is_some() { self.unary(Code::Broadcast, register) } else { register }
    }

    /// A new check of something that is called `words`.
    fn check(&mut self, presences: Vec<Presence>, words: &str) -> u32 {
        let first_presence = self.presences.len() as u32;
        self.checks.push(Check { first_presence, presences: presences.len() as u32 });
        self.presences.extend(presences);
        self.words.push(words.to_owned());
        (self.checks.len() - 1) as u32
    }

    /// What follows belongs to another text. Constants are made anew for each: keeping them would cost registers.
    fn begin(&mut self, path: &[&str]) {
        self.known.retain(|(code, ..), _| *code != Code::Number as u32);
        self.texts.push((self.steps.len(), path.iter().map(|key| (*key).to_owned()).collect()));
    }

    /// The number of an object in the program; its items are found if they were not yet.
    fn object(&mut self, index: usize) -> u32 {
        if let Some(number) = self.objects[index] {
            return number;
        }
        self.for_all(|own| own.build(index))
    }

    fn build(&mut self, index: usize) -> u32 {
        let checked = &self.checked.objects[index];
        let number = self.tables.add(&self.definition.objects[index]);
        self.objects[index] = Some(number);
        let ((kept, key, check), body) = self.body_of(|own| {
            let kept = own.conditions(Code::And, &checked.keep);
            let key = checked.key.as_ref().map(|(typed, words)| {
                let key = own.of_kept(kept, typed);
                (key, own.check_of(&[typed], words))
            });
            (kept.unwrap_or(NONE), key.map_or(NONE, |key| key.0), key.map_or(NONE, |key| key.1))
        });
        let end = self.steps.len() + body.len() + 1;
        self.push(Instruction { a: number, c: end as u32, ..step(Code::Build) });
        self.steps.extend(body);
        self.push(Instruction { a: kept, b: key, check, ..step(Code::Keep) });
        number
    }

    /// A value that matters only for what is kept.
    fn of_kept(&mut self, kept: Option<u32>, typed: &Typed) -> u32 {
        match kept {
            Some(register) => self.scalar_if(Fact { register, holds: true }, typed),
            None => self.scalar(typed),
        }
    }

    /// The first of the three registers of a pair, which is found if it was not yet.
    fn pair(&mut self, index: usize) -> u32 {
        if let Some(register) = self.pairs[index] {
            return register;
        }
        let register = self.for_all(|own| own.find_pair(index));
        self.pairs[index] = Some(register);
        register
    }

    fn find_pair(&mut self, index: usize) -> u32 {
        let checked = &self.checked.pairs[index];
        let objects = checked.of.map(|object| self.object(object));
        let ((kept, best, check), body) = self.body_of(|own| {
            let kept = own.conditions(Code::And, &checked.keep);
            let (typed, words) = &checked.best;
            let best = own.of_kept(kept, typed);
            (kept.unwrap_or(NONE), best, own.check_of(&[typed], words))
        });
        let end = self.steps.len() + body.len() + 1;
        self.push(Instruction { dest: end as u32, a: objects[0], b: objects[1], ..step(Code::Pairs) });
        self.steps.extend(body);
        let dest = self.group(3);
        self.push(Instruction { dest, a: kept, b: best, check, ..step(Code::Best) });
        dest
    }

    /// The value of a definition, and what must be there for it; computed once.
    fn variable(&mut self, index: usize) -> (Value, Vec<Presence>) {
        if let Some(known) = &self.variables[index] {
            return known.clone();
        }
        let typed = Rc::clone(&self.checked.variables[index]);
        let value = self.for_all(|own| match typed.kind {
            Kind::Momentum => {
                let momentum = own.momentum(&typed);
                (Value::Momentum(momentum), own.presences(&typed))
            }
            Kind::Condition => (Value::Register(own.scalar(&typed)), Vec::new()),
            Kind::Number => {
                let exact = own.scalar(&typed);
                let rounded = own.unary(Code::Round, exact);
                (Value::Register(rounded), own.presences(&typed))
            }
        });
        self.variables[index] = Some(value.clone());
        value
    }
}
