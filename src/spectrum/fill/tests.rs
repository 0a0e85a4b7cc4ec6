use proptest::prelude::*;

use super::*;
use crate::spectrum::{Histogram, Spectrum};

fn plane() -> Fill {
    let x = Axis::new("m_X", "GeV", vec![0.0, 10.0, 25.0, 50.0]).unwrap();
    let y = Axis::new("m_Y", "GeV", vec![-1.0, 0.5, 100.0]).unwrap();
    Fill::new(vec![x, y], WeightScale::new(16.0).unwrap()).unwrap()
}

fn line() -> Fill {
    Fill::new(vec![plane().axes()[0].clone()], WeightScale::new(16.0).unwrap()).unwrap()
}

fn run(fill: &Fill, values: &[Vec<f32>], weights: &[f32], spectrum: Tally<Host>) -> Result<Tally<Host>> {
    let values = values.iter().map(|column| column.clone().into()).collect();
    let entries = Entries { values, weights: weights.to_vec().into(), spectrum };
    fill.check(&entries)?;
    fill.cpu(entries)
}

fn spectrum(fill: &Fill, values: &[Vec<f32>], weights: &[f32]) -> Spectrum {
    Spectrum::new(fill, &run(fill, values, weights, Tally::empty(fill.rows())).unwrap()).unwrap()
}

#[test]
fn a_hand_computed_line() {
    let infinity = f32::INFINITY;
    let values = [-infinity, -0.1, 0.0, 9.999, 10.0, 25.0, 49.9, 50.0, infinity, f32::NAN, -0.0];
    let weights = [1.0, 2.0, 0.5, 0.25, -3.0, 1.0, 1.0, 4.0, 8.0, 7.0, 0.0];
    let filled = spectrum(&line(), &[values.to_vec()], &weights);
    let histogram = filled.histogram();
    assert_eq!(histogram.counts, Some(vec![2, 3, 1, 2, 2]));
    assert_eq!(histogram.sumw, [3.0, 0.75, -3.0, 2.0, 12.0]);
    assert_eq!(histogram.sumw2, [5.0, 0.3125, 9.0, 2.0, 80.0]);
    assert_eq!(histogram.values_without_flow(), [0.75, -3.0, 2.0]);
    assert_eq!(histogram.counts_without_flow(), [3, 1, 2]);
    assert_eq!(filled.not_a_number(), 1);
}

