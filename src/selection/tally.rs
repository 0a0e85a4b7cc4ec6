//! Events counted and weighted, exactly: one [`WeightedCount`] for every row of a cutflow and every bin of a spectrum, and
//! the [`Tally`] that accumulates them where the events are.

use crate::device::launch::length_u32;
use crate::device::{Cuda, Download, Grid, Host, Kernel, OnDevice, Place, Upload};
use crate::error::{Fault, Result};
use crate::math::exact::{ExactSum, TERMS_PER_LIMBS, WeightScale, units_of};

/// The words of a [`WeightedCount`] in a column: the count, then three limbs of the sum of weights and three of the sum of
/// squared weights, lowest first. Limb i counts 2^(32 i) units in a signed word, so that a kernel can add the digits of a
/// weight with integer atomics ([`crate::math::exact`]).
pub const WORDS: usize = 1 + 2 * LIMBS;

/// A term has three digits of 32 bits; the third limb holds all that is above.
const LIMBS: usize = 3;

/// A number of events, the sum of their weights and of its squares in units of a [`WeightScale`]: the same in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WeightedCount {
    /// How many events.
    pub events: u64,
    /// Sum of weights.
    pub weights: ExactSum,
    /// Sum of squared weights.
    pub squares: ExactSum,
}

impl WeightedCount {
    /// Adds an event, whose weight must be one that the scale admits. Up to 2^40 of them fit.
    #[inline]
    pub fn add(&mut self, scale: WeightScale, weight: f32) {
        let weight = f64::from(weight);
        let plus = |sum: ExactSum, units: i128| ExactSum::from_units(sum.units().wrapping_add(units));
        self.events += 1;
        self.weights = plus(self.weights, units_of(weight, scale.weight_unit()).value());
        self.squares = plus(self.squares, units_of(weight * weight, scale.square_unit()).value());
    }

    /// An event for each of the weights, all of which the scale must admit: what [`add`](Self::add) makes of them.
    pub fn of(scale: WeightScale, weights: &[f32]) -> Self {
        let (sum, squares) = scale.sums(weights);
        let (weights_sum, squares) = (ExactSum::from_units(sum), ExactSum::from_units(squares));
        Self { events: weights.len() as u64, weights: weights_sum, squares }
    }

    /// Adds all events of another; up to 2^40 fit, as for [`add`](Self::add).
    pub fn include(&mut self, other: &Self) {
        let plus = |sum: ExactSum, more: ExactSum| ExactSum::from_units(sum.units().wrapping_add(more.units()));
        self.events += other.events;
        self.weights = plus(self.weights, other.weights);
        self.squares = plus(self.squares, other.squares);
    }

    /// What is left without `part`, which is a part of this.
    pub fn without(&self, part: &Self) -> Self {
        let minus = |all: ExactSum, part: ExactSum| ExactSum::from_units(all.units().wrapping_sub(part.units()));
        Self {
            events: self.events - part.events,
            weights: minus(self.weights, part.weights),
            squares: minus(self.squares, part.squares),
        }
    }

    /// Adds all events of another.
    ///
    /// # Errors
    /// Where a sum leaves 128 bits.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        self.events += other.events;
        self.weights.add(other.weights.units())?;
        self.squares.add(other.squares.units())
    }

    /// The sum of weights, rounded once.
    pub fn sum(&self, scale: WeightScale) -> f64 {
        self.weights.to_f64(scale.weight_unit())
    }

    /// The sum of squared weights, rounded once.
    pub fn sum_of_squares(&self, scale: WeightScale) -> f64 {
        self.squares.to_f64(scale.square_unit())
    }

    /// Reads one from its words, whether or not they were carried.
    ///
    /// # Errors
    /// Where a sum leaves 128 bits.
    pub fn from_words(words: &[u64]) -> Result<Self> {
        let sum = |at: usize| {
            let limb = |index: usize| words[at + index].cast_signed();
            ExactSum::from_limbs([limb(0), limb(1), limb(2), 0], 0)
        };
        Ok(Self { events: words[0], weights: sum(1)?, squares: sum(1 + LIMBS)? })
    }

    /// The words of this one, carried: the two lower limbs hold 32 bits each.
    pub fn to_words(&self) -> [u64; WORDS] {
        let mut words = [0; WORDS];
        words[0] = self.events;
        for (at, sum) in [(1, self.weights.units()), (1 + LIMBS, self.squares.units())] {
            words[at] = u64::from(sum as u32);
            words[at + 1] = u64::from((sum >> 32) as u32);
            words[at + 2] = ((sum >> 64) as i64).cast_unsigned();
        }
        words
    }
}

