//! The compiled form of a selection: plain tables that every executor interprets.
//!
//! **Registers.** Everything is an f64 in a numbered register; truth is 1 or 0. Event code has one value for each event; code
//! in a *loop* runs for each item of an object (or each pair of items) of an event, and of event registers it reads only those
//! that a [`Code::Broadcast`] names. The compiler never lets a loop overwrite a register that is live outside of it.
//!
//! **Missing and NaN.** What an event does not have is NaN: `jet[1].pt` of an event with one jet, the largest of no
//! values, the best of no pairs. NaN goes through arithmetic, [`Code::Minimum`] and [`Code::Maximum`]; a comparison
//! with NaN is false. If an instruction has a [`Check`] and an operand is NaN although everything in the check's
//! [`Presence`] list is there, the NaN is the data's own, and that is the event's *fault*: the number of the check.
//! Conditions are presences too: what `a && b` compares in b is checked where a is at least 1. An event stops at its first fault, in the order in which [`math`](super::math) runs one event: instructions in order, and in
//! a loop item after item.
//!
//! **Order of operations.** Items of a loop run in ascending place (pairs: by the first, then the second), and sums
//! add in that order, from 0. Ties go to the item met first.

use crate::events::Projection;

/// No column, no register, no limit, no check.
pub(crate) const NONE: u32 = u32::MAX;

/// What an [`Instruction`] does; `dest`, `a`, `b`, `c`, `number` are its fields, and a register stands for its value. The
/// numbers are those of `kernels/selection/select.cuh`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Code {
    /// dest = number.
    Number = 0,
    /// dest = scalar column `a` of the event.
    Scalar = 1,
    /// dest = the number of items of the object `a`.
    Count = 2,
    /// dest = quantity `b` of the item of object `a` at place `c`, or NaN.
    At = 3,
    /// dest = quantity `b` of the item of object `a` at the place that register `c` holds, or NaN (also if that is NaN or
    /// negative). Of a place between two integers, the lower one counts.
    AtPlace = 4,

    /// In a loop: dest = event register `a`.
    Broadcast = 5,
    /// In a loop: dest = quantity `b` of object `a` of the item that the loop is at; `c` 0: the only one, or the first of a
    /// pair; 1: the second of a pair.
    Item = 6,
    /// In a loop: dest = the place of that item in its object; `c` as above. Not while the object is built.
    Place = 7,
    /// In a loop: dest = the smallest deltaR between (eta `a`, phi `b`) and the items of the object `c`, whose quantities 0
    /// and 1 are eta and phi (see [`ObjectPlan::has_direction`]); infinite if it has none. NaN if any distance is NaN.
    Separation = 8,

    /// dest = a + b, and so on.
    Add = 10,
    Subtract = 11,
    Multiply = 12,
    Divide = 13,
    /// dest = -a.
    Negate = 14,
    Absolute = 15,
    SquareRoot = 16,
    Exponential = 17,
    Logarithm = 18,
    Sine = 19,
    Cosine = 20,
    HyperbolicSine = 21,
    HyperbolicCosine = 22,
    /// dest = atan2(a, b).
    ArcTangent = 23,
    Hypotenuse = 24,
    /// dest = the smaller; NaN if one of them is.
    Minimum = 25,
    Maximum = 26,
    /// dest = a to the power b.
    Power = 27,
    /// dest = the largest integer that is not above a.
    Floor = 28,
    /// dest = a - b brought into (-pi, pi].
    DeltaPhi = 29,
    /// dest = deltaR of (eta a, phi b) and (eta c, phi `check`): the one instruction with four operands.
    DeltaR = 30,
    /// dest = a rounded to f32: the value of a variable.
    Round = 31,

    /// dest = a > b, as 1 or 0; checked, as all comparisons.
    Above = 40,
    AtLeast = 41,
    Below = 42,
    AtMost = 43,
    Equal = 44,
    /// False if an operand is NaN, as every comparison.
    Unequal = 45,
    /// dest = a is not 0 (0 if NaN); checked. What a column of flags becomes in a condition.
    Truth = 46,
    /// dest = both.
    And = 47,
    Or = 48,
    Not = 49,
    /// dest = a if it is a number, else (NaN) b.
    Otherwise = 50,
    /// dest = a is finite. Not checked.
    Finite = 51,
    /// dest = b if a is not 0, else c.
    Choose = 52,

    /// (dest, dest + 1, dest + 2, dest + 3) = (px, py, pz, energy) of pT `a`, eta `b`, phi `c`, mass `check`.
    Momentum = 60,
    /// dest = the mass of the four-momentum in registers a, a + 1, a + 2, a + 3; and so on.
    MassOf = 61,
    PtOf = 62,
    EtaOf = 63,
    PhiOf = 64,
    RapidityOf = 65,

    /// Finds the items of the object `a`: runs the loop up to the [`Code::Keep`] at instruction `c` for every item of every
    /// source, source after source.
    Build = 80,
    /// Keeps the item if `a` is not 0 (NONE: always), with the key `b` (NONE: none; checked if the item is kept). When the loop
    /// is over, items are in ascending order of their keys (NaN last; ties, and without keys: as they were found) and at most
    /// the object's `leading` first remain.
    Keep = 81,
    /// Runs the loop up to instruction `c`, the first of `b` [`Code::Fold`]s, for every item of the object `a`; then goes
    /// on after them. Without items, folds have their empty values.
    Each = 82,
    /// dest = the fold of register `a` over the loop, of the kind `b` ([`Fold`]).
    Fold = 83,
    /// Runs the loop up to the [`Code::Best`] at instruction `dest` for every pair of an item of the object `a` and one of
    /// `b`; if `a` is `b`, for every pair once, first before second.
    Pairs = 84,
    /// Of the pairs with register `a` not 0 (NONE: all), the one of the smallest `b` (checked; NaN last): dest = the place of its first
    /// item, dest + 1 of its second (NaN without one), dest + 2 = 1 if there is one, else 0.
    Best = 85,

    /// The event ends here if `a` is 0; otherwise it has passed one cut more.
    Cut = 90,
    /// The event ends here if `a` is 0: no survivor, whatever it passed.
    Require = 91,
    /// Counts the event in row `c` + a - 1 of the tally, unless `a` is 0.
    Tally = 92,
    /// Sets bit `dest` of the event's flags if `a` is not 0.
    Flag = 93,
    /// Variable `dest` of the survivor = a, rounded to f32.
    Store = 94,
}

