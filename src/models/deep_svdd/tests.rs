//! Small families: who is excluded, and what the others say.

mod full_size;

use super::*;
use crate::math::philox::{Philox, Stage};
use crate::models::train::{Adam, Schedule};

/// Events of four features around a circle, and some from elsewhere.
fn events(number: u64, seed: u64, spread: f64) -> Table<Host> {
    let random = Philox::new(seed, Stage::Probe);
    let event = |unit| {
        let [[a, b], [c, d]] = [random.uniforms(unit, 0), random.uniforms(unit, 1)];
        let (sine, cosine) = (std::f64::consts::TAU * a).sin_cos();
        [cosine, sine + 0.2 * b, spread * (c - 0.5), spread * (d - 0.5) + cosine * sine].map(|x| x as f32)
    };
    Table::of_features(4, (0..number).flat_map(event).collect()).unwrap()
}

fn small() -> DeepSvdd {
    let optimiser = Adam { rate: 0.01, ..Adam::default() };
    let family = DeepSvdd::default();
    DeepSvdd {
        targets: vec![0.0, 1.0, 2.0, 10.0],
        dimensions: vec![2, 3, 5],
        hidden: vec![16, 8],
        learning: Learning { optimiser, batch: 50, epochs: 8, ..family.learning },
        ..family
    }
}

#[test]
fn members_are_kept_and_tell_events_apart() {
    let (known, unlike) = (events(500, 1, 0.5), events(200, 2, 6.0));
    let trained = small().fit(&Device::Cpu, &known).unwrap();
    for member in trained.members() {
        println!("c = {}, d = {}: {:?}", member.target, member.dimension, member.health);
        assert!(member.health.is_healthy() || member.target == 0.0, "{:?}", member.health);
    }
    assert!(trained.healthy() >= 10);
    let mean = |scores: Vec<f32>| scores.iter().sum::<f32>() / scores.len() as f32;
    let (of_known, of_unlike) = (mean(trained.score(&known).unwrap()), mean(trained.score(&unlike).unwrap()));
    println!("mean scores: {of_known:.3} of events as learned from, {of_unlike:.3} of others");
    // Each member's scores have a mean of 0 where it learned, but for rounding.
    assert!(of_known.abs() < 1e-4 && of_unlike > 0.5, "{of_known} {of_unlike}");
    assert_eq!(trained.score(&unlike).unwrap(), small().fit(&Device::Cpu, &known).unwrap().score(&unlike).unwrap());
}

#[test]
fn the_members_of_a_dimension_are_one_population_and_each_what_it_is_alone() {
    let (known, family) = (events(300, 1, 0.5), DeepSvdd { least_healthy: 1, ..small() });
    let trained = family.fit(&Device::Cpu, &known).unwrap();
    assert_eq!(trained.populations().len(), 3);
    let members = trained.populations().iter().flat_map(|fitted| &fitted.train.members);
    for (number, (member, shown)) in members.zip(trained.members()).enumerate() {
        // Seeds are those of families whose members were trainings of their own.
        assert_eq!(member.seed, member_seed(family.member.seed, number as u32, 0));
        assert_eq!(member.target, family.targets[number % 4]);
        assert_eq!((shown.target, shown.dimension), (member.target, family.dimensions[number / 4]));
        let together = trained.populations()[number / 4].alone(number % 4);
        let network = family.network(4, shown.dimension).unwrap();
        let train = family.learning.train(network, vec![member.clone()], Loss::FixedTarget);
        let alone = family.learning.fit(&Device::Cpu, train, &known).unwrap();
        assert_eq!(together.train, alone.train);
        assert_eq!(together.population.progress, alone.population.progress);
        assert_eq!(together.population.best, alone.population.best, "member {number}");
    }
}

#[test]
fn collapsed_members_are_excluded_and_the_others_kept() {
    let known = events(400, 1, 0.5);
    let longer = Learning { epochs: 150, early_stopping: None, ..small().learning };
    let family = DeepSvdd { learning: longer, least_healthy: 9, ..small() };
    let trained = family.fit(&Device::Cpu, &known).unwrap();
    for member in trained.members() {
        println!("c = {}, d = {}: {}", member.target, member.dimension, member.health);
        // Without biases 0 alone can be said of every event.
        assert_eq!(member.health.is_healthy(), member.target != 0.0, "{}", member.health);
    }
    assert_eq!(trained.healthy(), 9);
    // The score is the mean over the others.
    let mut sums = vec![0.0_f64; known.events()];
    for (fitted, members) in trained.populations().iter().zip(trained.members().chunks(4)) {
        let distances = fitted.scores(&known, ScoreTransform::DistanceToTarget).unwrap();
        for (distances, member) in distances.chunks(known.events()).zip(members) {
            let Health::Healthy { mean, standard_deviation, .. } = member.health else { continue };
            sums.iter_mut().zip(distances).for_each(|(sum, own)| *sum += (f64::from(*own) - mean) / standard_deviation);
        }
    }
    let expected: Vec<f32> = sums.into_iter().map(|sum| (sum / 9.0) as f32).collect();
    assert_eq!(trained.score(&known).unwrap(), expected);
}

#[test]
fn with_biases_all_collapse_which_is_an_error() {
    // Weights fall to 0, and what is left of noise with them.
    let optimiser = Adam { rate: 0.01, weight_decay: 0.3, schedule: Schedule::Cosine, ..Adam::default() };
    let learning = Learning { optimiser, epochs: 250, validation_share: 0.0, early_stopping: None, ..small().learning };
    let (targets, dimensions) = (vec![1.0, 2.0], vec![2, 3]);
    let family = DeepSvdd { targets, dimensions, bias: Bias::Present, learning, least_healthy: 1, ..small() };
    let error = family.fit(&Device::Cpu, &events(400, 1, 0.5)).map(|trained| trained.healthy());
    let text = error.unwrap_err().to_string();
    println!("{text}");
    assert!(text.contains("0 of 4 members are healthy, expected 1"), "{text}");
    assert!(text.contains("c = 2 in 3 dimensions has collapsed: its outputs vary by"), "{text}");
}

#[test]
fn members_that_broke_off_are_excluded() {
    let optimiser = Adam { rate: 900.0, ..Adam::default() };
    let learning = Learning { optimiser, epochs: 30, early_stopping: None, ..small().learning };
    let family = DeepSvdd { learning, hidden: vec![8, 8, 8, 8], least_healthy: 1, ..small() };
    let text = family.fit(&Device::Cpu, &events(200, 1, 0.5)).unwrap_err().to_string();
    assert!(text.contains("0 of 12 members are healthy") && text.contains("was not finite in batch"), "{text}");
}

#[test]
fn what_is_no_family_is_named() {
    let error = |family: DeepSvdd| family.fit(&Device::Cpu, &events(100, 1, 0.5)).unwrap_err().to_string();
    let text = error(DeepSvdd { targets: Vec::new(), ..small() });
    assert!(text.contains("0 constants and 3 dimensions"), "{text}");
    for least_healthy in [0, 13] {
        let text = error(DeepSvdd { least_healthy, ..small() });
        assert!(text.contains(&format!("{least_healthy} healthy members of 12 are asked for")), "{text}");
    }
    let text = error(DeepSvdd { targets: vec![f32::NAN; 10], dimensions: vec![1], ..small() });
    assert!(text.contains("the target NaN of member 9 is not finite"), "{text}");
    let text = error(DeepSvdd { hidden: vec![0], ..small() });
    assert!(text.contains("layer 0 has 0 outputs"), "{text}");
    assert_eq!(DeepSvdd::default().targets.len() * DeepSvdd::default().dimensions.len(), 70);
}
