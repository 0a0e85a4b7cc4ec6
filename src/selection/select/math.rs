//! One event through a [`Program`], as it is defined: `kernels/selection/select.cuh` and `loops.cuh` are its twin, and the
//! executor of the CPU gives what this gives.
//!
//! Values are f64 and come from f32 columns by +, -, x, / and sqrt and the functions of [`crate::math::det`], so that a
//! comparison has one outcome everywhere. What the codes do is said in [`super::program`].

use super::program::{Code, Fold, Instruction, NONE, Program};
use crate::math::angle::{delta_phi, delta_r};
use crate::math::det;
use crate::math::lorentz::{FourMomentum, eta_of, mass_of, momentum_of, phi_of, pt_of, rapidity_of};

/// The columns of a batch in the order of the program.
pub(super) struct Columns<'a> {
    /// Of each collection.
    pub offsets: Vec<&'a [u32]>,
    /// Of [`Program::columns`].
    pub quantities: Vec<&'a [f32]>,
    pub scalars: Vec<&'a [f32]>,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The cuts that it passed before the first that it failed.
    pub passed: u32,
    /// The number of the check that found a NaN, or [`NONE`].
    pub fault: u32,
    /// Whether it ran to the end of the program.
    pub survives: bool,
    /// The bits that [`Code::Flag`] set.
    pub flags: u32,
}

/// An item of an object, with the key that orders it.
#[derive(Debug, Clone, Copy)]
struct Kept {
    key: f64,
    /// Which of the object's sources it is from.
    source: u32,
    /// Its place in that collection's columns.
    item: u32,
}

/// The item that a loop is at.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    place: usize,
    source: u32,
    item: u32,
}

/// What a fold has made of the values so far.
#[derive(Debug, Clone, Copy)]
struct Folded {
    value: f64,
    place: f64,
}

/// The memory of a program: events use it one after another, and nothing is allocated for each.
pub(super) struct Scratch {
    registers: Vec<f64>,
    objects: Vec<Vec<Kept>>,
    folds: Vec<Folded>,
    /// The rows of the tally that [`Code::Tally`] counted the last event in; to be used if it had no fault.
    pub rows: Vec<u32>,
}

impl Scratch {
    pub(super) fn new(program: &Program) -> Self {
        Self {
            registers: vec![0.0; program.registers as usize],
            objects: vec![Vec::new(); program.objects.len()],
            folds: Vec::new(),
            rows: Vec::new(),
        }
    }
}

/// The larger; NaN if one of them is.
pub(super) fn larger(first: f64, second: f64) -> f64 {
    if second > first || second.is_nan() { second } else { first }
}

/// The smaller; NaN if one of them is.
pub(super) fn smaller(first: f64, second: f64) -> f64 {
    if second < first || second.is_nan() { second } else { first }
}

/// Whether `key` comes before `other`: NaN is behind all numbers.
pub(super) fn precedes(key: f64, other: f64) -> bool {
    key < other || (other.is_nan() && !key.is_nan())
}

/// Rounds to f32; every NaN becomes the same one, since processors differ in the bits of theirs.
pub(super) fn single(value: f64) -> f32 {
    if value.is_nan() { f32::from_bits(0x7fc0_0000) } else { value as f32 }
}

/// The weight of an event: the column's value (1 without a column) times the factor, rounded once.
pub(super) fn weight(columns: &Columns<'_>, weight_column: u32, factor: f64, event: usize) -> f32 {
    let value = if weight_column == NONE { 1.0 } else { f64::from(columns.scalars[weight_column as usize][event]) };
    (value * factor) as f32
}

/// Runs a program for one event; `store(v, x)` receives variable v. What was stored counts only if the event survives.
pub(super) fn run_event(
    program: &Program,
    columns: &Columns<'_>,
    event: usize,
    scratch: &mut Scratch,
    store: impl FnMut(usize, f32),
) -> Outcome {
    scratch.rows.clear();
    scratch.objects.iter_mut().for_each(Vec::clear);
    let mut run = Run { program, columns, event, scratch, passed: 0, flags: 0, store };
    let end = run.instructions();
    let fault = if let Err(End::Fault(check)) = end { check } else { NONE };
    Outcome { passed: run.passed, fault, survives: end.is_ok(), flags: run.flags }
}

