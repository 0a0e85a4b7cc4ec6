//! The moments of smeared expectations, by quadrature and against NumPy, and what is refused.

use std::path::Path;

use super::*;
use crate::hunt::Windows;
use crate::math::special::normal_survival;
use crate::settings::Document;
use crate::spectrum::Expectation;

/// The mean and the standard deviation of `f(x)` where `x` has this middle and standard deviation, by the trapezoidal rule.
fn moments(smearing: Smearing, middle: f64, sigma: f64) -> (f64, f64) {
    let step = 1e-3;
    let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
    for index in -12_000..=12_000 {
        let t = step * f64::from(index);
        let (weight, factor) = (det::exp(-0.5 * t * t), smearing.factor(middle + sigma * t));
        sum += weight;
        first += weight * factor;
        second += weight * factor * factor;
    }
    let mean = first / sum;
    (mean, (second / sum - mean * mean).sqrt())
}

fn template(name: &str, relative: &[f64]) -> Template {
    Template { name: name.into(), relative: relative.to_vec() }
}

#[test]
fn a_log_normal_keeps_the_mean_and_has_the_relative_width() {
    for relative in [-0.3, 0.0, 0.01, 0.1, 0.5, 1.0, 2.0] {
        let kappa = Smearing::LogNormal.coefficient(relative);
        assert_eq!(kappa < 0.0, relative < 0.0);
        let (mean, sigma) = moments(Smearing::LogNormal, Smearing::LogNormal.middle(kappa * kappa), kappa);
        assert!((mean - 1.0).abs() < 1e-10 && (sigma - relative.abs()).abs() < 1e-10, "{relative}: {mean} {sigma}");
    }
}

#[test]
fn a_truncated_gaussian_has_the_stated_mean() {
    for (relative, high) in [(0.1_f64, 0.0), (0.33, 1.1e-4), (1.0, 0.083_315_5)] {
        let inverse = 1.0 / relative;
        let density = det::exp(-0.5 * inverse * inverse) / (2.0 * std::f64::consts::PI).sqrt();
        let stated = normal_survival(-inverse) + relative * density;
        let (mean, sigma) = moments(Smearing::TruncatedGaussian, 1.0, relative);
        // The kink of f costs the trapezoidal rule the square of its step.
        assert!((mean - stated).abs() < 1e-6, "{relative}: {mean}, not {stated}");
        assert!((mean - 1.0 - high).abs() < 2e-5, "{relative}: {mean}");
        assert!(relative > 0.2 || (sigma - relative).abs() < 1e-9, "{relative}: {sigma}");
    }
}

#[test]
fn sums_of_cells_have_the_width_of_their_correlations() {
    let expected = [100.0, 50.0, 50.0, 0.0];
    let shared = template("shared", &[0.1, 0.1, 0.1, 0.1]);
    let opposed = template("opposed", &[0.1, 0.2, -0.2, 0.0]);
    for smearing in [Smearing::LogNormal, Smearing::TruncatedGaussian] {
        let relative = |statistical: f64, templates: &[&Template], cells| {
            let templates = templates.iter().map(|one| (*one).clone()).collect();
            BackgroundUncertainty::new(smearing, vec![statistical; 4], templates).unwrap().relative(&expected, cells)
        };
        let close = |got: f64, wanted: f64, tolerance: f64| {
            assert!((got - wanted).abs() < tolerance, "{smearing:?}: {got}, not {wanted}");
        };
        close(relative(0.0, &[&shared], 0..4), 0.1, 1e-15);
        close(relative(0.1, &[], 1..3), 0.1 / 2.0_f64.sqrt(), 1e-15);
        close(relative(0.0, &[&opposed], 0..1), 0.1, 1e-15);
        // A log-normal rises further than it falls, so what is opposed does not cancel to the last.
        close(relative(0.0, &[&opposed], 1..3), 0.0, 0.03);
        // One of each: quadrature, and for the log-normal the product of the two.
        let both = if smearing == Smearing::LogNormal { 0.0201_f64.sqrt() } else { 0.02_f64.sqrt() };
        close(relative(0.1, &[&shared], 0..1), both, 1e-15);
        assert_eq!(relative(0.1, &[&shared], 3..4), 0.0);
    }
}

