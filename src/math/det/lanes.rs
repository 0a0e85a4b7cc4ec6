//! The functions of many arguments at once, bit for bit those of one.
//!
//! A processor's vectors take one course for all of their lanes: what [`sin`], [`cos`] and [`sinh`] decide by branches is
//! computed both ways here and then chosen. Every value that is chosen comes from the same operations in the same order
//! as in the function of one argument, which stays the definition. What few arguments need is left to that function, a
//! stretch of lanes at a time.

use super::{
    DoubleDouble, INVERSE_LN2, LARGEST_ANGLE, TWO_OVER_PI, absolute, bits_of, copy_sign, cos_reduced, double_of,
    is_nan, quick_two_sum, reduce_angle, reduce_exp, sin_reduced, sinh, sinh_near_zero, sinh_of_exp,
};
use crate::math::wide::wide;

/// 1.5 x 2^52: a sum with it is rounded to a whole number, which stands in its low bits; [`super::nearest`] takes it off again.
const WHOLE: f64 = 6755399441055744.0;

/// Lanes that are left to the function of one argument together.
const STRETCH: usize = 64;

/// [`sin`](super::sin) and [`cos`](super::cos) of each angle.
///
/// ```
/// use trawl::math::det::{cos, sin, sin_cos_lanes};
/// let (mut sines, mut cosines) = ([0.0; 3], [0.0; 3]);
/// sin_cos_lanes(&[0.5, -2.0, f64::INFINITY], &mut sines, &mut cosines);
/// assert_eq!((sines[1], cosines[1]), (sin(-2.0), cos(-2.0)));
/// assert!(sines[2].is_nan() && cosines[2].is_nan());
/// ```
pub fn sin_cos_lanes(angles: &[f64], sines: &mut [f64], cosines: &mut [f64]) {
    wide!(sin_cos_of_all(angles: &[f64], sines: &mut [f64], cosines: &mut [f64]));
}

#[inline(always)]
fn sin_cos_of_all(angles: &[f64], sines: &mut [f64], cosines: &mut [f64]) {
    for ((angle, sine), cosine) in angles.iter().zip(sines).zip(cosines) {
        (*sine, *cosine) = sin_cos_lane(*angle);
    }
}

#[inline(always)]
fn sin_cos_lane(x: f64) -> (f64, f64) {
    let turned = x * TWO_OVER_PI + WHOLE;
    let r = reduce_angle(x, turned - WHOLE);
    let (sine, cosine) = (sin_reduced(r), cos_reduced(r));
    let quadrant = bits_of(turned);
    let (first, second) = if quadrant & 1 == 0 { (sine, cosine) } else { (cosine, sine) };
    // Negative are sin in quadrants 2 and 3, and cos in 1 and 2.
    let signed = |value: f64, quadrant: u64| double_of(bits_of(value) ^ (quadrant & 2) << 62);
    let sine = if absolute(x) < 7.450580596923828e-9 { x } else { signed(first, quadrant) };
    let cosine = signed(second, quadrant.wrapping_add(1));
    let has_answer = absolute(x) <= LARGEST_ANGLE;
    (if has_answer { sine } else { f64::NAN }, if has_answer { cosine } else { f64::NAN })
}

/// [`sinh`] of each number.
///
/// ```
/// use trawl::math::det::{sinh, sinh_lanes};
/// let mut values = [0.0; 3];
/// sinh_lanes(&[0.5, -2.0, 1000.0], &mut values);
/// assert_eq!(values, [sinh(0.5), sinh(-2.0), f64::INFINITY]);
/// ```
pub fn sinh_lanes(numbers: &[f64], values: &mut [f64]) {
    wide!(sinh_of_all(numbers: &[f64], values: &mut [f64]));
}