/// Why an event does not reach the end of the program.
#[derive(Debug, Clone, Copy)]
enum End {
    /// It failed a requirement.
    Failed,
    /// A check found a NaN.
    Fault(u32),
}

struct Run<'a, S> {
    program: &'a Program,
    columns: &'a Columns<'a>,
    event: usize,
    scratch: &'a mut Scratch,
    passed: u32,
    flags: u32,
    store: S,
}

impl<'a, S: FnMut(usize, f32)> Run<'a, S> {
    fn instructions(&mut self) -> Result<(), End> {
        let program = self.program;
        let mut at = 0;
        while let Some(step) = program.instructions.get(at) {
            let body = |end: u32| &program.instructions[at + 1..end as usize];
            at = match step.code {
                Code::Build => {
                    self.build(step.a as usize, body(step.c), &program.instructions[step.c as usize])?;
                    step.c as usize + 1
                }
                Code::Each => {
                    let after = (step.c + step.b) as usize;
                    self.each(step.a as usize, body(step.c), &program.instructions[step.c as usize..after])?;
                    after
                }
                Code::Pairs => {
                    let objects = [step.a as usize, step.b as usize];
                    self.pairs(objects, body(step.dest), &program.instructions[step.dest as usize])?;
                    step.dest as usize + 1
                }
                _ => {
                    self.step(step, &[Met::default(); 2])?;
                    at + 1
                }
            };
        }
        Ok(())
    }

    fn build(&mut self, object: usize, body: &[Instruction], keep: &Instruction) -> Result<(), End> {
        let plan = self.program.objects[object];
        for source in 0..plan.sources {
            let collection = self.program.sources[(plan.first_source + source) as usize] as usize;
            let offsets = self.columns.offsets[collection];
            for item in offsets[self.event]..offsets[self.event + 1] {
                let met = Met { place: 0, source, item };
                body.iter().try_for_each(|step| self.step(step, &[met; 2]))?;
                if keep.a != NONE && self.get(keep.a) == 0.0 {
                    continue;
                }
                let key = if keep.b == NONE { 0.0 } else { self.get(keep.b) };
                self.check(keep, key, key)?;
                self.scratch.objects[object].push(Kept { key, source, item });
            }
        }
        let kept = &mut self.scratch.objects[object];
        if keep.b != NONE {
            kept.sort_unstable_by(|first, second| {
                // The order in which they were found, where keys are equal.
                let place = |kept: &Kept| (kept.source, kept.item);
                if precedes(first.key, second.key) {
                    std::cmp::Ordering::Less
                } else if precedes(second.key, first.key) {
                    std::cmp::Ordering::Greater
                } else {
                    place(first).cmp(&place(second))
                }
            });
        }
        if plan.leading != NONE {
            kept.truncate(plan.leading as usize);
        }
        Ok(())
    }

    fn each(&mut self, object: usize, body: &[Instruction], folds: &[Instruction]) -> Result<(), End> {
        let empty = |fold: &Instruction| {
            let sum = fold.b == Fold::Sum as u32;
            Folded { value: if sum { 0.0 } else { f64::NAN }, place: f64::NAN }
        };
        self.scratch.folds.clear();
        self.scratch.folds.extend(folds.iter().map(empty));
        for place in 0..self.scratch.objects[object].len() {
            let met = self.met(object, place);
            body.iter().try_for_each(|step| self.step(step, &[met; 2]))?;
            for (index, fold) in folds.iter().enumerate() {
                let value = self.get(fold.a);
                let folded = &mut self.scratch.folds[index];
                *folded = fold_in(fold.b, *folded, value, place);
            }
        }
        for (index, fold) in folds.iter().enumerate() {
            let Folded { value, place } = self.scratch.folds[index];
            let is_place = fold.b == Fold::PlaceOfMinimum as u32 || fold.b == Fold::PlaceOfMaximum as u32;
            self.set(fold.dest, if is_place { place } else { value });
        }
        Ok(())
    }