#[test]
fn a_hand_computed_plane_projects_and_rebins() {
    let (x, y) = (vec![5.0, 5.0, 30.0, -1.0, 60.0, 12.0, f32::NAN], vec![0.0, 0.5, 200.0, -2.0, 99.0, f32::NAN, 0.0]);
    let filled = spectrum(&plane(), &[x, y], &[1.0, 2.0, 4.0, 8.0, 16.0, 1.0, 1.0]);
    let histogram = filled.histogram();
    #[rustfmt::skip]
    let expected = [
        8.0, 0.0, 0.0, 0.0,
        0.0, 1.0, 2.0, 0.0,
        0.0, 0.0, 0.0, 0.0,
        0.0, 0.0, 0.0, 4.0,
        0.0, 0.0, 16.0, 0.0,
    ];
    assert_eq!(histogram.sumw, expected);
    assert_eq!(histogram.values_without_flow(), [1.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(filled.not_a_number(), 2);
    assert_eq!(filled.project(0).unwrap().histogram().sumw, [8.0, 3.0, 0.0, 4.0, 16.0]);
    assert_eq!(filled.project(1).unwrap().histogram().sumw, [8.0, 1.0, 18.0, 4.0]);
    assert_eq!(filled.slice(0).unwrap().histogram().sumw, [0.0, 1.0, 2.0, 0.0]);
    assert_eq!(filled.slice(2).unwrap().histogram().sumw, [0.0, 0.0, 0.0, 4.0]);
    assert!(filled.slice(3).is_err() && filled.project(0).unwrap().slice(0).is_err());
    assert_eq!(filled.project(1).unwrap().project(0).unwrap(), filled.project(1).unwrap());
    assert!(filled.project(2).is_err());
    let joined = filled.rebin(0, 3).unwrap();
    assert_eq!(joined.histogram().sumw, [8.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 4.0, 0.0, 0.0, 16.0, 0.0]);
    assert_eq!(joined.axes()[0].edges(), [0.0, 50.0]);
    let joined = filled.rebin(1, 2).unwrap().project(1).unwrap();
    assert_eq!(joined.histogram().sumw, [8.0, 19.0, 4.0]);
    assert!(filled.rebin(0, 2).unwrap_err().to_string().contains("3 bins cannot be joined 2 by 2"));
    assert!(filled.rebin(1, 0).is_err());
}

#[test]
fn nothing_and_one() {
    for length in [0usize, 1] {
        let filled = spectrum(&line(), &[vec![1.0; length]], &vec![1.0; length]);
        assert_eq!(filled.histogram().counts_without_flow(), [length as u64, 0, 0]);
    }
}

#[test]
fn refused_weights_are_named() {
    let said = |weights: &[f32]| {
        let values = vec![1.0; weights.len()];
        run(&line(), &[values], weights, Tally::empty(line().rows())).unwrap_err().to_string()
    };
    assert!(
        said(&[1.0, 17.0, 18.0])
            .contains("the weight of entry 1 and 1 more is too large (the largest weight was declared as 16)")
    );
    assert!(said(&[f32::NAN]).contains("the weight of entry 0 is not finite"));
    assert!(said(&[1.0, 1e-20]).contains("is too small"));
}

#[test]
fn shapes_and_axes_are_checked_together() {
    let error = run(&plane(), &[vec![1.0]], &[1.0, 2.0], Tally::empty(3)).unwrap_err().to_string();
    for part in ["columns of values: expected 2, got 1", "words of the spectrum", "values of 'm_X': expected 2, got 1"]
    {
        assert!(error.contains(part), "{error}");
    }
    let axis = |edges: &[f64]| Axis::new("m", "", edges.to_vec());
    assert!(axis(&[1.0]).unwrap_err().to_string().contains("at least 2 edges"));
    assert!(axis(&[1.0, 1.0]).unwrap_err().to_string().contains("edges must ascend, but 1 is followed by 1"));
    assert!(axis(&[1.0, f64::NAN]).unwrap_err().to_string().contains("edge 2 is NaN"));
    assert!(Axis::regular("m", "", 0, 0.0, 1.0).is_err() && Axis::regular("m", "", u32::MAX, 0.0, 1.0).is_err());
    assert_eq!(Axis::regular("m", "", 3, 0.0, 0.3).unwrap().edges(), [0.0, 0.3 / 3.0, 0.6 / 3.0, 0.3]);
    assert!(Fill::new(vec![], WeightScale::UNIT).is_err());
    let many = || Axis::regular("m", "", 1 << 20, 0.0, 1.0).unwrap();
    assert!(Fill::new(vec![many(), many()], WeightScale::UNIT).is_err());
}

#[test]
fn long_batches_are_cut_into_chunks_without_a_trace() {
    let length = 3 * (1 << 15) + 17;
    let values: Vec<f32> = (0..length).map(|entry| (entry % 61) as f32 - 4.0).collect();
    let weights: Vec<f32> = (0..length).map(|entry| (entry % 7) as f32 * 0.1 - 0.2).collect();
    let fill = line();
    let run_on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&fill, std::slice::from_ref(&values), &weights, Tally::empty(fill.rows())).unwrap().words)
    };
    let one = run_on(1);
    assert!([2, 3, 5].into_iter().all(|threads| run_on(threads) == one));
    let inside = values.iter().filter(|value| (0.0..50.0).contains(*value)).count() as u64;
    let tally = Tally { words: one, uncarried: 0 };
    assert_eq!(Spectrum::new(&fill, &tally).unwrap().histogram().counts_without_flow().iter().sum::<u64>(), inside);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn agrees_with_naive_filling_in_any_split(
        entries in prop::collection::vec((-5.0f32..60.0, -2.0f32..110.0, -64i32..64), 0..200),
        split in 0usize..200,
    ) {
        // Weights are multiples of 1/8, so that the naive f64 sums are exact too.
        let fill = plane();
        let column = |of: fn(&(f32, f32, i32)) -> f32| entries.iter().map(of).collect::<Vec<f32>>();
        let (x, y, weights) = (column(|e| e.0), column(|e| e.1), column(|e| e.2 as f32 / 8.0));
        let whole = run(&fill, &[x.clone(), y.clone()], &weights, Tally::empty(fill.rows())).unwrap();
        let split = split.min(entries.len());
        let first = run(&fill, &[x[..split].to_vec(), y[..split].to_vec()], &weights[..split], Tally::empty(fill.rows()));
        let second = run(&fill, &[x[split..].to_vec(), y[split..].to_vec()], &weights[split..], first.unwrap()).unwrap();
        prop_assert_eq!(&whole.words, &second.words);
        let mut expected = vec![(0u64, 0.0, 0.0); 20];
        for entry in 0..entries.len() {
            let place = |axis: &Axis, value: f32| axis.edges().iter().filter(|edge| **edge <= f64::from(value)).count();
            let bin = place(&fill.axes()[0], x[entry]) * 4 + place(&fill.axes()[1], y[entry]);
            let weight = f64::from(weights[entry]);
            expected[bin].0 += 1;
            expected[bin].1 += weight;
            expected[bin].2 += weight * weight;
        }
        let histogram: Histogram = Spectrum::new(&fill, &whole).unwrap().histogram();
        let counts = histogram.counts.unwrap();
        let got: Vec<_> = (0..20).map(|bin| (counts[bin], histogram.sumw[bin], histogram.sumw2[bin])).collect();
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn spectra_of_samples_add_exactly(values in prop::collection::vec(-5.0f32..60.0, 0..50), split in 0usize..50) {
        let fill = line();
        let split = split.min(values.len());
        let of = |part: &[f32]| spectrum(&fill, &[part.to_vec()], &part.iter().map(|value| value.abs() * 0.1 + 0.1).collect::<Vec<_>>());
        let mut sum = of(&values[split..]);
        sum.merge(&of(&values[..split])).unwrap();
        prop_assert_eq!(sum, of(&values));
    }
}

#[test]
fn spectra_of_different_axes_do_not_add() {
    let mut one = spectrum(&line(), &[vec![]], &[]);
    let other = spectrum(&plane(), &[vec![], vec![]], &[]);
    assert!(one.merge(&other).unwrap_err().to_string().contains("'m_X' and 'm_X x m_Y' cannot be added"));
    let scaled = Fill::new(line().axes().to_vec(), WeightScale::UNIT).unwrap();
    assert!(one.merge(&spectrum(&scaled, &[vec![]], &[])).is_err());
    assert!(Spectrum::new(&plane(), &Tally::empty(3)).is_err());
}
