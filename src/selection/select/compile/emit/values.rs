//! Values of expressions in registers.

use std::rc::Rc;

use super::super::typed::{Domain, Form, Item, Kind, Typed};
use super::guards::may_fault;
use super::{Emitter, Folded, Momentum, Value, Where, sameness, step};
use crate::selection::expression::Function;
use crate::selection::select::program::{Code, Fold, Instruction, NONE, Presence};

impl Emitter<'_> {
    /// The register of a number or condition.
    pub(super) fn scalar(&mut self, typed: &Typed) -> u32 {
        if let Form::Number(number) = typed.form {
            return self.constant(number);
        }
        if self.body.is_some() && typed.domain == Domain::Event && !self.is_of_the_loop(typed) {
            let register = self.of_event(|own| own.scalar(typed));
            return self.broadcast(register);
        }
        match &typed.form {
            Form::Number(number) => self.constant(*number),
            Form::Scalar(name) => {
                let a = self.tables.scalar(name);
                self.unary(Code::Scalar, a)
            }
            Form::Count(object) => self.count(*object),
            Form::PairCount(pair) => self.pair(*pair) + 2,
            Form::Definition(index) => match self.variable(*index).0 {
                Value::Register(register) => register,
                // The types say that it is a number or condition.
                Value::Momentum(_) => self.constant(f64::NAN),
            },
            Form::Quantity(item, name) => {
                let place = self.place(item);
                self.quantity(place, name)
            }
            Form::Apply(Code::Choose, values) => self.choose([&values[0], &values[1], &values[2]]),
            Form::Apply(code, values) => self.apply(*code, values),
            Form::Chain(first, rest) => {
                if let Some((code @ (Code::And | Code::Or), _)) = rest.first() {
                    let parts = std::iter::once(&**first).chain(rest.iter().map(|(_, next)| next));
                    // A chain is never empty.
                    return self.conditions(*code, parts).unwrap_or(NONE);
                }
                let first = self.scalar(first);
                rest.iter().fold(first, |sum, (code, next)| {
                    let next = self.scalar(next);
                    self.binary(*code, sum, next)
                })
            }
            Form::Compare(code, sides, words) => {
                let (a, b) = (self.scalar(&sides[0]), self.scalar(&sides[1]));
                self.checked_step(Instruction { a, b, ..step(*code) }, &[&sides[0], &sides[1]], words)
            }
            Form::Truth(inner, words) => {
                let a = self.scalar(inner);
                self.checked_step(Instruction { a, ..step(Code::Truth) }, &[inner], words)
            }
            Form::Part(function, momentum) => {
                let value = self.momentum(momentum);
                self.part(*function, value)
            }
            Form::Between(function, sides) => self.between(*function, sides),
            Form::Separation(own, from) => self.separation(*own, *from),
            Form::Place(which) => self.made(Instruction { c: *which, ..step(Code::Place) }, 1),
            Form::Fold(fold, object, inner) => self.fold(*fold, *object, inner),
            // The types say that these are momenta.
            Form::Item(_) | Form::Pair(_) | Form::Momentum(_) => self.constant(f64::NAN),
        }
    }

    fn apply(&mut self, code: Code, values: &[Typed]) -> u32 {
        let mut fields = [0; 3];
        for (field, value) in fields.iter_mut().zip(values) {
            *field = self.scalar(value);
        }
        let [a, b, c] = fields;
        self.made(Instruction { a, b, c, ..step(code) }, 1)
    }

    /// A comparison, with a check if one of its `sides` can be NaN. An equal one that is checked at least where this one is
    /// has had the check.
    fn checked_step(&mut self, step: Instruction, sides: &[&Typed], words: &str) -> u32 {
        if sides.iter().all(|side| side.is_never_nan()) {
            return self.made(step, 1);
        }
        let (sameness, here) = (sameness(&step), self.context().set);
        let compared = self.body.as_ref().map_or(&self.compared, |body| &body.compared).get(&sameness);
        let known = compared.into_iter().flatten().find(|(there, _)| self.facts.implies(here, *there));
        if let Some((_, register)) = known {
            return *register;
        }
        // What must be there may take instructions, which come before the comparison.
        let check = self.check_of(sides, words);
        let dest = self.group(1);
        self.push(Instruction { dest, check, ..step });
        let (known, compared) = match &mut self.body {
            Some(body) => (&mut body.known, &mut body.compared),
            None => (&mut self.known, &mut self.compared),
        };
        known.entry(sameness).or_insert(dest);
        compared.entry(sameness).or_default().push((here, dest));
        dest
    }

    /// The check of values that are compared, or none if they cannot be NaN.
    pub(super) fn check_of(&mut self, sides: &[&Typed], words: &str) -> u32 {
        if sides.iter().all(|side| side.is_never_nan()) {
            return NONE;
        }
        let guards = self.context().registers.iter().map(|register| Presence { register: *register, at_least: 1 });
        let mut presences = guards.collect();
        for side in sides {
            let more = self.of_event(|own| own.presences(side));
            super::presence::join(&mut presences, more);
        }
        self.check(presences, words)
    }

    pub(super) fn count(&mut self, object: usize) -> u32 {
        let a = self.object(object);
        self.unary(Code::Count, a)
    }

    pub(super) fn place(&mut self, item: &Item) -> Where {
        match item {
            Item::Place(object, place) => Where::Place(self.object(*object), *place),
            Item::Computed(object, index) => {
                let object = self.object(*object);
                Where::Register(object, self.scalar(index))
            }
            Item::Named(index, object) => match self.variable(*index).0 {
                Value::Momentum(Momentum::Item(place)) => place,
                // Such a name is an item.
                _ => Where::Place(self.object(*object), u32::MAX - 1),
            },
            Item::Loop(object, which) => Where::Loop(self.object(*object), *which),
            Item::OfPair(pair, which) => {
                let register = self.pair(*pair) + which;
                let object = self.checked.pairs[*pair].of[*which as usize];
                Where::Register(self.object(object), register)
            }
        }
    }

    pub(super) fn quantity(&mut self, place: Where, name: &str) -> u32 {
        let (code, object, c) = match place {
            Where::Place(object, place) => (Code::At, object, place),
            Where::Register(object, register) => (Code::AtPlace, object, register),
            Where::Loop(object, which) => (Code::Item, object, which),
        };
        let b = self.tables.quantity(object, name);
        self.made(Instruction { a: object, b, c, ..step(code) }, 1)
    }

    /// A momentum of the event, or within a loop of its items. What is of the event stays in event registers: see
    /// [`Emitter::parts_of`].
    pub(super) fn momentum(&mut self, typed: &Typed) -> Momentum {
        if self.body.is_some() && typed.domain == Domain::Event {
            let sum = self.of_event(|own| {
                let value = own.momentum(typed);
                own.components(value)
            });
            return Momentum::Sum(self.broadcast_four(sum));
        }
        match &typed.form {
            Form::Item(item) => Momentum::Item(self.place(item)),
            Form::Momentum(parts) => {
                let mut registers = [0; 4];
                for (register, part) in registers.iter_mut().zip(parts.iter()) {
                    *register = self.scalar(part);
                }
                Momentum::Parts(registers)
            }
            Form::Definition(index) => match self.variable(*index).0 {
                Value::Momentum(momentum) => momentum,
                // The types say that it is a momentum.
                Value::Register(register) => Momentum::Parts([register; 4]),
            },
            Form::Pair(pair) => {
                let items = [0, 1].map(|which| {
                    let place = self.place(&Item::OfPair(*pair, which));
                    self.components(Momentum::Item(place))
                });
                Momentum::Sum(self.add(items[0], items[1]))
            }
            Form::Chain(first, rest) => {
                let first = self.momentum(first);
                let mut sum = self.components(first);
                for (_, next) in rest.iter() {
                    let next = self.momentum(next);
                    let next = self.components(next);
                    sum = self.add(sum, next);
                }
                Momentum::Sum(sum)
            }
            Form::Fold(fold, object, inner) => Momentum::Sum(self.fold(*fold, *object, inner)),
            // The types say that these are no momenta.
            _ => Momentum::Parts([self.scalar(typed); 4]),
        }
    }

    /// px, py, pz, energy: the first of four registers.
    fn components(&mut self, momentum: Momentum) -> u32 {
        match momentum {
            Momentum::Sum(first) => first,
            Momentum::Parts(parts) => self.four(Code::Momentum, parts, 4),
            Momentum::Item(place) => {
                let parts = ["pt", "eta", "phi", "mass"].map(|name| self.quantity(place, name));
                self.four(Code::Momentum, parts, 4)
            }
        }
    }

    /// The sum of two four-momenta in a group of their own.
    fn add(&mut self, one: u32, other: u32) -> u32 {
        let sameness = (u32::MAX, [one, other, 0, 0], 0);
        let known = self.body.as_ref().map_or(&self.known, |body| &body.known);
        if let Some(sum) = known.get(&sameness) {
            return *sum;
        }
        let sum = self.group(4);
        for offset in 0..4 {
            self.push(Instruction { dest: sum + offset, a: one + offset, b: other + offset, ..step(Code::Add) });
        }
        let known = self.body.as_mut().map_or(&mut self.known, |body| &mut body.known);
        known.insert(sameness, sum);
        sum
    }

    fn broadcast_four(&mut self, first: u32) -> u32 {
        let sameness = (u32::MAX - 1, [first, 0, 0, 0], 0);
        if let Some(copy) = self.body.as_ref().and_then(|body| body.known.get(&sameness)) {
            return *copy;
        }
        let copy = self.group(4);
        for offset in 0..4 {
            self.push(Instruction { dest: copy + offset, a: first + offset, ..step(Code::Broadcast) });
        }
        if let Some(body) = &mut self.body {
            body.known.insert(sameness, copy);
        }
        copy
    }

    /// Mass, pt, eta, phi or rapidity. Of an item: its columns, without trigonometry.
    pub(super) fn part(&mut self, function: Function, momentum: Momentum) -> u32 {
        let (number, code) = match function {
            Function::Pt => (0, Code::PtOf),
            Function::Eta => (1, Code::EtaOf),
            Function::Phi => (2, Code::PhiOf),
            Function::Mass => (3, Code::MassOf),
            _ => (4, Code::RapidityOf),
        };
        match momentum {
            Momentum::Item(place) if number < 4 => self.quantity(place, function.name()),
            Momentum::Parts(parts) if number < 4 => parts[number],
            Momentum::Item(place) if number == 4 => {
                let [pt, eta, mass] = ["pt", "eta", "mass"].map(|name| self.quantity(place, name));
                self.rapidity(pt, eta, mass)
            }
            Momentum::Parts([pt, eta, _, mass]) => self.rapidity(pt, eta, mass),
            _ => {
                let components = self.components(momentum);
                self.unary(code, components)
            }
        }
    }

    /// asinh(pt sinh(eta) / sqrt(pt^2 + mass^2)): the pseudorapidity of a momentum whose transverse part is (pt, mass). By E
    /// and pz, which agree to all digits from |eta| = 19 on, the rapidity would be infinite there.
    fn rapidity(&mut self, pt: u32, eta: u32, mass: u32) -> u32 {
        let sameness = (u32::MAX - 2, [pt, eta, mass, 0], 0);
        let known = self.body.as_ref().map_or(&self.known, |body| &body.known);
        if let Some(rapidity) = known.get(&sameness) {
            return *rapidity;
        }
        let sinh = self.unary(Code::HyperbolicSine, eta);
        let turned = self.group(4);
        // Signs do not matter to the transverse part, and the energy not at all.
        for (offset, code, a, b) in [
            (0, Code::Absolute, pt, 0),
            (1, Code::Absolute, mass, 0),
            (2, Code::Multiply, pt, sinh),
            (3, Code::Absolute, sinh, 0),
        ] {
            self.push(Instruction { dest: turned + offset, a, b, ..step(code) });
        }
        let rapidity = self.unary(Code::EtaOf, turned);
        let known = self.body.as_mut().map_or(&mut self.known, |body| &mut body.known);
        known.insert(sameness, rapidity);
        rapidity
    }

    /// Parts of a momentum, in a loop also of one of the event.
    fn parts_of(&mut self, typed: &Typed, functions: &[Function]) -> Vec<u32> {
        let of_event = self.body.is_some() && typed.domain == Domain::Event;
        let parts = |own: &mut Self| {
            let value = own.momentum(typed);
            functions.iter().map(|function| own.part(*function, value)).collect::<Vec<u32>>()
        };
        if !of_event {
            return parts(self);
        }
        let registers = self.of_event(parts);
        registers.into_iter().map(|register| self.broadcast(register)).collect()
    }

    fn between(&mut self, function: Function, sides: &[Typed; 2]) -> u32 {
        if function == Function::DeltaR {
            let parts = [&sides[0], &sides[1]].map(|side| self.parts_of(side, &[Function::Eta, Function::Phi]));
            return self.four(Code::DeltaR, [parts[0][0], parts[0][1], parts[1][0], parts[1][1]], 1);
        }
        // sqrt(2 pt_a pt_b (1 - cos(phi_a - phi_b)))
        let parts = [&sides[0], &sides[1]].map(|side| self.parts_of(side, &[Function::Pt, Function::Phi]));
        let angle = self.binary(Code::DeltaPhi, parts[0][1], parts[1][1]);
        let cosine = self.unary(Code::Cosine, angle);
        let (one, two) = (self.constant(1.0), self.constant(2.0));
        let opening = self.binary(Code::Subtract, one, cosine);
        let doubled = self.binary(Code::Multiply, two, parts[0][0]);
        let product = self.binary(Code::Multiply, doubled, parts[1][0]);
        let square = self.binary(Code::Multiply, product, opening);
        self.unary(Code::SquareRoot, square)
    }

    /// Of the item of the object that is being built.
    fn separation(&mut self, own: usize, from: usize) -> u32 {
        let from = self.object(from);
        self.tables.direct(from);
        let own = Where::Loop(self.object(own), 0);
        let (a, b) = (self.quantity(own, "eta"), self.quantity(own, "phi"));
        self.made(Instruction { a, b, c: from, ..step(Code::Separation) }, 1)
    }

    /// A reduction: its register, or the first of four.
    fn fold(&mut self, fold: Fold, index: usize, inner: &Rc<Typed>) -> u32 {
        let kind = fold as u32;
        let object = self.object(index);
        // Without comparisons that may fault, it is the same wherever it is made.
        let set = if may_fault(inner) { self.context.set } else { 0 };
        let known = self.folds.iter().find(|known| {
            known.object == object
                && known.kind == kind
                && self.facts.implies(set, known.set)
                && known.inner.kind == inner.kind
                && *known.inner == **inner
        });
        if let Some(known) = known {
            return known.register;
        }
        let momentum = inner.kind == Kind::Momentum;
        let (value, body) = self.body_of(|own| {
            if momentum {
                let value = own.momentum(inner);
                own.components(value)
            } else {
                own.scalar(inner)
            }
        });
        let width = if momentum { 4 } else { 1 };
        let dest = self.group(width);
        let end = self.steps.len() + body.len() + 1;
        self.push(Instruction { a: object, b: width, c: end as u32, ..step(Code::Each) });
        self.steps.extend(body);
        for offset in 0..width {
            self.push(Instruction { dest: dest + offset, a: value + offset, b: kind, ..step(Code::Fold) });
        }
        self.folds.push(Folded { inner: Rc::clone(inner), object, kind, set, register: dest });
        dest
    }
}
