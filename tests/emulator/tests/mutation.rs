//! Removing any barrier or wait of a correct kernel is caught.

use trawl_emulator::direct::{Direct, Kernels, Launch, Report};
use trawl_emulator::{Variant, mutants_of};

fn exchange(direct: &Direct, seed: u64) -> (Report, Vec<i32>) {
    let values: Vec<i32> = (0..128).collect();
    let (input, output) = (direct.upload(&values), direct.uninitialised::<i32>(64));
    let report = direct.launch("exchange", Launch { seed, ..Launch::new(1, 64) }, &[&input, &output]);
    (report, output.download())
}

#[test]
fn every_mutant_is_caught_and_the_original_is_clean() {
    let direct = Direct::load(Kernels::Own, Variant::Checked);
    let (_, expected) = exchange(&direct, 1);
    for seed in 1..30 {
        let (report, output) = exchange(&direct, seed);
        assert!(report.errors.is_empty(), "seed {seed}: {:?}", report.errors);
        assert_eq!(output, expected, "seed {seed}");
    }

    let mutants = mutants_of(Kernels::Own, "exchange");
    let places: Vec<(&str, &str)> = mutants.iter().map(|m| (m.file.as_str(), m.what.as_str())).collect();
    let expected_places = [
        ("common/warp_exchange.cuh", "__syncwarp()"),
        ("exchange.cu", "__pipeline_wait_prior(1)"),
        ("exchange.cu", "__syncthreads()"),
        ("exchange.cu", "__pipeline_wait_prior(0)"),
        ("exchange.cu", "__syncthreads_count(threadIdx.x < 3)"),
    ];
    assert_eq!(places, expected_places);
    for mutant in &mutants {
        let direct = Direct::from_folder(&mutant.folder);
        let is_caught = (1..11).any(|seed| {
            let (report, output) = exchange(&direct, seed);
            !report.errors.is_empty() || output != expected
        });
        assert!(is_caught, "{mutant:?} is not caught");
    }
    assert_eq!(mutants_of(Kernels::Own, "exchange"), mutants, "a second call finds what the first built");
}