    fn pairs(&mut self, [a, b]: [usize; 2], body: &[Instruction], best: &Instruction) -> Result<(), End> {
        let mut found: Option<(f64, usize, usize)> = None;
        for first in 0..self.scratch.objects[a].len() {
            let start = if a == b { first + 1 } else { 0 };
            for second in start..self.scratch.objects[b].len() {
                let met = [self.met(a, first), self.met(b, second)];
                body.iter().try_for_each(|step| self.step(step, &met))?;
                if best.a != NONE && self.get(best.a) == 0.0 {
                    continue;
                }
                let value = self.get(best.b);
                self.check(best, value, value)?;
                if found.is_none_or(|(least, ..)| precedes(value, least)) {
                    found = Some((value, first, second));
                }
            }
        }
        let (first, second) = found.map_or((f64::NAN, f64::NAN), |(_, first, second)| (first as f64, second as f64));
        self.set(best.dest, first);
        self.set(best.dest + 1, second);
        self.set(best.dest + 2, number(found.is_some()));
        Ok(())
    }

    /// Every instruction but those of loops; `met` is what the loop around it is at.
    fn step(&mut self, step: &Instruction, met: &[Met; 2]) -> Result<(), End> {
        let met = met[usize::from(step.c == 1)];
        let (a, b) = (step.a, step.b);
        let value = match step.code {
            Code::Number => step.number,
            Code::Scalar => f64::from(self.columns.scalars[a as usize][self.event]),
            Code::Count => self.scratch.objects[a as usize].len() as f64,
            Code::At => self.at(a as usize, b, step.c as usize),
            Code::AtPlace => {
                let place = self.get(step.c);
                if place >= 0.0 { self.at(a as usize, b, place as usize) } else { f64::NAN }
            }
            Code::Broadcast => self.get(a),
            Code::Item => self.quantity(a as usize, b, met),
            Code::Place => met.place as f64,
            Code::Separation => self.separation(self.get(a), self.get(b), step.c as usize),
            Code::Add => self.get(a) + self.get(b),
            Code::Subtract => self.get(a) - self.get(b),
            Code::Multiply => self.get(a) * self.get(b),
            Code::Divide => self.get(a) / self.get(b),
            Code::Negate => -self.get(a),
            Code::Absolute => det::absolute(self.get(a)),
            Code::SquareRoot => det::sqrt(self.get(a)),
            Code::Exponential => det::exp(self.get(a)),
            Code::Logarithm => det::ln(self.get(a)),
            Code::Sine => det::sin(self.get(a)),
            Code::Cosine => det::cos(self.get(a)),
            Code::HyperbolicSine => det::sinh(self.get(a)),
            Code::HyperbolicCosine => det::cosh(self.get(a)),
            Code::ArcTangent => det::atan2(self.get(a), self.get(b)),
            Code::Hypotenuse => det::hypot(self.get(a), self.get(b)),
            Code::Minimum => smaller(self.get(a), self.get(b)),
            Code::Maximum => larger(self.get(a), self.get(b)),
            Code::Power => det::pow(self.get(a), self.get(b)),
            Code::Floor => self.get(a).floor(),
            Code::DeltaPhi => delta_phi(self.get(a), self.get(b)),
            Code::DeltaR => delta_r(self.get(a), self.get(b), self.get(step.c), self.get(step.check)),
            Code::Round => f64::from(single(self.get(a))),
            Code::Above => self.compare(step, |a, b| a > b)?,
            Code::AtLeast => self.compare(step, |a, b| a >= b)?,
            Code::Below => self.compare(step, |a, b| a < b)?,
            Code::AtMost => self.compare(step, |a, b| a <= b)?,
            Code::Equal => self.compare(step, |a, b| a == b)?,
            Code::Unequal => self.compare(step, |a, b| a != b && !a.is_nan() && !b.is_nan())?,
            Code::Truth => {
                let value = self.get(a);
                self.check(step, value, value)?;
                number(value != 0.0 && !value.is_nan())
            }
            Code::And => number(self.holds(a) && self.holds(b)),
            Code::Or => number(self.holds(a) || self.holds(b)),
            Code::Not => number(!self.holds(a)),
            Code::Otherwise => self.get(if self.get(a).is_nan() { b } else { a }),
            Code::Finite => number(det::is_finite(self.get(a))),
            Code::Choose => self.get(if self.holds(a) { b } else { step.c }),
            Code::Momentum => {
                let p = momentum_of(self.get(a), self.get(b), self.get(step.c), self.get(step.check));
                self.set(step.dest, p.px);
                self.set(step.dest + 1, p.py);
                self.set(step.dest + 2, p.pz);
                self.set(step.dest + 3, p.energy);
                return Ok(());
            }
            Code::MassOf => mass_of(self.momentum(a)),
            Code::PtOf => pt_of(self.momentum(a)),
            Code::EtaOf => eta_of(self.momentum(a)),
            Code::PhiOf => phi_of(self.momentum(a)),
            Code::RapidityOf => rapidity_of(self.momentum(a)),
            _ => return self.decide(step),
        };
        self.set(step.dest, value);
        Ok(())
    }