/// What [`Code::Fold`] makes of the values of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Fold {
    /// Their sum; 0 for none.
    Sum = 0,
    /// The smallest, NaN if one of them is, or for none.
    Minimum = 1,
    Maximum = 2,
    /// The place of the smallest (the first of equal ones), NaN if one of them is, or for none.
    PlaceOfMinimum = 3,
    PlaceOfMaximum = 4,
}

/// One step. Fields that a code does not name are 0, except `check`, which is [`NONE`] where nothing is checked.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub(crate) struct Instruction {
    pub code: Code,
    pub dest: u32,
    pub a: u32,
    pub b: u32,
    pub c: u32,
    /// The number of a [`Check`], or [`NONE`]; a fourth operand where the code says so.
    pub check: u32,
    pub number: f64,
}

impl Instruction {
    /// Calls `read` with every register that it reads, those that its check looks at included.
    pub fn reads(&self, checks: &[Check], presences: &[Presence], mut read: impl FnMut(u32)) {
        use Code::{
            Above, Absolute, Add, And, ArcTangent, AtLeast, AtMost, AtPlace, Below, Best, Broadcast, Choose, Cosine,
            Cut, DeltaPhi, DeltaR, Divide, Equal, EtaOf, Exponential, Finite, Flag, Floor, Fold, HyperbolicCosine,
            HyperbolicSine, Hypotenuse, Keep, Logarithm, MassOf, Maximum, Minimum, Momentum, Multiply, Negate, Not, Or,
            Otherwise, PhiOf, Power, PtOf, RapidityOf, Require, Round, Separation, Sine, SquareRoot, Store, Subtract,
            Tally, Truth, Unequal,
        };
        let Self { a, b, c, check, .. } = *self;
        let mut each =
            |registers: &[u32]| registers.iter().filter(|register| **register != NONE).for_each(|r| read(*r));
        match self.code {
            Broadcast | Negate | Absolute | SquareRoot | Exponential | Logarithm | Sine | Cosine | HyperbolicSine
            | HyperbolicCosine | Floor | Round | Truth | Not | Finite | Fold | Cut | Require | Tally | Flag | Store => {
                each(&[a]);
            }
            AtPlace => each(&[c]),
            Add | Subtract | Multiply | Divide | ArcTangent | Hypotenuse | Minimum | Maximum | Power | DeltaPhi
            | Above | AtLeast | Below | AtMost | Equal | Unequal | And | Or | Otherwise | Separation | Keep | Best => {
                each(&[a, b])
            }
            Choose => each(&[a, b, c]),
            DeltaR | Momentum => each(&[a, b, c, check]),
            MassOf | PtOf | EtaOf | PhiOf | RapidityOf => each(&[a, a + 1, a + 2, a + 3]),
            Code::Number
            | Code::Scalar
            | Code::Count
            | Code::At
            | Code::Item
            | Code::Place
            | Code::Build
            | Code::Each
            | Code::Pairs => {}
        }
        if check != NONE && !matches!(self.code, DeltaR | Momentum) {
            let Check { first_presence, presences: number } = checks[check as usize];
            let needed = &presences[first_presence as usize..(first_presence + number) as usize];
            needed.iter().for_each(|presence| read(presence.register));
        }
    }
}

