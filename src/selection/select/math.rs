//! One event through a [`Program`]: the same text as `kernels/selection/select.cuh`.
//!
//! Values are f64 and come from f32 columns by +, -, x, / and sqrt and the functions of [`crate::math::det`], so that a
//! comparison has one outcome everywhere. A value that needs an object which the event does not have is *missing*: a
//! comparison with it is false, a variable of it is NaN. A NaN that is not missing is the data's own, and comparing it
//! is a fault.

use super::program::{NONE, Operation, Program};
use crate::math::angle::delta_r;
use crate::math::lorentz::FourMomentum;

/// The columns of a batch in the order of the program.
pub(super) struct Columns<'a> {
    /// Of each collection.
    pub offsets: Vec<&'a [u32]>,
    /// Of [`Program::quantities`].
    pub quantities: Vec<&'a [f32]>,
    pub scalars: Vec<&'a [f32]>,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The cuts that it passed before the first that it failed.
    pub passed: u32,
    /// What was NaN in a comparison, or [`NONE`].
    pub fault: u32,
}

/// A value on the stack.
#[derive(Debug, Clone, Copy)]
struct Operand {
    value: f64,
    missing: bool,
}

/// The operands, the last pushed in `top`.
struct Operands {
    top: Operand,
    second: Operand,
    third: Operand,
    fourth: Operand,
}

impl Operands {
    fn new() -> Self {
        let nothing = Operand { value: 0.0, missing: false };
        Self { top: nothing, second: nothing, third: nothing, fourth: nothing }
    }

    fn push(&mut self, value: f64, missing: bool) {
        self.fourth = self.third;
        self.third = self.second;
        self.second = self.top;
        self.top = Operand { value, missing };
    }

    fn pop(&mut self) -> Operand {
        let popped = self.top;
        self.top = self.second;
        self.second = self.third;
        self.third = self.fourth;
        popped
    }
}

/// Whether `left` compares as asked with `right`.
pub(super) fn compare(comparison: u32, left: f64, right: f64) -> bool {
    match comparison {
        0 => left > right,
        1 => left >= right,
        2 => left < right,
        3 => left <= right,
        _ => left == right,
    }
}

/// The larger; NaN if one of them is.
fn larger(first: f64, second: f64) -> f64 {
    if second > first || second.is_nan() { second } else { first }
}

/// The smaller; NaN if one of them is.
fn smaller(first: f64, second: f64) -> f64 {
    if second < first || second.is_nan() { second } else { first }
}

/// Rounds to f32; every NaN becomes the same one, since processors differ in the bits of theirs.
fn single(value: f64) -> f32 {
    if value.is_nan() { f32::from_bits(0x7fc0_0000) } else { value as f32 }
}

/// Finds the items of every object of an event: `counts[object]`, and `slots` in the order of pT (ties: lowest index),
/// as positions in the quantity columns. Returns a fault or [`NONE`].
pub(super) fn find_objects(
    program: &Program,
    columns: &Columns<'_>,
    event: usize,
    counts: &mut [u32],
    slots: &mut [u32],
) -> u32 {
    for (object, plan) in program.objects.iter().enumerate() {
        let offsets = columns.offsets[plan.collection as usize];
        let (start, end) = (offsets[event], offsets[event + 1]);
        let first_slot = plan.first_slot as usize;
        let mut count = 0;
        for item in start..end {
            let verdict = keeps(program, columns, object, item);
            if verdict == REJECTED {
                continue;
            }
            if verdict != KEPT {
                return verdict;
            }
            let pt = columns.quantities[plan.pt as usize];
            // Insertion into the slots; with a strict comparison an equal pT stays behind the one found before it.
            let mut place = count.min(plan.slots);
            while place > 0 && pt[item as usize] > pt[slots[first_slot + place as usize - 1] as usize] {
                if place < plan.slots {
                    slots[first_slot + place as usize] = slots[first_slot + place as usize - 1];
                }
                place -= 1;
            }
            if place < plan.slots {
                slots[first_slot + place as usize] = item;
            }
            count += 1;
        }
        for place in count..plan.slots {
            slots[first_slot + place as usize] = NONE;
        }
        counts[object] = count.min(plan.leading);
    }
    NONE
}

/// Answers of [`keeps`] that are no faults.
const KEPT: u32 = NONE;
const REJECTED: u32 = NONE - 1;

