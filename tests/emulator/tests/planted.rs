//! Kernels with planted bugs are reported; their clean twins are not, over many seeds.

use trawl_emulator::Variant;
use trawl_emulator::direct::{Argument, Direct, Kernels, Launch, Report, Schedule};

const SEEDS: std::ops::Range<u64> = 1..31;

fn own() -> Direct {
    Direct::load(Kernels::Own, Variant::Checked)
}

/// The launch with every seed, and in rising and falling order.
fn launches(shape: Launch) -> impl Iterator<Item = Launch> {
    let ordered = [Schedule::Forward, Schedule::Reverse].map(|schedule| Launch { schedule, ..shape });
    SEEDS.map(move |seed| Launch { seed, ..shape }).chain(ordered)
}

/// Asserts that every launch reports an error that starts with one of these words, and no other.
fn assert_reported(kernel: &str, shape: Launch, words: &[&str], run: &dyn Fn(Launch) -> Report) {
    for launch in launches(shape) {
        let report = run(launch);
        let is_expected = |message: &String| words.iter().any(|word| message.starts_with(word));
        assert!(!report.errors.is_empty(), "{kernel}: not reported with {launch:?}");
        assert!(report.errors.iter().all(is_expected), "{kernel} with {launch:?}: {:?}", report.errors);
    }
}

fn assert_clean(kernel: &str, shape: Launch, run: &dyn Fn(Launch) -> Report) {
    for launch in launches(shape) {
        let report = run(launch);
        assert!(report.errors.is_empty(), "{kernel} with {launch:?}: {:?}", report.errors);
    }
}

#[test]
fn overruns_of_global_memory() {
    let direct = own();
    let n = 100_i32;
    let run = |kernel: &'static str| {
        let direct = &direct;
        move |launch| direct.launch(kernel, launch, &[&direct.uninitialised::<f32>(n as usize), &n])
    };
    let shape = Launch::new(4, 32);
    assert_clean("memory_global", shape, &run("memory_global"));
    assert_reported(
        "memory_global_overrun",
        shape,
        &["OUT OF BOUNDS: write of 4 bytes"],
        &run("memory_global_overrun"),
    );
    assert_reported("memory_global_underrun", Launch::new(1, 32), &["OUT OF BOUNDS: read"], &|launch| {
        let (input, output) = (direct.upload(&[1.0_f32; 32]), direct.uninitialised::<f32>(32));
        direct.launch("memory_global_underrun", launch, &[&input, &output])
    });
}

#[test]
fn a_launch_ends_though_what_it_read_would_keep_it_going() {
    let direct = own();
    let report = direct.launch("memory_steps_of_uninitialised", Launch::new(1, 1), &[&direct.upload(&[0_u32])]);
    let [read, stopped] = &report.errors[..] else { panic!("{:?}", report.errors) };
    assert!(read.starts_with("UNINITIALISED: read"), "{read}");
    assert!(stopped.starts_with("STOPPED at memory.cu"), "{stopped}");
}

#[test]
fn a_report_names_the_place_in_the_source() {
    let direct = own();
    let n = 100_i32;
    let report = direct.launch("memory_global_overrun", Launch::new(4, 32), &[&direct.uninitialised::<f32>(100), &n]);
    assert_eq!(
        report.errors,
        ["OUT OF BOUNDS: write of 4 bytes at memory.cu:10 by block 3 thread (4,0,0); global memory, offset 400 of 400"]
    );
}

#[test]
fn overruns_of_dynamic_shared_memory() {
    let direct = own();
    let shape = Launch { dynamic_shared_bytes: 64 * 4, ..Launch::new(2, 64) };
    let run = |kernel: &'static str| {
        let direct = &direct;
        // One block's output is the other's: each writes the same place, so a launch of one block a time.
        move |launch: Launch| {
            let launch = Launch { grid: [1, 1, 1], ..launch };
            direct.launch(kernel, launch, &[&direct.uninitialised::<f32>(64)])
        }
    };
    assert_clean("memory_dynamic", shape, &run("memory_dynamic"));
    assert_reported("memory_dynamic_overrun", shape, &["OUT OF BOUNDS"], &run("memory_dynamic_overrun"));
}

