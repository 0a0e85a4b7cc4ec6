//! Against CORE-MATH, whose functions are correctly rounded: at most one step between neighbouring doubles.

use super::super::philox::{Philox, Stage};
use super::*;

/// Steps between neighbouring doubles from `a` to `b`; 0 for two NaN.
fn steps(a: f64, b: f64) -> u64 {
    let ordered = |x: f64| {
        let bits = x.to_bits() as i64;
        if bits < 0 { i64::MIN.wrapping_sub(bits) } else { bits }
    };
    if a.is_nan() && b.is_nan() { 0 } else { ordered(a).abs_diff(ordered(b)) }
}

const EDGES: [f64; 34] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    2.0,
    1.5,
    0.125,
    0.375,
    0.625,
    0.875,
    -0.125,
    22.0,
    22.1,
    709.7,
    709.8,
    710.4,
    710.5,
    -745.1,
    -745.2,
    -708.5,
    1e-17,
    -1e-17,
    1e-9,
    5e-324,
    -5e-324,
    2.3e-308,
    f64::MAX,
    f64::MIN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    std::f64::consts::PI,
    std::f64::consts::FRAC_PI_2,
];

/// Uniform in `range` for two thirds of the units, and with a uniform exponent for the others.
fn arguments(range: std::ops::Range<f64>) -> impl Iterator<Item = f64> {
    let random = Philox::new(20, Stage::Probe);
    (0..30_000).map(move |unit| {
        let [u, v] = random.uniforms(unit, 0);
        if unit % 3 > 0 {
            return range.start + (range.end - range.start) * u;
        }
        (range.end - range.start) * 0.5 * (-60.0 * u).exp2() * if v < 0.5 { -1.0 } else { 1.0 }
    })
}

fn check(name: &str, ours: fn(f64) -> f64, oracle: fn(f64) -> f64, range: std::ops::Range<f64>) {
    let mut differing = 0;
    for x in EDGES.into_iter().chain(arguments(range)) {
        let (got, expected) = (ours(x), oracle(x));
        let off = steps(got, expected);
        assert!(off <= 1, "{name}({x:e}) = {got:e}, correctly rounded {expected:e}: {off} steps");
        assert!(!got.is_nan() || got.to_bits() == f64::NAN.to_bits(), "{name}({x:e}) is not the canonical NaN");
        differing += off;
    }
    println!("{name}: {differing} of 30,000 not correctly rounded");
}

#[test]
fn exponentials_are_within_a_step_of_correctly_rounded() {
    check("exp", exp, core_math::exp, -750.0..715.0);
    check("exp", exp, core_math::exp, -2.0..2.0);
    check("exp_m1", exp_m1, core_math::expm1, -50.0..715.0);
    check("exp_m1", exp_m1, core_math::expm1, -1.0..1.0);
    check("sinh", sinh, core_math::sinh, -30.0..30.0);
    check("sinh", sinh, core_math::sinh, -1.2..1.2);
    check("cosh", cosh, core_math::cosh, -30.0..30.0);
    check("tanh", tanh, core_math::tanh, -3.0..3.0);
    check("tanh", tanh, core_math::tanh, -0.3..0.3);
}

#[test]
fn logarithms_are_within_a_step_of_correctly_rounded() {
    check("ln", ln, core_math::log, 0.0..10.0);
    check("ln", ln, core_math::log, 0.9..1.1);
    check("ln", ln, core_math::log, 0.0..1e300);
    check("ln_1p", ln_1p, core_math::log1p, -1.0..3.0);
    check("ln_1p", ln_1p, core_math::log1p, -0.01..0.01);
    check("asinh", asinh, core_math::asinh, -10.0..10.0);
    check("asinh", asinh, core_math::asinh, -0.3..0.3);
    check("asinh", asinh, core_math::asinh, -1e10..1e10);
}

#[test]
fn angles_are_within_a_step_of_correctly_rounded() {
    let inside = |x: f64| x.abs() <= LARGEST_ANGLE;
    for x in EDGES.into_iter().chain(arguments(-1e6..1e6)).chain(arguments(-7.0..7.0)) {
        if inside(x) {
            assert!(steps(sin(x), core_math::sin(x)) <= 1, "sin({x:e}) = {:e}", sin(x));
            assert!(steps(cos(x), core_math::cos(x)) <= 1, "cos({x:e}) = {:e}", cos(x));
        } else {
            assert!(sin(x).is_nan() && cos(x).is_nan());
        }
    }
    // The doubles nearest to multiples of pi/2 are the hardest to reduce.
    for k in (1..60_000).chain(600_000..610_000) {
        let x = f64::from(k) * std::f64::consts::FRAC_PI_2;
        assert!(steps(sin(x), core_math::sin(x)) <= 1, "sin({x:e}) = {:e}", sin(x));
        assert!(steps(cos(x), core_math::cos(x)) <= 1, "cos({x:e}) = {:e}", cos(x));
    }
    check("atan", atan, core_math::atan, -3.0..3.0);
}

