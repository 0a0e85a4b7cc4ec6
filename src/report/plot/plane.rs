//! The local significance in a plane: one column a bin, one row a window. Windows overlap, so that rows are listed, not
//! drawn to scale.

use std::fmt::Write;

use crate::report::markup::Element;
use crate::report::number;
use crate::report::rich;
use crate::report::svg::panel::{LABEL_SIZE, PlotLabel, TITLE_SIZE};
use crate::report::svg::shapes::{self, Anchor, INK};
use crate::report::svg::{AxisTitle, Scale, Spacing, colour, ticks};

const WIDTH: f64 = 860.0;
/// Left and right side of the map.
const SIDES: (f64, f64) = (150.0, 740.0);
/// Top of the map for a label without small print.
const TOP: f64 = 64.0;
/// What each line of small print moves it down.
const LINE: f64 = 20.0;
/// Height of the map for many rows; few rows get `TALLEST_ROW` each.
const MAP_HEIGHT: f64 = 600.0;
const TALLEST_ROW: f64 = 40.0;
/// The colour scale reaches at least this significance, so that a dull plane looks dull.
const LEAST_TOP: f64 = 3.0;
/// Beyond this significance all cells share the darkest colour.
const MOST_TOP: f64 = 10.0;

/// A plane of windows. Cells that are missing count as left out.
#[derive(Debug, Clone)]
pub struct PlaneMap {
    /// The label at the top left.
    pub label: PlotLabel,
    /// The quantity of the columns.
    pub column_axis: AxisTitle,
    /// The `c + joined` edges of the bins: a column holds as many adjacent bins as are joined, from its own on.
    pub column_edges: Vec<f64>,
    /// The number of bins that each column joins.
    pub joined: usize,
    /// The quantity of the rows.
    pub row_axis: AxisTitle,
    /// Low and high edge of each of the `r` windows, from the bottom up.
    pub row_windows: Vec<(f64, f64)>,
    /// `r * c` cells, the columns of the first row first.
    pub cells: Vec<PlaneCell>,
    /// Row and column of the most significant window.
    pub largest: Option<(usize, usize)>,
}

/// One window of the plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PlaneCell {
    /// It was tested.
    Tested {
        /// The observed count.
        observed: f64,
        /// The expected count.
        expected: f64,
        /// The natural logarithm of the local p-value.
        ln_p: f64,
        /// The local significance; zero or below for a deficit.
        significance: f64,
    },
    /// Its expectation was too small or too uncertain to be tested.
    LeftOut {
        /// The observed count.
        observed: f64,
        /// The expected count.
        expected: f64,
    },
}

/// The places of the cells on the page.
struct Grid {
    column: f64,
    row: f64,
    top: f64,
    bottom: f64,
}

impl Grid {
    fn cell(&self, row: usize, column: usize) -> (f64, f64) {
        (SIDES.0 + self.column * column as f64, self.bottom - self.row * (row + 1) as f64)
    }
}

impl PlaneMap {
    /// The picture.
    pub fn draw(&self, id: &str) -> Element {
        let (rows, columns) = (self.row_windows.len(), self.columns());
        let row = (MAP_HEIGHT / rows.max(1) as f64).min(TALLEST_ROW);
        let top = TOP + LINE * self.label.lines.len() as f64;
        let bottom = top + row * rows.max(1) as f64;
        let grid = Grid { column: (SIDES.1 - SIDES.0) / columns.max(1) as f64, row, top, bottom };
        let strongest = self.top_of_scale();
        let hatch = format!("{id}-left-out");
        let mut picture = shapes::picture(WIDTH, bottom + 70.0, "Local significance in the plane of bins and windows");
        picture.push(Element::new("defs").child(shapes::hatching(&hatch)));
        picture.push(self.label.draw(SIDES.0, 12.0));
        picture.push(self.cells(&grid, strongest, &hatch));
        let frame = shapes::rectangle(SIDES.0, top, SIDES.1 - SIDES.0, bottom - top);
        picture.push(frame.with("fill", "none").with("stroke", INK));
        picture.push(self.column_labels(&grid));
        picture.push(self.row_labels(&grid));
        picture.push(colour_bar(&grid, strongest));
        picture.push(self.notes(&grid, &hatch));
        picture
    }

