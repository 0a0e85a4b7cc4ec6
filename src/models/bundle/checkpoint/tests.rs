//! Trainings that go on from the disk against those that were never stopped.

use super::*;
use crate::device::Operation;
use crate::math::philox::{Philox, Stage};
use crate::models::network::{Activation, Initialisation};
use crate::models::population::{Replica, Stop};
use crate::models::table::Table;
use crate::models::train::{Adam, EarlyStopping, Input, Loss, Schedule, Train};

fn table() -> Table<Host> {
    let random = Philox::new(11, Stage::Probe);
    let features: Vec<f32> = (0..900).map(|unit| (2.0 * random.uniforms(unit, 0)[0] - 1.0) as f32).collect();
    let labels: Vec<f32> =
        features.as_chunks::<3>().0.iter().map(|[a, b, _]| f32::from(a * b + 0.3 * a > 0.05)).collect();
    let folds = (0..300).map(|event: u32| event * 7 % 5).collect();
    Table { labels: labels.into(), folds, ..Table::of_features(3, features).unwrap() }
}

fn training(schedule: Schedule) -> Train {
    let network = Network::dense(3, &[20, 12], 1, Activation::Relu, 0.1).unwrap();
    let members = vec![
        Member { held_out: Some(2), ..Member::new(1) },
        Member { replica: Replica::Bootstrap, features: vec![2, 0, 1], ..Member::new(9) },
    ];
    Train {
        epochs: 6,
        batch: 50,
        validation_share: 0.2,
        early_stopping: Some(EarlyStopping { patience: 4, least_improvement: 0.0 }),
        optimiser: Adam { rate: 0.01, schedule, ..Adam::default() },
        ..Train::new(network, members, Loss::BinaryCrossEntropy)
    }
}

fn untrained(train: &Train) -> Population<Host> {
    Population::untrained(&train.network, &train.members, Initialisation::He)
}

fn bits(population: &Population<Host>) -> Vec<u32> {
    columns(population).iter().flat_map(|(_, column)| column.iter().map(|x| x.to_bits())).collect()
}

#[test]
fn a_training_that_goes_on_from_the_disk_ends_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("training.safetensors");
    for schedule in [Schedule::Constant, Schedule::Cosine, Schedule::InverseTime { decay: 0.05 }] {
        let (train, table) = (training(schedule), table());
        let whole = train.cpu(Input { table: table.clone(), population: untrained(&train) }).unwrap().population;
        let paused = Train { pause_after: Some(1), ..train.clone() };
        write(&path, &train.network, &train.members, &untrained(&train), "demo").unwrap();
        let mut pauses = 0;
        let last = loop {
            let population = read(&path, &train.network, &train.members, "demo").unwrap();
            if population.progress.iter().all(|progress| progress.stop != Stop::Running) {
                break population;
            }
            let population = paused.cpu(Input { table: table.clone(), population }).unwrap().population;
            write(&path, &train.network, &train.members, &population, "demo").unwrap();
            pauses += 1;
        };
        assert!(pauses >= 4, "{schedule:?}");
        assert_eq!(last.progress, whole.progress, "{schedule:?}");
        assert_eq!(bits(&last), bits(&whole), "{schedule:?}");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }
}

#[test]
fn whatever_differs_from_the_training_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("training.safetensors");
    let network = |outputs, activation| Network::dense(3, &[8], outputs, activation, 0.0).unwrap();
    let (relu, members) = (network(5, Activation::Relu), vec![Member::new(1), Member::new(2)]);
    let population = Population::untrained(&relu, &members, Initialisation::He);
    write(&path, &relu, &members, &population, "demo").unwrap();
    let refused = |network: &Network, members: &[Member], fingerprint: &str| {
        read(&path, network, members, fingerprint).unwrap_err().to_string()
    };
    assert_eq!(relu.parameters(), network(1, Activation::Relu).parameters());
    let error = refused(&network(1, Activation::Relu), &members[..1], "other");
    for part in [
        "the checkpoint is of 3-8-5, the training of 3-8-1",
        "the checkpoint has 2 members, the training 1",
        "the checkpoint's fingerprint is demo, the training's other",
        "training.safetensors",
    ] {
        assert!(error.contains(part), "{error}");
    }
    let error = refused(&network(5, Activation::Tanh), &members, "demo");
    assert!(error.contains("layer 0 of the checkpoint is") && error.contains("Tanh"), "{error}");
    let others = [Member::new(1), Member { held_out: Some(3), ..Member::new(5) }];
    let error = refused(&relu, &others, "demo");
    assert!(error.contains("member 1 differs in its seed, held-out fold"), "{error}");
    let others = [Member { target: 2.0, ..Member::new(1) }, Member::new(2)];
    let error = refused(&relu, &others, "demo");
    assert!(error.contains("member 0 differs in its target"), "{error}");
    assert!(read(&path, &relu, &members, "demo").is_ok());
}

#[test]
fn damaged_checkpoints_are_refused_and_bad_populations_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("training.safetensors");
    let network = Network::dense(3, &[8], 1, Activation::Relu, 0.0).unwrap();
    let members = [Member::new(1)];
    let mut population = Population::untrained(&network, &members, Initialisation::He);
    // Means of squares of a member that was stopped may be anything.
    population.square = vec![f32::INFINITY; network.parameters()].into();
    write(&path, &network, &members, &population, "demo").unwrap();
    assert_eq!(bits(&read(&path, &network, &members, "demo").unwrap()), bits(&population));
    let bytes = std::fs::read(&path).unwrap();
    for at in (0..bytes.len()).step_by(97) {
        std::fs::write(&path, &bytes[..at]).unwrap();
        assert!(read(&path, &network, &members, "demo").is_err(), "{at} bytes");
        let mut changed = bytes.clone();
        changed[at] ^= 4;
        std::fs::write(&path, changed).unwrap();
        assert!(read(&path, &network, &members, "demo").is_err(), "byte {at}");
    }
    population.progress[0].best = Some((0, f64::NAN));
    population.mean = vec![0.0; 3].into();
    let error = write(&path, &network, &members, &population, "demo").unwrap_err().to_string();
    assert!(error.contains("3 numbers of mean") && error.contains("the progress of 1 members"), "{error}");
}