    /// The instructions whose result is no value.
    fn decide(&mut self, step: &Instruction) -> Result<(), End> {
        match step.code {
            Code::Cut | Code::Require if !self.holds(step.a) => return Err(End::Failed),
            Code::Cut => self.passed += 1,
            Code::Tally if self.holds(step.a) => self.scratch.rows.push(step.c + self.get(step.a) as u32 - 1),
            Code::Flag if self.holds(step.a) => self.flags |= 1 << step.dest,
            Code::Store => {
                let value = single(self.get(step.a));
                (self.store)(step.dest as usize, value);
            }
            _ => {}
        }
        Ok(())
    }

    fn get(&self, register: u32) -> f64 {
        self.scratch.registers[register as usize]
    }

    fn set(&mut self, register: u32, value: f64) {
        self.scratch.registers[register as usize] = value;
    }

    fn holds(&self, register: u32) -> bool {
        self.get(register) != 0.0
    }

    fn momentum(&self, first: u32) -> FourMomentum {
        let [px, py, pz, energy] = [0, 1, 2, 3].map(|component| self.get(first + component));
        FourMomentum { px, py, pz, energy }
    }

    fn compare(&self, step: &Instruction, is: impl Fn(f64, f64) -> bool) -> Result<f64, End> {
        let (a, b) = (self.get(step.a), self.get(step.b));
        self.check(step, a, b)?;
        Ok(number(is(a, b)))
    }

    /// A fault if one of the values is NaN and all that they need is there.
    fn check(&self, step: &Instruction, a: f64, b: f64) -> Result<(), End> {
        if step.check == NONE || !(a.is_nan() || b.is_nan()) {
            return Ok(());
        }
        let check = self.program.checks[step.check as usize];
        let presences = check.first_presence as usize..(check.first_presence + check.presences) as usize;
        let there = self.program.presences[presences]
            .iter()
            .all(|presence| self.get(presence.register) >= f64::from(presence.at_least));
        if there { Err(End::Fault(step.check)) } else { Ok(()) }
    }

    fn met(&self, object: usize, place: usize) -> Met {
        let kept = self.scratch.objects[object][place];
        Met { place, source: kept.source, item: kept.item }
    }

    fn at(&self, object: usize, quantity: u32, place: usize) -> f64 {
        if place >= self.scratch.objects[object].len() {
            return f64::NAN;
        }
        self.quantity(object, quantity, self.met(object, place))
    }

    fn quantity(&self, object: usize, quantity: u32, met: Met) -> f64 {
        let plan = self.program.objects[object];
        let entry = self.program.quantities[(plan.first_quantity + quantity * plan.sources + met.source) as usize];
        let value = match entry.column {
            NONE => entry.constant,
            column => self.columns.quantities[column as usize][met.item as usize],
        };
        f64::from(value)
    }

    fn separation(&self, eta: f64, phi: f64, object: usize) -> f64 {
        let mut least = f64::INFINITY;
        for place in 0..self.scratch.objects[object].len() {
            let met = self.met(object, place);
            let distance = delta_r(eta, phi, self.quantity(object, 0, met), self.quantity(object, 1, met));
            least = smaller(least, distance);
        }
        least
    }
}

/// One value more in a fold.
fn fold_in(kind: u32, folded: Folded, value: f64, place: usize) -> Folded {
    if kind == Fold::Sum as u32 {
        return Folded { value: folded.value + value, ..folded };
    }
    let least = kind == Fold::Minimum as u32 || kind == Fold::PlaceOfMinimum as u32;
    let is_new = if least { value < folded.value } else { value > folded.value };
    if place == 0 || is_new || (value.is_nan() && !folded.value.is_nan()) {
        let place = if value.is_nan() { f64::NAN } else { place as f64 };
        return Folded { value, place };
    }
    folded
}

