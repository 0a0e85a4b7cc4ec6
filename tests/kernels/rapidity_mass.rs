//! `features.rapidity_mass`: the same numbers, to the last bit, and the same objects.

use trawl::Device;
use trawl::device::{Host, Operation};
use trawl::features::rapidity_mass::{Input, MOST_OBJECTS, Matrices, ObjectType, Objects, RapidityMass, Verdict};
use trawl::math::philox::{Philox, Stage};

use crate::harness::{cuda, every_block_size, floats_are_exact};

/// pT, pseudorapidity, azimuth, mass.
type Kinematics = [f32; 4];

/// An object; one in eight has the pT of all such, so that indices decide, and a few have none.
fn object(random: &Philox, unit: u64) -> Kinematics {
    let ([a, b], [c, d]) = (random.uniforms(unit, 0), random.uniforms(unit, 1));
    let pt = match (a * 16.0) as u32 {
        0 | 1 => 40.0,
        2 => 0.0,
        _ => 300.0 * a * a + 5.0,
    };
    [pt, 6.0 * b - 3.0, 6.2 * c - 3.1, if d < 0.3 { 0.0 } else { 30.0 * d }].map(|x| x as f32)
}

/// Events with so many objects of each type, by event and type.
fn input(types: usize, events: usize, number: impl Fn(usize, usize) -> usize) -> Input<Host> {
    let objects = |of_type: usize| {
        let random = Philox::new(of_type as u64, Stage::Probe);
        let event = |event: usize| -> Vec<Kinematics> {
            (0..number(event, of_type)).map(|k| object(&random, (1000 * event + k) as u64)).collect()
        };
        let of_events: Vec<Vec<Kinematics>> = (0..events).map(event).collect();
        Objects::of_events(&of_events.iter().map(Vec::as_slice).collect::<Vec<_>>())
    };
    let random = Philox::new(99, Stage::Probe);
    let missing = |event: usize| random.uniforms(event as u64, 0);
    Input {
        objects: (0..types).map(objects).collect(),
        // Of some nothing is missing.
        missing_gev: (0..events).map(|event| (200.0 * missing(event)[0] - 20.0).max(0.0) as f32).collect(),
        missing_phi: (0..events).map(|event| (20.0 * missing(event)[1] - 10.0) as f32).collect(),
    }
}

fn matrix_of(numbers: &[u32]) -> RapidityMass {
    let types = numbers.iter().map(|most| ObjectType::new("objects", *most)).collect();
    RapidityMass { types, ..RapidityMass::default() }
}