#[test]
fn what_nothing_has_written() {
    let direct = own();
    let shape = Launch::new(1, 64);
    let run = |kernel: &'static str| {
        let direct = &direct;
        move |launch| direct.launch(kernel, launch, &[&direct.uninitialised::<f32>(64)])
    };
    assert_clean("memory_sum_of_initialised", shape, &run("memory_sum_of_initialised"));
    assert_reported(
        "memory_sum_of_uninitialised",
        shape,
        &["UNINITIALISED: read"],
        &run("memory_sum_of_uninitialised"),
    );
    assert_reported("memory_copy", Launch::new(1, 32), &["UNINITIALISED: read"], &|launch| {
        let (input, output) = (direct.uninitialised::<f32>(32), direct.uninitialised::<f32>(32));
        direct.launch("memory_copy", launch, &[&input, &output])
    });
    assert_clean("memory_copy", Launch::new(1, 32), &|launch| {
        let (input, output) = (direct.upload(&[1.0_f32; 32]), direct.uninitialised::<f32>(32));
        direct.launch("memory_copy", launch, &[&input, &output])
    });
}

#[test]
fn memory_that_is_not_the_kernels() {
    let direct = own();
    let output = direct.uninitialised::<f32>(32);
    let freed = direct.upload(&[1.0_f32; 32]).address();
    let on_host = [1.0_f32; 32];
    let other_device = direct.upload_to(1, &[1.0_f32; 32]);
    let pointers: [(&str, u64); 4] =
        [("freed", freed), ("null", 0), ("host", on_host.as_ptr() as u64), ("other device", other_device.address())];
    for (what, pointer) in pointers {
        let report = direct.launch("memory_copy", Launch::new(1, 32), &[&pointer, &output]);
        assert_eq!(report.errors.len(), 1, "{what}: {:?}", report.errors);
        assert!(report.errors[0].starts_with("ILLEGAL ADDRESS: read"), "{what}: {:?}", report.errors);
    }
    let clean = direct.launch("memory_copy", Launch::new(1, 32), &[&direct.upload(&[1.0_f32; 32]), &output]);
    assert!(clean.errors.is_empty(), "an aborted launch leaves nothing behind: {:?}", clean.errors);
}

#[test]
fn misaligned_addresses() {
    let direct = own();
    let input = direct.upload(&[1.0_f32; 66]);
    let output = direct.uninitialised::<f64>(32);
    let run = |shift: i32| {
        let (direct, input, output) = (&direct, &input, &output);
        move |launch| direct.launch("memory_double_through_pointer", launch, &[input, output, &shift])
    };
    assert_clean("aligned", Launch::new(1, 32), &run(0));
    assert_reported("shifted", Launch::new(1, 32), &["MISALIGNED: read of 8 bytes"], &run(1));
}

#[test]
fn neighbouring_bytes_of_different_threads_do_not_race() {
    let direct = own();
    let n = 100_i32;
    let flags = direct.uninitialised::<u8>(100);
    assert_clean("memory_bytes", Launch::new(4, 32), &|launch| direct.launch("memory_bytes", launch, &[&flags, &n]));
    assert!(flags.download().into_iter().eq(0..100));
}

#[test]
fn missing_block_barriers() {
    let direct = own();
    let n = 10_000_i32;
    let input = direct.upload(&vec![0.5_f32; n as usize]);
    let sum = |kernel: &'static str| {
        let (direct, input) = (&direct, &input);
        move |launch| {
            let output = direct.upload(&[0.0_f64]);
            let report = direct.launch(kernel, launch, &[input, &output, &n]);
            if report.errors.is_empty() {
                assert_eq!(output.download(), [5000.0]);
            }
            report
        }
    };
    let shape = Launch::new(3, 256);
    assert_clean("order_block_sum", shape, &sum("order_block_sum"));
    let words = ["RACE", "UNINITIALISED"];
    assert_reported("order_block_sum_without_barrier", shape, &words, &sum("order_block_sum_without_barrier"));
}

#[test]
fn a_barrier_that_changes_no_value_is_missed_all_the_same() {
    let direct = own();
    let rounds = 3_i32;
    let run = |kernel: &'static str| {
        let direct = &direct;
        move |launch| {
            let output = direct.uninitialised::<i32>(64);
            let report = direct.launch(kernel, launch, &[&output, &rounds]);
            assert!(output.download().into_iter().eq((0..64).rev().map(|i| rounds * i)));
            report
        }
    };
    assert_clean("order_rounds", Launch::new(1, 64), &run("order_rounds"));
    let mutant = "order_rounds_without_second_barrier";
    assert_reported(mutant, Launch::new(1, 64), &["RACE"], &run(mutant));
}