    /// The numbers of every window; `tested` is 0 where it was left out.
    pub fn csv(&self) -> String {
        // Named by their quantities: what the picture calls a column, a card may call a row.
        let name = |axis: &AxisTitle| -> String {
            axis.quantity.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect()
        };
        let (x, y) = (name(&self.column_axis), name(&self.row_axis));
        let mut text = format!(
            "{x}_bin,{y}_window,{x}_low,{x}_high,{y}_low,{y}_high,tested,observed,expected,ln_p,significance\n"
        );
        for (row, column, cell) in self.all() {
            let (tested, observed, expected, ln_p, significance) = match cell {
                PlaneCell::Tested { observed, expected, ln_p, significance } => {
                    (1, observed, expected, ln_p, significance)
                }
                PlaneCell::LeftOut { observed, expected } => (0, observed, expected, f64::NAN, f64::NAN),
            };
            let (low, high) = self.row_windows[row];
            let (left, right) = (self.column_edges[column], self.column_edges[column + self.joined]);
            let edges = [left, right, low, high].map(number::csv).join(",");
            let numbers = [observed, expected, ln_p, significance].map(number::csv).join(",");
            let _ = writeln!(text, "{column},{row},{edges},{tested},{numbers}");
        }
        text
    }

    fn columns(&self) -> usize {
        self.column_edges.len().saturating_sub(self.joined)
    }

    fn all(&self) -> impl Iterator<Item = (usize, usize, PlaneCell)> {
        const MISSING: PlaneCell = PlaneCell::LeftOut { observed: f64::NAN, expected: f64::NAN };
        let columns = self.columns();
        (0..self.row_windows.len() * columns)
            .map(move |index| (index / columns, index % columns, self.cells.get(index).copied().unwrap_or(MISSING)))
    }

    fn top_of_scale(&self) -> f64 {
        let finite = self.cells.iter().filter_map(|cell| match cell {
            PlaneCell::Tested { significance, .. } if significance.is_finite() => Some(*significance),
            _ => None,
        });
        finite.fold(LEAST_TOP, f64::max).min(MOST_TOP)
    }

    fn cells(&self, grid: &Grid, strongest: f64, hatch: &str) -> Element {
        // Neighbours overlap by half a unit, or viewers let the ground shine through the seams.
        let (width, height) = (grid.column + 0.5, grid.row + 0.5);
        let mut group = Element::new("g").with("shape-rendering", "crispEdges");
        for (row, column, cell) in self.all() {
            let (x, y) = grid.cell(row, column);
            let fill = match cell {
                PlaneCell::Tested { significance, .. } => colour::of(significance / strongest),
                PlaneCell::LeftOut { .. } => format!("url(#{hatch})"),
            };
            let square = shapes::rectangle(x, y, width, height).with("fill", fill);
            group.push(square.child(shapes::hover(self.words(row, column, cell))));
        }
        group
    }

    fn words(&self, row: usize, column: usize, cell: PlaneCell) -> String {
        let verdict = match cell {
            PlaneCell::Tested { observed, expected, ln_p, significance } => format!(
                "observed {}, expected {}, p = {}, {} σ",
                number::significant(observed, 6),
                number::significant(expected, 4),
                number::probability(ln_p),
                number::fixed(significance, 2)
            ),
            PlaneCell::LeftOut { observed, expected } => format!(
                "left out (observed {}, expected {})",
                number::significant(observed, 6),
                number::significant(expected, 3)
            ),
        };
        rich::plain(&format!("{}\n{verdict}", self.place_words(row, column)))
    }

    fn place_words(&self, row: usize, column: usize) -> String {
        let range = |axis: &AxisTitle, low: f64, high: f64| {
            format!("{} {}–{}{}", axis.quantity, edge(low), edge(high), axis.after_number())
        };
        let (low, high) = self.row_windows[row];
        let columns = range(&self.column_axis, self.column_edges[column], self.column_edges[column + self.joined]);
        format!("{columns}, {}", range(&self.row_axis, low, high))
    }

    fn column_labels(&self, grid: &Grid) -> Element {
        let mut group = Element::new("g");
        let every = (46.0 / grid.column).ceil().max(1.0) as usize;
        // Columns that join bins overlap: each is named by where it begins.
        for (index, value) in self.column_edges.iter().take(self.columns() + 1).enumerate() {
            let x = SIDES.0 + grid.column * index as f64;
            let labelled = index % every == 0;
            let length = if labelled { 7.0 } else { 4.0 };
            group.push(shapes::line((x, grid.bottom), (x, grid.bottom + length)).with("stroke", INK));
            if labelled {
                group.push(shapes::label(x, grid.bottom + 22.0, 12.0, Anchor::Middle, &edge(*value)));
            }
        }
        group.child(shapes::label(SIDES.1, grid.bottom + 50.0, TITLE_SIZE, Anchor::End, &self.column_axis.rich()))
    }

