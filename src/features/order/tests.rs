use super::*;
use crate::math::philox::{Philox, Stage};

/// Jets of so many constituents in rows of this number.
fn jets(sizes: &[u32], rows: u32, steps: f64) -> Coordinates<Host> {
    let random = Philox::new(7, Stage::Probe);
    let values = |draw: u64, of: &dyn Fn(f64) -> f64| -> Vec<f64> {
        (0..sizes.len() as u64 * u64::from(rows)).map(|unit| of(random.uniforms(unit, draw)[0])).collect()
    };
    // In steps, so that many are equal.
    let stepped = |x: f64| (x * steps).floor() / steps;
    Coordinates {
        rows,
        pt: values(0, &|x| stepped(x)).into(),
        eta: values(1, &|x| stepped(x) - 0.5).into(),
        phi: values(2, &|x| 6.0 * stepped(x) - 3.0).into(),
        number: sizes.to_vec().into(),
    }
}

/// The order of a jet, searched for in the plain way.
fn plainly(order: Order, jets: &Coordinates<Host>, jet: usize) -> Vec<u32> {
    let start = jet * jets.rows as usize;
    let pt2 = |at: u32| jets.pt[start + at as usize] * jets.pt[start + at as usize];
    let distance2 = |at: u32, eta: f64, phi: f64| {
        let (deta, turned) = (jets.eta[start + at as usize] - eta, (jets.phi[start + at as usize] - phi).abs());
        let dphi = turned.min(2.0 * std::f64::consts::PI - turned);
        deta * deta + dphi * dphi
    };
    let mut left: Vec<u32> = (0..jets.number[jet]).collect();
    let most = order.most as usize;
    let axis = |at: u32| match order.truncation {
        Truncation::Pt => pt2(at),
        Truncation::Kt => pt2(at) * distance2(at, 0.0, 0.0),
    };
    left.sort_by(|a, b| axis(*b).total_cmp(&axis(*a)).then(a.cmp(b)));
    left.truncate(most);
    left.sort_unstable();
    let mut answer: Vec<u32> = Vec::new();
    while !left.is_empty() {
        let key = |at: u32| match (order.ordering, answer.last()) {
            (Ordering::Kt, Some(last)) => {
                let last = start + *last as usize;
                pt2(at) * distance2(at, jets.eta[last], jets.phi[last])
            }
            _ => pt2(at),
        };
        let best = (0..left.len()).rev().max_by(|a, b| key(left[*a]).total_cmp(&key(left[*b]))).unwrap();
        answer.push(left.remove(best));
    }
    answer.resize(most, NO_ROW);
    answer
}

fn every_kind(most: u32) -> Vec<Order> {
    let orderings = [Ordering::Pt, Ordering::Kt].into_iter();
    let both = |ordering| [Truncation::Pt, Truncation::Kt].map(|cut| Order::new(ordering, most, cut).unwrap());
    orderings.flat_map(both).collect()
}

#[test]
fn orders_are_those_of_a_plain_search() {
    let sizes: Vec<u32> = (0..301).map(|jet| jet * 7 % 41).collect();
    for steps in [4.0, 1e6] {
        let jets = jets(&sizes, 40, steps);
        for kind in [1, 5, 20, 40, 50].into_iter().flat_map(every_kind) {
            let orders = kind.cpu(jets.clone()).unwrap();
            for (jet, size) in sizes.iter().enumerate() {
                let got = &orders.order[jet * kind.most as usize..(jet + 1) * kind.most as usize];
                assert_eq!(got, plainly(kind, &jets, jet), "{kind:?}, jet {jet} of {size}");
                assert_eq!(orders.number[jet], *size.min(&kind.most));
            }
        }
    }
}

#[test]
fn equals_come_in_the_order_of_their_indices() {
    let equal = Coordinates {
        rows: 5,
        pt: vec![0.5; 10].into(),
        eta: vec![0.1; 10].into(),
        phi: vec![3.0; 10].into(),
        number: vec![5, 3].into(),
    };
    for kind in every_kind(5) {
        let orders = kind.cpu(equal.clone()).unwrap();
        assert_eq!(orders.order.to_vec(), [0, 1, 2, 3, 4, 0, 1, 2, NO_ROW, NO_ROW]);
    }
}

#[test]
fn azimuths_go_the_short_way_round() {
    let jet = Coordinates {
        rows: 3,
        pt: vec![1.0, 0.5, 0.5].into(),
        eta: vec![0.0; 3].into(),
        phi: vec![3.1, -3.1, 2.0].into(),
        number: vec![3].into(),
    };
    let orders = Order::new(Ordering::Kt, 3, Truncation::Pt).unwrap().cpu(jet).unwrap();
    assert_eq!(orders.order.to_vec(), [0, 2, 1]);
}

#[test]
fn what_cannot_be_ordered_is_named() {
    assert!(Order::new(Ordering::Kt, 0, Truncation::Pt).unwrap_err().to_string().contains("0 constituents at most"));
    let kind = every_kind(3)[1];
    let good = jets(&[3, 2], 3, 1e6);
    let changed = |column: &ScalarColumn, at: usize, value: f64| -> ScalarColumn {
        let mut column = column.to_vec();
        column[at] = value;
        column.into()
    };
    for (bad, wanted) in [
        (Coordinates { pt: changed(&good.pt, 1, -1.0), ..good.clone() }, "pt = -1e0 of constituent 1 of jet 0"),
        (Coordinates { eta: changed(&good.eta, 4, f64::NAN), ..good.clone() }, "eta = NaN of constituent 1 of jet 1"),
        (Coordinates { phi: changed(&good.phi, 3, 1e60), ..good.clone() }, "phi = 1e60 of constituent 0 of jet 1"),
        (Coordinates { phi: vec![0.0; 5].into(), ..good.clone() }, "phi: expected 6 rows, got 5"),
        (Coordinates { number: vec![3, 4].into(), ..good.clone() }, "jet 1 has 4 constituents in 3 rows"),
    ] {
        let error = kind.run(&Device::Cpu, &bad).unwrap_err().to_string();
        assert!(error.starts_with("features.order: ") && error.contains(wanted), "{error}");
    }
    // Rows without a constituent may hold anything.
    let padded = Coordinates { eta: changed(&good.eta, 5, f64::NAN), ..good.clone() };
    assert_eq!(kind.cpu(padded).unwrap().order, kind.cpu(good).unwrap().order);
    let none = kind.run(&Device::Cpu, &jets(&[], 0, 1.0)).unwrap();
    assert_eq!((none.order.len(), none.number.len()), (0, 0));
}

type ScalarColumn = arrow_buffer::ScalarBuffer<f64>;