/// Whether an item passes the cuts of an object, or the fault.
fn keeps(program: &Program, columns: &Columns<'_>, object: usize, item: u32) -> u32 {
    let plan = &program.objects[object];
    for index in plan.first_cut..plan.first_cut + plan.cuts {
        let cut = &program.item_cuts[index as usize];
        let mut value = f64::from(columns.quantities[cut.column as usize][item as usize]);
        if value.is_nan() {
            return cut.fault;
        }
        if cut.absolute != 0 && value < 0.0 {
            value = -value;
        }
        if !compare(cut.comparison, value, cut.threshold) {
            return REJECTED;
        }
    }
    if columns.quantities[plan.pt as usize][item as usize].is_nan() { plan.fault } else { KEPT }
}

fn momentum(program: &Program, columns: &Columns<'_>, object: u32, item: u32, massless: bool) -> FourMomentum {
    let plan = &program.objects[object as usize];
    let value = |column: u32| columns.quantities[column as usize][item as usize];
    let mass = if massless { 0.0 } else { value(plan.mass) };
    FourMomentum::from_pt_eta_phi_mass(value(plan.pt), value(plan.eta), value(plan.phi), mass)
}

fn of_pair(program: &Program, columns: &Columns<'_>, step: &super::program::Instruction, slots: &[u32]) -> Operand {
    let (first, second) = (slots[step.first as usize], slots[step.second as usize]);
    if first == NONE || second == NONE {
        return Operand { value: f64::NAN, missing: true };
    }
    let value = match step.operation {
        Operation::PairDeltaR => {
            let of = |object: u32, item: u32| {
                let plan = &program.objects[object as usize];
                let eta = f64::from(columns.quantities[plan.eta as usize][item as usize]);
                (eta, f64::from(columns.quantities[plan.phi as usize][item as usize]))
            };
            let (first_eta, first_phi) = of(step.first_object, first);
            let (second_eta, second_phi) = of(step.second_object, second);
            delta_r(first_eta, first_phi, second_eta, second_phi)
        }
        operation => {
            let massless = operation == Operation::PairPt;
            let sum = momentum(program, columns, step.first_object, first, massless)
                + momentum(program, columns, step.second_object, second, massless);
            if massless { sum.pt() } else { sum.mass() }
        }
    };
    Operand { value, missing: false }
}

/// Runs the program of an event whose objects were found; `store` receives the variables if it passes every cut.
pub(super) fn evaluate(
    program: &Program,
    columns: &Columns<'_>,
    event: usize,
    counts: &[u32],
    slots: &[u32],
    mut store: impl FnMut(usize, f32),
) -> Outcome {
    let mut operands = Operands::new();
    let mut passed = 0;
    for step in &program.instructions {
        match step.operation {
            Operation::Number => operands.push(step.number, false),
            Operation::Count => operands.push(f64::from(counts[step.first as usize]), false),
            Operation::Quantity => {
                let item = slots[step.first as usize];
                if item == NONE {
                    operands.push(f64::NAN, true);
                } else {
                    let value = columns.quantities[step.second as usize][item as usize];
                    operands.push(f64::from(value), false);
                }
            }
            Operation::Scalar => operands.push(f64::from(columns.scalars[step.first as usize][event]), false),
            Operation::PairMass | Operation::PairPt | Operation::PairDeltaR => {
                let pair = of_pair(program, columns, step, slots);
                operands.push(pair.value, pair.missing);
            }
            Operation::Absolute => {
                if operands.top.value < 0.0 {
                    operands.top.value = -operands.top.value;
                }
            }
            Operation::Maximum | Operation::Minimum => {
                let second = operands.pop();
                let first = operands.top;
                let value = if step.operation == Operation::Maximum {
                    larger(first.value, second.value)
                } else {
                    smaller(first.value, second.value)
                };
                operands.top = Operand { value, missing: first.missing || second.missing };
            }
            Operation::Round => operands.top.value = f64::from(single(operands.top.value)),
            Operation::Require => {
                let right = operands.pop();
                let left = operands.pop();
                if left.missing || right.missing {
                    return Outcome { passed, fault: NONE };
                }
                if left.value.is_nan() || right.value.is_nan() {
                    return Outcome { passed, fault: step.fault };
                }
                if !compare(step.first, left.value, right.value) {
                    return Outcome { passed, fault: NONE };
                }
                passed += 1;
            }
            Operation::Store => store(step.first as usize, single(operands.pop().value)),
        }
    }
    Outcome { passed, fault: NONE }
}
