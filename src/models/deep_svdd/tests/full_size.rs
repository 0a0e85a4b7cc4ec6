//! The family at its full size, on generated events. The measurement takes minutes and is left out unless it is asked for.

use super::*;
use crate::models::metrics::{Roc, Scored};
use crate::models::moments::Moments;

/// Features of an event.
const WIDTH: u64 = 30;

/// What features have in common.
const CAUSES: u64 = 8;

/// Normal numbers, two of each draw.
fn normals(random: &Philox, unit: u64, number: u64) -> Vec<f64> {
    let pair = |draw: u64| {
        let [a, b] = random.uniforms(unit, draw);
        let (sine, cosine) = (std::f64::consts::TAU * b).sin_cos();
        let radius = (-2.0 * (1.0 - a).ln()).sqrt();
        [radius * cosine, radius * sine]
    };
    (0..number.div_ceil(2)).flat_map(pair).take(number as usize).collect()
}

/// Where events come from.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// Three processes, of which the first makes 60 % and the second 30 %.
    Known,
    /// A fourth one.
    Shifted,
    /// Each feature of an event is another event's of the three processes: every distribution is as it was, and nothing depends on
    /// anything.
    Shuffled,
}

/// Raw events: features are sums of eight hidden causes and a noise of their own, in five shapes.
///
/// Of each five features two are exponentials (momenta and masses), one is the sum (rapidities), one lies between 0
/// and 1 (ratios), and one is a whole number (multiplicities).
fn raw(kind: Kind, number: u64, seed: u64) -> Vec<f64> {
    // The same processes in every sample.
    let (of_processes, random) = (Philox::new(77, Stage::Probe), Philox::new(seed, Stage::Probe));
    let mixing: Vec<Vec<f64>> = (0..WIDTH).map(|feature| normals(&of_processes, feature, CAUSES)).collect();
    let centres: Vec<Vec<f64>> = (0..4).map(|process| normals(&of_processes, 1000 + process, CAUSES)).collect();
    let event = |unit: u64| -> Vec<f64> {
        let process = match (kind, random.uniforms(unit, 100)[0]) {
            (Kind::Shifted, _) => 3,
            (_, share) if share < 0.6 => 0,
            (_, share) if share < 0.9 => 1,
            _ => 2,
        };
        let drawn = normals(&random, unit, CAUSES + WIDTH);
        let (causes, noise) = drawn.split_at(CAUSES as usize);
        let of_feature = |(feature, noise): (usize, &f64)| {
            let causes = causes.iter().zip(&centres[process]).map(|(cause, centre)| cause + centre);
            let sum: f64 = causes.zip(&mixing[feature]).map(|(cause, factor)| factor * cause).sum();
            let sum = sum / (CAUSES as f64).sqrt() + 0.3 * noise;
            match feature % 5 {
                0 | 1 => (0.6 * sum).exp(),
                2 => sum,
                3 => 1.0 / (1.0 + (-2.0 * sum).exp()),
                _ => (4.0 + 1.5 * sum).floor().max(0.0),
            }
        };
        noise.iter().enumerate().map(of_feature).collect()
    };
    (0..number)
        .flat_map(|unit| match kind {
            Kind::Shuffled => (0..WIDTH).map(|at| event(unit * WIDTH + at)[at as usize]).collect(),
            _ => event(unit),
        })
        .collect()
}

/// Tables of events that are learned from, of others like them, and of the two kinds of others, all with the means and
/// standard deviations of the first.
fn tables(learned: u64, others: u64) -> [Table<Host>; 4] {
    let known = raw(Kind::Known, learned, 1);
    let width = WIDTH as usize;
    let moments: Vec<Moments> = (0..width)
        .map(|feature| {
            let mut moments = Moments::default();
            known.iter().skip(feature).step_by(width).for_each(|x| moments.add(1.0, *x));
            moments
        })
        .collect();
    let table = |raw: Vec<f64>| {
        let scaled = |(at, x): (usize, f64)| {
            let of = moments[at % width];
            ((x - of.mean()) / of.variance().sqrt()) as f32
        };
        Table::of_features(WIDTH as u32, raw.into_iter().enumerate().map(scaled).collect()).unwrap()
    };
    let other = |kind, seed| table(raw(kind, others, seed));
    [table(known), other(Kind::Known, 2), other(Kind::Shifted, 3), other(Kind::Shuffled, 4)]
}

/// How often an event of the second sample has a larger score than one of the first.
fn auc(known: &[f32], unlike: &[f32]) -> f64 {
    let scores = [known, unlike].concat();
    let is_signal: Vec<bool> = (0..scores.len()).map(|at| at >= known.len()).collect();
    Roc::of(&Scored { scores: &scores, is_signal: &is_signal, weights: None }).unwrap().auc().value
}

