use super::*;
use crate::math::lorentz::{FourMomentum, momentum_of};
use crate::math::philox::{Philox, Stage};

type Jet = Vec<FourMomentum>;

fn massless((pt, y, phi): (f64, f64, f64)) -> FourMomentum {
    momentum_of(pt, y, phi, 0.0)
}

fn particles(groups: &[Jet]) -> Particles<Host> {
    Particles::of_groups(&groups.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn made(image: &Image, jets: &[Jet]) -> Images<Host> {
    image.cpu(Input::of_jets(particles(jets))).unwrap()
}

/// Pixels that are not 0: row, column, share.
fn lit(images: &Images<Host>, jet: usize) -> Vec<(usize, usize, f32)> {
    let pixels = images.pixels as usize;
    let all = images.image(jet).iter().enumerate().filter(|(_, share)| **share != 0.0);
    all.map(|(at, share)| (at / pixels, at % pixels, *share)).collect()
}

fn same(a: &Images<Host>, b: &Images<Host>) -> bool {
    let counts = (&a.number, &a.outside, &a.verdict) == (&b.number, &b.outside, &b.verdict);
    counts && a.values.len() == b.values.len() && a.values.iter().zip(&b.values).all(|(a, b)| (a - b).abs() <= 2e-6)
}

/// Rapidity, azimuth and pT of a few prongs around a place, which may be at the seam of azimuths.
fn places(seed: u64, constituents: usize) -> Vec<(f64, f64, f64)> {
    let random = Philox::new(seed, Stage::Probe);
    let [y, phi] = random.uniforms(1 << 32, 0);
    let of = |unit: u64| {
        let ([a, b], [c, d]) = (random.uniforms(unit, 0), random.uniforms(unit, 1));
        let (from_y, from_phi) = if d < 0.3 { (0.35, 0.2) } else { (0.0, 0.0) };
        let place = (4.0 * y - 2.0 + from_y + 0.5 * (a - 0.5), 6.2 * phi - 3.1 + from_phi + 0.5 * (b - 0.5));
        (300.0 * c * c * c + 0.5, place.0, place.1)
    };
    (0..constituents as u64).map(of).collect()
}

fn random_jet(seed: u64, constituents: usize) -> Jet {
    let of = |(at, (pt, y, phi))| momentum_of(pt, y, phi, if at % 4 == 3 { 0.14 } else { 0.0 });
    (0..).zip(places(seed, constituents)).map(of).collect()
}

fn random_jets() -> Vec<Jet> {
    (0..60).map(|seed| random_jet(seed, 1 + (seed * 7 % 50) as usize)).collect()
}

/// The published steps with the library's functions, and no care for speed: the shares, and how many are outside.
fn plainly(image: &Image, jet: &Jet) -> (Vec<f64>, u32) {
    let axis: FourMomentum = jet.iter().copied().sum();
    let turn = std::f64::consts::TAU;
    let around = |phi: f64| (phi + 0.5 * turn).rem_euclid(turn) - 0.5 * turn;
    let mut places: Vec<[f64; 3]> = jet.iter().map(|p| [p.pt(), p.rapidity(), around(p.phi() - axis.phi())]).collect();
    let sum: f64 = places.iter().map(|at| at[0]).sum();
    let mean =
        |of: &dyn Fn(&[f64; 3]) -> f64, places: &[[f64; 3]]| places.iter().map(|at| at[0] * of(at)).sum::<f64>() / sum;
    let (y, phi) = (mean(&|at| at[1], &places), mean(&|at| at[2], &places));
    places.iter_mut().for_each(|at| *at = [at[0], at[1] - y, at[2] - phi]);
    if image.rotation == Rotation::PrincipalAxis && jet.len() > 2 {
        let [yy, y_phi, phi_phi] = [(1, 1), (1, 2), (2, 2)].map(|(a, b)| mean(&|at: &[f64; 3]| at[a] * at[b], &places));
        let (sin, cos) = (0.5 * (2.0 * y_phi).atan2(phi_phi - yy)).sin_cos();
        places.iter_mut().for_each(|at| *at = [at[0], cos * at[1] - sin * at[2], sin * at[1] + cos * at[2]]);
    }
    let hardest = (0..places.len()).rev().max_by(|a, b| places[*a][0].total_cmp(&places[*b][0])).unwrap();
    if image.reflection == Reflection::HardestUpperRight {
        let signs = places[hardest].map(f64::signum);
        places.iter_mut().for_each(|at| *at = [at[0], signs[1] * at[1], signs[2] * at[2]]);
    }
    let pixels = image.pixels as i64;
    let index = |x: f64| pixels / 2 + (x * f64::from(image.pixels) / image.width - 0.5).ceil() as i64;
    let (mut shares, mut total, mut outside) = (vec![0.0; image.size()], 0.0, 0);
    for [pt, y, phi] in places {
        let (row, column) = (index(phi), index(y));
        if (0..pixels).contains(&row) && (0..pixels).contains(&column) {
            shares[(row * pixels + column) as usize] += pt;
            total += pt;
        } else {
            outside += 1;
        }
    }
    shares.iter_mut().for_each(|share| *share /= f64::max(total, f64::MIN_POSITIVE));
    (shares, outside)
}

/// `scripts/oracles/images.py golden` (numpy 2.4.6).
#[test]
fn the_worked_jet_is_that_of_numpy() {
    let jet = [
        (250.0, 0.31, 3.02),
        (120.0, 0.62, -3.11),
        (75.0, 0.05, 2.80),
        (40.0, 0.55, 3.05),
        (12.0, -0.20, -2.95),
        (5.0, 0.90, 2.55),
        (2.0, 1.05, -2.60),
    ];
    let images = made(&Image::default(), &[jet.map(massless).to_vec()]);
    let expected = [
        (11, 1, 0.009960159),
        (12, 21, 0.239043825),
        (15, 18, 0.079681275),
        (21, 20, 0.498007968),
        (31, 18, 0.149402390),
        (31, 34, 0.023904382),
    ];
    let got = lit(&images, 0);
    assert_eq!(got.len(), expected.len(), "{got:?}");
    for ((row, column, share), (wanted_row, wanted_column, wanted)) in got.into_iter().zip(expected) {
        assert_eq!((row, column), (wanted_row, wanted_column));
        assert!((f64::from(share) - wanted).abs() < 1e-7, "{share} {wanted}");
    }
    assert_eq!((images.number[0], images.outside[0], images.verdict[0]), (7, 1, Verdict::Made as u32));
}

/// A sum that knows which pixel is which; also from `scripts/oracles/images.py golden`. No constituent is closer than 3e-5 pixels to an edge.
#[test]
fn a_hundred_jets_are_those_of_numpy() {
    let jet = |jet: u64| -> Jet {
        let remainder = |a: u64, k: u64, b: u64, of: u64| ((a * k + b * jet) % of) as f64;
        let (from_y, from_phi) = (0.5 * ((jet % 5) as f64 - 2.0), 0.7 * ((jet % 9) as f64 - 4.0));
        let constituent = |k: u64| {
            let hard = remainder(37, k, 11, 101);
            let y = from_y + 1.1 * (remainder(53, k, 17, 97) / 97.0 - 0.5);
            let phi = from_phi + 1.3 * (remainder(29, k, 23, 89) / 89.0 - 0.5);
            massless((1.0 + hard * hard / 20.0, y, phi))
        };
        (0..1 + 7 * jet % 60).map(constituent).collect()
    };
    let images = made(&Image::default(), &(0..100).map(jet).collect::<Vec<_>>());
    let of_jet = |jet: usize| {
        let pixels = images.image(jet).iter().enumerate();
        pixels.map(|(at, share)| f64::from(*share) * ((97 * at + 31 * jet) % 1009 + 1) as f64).sum::<f64>()
    };
    let sum: f64 = (0..100).map(of_jet).sum();
    // Each share is rounded to f32, by 3e-8 of itself.
    assert!((sum - 50206.013335).abs() < 1e-3, "{sum}");
    assert_eq!(images.outside.iter().sum::<u32>(), 98);
    assert_eq!(images.values.iter().filter(|share| **share > 0.0).count(), 2912);
}

#[test]
fn images_are_the_plain_steps_by_every_option() {
    let jets = random_jets();
    for (pixels, width) in [(40, 1.4), (40, 0.8), (33, 0.7), (1, 0.6), (2, 0.3)] {
        for rotation in [Rotation::PrincipalAxis, Rotation::Absent] {
            for reflection in [Reflection::HardestUpperRight, Reflection::Absent] {
                let image = Image { pixels, width, rotation, reflection, ..Image::default() };
                let images = made(&image, &jets);
                for (number, jet) in jets.iter().enumerate() {
                    let (shares, outside) = plainly(&image, jet);
                    assert_eq!(
                        (images.number[number] as usize, images.outside[number]),
                        (jet.len(), outside),
                        "{image:?}, jet {number}"
                    );
                    let near = |(got, wanted): (&f32, &f64)| (f64::from(*got) - wanted).abs() < 1e-7;
                    assert!(images.image(number).iter().zip(&shares).all(near), "{image:?}, jet {number}");
                }
            }
        }
    }
}

#[test]
fn pixels_add_up_to_one() {
    let images = made(&Image { width: 0.6, ..Image::default() }, &random_jets());
    for jet in 0..60 {
        let sum: f64 = images.image(jet).iter().map(|share| f64::from(*share)).sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
    }
    assert!(images.outside.iter().any(|outside| *outside > 0) && images.count(Verdict::Made) == 60);
}

#[test]
fn boosts_along_the_beam_turns_reflections_and_scales_change_nothing() {
    let jets = random_jets();
    let image = Image::default();
    let images = made(&image, &jets);
    let (cosh, sinh) = (1.7_f64.cosh(), 1.7_f64.sinh());
    let (cos, sin) = (2.1_f64.cos(), 2.1_f64.sin());
    let scaled =
        |p: FourMomentum, by: f64| FourMomentum { px: p.px * by, py: p.py * by, pz: p.pz * by, energy: p.energy * by };
    type Change<'c> = (&'static str, &'c dyn Fn(FourMomentum) -> FourMomentum);
    let changes: [Change; 6] = [
        ("boosted", &|p| FourMomentum {
            pz: cosh * p.pz + sinh * p.energy,
            energy: cosh * p.energy + sinh * p.pz,
            ..p
        }),
        ("turned", &|p| FourMomentum { px: cos * p.px - sin * p.py, py: sin * p.px + cos * p.py, ..p }),
        ("reflected along the beam", &|p| FourMomentum { pz: -p.pz, ..p }),
        ("reflected across it", &|p| FourMomentum { py: -p.py, ..p }),
        ("small", &|p| scaled(p, 1e-60)),
        ("large", &|p| scaled(p, 3e90)),
    ];
    for (what, change) in changes {
        let changed: Vec<Jet> = jets.iter().map(|jet| jet.iter().copied().map(change).collect()).collect();
        assert!(same(&images, &made(&image, &changed)), "{what}");
    }
    let backwards: Vec<Jet> = jets.iter().map(|jet| jet.iter().rev().copied().collect()).collect();
    assert!(same(&images, &made(&image, &backwards)), "the order of the constituents");
}

#[test]
fn a_jet_that_is_turned_in_the_plane_has_the_same_image() {
    let image = Image::default();
    for seed in 0..40 {
        let jet = places(seed, 3 + (seed % 40) as usize);
        let straight = made(&image, &[jet.iter().copied().map(massless).collect()]);
        for angle in [0.3_f64, 1.57, 2.2, -3.0] {
            let (sin, cos) = angle.sin_cos();
            let turned = |(pt, y, phi): &(f64, f64, f64)| {
                let (y, phi) = (y - jet[0].1, phi - jet[0].2);
                massless((*pt, cos * y - sin * phi, sin * y + cos * phi))
            };
            let again = made(&image, &[jet.iter().map(turned).collect()]);
            assert!(same(&straight, &again), "jet {seed} by {angle}");
        }
    }
}

#[test]
fn of_equally_hard_ones_the_first_is_the_hardest() {
    let [a, b, c] = [(50.0, 0.0, 0.0), (50.0, 0.5, 0.0), (10.0, 0.1, 0.0)].map(massless);
    let image = Image { rotation: Rotation::Absent, ..Image::default() };
    let images = made(&image, &[vec![a, b, c], vec![b, a, c]]);
    let [first, second] = [0, 1].map(|jet| {
        let lit = lit(&images, jet);
        // The soft one is beside the first of the hard ones.
        lit.iter().find(|(_, _, share)| *share < 0.2).unwrap().1
    });
    assert_eq!((first, second), (24, 16));
}

/// What data and programs contain: each has a stated image, and no pixel is ever NaN.
#[test]
fn degenerate_jets_have_stated_images() {
    use Verdict::*;
    let beam = |pz: f64| FourMomentum { px: 0.0, py: 0.0, pz, energy: pz.abs() };
    let one = massless((50.0, 0.3, 1.0));
    let at = |pt: f64, y: f64, phi: f64| massless((pt, y, phi));
    let tiny = FourMomentum { px: 1e-151, py: 0.0, pz: 1e3, energy: 1e3 };
    let slow = FourMomentum { px: 30.0, py: 0.0, pz: 0.0, energy: 0.0 };
    let huge = FourMomentum { px: 7e99, py: -7e99, pz: 0.0, energy: 1e100 };
    let steep = FourMomentum { px: 1.0, py: 0.0, pz: 1e100, energy: 1e100 };
    let middle: &[(usize, usize, f32)] = &[(20, 20, 1.0)];
    // Three pixels of 0.035 from the centre.
    let corners = [(0.105, 0.105), (0.105, -0.105), (-0.105, 0.105), (-0.105, -0.105)];
    let square: Jet = corners.iter().map(|(y, phi)| at(10.0, *y, 1.0 + phi)).collect();
    let of_square: &[(usize, usize, f32)] = &[(17, 17, 0.25), (17, 23, 0.25), (23, 17, 0.25), (23, 23, 0.25)];
    let pair = vec![at(30.0, 0.0, 0.0), at(10.0, 0.28, -0.28)];
    let of_pair: &[(usize, usize, f32)] = &[(14, 14, 0.25), (22, 22, 0.75)];
    let row = vec![at(30.0, -0.105, 2.0), at(20.0, 0.105, 2.0), at(10.0, 0.105, 2.0)];
    let of_row: &[(usize, usize, f32)] = &[(17, 20, 0.5), (23, 20, 0.5)];
    let with_beam: Jet = pair.iter().copied().chain([beam(1e6), beam(-3.0), FourMomentum::ZERO, tiny]).collect();
    type Case<'c> = (&'static str, Jet, (Verdict, u32, u32), Option<&'c [(usize, usize, f32)]>);
    let cases: Vec<Case> = vec![
        ("nothing", vec![], (NoPt, 0, 0), Some(&[])),
        ("no momentum", vec![FourMomentum::ZERO; 5], (NoPt, 0, 0), Some(&[])),
        ("along the beam", vec![beam(100.0), beam(-3.0), beam(1e100)], (NoPt, 0, 0), Some(&[])),
        ("next to no pT", vec![tiny; 4], (NoPt, 0, 0), Some(&[])),
        ("one", vec![one], (Made, 1, 0), Some(middle)),
        ("twins", vec![one; 2], (Made, 2, 0), Some(middle)),
        ("five at one place", vec![one; 5], (Made, 5, 0), Some(middle)),
        ("two are not turned", pair, (Made, 2, 0), Some(of_pair)),
        ("two with pT are not turned", with_beam, (Made, 2, 0), Some(of_pair)),
        ("a square is not turned", square, (Made, 4, 0), Some(of_square)),
        ("a row along y is turned", row, (Made, 3, 0), Some(of_row)),
        (
            "back to back",
            vec![at(5.0, 0.0, 0.5), at(5.0, 0.0, 0.5 - std::f64::consts::PI)],
            (AllOutside, 2, 2),
            Some(&[]),
        ),
        ("far apart", vec![at(5.0, 4.0, 0.0), at(5.0, -4.0, 3.1)], (AllOutside, 2, 2), Some(&[])),
        ("one far away", vec![at(1000.0, 0.0, 0.0), at(0.1, 7.0, 0.0)], (Made, 2, 1), None),
        ("no energy", vec![slow, at(20.0, 0.1, 0.1), slow], (Made, 3, 0), None),
        ("as large as may be", vec![huge, one, FourMomentum { py: 7e99, ..huge }, huge], (Made, 4, 2), None),
        ("steep", vec![steep, steep, steep], (Made, 3, 0), Some(middle)),
        ("steep beside others", vec![steep, one, one], (AllOutside, 3, 3), Some(&[])),
    ];
    let jets: Vec<Jet> = cases.iter().map(|(_, jet, ..)| jet.clone()).collect();
    let images = made(&Image::default(), &jets);
    assert!(images.values.iter().all(|share| (0.0..=1.0).contains(share)));
    for (number, (what, _, (verdict, counted, outside), expected)) in cases.iter().enumerate() {
        let got = (images.verdict[number], images.number[number], images.outside[number]);
        assert_eq!(got, (*verdict as u32, *counted, *outside), "{what}: {:?}", lit(&images, number));
        if let Some(expected) = expected {
            let lit = lit(&images, number);
            let near = |(got, wanted): (&(usize, usize, f32), &(usize, usize, f32))| {
                (got.0, got.1) == (wanted.0, wanted.1) && (got.2 - wanted.2).abs() < 1e-6
            };
            assert!(lit.len() == expected.len() && lit.iter().zip(*expected).all(near), "{what}: {lit:?}");
        }
        let sum: f32 = images.image(number).iter().sum();
        assert!((sum - if *verdict == Made { 1.0 } else { 0.0 }).abs() < 1e-5, "{what}: {sum}");
    }
    assert_eq!([NoPt, AllOutside, Refused].map(|verdict| images.count(verdict)), [4, 3, 0]);
    // A pixel reaches from half below its centre, without that edge, to half above, with it.
    let row = |pixels: u32, x: f64| math::Raster::of(pixels, 0.25).pixel_of(0.0, x) / pixels;
    assert_eq!([-0.125, -0.124, 0.125, 0.126].map(|x| row(40, x)), [19, 20, 20, 21]);
    assert_eq!([-0.374, 0.0, 0.375].map(|x| row(3, x)), [0, 1, 2]);
    let outside = [-0.375, 0.376, 1e300, -1e300, f64::NAN, f64::INFINITY];
    assert!(outside.iter().all(|x| math::Raster::of(3, 0.25).pixel_of(*x, 0.0) == math::NO_PIXEL));
}

#[test]
fn a_cone_holds_what_is_closer_to_its_axis() {
    // Both jets of the first event are the same as by themselves, and neither axis need be that of its constituents.
    let near = random_jet(3, 40);
    let far: Jet = random_jet(3, 30).into_iter().map(|p| FourMomentum { px: -p.px, py: -p.py, ..p }).collect();
    let axis_of = |jet: &Jet| {
        let axis: FourMomentum = jet.iter().copied().sum();
        (axis.rapidity(), axis.phi())
    };
    let (a, b) = (axis_of(&near), axis_of(&far));
    let image = Image { membership: Membership::Cone { radius: 0.8 }, ..Image::default() };
    let event: Jet = near.iter().chain(&far).copied().collect();
    let events = particles(&[vec![], event, near.clone()]);
    let axes = Axes::<Host> {
        event: vec![1, 2, 1, 0, 1].into(),
        rapidity: vec![b.0, a.0 + 0.02, a.0, 0.0, 40.0].into(),
        phi: vec![b.1 + 4.0 * std::f64::consts::PI, a.1, a.1, 0.0, 1.0].into(),
    };
    let cones = image.cpu(Input::around(axes, events)).unwrap();
    let own = made(&Image::default(), &[far, near.clone(), near, vec![], vec![]]);
    assert!(same(&own, &cones), "{:?} {:?}", own.number, cones.number);
    assert_eq!(own.verdict.to_vec(), [0, 0, 0, Verdict::NoPt as u32, Verdict::NoPt as u32]);
    // What is on the circle is not inside.
    let quarter = FourMomentum { px: 0.0, py: 1.0, pz: 0.0, energy: 1.0 };
    let number = |radius: f64| {
        let axes = Axes::<Host> { event: vec![0].into(), rapidity: vec![0.0].into(), phi: vec![0.0].into() };
        let image = Image { membership: Membership::Cone { radius }, ..Image::default() };
        image.cpu(Input::around(axes, particles(&[vec![quarter]]))).unwrap().number[0]
    };
    assert_eq!((number(std::f64::consts::FRAC_PI_2), number(1.5709)), (0, 1));
}

#[test]
fn images_do_not_depend_on_threads_or_on_the_other_jets() {
    let jets: Vec<Jet> = (0..150).map(|seed| random_jet(seed, (seed % 50) as usize)).collect();
    let image = Image { pixels: 12, ..Image::default() };
    let images = made(&image, &jets);
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let again = pool.install(|| made(&image, &jets));
        assert_eq!((&again.values, &again.outside), (&images.values, &images.outside));
    }
    let alone = made(&image, &jets[149..]);
    assert!(alone.image(0) == images.image(149) && made(&image, &[]).values.is_empty());
}

#[test]
fn what_cannot_be_computed_is_named() {
    let jet = random_jet(1, 5);
    let axes = |event: Vec<u32>, rapidity: Vec<f64>, phi: Vec<f64>| Axes::<Host> {
        event: event.into(),
        rapidity: rapidity.into(),
        phi: phi.into(),
    };
    let usual = Image::default();
    let cone = Image { membership: Membership::Cone { radius: 1.0 }, ..usual };
    let bad = Image { pixels: 0, width: f64::NAN, membership: Membership::Cone { radius: -1.0 }, ..usual };
    let good_axes = axes(vec![0], vec![0.0], vec![0.0]);
    let of = |p: FourMomentum| Input::of_jets(particles(&[vec![], vec![jet[0], p]]));
    let whole = || particles(std::slice::from_ref(&jet));
    let cases: Vec<(Image, Input<Host>, &[&str])> = vec![
        (
            bad,
            Input::of_jets(whole()),
            &[
                "0 pixels a row are not from 1 to 1024 (an image holds their square)",
                "the width NaN is not from 0.001 to 100",
                "the radius -1 of the cone is not above 0",
                "there are no axes for the cones (a group is an event). Give the event",
            ],
        ),
        (Image { pixels: 1025, ..usual }, Input::of_jets(whole()), &["1025 pixels a row"]),
        (Image { width: 1e-4, ..usual }, Input::of_jets(whole()), &["the width 0.0001 is not"]),
        (usual, Input::around(good_axes.clone(), whole()), &["there are axes and constituents of their own"]),
        (cone, Input::around(axes(vec![0], vec![], vec![0.0]), whole()), &["rapidity: expected 1 axes, got 0"]),
        (
            cone,
            Input::around(axes(vec![0, 1, 0, 0], vec![0.0, 0.0, f64::NAN, 0.0], vec![0.0, 0.0, 0.0, 2e6]), whole()),
            &[
                "jet 1 is of event 1, and there are 1",
                "rapidity = NaN of the axis of jet 2 is not finite (nothing would be near it)",
                "phi = 2e6 of the axis of jet 3 is not finite or beyond 1048576",
            ],
        ),
        (usual, of(FourMomentum { px: f64::INFINITY, ..jet[1] }), &["px = inf of particle 1 in jet 1 is not finite"]),
        (usual, of(FourMomentum { energy: -1.0, ..jet[1] }), &["energy = -1e0 of particle 1 in jet 1 is below 0"]),
        (
            cone,
            Input::around(good_axes, particles(&[vec![FourMomentum { pz: f64::NAN, ..jet[1] }]])),
            &["pz = NaN of particle 0 in event 0 is not finite"],
        ),
    ];
    for (image, input, expected) in cases {
        let error = image.run(&Device::Cpu, &input).unwrap_err();
        assert_eq!(error.problems().len(), expected.len(), "{error}");
        for problem in expected {
            assert!(error.to_string().contains(problem), "{error}\nhas not: {problem}");
        }
    }
}

#[test]
fn the_plan_counts_images() {
    let input = Input::of_jets(particles(&[random_jet(1, 5), random_jet(2, 7)]));
    let total = Image::default().plan(&input).total();
    assert_eq!(total, Bytes(2 * (6400 + 16 + 16) + 3 * 4 + 12 * 32));
}