fn number(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::super::program::{Check, ObjectPlan, Presence, Quantity};
    use super::*;
    use crate::events::{CollectionProjection, Projection};

    fn step(code: Code, dest: u32, a: u32, b: u32, c: u32) -> Instruction {
        Instruction { code, dest, a, b, c, check: NONE, number: 0.0 }
    }

    /// One collection with the quantities eta, phi and pt is the object 0; instructions follow.
    fn program(leading: u32, instructions: Vec<Instruction>) -> Program {
        Program {
            projection: Projection {
                collections: vec![CollectionProjection::new("Jet", ["eta", "phi", "pt"])],
                scalars: vec!["met".into()],
                ..Projection::default()
            },
            columns: (0..3).map(|quantity| (0, quantity)).collect(),
            objects: vec![ObjectPlan {
                first_source: 0,
                sources: 1,
                first_quantity: 0,
                quantities: 3,
                leading,
                has_direction: 1,
            }],
            sources: vec![0],
            quantities: (0..3).map(|column| Quantity { column, constant: 0.0 }).collect(),
            instructions,
            registers: 32,
            checks: vec![Check { first_presence: 0, presences: 0 }, Check { first_presence: 0, presences: 1 }],
            presences: vec![Presence { register: 0, at_least: 1 }],
            checked: vec!["always".into(), "with one".into()],
            cuts: 0,
            rows: 8,
            variables: 8,
            weight_column: NONE,
        }
    }

    /// Builds the object with quantity `key` as its key, if any; register 0 becomes the number of its items.
    fn built_by(key: Option<u32>) -> Vec<Instruction> {
        let item = step(Code::Item, 20, 0, key.unwrap_or(0), 0);
        let keep = step(Code::Keep, 0, NONE, if key.is_some() { 20 } else { NONE }, 0);
        vec![step(Code::Build, 0, 0, 0, 2), item, keep, step(Code::Count, 0, 0, 0, 0)]
    }

    /// The outcome and the stored values of an event of these items (eta, phi, pt).
    fn run(program: &Program, items: &[[f32; 3]], met: f32) -> (Outcome, Vec<f32>, Vec<u32>) {
        let quantities: Vec<Vec<f32>> = (0..3).map(|q| items.iter().map(|item| item[q]).collect()).collect();
        let (offsets, met) = ([0, items.len() as u32], [met]);
        let columns = Columns {
            offsets: vec![&offsets],
            quantities: quantities.iter().map(|column| &column[..]).collect(),
            scalars: vec![&met],
        };
        let (mut scratch, mut stored) = (Scratch::new(program), Vec::new());
        let outcome = run_event(program, &columns, 0, &mut scratch, |variable, value| {
            assert_eq!(variable, stored.len());
            stored.push(value);
        });
        (outcome, stored, scratch.rows)
    }

    #[test]
    fn items_are_ordered_by_their_keys_and_nan_is_last() {
        let items =
            [[1.0, 0.0, 5.0], [2.0, 0.0, f32::NAN], [3.0, 0.0, -1.0], [4.0, 0.0, 5.0], [5.0, 0.0, f32::NEG_INFINITY]];
        let stores = (0..6).flat_map(|place| [step(Code::At, 10, 0, 0, place), step(Code::Store, place, 10, 0, 0)]);
        for (key, leading, expected) in [
            (Some(2), NONE, vec![5.0, 3.0, 1.0, 4.0, 2.0]),
            (Some(2), 2, vec![5.0, 3.0]),
            (None, 3, vec![1.0, 2.0, 3.0]),
            (None, 0, vec![]),
        ] {
            let program = program(leading, built_by(key).into_iter().chain(stores.clone()).collect());
            let (_, stored, _) = run(&program, &items, 0.0);
            assert_eq!(stored[..expected.len()], expected);
            assert!(stored[expected.len()..].iter().all(|value| value.is_nan()));
        }
    }

    #[test]
    fn a_nan_is_a_fault_where_everything_is_there() {
        let checked = |check: u32, code: Code| Instruction { check, ..step(code, 10, 9, 9, 0) };
        let compared = |check: u32| {
            let at = step(Code::At, 9, 0, 1, 0);
            program(
                NONE,
                [built_by(None), vec![at, checked(check, Code::Above), step(Code::Cut, 0, 10, 0, 0)]].concat(),
            )
        };
        let nan = [[0.0, f32::NAN, 1.0]];
        assert_eq!(run(&compared(0), &[], 0.0).0.fault, 0, "nothing has to be there");
        assert_eq!(run(&compared(1), &[], 0.0).0, Outcome { passed: 0, fault: NONE, survives: false, flags: 0 });
        assert_eq!(run(&compared(1), &nan, 0.0).0.fault, 1);
        assert_eq!(run(&compared(NONE), &nan, 0.0).0.fault, NONE);
        // A key is checked.
        let mut keyed = program(NONE, built_by(Some(1)));
        keyed.instructions[2].check = 0;
        assert_eq!(run(&keyed, &nan, 0.0).0.fault, 0);
    }

    #[test]
    fn folds_have_stated_values() {
        let each = |items: &[[f32; 3]]| {
            let folds = (0..5).map(|kind| step(Code::Fold, 10 + kind, 20, kind, 0));
            let head = [step(Code::Each, 0, 0, 5, 6), step(Code::Item, 20, 0, 2, 0)];
            let stores = (0..5).map(|index| step(Code::Store, index, 10 + index, 0, 0));
            let all = built_by(None).into_iter().chain(head).chain(folds).chain(stores).collect();
            run(&program(NONE, all), items, 0.0).1
        };
        let pts = |values: &[f32]| values.iter().map(|pt| [0.0, 0.0, *pt]).collect::<Vec<_>>();
        assert_eq!(each(&pts(&[3.0, 1.0, 7.0, 1.0, 7.0])), [19.0, 1.0, 7.0, 1.0, 2.0]);
        assert!(each(&pts(&[3.0, f32::NAN, 7.0])).iter().all(|value| value.is_nan()));
        let none = each(&[]);
        assert!(none[0] == 0.0 && none[1..].iter().all(|value| value.is_nan()));
    }

    #[test]
    fn the_best_pair_is_the_first_of_the_smallest() {
        let best = |items: &[[f32; 3]]| {
            let pairs = [
                step(Code::Pairs, 9, 0, 0, 0),
                step(Code::Item, 20, 0, 2, 0),
                step(Code::Item, 21, 0, 2, 1),
                step(Code::Subtract, 22, 20, 21, 0),
                step(Code::Absolute, 22, 22, 0, 0),
                step(Code::Best, 10, NONE, 22, 0),
            ];
            let stores = (0..3).map(|index| step(Code::Store, index, 10 + index, 0, 0));
            run(&program(NONE, built_by(None).into_iter().chain(pairs).chain(stores).collect()), items, 0.0).1
        };
        let pts = |values: &[f32]| values.iter().map(|pt| [0.0, 0.0, *pt]).collect::<Vec<_>>();
        assert_eq!(best(&pts(&[1.0, 9.0, 4.0, 6.0, 7.0, 10.0])), [1.0, 5.0, 1.0]);
        let none = best(&pts(&[1.0]));
        assert!(none[0].is_nan() && none[1].is_nan() && none[2] == 0.0);
    }

    #[test]
    fn places_between_integers_and_rows_of_the_tally() {
        let number = |dest: u32, number: f64| Instruction { number, ..step(Code::Number, dest, 0, 0, 0) };
        let mut instructions = built_by(None);
        for (variable, place) in [(0, 1.9), (1, -0.5), (2, f64::NAN), (3, 2.0), (4, 1e300)] {
            instructions.extend([
                number(5, place),
                step(Code::AtPlace, 6, 0, 2, 5),
                step(Code::Store, variable, 6, 0, 0),
            ]);
        }
        instructions.extend([number(5, 2.0), step(Code::Tally, 0, 5, 0, 3), step(Code::Flag, 31, 5, 0, 0)]);
        instructions.extend([number(5, 0.0), step(Code::Tally, 0, 5, 0, 3), step(Code::Require, 0, 5, 0, 0)]);
        let (outcome, stored, rows) = run(&program(NONE, instructions), &[[0.0, 0.0, 3.0], [0.0, 0.0, 4.0]], 0.0);
        assert_eq!(stored[0], 4.0);
        assert!(stored[1..].iter().all(|value| value.is_nan()));
        assert_eq!(rows, [4]);
        assert_eq!(outcome, Outcome { passed: 0, fault: NONE, survives: false, flags: 1 << 31 });
    }
}
