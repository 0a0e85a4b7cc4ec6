//! Every method against its definition and its derivative, outside values, and what cannot be fitted.

use super::*;
use crate::Device;
use crate::math::philox::{Philox, Stage};

const METHODS: [Method; 5] = [
    Method::ZScore,
    Method::MinMax,
    Method::Logit { widened: 0.001 },
    Method::Uniform { knots: 20 },
    Method::Normal { knots: 20 },
];

fn table(rows: usize) -> Values<Host> {
    let random = Philox::new(5, Stage::Probe);
    let value = |at: usize| {
        let u = random.uniforms(at as u64, 0)[0];
        if (at % 5).is_multiple_of(2) { 100.0 + 50.0 * u * u } else { u.ln() }
    };
    Values::of_rows(5, (0..5 * rows).map(value).collect()).unwrap()
}

fn mapped(standardise: &Standardise, values: &Values<Host>) -> Output<Host> {
    Device::Cpu.run(standardise, values.clone()).unwrap()
}

#[test]
fn what_was_fitted_is_on_the_wanted_scale() {
    let values = table(2000);
    let standardise = Standardise::fit(&METHODS, &values).unwrap();
    let output = mapped(&standardise, &values);
    let column = |column: usize| output.values.iter().skip(column).step_by(5).copied().collect::<Vec<f64>>();
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    let variance = |of: &[f64]| of.iter().map(|y| y * y).sum::<f64>() / of.len() as f64 - mean(of).powi(2);
    for of in [column(0), column(2)] {
        assert!(mean(&of).abs() < 1e-12 && (variance(&of) - 1.0).abs() < 1e-12, "{} {}", mean(&of), variance(&of));
    }
    let ends = |of: &[f64]| of.iter().fold((9.0_f64, -9.0_f64), |(low, high), y| (low.min(*y), high.max(*y)));
    assert_eq!((ends(&column(1)), ends(&column(3))), ((0.0, 1.0), (0.0, 1.0)));
    // A uniform distribution has the mean 1/2 and the variance 1/12; the normal one 0 and nearly 1 with 20 knots.
    assert!((mean(&column(3)) - 0.5).abs() < 0.01 && (variance(&column(3)) - 1.0 / 12.0).abs() < 0.003);
    assert!(mean(&column(4)).abs() < 0.02 && (variance(&column(4)) - 1.0).abs() < 0.1);
    // The two ends of the normal quantiles are the only ones that are not inside.
    assert_eq!(output.outside.iter().sum::<u32>(), 2);
}

#[test]
fn the_jacobian_is_the_derivative() {
    let values = table(200);
    for (number, method) in METHODS.into_iter().enumerate() {
        let one = Values::of_rows(1, values.column(number).collect()).unwrap();
        let standardise = Standardise::fit(&[method], &one).unwrap();
        let output = mapped(&standardise, &one);
        let step = 1e-7;
        let shifted = Values::of_rows(1, one.values.iter().map(|x| x + step).collect()).unwrap();
        let there = mapped(&standardise, &shifted);
        for row in (0..200).filter(|row| output.outside[*row] + there.outside[*row] == 0) {
            let derivative = (there.values[row] - output.values[row]) / step;
            let expected = output.ln_jacobian[row].exp();
            // A knot may lie between.
            let near = |factor: f64| (derivative / expected - 1.0).abs() < factor;
            assert!(near(2e-4) || matches!(method, Method::Uniform { .. } | Method::Normal { .. }), "{method:?} {row}");
        }
    }
}

#[test]
fn values_outside_are_told_and_finite() {
    let values = table(100);
    let standardise = Standardise::fit(&METHODS, &values).unwrap();
    let far = Values::of_rows(5, [[-1e9; 5], [1e9; 5]].concat()).unwrap();
    let output = mapped(&standardise, &far);
    assert!(output.values.iter().chain(&output.ln_jacobian).all(|value| value.is_finite()));
    assert_eq!(output.outside.to_vec(), [3, 3]);
    assert_eq!((output.values[3], output.values[8]), (0.0, 1.0));
    // The logit and the normal quantile of 1e-6.
    let Transform::Logit { shift, scale, .. } = standardise.transforms[2] else { panic!("no logit") };
    assert!((output.values[2] / scale + shift + 13.815_509_557_963_774).abs() < 1e-9);
    assert!(
        (output.values[4] + 4.753_424_308_822_899).abs() < 1e-9
            && (output.values[9] - 4.753_424_308_822_899).abs() < 1e-9
    );
}

#[test]
fn maps_can_be_written_and_read() {
    let standardise = Standardise::fit(&METHODS, &table(100)).unwrap();
    let text = serde_json::to_string(&standardise).unwrap();
    assert_eq!(serde_json::from_str::<Standardise>(&text).unwrap(), standardise);
}

#[test]
fn rows_do_not_depend_on_threads() {
    let values = table(5000);
    let standardise = Standardise::fit(&METHODS, &values).unwrap();
    let all = mapped(&standardise, &values);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let again = pool.install(|| mapped(&standardise, &values));
    assert_eq!((all.values, all.ln_jacobian, all.outside), (again.values, again.ln_jacobian, again.outside));
}

#[test]
fn what_cannot_be_fitted_is_named() {
    let values = |rows: &[f64]| Values::of_rows(1, rows.to_vec()).unwrap();
    let fit = |method: Method, rows: &[f64]| Standardise::fit(&[method], &values(rows)).unwrap_err().to_string();
    let text = fit(Method::ZScore, &[3.0, 3.0]);
    assert!(text.contains("column 0 has the one value 3 (") && !text.contains("finite"), "{text}");
    let text = fit(Method::MinMax, &[-1e308, 1e308]);
    assert!(text.contains("column 0 has values from -1e308 to 1e308 (") && text.contains("no finite number"), "{text}");
    assert!(fit(Method::ZScore, &[-1e200, 1e200]).contains("column 0 has the mean "));
    assert!(fit(Method::MinMax, &[]).contains("there are no rows"));
    assert!(fit(Method::ZScore, &[1.0, f64::NAN]).contains("column 0 of row 1 is NaN"));
    assert!(fit(Method::Logit { widened: 0.0 }, &[1.0, 2.0]).contains("widened by 0 of itself"));
    assert!(fit(Method::Uniform { knots: 9 }, &[1.0, 2.0]).contains("9 knots for 2 values"));
    let text = fit(Method::Normal { knots: 3 }, &[1.0, 1.0, 1.0, 2.0]);
    assert!(text.contains("column 0: two of 3 quantiles are equal, 1 ("), "{text}");
    assert!(text.ends_with("Standardise by z-score, min-max or logit."), "{text}");
    assert!(Values::of_rows(2, vec![1.0]).unwrap_err().to_string().contains("1 values are no rows of 2 columns"));
    assert!(Standardise::fit(&[], &values(&[1.0, 2.0])).unwrap_err().to_string().contains("0 methods for 1 columns"));
    let wrong = Standardise {
        transforms: vec![
            Transform::Linear { shift: 0.0, scale: 0.0 },
            Transform::Logit { low: 1.0, high: 1.0, shift: f64::NAN, scale: 1.0 },
            Transform::Uniform { knots: vec![1.0, 1.0] },
        ],
    };
    let error = Device::Cpu.run(&wrong, values(&[1.0])).unwrap_err();
    assert_eq!(error.problems().len(), 5, "{error}");
}
