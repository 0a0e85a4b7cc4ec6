use super::*;
use crate::math::philox::{Philox, Stage};

/// pT, pseudorapidity, azimuth, mass.
type Kinematics = [f32; 4];

/// Objects of each type, missing energy and its azimuth.
type Event = (Vec<Vec<Kinematics>>, [f32; 2]);

fn matrix_of(numbers: &[u32]) -> RapidityMass {
    let types = numbers.iter().zip(["jets", "b-jets", "electrons", "muons", "photons"]);
    let types = types.map(|(most, name)| ObjectType::new(name, *most)).collect();
    RapidityMass { types, ..RapidityMass::default() }
}

fn input_of(types: usize, events: &[Event]) -> Input<Host> {
    let objects = |of_type: usize| {
        let of_events: Vec<&[Kinematics]> = events.iter().map(|(objects, _)| &objects[of_type][..]).collect();
        Objects::of_events(&of_events)
    };
    Input {
        objects: (0..types).map(objects).collect(),
        missing_gev: events.iter().map(|(_, missing)| missing[0]).collect(),
        missing_phi: events.iter().map(|(_, missing)| missing[1]).collect(),
    }
}

fn made(matrix: &RapidityMass, events: &[Event]) -> Matrices<Host> {
    matrix.cpu(input_of(matrix.types.len(), events)).unwrap()
}

/// Up to two objects more than have a row, in no order.
fn random_event(seed: u64, numbers: &[u32]) -> Event {
    let random = Philox::new(seed, Stage::Probe);
    let object = |unit: u64| {
        let ([a, b], [c, d]) = (random.uniforms(unit, 0), random.uniforms(unit, 1));
        let mass = if d < 0.3 { 0.0 } else { 30.0 * d };
        [400.0 * a * a + 5.0, 5.0 * b - 2.5, 6.2 * c - 3.1, mass].map(|x| x as f32)
    };
    let of_type = |(which, most): (u64, &u32)| {
        let [number, _] = random.uniforms(which, 2);
        (0..(number * f64::from(most + 3)) as u64).map(|k| object(100 * which + k)).collect::<Vec<Kinematics>>()
    };
    let [energy, phi] = random.uniforms(1, 3);
    ((0..).zip(numbers).map(of_type).collect(), [(300.0 * energy) as f32, (6.2 * phi - 3.1) as f32])
}

fn random_events(numbers: &[u32]) -> Vec<Event> {
    (0..60).map(|seed| random_event(seed, numbers)).collect()
}

/// A matrix of all entries.
fn value(matrices: &Matrices<Host>, size: usize, event: usize, row: usize, column: usize) -> f32 {
    matrices.matrix(event)[row * size + column]
}

fn same_bits(a: &Matrices<Host>, b: &Matrices<Host>) -> bool {
    let bits = |of: &Matrices<Host>| of.values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    (&a.present, &a.outside, bits(a)) == (&b.present, &b.outside, bits(b))
}

