//! Intrinsics give the device's values; transactions are counted as the textbook does.

use trawl_emulator::Variant;
use trawl_emulator::direct::{AccessProfile, Direct, Kernels, Launch};

fn own() -> Direct {
    Direct::load(Kernels::Own, Variant::Checked)
}

#[test]
fn integer_and_rounding_intrinsics() {
    let direct = own();
    let (a, b) = (0x0123_4567_89ab_cdef_u64, 0xfedc_ba98_7654_3210_u64);
    let output = direct.uninitialised::<u64>(8);
    let report = direct.launch("numbers_integers", Launch::new(1, 1), &[&a, &b, &output]);
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    let expected = [
        ((u128::from(a) * u128::from(b)) >> 64) as u64,
        (u64::from(a as u32) * u64::from(b as u32)) >> 32,
        u64::from((a >> 7).leading_zeros()),
        u64::from(a.count_ones()),
        u64::from((a as u32).reverse_bits()),
        u64::from((b << 5).trailing_zeros() + 1),
        2.75_f64.to_bits(),
        (0.1_f64 * 0.1 + -0.01).to_bits(),
    ];
    assert_eq!(output.download(), expected);
}

#[test]
fn votes_shuffles_and_reductions() {
    let direct = own();
    let output = direct.uninitialised::<u32>(256);
    let report = direct.launch("numbers_votes", Launch::new(1, 32), &[&output]);
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    let expected: Vec<u32> = (0..32_u32)
        .flat_map(|lane| {
            let in_eight = if lane % 8 < 4 { lane + 4 } else { lane };
            [0x5555_5555, 0xff << (lane / 8 * 8), 496, lane.saturating_sub(1), in_eight, 1, 0, 5]
        })
        .collect();
    assert_eq!(output.download(), expected);
}

#[test]
fn only_the_variant_perturbed_moves_library_functions_and_contracts() {
    let inputs: Vec<f64> = (1..=64).map(|i| f64::from(i) * 0.1).collect();
    let n = inputs.len() as i32;
    let run = |variant, seed| {
        let direct = Direct::load(Kernels::Own, variant);
        let (input, output) = (direct.upload(&inputs), direct.upload(&vec![0.0_f64; 3 * inputs.len()]));
        let launch = Launch { seed, ..Launch::new(2, 32) };
        let report = direct.launch("numbers_library", launch, &[&input, &output, &n]);
        assert!(report.errors.is_empty(), "{:?}", report.errors);
        output.download()
    };
    let checked = run(Variant::Checked, 1);
    if !std::arch::is_x86_feature_detected!("fma") {
        println!("skipped: the processor has no fused multiply-add");
        return;
    }
    let (perturbed, other_seed) = (run(Variant::Perturbed, 1), run(Variant::Perturbed, 2));
    let steps = |a: f64, b: f64| (a.to_bits() as i64 - b.to_bits() as i64).abs();
    let mut moved = 0;
    for (values, plain) in perturbed.chunks(3).zip(checked.chunks(3)) {
        assert!(steps(values[0], plain[0]) <= 2);
        moved += usize::from(values[0] != plain[0]);
        assert_eq!(values[1], plain[1], "square root and division are exact on every machine");
    }
    assert!(moved > 32, "only {moved} of 64 exponentials moved");
    assert_ne!(perturbed, other_seed);
    assert!(perturbed.chunks(3).zip(checked.chunks(3)).any(|(a, b)| a[2] != b[2]), "nothing was contracted");
}

fn find<'a>(profile: &'a [AccessProfile], what: &str) -> &'a AccessProfile {
    profile.iter().find(|access| access.what.starts_with(what)).unwrap_or_else(|| panic!("no {what} in {profile:?}"))
}

#[test]
fn a_transpose_loads_whole_sectors_and_stores_scattered_words() {
    let direct = own();
    let (input, output) = (direct.upload(&[1.0_f32; 1024]), direct.uninitialised::<f32>(1024));
    let shape = Launch { block: [32, 32, 1], ..Launch::new(1, 1) };
    let profile = direct.profile("numbers_transpose", shape, &[&input, &output]).profile;
    let load = find(&profile, "global load at numbers.cu");
    assert_eq!((load.requests, load.transactions, load.ideal), (32, 128, 128));
    let store = find(&profile, "global store at numbers.cu");
    assert_eq!((store.requests, store.transactions, store.ideal), (32, 1024, 128));
}

#[test]
fn a_column_of_32_words_is_one_bank_unless_padded() {
    let direct = own();
    for (pitch, wavefronts) in [(32_i32, 1024), (33, 32)] {
        let output = direct.uninitialised::<f32>(1024);
        let shape = Launch { block: [32, 32, 1], dynamic_shared_bytes: 4 * 32 * pitch as u64, ..Launch::new(1, 1) };
        let profile = direct.profile("numbers_banks", shape, &[&output, &pitch]).profile;
        let load = find(&profile, "shared load at numbers.cu");
        assert_eq!((load.requests, load.transactions, load.ideal), (32, wavefronts, 32), "pitch {pitch}");
        assert_eq!(find(&profile, "shared store at numbers.cu").transactions, 32);
    }
}
