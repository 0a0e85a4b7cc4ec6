//! Operation `toys.throw`: pseudo-experiments in exclusive cells, tallied by their largest local significance.
//!
//! **What.** Toy `t` has `n_c ~ Poisson(B_c)` in each cell `c`; each window sums its cells; the toy's value is the largest
//! significance of any window. The tally counts the toys by that value, in levels of 0.05 sigma, and those at least as
//! significant as the observation.
//!
//! **Integers only.** A draw inverts the distribution function, tabulated as 64-bit thresholds ([`crate::math::poisson`]): 16
//! random bits mostly decide, and another 48 where they do not. Words are a function of (seed, toy, draw). Cells that no window
//! takes apart are drawn as one, and the small cells of a row as one total whose particles then pick their cells (`layout.rs`).
//! For the significance each window has, for each level, the count from which it reaches the level, so a toy compares counts.
//! The same seed gives the same tally on the CPU and on CUDA, for any number of threads, block size or split of the toys.
//!
//! **Random words**: toy `t` is the unit. Draw `d` has number `d % 8` of the eight 16-bit words of the Philox draw `d / 8`, and
//! is refined by the draw 2^61 + d; particle `j` of the group of row `r` has number `j % 8` of the draw
//! 2^62 + 2^24 r + j / 8, and is refined by the draw 3 2^61 + 2^27 r + j.
//!
//! **Neglected.** The uncertainty of the expectation: p-values are statistical only.
//!
//! **Cost** of the benchmark's toy (27 x 114 cells, 1,539 windows; `scripts/bench toys`): 2,565 exclusive cells, of which some
//! 1,700 are drawn singly, 0.65 ns each for the word and 0.2 to 1 ns for the look-up on a core with AVX2; 27 totals and 50
//! particles; 2,565 additions for sums and 1,539 subtractions and comparisons, 16 toys at a time. The generator is what
//! bounds it: 1,800 words of 16 bits.
//!
//! On CUDA a block runs a toy in shared memory (4 bytes a cell and a row). The tables, 2 MB, are read through the second-level
//! cache. Floor for 1e9 toys on an H100: 1e9 x (1,800 / 8 + 27 + 14) Philox blocks of about 60 integer instructions = 1.6e13, at 64
//! 32-bit integer lanes x 132 multiprocessors x 1.7 GHz = 1.4e13 a second: 1.1 s for the generator alone; look-ups, 1e9 x 1,800
//! sectors of 32 bytes at 5.5 TB/s from the second-level cache: 10 s. Not yet run on a GPU.
//!
//! **Source.** The toys of ATLAS, arXiv:2306.03637, section 7; golden: the 12 x 5 plane of the tests.

mod cpu;
mod cuda;
mod layout;
mod levels;
pub mod math;
mod tables;

use crate::device::{Bytes, Column, Cuda, Download, Host, OnDevice, Operation, Place, Plan, Upload};
use crate::error::{Fault, Problems, Result};
pub(crate) use layout::Layout;
pub use levels::{Exceedance, LEVELS, level_z};
pub(crate) use levels::{NEVER, critical_counts, floor_level, minimum_counts};
pub(crate) use tables::check_expected;

const NAME: &str = "toys.throw";

/// The operation `toys.throw`: a range of the toys of a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throw {
    /// The seed of all toys.
    pub seed: u64,
    /// The number of the first toy: toys of one seed may be thrown in parts.
    pub first_toy: u64,
    /// How many toys.
    pub toys: u64,
}

/// The tables of the draws: what a toy is before anything is observed.
#[derive(Debug, Clone)]
pub struct Draws<P: Place> {
    /// The number of exclusive cells.
    pub cells: u32,
    /// [`math::WORDS_A_DRAW`] words for each draw.
    pub draw: P::Column<u32>,
    /// [`math::WORDS_A_ROW`] words for each row.
    pub row: P::Column<u32>,
    /// The exclusive cells of the groups.
    pub member: P::Column<u32>,
    /// The guides: from the upper bits of a word to the one threshold that is left to compare.
    pub guide: P::Column<u32>,
    /// The thresholds.
    pub threshold: P::Column<u64>,
}

/// The tables of the toys.
#[derive(Debug, Clone)]
pub struct Input<P: Place> {
    /// The draws.
    pub draws: Draws<P>,
    /// For each window the first of its ranges; one more than windows. Windows are in the order of their rows.
    pub range: P::Column<u32>,
    /// The first exclusive cell of each range.
    pub start: P::Column<u32>,
    /// The exclusive cell after the last of each range.
    pub end: P::Column<u32>,
    /// For each level from 1 on a row of all windows: the count from which the window reaches the level.
    pub minimum: P::Column<u32>,
    /// The count from which each window is as significant as the observation.
    pub critical: P::Column<u32>,
    /// A level from 1 on that nearly all toys reach: windows below it are looked at only where a toy does not. It decides
    /// how long a toy takes, and nothing else.
    pub floor: u32,
}

