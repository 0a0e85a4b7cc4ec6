//! Edges as CSV: `axis,low_gev,high_gev`.

use super::NAME;
use crate::error::{Fault, Problems, Result};

/// What a CSV file of edges holds.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) label: String,
    pub(super) m_y_edges_gev: Vec<f64>,
    pub(super) m_x_windows_gev: Vec<(f64, f64)>,
    pub(super) contains_gev: Vec<(f64, f64)>,
}

pub(super) fn read(file: &str, text: &str) -> Result<Rows> {
    let (mut rows, mut problems) = (Rows { label: "unlabelled".into(), ..Rows::default() }, Problems::default());
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix('#') {
            if number == 0 {
                comment.trim().clone_into(&mut rows.label);
            }
            continue;
        }
        if line.is_empty() || line == "axis,low_gev,high_gev" {
            continue;
        }
        if let Err(why) = rows.push(line) {
            let fault = Fault::new(NAME, format!("{file}:{}: {why}", number + 1));
            problems.push(fault.because("a line is axis,low_gev,high_gev with the axis m_y, m_x or contains").usage());
        }
    }
    problems.finish()?;
    Ok(rows)
}

impl Rows {
    fn push(&mut self, line: &str) -> Result<(), String> {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let [axis, low, high] = fields[..] else { return Err(format!("{} fields", fields.len())) };
        let number = |field: &str| field.parse::<f64>().map_err(|_| format!("'{field}' is no number"));
        let (low, high) = (number(low)?, number(high)?);
        match axis {
            "m_x" => self.m_x_windows_gev.push((low, high)),
            "contains" => self.contains_gev.push((low, high)),
            "m_y" => {
                if self.m_y_edges_gev.is_empty() {
                    self.m_y_edges_gev.push(low);
                }
                // Bins share their edges; a gap would lose events.
                if self.m_y_edges_gev.last() != Some(&low) {
                    return Err(format!("the m_Y bin [{low}, {high}] does not begin where the last one ends"));
                }
                self.m_y_edges_gev.push(high);
            }
            other => return Err(format!("unknown axis '{other}'")),
        }
        Ok(())
    }
}