/// A kind of object: items of one or several collections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct ObjectPlan {
    /// Its collections: `first_source .. first_source + sources` of [`Program::sources`].
    pub first_source: u32,
    pub sources: u32,
    /// Quantity q of its source s is entry `first_quantity + q * sources + s` of [`Program::quantities`].
    pub first_quantity: u32,
    pub quantities: u32,
    /// At most so many are kept; [`NONE`]: all.
    pub leading: u32,
    /// 1: quantities 0 and 1 are eta and phi. Else 0.
    pub has_direction: u32,
}

/// Where a quantity of one source of an object comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub(crate) struct Quantity {
    /// A column of [`Program::columns`], or [`NONE`]: the constant.
    pub column: u32,
    pub constant: f32,
}

/// A check of an operand: see the module. `first_presence .. first_presence + presences` of [`Program::presences`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Check {
    pub first_presence: u32,
    pub presences: u32,
}

/// Something that must be there or hold: the value of a register of the event, or of the loop that the instruction is in, is
/// at least a number. The register was written before the checked instruction, in a loop for the same item, and the compiler
/// keeps it as it is up to there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Presence {
    pub register: u32,
    pub at_least: u32,
}

/// Everything that an executor needs to know.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Program {
    /// Each of its collections has a quantity.
    pub projection: Projection,
    /// The quantity columns: (collection, quantity) of the projection.
    pub columns: Vec<(usize, usize)>,
    pub objects: Vec<ObjectPlan>,
    /// Collections, by their place in the projection.
    pub sources: Vec<u32>,
    pub quantities: Vec<Quantity>,
    pub instructions: Vec<Instruction>,
    /// How many registers there are.
    pub registers: u32,
    pub checks: Vec<Check>,
    pub presences: Vec<Presence>,
    /// What each check is about, in words: `jet.pt`.
    pub checked: Vec<String>,
    /// How many [`Code::Cut`]s there are. Rows 0 to `cuts` of the tally count events by the cuts that they passed; the rows of
    /// [`Code::Tally`] follow.
    pub cuts: u32,
    /// The rows of the tally in all.
    pub rows: u32,
    /// The variables of a survivor.
    pub variables: u32,
    /// The scalar column of the weight, or [`NONE`].
    pub weight_column: u32,
}