#[test]
fn barriers_and_shuffles_that_not_all_threads_reach() {
    let direct = own();
    let run = |kernel: &'static str| {
        let direct = &direct;
        move |launch| direct.launch(kernel, launch, &[&direct.uninitialised::<i32>(64)])
    };
    let shape = Launch::new(1, 64);
    let divergent = "order_divergent_barrier";
    assert_reported(divergent, shape, &["DIVERGENT BARRIER"], &run(divergent));
    let exited = "order_barrier_after_exit";
    assert_reported(exited, shape, &["BARRIER at order.cu"], &run(exited));
    let missed = "order_barrier_missed";
    assert_reported(missed, shape, &["DIVERGENT BARRIER", "BARRIER at", "DEADLOCK"], &run(missed));
    let half = "order_half_warp_shuffle";
    assert_reported(half, Launch::new(1, 32), &["DEADLOCK"], &run(half));
    let masked = "order_half_warp_shuffle_with_its_mask";
    assert_clean(masked, Launch::new(1, 32), &run(masked));
    assert_reported("order_trap", Launch::new(1, 32), &["TRAP at order.cu"], &run("order_trap"));
}

#[test]
fn exchanges_within_a_warp() {
    let direct = own();
    let run = |kernel: &'static str| {
        let direct = &direct;
        move |launch| direct.launch(kernel, launch, &[&direct.uninitialised::<i32>(32)])
    };
    let shape = Launch::new(1, 32);
    assert_clean("order_warp_exchange", shape, &run("order_warp_exchange"));
    let unfenced = "order_warp_exchange_after_shuffle";
    assert_reported(unfenced, shape, &["RACE", "UNINITIALISED"], &run(unfenced));
}

#[test]
fn races_between_blocks() {
    let direct = own();
    let run = |kernel: &'static str| {
        let direct = &direct;
        move |launch| direct.launch(kernel, launch, &[&direct.upload(&[0_u64])])
    };
    assert_clean("order_count_with_atomics", Launch::new(4, 32), &run("order_count_with_atomics"));
    let plain = "order_count_without_atomics";
    assert_reported(plain, Launch::new(4, 1), &["RACE"], &run(plain));
    let mixed = "order_atomic_beside_plain_read";
    assert_reported(mixed, Launch::new(4, 8), &["RACE"], &|launch| {
        direct.launch(mixed, launch, &[&direct.upload(&[0_u32]), &direct.uninitialised::<u32>(32)])
    });
}

#[test]
fn asynchronous_copies() {
    let direct = own();
    let values: Vec<f32> = (0..256).map(|i| i as f32).collect();
    let input = direct.upload(&values);
    let run = |kernel: &'static str| {
        let (direct, input) = (&direct, &input);
        move |launch| {
            let output = direct.uninitialised::<f32>(256);
            let report = direct.launch(kernel, launch, &[input, &output]);
            if report.errors.is_empty() {
                let expected = (0..128).rev().chain((128..256).rev()).map(|i| i as f32);
                assert!(output.download().into_iter().eq(expected));
            }
            report
        }
    };
    let shape = Launch::new(1, 128);
    assert_clean("order_async_copy", shape, &run("order_async_copy"));
    let early = "order_async_copy_without_wait";
    assert_reported(early, shape, &["ASYNCHRONOUS COPY was not waited for", "RACE"], &run(early));
}

#[test]
fn launches_that_no_device_accepts() {
    let direct = own();
    let n = 1_i32;
    let output = direct.uninitialised::<f64>(1);
    let input = direct.upload(&[1.0_f32]);
    let arguments: [&dyn Argument; 3] = [&input, &output, &n];
    for shape in [
        Launch::new(0, 32),
        Launch::new(1, 2048),
        Launch::new(1, 512),
        Launch { dynamic_shared_bytes: 200 << 10, ..Launch::new(1, 32) },
    ] {
        let report = direct.launch("order_block_sum", shape, &arguments);
        assert!(report.errors[0].starts_with("LAUNCH CONFIGURATION"), "{shape:?}: {:?}", report.errors);
    }
}
