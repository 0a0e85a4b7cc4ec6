//! This binary again, in child processes: other builds of the emulator, and mutants.

use std::process::{Command, Output};

use trawl::device::kernels;
use trawl_emulator::{Mutant, Variant, mutants, sharing_kernels};

/// Every kernel file and the module here that compares it with its twin.
const KERNELS: [(&str, &str); 20] = [
    ("math/probe", "probe::"),
    ("selection/select", "select::"),
    // Carries the tallies of the other two before they overflow; its edge is forced in the tests of `selection::tally`.
    ("selection/tally", "select::"),
    ("spectrum/fill", "fill::"),
    ("features/align", "align::"),
    ("features/cluster", "cluster::"),
    ("features/dijet", "dijet::"),
    ("features/image", "image::"),
    ("features/order", "order::"),
    ("features/rapidity_mass", "rapidity_mass::"),
    ("features/standardise", "standardise::"),
    ("features/substructure", "substructure::"),
    ("models/train", "train::"),
    ("models/train_bfloat16", "train_bfloat16::"),
    ("hunt/scan", "scan::"),
    ("toys/throw", "throw::"),
    ("toys/tail", "tail::"),
    ("toys/smeared", "smeared::"),
    ("toys/smeared_tail", "smeared_tail::"),
    ("toys/scan", "scan_toys::"),
];

/// The longest that a child may take: the slowest, of the address build, takes 20 s; a mutant takes 0.3 s.
const LIMIT_S: &str = "300";

/// The exit status of `timeout` where it ended the command.
const TIMED_OUT: i32 = 124;

fn here_again(modules: &[&str], environment: Vec<(String, String)>) -> Output {
    let this = std::env::current_exe().expect("a test knows its own binary");
    let mut command = Command::new("timeout");
    command.arg(LIMIT_S).arg(this).args(modules).envs(environment);
    command.output().expect("the test binary starts again")
}

fn skipped() -> bool {
    // On a real GPU there is no emulator to vary.
    crate::harness::cuda().is_none() || std::env::var_os("TRAWL_REAL_GPU").is_some()
}

fn passes_under(variant: Variant) {
    if skipped() {
        return;
    }
    let mut modules: Vec<&str> = KERNELS.iter().map(|(_, module)| *module).collect();
    modules.dedup();
    let output = here_again(&modules, variant.environment());
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_ne!(output.status.code(), Some(TIMED_OUT), "{variant:?} did not end in {LIMIT_S} s:\n{out}\n{err}");
    assert!(output.status.success(), "{variant:?}:\n{out}\n{err}");
    let line = out.lines().find(|line| line.starts_with("test result: ok.")).unwrap_or_default();
    let passed: usize = line.split_whitespace().nth(3).and_then(|number| number.parse().ok()).unwrap_or(0);
    assert!(passed >= KERNELS.len(), "only {passed} tests ran under {variant:?}:\n{out}");
    println!("{variant:?}: {passed} tests passed");
}

#[test]
fn every_kernel_is_compared() {
    let listed: Vec<&str> = KERNELS.iter().map(|(kernel, _)| *kernel).collect();
    for (image, _) in kernels::images() {
        assert!(listed.contains(image), "kernels/{image}.cu has no module in tests/kernels");
    }
}

#[test]
fn nothing_is_found_by_the_address_and_undefined_behaviour_build() {
    passes_under(Variant::Address);
}

#[test]
fn no_integer_changes_with_contraction_and_perturbed_libraries() {
    passes_under(Variant::Perturbed);
}

#[test]
fn every_removed_barrier_is_caught() {
    if skipped() {
        return;
    }
    let sharing = sharing_kernels();
    assert!(!sharing.is_empty(), "no kernel shares memory: the test no longer reads the sources");
    let mut lines = vec![format!("kernels that share memory: {}", sharing.join(", "))];
    let (mut tried, mut survived) = (0, Vec::<Mutant>::new());
    for (kernel, module) in KERNELS {
        let all = mutants(kernel);
        assert!(!sharing.contains(&kernel.to_owned()) || !all.is_empty(), "{kernel} shares memory and has no mutant");
        for mutant in all {
            tried += 1;
            let status = here_again(&[module], mutant.environment()).status;
            // The emulator stops what a removed barrier keeps going; a mutant that it does not stop is not caught.
            let caught = !status.success() && status.code() != Some(TIMED_OUT);
            let what = format!("{} without {} at {}:{}", mutant.kernel, mutant.what, mutant.file, mutant.line);
            lines.push(format!("{what}: {}", if caught { "caught" } else { "SURVIVED" }));
            if !caught {
                survived.push(mutant);
            }
        }
    }
    lines.push(format!("{tried} mutants, {} survived", survived.len()));
    // A passing test's output is swallowed; scripts/test shows this file.
    let summary = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants.txt");
    std::fs::write(summary, lines.join("\n") + "\n").expect("cargo's temporary folder can be written");
    println!("{}", lines.join("\n"));
    assert!(tried > 0, "there was no mutant");
    assert!(survived.is_empty(), "nothing noticed that these are missing: {survived:#?}");
}

/// What the tests of typical sizes read and wrote, where scripts/kernel-budget looks for it: sectors and wavefronts of each access.
#[test]
fn transactions_are_left_for_the_budget() {
    if skipped() {
        return;
    }
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("transactions.tsv");
    let mut environment = Variant::Checked.environment();
    environment.push(("TRAWL_EMULATOR_PROFILE".to_owned(), path.display().to_string()));
    let output = here_again(&["typical_sizes"], environment);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let table = std::fs::read_to_string(path).expect("the driver writes it at its end");
    for (kernel, _) in KERNELS.iter().filter(|(kernel, _)| kernel.starts_with("features/")) {
        let symbol = kernel.replace('/', "_");
        assert!(table.lines().any(|line| line.starts_with(&format!("{symbol}\t"))), "{symbol} has no typical sizes");
    }
}

/// The machine code of this build, where scripts/kernel-budget looks for it.
#[test]
fn kernels_are_left_for_the_budget() {
    for (name, image) in kernels::images() {
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernels").join(format!("{name}.fatbin"));
        std::fs::create_dir_all(path.parent().expect("it is in a folder"))
            .expect("cargo's temporary folder can be written");
        std::fs::write(path, image).expect("cargo's temporary folder can be written");
    }
}
