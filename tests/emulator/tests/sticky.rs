//! An error of a kernel stays with the device, as on CUDA: a process of its own, since nothing works afterwards.

use cudarc::driver::{CudaContext, LaunchConfig, PushKernelArg, sys};
use cudarc::nvrtc::Ptx;
use trawl_emulator::Variant;
use trawl_emulator::direct::Kernels;

#[test]
fn a_fault_is_reported_and_stays_and_work_is_counted() {
    // SAFETY: the only test of this process; the driver reads the environment at its first call, below.
    unsafe { std::env::set_var("TRAWL_EMULATOR_DEVICES", "2") };
    trawl_emulator::install_from(&Kernels::Own.folder(Variant::Checked));
    let context = CudaContext::new(0).expect("a device");
    let other = CudaContext::new(1).expect("a device");
    let stream = context.new_stream().expect("a stream");
    trawl_emulator::reset_statistics();

    let image = Ptx::from_src(".version 9.0\n.visible .entry memory_global_overrun(\n");
    let overrun =
        context.load_module(image).and_then(|m| m.load_function("memory_global_overrun")).expect("in the image");
    let n = 100_i32;
    let mut output = stream.clone_htod(&vec![0.0_f32; n as usize]).expect("room");
    let mut launch = stream.launch_builder(&overrun);
    launch.arg(&mut output).arg(&n);
    let config = LaunchConfig { grid_dim: (4, 1, 1), block_dim: (32, 1, 1), shared_mem_bytes: 0 };
    // SAFETY: the kernel takes a pointer and a number; its overrun is what the test is about.
    unsafe { launch.launch(config) }.expect("a launch reports nothing by itself");

    assert!(trawl_emulator::reports().is_empty(), "nothing runs before the host waits");
    let illegal = Some(sys::CUresult::CUDA_ERROR_ILLEGAL_ADDRESS);
    assert_eq!(stream.synchronize().err().map(|e| e.0), illegal);
    assert_eq!(stream.clone_htod(&[1.0_f32]).err().map(|e| e.0), illegal, "the error stays");
    assert!(other.new_stream().and_then(|s| s.clone_htod(&[1.0_f32]).map(drop)).is_ok(), "another device works on");

    let reports = trawl_emulator::reports();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(reports[0].starts_with("memory_global_overrun: OUT OF BOUNDS: write of 4 bytes"), "{reports:?}");
    let statistics = trawl_emulator::statistics();
    assert_eq!((statistics.launches, statistics.threads), (1, 128));
    assert_eq!((statistics.uploads, statistics.upload_bytes), (2, 404));
    assert_eq!(statistics.downloads, 0);
    assert!(statistics.peak_device_bytes >= 400);
}