#[test]
fn functions_of_two_arguments_are_within_a_step_of_correctly_rounded() {
    let random = Philox::new(21, Stage::Probe);
    let pairs = (0..60_000).map(|unit| {
        let ([u, v], [s, t]) = (random.uniforms(unit, 0), random.uniforms(unit, 1));
        // Ratios of order one, and over all exponents.
        let spread = if unit % 2 == 0 { 4.0 } else { 2000.0 };
        let value = |u: f64, s: f64| ((u - 0.5) * spread).exp2() * if s < 0.5 { -1.0 } else { 1.0 };
        (value(u, s), value(v, t))
    });
    let edges = EDGES.into_iter().flat_map(|a| EDGES.into_iter().map(move |b| (a, b)));
    for (y, x) in pairs.chain(edges) {
        assert!(steps(atan2(y, x), core_math::atan2(y, x)) <= 1, "atan2({y:e}, {x:e}) = {:e}", atan2(y, x));
        assert!(steps(hypot(y, x), core_math::hypot(y, x)) <= 1, "hypot({y:e}, {x:e}) = {:e}", hypot(y, x));
        for result in [atan2(y, x), hypot(y, x), pow(y, x)] {
            assert!(!result.is_nan() || result.to_bits() == f64::NAN.to_bits(), "({y:e}, {x:e})");
        }
    }
}

#[test]
fn powers_are_within_their_stated_bound() {
    let random = Philox::new(22, Stage::Probe);
    for unit in 0..30_000 {
        let ([u, v], [w, _]) = (random.uniforms(unit, 0), random.uniforms(unit, 1));
        let (x, y) = (((u - 0.5) * 2000.0).exp2(), (v - 0.5) * 10.0 * if w < 0.5 { 1.0 } else { 0.1 });
        let bound = 1.2 + (y * x.ln()).abs() / 16.0;
        let (got, expected) = (pow(x, y), core_math::pow(x, y));
        assert!(steps(got, expected) as f64 <= bound, "pow({x:e}, {y:e}) = {got:e}, expected {expected:e}");
        let n = (v * 40.0) as i32 - 20;
        let (got, expected) = (powi(1.0 + u, n), core_math::pow(1.0 + u, f64::from(n)));
        assert!(steps(got, expected) <= n.unsigned_abs().into(), "powi({:e}, {n}) = {got:e}", 1.0 + u);
    }
    assert_eq!(pow(0.0, 2.0), 0.0);
    assert_eq!(pow(0.0, -2.0), f64::INFINITY);
    assert_eq!(pow(f64::INFINITY, -2.0), 0.0);
    assert_eq!(pow(f64::INFINITY, 0.5), f64::INFINITY);
    assert_eq!(pow(f64::NAN, 0.0), 1.0);
    assert!(pow(-2.0, 2.0).is_nan());
    assert_eq!(powi(-2.0, 3), -8.0);
    assert_eq!(powi(-2.0, -1), -0.5);
    assert_eq!(powi(f64::NAN, 0), 1.0);
    assert_eq!(powi(1.0, i32::MIN), 1.0);
}

#[test]
fn single_precision_is_nearly_always_correctly_rounded() {
    let random = Philox::new(23, Stage::Probe);
    let mut wrong = 0;
    for unit in 0..50_000 {
        let x = ((random.uniforms(unit, 0)[0] - 0.5) * 20.0) as f32;
        wrong += u32::from(exp_f32(x) != core_math::expf(x));
        wrong += u32::from(sin_f32(x) != core_math::sinf(x));
        wrong += u32::from(cosh_f32(x) != core_math::coshf(x));
        wrong += u32::from(ln_f32(x.abs()) != core_math::logf(x.abs()));
        wrong += u32::from(atan2_f32(x, 1.5) != core_math::atan2f(x, 1.5));
    }
    // One in 2^28 is expected: none in these.
    assert_eq!(wrong, 0);
}