/// NumPy 2.4.6, `default_rng(3)`, 4,000,000 sets of nuisances through the module's formulas: the standard deviations of the sum
/// are 8.7788 (log-normal) and 8.6882 (truncated Gaussian), with errors of about 0.004.
#[test]
fn the_width_of_a_sum_agrees_with_numpy() {
    for (smearing, sigma) in [(Smearing::LogNormal, 8.7788), (Smearing::TruncatedGaussian, 8.6882)] {
        let templates = vec![template("a", &[0.2, -0.1, 0.25]), template("b", &[0.05; 3])];
        let uncertainty = BackgroundUncertainty::new(smearing, vec![0.2, 0.1, 0.05], templates).unwrap();
        let got = 60.0 * uncertainty.relative(&[10.0, 20.0, 30.0], 0..3);
        assert!((got - sigma).abs() < 0.013, "{smearing:?}: {got}, not {sigma}");
    }
}

#[test]
fn coefficients_give_the_formula() {
    let templates = vec![template("a", &[0.2, -0.1]), template("b", &[0.0, 0.5])];
    let uncertainty = BackgroundUncertainty::new(Smearing::LogNormal, vec![0.3, 0.0], templates.clone()).unwrap();
    let coefficients = uncertainty.coefficients();
    let kappa = |relative| Smearing::LogNormal.coefficient(relative);
    assert_eq!(coefficients.own, [kappa(0.3), 0.0]);
    assert_eq!(coefficients.shared, [kappa(0.2), kappa(-0.1), 0.0, kappa(0.5)]);
    let variance = kappa(0.3) * kappa(0.3) + kappa(0.2) * kappa(0.2) + 0.0;
    assert_eq!(coefficients.middle[0], -0.5 * variance);
    assert_eq!(coefficients.most[0], -0.5 * variance + 10.0 * variance.sqrt());
    let gaussian = BackgroundUncertainty::new(Smearing::TruncatedGaussian, vec![0.3, 0.0], templates).unwrap();
    assert_eq!(gaussian.coefficients().middle, [1.0, 1.0]);
    assert_eq!(gaussian.coefficients().shared, [0.2, -0.1, 0.0, 0.5]);
    let none = BackgroundUncertainty::new(Smearing::LogNormal, vec![0.0; 2], Vec::new()).unwrap();
    assert!(none.is_zero() && !uncertainty.is_zero());
    assert_eq!(uncertainty.to_string(), "log-normal: statistical up to 30.0 %, a up to 20.0 %, b up to 50.0 %");
    assert_eq!(none.to_string(), "log-normal: statistical up to 0.0 %");
    assert_eq!(none.largest_total(&[3.0, 4.0]), 7.0);
}

#[test]
fn what_cannot_smear_is_refused_all_at_once() {
    let problems = |smearing, statistical: &[f64], templates: &[Template]| {
        let error = BackgroundUncertainty::new(smearing, statistical.to_vec(), templates.to_vec()).unwrap_err();
        error.problems().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let templates = [
        template("a", &[0.1]),
        template("a", &[0.1, f64::NAN, 0.1]),
        template(" ", &[0.1, f64::INFINITY, f64::NAN]),
        template("b", &[]),
    ];
    let all = problems(Smearing::LogNormal, &[0.1, -0.1, f64::NAN], &templates);
    assert_eq!(all.len(), 7, "{all:#?}");
    assert!(all[0].contains("the statistical uncertainty of cell 1 (and of 1 others) is -0.1"), "{}", all[0]);
    assert!(all[2].contains("two templates are called 'a'"), "{}", all[2]);
    assert_eq!(problems(Smearing::LogNormal, &[], &[]).len(), 1);
    let many: Vec<Template> = (0..=MOST_TEMPLATES).map(|index| template(&index.to_string(), &[0.0])).collect();
    assert_eq!(problems(Smearing::LogNormal, &[0.0], &many).len(), 1);
    let wide = problems(Smearing::TruncatedGaussian, &[0.0, 0.8], &[template("a", &[0.0, -0.7])]);
    assert!(wide[0].contains("cell 1 is uncertain by 106 % in all") && wide[0].contains("log-normal"), "{wide:?}");
    assert!(BackgroundUncertainty::new(Smearing::LogNormal, vec![2.9], Vec::new()).is_ok());
    assert_eq!(problems(Smearing::LogNormal, &[3.1], &[]).len(), 1);
}

fn read(text: &str) -> (Option<UncertaintySettings>, usize) {
    let document = Document::parse("card.toml", text, &[]).unwrap();
    let settings =
        UncertaintySettings::read(&document.root().section("toys").section("uncertainty"), Path::new("cards"));
    (settings, document.finish().map_or_else(|error| error.problems().len(), |()| 0))
}

fn given(values: &[f64]) -> TemplateSettings {
    TemplateSettings { values: values.to_vec(), file: None }
}

#[test]
fn settings_are_read_and_their_mistakes_reported() {
    assert_eq!(read("[toys]\n"), (None, 0));
    let text = "[toys.uncertainty]\nshape = \"truncated-gaussian\"\nstatistic = \"marginal\"\nstatistical = 0.1\n\
                templates.b = [0.1, -0.2]\ntemplates.c = 1\n";
    let settings = UncertaintySettings {
        smearing: Smearing::TruncatedGaussian,
        statistic: Statistic::Marginal,
        statistical: StatisticalSettings::Relative(0.1),
        templates: vec![("b".into(), given(&[0.1, -0.2])), ("c".into(), given(&[1.0]))],
    };
    assert_eq!(read(text), (Some(settings), 0));
    assert_eq!(read("[toys.uncertainty]\n").1, 1);
    let text = "[toys.uncertainty]\nshape = \"normal\"\nstatistic = 3\nstatistical = -1\ntemplates.b = true\n\
                templates.c = \"no-such-file\"\n";
    assert_eq!(read(text).1, 5);
}

fn plane() -> Windows {
    Windows::plane(vec![0., 1., 2.], vec![0., 1., 2., 3.], &[0..2, 1..3]).unwrap()
}

#[test]
fn values_are_spread_over_rows_and_cells() {
    let expectation = Expectation::given(vec![4.0, 0.0, 1.0, 1.0, 1.0, 1.0], Some(vec![1.0; 6])).unwrap();
    let text = "[toys.uncertainty]\nstatistical = \"expectation\"\n\
                templates = { all = 0.1, rows = [0.1, -0.2], cells = [0.1, 0.2, 0.3, 0.4, 0.5, 6] }\n";
    let error = read(text).0.unwrap().resolve(&plane(), &expectation).unwrap_err().to_string();
    assert!(error.contains("cell 5 is uncertain by"), "{error}");
    let uncertainty = read(&text.replace(" 6]", " 0.6]")).0.unwrap().resolve(&plane(), &expectation).unwrap();
    assert_eq!(uncertainty.statistical(), [0.25, 0.0, 1.0, 1.0, 1.0, 1.0]);
    let relative: Vec<&[f64]> = uncertainty.templates().iter().map(|template| &template.relative[..]).collect();
    assert_eq!(relative, [&[0.1; 6][..], &[0.1, 0.1, 0.1, -0.2, -0.2, -0.2], &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]]);
}

