//! The contract of an operation with a kernel.

use super::{Cuda, Host, OnDevice, Place, Plan};
use crate::error::Result;

/// An operation that runs on the CPU and on CUDA with the same answer: integers equal, floats within a stated bound.
///
/// The instance holds the parameters; inputs and outputs are structs of columns, generic over their [`Place`]. Columns
/// are shared when cloned, so both are passed by value; an accumulator goes in with the input and comes out again.
/// CONTRIBUTING.md works an example through.
pub trait Operation {
    /// Stage and verb, `toys.throw`: also the folder, the kernel file, the symbol, the bench and the error prefix.
    const NAME: &'static str;
    /// What goes in.
    type Input<P: Place>;
    /// What comes out.
    type Output<P: Place>;

    /// Checks the parameters against the shape of the input; always on, cheap, reports all problems at once.
    ///
    /// # Errors
    /// Every problem found.
    fn check<P: Place>(&self, input: &Self::Input<P>) -> Result<()>;

    /// Whether the values on the host can be computed with, for what a kernel would not tell; the CPU's executor looks by itself.
    ///
    /// # Errors
    /// Every problem found.
    fn check_values(&self, _: &Self::Input<Host>) -> Result<()> {
        Ok(())
    }

    /// The device memory that the operation takes for this input, before any work: the runner chunks from it.
    fn plan<P: Place>(&self, input: &Self::Input<P>) -> Plan;

    /// The reference: host columns in, host columns out.
    ///
    /// # Errors
    /// What the data contradicts.
    fn cpu(&self, input: Self::Input<Host>) -> Result<Self::Output<Host>>;

    /// The same on a device: device columns in, device columns out; nothing but control words crosses the bus.
    ///
    /// # Errors
    /// What the data contradicts, or a failed CUDA call.
    fn cuda(&self, cuda: &Cuda, input: Self::Input<OnDevice>) -> Result<Self::Output<OnDevice>>;
}
