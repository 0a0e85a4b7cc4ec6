//! A child process finds the driver through its environment, and leaves its statistics in a file.

use std::process::Command;

use cudarc::driver::CudaContext;
use trawl_emulator::Variant;
use trawl_emulator::direct::Kernels;

/// Not a test of its own: it does not install the driver, so cudarc finds it as in a user's process.
#[test]
#[ignore = "run by the other tests in a process of its own"]
fn child() {
    let context = CudaContext::new(3).expect("four devices");
    let stream = context.default_stream();
    let values = vec![1_u8; 1000];
    let device = stream.clone_htod(&values).expect("room");
    assert_eq!(stream.clone_dtoh(&device).expect("a copy"), values);
}

fn run(devices: &str, statistics: &std::path::Path) -> bool {
    let mut command = Command::new(std::env::current_exe().expect("the test has a path"));
    command.args(["--ignored", "--exact", "child"]);
    command.envs(Kernels::Own.environment(Variant::Checked));
    command.env("TRAWL_EMULATOR_DEVICES", devices).env("TRAWL_EMULATOR_STATISTICS", statistics);
    command.output().expect("the test starts again").status.success()
}

#[test]
fn a_child_uses_the_driver_and_writes_statistics() {
    let path = std::env::temp_dir().join(format!("trawl-emulator-{}.json", std::process::id()));
    assert!(run("4", &path));
    let json = std::fs::read_to_string(&path).expect("written at exit");
    std::fs::remove_file(&path).expect("written by the child");
    for expected in ["\"upload_bytes\": 1000,", "\"downloads\": 1,", "\"peak_device_bytes\": 1000,", "\"reports\": []"]
    {
        assert!(json.contains(expected), "{expected} is not in {json}");
    }
    for devices in ["0", "3"] {
        assert!(!run(devices, &path), "device 3 of {devices}");
    }
}
