//! The functions of the language.

use crate::error::nearest;

/// A function; its name is [`Function::name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Absolute,
    SquareRoot,
    Exponential,
    Logarithm,
    Sine,
    Cosine,
    HyperbolicSine,
    HyperbolicCosine,
    ArcTangent,
    Hypotenuse,
    Minimum,
    Maximum,
    Power,
    Floor,
    DeltaPhi,
    DeltaR,
    TransverseMass,
    Otherwise,
    Finite,
    Where,
    SplitFold,
    Count,
    Any,
    All,
    Sum,
    PlaceOfMinimum,
    PlaceOfMaximum,
    Momentum,
    Mass,
    Pt,
    Eta,
    Phi,
    Rapidity,
    Separation,
}

/// Every function: its name, the fewest and the most values that it takes, and how it is written.
const FUNCTIONS: [(Function, &str, usize, usize, &str); 34] = [
    (Function::Absolute, "abs", 1, 1, "abs(x)"),
    (Function::SquareRoot, "sqrt", 1, 1, "sqrt(x)"),
    (Function::Exponential, "exp", 1, 1, "exp(x)"),
    (Function::Logarithm, "log", 1, 1, "log(x)"),
    (Function::Sine, "sin", 1, 1, "sin(x)"),
    (Function::Cosine, "cos", 1, 1, "cos(x)"),
    (Function::HyperbolicSine, "sinh", 1, 1, "sinh(x)"),
    (Function::HyperbolicCosine, "cosh", 1, 1, "cosh(x)"),
    (Function::ArcTangent, "atan2", 2, 2, "atan2(y, x)"),
    (Function::Hypotenuse, "hypot", 2, 2, "hypot(x, y)"),
    (Function::Minimum, "min", 1, MANY, "min(x, y) or min(jet.pt)"),
    (Function::Maximum, "max", 1, MANY, "max(x, y) or max(jet.pt)"),
    (Function::Power, "pow", 2, 2, "pow(x, y)"),
    (Function::Floor, "floor", 1, 1, "floor(x)"),
    (Function::DeltaPhi, "deltaPhi", 2, 2, "deltaPhi(a, b)"),
    (Function::DeltaR, "deltaR", 2, 2, "deltaR(jet[0], jet[1])"),
    (Function::TransverseMass, "transverseMass", 2, 2, "transverseMass(a, b)"),
    (Function::Otherwise, "otherwise", 2, 2, "otherwise(x, fallback)"),
    (Function::Finite, "finite", 1, 1, "finite(x)"),
    (Function::Where, "where", 3, 3, "where(condition, a, b)"),
    (Function::SplitFold, "fold", 1, 1, "fold(5)"),
    (Function::Count, "count", 1, 1, "count(jet) or count(jet.pt > 50)"),
    (Function::Any, "any", 1, 1, "any(jet.pt > 50)"),
    (Function::All, "all", 1, 1, "all(jet.pt > 50)"),
    (Function::Sum, "sum", 1, 1, "sum(jet.pt) or sum(jet)"),
    (Function::PlaceOfMinimum, "argmin", 1, 1, "argmin(jet.pt)"),
    (Function::PlaceOfMaximum, "argmax", 1, 1, "argmax(jet.pt)"),
    (Function::Momentum, "momentum", 4, 4, "momentum(pt, eta, phi, mass)"),
    (Function::Mass, "mass", 1, 1, "mass(jet[0] + jet[1])"),
    (Function::Pt, "pt", 1, 1, "pt(jet[0] + jet[1])"),
    (Function::Eta, "eta", 1, 1, "eta(jet[0] + jet[1])"),
    (Function::Phi, "phi", 1, 1, "phi(jet[0] + jet[1])"),
    (Function::Rapidity, "rapidity", 1, 1, "rapidity(jet[0] + jet[1])"),
    (Function::Separation, "separation", 1, 1, "separation(lepton)"),
];

/// Any number of values.
const MANY: usize = 1000;

/// What other tools call it, in small letters.
const FOREIGN: [(&str, &str); 20] = [
    ("len", "count"),
    ("length", "count"),
    ("size", "count"),
    ("num", "count"),
    ("dr", "deltaR"),
    ("dphi", "deltaPhi"),
    ("mt", "transverseMass"),
    ("transverse_mass", "transverseMass"),
    ("m", "mass"),
    ("invariantmass", "mass"),
    ("y", "rapidity"),
    ("fabs", "abs"),
    ("ln", "log"),
    ("if", "where"),
    ("ifelse", "where"),
    ("atan", "atan2"),
    ("power", "pow"),
    ("isfinite", "finite"),
    ("fill_none", "otherwise"),
    ("coalesce", "otherwise"),
];

impl Function {
    pub(crate) fn named(name: &str) -> Option<Self> {
        FUNCTIONS.iter().find(|(_, known, ..)| *known == name).map(|row| row.0)
    }

    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        FUNCTIONS.iter().map(|row| row.1)
    }

    fn row(self) -> &'static (Function, &'static str, usize, usize, &'static str) {
        // Every function has its row: a test walks the table.
        FUNCTIONS.iter().find(|row| row.0 == self).unwrap_or(&FUNCTIONS[0])
    }

    pub(crate) fn name(self) -> &'static str {
        self.row().1
    }

    /// How it is written, for messages.
    pub(crate) fn usage(self) -> &'static str {
        self.row().4
    }

    /// What is wrong with that many values.
    pub(crate) fn refuse(self, values: usize) -> Option<String> {
        let (_, name, fewest, most, usage) = self.row();
        if (*fewest..=*most).contains(&values) {
            return None;
        }
        let takes = match (*fewest, *most) {
            (1, MANY) => "one value or more".to_owned(),
            (1, _) => "one value".to_owned(),
            (number, _) => format!("{number} values"),
        };
        Some(format!("{name} takes {takes}, got {values}: {usage}"))
    }

    /// The nearest name, for a word that is none.
    pub(crate) fn nearest(word: &str) -> Option<&'static str> {
        let small = word.to_ascii_lowercase();
        let foreign = FOREIGN.iter().find(|(theirs, _)| *theirs == small).map(|(_, ours)| *ours);
        foreign
            .or_else(|| Self::names().find(|name| name.eq_ignore_ascii_case(word)))
            .or_else(|| nearest(word, Self::names()))
    }
}
