//! Evaluates one function of [`math`](crate::math) on arrays, on either device: the comparison of the shared texts below
//! the operations, and the smallest example of an [`Operation`].
//!
//! Output: the bits of each result (one pattern for every NaN), and how many of them are those of an infinity or a NaN.
//! Cost: 24 bytes an element.

mod cpu;
mod cuda;
mod math;

use crate::device::{Bytes, Column, Cuda, Download, Host, OnDevice, Operation, Place, Plan, Upload};
use crate::error::{Fault, Result};
use arrow_buffer::ScalarBuffer;

/// The functions that can be evaluated, of the numbers a and b; their place in the list is their number in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Function {
    /// `det::exp(a)`
    Exp,
    /// `det::exp_m1(a)`
    ExpM1,
    /// `det::ln(a)`
    Ln,
    /// `det::ln_1p(a)`
    Ln1p,
    /// `det::sin(a)`
    Sin,
    /// `det::cos(a)`
    Cos,
    /// `det::sinh(a)`
    Sinh,
    /// `det::cosh(a)`
    Cosh,
    /// `det::tanh(a)`
    Tanh,
    /// `det::asinh(a)`
    Asinh,
    /// `det::atan2(a, b)`
    Atan2,
    /// `det::hypot(a, b)`
    Hypot,
    /// `det::pow(a, b)`
    Pow,
    /// `det::powi(a, whole_number(b))`
    Powi,
    /// `det::exp_f32(single(a))`
    ExpF32,
    /// `det::atan2_f32(single(a), single(b))`
    Atan2F32,
    /// `angle::wrap_phi(a)`
    WrapPhi,
    /// `angle::delta_r(a, b, b, a)`
    DeltaR,
    /// `lorentz::mass_of(pair(a, b))`
    PairMass,
    /// `lorentz::pt_of(pair(a, b))`
    PairPt,
    /// `lorentz::eta_of(pair(a, b))`
    PairEta,
    /// `lorentz::rapidity_of(pair(a, b))`
    PairRapidity,
    /// `lorentz::phi_of(pair(a, b))`
    PairPhi,
    /// `special::ln_poisson_survival(count(a), b)`
    LnPoissonSurvival,
    /// `special::ln_poisson_cumulative(count(a), b)`
    LnPoissonCumulative,
    /// `special::significance(a)`
    Significance,
    /// `special::ln_normal_survival(a)`
    LnNormalSurvival,
    /// `special::normal_survival(a)`
    NormalSurvival,
    /// `philox_words(a, b)`
    Philox,
    /// `weight_status(a, b)`
    WeightStatus,
    /// `weight_units(a, b)`
    WeightUnits,
    /// `weight_digits(a, b)`
    WeightDigits,
}

impl Function {
    /// Every function.
    pub const ALL: &[Self] = &[
        Self::Exp,
        Self::ExpM1,
        Self::Ln,
        Self::Ln1p,
        Self::Sin,
        Self::Cos,
        Self::Sinh,
        Self::Cosh,
        Self::Tanh,
        Self::Asinh,
        Self::Atan2,
        Self::Hypot,
        Self::Pow,
        Self::Powi,
        Self::ExpF32,
        Self::Atan2F32,
        Self::WrapPhi,
        Self::DeltaR,
        Self::PairMass,
        Self::PairPt,
        Self::PairEta,
        Self::PairRapidity,
        Self::PairPhi,
        Self::LnPoissonSurvival,
        Self::LnPoissonCumulative,
        Self::Significance,
        Self::LnNormalSurvival,
        Self::NormalSurvival,
        Self::Philox,
        Self::WeightStatus,
        Self::WeightUnits,
        Self::WeightDigits,
    ];
}

/// Evaluates `function` of (a\[i\], b\[i\]) for every i.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// What is evaluated.
    pub function: Function,
}

/// The arguments.
#[derive(Debug, Clone)]
pub struct ProbeInput<P: Place> {
    /// First arguments.
    pub a: P::Column<f64>,
    /// Second arguments, as many; not every function looks at them.
    pub b: P::Column<f64>,
}

/// The results.
#[derive(Debug, Clone)]
pub struct ProbeOutput<P: Place> {
    /// The bits of each result.
    pub bits: P::Column<u64>,
    /// One number: the results whose bits are those of an infinity or a NaN.
    pub not_finite: P::Column<u32>,
}

impl Probe {
    /// Host arguments as an input.
    pub fn input(a: Vec<f64>, b: Vec<f64>) -> ProbeInput<Host> {
        ProbeInput { a: a.into(), b: b.into() }
    }
}

impl Operation for Probe {
    const NAME: &'static str = "math.probe";
    type Input<P: Place> = ProbeInput<P>;
    type Output<P: Place> = ProbeOutput<P>;

    fn check<P: Place>(&self, input: &ProbeInput<P>) -> Result<()> {
        let (a, b) = (input.a.length(), input.b.length());
        if a == b && u32::try_from(a).is_ok() {
            return Ok(());
        }
        Err(Fault::new(Self::NAME, format!("{a} first and {b} second arguments were given"))
            .because("they are taken in pairs, below 2^32 of them")
            .data())
    }

    fn plan<P: Place>(&self, input: &ProbeInput<P>) -> Plan {
        Plan { fixed: Bytes(4), per_unit: Bytes(24), units: input.a.length() as u64 }
    }

    fn cpu(&self, input: ProbeInput<Host>) -> Result<ProbeOutput<Host>> {
        self.check(&input)?;
        Ok(cpu::run(self.function, &input.a, &input.b))
    }

    fn cuda(&self, cuda: &Cuda, input: ProbeInput<OnDevice>) -> Result<ProbeOutput<OnDevice>> {
        self.check(&input)?;
        cuda::run(self.function, cuda, &input)
    }
}

impl Upload for ProbeInput<Host> {
    type There = ProbeInput<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<ProbeInput<OnDevice>> {
        Ok(ProbeInput { a: self.a.upload(cuda)?, b: self.b.upload(cuda)? })
    }
}

impl Download for ProbeOutput<OnDevice> {
    type Here = ProbeOutput<Host>;

    fn download(&self, cuda: &Cuda) -> Result<ProbeOutput<Host>> {
        Ok(ProbeOutput { bits: self.bits.download(cuda)?, not_finite: self.not_finite.download(cuda)? })
    }
}

/// The results of one function on the host.
fn output(bits: Vec<u64>, not_finite: u32) -> ProbeOutput<Host> {
    ProbeOutput { bits: bits.into(), not_finite: ScalarBuffer::from(vec![not_finite]) }
}

#[cfg(test)]
mod tests;
