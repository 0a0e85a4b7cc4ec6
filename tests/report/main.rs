//! Reports stay well-formed XML whatever they are fed, and say what they were given.
//!
//! The sample page is left in `target/tmp/report/` for a look.

mod sample;
mod xml;

use trawl::report::plot::{DistributionsPlot, PlaneCell, Plot, SpectrumPlot, TomographyWindow};
use trawl::report::svg::Spacing;
use trawl::report::{Answer, Cutflow, CutflowRow, Fact, Figure, InputFile, LeftOut, ReportData, StageTiming};

/// The body of the page without its XML-foreign first line.
fn parsed(page: &str) -> xml::Tree {
    let page = page.strip_prefix("<!DOCTYPE html>\n").expect("the page says what it is");
    xml::parse(page).unwrap_or_else(|why| panic!("{why}"))
}

fn picture(plot: &Plot) -> xml::Tree {
    let text = plot.svg();
    for word in ["NaN", "inf", "∞ ∞"] {
        let attributes_hold = text.split('"').skip(1).step_by(2).any(|value| value.contains(word));
        assert!(!attributes_hold, "an attribute holds {word}");
    }
    let start = text.find("<svg").expect("an svg element");
    xml::parse(&text[start..]).unwrap_or_else(|why| panic!("{why}\n{text}"))
}

#[test]
fn sample_page_holds_what_it_was_given_and_nothing_from_elsewhere() {
    let report = sample::report();
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, text) in report.texts() {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let page = report.html();
    let tree = parsed(&page);
    assert_eq!(tree.count("svg"), 5);
    assert_eq!(tree.count("script"), 0);
    assert_eq!(tree.count("link") + tree.count("img") + tree.count("iframe"), 0);
    for address in tree.attributes("href") {
        assert!(address.starts_with("./"), "{address}");
    }
    assert!(!page.contains("@import") && !page.contains("src="));
    let words = tree.text();
    for expected in ["2.31", "leading pT > 500 GeV", "data.parquet", "e3b0c442", "[toys]", "toys.number=100000"] {
        assert!(words.contains(expected), "the page lacks {expected:?}");
    }
    // 1539 cells, each with a title that says where it is.
    assert!(tree.count("title") > 1539);
}

#[test]
fn ids_are_unique_in_a_page() {
    let tree = parsed(&sample::report().html());
    let mut ids = tree.attributes("id");
    let all = ids.len();
    assert!(all >= 4);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn style_needs_no_escaping() {
    // HTML takes the text of <style> as it is: an escaped character would arrive as an entity.
    let page = sample::report().html();
    let (_, rest) = page.split_once("<style>").unwrap();
    let (style, _) = rest.split_once("</style>").unwrap();
    assert!(!style.contains('&'), "{style}");
}

#[test]
fn hostile_words_are_escaped_everywhere() {
    let evil = "</style></title><script>alert(\"1\")</script>&'\u{0}_{x}^{y}*z*";
    let mut report = sample::report();
    report.title = evil.into();
    report.description = evil.into();
    report.answer = Answer { headline: evil.into(), facts: vec![Fact::new(evil, evil)], ..Answer::default() };
    report.card = evil.into();
    report.overrides = vec![evil.into()];
    report.provenance = vec![Fact::new(evil, evil)];
    report.cutflows = vec![Cutflow {
        sample: evil.into(),
        rows: vec![CutflowRow {
            cut: evil.into(),
            events: 0,
            sum_of_weights: f64::NAN,
            error: f64::INFINITY,
            efficiency: f64::INFINITY,
            relative_efficiency: f64::NAN,
        }],
    }];
    report.stages = vec![StageTiming { name: evil.into(), seconds: 0.0, units: 3, unit: evil.into() }];
    report.inputs = vec![InputFile {
        sample: evil.into(),
        path: evil.into(),
        bytes: u64::MAX,
        rows: Some(u64::MAX),
        sha256: evil.into(),
    }];
    report.left_out =
        vec![LeftOut { window: evil.into(), expected: f64::NAN, observed: 0.0, reason: evil.into() }; 100];
    for figure in &mut report.figures {
        figure.title = evil.into();
        figure.caption = evil.into();
        match &mut figure.plot {
            Plot::Spectrum(plot) => (plot.label.tag, plot.observed_name) = (evil.into(), evil.into()),
            Plot::Distributions(plot) => (plot.amount, plot.curves[0].name) = (evil.into(), evil.into()),
            Plot::Plane(plot) => plot.column_axis.quantity = evil.into(),
            Plot::Maximum(plot) => plot.p_value = evil.into(),
            Plot::Tomography(plot) => plot.axis.unit = Some(evil.into()),
            Plot::Convergence(plot) => plot.p_value = evil.into(),
            Plot::History(plot) => plot.label.tag = evil.into(),
        }
    }
    let tree = parsed(&report.html());
    assert_eq!(tree.count("script"), 0);
    assert_eq!(tree.count("style"), 1);
}

#[test]
fn empty_report_is_a_page() {
    let tree = parsed(&ReportData::default().html());
    assert_eq!((tree.count("h1"), tree.count("svg"), tree.count("section")), (1, 0, 0));
}

#[test]
fn numbers_that_are_not_finite_never_reach_an_attribute() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0, f64::MAX, f64::MIN_POSITIVE] {
        let mut spectrum = sample::spectrum();
        spectrum.observed[3] = value;
        spectrum.expected[4] = value;
        spectrum.expected_error[5] = value;
        spectrum.pulls[6] = value;
        spectrum.edges[7] = value;
        spectrum.marked = Some((value, value));
        picture(&Plot::Spectrum(spectrum));

        let mut distributions = sample::distributions();
        for curve in &mut distributions.curves {
            curve.values[3] = value;
            curve.intervals[4] = (value, value);
        }
        distributions.edges[5] = value;
        for vertical in [Spacing::Linear, Spacing::Logarithmic] {
            picture(&Plot::Distributions(DistributionsPlot { vertical, ..distributions.clone() }));
        }

        let mut plane = sample::plane();
        plane.cells[5] = PlaneCell::Tested { observed: value, expected: value, ln_p: value, significance: value };
        plane.cells[6] = PlaneCell::LeftOut { observed: value, expected: value };
        plane.column_edges[2] = value;
        plane.row_windows[2] = (value, value);
        picture(&Plot::Plane(plane));

        let mut maximum = sample::maximum();
        maximum.observed = value;
        maximum.edges[0] = value;
        picture(&Plot::Maximum(maximum));

        let mut convergence = sample::convergence();
        convergence.points[7].interval = (value, value);
        picture(&Plot::Convergence(convergence));

        let mut tomography = sample::tomography();
        tomography.range = (value, 1.0);
        tomography.windows.push(TomographyWindow {
            low: value,
            high: value,
            observed: value,
            expected: value,
            ln_p: value,
        });
        picture(&Plot::Tomography(tomography));
    }
}