fn atlas() -> RapidityMass {
    let whole = RapidityMass::default();
    let pairs = [(0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (0, 3), (1, 3), (0, 4), (1, 4)];
    RapidityMass { leave_out: pairs.iter().filter_map(|(a, b)| whole.leading_mass(*a, *b)).collect(), ..whole }
}

fn agree(what: &str, here: &Matrices<Host>, there: &Matrices<Host>) {
    assert_eq!((here.width, &here.present, &here.verdict), (there.width, &there.present, &there.verdict), "{what}");
    assert_eq!((here.values.len(), &here.outside), (there.values.len(), &there.outside), "{what}");
    for (at, (here, there)) in here.values.iter().zip(&there.values).enumerate() {
        // The perturbed build contracts products and sums, as this project's kernels are never compiled.
        let near = (here - there).abs() <= 1e-6 * (1.0 + here.abs());
        assert!(
            if floats_are_exact() { here.to_bits() == there.to_bits() } else { near },
            "{what}, number {at}: {here:e} {there:e}"
        );
    }
}

/// One object, a few of two types, and a matrix of which a few entries are left out.
fn every_kind() -> Vec<RapidityMass> {
    let part = RapidityMass { leave_out: vec![(0, 0), (1, 2), (5, 5), (4, 0)], ..matrix_of(&[4, 1, 3]) };
    vec![matrix_of(&[1]), matrix_of(&[3, 2]), part]
}

#[test]
fn the_same_numbers_at_every_size_and_block_size() {
    for (threads, cuda) in every_block_size() {
        for kind in every_kind() {
            // So many that a warp has more than one event, and in some more objects than lanes.
            let sizes = [0, 1, 4, 2, 0, 7, 31, 3, 32, 33, 5];
            let input = input(kind.types.len(), 150, |event, of_type| sizes[(event + 5 * of_type) % 11]);
            let here = kind.cpu(input.clone()).unwrap();
            let there = Device::Cuda(cuda.clone()).run(&kind, input).unwrap();
            agree(&format!("{kind:?} by {threads}"), &here, &there);
            assert!(here.present.iter().any(|word| word.count_ones() > 3));
        }
    }
}

#[test]
fn matrices_of_many_rows_and_left_out_masses_are_the_same() {
    let Some(cuda) = cuda() else { return };
    for kind in [RapidityMass::default(), atlas(), matrix_of(&[31]), matrix_of(&[20, 20, 1])] {
        let input = input(kind.types.len(), 5, |event, of_type| (5 * event + of_type) % 23);
        let there = Device::Cuda(cuda.clone()).run(&kind, input.clone()).unwrap();
        agree(&format!("{kind:?}"), &kind.cpu(input).unwrap(), &there);
    }
    // As many rows as may be, of which the first four are looked at.
    let leave_out = (4..=MOST_OBJECTS).flat_map(|row| (0..=MOST_OBJECTS).map(move |column| (row, column)));
    let kind = RapidityMass { leave_out: leave_out.collect(), ..matrix_of(&[MOST_OBJECTS]) };
    let input = input(1, 1, |_, _| 40);
    let there = Device::Cuda(cuda).run(&kind, input.clone()).unwrap();
    agree("as many rows as may be", &kind.cpu(input).unwrap(), &there);
}

/// Objects of events with a lepton: a few jets, and hardly anything else.
#[test]
fn typical_sizes() {
    let Some(cuda) = cuda() else { return };
    let kind = atlas();
    let input =
        input(5, 64, |event, of_type| [3 + event % 6, event % 3, event % 2, (event + 1) % 2, event % 5 / 4][of_type]);
    let there = Device::Cuda(cuda).run(&kind, input.clone()).unwrap();
    agree("64 events", &kind.cpu(input).unwrap(), &there);
}

#[test]
fn extremes_are_the_same() {
    if !floats_are_exact() {
        return;
    }
    let Some(cuda) = cuda() else { return };
    let odd: &[Kinematics] = &[
        [1e9, 50.0, 0.0, 1e9],
        [1e9, -50.0, 3.2, 0.0],
        [1e-40, 50.0, 1e6, 1e9],
        [1e-40, 0.0, -1e6, 1e-40],
        [1.0, 0.0, -0.0, 0.0],
        [1.0, -0.0, 0.0, 0.0],
        [0.0, 50.0, 0.0, 1e9],
    ];
    for most in [2, 7] {
        let kind = RapidityMass { collision_energy_gev: 1.0, ..matrix_of(&[most]) };
        let input = Input::<Host> {
            objects: vec![Objects::of_events(&[odd, odd, &[]])],
            missing_gev: vec![0.0, 1e9, 1e-40].into(),
            missing_phi: vec![0.0, -1e6, 3.0].into(),
        };
        let there = Device::Cuda(cuda.clone()).run(&kind, input.clone()).unwrap();
        agree(&format!("{most} rows"), &kind.cpu(input).unwrap(), &there);
        assert!(there.values.iter().all(|value| value.is_finite()));
    }
}

/// Nobody looks at what is on a device before.
#[test]
fn what_the_cpu_refuses_is_flagged() {
    use trawl::device::{Download, Upload};
    let Some(cuda) = cuda() else { return };
    let good = [50.0, 0.3, 1.0, 5.0];
    let changed = |which: usize, to: f32| {
        let mut object = good;
        object[which] = to;
        vec![good, object]
    };
    let mut events = vec![vec![good]];
    let bad = [-1.0, f32::NAN, f32::INFINITY, 2e9];
    events.extend(bad.map(|pt| changed(0, pt)));
    events.extend([f32::NAN, 51.0, -51.0].map(|eta| changed(1, eta)));
    events.extend([f32::NAN, 2e6].map(|phi| changed(2, phi)));
    events.extend([f32::NAN, -1.0, 2e9].map(|mass| changed(3, mass)));
    let refused = events.len() - 1;
    events.extend([vec![good], vec![good], vec![good; 3]]);
    let mut missing: Vec<[f32; 2]> = vec![[10.0, 0.0]; events.len()];
    (missing[refused + 1], missing[refused + 2]) = ([-1.0, 0.0], [1.0, f32::NAN]);
    let input = Input::<Host> {
        objects: vec![Objects::of_events(&events.iter().map(Vec::as_slice).collect::<Vec<_>>())],
        missing_gev: missing.iter().map(|of| of[0]).collect(),
        missing_phi: missing.iter().map(|of| of[1]).collect(),
    };
    let kind = matrix_of(&[1]);
    let run = |input: &Input<Host>| kind.cuda(&cuda, input.upload(&cuda).unwrap()).unwrap().download(&cuda).unwrap();
    let there = run(&input);
    let expected: Vec<u32> = (0..events.len()).map(|event| u32::from(event > 0 && event <= refused + 2)).collect();
    assert_eq!((there.verdict.to_vec(), there.count(Verdict::Refused)), (expected, refused + 2));
    for (event, verdict) in there.verdict.iter().enumerate() {
        let all_zero = there.matrix(event).iter().all(|value| *value == 0.0) && there.present[event] == 0;
        assert_eq!(all_zero, *verdict == Verdict::Refused as u32, "event {event}");
    }
    // Offsets that lead nowhere.
    let lying = Objects::<Host> { offsets: vec![0, 2, 1, 3].into(), ..Objects::of_events(&[&[good; 2]]) };
    let missing = || vec![10.0, 10.0, 10.0].into();
    let input = Input::<Host> { objects: vec![lying], missing_gev: missing(), missing_phi: missing() };
    assert_eq!(run(&input).verdict.to_vec(), [0, 1, 1]);
}

#[test]
fn nothing_comes_of_nothing() {
    let Some(cuda) = cuda() else { return };
    for kind in every_kind() {
        let none = input(kind.types.len(), 0, |_, _| 1);
        let there = Device::Cuda(cuda.clone()).run(&kind, none).unwrap();
        assert_eq!((there.values.len(), there.present.len(), there.verdict.len()), (0, 0, 0));
        let empty = input(kind.types.len(), 3, |_, _| 0);
        let there = Device::Cuda(cuda.clone()).run(&kind, empty.clone()).unwrap();
        agree("no objects", &kind.cpu(empty).unwrap(), &there);
    }
}