/// What came out.
#[derive(Debug, Clone)]
pub struct Output<P: Place> {
    /// The number of toys as significant as the observation, then the number at each level from 0 on.
    pub tally: P::Column<u64>,
}

impl<P: Place> Draws<P> {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.row.length() / math::WORDS_A_ROW
    }

    /// The number of draws, with those that are left out between rows.
    pub fn draws(&self) -> usize {
        self.draw.length() / math::WORDS_A_DRAW
    }

    fn bytes(&self) -> Bytes {
        let words = self.draw.length() + self.row.length() + self.member.length() + self.guide.length();
        Bytes::of::<u32>(words) + Bytes::of::<u64>(self.threshold.length())
    }
}

impl<P: Place> Input<P> {
    /// The number of windows.
    pub fn windows(&self) -> usize {
        self.critical.length()
    }

    /// The number of levels above 0.
    pub fn levels(&self) -> u32 {
        (self.minimum.length() / self.windows().max(1)) as u32
    }

    /// The length of the tally.
    pub fn tally_length(&self) -> usize {
        self.levels() as usize + 2
    }
}

impl Upload for Draws<Host> {
    type There = Draws<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<Draws<OnDevice>> {
        Ok(Draws {
            cells: self.cells,
            draw: cuda.upload(&self.draw)?,
            row: cuda.upload(&self.row)?,
            member: cuda.upload(&self.member)?,
            guide: cuda.upload(&self.guide)?,
            threshold: cuda.upload(&self.threshold)?,
        })
    }
}

impl Upload for Input<Host> {
    type There = Input<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<Input<OnDevice>> {
        Ok(Input {
            draws: self.draws.upload(cuda)?,
            range: cuda.upload(&self.range)?,
            start: cuda.upload(&self.start)?,
            end: cuda.upload(&self.end)?,
            minimum: cuda.upload(&self.minimum)?,
            critical: cuda.upload(&self.critical)?,
            floor: self.floor,
        })
    }
}

impl Download for Output<OnDevice> {
    type Here = Output<Host>;

    fn download(&self, cuda: &Cuda) -> Result<Output<Host>> {
        Ok(Output { tally: cuda.download(&self.tally)? })
    }
}

impl Operation for Throw {
    const NAME: &'static str = "toys.throw";
    type Input<P: Place> = Input<P>;
    type Output<P: Place> = Output<P>;

    fn check<P: Place>(&self, input: &Input<P>) -> Result<()> {
        let mut problems = Problems::default();
        if self.toys == 0 {
            let fault = Fault::new(Self::NAME, "the number of toys is 0").because("nothing would be estimated");
            problems.push(fault.suggest("Use 100000 or more.").usage());
        }
        if self.first_toy.checked_add(self.toys).is_none() {
            let fault = Fault::new(Self::NAME, format!("{} toys from number {}", self.toys, self.first_toy));
            problems.push(fault.because("toys are numbered in 64 bits").usage());
        }
        let (windows, draws) = (input.windows(), &input.draws);
        let columns = [
            ("ranges of windows", input.range.length(), windows + 1),
            ("ends of ranges", input.end.length(), input.start.length()),
            ("minimum counts", input.minimum.length(), windows * input.levels() as usize),
            ("words of draws", draws.draw.length(), draws.draws() * math::WORDS_A_DRAW),
            ("words of rows", draws.row.length(), draws.rows() * math::WORDS_A_ROW),
        ];
        for (what, got, expected) in columns {
            if got != expected {
                let fault = Fault::new(Self::NAME, format!("{got} {what} where {expected} are needed"));
                problems.push(fault.because("the tables must belong together").data());
            }
        }
        problems.finish()
    }

    fn plan<P: Place>(&self, input: &Input<P>) -> Plan {
        let words = input.range.length() + 2 * input.start.length() + input.windows() + input.minimum.length();
        let fixed = input.draws.bytes() + Bytes::of::<u32>(words) + Bytes::of::<u64>(input.tally_length());
        Plan { fixed, per_unit: Bytes(0), units: self.toys }
    }

    fn cpu(&self, input: Input<Host>) -> Result<Output<Host>> {
        Ok(Output { tally: cpu::throw(self, &input).into() })
    }

    fn cuda(&self, cuda: &Cuda, input: Input<OnDevice>) -> Result<Output<OnDevice>> {
        cuda::throw(self, cuda, &input)
    }
}

#[cfg(test)]
mod tests;
