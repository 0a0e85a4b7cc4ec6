//! The shared tools: draws, decays, spectra. What the generators make of them is tested in tests/generate.rs.

use super::draws::{Draws, Stream};
use super::kinematics::*;
use crate::math::lorentz::FourMomentum;

fn draws(event: u64) -> Draws {
    Draws::new(11, Stream::Plane1, event)
}

fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n)
}

#[test]
fn draws_have_the_stated_moments() {
    let mut draws = draws(0);
    let n = 40_000;
    // Errors of mean and variance of a normal sample: 1 / sqrt(n) = 0.005 and sqrt(2 / n) = 0.0071.
    for sample in
        [(0..n).map(|_| draws.normal()).collect::<Vec<_>>(), (0..n / 2).flat_map(|_| draws.bells()).collect::<Vec<_>>()]
    {
        let (mean, variance) = moments(&sample);
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
    }
    for expected in [0.3, 2.0, 28.0] {
        let counts: Vec<f64> = (0..n).map(|_| draws.poisson(expected) as f64).collect();
        let (mean, variance) = moments(&counts);
        assert!((mean - expected).abs() < 4.0 * (expected / f64::from(n)).sqrt(), "{mean} for {expected}");
        assert!((variance / expected - 1.0).abs() < 0.05, "{variance} for {expected}");
    }
    let chosen = (0..n).filter(|_| draws.choose(&[1.0, 3.0]) == 0).count() as f64;
    assert!((chosen - 10_000.0).abs() < 4.0 * 7500f64.sqrt(), "{chosen}");
}

#[test]
fn generators_of_one_seed_share_no_number() {
    let first = |stream| Draws::new(3, stream, 5).uniform();
    let streams = [Stream::Dilepton1, Stream::Dijet2, Stream::Plane1].map(first);
    assert!(streams[0] != streams[1] && streams[1] != streams[2] && streams[0] != streams[2]);
}

#[test]
fn decays_conserve_momentum_and_masses() {
    let mut draws = draws(1);
    for _ in 0..200 {
        let mass = draws.within(100.0, 3000.0);
        let products = [draws.within(0.0, 0.5) * mass, draws.within(0.0, 0.5) * mass];
        let parent = momentum(draws.within(0.0, 2000.0), draws.within(-2.0, 2.0), draws.azimuth(), mass);
        let [one, two] = decay(&mut draws, parent, mass, products);
        let sum = one + two;
        for (a, b) in [(sum.px, parent.px), (sum.py, parent.py), (sum.pz, parent.pz), (sum.energy, parent.energy)] {
            assert!((a - b).abs() < 1e-9 * parent.energy);
        }
        for (p, m) in [(one, products[0]), (two, products[1])] {
            assert!((p.mass() - m).abs() < 1e-4 * mass, "{} instead of {m}", p.mass());
        }
    }
    // The textbook value of a top's decay to b and W: (m^2 - m_W^2) / (2 m) for a massless b.
    let expected = (TOP_GEV * TOP_GEV - W_GEV * W_GEV) / (2.0 * TOP_GEV);
    assert!((decay_momentum(TOP_GEV, [0.0, W_GEV]) - expected).abs() < 1e-9);
    assert_eq!(decay_momentum(100.0, [60.0, 60.0]), 0.0);
    let rest = FourMomentum { px: 0.0, py: 0.0, pz: 0.0, energy: 91.0 };
    assert_eq!(boost(rest, rest, 91.0), rest);
}

#[test]
fn masses_follow_the_breit_wigner() {
    let mut draws = draws(2);
    let n = 20_000;
    let (mass, width) = (Z_GEV, Z_WIDTH_GEV);
    let angle = |m: f64| ((m * m - mass * mass) / (mass * width)).atan();
    let masses: Vec<f64> = (0..n).map(|_| breit_wigner(&mut draws, mass, width, 40.0, 200.0)).collect();
    for limit in [60.0, 85.0, 90.0, mass, 92.0, 95.0, 120.0] {
        let expected = f64::from(n) * (angle(limit) - angle(40.0)) / (angle(200.0) - angle(40.0));
        let below = masses.iter().filter(|&&m| m < limit).count() as f64;
        let error = (expected * (1.0 - expected / f64::from(n))).sqrt();
        assert!((below - expected).abs() < 4.0 * error + 1.0, "{below} below {limit}, {expected} expected");
    }
    assert!(masses.iter().all(|m| (40.0..=200.0).contains(m)));
}

#[test]
fn recoil_falls_as_stated() {
    let mut draws = draws(3);
    let n = 20_000;
    let pts: Vec<f64> = (0..n).map(|_| recoil(&mut draws, 12.0, 0.9, 200.0)).collect();
    for x in [3.0f64, 12.0, 30.0, 100.0, 300.0] {
        let expected = f64::from(n) * (1.0 + (x / 12.0).powi(2)).powf(-0.9) * (-x / 200.0).exp();
        let above = pts.iter().filter(|&&pt| pt > x).count() as f64;
        assert!((above - expected).abs() < 4.0 * expected.sqrt(), "{above} above {x} GeV, {expected} expected");
    }
}

#[test]
fn azimuths_are_wrapped_and_never_round_beyond_pi() {
    for (angle, expected) in
        [(3.5, 3.5 - 2.0 * std::f64::consts::PI), (-3.5, 2.0 * std::f64::consts::PI - 3.5), (1.0, 1.0)]
    {
        assert!((wrapped(angle) - expected).abs() < 1e-15);
    }
    assert!(azimuth_f32(std::f64::consts::PI) <= std::f32::consts::PI);
}

#[test]
fn a_signal_is_spread_evenly_and_exactly() {
    for (chosen, events) in [(0, 10), (3, 10), (10, 10), (1, 1), (700, 3000)] {
        assert_eq!((0..events).filter(|&row| super::is_chosen(row, chosen, events)).count() as u64, chosen);
    }
}
