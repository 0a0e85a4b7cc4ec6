//! The variant with GCC's sanitisers: an overrun within static shared memory ends the process that makes it.

use std::process::{Command, Output};

use trawl_emulator::Variant;
use trawl_emulator::direct::{Direct, Kernels, Launch};

const SHIFT: &str = "TRAWL_TEST_SHIFT";

/// Not a test of its own: the child of the tests below.
#[test]
#[ignore = "run by the other tests in a process with the sanitisers' libraries"]
fn child() {
    let shift: i32 = std::env::var(SHIFT).expect("set by the parent").parse().expect("a number");
    let direct = Direct::load(Kernels::Own, Variant::Address);
    let output = direct.upload(&[0.0_f32; 32]);
    for seed in 1..4 {
        direct.launch("memory_static", Launch { seed, ..Launch::new(1, 32) }, &[&output, &shift]);
    }
    let (input, sum) = (direct.upload(&[0.5_f32; 1000]), direct.upload(&[0.0_f64]));
    direct.launch("order_block_sum", Launch::new(3, 256), &[&input, &sum, &1000_i32]);
    assert_eq!(sum.download(), [500.0]);
}

fn run(shift: i32) -> Output {
    let this = std::env::current_exe().expect("the test has a path");
    let mut command = Command::new(this);
    command.args(["--ignored", "--exact", "child", "--nocapture"]).env(SHIFT, shift.to_string());
    command.envs(Kernels::Own.environment(Variant::Address)).output().expect("the test starts again")
}

#[test]
fn a_kernel_within_bounds_runs() {
    let output = run(0);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_overrun_of_a_static_shared_array_is_fatal() {
    let output = run(1);
    let messages = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{messages}");
    assert!(messages.contains("memory.cu"), "{messages}");
}

#[test]
fn the_checked_variant_reports_it_too() {
    let direct = Direct::load(Kernels::Own, Variant::Checked);
    for (shift, errors) in [(0_i32, 0), (1, 1)] {
        let output = direct.upload(&[0.0_f32; 32]);
        let report = direct.launch("memory_static", Launch::new(1, 32), &[&output, &shift]);
        assert_eq!(report.errors.len(), errors, "{:?}", report.errors);
        assert!(
            report.errors.iter().all(|e| e.contains("shared array first, offset 128 of 128")),
            "{:?}",
            report.errors
        );
    }
}
