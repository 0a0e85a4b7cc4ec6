use super::*;
use crate::device::Device;
use crate::math::philox::{Philox, Stage};

/// Arguments over all exponents, of order one, and the edges.
pub fn arguments(n: usize, seed: u64) -> (Vec<f64>, Vec<f64>) {
    let edges = [0.0, -0.0, 1.0, -1.0, 2.5, 1e-9, 1e300, -1e300, 5e-324, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    let random = Philox::new(seed, Stage::Probe);
    let value = |unit: u64, draw: u64| {
        let [u, v] = random.uniforms(unit, draw);
        match unit % 8 {
            0 => edges[(u * edges.len() as f64) as usize],
            1 => ((u - 0.5) * 2000.0).exp2() * if v < 0.5 { -1.0 } else { 1.0 },
            2 | 3 => (u - 0.5) * 8.0,
            4 => u * 3000.0,
            _ => (u - 0.5) * 200.0,
        }
    };
    ((0..n as u64).map(|unit| value(unit, 0)).collect(), (0..n as u64).map(|unit| value(unit, 1)).collect())
}

#[test]
fn results_are_those_of_the_functions_and_counted() {
    let (a, b) = (vec![1.0, 0.0, -1.0, f64::NAN], vec![0.0; 4]);
    let output = Device::Cpu.run(&Probe { function: Function::Ln }, Probe::input(a, b)).unwrap();
    let expected = [0.0f64, f64::NEG_INFINITY, f64::NAN, f64::NAN].map(f64::to_bits);
    assert_eq!((&output.bits[..], &output.not_finite[..]), (&expected[..], &[3][..]));
}

#[test]
fn every_function_answers_every_argument() {
    let (a, b) = arguments(2000, 1);
    for &function in Function::ALL {
        let output = Device::Cpu.run(&Probe { function }, Probe::input(a.clone(), b.clone())).unwrap();
        assert_eq!(output.bits.len(), 2000);
        assert!((output.not_finite[0] as usize) < 2000, "{function:?} never answers with a number");
    }
    assert!(Function::ALL.iter().enumerate().all(|(number, &function)| function as usize == number));
}

#[test]
fn arguments_come_in_pairs() {
    let error = Device::Cpu.run(&Probe { function: Function::Exp }, Probe::input(vec![1.0], vec![])).unwrap_err();
    assert!(error.to_string().starts_with("math.probe: 1 first and 0 second"), "{error}");
    let none = Device::Cpu.run(&Probe { function: Function::Exp }, Probe::input(vec![], vec![])).unwrap();
    assert_eq!((none.bits.len(), none.not_finite[0]), (0, 0));
}