#[inline(always)]
fn sinh_of_all(numbers: &[f64], values: &mut [f64]) {
    for (numbers, values) in numbers.chunks(STRETCH).zip(values.chunks_mut(STRETCH)) {
        let mut beyond = false;
        for (number, value) in numbers.iter().zip(&mut *values) {
            *value = sinh_lane(*number);
            beyond |= absolute(*number) > 22.0;
        }
        if beyond {
            numbers.iter().zip(values).for_each(|(number, value)| *value = sinh(*number));
        }
    }
}

/// sinh(x) for |x| <= 22 and NaN.
#[inline(always)]
fn sinh_lane(x: f64) -> f64 {
    let a = absolute(x);
    // exp_double(a), with its k taken from the bits of the sum that rounds it.
    let e = reduce_exp(a, 0.0);
    let power = double_of(bits_of(a * INVERSE_LN2 + WHOLE).wrapping_add(1023) << 52);
    let one = quick_two_sum(1.0, e.r);
    let sum = quick_two_sum(one.high, one.low + e.tail);
    let far = sinh_of_exp(DoubleDouble { high: sum.high * power, low: sum.low * power });
    let value = if a < 1.0 { sinh_near_zero(x) } else { copy_sign(far, x) };
    if is_nan(x) { f64::NAN } else { value }
}

#[cfg(test)]
mod tests {
    use super::super::{cos, sin};
    use super::*;
    use crate::math::philox::{Philox, Stage};

    /// Edges, their neighbours, and random numbers of every size, sign and alignment to the lanes.
    fn numbers() -> Vec<f64> {
        let edges = [0.0, 7.450580596923828e-9, 1.0, 22.0, 710.4758600739439, LARGEST_ANGLE, 1e300, f64::MAX];
        let quarters = (0..64).map(|k| f64::from(k) * std::f64::consts::FRAC_PI_4);
        let mut numbers = vec![f64::NAN, -f64::NAN, f64::INFINITY, f64::from_bits(0x7ff0_0000_0000_0001), 5e-324];
        numbers.extend(edges.into_iter().chain(quarters).flat_map(|x| [x.next_down(), x, x.next_up()]));
        let random = Philox::new(31, Stage::Probe);
        for unit in 0..200_000 {
            let [u, v] = random.uniforms(unit, 0);
            numbers.push(match unit % 4 {
                0 => 8.0 * u - 4.0,
                1 => 60.0 * u - 30.0,
                2 => (u - 0.5) * 2.0 * LARGEST_ANGLE,
                _ => f64::from_bits((u * 2f64.powi(53)) as u64 ^ ((v * 2f64.powi(53)) as u64) << 11),
            });
        }
        let negative: Vec<f64> = numbers.iter().map(|x| -x).collect();
        numbers.extend(negative);
        numbers
    }

    fn assert_equal(of: &str, numbers: &[f64], found: &[f64], defined: fn(f64) -> f64) {
        for (x, found) in numbers.iter().zip(found) {
            let expected = defined(*x);
            assert_eq!(found.to_bits(), expected.to_bits(), "{of}({x:e}) is {expected:e}, its lane {found:e}");
        }
    }

    type Sinh = fn(&[f64], &mut [f64]);
    type SinCos = fn(&[f64], &mut [f64], &mut [f64]);

    /// As dispatched, and for processors without AVX2.
    #[test]
    fn lanes_are_the_functions_bit_for_bit() {
        let numbers = numbers();
        for (sinh_of, sin_cos_of) in [(sinh_lanes as Sinh, sin_cos_lanes as SinCos), (sinh_of_all, sin_cos_of_all)] {
            for start in [0, 1, 7, 63] {
                let numbers = &numbers[start..];
                let (mut first, mut second) = (vec![0.0; numbers.len()], vec![0.0; numbers.len()]);
                sinh_of(numbers, &mut first);
                assert_equal("sinh", numbers, &first, sinh);
                sin_cos_of(numbers, &mut first, &mut second);
                assert_equal("sin", numbers, &first, sin);
                assert_equal("cos", numbers, &second, cos);
            }
        }
    }
}