#[test]
fn a_spectrum_without_an_expectation_has_one_panel_and_one_legend() {
    let mut spectrum = sample::spectrum();
    (spectrum.pulls, spectrum.marked) = (Vec::new(), None);
    let without = |spectrum: &SpectrumPlot| picture(&Plot::Spectrum(spectrum.clone())).text();
    let both = without(&spectrum);
    assert!(both.contains("Data") && both.contains("Smoothed simulation") && !both.contains("Significance"), "{both}");
    let expected = std::mem::take(&mut spectrum.expected);
    let data = without(&spectrum);
    assert!(data.contains("Data") && !data.contains("Smoothed simulation"), "{data}");
    (spectrum.expected, spectrum.observed) = (expected, Vec::new());
    let simulation = without(&spectrum);
    assert!(!simulation.contains("Data") && simulation.contains("Smoothed simulation"), "{simulation}");
}

#[test]
fn nothing_one_and_zero_can_be_drawn() {
    let mut spectrum = sample::spectrum();
    (spectrum.edges, spectrum.observed) = (vec![1.0, 2.0], vec![0.0]);
    (spectrum.expected, spectrum.pulls, spectrum.expected_error) = (vec![0.0], vec![0.0], vec![]);
    let one = picture(&Plot::Spectrum(spectrum.clone()));
    assert!(one.text().contains("Events / 1 GeV"), "{}", one.text());
    spectrum.edges.clear();
    picture(&Plot::Spectrum(spectrum.clone()));
    assert_eq!(Plot::Spectrum(spectrum).csv().lines().count(), 1);

    let mut plane = sample::plane();
    plane.cells.clear();
    assert!(picture(&Plot::Plane(plane.clone())).text().contains("1\u{202f}539 of 1\u{202f}539 left out"));
    plane.row_windows.clear();
    picture(&Plot::Plane(plane.clone()));
    plane.column_edges.clear();
    picture(&Plot::Plane(plane));

    let mut maximum = sample::maximum();
    maximum.toys.fill(0);
    picture(&Plot::Maximum(maximum.clone()));
    (maximum.toys, maximum.edges) = (vec![], vec![]);
    picture(&Plot::Maximum(maximum));

    let mut convergence = sample::convergence();
    convergence.points.truncate(1);
    picture(&Plot::Convergence(convergence.clone()));
    convergence.points[0].toys = 0;
    picture(&Plot::Convergence(convergence.clone()));
    convergence.points.clear();
    picture(&Plot::Convergence(convergence.clone()));
    assert_eq!(Plot::Convergence(convergence).csv().lines().count(), 1);

    let mut tomography = sample::tomography();
    tomography.windows.truncate(1);
    picture(&Plot::Tomography(tomography.clone()));
    tomography.windows.clear();
    picture(&Plot::Tomography(tomography));
}

#[test]
fn probabilities_below_the_range_of_f64_are_drawn_and_told() {
    let mut tomography = sample::tomography();
    tomography.windows[0].ln_p = -1000.0 * std::f64::consts::LN_10;
    let words = picture(&Plot::Tomography(tomography)).text();
    assert!(words.contains("10\u{207b}\u{b9}\u{2070}\u{2070}\u{2070}"), "{words}");
}

#[test]
fn csv_repeats_the_numbers() {
    let plane = sample::plane();
    let csv = Plot::Plane(plane.clone()).csv();
    assert_eq!(csv.lines().count(), 1 + 27 * 57);
    let columns: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    assert!(csv.lines().all(|line| line.split(',').count() == columns.len()));
    let tested = csv.lines().skip(1).filter(|line| line.split(',').nth(6) == Some("1")).count();
    assert_eq!(tested, plane.cells.iter().filter(|cell| matches!(cell, PlaneCell::Tested { .. })).count());
}

#[test]
fn figures_come_as_files() {
    let report = ReportData {
        figures: vec![Figure::new("tomography", "Scan", "", Plot::Tomography(sample::tomography()))],
        ..ReportData::default()
    };
    let texts = report.texts();
    assert_eq!(texts[0].0, "tomography.svg");
    assert!(texts[0].1.starts_with("<?xml"));
    assert_eq!(texts[1].1.lines().next(), Some("low,high,observed,expected,ln_p"));
    assert!(texts[2].1.contains("./tomography.csv"));
}