fn largest_difference(a: &Matrices<Host>, b: &Matrices<Host>) -> f32 {
    assert_eq!((a.values.len(), &a.present), (b.values.len(), &b.present));
    a.values.iter().zip(&b.values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Two jets of transverse energy 50 at rapidity 0, one of mass 40, and a muon at ln 2, all in the direction of the
/// missing energy.
#[test]
fn an_event_worked_by_hand() {
    let matrix = RapidityMass { collision_energy_gev: 1000.0, ..matrix_of(&[3, 2]) };
    let jets = vec![[30.0, 0.0, 0.0, 40.0], [50.0, 0.0, 0.0, 0.0]];
    let muons = vec![[30.0, 2.0_f32.ln(), 0.0, 0.0]];
    let matrices = made(&matrix, &[(vec![jets, muons], [40.0, 0.0])]);
    let expected = [
        [0.04, 0.0, 3200.0_f64.sqrt() / 1000.0, 0.0, 0.0, 0.0],
        [0.0, 0.05, 0.06, 0.0, 750.0_f64.sqrt() / 1000.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 3550.0_f64.sqrt() / 1000.0, 0.0],
        [0.0; 6],
        [0.0375, 0.15 * (1.125_f64.sqrt() - 1.0), 0.15 * (1.125_f64.sqrt() - 1.0), 0.0, 0.03, 0.0],
        [0.0; 6],
    ];
    for (at, (got, wanted)) in matrices.matrix(0).iter().zip(expected.as_flattened()).enumerate() {
        assert!((f64::from(*got) - wanted).abs() < 1e-8, "row {}, column {}: {got} {wanted}", at / 6, at % 6);
        let is_there = [0, 1, 2, 4].contains(&(at / 6)) && [0, 1, 2, 4].contains(&(at % 6));
        assert_eq!(matrices.is_present(0, at), is_there, "row {}, column {}", at / 6, at % 6);
    }
    assert_eq!((matrices.outside[0], matrices.present.len(), matrices.count(Verdict::Made)), (0, 2, 1));
}

/// `scripts/oracles/rapidity_mass.py golden` (numpy 2.4.6). Three jets, of which two have a row.
#[test]
fn the_worked_event_is_that_of_numpy() {
    let jets = vec![[120.0, 0.31, 3.02, 12.0], [60.0, 2.1, 1.0, 5.0], [250.0, -1.2, -0.4, 20.0]];
    let muons = vec![[45.5, -0.8, 2.4, 0.105658]];
    let matrices = made(&matrix_of(&[2, 2]), &[(vec![jets, muons], [80.0, -2.9])]);
    let expected = [
        [6.153846154e-03, 2.067024535e-02, 2.949832229e-03, 4.381355665e-03, 0.0],
        [1.209975051e-01, 1.924953054e-02, 3.451193476e-02, 1.658469341e-02, 0.0],
        [7.195116608e-03, 4.456416532e-02, 3.497931813e-01, 7.573295702e-03, 0.0],
        [5.061500503e-02, 2.970041025e-03, 2.363565046e-02, 3.500005276e-03, 0.0],
        [0.0; 5],
    ];
    for (at, (got, wanted)) in matrices.matrix(0).iter().zip(expected.as_flattened()).enumerate() {
        let difference = (f64::from(*got) - wanted).abs();
        assert!(difference <= 6e-8 * wanted, "row {}, column {}: {got} {wanted}", at / 5, at % 5);
    }
}

/// A sum that knows which entry is which; also from `scripts/oracles/rapidity_mass.py golden`.
#[test]
fn two_hundred_events_are_those_of_numpy() {
    let matrix = RapidityMass::default();
    let event = |event: u64| -> Event {
        let remainder = |a: u64, k: u64, rest: u64, of: u64| ((a * k + rest) % of) as f64;
        let object = |t: u64, k: u64| {
            let pt = 20.0 + remainder(37, k, 11 * event + 5 * t, 101);
            let eta = 6.0 * (remainder(53, k, 17 * event + 29 * t, 97) / 97.0 - 0.5);
            let phi = 6.2 * (remainder(29, k, 23 * event + 13 * t, 89) / 89.0 - 0.5);
            [pt, eta, phi, 2.0 * remainder(13, k, 7 * event + 3 * t, 11)].map(|x| x as f32)
        };
        let number = |t: u64, most: u64| (7 * event + 3 * t) % (most + 3);
        let of_type = |(t, most)| (0..number(t, most)).map(|k| object(t, k)).collect::<Vec<Kinematics>>();
        let missing = [(91 * event % 503) as f64, 6.2 * ((61 * event % 83) as f64 / 83.0 - 0.5)];
        ((0..).zip([10, 10, 5, 5, 5]).map(of_type).collect(), missing.map(|x| x as f32))
    };
    let matrices = made(&matrix, &(0..200).map(event).collect::<Vec<_>>());
    let of_event = |event: usize| {
        let entries = matrices.matrix(event).iter().enumerate();
        entries.map(|(at, value)| f64::from(*value) * ((97 * at + 31 * event) % 1009 + 1) as f64).sum::<f64>()
    };
    let sum: f64 = (0..200).map(of_event).sum();
    // Each value is rounded to f32, by 3e-8 of itself.
    assert!((sum / 4767879.475668 - 1.0).abs() < 1e-8, "{sum}");
    assert_eq!(matrices.present.iter().map(|word| word.count_ones()).sum::<u32>(), 100_683);
    assert_eq!(matrices.outside.iter().sum::<u32>(), 626);
}

#[test]
fn pairs_are_the_same_the_other_way_round() {
    let (numbers, turned) = ([4, 3], [3, 4]);
    let events = random_events(&numbers);
    let turn = |(of, missing): &Event| -> Event { (of.iter().rev().cloned().collect(), *missing) };
    let others: Vec<Event> = events.iter().map(turn).collect();
    let (matrices, others) = (made(&matrix_of(&numbers), &events), made(&matrix_of(&turned), &others));
    for event in 0..events.len() {
        for (a, b) in (1..5).flat_map(|a| (5..8).map(move |b| (a, b))) {
            let (a_turned, b_turned) = (a + 3, b - 4);
            for (one, other) in [((a, b), (b_turned, a_turned)), ((b, a), (a_turned, b_turned))] {
                let one = value(&matrices, 8, event, one.0, one.1);
                assert_eq!(one.to_bits(), value(&others, 8, event, other.0, other.1).to_bits());
            }
        }
    }
}

#[test]
fn absent_objects_are_zero_and_have_no_bit() {
    let numbers = [3, 2, 4];
    let events = random_events(&numbers);
    let padded = |objects: &Vec<Kinematics>| {
        objects.iter().copied().chain([[0.0, 1.0, 2.0, 3.0]; 3]).rev().collect::<Vec<Kinematics>>()
    };
    let matrices = made(&matrix_of(&numbers), &events);
    for (event, (objects, _)) in events.iter().enumerate() {
        let rows = objects.iter().zip(numbers);
        let there = rows.flat_map(|(of, most)| (0..most as usize).map(move |place| place < of.len()));
        let there: Vec<bool> = std::iter::once(true).chain(there).collect();
        for (row, column) in (0..10).flat_map(|row| (0..10).map(move |column| (row, column))) {
            let is_there = there[row] && there[column];
            assert_eq!(matrices.is_present(event, 10 * row + column), is_there);
            assert!(is_there || value(&matrices, 10, event, row, column).to_bits() == 0);
        }
    }
    // Padding is no object, wherever it stands.
    let padded: Vec<Event> = events.iter().map(|(of, missing)| (of.iter().map(padded).collect(), *missing)).collect();
    assert!(same_bits(&matrices, &made(&matrix_of(&numbers), &padded)));
}

#[test]
fn objects_are_ordered_by_pt_and_equals_by_index() {
    let numbers = [5, 3];
    let matrix = matrix_of(&numbers);
    let events = random_events(&numbers);
    let sorted = |objects: &Vec<Kinematics>, most: usize| {
        let mut objects = objects.clone();
        objects.sort_by(|a, b| b[0].total_cmp(&a[0]));
        objects.truncate(most);
        objects
    };
    let in_order: Vec<Event> =
        events.iter().map(|(of, missing)| (vec![sorted(&of[0], 5), sorted(&of[1], 3)], *missing)).collect();
    assert!(same_bits(&made(&matrix, &events), &made(&matrix, &in_order)));
    // Of four of the same pT, the first three.
    let equals = [0.5, -1.0, 2.0, 1.5].map(|eta| [50.0, eta, 0.0, 0.0]);
    let matrices = made(&matrix_of(&[3]), &[(vec![equals.to_vec()], [0.0, 0.0])]);
    for (row, eta) in (1..4).zip([0.5_f64, -1.0, 2.0]) {
        assert!((f64::from(value(&matrices, 4, 0, row, 0)) - 0.15 * (eta.cosh() - 1.0)).abs() < 1e-7);
    }
    // Transverse energies in another order than pT are below 0 and count.
    let matrices = made(&matrix_of(&[2]), &[(vec![vec![[51.0, 0.0, 0.0, 0.0], [50.0, 0.0, 1.0, 30.0]]], [0.0, 0.0])]);
    assert!(value(&matrices, 3, 0, 2, 2) < 0.0 && matrices.outside[0] == 1);
}

#[test]
fn turns_and_boosts_along_the_beam_change_what_they_should() {
    let numbers = [6, 4, 2];
    let matrix = matrix_of(&numbers);
    let events = random_events(&numbers);
    let matrices = made(&matrix, &events);
    let changed = |object: &dyn Fn(Kinematics) -> Kinematics, turn: f32| {
        let change = |(objects, [energy, phi]): &Event| -> Event {
            let of_type = |of: &Vec<Kinematics>| of.iter().copied().map(object).collect();
            (objects.iter().map(of_type).collect(), [*energy, phi + turn])
        };
        made(&matrix, &events.iter().map(change).collect::<Vec<_>>())
    };
    for turn in [0.3, 1.7, -2.9, 12.0] {
        let turned = changed(&|[pt, eta, phi, mass]| [pt, eta, phi + turn, mass], turn);
        assert!(largest_difference(&matrices, &turned) < 1e-6, "turned by {turn}");
    }
    // Exactly but for rapidities' signs, on which nothing depends.
    let mirrored = changed(&|[pt, eta, phi, mass]| [pt, -eta, phi, mass], 0.0);
    assert!(same_bits(&matrices, &mirrored));
    let boosted = changed(
        &|[pt, eta, phi, mass]| {
            let (pt_wide, mass_wide) = (f64::from(pt), f64::from(mass));
            let transverse = pt_wide.hypot(mass_wide);
            let rapidity = (pt_wide * f64::from(eta).sinh() / transverse).asinh() + 0.8;
            [pt, (transverse * rapidity.sinh() / pt_wide).asinh() as f32, phi, mass]
        },
        0.0,
    );
    for event in 0..events.len() {
        for (row, column) in (1..13).flat_map(|row| (1..13).map(move |column| (row, column))) {
            let [before, after] = [&matrices, &boosted].map(|of| value(of, 13, event, row, column));
            let near = (before - after).abs() < 1e-6;
            assert!(near || row == column, "event {event}, row {row}, column {column}: {before} {after}");
        }
    }
}

#[test]
fn entries_that_are_left_out_are_not_there_and_the_others_are_the_same() {
    let whole = RapidityMass::default();
    let pairs = [(0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (3, 0), (1, 3), (0, 4), (1, 4)];
    let leave_out: Vec<_> = pairs.iter().map(|(a, b)| whole.leading_mass(*a, *b).unwrap()).collect();
    assert_eq!(leave_out[..6], [(1, 2), (1, 11), (11, 12), (1, 21), (11, 21), (1, 26)]);
    let part = RapidityMass { leave_out: leave_out.clone(), ..whole.clone() };
    let entries = part.entries();
    assert_eq!((whole.size(), whole.width(), part.width(), entries.len()), (36, 1296, 1287, 1287));
    assert!(entries.is_sorted() && leave_out.iter().all(|entry| !entries.contains(entry)));
    let events = random_events(&[10, 10, 5, 5, 5]);
    let (whole, part) = (made(&whole, &events), made(&part, &events));
    assert_eq!(part.present.len(), 60 * 41);
    for event in 0..events.len() {
        let mut outside = 0;
        for (at, (row, column)) in entries.iter().enumerate() {
            let in_whole = (36 * row + column) as usize;
            assert_eq!(part.matrix(event)[at].to_bits(), whole.matrix(event)[in_whole].to_bits());
            assert_eq!(part.is_present(event, at), whole.is_present(event, in_whole));
            outside += u32::from(!(0.0..1.0).contains(&part.matrix(event)[at]));
        }
        assert_eq!(part.outside[event], outside);
    }
    assert_eq!(matrix_of(&[1, 2]).leading_mass(0, 0), None);
    assert_eq!(matrix_of(&[1, 2]).leading_mass(0, 2), None);
}

#[test]
fn what_is_extreme_has_a_finite_value() {
    let (large, steep) = (1e9_f32, 50.0_f32);
    let odd = vec![
        [large, steep, 0.0, large],
        [large, -steep, 3.2, 0.0],
        [1e-40, steep, 1e6, large],
        [1e-40, 0.0, -1e6, 1e-40],
        [1.0, 0.0, 0.0, 0.0],
        [1.0, 0.0, 0.0, 0.0],
    ];
    let events: Vec<Event> = [0.0, 1e-40, 1e9].map(|energy| (vec![odd.clone()], [energy, 0.0])).to_vec();
    let matrices = made(&RapidityMass { collision_energy_gev: 1.0, ..matrix_of(&[6]) }, &events);
    assert!(matrices.values.iter().all(|value| value.is_finite()));
    // Nothing is missing: no transverse mass. Twins without mass have none together, and are nowhere apart.
    assert!((1..7).all(|column| value(&matrices, 7, 0, 0, column) == 0.0));
    assert_eq!((value(&matrices, 7, 0, 3, 4), value(&matrices, 7, 0, 4, 3)), (0.0, 0.0));
    assert!(matrices.outside.iter().all(|outside| *outside > 4));
    let none = made(&RapidityMass::default(), &[]);
    assert_eq!((none.values.len(), none.present.len(), none.outside.len()), (0, 0, 0));
}

#[test]
fn collections_are_taken_as_they_are() {
    let quantities = [[1.0_f32, 2.0], [10.0, 20.0], [0.5, 0.6], [0.1, 0.2], [5.0, 6.0]].map(|of| of.to_vec().into());
    let collection = crate::events::Collection::<Host> { offsets: vec![0, 2].into(), quantities: quantities.to_vec() };
    let objects = Objects::of_collection(&collection, [1, 2, 3, 4]).unwrap();
    assert_eq!((objects.pt_gev[1], objects.eta[0], objects.phi[1], objects.mass_gev[0]), (20.0, 0.5, 0.2, 5.0));
    assert!(Objects::of_collection(&collection, [1, 2, 3, 5]).is_none());
}

#[test]
fn what_cannot_be_computed_is_named() {
    let jets = |changed: Kinematics| -> Vec<Event> {
        vec![(vec![vec![]], [1.0, 0.0]), (vec![vec![[9.0, 0.0, 0.0, 0.0], changed]], [1.0, 0.0])]
    };
    let usual = matrix_of(&[3]);
    let good = input_of(1, &jets([1.0; 4]));
    let offsets = |offsets: Vec<u32>| {
        let objects = vec![Objects { offsets: offsets.into(), ..good.objects[0].clone() }];
        Input { objects, ..good.clone() }
    };
    let bad = RapidityMass {
        types: vec![ObjectType::new("jets", 0), ObjectType::new("muons", 512)],
        collision_energy_gev: f64::NAN,
        leave_out: vec![(0, 512), (3, 3), (513, 0), (3, 3)],
    };
    let all = RapidityMass { leave_out: vec![(0, 0), (0, 1), (1, 0), (1, 1)], ..matrix_of(&[1]) };
    let short = Input {
        objects: vec![Objects { eta: vec![0.0].into(), ..good.objects[0].clone() }],
        missing_phi: vec![0.0].into(),
        ..good.clone()
    };
    let wild = Input { missing_gev: vec![1.0, -1.0].into(), missing_phi: vec![f32::NAN, 0.0].into(), ..good.clone() };
    let cases: Vec<(RapidityMass, Input<Host>, &[&str])> = vec![
        (
            bad,
            input_of(2, &[]),
            &[
                "0 jets have a row (a type without rows is not in the matrix)",
                "512 objects have a row, 511 at most may",
                "collisions of NaN GeV are not from 1 to 1e9",
                "row 513, column 0 is left out and not in the matrix (rows and columns are from 0 to 512)",
                "row 3, column 3 is left out twice",
            ],
        ),
        (matrix_of(&[]), input_of(0, &[]), &["there are no types of objects"]),
        (all, good.clone(), &["all entries are left out"]),
        (matrix_of(&[3, 1]), good.clone(), &["there are objects of 1 types, expected 2"]),
        (usual.clone(), short, &["missing_phi: expected 2 events, got 1", "eta of jets: expected 2 objects, got 1"]),
        (usual.clone(), offsets(vec![0, 2]), &["offsets of jets: expected 3, got 2 (there are 2 events)"]),
        (usual.clone(), offsets(vec![1, 1, 2]), &["the offsets of jets do not ascend from 0"]),
        (usual.clone(), offsets(vec![0, 2, 1]), &["the offsets of jets do not ascend from 0"]),
        (usual.clone(), offsets(vec![0, 1, 3]), &["the offsets of jets do not ascend from 0"]),
        (
            usual.clone(),
            input_of(1, &jets([-1.0, f32::INFINITY, 2e6, f32::NAN])),
            &[
                "pt = -1e0 of object 1 of jets in event 1 is not from 0 to 1000000000 GeV",
                "eta = inf of object 1 of jets in event 1 is not from -50 to 50",
                "phi = 2e6 of object 1 of jets in event 1 is not from -1048576 to 1048576",
                "mass = NaN of object 1 of jets in event 1 is not from 0 to 1000000000 GeV",
            ],
        ),
        (usual.clone(), wild, &["missing_gev = -1e0 of event 1 is not from 0", "missing_phi = NaN of event 0 is not"]),
    ];
    for (matrix, input, expected) in cases {
        let error = crate::Device::Cpu.run(&matrix, input).unwrap_err();
        assert_eq!(error.problems().len(), expected.len(), "{error}");
        for problem in expected {
            assert!(error.to_string().contains(problem), "{error}\nhas not: {problem}");
        }
    }
}

#[test]
fn the_plan_counts_matrices_and_columns() {
    let input = input_of(2, &[random_event(1, &[2, 1]), random_event(2, &[2, 1])]);
    let objects: usize = input.objects.iter().map(|objects| objects.pt_gev.len()).sum();
    let total = matrix_of(&[2, 1]).plan(&input).total();
    // Entries, places, first and most of types and their objects; addresses; offsets. Values, presence, two numbers;
    // missing energy.
    let fixed = 4 * (16 + 3 + 6) + 8 * 10 + 16 * objects as u64;
    assert_eq!(total, Bytes(fixed + 4 * 2 * 3 + 2 * (4 * 16 + 4 + 8 + 8)));
}