#[test]
fn what_fits_neither_rows_nor_cells_is_refused() {
    let expectation = Expectation::given(vec![1.0; 6], None).unwrap();
    let text = "[toys.uncertainty]\nstatistical = \"expectation\"\ntemplates = { a = [1, 2, 3], b = [] }\n";
    let error = read(text).0.unwrap().resolve(&plane(), &expectation).unwrap_err();
    assert_eq!(error.problems().len(), 3, "{error}");
    assert!(error.to_string().contains("1, 2 (one a row) or 6 (one a cell) would fit"), "{error}");
}

#[test]
fn an_uncertainty_of_nothing_is_none() {
    for nothing in
        ["statistical = 0", "statistical = 0.0", "templates.a = 0", "statistical = 0\ntemplates.a = [0, 0.0]"]
    {
        let (settings, problems) = read(&format!("[toys.uncertainty]\n{nothing}\n"));
        assert!(settings.is_none() && problems == 0, "{nothing}: {settings:?}");
    }
    // Too few values are a mistake, not a way to switch a template off.
    for something in
        ["statistical = 0.01", "templates.a = []", "templates.a = [0, 0.1]", "statistical = \"expectation\""]
    {
        assert!(read(&format!("[toys.uncertainty]\n{something}\n")).0.is_some(), "{something}");
    }
}

#[test]
fn files_hold_numbers_and_comments() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    std::fs::write(&path, "# shifts\n0.1, -0.2 # two\n\n0.3\t1e-1\n").unwrap();
    let text = "[toys.uncertainty]\ntemplates.a = \"a.csv\"\n";
    let document = Document::parse("card.toml", text, &[]).unwrap();
    let section = document.root().section("toys").section("uncertainty");
    let settings = UncertaintySettings::read(&section, folder.path()).unwrap();
    assert_eq!(settings.files().collect::<Vec<_>>(), [path.as_path()]);
    assert_eq!(settings.templates[0].1.values, [0.1, -0.2, 0.3, 0.1]);
    std::fs::write(&path, "0.1 O.2\n0.3 x\n").unwrap();
    assert!(UncertaintySettings::read(&section, folder.path()).unwrap().templates.is_empty());
    let error = document.finish().unwrap_err();
    assert_eq!(error.problems().len(), 2);
    assert!(error.to_string().contains("a.csv:1: 'O.2' is no number"), "{error}");
}
