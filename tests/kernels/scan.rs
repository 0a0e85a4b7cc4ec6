//! `hunt.scan`: the same p-values to the last bit, and the same best window.

use trawl::Device;
use trawl::device::{Host, Operation};
use trawl::hunt::scan::{Input, Output};
use trawl::hunt::{Convention, Direction, Normalisation, Scan};
use trawl::math::philox::{Philox, Stage};

use crate::harness::{cuda, every_block_size, floats_are_exact};

/// Windows of 1 to 9 cells, expectations over nine orders of magnitude, counts from nothing to a large excess.
fn input(cells: usize, windows: usize, seed: u64) -> Input<Host> {
    let random = Philox::new(seed, Stage::Probe);
    let mean = |cell: u64| 1e-4 * 10f64.powf(9.0 * random.uniforms(cell, 0)[0]);
    let observed: Vec<u64> =
        (0..cells as u64).map(|cell| (mean(cell) * 2.0 * random.uniforms(cell, 1)[0]) as u64).collect();
    let start: Vec<u32> = (0..windows as u64).map(|window| random.words(window, 2)[0] % cells as u32).collect();
    let end: Vec<u32> =
        start.iter().enumerate().map(|(w, s)| (s + 1 + random.words(w as u64, 3)[0] % 9).min(cells as u32)).collect();
    let expected = |(start, end): (&u32, &u32)| (*start..*end).map(|cell| mean(u64::from(cell))).sum();
    let expected: Vec<f64> = start.iter().zip(&end).map(expected).collect();
    let sideband_start: Vec<u32> = start.iter().map(|start| start.saturating_sub(4)).collect();
    let sideband_end: Vec<u32> = end.iter().map(|end| (end + 7).min(cells as u32)).collect();
    // A window that fills its sidebands is left out by the host; here it has something beside it, and finds no event there.
    let expected_outside: Vec<f64> = expected.iter().map(|inside| 0.3 + 2.0 * inside).collect();
    Input {
        start: start.into(),
        end: end.into(),
        height: vec![1; windows].into(),
        columns: cells as u32,
        expected: expected.into(),
        expected_outside: expected_outside.into(),
        sideband_start: sideband_start.into(),
        sideband_end: sideband_end.into(),
        observed: observed.into(),
    }
}

fn best(output: &Output<Host>) -> u32 {
    let parts = output.best_ln_p.iter().zip(output.best_window.iter());
    *parts.min_by(|a, b| a.0.total_cmp(b.0).then(a.1.cmp(b.1))).unwrap().1
}

fn agrees(what: &str, here: &[f64], there: &[f64]) {
    for (index, (here, there)) in here.iter().zip(there).enumerate() {
        // The perturbed build contracts products and sums, as this project's kernels are never compiled.
        let near = (here - there).abs() <= 1e-9 * here.abs().max(1.0);
        let same = here.to_bits() == there.to_bits();
        assert!(if floats_are_exact() { same } else { near }, "{what} of window {index}: {here:e} and {there:e}");
    }
}

/// Both conventions, directions and normalisations.
pub fn every_scan() -> impl Iterator<Item = Scan> {
    (0..8).map(|choice| Scan {
        convention: [Convention::ExcessOnly, Convention::Survival][choice % 2],
        direction: [Direction::Excess, Direction::Deficit][choice / 2 % 2],
        normalisation: [Normalisation::Fixed, Normalisation::Sidebands][choice / 4],
    })
}

#[test]
fn the_same_p_values_at_every_shape_and_block_size() {
    for (threads, cuda) in every_block_size() {
        for (cells, windows) in [(1, 1), (2, 31), (33, 32), (60, 285), (300, 257)] {
            for scan in every_scan() {
                let input = input(cells, windows, windows as u64);
                let here = scan.cpu(input.clone()).unwrap();
                let there = Device::Cuda(cuda.clone()).run(&scan, input).unwrap();
                assert_eq!(here.observed, there.observed, "{cells} cells, {windows} windows by {threads}");
                assert_eq!(best(&here), best(&there), "{cells} cells, {windows} windows by {threads}");
                agrees("ln p", &here.ln_p, &there.ln_p);
                agrees("z", &here.z, &there.z);
            }
        }
    }
}

#[test]
fn windows_over_several_rows_hold_the_same_counts() {
    for (threads, cuda) in every_block_size() {
        let (cells, windows, columns) = (120, 90, 20);
        let rows_above = |end: &u32| (cells as u32 - end) / columns;
        let input = input(cells, windows, 5);
        let height =
            input.end.iter().enumerate().map(|(window, end)| 1 + window as u32 % (1 + rows_above(end))).collect();
        let input = Input::<Host> { height, columns, ..input };
        let here = Scan::default().cpu(input.clone()).unwrap();
        let there = Device::Cuda(cuda).run(&Scan::default(), input.clone()).unwrap();
        assert_eq!(here.observed, there.observed, "{threads} threads");
        agrees("ln p", &here.ln_p, &there.ln_p);
        let by_hand = |window: usize| -> u64 {
            let row = |row: u32| input.start[window] + row * columns..input.end[window] + row * columns;
            (0..input.height[window]).flat_map(row).map(|cell| input.observed[cell as usize]).sum()
        };
        assert_eq!(here.observed.to_vec(), (0..windows).map(by_hand).collect::<Vec<_>>());
    }
}

#[test]
fn the_lowest_of_equal_windows_is_best() {
    for (_, cuda) in every_block_size() {
        let windows = 300;
        let column = |value: u32| vec![value; windows];
        let input = Input::<Host> {
            start: column(0).into(),
            end: column(1).into(),
            height: column(1).into(),
            columns: 1,
            expected: (0..windows).map(|window| if window < 40 { 5.0 } else { 3.0 }).collect(),
            expected_outside: vec![0.0; windows].into(),
            sideband_start: column(0).into(),
            sideband_end: column(1).into(),
            observed: vec![9].into(),
        };
        let there = Device::Cuda(cuda).run(&Scan::default(), input).unwrap();
        assert_eq!(best(&there), 40);
    }
}

#[test]
fn what_does_not_fit_a_block_is_refused() {
    let Some(cuda) = cuda() else { return };
    let input = Input::<Host> { observed: vec![0; 12_001].into(), ..input(1, 1, 1) };
    let error = Device::Cuda(cuda).run(&Scan::default(), input).unwrap_err().to_string();
    assert!(error.contains("12001 cells do not fit"), "{error}");
}
