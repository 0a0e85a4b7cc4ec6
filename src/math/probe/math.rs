//! One function of [`math`](crate::math) by number, on two doubles: the text of `kernels/math/probe.cu`.

use super::Function;
use crate::math::det::{absolute, bits_of, copy_sign, is_nan, power_of_two};
use crate::math::exact::{self, TERM_BITS, Units, WEIGHT_NOT_FINITE, WEIGHT_TOO_LARGE};
use crate::math::lorentz::FourMomentum;
use crate::math::{angle, det, philox, special};

/// A whole number within +-100,000, 0 for NaN.
fn whole_number(x: f64) -> i32 {
    if absolute(x) <= 100000.0 { x as i32 } else { 0 }
}

/// A count: 0 for what is not positive, at most 2^53.
fn count(x: f64) -> u64 {
    if x > 9007199254740992.0 {
        return 9007199254740992;
    }
    if x > 0.0 { x as u64 } else { 0 }
}

fn single(x: f64) -> f32 {
    x as f32
}

/// Two momenta made of two numbers, added.
fn pair(a: f64, b: f64) -> FourMomentum {
    let first = FourMomentum::from_pt_eta_phi_mass(single(absolute(a)), single(b), single(a), 0.5);
    let second = FourMomentum::from_pt_eta_phi_mass(single(absolute(b)), single(a), single(b), 80.0);
    first + second
}

/// All four words of unit = bits of a, draw = bits of b.
fn philox_words(a: f64, b: f64) -> u64 {
    let (unit, draw) = (bits_of(a), bits_of(b));
    let counter = [unit as u32, (unit >> 32) as u32, draw as u32, (draw >> 32) as u32];
    let words = philox::philox4x32_10(counter, [0x0123_4567, 0x89ab_cdef]);
    philox::join(words[0], words[1]) ^ philox::join(words[2], words[3]).wrapping_mul(3)
}

/// The exponent of a weight scale, made of any number.
fn scale_of(b: f64) -> i32 {
    (bits_of(b) % 801) as i32 - 400
}

fn weight_status(a: f64, b: f64) -> u64 {
    u64::from(exact::weight_status(a, scale_of(b)))
}

/// The units of `a`, or of the largest weight of its sign where `a` is refused.
fn accepted_units(a: f64, b: f64) -> Units {
    let weight = match exact::weight_status(a, scale_of(b)) {
        WEIGHT_TOO_LARGE => copy_sign(power_of_two(scale_of(b)), a),
        WEIGHT_NOT_FINITE => 0.0,
        _ => a,
    };
    exact::units_of(weight, scale_of(b) - TERM_BITS)
}

fn weight_units(a: f64, b: f64) -> u64 {
    let units = accepted_units(a, b);
    units.low ^ units.high.wrapping_mul(3) ^ (units.negative << 63)
}

fn weight_digits(a: f64, b: f64) -> u64 {
    let digit = |index| exact::digit_of(accepted_units(a, b), index) as u64;
    digit(0).wrapping_add(digit(1).wrapping_mul(3)).wrapping_add(digit(2).wrapping_mul(7))
}

/// The bits of a result, with one pattern for every NaN.
fn pattern(x: f64) -> u64 {
    bits_of(if is_nan(x) { f64::NAN } else { x })
}

/// The bits of `function` of (`a`, `b`).
pub fn evaluate(function: Function, a: f64, b: f64) -> u64 {
    match function {
        Function::Exp => pattern(det::exp(a)),
        Function::ExpM1 => pattern(det::exp_m1(a)),
        Function::Ln => pattern(det::ln(a)),
        Function::Ln1p => pattern(det::ln_1p(a)),
        Function::Sin => pattern(det::sin(a)),
        Function::Cos => pattern(det::cos(a)),
        Function::Sinh => pattern(det::sinh(a)),
        Function::Cosh => pattern(det::cosh(a)),
        Function::Tanh => pattern(det::tanh(a)),
        Function::Asinh => pattern(det::asinh(a)),
        Function::Atan2 => pattern(det::atan2(a, b)),
        Function::Hypot => pattern(det::hypot(a, b)),
        Function::Pow => pattern(det::pow(a, b)),
        Function::Powi => pattern(det::powi(a, whole_number(b))),
        Function::ExpF32 => pattern(f64::from(det::exp_f32(single(a)))),
        Function::Atan2F32 => pattern(f64::from(det::atan2_f32(single(a), single(b)))),
        Function::WrapPhi => pattern(angle::wrap_phi(a)),
        Function::DeltaR => pattern(angle::delta_r(a, b, b, a)),
        Function::PairMass => pattern(pair(a, b).mass()),
        Function::PairPt => pattern(pair(a, b).pt()),
        Function::PairEta => pattern(pair(a, b).eta()),
        Function::PairRapidity => pattern(pair(a, b).rapidity()),
        Function::PairPhi => pattern(pair(a, b).phi()),
        Function::LnPoissonSurvival => pattern(special::ln_poisson_survival(count(a), b)),
        Function::LnPoissonCumulative => pattern(special::ln_poisson_cumulative(count(a), b)),
        Function::Significance => pattern(special::significance(a)),
        Function::LnNormalSurvival => pattern(special::ln_normal_survival(a)),
        Function::NormalSurvival => pattern(special::normal_survival(a)),
        Function::Philox => philox_words(a, b),
        Function::WeightStatus => weight_status(a, b),
        Function::WeightUnits => weight_units(a, b),
        Function::WeightDigits => weight_digits(a, b),
    }
}
