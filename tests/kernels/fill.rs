//! `spectrum.fill`: the same counts and sums to the last unit.

use trawl::device::{Cuda, Device, Download, Host, Operation, Upload};
use trawl::math::exact::WeightScale;
use trawl::math::philox::{Philox, Stage};
use trawl::selection::Tally;
use trawl::spectrum::{Axis, Entries, Fill};

use crate::harness::{cuda, every_block_size};

fn axis(bins: u32) -> Axis {
    // Edges that grow, so that the search is no division.
    Axis::new("m", "GeV", (0..=bins).map(|edge| f64::from(edge * edge) / 7.0).collect()).unwrap()
}

/// A line of few rows (kept by each block), one of many and a plane (in global memory).
fn fills() -> [Fill; 3] {
    let scale = WeightScale::new(40.0).unwrap();
    [vec![axis(20)], vec![axis(500)], vec![axis(30), axis(25)]].map(|axes| Fill::new(axes, scale).unwrap())
}

fn entries(fill: &Fill, length: usize, seed: u64) -> Entries<Host> {
    let random = Philox::new(seed, Stage::Probe);
    let value = |entry: u64, axis: &Axis, at: u64| {
        let [u, v] = random.uniforms(entry, at);
        let edges = axis.edges();
        match (v * 20.0) as u32 {
            0 => f32::NAN,
            1 => f32::NEG_INFINITY,
            2 | 3 => edges[(u * edges.len() as f64) as usize] as f32,
            _ => ((u * 1.2 - 0.1) * edges[edges.len() - 1]) as f32,
        }
    };
    let column = |(axis, at): (&Axis, u64)| (0..length as u64).map(|entry| value(entry, axis, at)).collect();
    Entries {
        values: fill.axes().iter().zip(0..).map(column).collect(),
        weights: (0..length as u64).map(|entry| (random.uniforms(entry, 9)[0] as f32 - 0.3) * 50.0).collect(),
        spectrum: Tally::empty(fill.rows()),
    }
}

fn on(cuda: &Cuda, fill: &Fill, entries: Entries<Host>) -> trawl::Result<Tally<Host>> {
    Device::Cuda(cuda.clone()).run(fill, entries)
}

#[test]
fn the_same_sums_at_every_shape_and_block_size() {
    for (threads, cuda) in every_block_size() {
        for fill in fills() {
            for length in [0, 1, 31, 32, 257, 3001] {
                let entries = entries(&fill, length, length as u64);
                let here = fill.cpu(entries.clone()).unwrap();
                let there = on(&cuda, &fill, entries).unwrap();
                assert_eq!(here.words, there.words, "{length} entries in {} rows by {threads}", fill.rows());
            }
        }
    }
}

#[test]
fn batches_add_where_they_are() {
    let Some(cuda) = cuda() else { return };
    for fill in fills() {
        let mut here = Tally::empty(fill.rows());
        let mut there = Tally::empty_on(&cuda, fill.rows()).unwrap();
        for (length, seed) in [(400, 1), (0, 2), (900, 3)] {
            let entries = entries(&fill, length, seed);
            let uploaded = entries.upload(&cuda).unwrap();
            here = fill.cpu(Entries { spectrum: here, ..entries }).unwrap();
            there = fill.cuda(&cuda, Entries { spectrum: there, ..uploaded }).unwrap();
        }
        assert_eq!(here.words, there.download(&cuda).unwrap().words);
    }
}

#[test]
fn the_same_weights_are_refused() {
    let Some(cuda) = cuda() else { return };
    for wrong in [f32::NAN, f32::NEG_INFINITY, 1e3, 1e-30] {
        for fill in fills() {
            let mut entries = entries(&fill, 700, 4);
            let mut weights = entries.weights.to_vec();
            [699usize, 300, 12].into_iter().for_each(|entry| weights[entry] = wrong);
            entries.weights = weights.into();
            let here = fill.cpu(entries.clone()).unwrap_err().to_string();
            assert!(here.contains("the weight of entry 12 and 2 more"), "{here}");
            assert_eq!(here, on(&cuda, &fill, entries).unwrap_err().to_string());
        }
    }
}
