//! Registers of many lanes, and what is computed in them.

use crate::math::angle::{delta_phi, delta_r};
use crate::math::det;
use crate::math::lorentz::{self, FourMomentum};
use crate::math::wide::wide;
use crate::selection::select::math::{larger, single, smaller};
use crate::selection::select::program::{Code, Fold, Instruction};

/// Registers with one value a lane.
#[derive(Default)]
pub(super) struct Bank {
    pub registers: Vec<Vec<f64>>,
    /// The outputs of the instruction that runs: a destination may also be an operand.
    spare: [Vec<f64>; 4],
}

impl Bank {
    pub fn new(registers: u32) -> Self {
        Self { registers: vec![Vec::new(); registers as usize], spare: Default::default() }
    }

    pub fn get(&self, register: u32) -> &[f64] {
        &self.registers[register as usize]
    }

    pub fn set(&mut self, dest: u32, values: impl Iterator<Item = f64>) {
        self.write(dest, |_, out| out.extend(values));
    }

    pub fn fill(&mut self, dest: u32, lanes: usize, value: f64) {
        let register = &mut self.registers[dest as usize];
        register.clear();
        register.resize(lanes, value);
    }

    /// Replaces a register by what `write` makes of the others, in memory that was used before.
    #[inline(always)]
    pub fn write(&mut self, dest: u32, write: impl FnOnce(&Self, &mut Vec<f64>)) {
        let mut out = std::mem::take(&mut self.spare[0]);
        out.clear();
        write(self, &mut out);
        self.spare[0] = std::mem::replace(&mut self.registers[dest as usize], out);
    }

    #[inline(always)]
    fn map(&mut self, dest: u32, a: u32, f: impl Fn(f64) -> f64) {
        self.write(dest, |bank, out| out.extend(bank.get(a).iter().map(|a| f(*a))));
    }

    #[inline(always)]
    fn zip(&mut self, dest: u32, a: u32, b: u32, f: impl Fn(f64, f64) -> f64) {
        self.write(dest, |bank, out| out.extend(bank.get(a).iter().zip(bank.get(b)).map(|(a, b)| f(*a, *b))));
    }

    /// px, py, pz and energy in `dest` and the three registers after it.
    fn momentum_of(&mut self, dest: u32, [pt, eta, phi, mass]: [u32; 4]) {
        let mut parts = std::mem::take(&mut self.spare);
        let [pt, eta, phi, mass] = [pt, eta, phi, mass].map(|register| self.get(register));
        parts.iter_mut().for_each(|part| part.resize(pt.len(), 0.0));
        lorentz::momentum_lanes(pt, eta, phi, mass, parts.each_mut().map(|part| &mut part[..]));
        for (register, part) in self.registers[dest as usize..].iter_mut().zip(&mut parts) {
            std::mem::swap(register, part);
        }
        self.spare = parts;
    }

    #[inline(always)]
    fn map_momentum(&mut self, dest: u32, a: u32, f: impl Fn(FourMomentum) -> f64) {
        self.write(dest, |bank, out| {
            let [px, py, pz, energy] = [0, 1, 2, 3].map(|part| bank.get(a + part));
            let lanes = px.iter().zip(py).zip(pz).zip(energy);
            out.extend(
                lanes.map(|(((px, py), pz), energy)| f(FourMomentum { px: *px, py: *py, pz: *pz, energy: *energy })),
            );
        });
    }

    /// The lanes in which one of the operands is NaN.
    pub fn not_numbers(&self, a: u32, b: u32) -> Vec<usize> {
        let (a, b) = (self.get(a), self.get(b));
        // A sum is NaN if one term is; that infinities cancel to NaN is sorted out below.
        if !a.iter().zip(b).fold(false, |any, (a, b)| any | (a + b).is_nan()) {
            return Vec::new();
        }
        (0..a.len()).filter(|lane| a[*lane].is_nan() || b[*lane].is_nan()).collect()
    }
}

/// Arithmetic, comparisons and momenta: the same in events and in loops.
pub(super) fn compute(bank: &mut Bank, step: &Instruction) {
    wide!(compute_in_lanes(bank: &mut Bank, step: &Instruction));
}

// Neither less nor greater is not the same as equal: NaN is unequal to nothing here.
#[allow(clippy::double_comparisons)]
#[inline(always)]
fn compute_in_lanes(bank: &mut Bank, step: &Instruction) {
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
        Code::Choose => bank.write(dest, |bank, out| {
            let lanes = bank.get(a).iter().zip(bank.get(b)).zip(bank.get(c));
            out.extend(lanes.map(|((a, b), c)| if *a != 0.0 { *b } else { *c }));
        }),
        Code::DeltaR => bank.write(dest, |bank, out| {
            let lanes = bank.get(a).iter().zip(bank.get(b)).zip(bank.get(c)).zip(bank.get(check));
            out.extend(lanes.map(|(((a, b), c), d)| delta_r(*a, *b, *c, *d)));
        }),
        Code::Momentum => bank.momentum_of(dest, [a, b, c, check]),
        // What steers, loads and stores is the executor's own; the compiler puts nothing else into a program.
        _ => debug_assert!(false, "{:?} computes nothing", step.code),
    }
}

/// The fold of the values of one event.
pub(super) fn folded(kind: u32, values: &[f64]) -> f64 {
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
