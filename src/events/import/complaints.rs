//! What is wrong with one input file: the first mistakes in words, and how many there are.

use std::path::Path;

use super::NAME;
use crate::error::{Error, Fault};

/// Mistakes of one file that are told one by one; a file of another format has one in every line.
const TOLD: usize = 20;

/// The mistakes of one file.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    told: Vec<(String, String)>,
    untold: u64,
}

impl Complaints {
    /// Adds a mistake at a `place` of the file (`line 7`).
    pub fn push(&mut self, place: impl Into<String>, why: impl Into<String>) {
        match self.told.len() < TOLD {
            true => self.told.push((place.into(), why.into())),
            false => self.untold += 1,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// The mistakes as faults of the data in `path`.
    pub fn faults(self, path: &Path) -> Vec<Error> {
        let file = path.display();
        let told = self.told.into_iter().map(|(place, why)| {
            Fault::new(NAME, format!("{place} of '{file}' cannot be imported")).because(why).data()
        });
        let untold = (self.untold > 0)
            .then(|| Fault::new(NAME, format!("and {} more mistakes in '{file}'", self.untold)).data());
        told.chain(untold).collect()
    }
}
