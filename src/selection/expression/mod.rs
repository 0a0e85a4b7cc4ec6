//! The language of cuts and variables: what a card may write, as a tree.
//!
//! | written | meaning |
//! |---|---|
//! | `count(jet)` | number of objects `jet` in the event |
//! | `jet[0].pt` | a quantity of the object at that place, 0 being the one of largest pT |
//! | `mass(jet[0] + jet[1])`, `pt(jet[0] + jet[1])` | invariant mass, transverse momentum of a pair |
//! | `delta_r(jet[0], jet[1])` | distance sqrt(deta^2 + dphi^2) |
//! | `max(a, b)`, `min(a, b)`, `abs(a)` | of any of these |
//! | `m_Y`, `MET_pt` | a variable of the card, else an event scalar by its column name |
//! | `500`, `-2.5e3` | a number |
//!
//! A requirement compares two of them with `>`, `>=`, `<`, `<=`, or, between counts and integers, `==`. A cut on an object
//! (`pt > 200`, `abs(eta) < 2.0`) compares a quantity of that object with a number.
//!
//! The tree knows no columns: [`crate::selection::select`] resolves names and compiles it.

mod parse;
mod token;

pub use parse::{parse_expression, parse_object_cut, parse_requirement};

/// A value of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// A literal.
    Number(f64),
    /// A name: a variable of the card, else an event scalar.
    Name(Name),
    /// `count(jet)`.
    Count(Name),
    /// `jet[0].pt`.
    Quantity {
        /// Which object.
        place: Place,
        /// Which of its quantities.
        quantity: Name,
    },
    /// `mass(jet[0] + jet[1])` and its kin.
    Pair {
        /// What of the pair.
        function: PairFunction,
        /// One of the pair.
        first: Place,
        /// The other.
        second: Place,
    },
    /// `abs(a)`.
    Absolute(Box<Expression>),
    /// `max(a, b)` or `min(a, b)`.
    Extreme(Extreme, Box<Expression>, Box<Expression>),
}

/// A word and the column (from 1) at which it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The word.
    pub word: String,
    /// Its first character's column in the text, from 1.
    pub column: usize,
}

/// `jet[0]`: the object of that rank in pT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The object's name.
    pub object: Name,
    /// Its rank, 0 for the largest pT.
    pub rank: u32,
}

/// What is computed of two objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairFunction {
    /// Invariant mass of the sum of the four-momenta.
    Mass,
    /// Transverse momentum of the sum of the four-momenta.
    Pt,
    /// Distance in pseudorapidity and azimuth.
    DeltaR,
}

/// Which of two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extreme {
    /// The larger.
    Maximum,
    /// The smaller.
    Minimum,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `==`
    Equal,
}

/// `left > right`.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirement {
    /// The value on the left.
    pub left: Expression,
    /// How they are compared.
    pub comparison: Comparison,
    /// The value on the right.
    pub right: Expression,
}

/// A cut on every object of a collection: `abs(eta) < 2.0`.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectCut {
    /// The quantity that is compared.
    pub quantity: Name,
    /// As it is, or its absolute value.
    pub magnitude: Magnitude,
    /// How they are compared.
    pub comparison: Comparison,
    /// With what.
    pub threshold: f64,
}

/// Whether the sign counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Magnitude {
    /// `eta`
    AsIs,
    /// `abs(eta)`
    Absolute,
}

impl Expression {
    /// Whether the value is an integer by its form: only such values may be compared with `==`, since equality of
    /// measured numbers is an accident.
    pub(crate) fn is_integer(&self) -> bool {
        match self {
            Self::Count(_) => true,
            Self::Number(number) => number.trunc() == *number,
            Self::Absolute(inner) => inner.is_integer(),
            Self::Extreme(_, first, second) => first.is_integer() && second.is_integer(),
            Self::Name(_) | Self::Quantity { .. } | Self::Pair { .. } => false,
        }
    }
}
