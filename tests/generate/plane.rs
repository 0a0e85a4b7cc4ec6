//! `plane/1` follows its closed form.

use super::*;

#[test]
fn points_follow_the_stated_density() {
    let n = 60_000;
    let sample = PlaneSample { seed: 8, events: n, ..Default::default() };
    let batch = sample.columns(0..n);
    let table = Table::new(&sample, &batch);
    let (y, x) = (table.scalar("m_Y"), table.scalar("m_X"));
    for limit in [1100.0f64, 1300.0, 2000.0, 3000.0, 4500.0] {
        let t = (limit / 1100.0).ln();
        let above = y.iter().filter(|&&mass| f64::from(mass) >= limit).count();
        assert_share(above, n as usize, (-2.6 * t - 0.4 * t * t).exp(), 1e-12);
    }
    let deviates: Vec<f64> = y.iter().zip(x).map(|(y, x)| f64::from(x / y * 1300.0 / 150.0).ln()).collect();
    // Errors: 0.6 / sqrt(n) = 0.0024 of the mean, 0.6 / sqrt(2 n) = 0.0017 of the width.
    let width = (deviates.iter().map(|s| s * s).sum::<f64>() / n as f64).sqrt();
    assert!(mean(&deviates).abs() < 0.01 && (width - 0.6).abs() < 0.008, "{} {width}", mean(&deviates));
    assert!(y.iter().zip(x).all(|(y, x)| x < y));
    // Independent: the mean deviate of the upper half in m_Y is that of the lower.
    let middle = median(y.iter().map(|&mass| f64::from(mass)));
    let upper: Vec<f64> =
        deviates.iter().zip(y).filter(|(_, y)| f64::from(**y) > middle).map(|(deviate, _)| *deviate).collect();
    assert!(mean(&upper).abs() < 0.014, "{}", mean(&upper));
}

#[test]
fn the_resonance_has_its_number_and_its_place() {
    let resonance = Resonance { events: 2000, mass_y_gev: 2500.0, mass_x_gev: 300.0, ..Resonance::default() };
    let sample = PlaneSample { events: 8000, resonance: Some(resonance), weight: 0.5, ..Default::default() };
    let batch = sample.columns(0..8000);
    let table = Table::new(&sample, &batch);
    let rows: Vec<usize> = (0..8000).filter(|&row| table.scalar("truth_signal")[row] == 1.0).collect();
    assert_eq!(rows.len(), 2000);
    // 75 GeV and 15 GeV over sqrt(2000), times four.
    for (name, expected, bound) in [("m_Y", 2500.0, 6.8), ("m_X", 300.0, 1.4)] {
        let masses: Vec<f64> = rows.iter().map(|&row| f64::from(table.scalar(name)[row])).collect();
        assert!((mean(&masses) - expected).abs() < bound, "{name} {}", mean(&masses));
    }
    assert!(table.scalar("weight").iter().all(|&weight| weight == 0.5));
}