    fn row_labels(&self, grid: &Grid) -> Element {
        let mut group = Element::new("g");
        let every = (20.0 / grid.row).ceil().max(1.0) as usize;
        for (index, (low, high)) in self.row_windows.iter().enumerate() {
            let y = grid.cell(index, 0).1 + grid.row / 2.0;
            let labelled = index % every == 0;
            let length = if labelled { 7.0 } else { 4.0 };
            group.push(shapes::line((SIDES.0 - length, y), (SIDES.0, y)).with("stroke", INK));
            if labelled {
                let words = format!("{}–{}", edge(*low), edge(*high));
                group.push(shapes::label(SIDES.0 - 11.0, y + 4.0, 12.0, Anchor::End, &words));
            }
        }
        let title = format!("Window in {}", self.row_axis.rich());
        group.child(shapes::upright(24.0, grid.top, TITLE_SIZE, Anchor::End, &title))
    }

    /// The outline of the most significant window, and in words above the map what it and the hatching mean.
    fn notes(&self, grid: &Grid, hatch: &str) -> Element {
        let mut group = Element::new("g");
        let (rows, columns) = (self.row_windows.len(), self.columns());
        if let Some((row, column)) = self.largest.filter(|(row, column)| *row < rows && *column < columns) {
            let (x, y) = grid.cell(row, column);
            for (grow, colour, stroke) in [(2.5, "#ffffff", "4"), (2.5, INK, "2")] {
                let outline = shapes::rectangle(x - grow, y - grow, grid.column + 2.0 * grow, grid.row + 2.0 * grow);
                group.push(outline.with("fill", "none").with("stroke", colour).with("stroke-width", stroke));
            }
            let cell = self.cells.get(row * columns + column);
            let size = match cell {
                Some(PlaneCell::Tested { significance, .. }) => format!(": {} σ", number::fixed(*significance, 2)),
                _ => String::new(),
            };
            let words = format!("Most significant{size} at {}", self.place_words(row, column));
            let frame = shapes::rectangle(SIDES.0 + 1.0, grid.top - 21.0, 16.0, 12.0);
            group.push(frame.with("fill", "none").with("stroke", INK).with("stroke-width", "2"));
            group.push(shapes::label(SIDES.0 + 26.0, grid.top - 10.0, LABEL_SIZE, Anchor::Start, &words));
        }
        let left_out = self.all().filter(|(_, _, cell)| matches!(cell, PlaneCell::LeftOut { .. })).count();
        if left_out > 0 {
            let words =
                format!("{} of {} left out", number::count(left_out as u64), number::count((rows * columns) as u64));
            let swatch = shapes::rectangle(SIDES.0, grid.bottom + 38.0, 18.0, 13.0);
            group.push(swatch.with("fill", format!("url(#{hatch})")).with("stroke", INK).with("stroke-width", "0.6"));
            group.push(shapes::label(SIDES.0 + 26.0, grid.bottom + 50.0, LABEL_SIZE, Anchor::Start, &words));
        }
        group
    }
}

/// An edge in as few digits as a reader needs: 51.5, 113, 1376.
fn edge(value: f64) -> String {
    let text = number::significant(value, 3);
    if text.contains('×') || !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn colour_bar(grid: &Grid, strongest: f64) -> Element {
    const LEFT: f64 = 762.0;
    const BAR: f64 = 20.0;
    const STEPS: usize = 60;
    let (top, bottom) = (grid.top, grid.bottom);
    let scale = Scale::new(Spacing::Linear, (0.0, strongest), (bottom, top));
    let mut group = Element::new("g");
    let height = (bottom - top) / STEPS as f64;
    for step in 0..STEPS {
        let fill = colour::of((step as f64 + 0.5) / STEPS as f64);
        let slice = shapes::rectangle(LEFT, bottom - height * (step + 1) as f64, BAR, height + 0.5);
        group.push(slice.with("fill", fill).with("shape-rendering", "crispEdges"));
    }
    group.push(shapes::rectangle(LEFT, top, BAR, bottom - top).with("fill", "none").with("stroke", INK));
    for tick in ticks::ticks(&scale, 30.0).major {
        let y = scale.place(tick.value);
        group.push(shapes::line((LEFT + BAR - 5.0, y), (LEFT + BAR, y)).with("stroke", INK));
        group.push(shapes::label(LEFT + BAR + 6.0, y + 5.0, LABEL_SIZE, Anchor::Start, &tick.label));
    }
    group.child(shapes::upright(WIDTH - 18.0, top, TITLE_SIZE, Anchor::End, "Local significance [σ]"))
}
