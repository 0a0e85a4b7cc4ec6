//! Under which conditions values are compared: a NaN behind a condition that failed is no fault.
//!
//! Values are computed for every event and item alike. What a condition guards is only blame: of `a && b`, the checks in `b` need
//! that `a` holds; of `a || b` that it does not; of `where(c, x, y)`, those in `x` and `y` need that side to be taken. What is
//! computed once for whoever needs it (objects, pairs, definitions) has no guards from outside.

use std::collections::HashMap;

use super::super::typed::{Form, Item, Kind, Typed};
use super::{Emitter, step};
use crate::selection::select::program::{Code, Instruction};

/// That a condition is true, or false.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fact {
    pub register: u32,
    pub holds: bool,
}

/// Sets of facts, each with one more than its parent. The set 0 is empty.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The parents of the sets from 1 on.
    parents: Vec<usize>,
    known: HashMap<(usize, Fact), usize>,
}

impl Facts {
    /// The set with one fact more.
    pub(super) fn with(&mut self, set: usize, fact: Fact) -> usize {
        *self.known.entry((set, fact)).or_insert_with(|| {
            self.parents.push(set);
            self.parents.len()
        })
    }

    /// Whether `set` grew out of `other`, so that all of the other holds where it does.
    pub(super) fn implies(&self, mut set: usize, other: usize) -> bool {
        while set > other {
            set = self.parents[set - 1];
        }
        set == other
    }
}

/// What is known where code grows.
#[derive(Debug, Clone, Default)]
pub(super) struct Context {
    /// The facts.
    pub set: usize,
    /// Registers that are all 1 where the facts hold.
    pub registers: Vec<u32>,
}

/// Whether some comparison in it, but for what is computed once for all, can meet a NaN.
pub(super) fn may_fault(typed: &Typed) -> bool {
    match &typed.form {
        Form::Compare(_, sides, _) => sides.iter().any(|side| !side.is_never_nan() || may_fault(side)),
        Form::Truth(inner, _) => !inner.is_never_nan() || may_fault(inner),
        Form::Number(_) | Form::Scalar(_) | Form::Count(_) | Form::PairCount(_) | Form::Definition(_) => false,
        Form::Pair(_) | Form::Separation(..) | Form::Place(_) => false,
        Form::Quantity(Item::Computed(_, index), _) | Form::Item(Item::Computed(_, index)) => may_fault(index),
        Form::Quantity(..) | Form::Item(_) => false,
        Form::Momentum(parts) | Form::Apply(_, parts) => parts.iter().any(may_fault),
        Form::Chain(first, rest) => may_fault(first) || rest.iter().any(|(_, next)| may_fault(next)),
        Form::Part(_, inner) | Form::Fold(_, _, inner) => may_fault(inner),
        Form::Between(_, sides) => sides.iter().any(may_fault),
    }
}

impl Emitter<'_> {
    pub(super) fn context(&mut self) -> &mut Context {
        self.body.as_mut().map_or(&mut self.context, |body| &mut body.context)
    }

    /// Runs `rule` for what is of the event and serves everybody: nothing is known.
    pub(super) fn for_all<T>(&mut self, rule: impl FnOnce(&mut Self) -> T) -> T {
        self.of_event(|own| {
            let before = std::mem::take(&mut own.context);
            let result = rule(own);
            own.context = before;
            result
        })
    }

    /// All of the conditions ([`Code::And`]) or any of them ([`Code::Or`]); `None` if there are none.
    pub(super) fn conditions<'t>(&mut self, code: Code, parts: impl IntoIterator<Item = &'t Typed>) -> Option<u32> {
        let before = self.context().clone();
        let mut set = before.set;
        let mut joined = None;
        for part in parts {
            if let Some(joined) = joined
                && may_fault(part)
            {
                // The rest decides nothing where one before it has decided.
                let open = if code == Code::And { joined } else { self.unary(Code::Not, joined) };
                let registers = before.registers.iter().copied().chain([open]).collect();
                *self.context() = Context { set, registers };
            }
            let register = self.scalar(part);
            set = self.facts.with(set, Fact { register, holds: code == Code::And });
            joined = Some(joined.map_or(register, |joined| self.binary(code, joined, register)));
        }
        *self.context() = before;
        joined
    }

    /// A value that matters only where the condition in a register is as `fact` says.
    pub(super) fn scalar_if(&mut self, fact: Fact, typed: &Typed) -> u32 {
        if !may_fault(typed) {
            return self.scalar(typed);
        }
        let open = if fact.holds { fact.register } else { self.unary(Code::Not, fact.register) };
        let before = self.context().clone();
        let set = self.facts.with(before.set, fact);
        let registers = before.registers.iter().copied().chain([open]).collect();
        *self.context() = Context { set, registers };
        let register = self.scalar(typed);
        *self.context() = before;
        register
    }

    /// `where(condition, one, other)`
    pub(super) fn choose(&mut self, [condition, one, other]: [&Typed; 3]) -> u32 {
        let a = self.scalar(condition);
        let b = self.scalar_if(Fact { register: a, holds: true }, one);
        let c = self.scalar_if(Fact { register: a, holds: false }, other);
        self.made(Instruction { a, b, c, ..step(Code::Choose) }, 1)
    }

    /// Whether this value of the event, which a loop needs, is better computed in the loop: comparisons that depend on
    /// the item, but for those of other objects' items.
    pub(super) fn is_of_the_loop(&self, typed: &Typed) -> bool {
        let Some(body) = &self.body else { return false };
        let in_loops = match typed.form {
            Form::Compare(..) | Form::Truth(..) | Form::Apply(..) => true,
            Form::Chain(..) => typed.kind != Kind::Momentum,
            _ => false,
        };
        in_loops && body.context.set != self.context.set && may_fault(typed)
    }
}