#[test]
fn double_doubles_keep_what_rounding_loses() {
    let random = Philox::new(24, Stage::Probe);
    for unit in 0..10_000 {
        let [a, b] = random.uniforms(unit, 0);
        // 40-bit integers: the exact product fits in 128 bits.
        let (m, n) = ((a * (1u64 << 40) as f64) as u64 | 1, (b * (1u64 << 53) as f64) as u64 | 1);
        let product = two_product(m as f64, n as f64);
        assert_eq!(product.high as i128 + product.low as i128, i128::from(m) * i128::from(n));
        let ratio = divide_double(DoubleDouble { high: a, low: 0.0 }, DoubleDouble { high: b, low: 0.0 });
        let back = multiply_double(ratio, DoubleDouble { high: b, low: 0.0 });
        let rest = add_double(back, DoubleDouble { high: -a, low: 0.0 });
        assert!((rest.high / a).abs() < 1e-30);
    }
}

#[test]
fn quick_angles_are_within_two_steps_of_correctly_rounded() {
    let random = Philox::new(21, Stage::Probe);
    let mut points: Vec<(f64, f64)> = (0..60_000)
        .map(|unit| {
            let ([a, b], [c, d]) = (random.uniforms(unit, 0), random.uniforms(unit, 1));
            let (size, angle) = (exp(1300.0 * a - 690.0), 6.4 * b - 3.2);
            // A third near the axes and the diagonals, where one of both sides is small.
            let angle = if unit % 3 == 0 { (c * 8.0).floor() * 0.25 * PI + 1e-3 * (d - 0.5) } else { angle };
            (size * sin(angle), size * cos(angle))
        })
        .collect();
    let edges = [0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, 1e-310, 2.5, 1e299, -1e299];
    points.extend(edges.iter().flat_map(|y| edges.map(|x| (*y, x))));
    let mut furthest = 0;
    for (y, x) in points {
        let (got, expected) = (quick_atan2(y, x), core_math::atan2(y, x));
        assert!(steps(got, expected) <= 2, "atan2({y:e}, {x:e}) = {got:e}, correctly rounded {expected:e}");
        furthest = furthest.max(steps(got, expected));
    }
    assert!(furthest > 0);
}

#[test]
fn quick_logarithms_of_ratios_are_within_two_steps() {
    let random = Philox::new(22, Stage::Probe);
    for unit in 0..60_000 {
        let ([a, b], [c, d]) = (random.uniforms(unit, 0), random.uniforms(unit, 1));
        let under = exp(1300.0 * a - 650.0);
        let ratio = if unit % 2 == 0 { exp(40.0 * b - 20.0) } else { 1.0 + (c - 0.5) * exp(-36.0 * d) };
        let over = under * ratio;
        let (high, low) = (ln_double(over, 0.0, 0), ln_double(under, 0.0, 0));
        let difference = two_sum(high.high, -low.high);
        let exact = difference.high + (difference.low + (high.low - low.low));
        let got = quick_ln_ratio(over, under);
        // The oracle itself is good to 2^-57 of the logarithms that it subtracts.
        let bound = 4.5e-16 * exact.abs() + 1.4e-17 * low.high.abs();
        assert!((got - exact).abs() <= bound, "ln({over:e} / {under:e}) = {got:e}, not {exact:e}");
    }
    assert_eq!((quick_ln_ratio(3.0, 3.0), quick_ln_ratio(8.0, 2.0)), (0.0, 2.0 * ln(2.0)));
}

#[test]
fn quick_exponentials_and_their_logarithms_are_within_two_steps() {
    let random = Philox::new(23, Stage::Probe);
    for unit in 0..60_000 {
        let [a, b] = random.uniforms(unit, 0);
        let x = if unit % 2 == 0 { -708.0 * a } else { -exp(40.0 * b - 36.0).min(700.0) };
        let (got, expected) = (quick_exp(x), core_math::exp(x));
        assert!(steps(got, expected) <= 2, "exp({x:e}) = {got:e}, correctly rounded {expected:e}");
        let x = if unit % 2 == 0 { a } else { exp(-40.0 * b) };
        let (got, expected) = (quick_ln_1p(x), core_math::log1p(x));
        assert!(steps(got, expected) <= 2, "ln(1 + {x:e}) = {got:e}, correctly rounded {expected:e}");
    }
    assert_eq!((quick_exp(0.0), quick_exp(-0.0), quick_exp(-1e9)), (1.0, 1.0, quick_exp(-708.0)));
    assert_eq!((quick_ln_1p(0.0), quick_ln_1p(1.0)), (0.0, std::f64::consts::LN_2));
    assert!(quick_exp(f64::NAN).is_nan() && quick_exp(-f64::NAN).is_nan() && quick_ln_1p(f64::NAN).is_nan());
}
