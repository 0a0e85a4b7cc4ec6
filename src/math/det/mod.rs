//! Deterministic functions of doubles: the same bits on every machine, on CPU and CUDA.
//!
//! A host library, libdevice and a contracted multiply-add differ by an ulp, and an ulp flips events. Whatever feeds a
//! decision, a count or a table therefore uses only + - * / sqrt and these functions; the same text, in the same order
//! of operations, is `kernels/common/det.cuh` (compiled with `-fmad=false`).
//!
//! Every function but the quick ones, which have no branches, is total: each finite, infinite or NaN argument has a stated answer, and every NaN that comes out is
//! the one of `f64::NAN`. Bounds are in units in the last place of the result (ulp), found against mpmath
//! on random arguments (`scripts/oracles/functions.py errors`); the tests hold each function to one step between neighbouring
//! doubles of CORE-MATH's correctly rounded result:
//!
//! | function | largest error (ulp) | outside the range |
//! |---|---|---|
//! | [`exp`], [`exp_sum`] | 0.6 | infinity above 709.78, 0 below -745.13 |
//! | [`exp_m1`] | 0.9 | infinity above 709.78 |
//! | [`ln`] | 0.6 | -infinity at 0, NaN below |
//! | [`ln_1p`] | 0.6 | -infinity at -1, NaN below |
//! | [`sin`], [`cos`] | 0.8 | NaN for more than 2^20 = 1,048,576 radians |
//! | [`sinh`], [`cosh`], [`tanh`], [`asinh`] | 0.8 | infinite where they overflow |
//! | [`atan2`], [`atan`] | 0.6 | signed zeros and infinities as in IEEE 754 |
//! | [`quick_ln_ratio`], [`quick_atan2`], [`quick_exp`], [`quick_ln_1p`] | 2 | no meaning |
//! | [`hypot`] | 1.2 | infinite if an argument is |
//! | [`pow`] | 0.7 + abs(y ln x) / 16 | NaN for x < 0 |
//! | [`powi`] | abs(n) | |
//!
//! The versions in single precision evaluate in double precision and round once, so that they are correctly rounded
//! but for about one argument in 2^28.

mod arithmetic;
mod double;
mod exponential;
mod lanes;
mod quick;
mod trigonometric;

pub use arithmetic::*;
pub use double::*;
pub use exponential::*;
pub use lanes::{sin_cos_lanes, sinh_lanes};
pub use quick::*;
pub use trigonometric::*;

macro_rules! single {
    ($($name:ident = $double:ident($($argument:ident),+)),+ $(,)?) => {$(
        #[doc = concat!("[`", stringify!($double), "`] evaluated in double precision and rounded once.")]
        #[inline]
        pub fn $name($($argument: f32),+) -> f32 {
            $double($(f64::from($argument)),+) as f32
        }
    )+};
}

single! {
    exp_f32 = exp(x),
    exp_m1_f32 = exp_m1(x),
    ln_f32 = ln(x),
    ln_1p_f32 = ln_1p(x),
    sin_f32 = sin(x),
    cos_f32 = cos(x),
    sinh_f32 = sinh(x),
    cosh_f32 = cosh(x),
    tanh_f32 = tanh(x),
    asinh_f32 = asinh(x),
    atan_f32 = atan(x),
    atan2_f32 = atan2(y, x),
    hypot_f32 = hypot(x, y),
    pow_f32 = pow(x, y),
}

#[cfg(test)]
mod tests;
