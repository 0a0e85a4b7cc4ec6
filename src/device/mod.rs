//! Where work runs: under construction.
/// Where work runs.
#[derive(Debug, Clone)]
pub enum Device {
    /// This machine's cores.
    Cpu,
}
