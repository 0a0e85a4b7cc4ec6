//! `features.order`: the same order, also of equals.

use trawl::Device;
use trawl::device::{Host, Operation};
use trawl::features::order::{Coordinates, LARGEST_ON_DEVICE, Order, Ordering, Truncation};
use trawl::math::philox::{Philox, Stage};

use crate::harness::{cuda, every_block_size, floats_are_exact};

/// Jets of so many constituents in rows of this number; many values are equal.
fn jets(sizes: &[u32], rows: u32) -> Coordinates<Host> {
    let random = Philox::new(u64::from(rows), Stage::Probe);
    // With contraction equals are not equal.
    let steps = if floats_are_exact() { 8.0 } else { 1e9 };
    let values = |draw: u64| -> Vec<f64> {
        let rows = 0..sizes.len() as u64 * u64::from(rows);
        rows.map(|unit| (random.uniforms(unit, draw)[0] * steps).floor() / steps).collect()
    };
    Coordinates {
        rows,
        pt: values(0).into(),
        eta: values(1).iter().map(|x| x - 0.5).collect(),
        phi: values(2).iter().map(|x| 6.0 * x - 3.0).collect(),
        number: sizes.to_vec().into(),
    }
}

fn every_kind() -> impl Iterator<Item = Order> {
    let kinds = [
        (Ordering::Pt, Truncation::Pt),
        (Ordering::Pt, Truncation::Kt),
        (Ordering::Kt, Truncation::Pt),
        (Ordering::Kt, Truncation::Kt),
    ];
    [1, 20, 70].into_iter().flat_map(move |most| kinds.map(|(ordering, cut)| Order::new(ordering, most, cut).unwrap()))
}

#[test]
fn the_same_order_at_every_size_and_block_size() {
    for (threads, cuda) in every_block_size() {
        for rows in [1, 20, 65] {
            // So many that a warp has more than one.
            let sizes: Vec<u32> = (0..150).map(|jet| jet * 7 % (rows + 1)).collect();
            let jets = jets(&sizes, rows);
            for kind in every_kind() {
                let here = kind.cpu(jets.clone()).unwrap();
                let there = Device::Cuda(cuda.clone()).run(&kind, jets.clone()).unwrap();
                assert_eq!(here.order, there.order, "{kind:?}, {rows} rows, by {threads}");
                assert_eq!(here.number, there.number, "{kind:?}, {rows} rows, by {threads}");
            }
        }
    }
}

#[test]
fn typical_sizes() {
    let Some(cuda) = cuda() else { return };
    let kind = Order::new(Ordering::Kt, 20, Truncation::Pt).unwrap();
    let jets = jets(&(0..256).map(|jet| 3 + jet % 18).collect::<Vec<_>>(), 20);
    let there = Device::Cuda(cuda).run(&kind, jets.clone()).unwrap();
    assert_eq!(kind.cpu(jets).unwrap().order, there.order);
}

#[test]
fn the_largest_jet_is_the_same_and_a_larger_one_is_refused() {
    let Some(cuda) = cuda() else { return };
    let device = Device::Cuda(cuda);
    let kind = Order::new(Ordering::Kt, 20, Truncation::Kt).unwrap();
    let large = jets(&[LARGEST_ON_DEVICE, 3], LARGEST_ON_DEVICE);
    assert_eq!(kind.cpu(large.clone()).unwrap().order, device.run(&kind, large).unwrap().order);
    let error = device.run(&kind, jets(&[3], LARGEST_ON_DEVICE + 1)).unwrap_err().to_string();
    assert!(error.contains("1025 rows do not fit"), "{error}");
    let none = device.run(&kind, jets(&[], 4)).unwrap();
    assert_eq!((none.order.len(), none.number.len()), (0, 0));
}
