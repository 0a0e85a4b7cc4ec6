//! What can go wrong, said the same way everywhere: *problem (why it is one). suggestion*.
//!
//! [`Error`] has one variant for each *kind of fault*, because the kind decides the exit code; the text of a fault is a
//! [`Fault`], which names the operation. Checks collect every problem before they fail: see [`Problems`].

use std::fmt;
use std::path::{Path, PathBuf};

/// The result of every fallible function of the library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One problem in words: where, what, why it matters, what to do.
///
/// ```
/// use trawl::error::Fault;
/// let fault = Fault::new("events.read", "column 'FatJet_pt' is missing in a.parquet")
///     .because("the object 'jet' is built from it")
///     .suggest("Did you mean 'Jet_pt'?");
/// assert_eq!(
///     fault.to_string(),
///     "events.read: column 'FatJet_pt' is missing in a.parquet (the object 'jet' is built from it). Did you mean 'Jet_pt'?"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    operation: &'static str,
    problem: String,
    reason: Option<String>,
    suggestion: Option<String>,
}

impl Fault {
    /// A fault of `operation` (its `NAME`, for example `toys.throw`) in one clause without a full stop.
    pub fn new(operation: &'static str, problem: impl Into<String>) -> Self {
        Self { operation, problem: problem.into(), reason: None, suggestion: None }
    }

    /// With what it is about before the problem, unless that names it already.
    pub fn about(mut self, subject: &str) -> Self {
        if !self.problem.contains(subject) {
            self.problem = format!("{subject}: {}", self.problem);
        }
        self
    }

    /// Why the problem is one, in one clause without a full stop.
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// What to do about it, as a sentence.
    pub fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }

    /// The operation that speaks.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// This fault as one of data: exit code 1.
    pub fn data(self) -> Error {
        Error::Data(self)
    }

    /// This fault as one of usage (card, command line, device that is not there): exit code 2.
    pub fn usage(self) -> Error {
        Error::Usage(self)
    }

    /// This fault as one of the CUDA device after it was chosen: exit code 75.
    pub fn device(self) -> Error {
        Error::Device(self)
    }

    /// This fault as an interruption that left nothing half-written: exit code 75.
    pub fn interrupted(self) -> Error {
        Error::Interrupted(self)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.problem)?;
        if let Some(reason) = &self.reason {
            write!(f, " ({reason})")?;
        }
        if let Some(suggestion) = &self.suggestion {
            write!(f, ". {suggestion}")?;
        }
        Ok(())
    }
}

/// Everything that can go wrong, by kind of fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // -- the user's data and files: exit code 1
    /// The input contradicts what the operation needs.
    #[error("{0}")]
    Data(Fault),
    /// The operating system refused: missing file, full disk, read-only folder.
    #[error("{operation}: cannot {action} '{}' ({source})", path.display())]
    Io {
        /// The operation that speaks.
        operation: &'static str,
        /// What was tried, as an infinitive: `read`, `create`, `rename`.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system answered.
        source: std::io::Error,
    },
    // -- the user's words: exit code 2
    /// A card, a flag or a device that cannot be honoured.
    #[error("{0}")]
    Usage(Fault),
    // -- the machine: exit code 75, the same command may succeed later
    /// A CUDA call failed after the device was chosen.
    #[error("{0}")]
    Device(Fault),
    /// A signal asked the run to stop; nothing was left half-written.
    #[error("{0}")]
    Interrupted(Fault),
    // -- several at once
    /// All problems of one check. Never empty, never nested.
    #[error("{}", each_on_a_line(.0))]
    Many(Vec<Error>),
}

impl Error {
    /// Shorthand for an [`Error::Io`].
    pub fn io(operation: &'static str, action: &'static str, path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::Io { operation, action, path: path.as_ref().to_owned(), source }
    }

    /// The exit code of the binary: 1 data, 2 usage, 75 try again (`EX_TEMPFAIL` of sysexits.h). Of several faults the
    /// one that the user must mend first counts: usage, then data.
    ///
    /// ```
    /// use trawl::error::Fault;
    /// assert_eq!(Fault::new("card.read", "unknown key 'toyz'").usage().exit_code(), 2);
    /// ```
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Data(_) | Self::Io { .. } => 1,
            Self::Usage(_) => 2,
            Self::Device(_) | Self::Interrupted(_) => 75,
            Self::Many(errors) => {
                let codes: Vec<u8> = errors.iter().map(Self::exit_code).collect();
                [2, 1].into_iter().find(|code| codes.contains(code)).unwrap_or(75)
            }
        }
    }

    /// The same, with what they are about before all problems of data: the file, the sample.
    #[must_use]
    pub fn about(self, subject: &str) -> Self {
        match self {
            Self::Data(fault) => fault.about(subject).data(),
            Self::Many(errors) => Self::Many(errors.into_iter().map(|error| error.about(subject)).collect()),
            other => other,
        }
    }

    /// The single problems, in the order in which they were found.
    pub fn problems(&self) -> Vec<&Error> {
        match self {
            Self::Many(errors) => errors.iter().collect(),
            one => vec![one],
        }
    }
}

fn each_on_a_line(errors: &[Error]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Collects problems so that a check reports all of them at once.
///
/// ```
/// use trawl::error::{Fault, Problems};
/// let mut problems = Problems::default();
/// problems.push(Fault::new("toys.throw", "the number of toys is 0").usage());
/// problems.push(Fault::new("toys.throw", "the plane has no windows").usage());
/// let error = problems.finish().unwrap_err();
/// assert_eq!(error.problems().len(), 2);
/// ```
#[derive(Debug, Default)]
pub struct Problems(Vec<Error>);

impl Problems {
    /// Adds a problem; an [`Error::Many`] is taken apart.
    pub fn push(&mut self, error: Error) {
        match error {
            Error::Many(errors) => self.0.extend(errors),
            one => self.0.push(one),
        }
    }

    /// Keeps the value of a success, and the problems of a failure.
    pub fn take<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Whether nothing was found so far.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Ok` if nothing was found, otherwise everything that was.
    pub fn finish(mut self) -> Result<()> {
        match self.0.len() {
            0 => Ok(()),
            1 => Err(self.0.remove(0)),
            _ => Err(Error::Many(self.0)),
        }
    }
}

/// The nearest of the `known` words, if one is near enough to be meant (Damerau-Levenshtein similarity above 0.6, in which
/// capitals are small letters).
///
/// ```
/// assert_eq!(trawl::error::nearest("FatJet_pT", ["FatJet_pt", "Jet_pt"]), Some("FatJet_pt"));
/// assert_eq!(trawl::error::nearest("PHYSLITE", ["flat", "physlite"]), Some("physlite"));
/// assert_eq!(trawl::error::nearest("electron", ["FatJet_pt", "Jet_pt"]), None);
/// ```
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Below 0.6 the suggestions in the tests of the card reader were no longer what was meant.
    const NEAR_ENOUGH: f64 = 0.6;
    known
        .into_iter()
        .map(|candidate| (similarity(word, candidate), candidate))
        .filter(|(similarity, _)| *similarity > NEAR_ENOUGH)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Of words that differ by as much in small letters, that which has the same capitals is nearer.
fn similarity(one: &str, other: &str) -> f64 {
    const OF_SMALL: f64 = 0.99;
    let small = strsim::normalized_damerau_levenshtein(&one.to_ascii_lowercase(), &other.to_ascii_lowercase());
    strsim::normalized_damerau_levenshtein(one, other).max(OF_SMALL * small)
}
