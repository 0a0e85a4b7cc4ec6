//! `trawl devices`.

use crate::device::status::Status;

pub(super) fn execute() -> anyhow::Result<()> {
    let threads = rayon::current_num_threads();
    super::say(format!("cpu       {threads} threads\n{}", Status::read()))
}