/// Rows of [`WeightedCount`]s that accumulate in their place: batch after batch goes in and comes out again.
#[derive(Debug, Clone)]
pub struct Tally<P: Place> {
    /// [`WORDS`] words a row.
    pub words: P::Column<u64>,
    /// The events added since the limbs were last carried; they hold [`crate::math::exact::TERMS_PER_LIMBS`]. Always 0 on
    /// the host.
    pub(crate) uncarried: u64,
}

impl Tally<Host> {
    /// Nothing counted yet.
    pub fn empty(rows: usize) -> Self {
        Self { words: vec![0; rows * WORDS].into(), uncarried: 0 }
    }

    /// The rows.
    ///
    /// # Errors
    /// A column that is not whole rows, or a sum that leaves 128 bits.
    pub fn rows(&self) -> Result<Vec<WeightedCount>> {
        if !self.words.len().is_multiple_of(WORDS) {
            let problem = format!("{} words are no whole rows of {WORDS}", self.words.len());
            return Err(Fault::new("selection.tally", problem).data());
        }
        self.words.chunks_exact(WORDS).map(WeightedCount::from_words).collect()
    }

    /// This tally with more events in its rows.
    ///
    /// # Errors
    /// Where a sum leaves 128 bits.
    pub fn plus<'a>(self, parts: impl IntoIterator<Item = &'a [WeightedCount]>) -> Result<Self> {
        let mut rows = self.rows()?;
        for part in parts {
            rows.iter_mut().zip(part).try_for_each(|(row, more)| row.merge(more))?;
        }
        Ok(Self { words: rows.iter().flat_map(WeightedCount::to_words).collect(), uncarried: 0 })
    }
}

impl Tally<OnDevice> {
    /// Nothing counted yet, on the device.
    ///
    /// # Errors
    /// A failed allocation.
    pub fn empty_on(cuda: &Cuda, rows: usize) -> Result<Self> {
        Ok(Self { words: cuda.zeros(rows * WORDS)?, uncarried: 0 })
    }

    /// Prepares for so many events more: carries the limbs if they could overflow.
    ///
    /// # Errors
    /// A failed launch.
    pub(crate) fn make_room(&mut self, cuda: &Cuda, events: u32) -> Result<()> {
        // A carried limb counts as one term, hence the sharp comparison.
        if self.uncarried + u64::from(events) >= TERMS_PER_LIMBS {
            let rows = length_u32("selection.tally", self.words.len() / WORDS)?;
            cuda.function(&CARRY)?.launch(Grid::threads_for(2 * rows as usize, &CARRY), |arguments| {
                arguments.value(&rows).output(&mut self.words)?;
                Ok(())
            })?;
            self.uncarried = 0;
        }
        self.uncarried += u64::from(events);
        Ok(())
    }
}

static CARRY: Kernel = Kernel { file: "selection/tally", symbol: "selection_tally_carry", threads: 256 };

impl Upload for Tally<Host> {
    type There = Tally<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<Tally<OnDevice>> {
        Ok(Tally { words: self.words.upload(cuda)?, uncarried: self.uncarried })
    }
}

impl Download for Tally<OnDevice> {
    type Here = Tally<Host>;

