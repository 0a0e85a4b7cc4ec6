//! What must be there so that a value is not missing.

use super::super::typed::{Form, Item, Kind, Typed};
use super::{Emitter, step};
use crate::selection::select::program::{Code, Fold, Instruction, Presence};

/// Adds those of `more` that `presences` does not imply.
pub(super) fn join(presences: &mut Vec<Presence>, more: Vec<Presence>) {
    for one in more {
        match presences.iter_mut().find(|known| known.register == one.register) {
            Some(known) => known.at_least = known.at_least.max(one.at_least),
            None => presences.push(one),
        }
    }
}

impl Emitter<'_> {
    /// What must be there for this value, in event registers. Conditions are never missing; where a choice decides, all that
    /// either side needs, so that a value is never blamed wrongly.
    pub(super) fn presences(&mut self, typed: &Typed) -> Vec<Presence> {
        if typed.kind == Kind::Condition {
            return Vec::new();
        }
        match &typed.form {
            Form::Number(_) | Form::Scalar(_) | Form::Count(_) | Form::PairCount(_) => Vec::new(),
            Form::Separation(..) | Form::Place(_) | Form::Compare(..) | Form::Truth(..) => Vec::new(),
            Form::Definition(index) => self.variable(*index).1,
            Form::Quantity(item, _) | Form::Item(item) => self.presences_of_item(item),
            Form::Pair(pair) => self.presences_of_item(&Item::OfPair(*pair, 0)),
            Form::Momentum(parts) => self.presences_of_all(parts.iter()),
            // With a fallback, it is the fallback that decides.
            Form::Apply(Code::Otherwise, values) => self.presences(&values[1]),
            Form::Apply(_, values) => self.presences_of_all(values.iter()),
            Form::Chain(first, rest) => {
                self.presences_of_all(std::iter::once(&**first).chain(rest.iter().map(|(_, next)| next)))
            }
            Form::Part(_, momentum) => self.presences(momentum),
            Form::Between(_, sides) => self.presences_of_all(sides.iter()),
            Form::Fold(fold, object, inner) => {
                let mut presences = self.presences(inner);
                if *fold != Fold::Sum {
                    let register = self.of_event(|own| own.count(*object));
                    join(&mut presences, vec![Presence { register, at_least: 1 }]);
                }
                presences
            }
        }
    }

    fn presences_of_all<'t>(&mut self, values: impl Iterator<Item = &'t Typed>) -> Vec<Presence> {
        let mut presences = Vec::new();
        for value in values {
            let more = self.presences(value);
            join(&mut presences, more);
        }
        presences
    }

    fn presences_of_item(&mut self, item: &Item) -> Vec<Presence> {
        match item {
            Item::Loop(..) => Vec::new(),
            Item::Place(object, place) => {
                let register = self.of_event(|own| own.count(*object));
                vec![Presence { register, at_least: place + 1 }]
            }
            Item::OfPair(pair, _) => vec![Presence { register: self.pair(*pair) + 2, at_least: 1 }],
            Item::Named(index, _) => self.variable(*index).1,
            Item::Computed(object, index) => {
                let mut presences = self.presences(index);
                // The place of an extreme is one of the object's, if there is one at all.
                let certain = matches!(&index.form, Form::Fold(Fold::PlaceOfMinimum | Fold::PlaceOfMaximum, of, _) if of == object);
                if !certain {
                    let register = self.of_event(|own| own.is_inside(*object, index));
                    join(&mut presences, vec![Presence { register, at_least: 1 }]);
                }
                presences
            }
        }
    }

    /// 1 unless the place is known to be outside of the object: a place that is NaN is not missing but wrong.
    fn is_inside(&mut self, object: usize, index: &Typed) -> u32 {
        let (place, count, zero) = (self.scalar(index), self.count(object), self.constant(0.0));
        let below = self.made(Instruction { a: place, b: zero, ..step(Code::Below) }, 1);
        let above = self.made(Instruction { a: place, b: count, ..step(Code::AtLeast) }, 1);
        let outside = self.binary(Code::Or, below, above);
        self.unary(Code::Not, outside)
    }
}
