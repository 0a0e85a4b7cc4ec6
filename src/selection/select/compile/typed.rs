//! Expressions with resolved names and types.

use std::rc::Rc;

use crate::selection::expression::Function;
use crate::selection::select::program::{Code, Fold};

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Condition,
    Momentum,
}

/// How many values it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Domain {
    /// One for the event.
    Event,
    /// One for each item or pair that is being selected.
    Own,
    /// One for each item of that object.
    Each(usize),
}

/// What is known of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// Equality of two such numbers is an accident.
    Measured,
    /// An integer by its form.
    Integer,
    /// A column, which may hold anything, and may stand as a condition.
    Column,
}

/// An expression that is right.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Typed {
    pub kind: Kind,
    pub domain: Domain,
    pub nature: Nature,
    pub form: Form,
    /// The levels of it, with those of the definitions and objects that it uses.
    pub height: usize,
}

/// An item, by how it is found.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    /// `jet[0]`
    Place(usize, u32),
    /// `jet[argmax(jet.btag)]`
    Computed(usize, Rc<Typed>),
    /// A definition that is such an item.
    Named(usize, usize),
    /// That of the loop; of a pair the first (0) or second (1).
    Loop(usize, u32),
    /// `z.first`: pair, which.
    OfPair(usize, u32),
}

/// What an expression is made of. Objects, pairs and definitions are numbers of their lists in the definition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Form {
    /// Also a condition: 1 or 0.
    Number(f64),
    Scalar(String),
    Count(usize),
    PairCount(usize),
    Definition(usize),
    Quantity(Item, String),
    /// A momentum.
    Item(Item),
    Pair(usize),
    Momentum(Rc<[Typed]>),
    /// A function of registers.
    Apply(Code, Rc<[Typed]>),
    /// From the left: of numbers, conditions or momenta.
    Chain(Rc<Typed>, Rc<[(Code, Typed)]>),
    /// A comparison and what it compares, in words.
    Compare(Code, Rc<[Typed; 2]>, String),
    /// A column as a condition, and its words.
    Truth(Rc<Typed>, String),
    /// Mass, pt, eta, phi or rapidity of a momentum.
    Part(Function, Rc<Typed>),
    /// deltaR or transverseMass of two momenta.
    Between(Function, Rc<[Typed; 2]>),
    /// Of the items of an object from another one.
    Separation(usize, usize),
    Fold(Fold, usize, Rc<Typed>),
    /// The place in its object of the item of the loop; of a pair the first (0) or second (1).
    Place(u32),
}

impl Typed {
    pub(super) fn number(value: f64) -> Self {
        let nature = if value.trunc() == value { Nature::Integer } else { Nature::Measured };
        Self { kind: Kind::Number, domain: Domain::Event, nature, form: Form::Number(value), height: 1 }
    }

    /// Whether it can be told that the value is never NaN: a check would be in vain.
    pub(super) fn is_never_nan(&self) -> bool {
        if self.kind == Kind::Condition {
            return true;
        }
        match &self.form {
            Form::Number(_) | Form::Count(_) | Form::PairCount(_) | Form::Place(_) => true,
            Form::Fold(Fold::Sum, _, inner) => inner.kind == Kind::Condition,
            Form::Apply(Code::Otherwise, values) => values[1].is_never_nan(),
            _ => false,
        }
    }
}