    /// The rows come back carried.
    fn download(&self, cuda: &Cuda) -> Result<Tally<Host>> {
        Tally { words: self.words.download(cuda)?, uncarried: 0 }.plus([])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_hold_sums_of_either_sign() {
        let scale = WeightScale::new(1000.0).unwrap();
        for weights in [vec![], vec![1.0], vec![-1000.0; 5], vec![999.5, -0.125, 3.25]] {
            let mut count = WeightedCount::default();
            weights.iter().for_each(|weight| count.add(scale, *weight));
            assert_eq!(WeightedCount::from_words(&count.to_words()).unwrap(), count);
            assert_eq!(count.sum(scale), weights.iter().map(|weight| f64::from(*weight)).sum::<f64>());
            let squares: f64 = weights.iter().map(|weight| f64::from(*weight).powi(2)).sum();
            assert_eq!(count.sum_of_squares(scale), squares);
        }
    }

    #[test]
    fn many_at_once_and_what_is_left_of_them() {
        let scale = WeightScale::new(4.0).unwrap();
        let weights: Vec<f32> = (0..3000).map(|i| (i % 17) as f32 * 0.21 - 1.3).collect();
        let one_by_one = |weights: &[f32]| {
            let mut count = WeightedCount::default();
            weights.iter().for_each(|weight| count.add(scale, *weight));
            count
        };
        let all = WeightedCount::of(scale, &weights);
        assert_eq!(all, one_by_one(&weights));
        assert_eq!(all.without(&WeightedCount::of(scale, &weights[..1234])), one_by_one(&weights[1234..]));
    }

    #[test]
    fn limbs_that_were_not_carried_read_the_same() {
        let words = |low: i64, middle: i64, high: i64| {
            let limbs = [low, middle, high].map(i64::cast_unsigned);
            [&[7][..], &limbs, &limbs].concat()
        };
        let carried = WeightedCount::from_words(&words(5, 2, -1)).unwrap();
        assert_eq!(carried, WeightedCount::from_words(&words(5 + (3 << 32), -1, -1)).unwrap());
        assert_eq!(carried.weights.units(), 5 + (2 << 32) - (1 << 64));
        assert_eq!(WeightedCount::from_words(&carried.to_words()).unwrap(), carried);
        let broken = Tally::<Host> { words: vec![0; 13].into(), uncarried: 0 };
        assert!(broken.rows().is_err());
    }

    #[test]
    fn limbs_are_carried_before_they_overflow() {
        if crate::device::kernels::images().is_empty() {
            assert!(std::env::var_os("TRAWL_REQUIRE_KERNELS").is_none(), "this build has no kernels");
            println!("skipped: built without kernels");
            return;
        }
        trawl_emulator::install();
        let device = crate::Device::choose(crate::device::DeviceChoice::Cuda(0)).unwrap();
        let crate::Device::Cuda(cuda) = device else { panic!("asked for CUDA and got the CPU") };
        let limbs = |low: i64, middle: i64, high: i64| [low, middle, high].map(i64::cast_unsigned);
        let row = |first: [u64; 3], second: [u64; 3]| [&[9][..], &first, &second].concat();
        let words = [
            row(limbs(0, 0, 0), limbs(i64::MAX, (1 << 62) + 5, -7)),
            row(limbs(-1, -1, -1), limbs(i64::MIN, -(1 << 62), 3)),
            row(limbs(0xffff_ffff, 0xffff_ffff, 1), limbs(1 << 32, -1, 0)),
        ]
        .concat();
        let here = Tally::<Host> { words: words.into(), uncarried: TERMS_PER_LIMBS - 5 };
        let mut there = here.upload(&cuda).unwrap();
        there.make_room(&cuda, 4).unwrap();
        assert_eq!(there.words.download(&cuda).unwrap(), here.words, "4 more still fit");
        assert_eq!(there.uncarried, TERMS_PER_LIMBS - 1);
        there.make_room(&cuda, 4).unwrap();
        assert_eq!(there.uncarried, 4);
        let carried: Vec<u64> = here.rows().unwrap().iter().flat_map(WeightedCount::to_words).collect();
        assert_eq!(there.words.download(&cuda).unwrap()[..], carried);
    }
}