/// What a family came to.
struct Measured {
    trained: Trained,
    /// Of its score: of shifted and of shuffled events.
    auc: [f64; 2],
}

impl Measured {
    /// Whether all members of a constant are healthy, or none is.
    fn are_healthy(&self, target: f32) -> bool {
        let mut own = self.trained.members().iter().filter(|member| member.target == target);
        let first = own.next().unwrap().health.is_healthy();
        assert!(own.all(|member| member.health.is_healthy() == first), "members of c = {target} differ");
        first
    }
}

/// Trains a family and prints how many epochs each member made, its share of the variance, and how well its distances
/// tell the two kinds of other events.
fn measured(family: &DeepSvdd, learned: u64, others: u64) -> Measured {
    let [known, like, shifted, shuffled] = tables(learned, others);
    let trained = DeepSvdd { least_healthy: 1, ..family.clone() }.fit(&Device::Cpu, &known).unwrap();
    let aucs = |score: &dyn Fn(&Table<Host>) -> Vec<f32>| {
        let own = score(&like);
        [&shifted, &shuffled].map(|table| auc(&own, &score(table)))
    };
    println!("c, d: epochs, share, AUC of shifted and of shuffled events");
    for ((fitted, members), dimension) in trained.by_dimension().zip(&family.dimensions) {
        for (number, member) in members.iter().enumerate() {
            let alone = fitted.alone(number);
            let [shifted, shuffled] = aucs(&|table| alone.scores(table, ScoreTransform::DistanceToTarget).unwrap());
            let epochs = alone.population.progress[0].epochs.len();
            let (share, is_healthy) = match member.health {
                Health::Healthy { variance_share, .. } => (variance_share, ""),
                Health::Collapsed { variance_share } => (variance_share, " collapsed"),
                Health::NotFinite { .. } => (f64::NAN, " not finite"),
            };
            let target = member.target;
            println!("{target}, {dimension}: {epochs}, {share:.1e}, {shifted:.3} {shuffled:.3}{is_healthy}");
        }
    }
    let auc = aucs(&|table| trained.score(table).unwrap());
    let [shifted, shuffled] = auc;
    println!("{} of {} are healthy; AUC {shifted:.3} {shuffled:.3}", trained.healthy(), trained.members().len());
    Measured { trained, auc }
}

/// `scripts/test --full-size` runs this and the next two, and prints what the module's text says: this in about eight
/// minutes of one core, the others in three.
#[test]
#[ignore = "trains 70 networks of 512-256-128 for eight minutes: scripts/test --full-size"]
fn the_shipped_setting_keeps_sixty_of_seventy() {
    let Measured { trained, auc } = measured(&DeepSvdd::default(), 20_000, 5_000);
    assert_eq!(trained.members().len(), 70);
    assert!(trained.healthy() >= 60, "{} of 70 are healthy", trained.healthy());
    assert!(auc[0] > 0.65 && auc[1] > 0.9, "{auc:?}");
}

#[test]
#[ignore = "trains networks of 512-256-128 for minutes: scripts/test --full-size"]
fn a_smaller_least_improvement_lets_the_constant_0_collapse() {
    let usual = DeepSvdd::default();
    let early_stopping = Some(EarlyStopping { patience: 3, least_improvement: 1e-4 });
    let learning = Learning { early_stopping, ..usual.learning };
    let family = DeepSvdd { targets: vec![0.0, 1.0], dimensions: vec![5, 377], learning, ..usual };
    let measured = measured(&family, 20_000, 5_000);
    assert!(!measured.are_healthy(0.0) && measured.are_healthy(1.0));
}

#[test]
#[ignore = "trains networks of 512-256-128 on a million events: scripts/test --full-size"]
fn an_epoch_of_a_million_events_lets_the_constant_0_alone_collapse() {
    let family = DeepSvdd { targets: vec![0.0, 1.0], dimensions: vec![21], ..DeepSvdd::default() };
    let measured = measured(&family, 1_000_000, 5_000);
    assert!(!measured.are_healthy(0.0) && measured.are_healthy(1.0));
}

#[test]
fn the_shipped_setting_keeps_as_many_of_a_smaller_size() {
    // As many steps an epoch as at full size, with a tenth of the events.
    let usual = DeepSvdd::default();
    let learning = Learning { batch: 51, ..usual.learning };
    let family = DeepSvdd { dimensions: vec![5, 21, 89], hidden: vec![64, 32, 16], learning, ..usual };
    let Measured { trained, auc } = measured(&family, 2_000, 1_000);
    assert_eq!(trained.members().len(), 21);
    assert!(trained.healthy() >= 18, "{} of 21 are healthy, a smaller share than 60 of 70", trained.healthy());
    // Here 0.694 and 0.971: one of 1,000 events each has an error of 0.012 and 0.004.
    assert!(auc[0] > 0.65 && auc[1] > 0.93, "{auc:?}");
}
