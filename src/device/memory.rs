//! Memory before work: what an operation needs, and how many units fit.

use std::fmt;
use std::ops::{Add, Mul};
use std::str::FromStr;

use crate::error::{Error, Fault, Result};

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Bytes(pub u64);

impl Bytes {
    /// The bytes of `length` elements of `T`.
    pub fn of<T>(length: usize) -> Self {
        Self((length * size_of::<T>()) as u64)
    }
}

impl Add for Bytes {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::iter::Sum for Bytes {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self(0), Add::add)
    }
}

impl Mul<u64> for Bytes {
    type Output = Self;
    fn mul(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
        let step = (self.0.max(1).ilog2() / 10).min(4);
        if step == 0 {
            return write!(f, "{} B", self.0);
        }
        write!(f, "{:.1} {}", self.0 as f64 / (1u64 << (10 * step)) as f64, UNITS[step as usize])
    }
}

impl FromStr for Bytes {
    type Err = Error;

    /// Reads `4096`, `512MiB`, `2GiB`, `2 GB`.
    ///
    /// ```
    /// use trawl::device::Bytes;
    /// assert_eq!("2GiB".parse::<Bytes>()?, Bytes(2 << 30));
    /// # Ok::<(), trawl::Error>(())
    /// ```
    fn from_str(text: &str) -> Result<Self> {
        let fault = || {
            Fault::new("device", format!("'{text}' is no amount of memory")).suggest("Write 512MiB or 2GiB.").usage()
        };
        let digits = text.trim().find(|c: char| !c.is_ascii_digit()).unwrap_or(text.trim().len());
        let (number, unit) = text.trim().split_at(digits);
        let factor: u64 = match unit.trim() {
            "" | "B" => 1,
            "kB" | "KB" => 1000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            "TiB" => 1 << 40,
            _ => return Err(fault()),
        };
        number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).map(Self).ok_or_else(fault)
    }
}

/// What an operation takes on the device: a part that does not depend on the number of units, and a part for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Plan {
    /// Tables, accumulators, scratch.
    pub fixed: Bytes,
    /// For each unit (event, toy, window).
    pub per_unit: Bytes,
    /// The units of the input at hand.
    pub units: u64,
}

impl Plan {
    /// The whole of it.
    pub fn total(&self) -> Bytes {
        self.fixed + self.per_unit * self.units
    }
}

/// The device memory that a run may take.
#[derive(Debug, Clone, Copy)]
pub struct Budget(pub Bytes);

impl Budget {
    /// Fails where `needed` is more than the budget.
    ///
    /// # Errors
    /// [`Error::Usage`] with both numbers.
    pub fn require(&self, operation: &'static str, needed: Bytes) -> Result<()> {
        if needed <= self.0 {
            return Ok(());
        }
        Err(Fault::new(operation, format!("needs {needed} of device memory, {} are available", self.0))
            .because("the work cannot be split further")
            .suggest("Raise --memory or use --device cpu.")
            .usage())
    }

    /// How many units fit at once next to the fixed part.
    ///
    /// # Errors
    /// [`Error::Usage`] where not a single unit fits.
    pub fn units(&self, operation: &'static str, plan: &Plan) -> Result<u64> {
        self.require(operation, plan.fixed + plan.per_unit)?;
        Ok((self.0.0 - plan.fixed.0).checked_div(plan.per_unit.0).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_back_as_they_are_written() {
        for (text, bytes) in [("0", 0), ("17", 17), ("3KiB", 3072), ("1 MB", 1_000_000), ("2GiB", 2 << 30)] {
            assert_eq!(text.parse::<Bytes>().unwrap(), Bytes(bytes), "{text}");
        }
        for wrong in ["", "GiB", "-1", "1.5GiB", "1 parsec", "99999999999TiB"] {
            assert!(wrong.parse::<Bytes>().is_err(), "{wrong}");
        }
        assert_eq!(Bytes(1536).to_string(), "1.5 KiB");
    }

    #[test]
    fn units_fill_what_the_fixed_part_leaves() {
        let plan = Plan { fixed: Bytes(100), per_unit: Bytes(30), units: 1000 };
        assert_eq!(Budget(Bytes(1000)).units("a.b", &plan).unwrap(), 30);
        assert_eq!(Budget(Bytes(130)).units("a.b", &plan).unwrap(), 1);
        assert!(Budget(Bytes(129)).units("a.b", &plan).is_err());
        let free = Plan { per_unit: Bytes(0), ..plan };
        assert_eq!(Budget(Bytes(100)).units("a.b", &free).unwrap(), u64::MAX);
    }
}
