//! The variables that a card has drawn beside what it searches: `[distributions]`, and the `[classes]` they are split into.
//!
//! ```toml
//! [classes]                  # of events: truth where there is any
//! variable = "truth"         # of [define]: 0 of the first class, 1 of the second
//! names = ["background", "signal"]
//!
//! [distributions]            # variables of [define]
//! m_jj = { low = 2000, high = 8000, bins = 60, unit = "GeV" }
//! tau21_1 = { low = 0, high = 1, bins = 25, shown = "fraction" }
//! ```

use super::events::find_variable;
use crate::error::Result;
use crate::math::exact::WeightScale;
use crate::selection::Selection;
use crate::settings::Section;
use crate::spectrum::{Axis, Fill, Filling};

/// What is drawn beside the search.
#[derive(Debug, Clone, Default)]
pub struct Distributions {
    /// The variables, in the order of the card.
    pub variables: Vec<Distribution>,
    /// The classes that each is split into.
    pub classes: Option<Classes>,
}

/// A variable that is drawn.
#[derive(Debug, Clone)]
pub struct Distribution {
    /// Its position in the selection.
    pub variable: usize,
    /// Its name, unit and bins.
    pub axis: Axis,
    /// What stands on the other axis.
    pub shown: Shown,
}

/// What a distribution shows of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shown {
    /// Their number, or the sum of their weights.
    #[default]
    Events,
    /// Their share of all that are in a bin, so that shapes can be compared.
    Fraction,
}

/// Classes of events by the value of a variable, rounded to a whole number: 0, 1 and so on.
#[derive(Debug, Clone, PartialEq)]
pub struct Classes {
    /// The position of the variable in the selection.
    pub variable: usize,
    /// Their names.
    pub names: Vec<String>,
    /// A bin for each.
    pub axis: Axis,
}

impl Distributions {
    /// Reads `[distributions]` and `[classes]`.
    pub(super) fn read(root: &Section, selection: Option<&Selection>) -> Option<Self> {
        let sections = root.named_sections("distributions");
        let classes = root.section("classes");
        if classes.is_present() && sections.is_empty() {
            root.problem("classes", "distributions are split into classes, and the card has no [distributions]");
        }
        let classes = classes.is_present().then(|| Classes::read(&classes, selection));
        let variables: Vec<_> =
            sections.iter().map(|(name, section)| Distribution::read(name, section, root, selection)).collect();
        let classes = match classes {
            Some(read) => Some(read?),
            None => None,
        };
        let read = Self { variables: variables.into_iter().collect::<Option<_>>()?, classes };
        root.section("distributions").check(read.fillings()).map(|_| read)
    }

    /// The histograms that are filled; of classes, their axis is the first.
    ///
    /// # Errors
    /// More than 2^31 bins.
    pub fn fillings(&self) -> Result<Vec<Filling>> {
        let filling = |distribution: &Distribution| {
            let class = self.classes.as_ref().map(|classes| (classes.axis.clone(), classes.variable));
            let (axes, variables) =
                class.into_iter().chain([(distribution.axis.clone(), distribution.variable)]).unzip();
            Ok(Filling { fill: Fill::new(axes, WeightScale::UNIT)?, variables })
        };
        self.variables.iter().map(filling).collect()
    }
}

impl Distribution {
    fn read(name: &str, section: &Section, root: &Section, selection: Option<&Selection>) -> Option<Self> {
        let variable = selection.and_then(|known| find_variable(&root.section("distributions"), name, name, known));
        let axis = Axis::read(name, section);
        let shown = section.choice("shown", &[("events", Shown::Events), ("fraction", Shown::Fraction)], Shown::Events);
        Some(Self { variable: variable?, axis: axis?, shown })
    }
}

impl Classes {
    fn read(section: &Section, selection: Option<&Selection>) -> Option<Self> {
        let name: Option<String> = section.required("variable");
        let names: Option<Vec<String>> = section.required("names");
        let variable =
            selection.zip(name.as_ref()).and_then(|(known, name)| find_variable(section, "variable", name, known));
        let names = names?;
        let said = |name: &String| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_. ".contains(c));
        let twice = names.iter().enumerate().any(|(place, name)| names[..place].contains(name));
        if names.is_empty() || twice || !names.iter().all(said) {
            let why = "expected a list of different names of letters, digits, '-', '_', '.' and spaces";
            section.problem("names", why);
            return None;
        }
        // Class k is around the number k.
        let axis = Axis::regular(name?, "", names.len() as u32, -0.5, names.len() as f64 - 0.5);
        Some(Self { variable: variable?, axis: section.check(axis)?, names })
    }
}
