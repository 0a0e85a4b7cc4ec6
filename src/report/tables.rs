//! The tables of the page.

use super::data::{Cutflow, DataFile, Fact, InputFile, LeftOut, ReportData, StageTiming};
use super::markup::{Dialect, Element};
use super::number;

/// So many left-out windows are listed on the page; the CSV of the plane lists all.
const LISTED: usize = 60;

/// How a column is set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Words,
    Number,
    /// Fixed-width, may break anywhere: checksums.
    Digest,
}

impl Column {
    fn class(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Number => "number",
            Self::Digest => "digest",
        }
    }
}

/// A cell: plain text or rich.
enum Cell {
    Plain(String),
    Rich(String),
}

fn table(columns: &[(&str, Column)], rows: impl IntoIterator<Item = Vec<Cell>>) -> Element {
    let head = columns.iter().map(|(name, column)| Element::new("th").with("class", column.class()).text(name));
    let body = rows.into_iter().map(|row| {
        let cells = row.into_iter().zip(columns).map(|(cell, (_, column))| {
            let element = Element::new("td").with("class", column.class());
            match cell {
                Cell::Plain(text) => element.text(text),
                Cell::Rich(text) => element.rich(&text, Dialect::Html),
            }
        });
        Element::new("tr").children(cells)
    });
    let head = Element::new("thead").child(Element::new("tr").children(head));
    let table = Element::new("table").child(head).child(Element::new("tbody").children(body));
    Element::new("div").with("class", "wide").child(table)
}

pub(super) fn cutflow(flow: &Cutflow) -> Element {
    let columns = [
        ("cut", Column::Words),
        ("events", Column::Number),
        ("sum of weights", Column::Number),
        ("± stat.", Column::Number),
        ("of all", Column::Number),
        ("of before", Column::Number),
    ];
    let percent = |share: f64| {
        let digits = match 100.0 * share {
            small if small > 0.0 && small < 0.1 => number::significant(small, 2),
            large => number::fixed(large, 2),
        };
        Cell::Rich(if share.is_nan() { "–".into() } else { format!("{digits} %") })
    };
    let rows = flow.rows.iter().map(|row| {
        let decimals = decimals_of(row.error);
        vec![
            Cell::Plain(row.cut.clone()),
            Cell::Plain(number::count(row.events)),
            Cell::Rich(number::fixed(row.sum_of_weights, decimals)),
            Cell::Rich(number::fixed(row.error, decimals)),
            percent(row.efficiency),
            percent(row.relative_efficiency),
        ]
    });
    table(&columns, rows)
}

/// Decimals that show two digits of an error, two at least: signals of small cross sections have weights far below 0.01.
fn decimals_of(error: f64) -> usize {
    let first = if error > 0.0 { -error.log10().floor() } else { 0.0 };
    (first as usize + 1).clamp(2, 12)
}

pub(super) fn timings(stages: &[StageTiming]) -> Element {
    let columns =
        [("stage", Column::Words), ("wall time", Column::Number), ("units", Column::Number), ("rate", Column::Number)];
    let rows = stages.iter().map(|stage| {
        let (units, rate) = if stage.units == 0 {
            ("–".into(), "–".into())
        } else {
            let rate = stage.units as f64 / stage.seconds;
            // Above a thousand a second, whole units in groups of three are read more easily than digits in a row.
            let rate = if (1e3..1e15).contains(&rate) {
                number::count(rate.round() as u64)
            } else {
                number::significant(rate, 3)
            };
            (format!("{} {}", number::count(stage.units), stage.unit), format!("{rate} {} / s", stage.unit))
        };
        vec![
            Cell::Plain(stage.name.clone()),
            Cell::Rich(number::seconds(stage.seconds)),
            Cell::Plain(units),
            Cell::Rich(rate),
        ]
    });
    let total = stages.iter().map(|stage| stage.seconds).sum();
    let last = vec![
        Cell::Plain("all stages".into()),
        Cell::Rich(number::seconds(total)),
        Cell::Plain(String::new()),
        Cell::Plain(String::new()),
    ];
    table(&columns, rows.chain(std::iter::once(last)))
}

pub(super) fn inputs(files: &[InputFile]) -> Element {
    let columns = [
        ("sample", Column::Words),
        ("file", Column::Words),
        ("size", Column::Number),
        ("rows", Column::Number),
        ("sha256", Column::Digest),
    ];
    let rows = files.iter().map(|file| {
        vec![
            Cell::Plain(file.sample.clone()),
            Cell::Plain(file.path.clone()),
            Cell::Plain(number::bytes(file.bytes)),
            Cell::Plain(file.rows.map_or("–".into(), number::count)),
            Cell::Plain(file.sha256.clone()),
        ]
    });
    table(&columns, rows)
}

pub(super) fn left_out(windows: &[LeftOut]) -> Element {
    let columns =
        [("window", Column::Words), ("expected", Column::Number), ("observed", Column::Number), ("why", Column::Words)];
    let rows = windows.iter().take(LISTED).map(|window| {
        vec![
            Cell::Rich(window.window.clone()),
            Cell::Rich(number::significant(window.expected, 3)),
            Cell::Rich(number::significant(window.observed, 6)),
            Cell::Plain(window.reason.clone()),
        ]
    });
    let mut part = Element::new("div").child(table(&columns, rows));
    if windows.len() > LISTED {
        let rest = number::count((windows.len() - LISTED) as u64);
        part.push(Element::new("p").text(format!("… and {rest} more, all of them in the CSV file of the plot.")));
    }
    part
}

pub(super) fn facts(facts: &[Fact]) -> Element {
    let rows = facts.iter().map(|fact| {
        Element::new("tr")
            .child(Element::new("th").with("class", "words").rich(&fact.name, Dialect::Html))
            .child(Element::new("td").with("class", "words").rich(&fact.value, Dialect::Html))
    });
    Element::new("div").with("class", "wide").child(Element::new("table").child(Element::new("tbody").children(rows)))
}

pub(super) fn files(report: &ReportData) -> Element {
    let figures = report.figures.iter().flat_map(|figure| {
        let title = super::rich::plain(&figure.title);
        [("csv", "the numbers of"), ("svg", "the picture of")].map(|(ending, what)| DataFile {
            path: format!("{}.{ending}", figure.name),
            holds: format!("{what} ‘{title}’"),
        })
    });
    let rows = figures.chain(report.files.iter().cloned()).map(|file| {
        Element::new("tr")
            .child(Element::new("td").with("class", "words").child(link(&file.path)))
            .child(Element::new("td").with("class", "words").text(&file.holds))
    });
    Element::new("div").with("class", "wide").child(Element::new("table").child(Element::new("tbody").children(rows)))
}

/// A link to a file beside the page.
pub(super) fn link(path: &str) -> Element {
    let mut address = String::from("./");
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                address.push(char::from(byte))
            }
            _ => address.push_str(&format!("%{byte:02X}")),
        }
    }
    Element::new("a").with("href", address).text(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_keep_two_digits() {
        assert_eq!([0.0, 1e3, 0.5, 0.043, 2.4e-5, 1e-300].map(decimals_of), [2, 2, 2, 3, 6, 12]);
    }
}
