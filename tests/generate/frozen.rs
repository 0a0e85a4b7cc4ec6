//! Versions do not change, and do not depend on how they are generated.

use super::*;

/// SHA-256 over the names and bits of all columns of the rows.
fn fingerprint(sample: &dyn Generator, rows: std::ops::Range<u64>) -> String {
    let (projection, batch) = (sample.projection(), sample.columns(rows));
    let mut hash = Sha256::new();
    let mut add = |name: &str, values: &[f32]| {
        hash.update(name);
        values.iter().for_each(|value| hash.update(value.to_bits().to_le_bytes()));
    };
    for (known, collection) in projection.collections.iter().zip(&batch.columns.collections) {
        let offsets: Vec<f32> = collection.offsets.iter().map(|&offset| offset as f32).collect();
        add(&known.name, &offsets);
        known.quantities.iter().zip(&collection.quantities).for_each(|(name, values)| add(name, values));
    }
    projection.scalars.iter().zip(&batch.columns.scalars).for_each(|(name, values)| add(name, values));
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn shower(decays: [(Decay, f64); 2], tune: Tune) -> ShowerSample {
    let products = decays.map(|(decay, mass_gev)| Product { mass_gev, width: 0.01, decay });
    let pair = Pair { events: 60, products, ..Pair::default() };
    ShowerSample {
        seed: 5,
        events: 120,
        tune,
        resonance: Some(pair),
        content: Content::Particles,
        ..Default::default()
    }
}

fn dilepton(kind: SignalKind, tune: Tune) -> DileptonSample {
    DileptonSample { seed: 5, events: 600, tune, signal: Some(Signal::new(kind, 100)), ..Default::default() }
}

/// Samples that together run through every branch of the generators.
fn samples() -> Vec<(&'static str, Box<dyn Generator>)> {
    use Decay::*;
    let resonance = Some(Resonance::default());
    let nominal = Tune::Nominal;
    vec![
        ("dijet/1", Box::new(DijetSample { events: 400, resonance, ..Default::default() })),
        ("plane/1", Box::new(PlaneSample { events: 400, resonance, ..Default::default() })),
        ("dijet/2", Box::new(shower([(TwoProng, 400.0), (Bottoms, 125.0)], nominal))),
        ("dijet/2", Box::new(shower([(ThreeProng, 172.5), (Quark, 0.0)], Tune::Alternative))),
        ("dijet/2", Box::new(shower([(Dark, 100.0), (SemiVisible, 0.0)], nominal))),
        ("dilepton/1", Box::new(dilepton(SignalKind::HeavyScalar, nominal))),
        ("dilepton/1", Box::new(dilepton(SignalKind::ZPrime, Tune::Alternative))),
        ("dilepton/1", Box::new(dilepton(SignalKind::Graviton, nominal))),
        ("dilepton/1", Box::new(dilepton(SignalKind::StopPair, nominal))),
        ("dilepton/1", Box::new(DileptonSample { events: 400, process: Process::TopPair, ..Default::default() })),
        ("dilepton/1", Box::new(DileptonSample { events: 400, process: Process::SingleTop, ..Default::default() })),
        ("dilepton/1", Box::new(DileptonSample { events: 400, process: Process::Diboson, ..Default::default() })),
        ("dilepton/1", Box::new(DileptonSample { events: 400, process: Process::Triboson, ..Default::default() })),
        ("dilepton/1", Box::new(DileptonSample { events: 400, process: Process::WJets, ..Default::default() })),
    ]
}

/// The first eight bytes of the fingerprints of [`samples`], as generated on 2026-11-22. A version is frozen: if one of these
/// changes, the change needs a new version, not a new fingerprint.
const FINGERPRINTS: [&str; 14] = [
    "c33368193f5f8088",
    "87c4dde8e5bdb1f7",
    "5e1f3410c97dbec8",
    "1b443cf19d3708f1",
    "449b8ae63364b7c9",
    "a9b19be8cb8d4b9a",
    "b09d0f4647d5dfd3",
    "b4e8c83c4ee18b11",
    "7521fd722adb690f",
    "3b32855ec832eb06",
    "f263ba50c9edb7de",
    "d84fcd61b77c7753",
    "38935af35eaef087",
    "e2cd487e215db3ac",
];

#[test]
fn versions_are_frozen() {
    let found: Vec<String> = samples().iter().map(|(_, sample)| fingerprint(&**sample, 0..sample.events())).collect();
    assert_eq!(found, FINGERPRINTS);
    for (version, sample) in samples() {
        assert_eq!(sample.version(), version);
        sample.check().unwrap();
    }
}

#[test]
fn events_depend_on_seed_and_number_alone() {
    for (_, sample) in samples() {
        let n = sample.events();
        let whole = sample.columns(0..n);
        let bounds = [0, 1, 2, n / 3, n / 3, n - 1, n];
        let parts: Vec<EventBatch> = bounds.windows(2).map(|ends| sample.columns(ends[0]..ends[1])).collect();
        for scalar in 0..whole.columns.scalars.len() {
            let joined: Vec<f32> = parts.iter().flat_map(|part| part.columns.scalars[scalar].to_vec()).collect();
            assert_eq!(joined, whole.columns.scalars[scalar][..]);
        }
        for (index, collection) in whole.columns.collections.iter().enumerate() {
            for (quantity, values) in collection.quantities.iter().enumerate() {
                let of = |part: &EventBatch| part.columns.collections[index].quantities[quantity].to_vec();
                assert_eq!(parts.iter().flat_map(of).collect::<Vec<f32>>(), values[..]);
            }
        }
        let numbers: Vec<u64> = parts.into_iter().flat_map(|part| part.ids.event.unwrap()).collect();
        assert_eq!(Some(numbers), whole.ids.event);
    }
    // A sample that starts later has the same events under the same numbers, and another seed has others.
    let plain = DileptonSample { events: 50, ..Default::default() };
    let later = DileptonSample { events: 20, first_event: 30, ..plain };
    let met = |sample: &DileptonSample, rows| sample.columns(rows).columns.scalars[0].to_vec();
    assert_eq!(met(&plain, 30..50), met(&later, 0..20));
    assert_ne!(met(&plain, 0..50), met(&DileptonSample { seed: 2, ..plain }, 0..50));
}

fn bytes(sample: &dyn Generator, path: &Path, threads: usize) -> Vec<u8> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| generate_file(sample, path, &|_| Ok(()))).unwrap();
    std::fs::read(path).unwrap()
}

#[test]
fn files_have_the_same_bytes_for_any_number_of_threads_and_carry_the_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.parquet");
    let samples: [Box<dyn Generator>; 4] = [
        // More than one chunk and, for particles, more than one chunk for each of three threads.
        Box::new(ShowerSample { events: 13_000, content: Content::Particles, ..Default::default() }),
        Box::new(DileptonSample { events: 70_000, ..Default::default() }),
        Box::new(PlaneSample { events: 70_000, ..Default::default() }),
        Box::new(DijetSample { events: 70_000, ..Default::default() }),
    ];
    for sample in samples {
        let first = bytes(&*sample, &path, 1);
        assert!(first == bytes(&*sample, &path, 3));
        let reader = SerializedFileReader::new(std::fs::File::open(&path).unwrap()).unwrap();
        let metadata = reader.metadata().file_metadata();
        assert_eq!(metadata.num_rows() as u64, sample.events());
        let entries = metadata.key_value_metadata().unwrap();
        let entry = entries.iter().find(|entry| entry.key == METADATA_KEY).unwrap();
        assert_eq!(entry.value.as_deref(), Some(sample.version()));
        let entry = entries.iter().find(|entry| entry.key == SETTINGS_KEY).unwrap();
        assert_eq!(entry.value, Some(sample.settings()));
    }
}

#[test]
fn settings_tell_how_a_sample_was_made() {
    let plane = PlaneSample { seed: 7, events: 20, weight: 0.1, resonance: Some(Resonance::default()), first_event: 3 };
    assert_eq!(
        plane.settings(),
        r#"{"seed":7,"events":20,"first_event":3,"resonance":{"events":100,"mass_y_gev":3000.0,"mass_x_gev":400.0,"width_y":0.03,"width_x":0.05},"weight":0.1}"#
    );
    let shower = shower([(Decay::ThreeProng, 172.5), (Decay::Bottoms, 125.0)], Tune::Alternative).settings();
    for part in [r#""decay":"three-prong""#, r#""decay":"bb""#, r#""tune":"alternative""#, r#""content":"particles""#] {
        assert!(shower.contains(part), "{part} is missing in {shower}");
    }
    let dilepton = dilepton(SignalKind::StopPair, Tune::Nominal).settings();
    assert!(dilepton.contains(r#""process":"mixture""#) && dilepton.contains(r#""kind":"stop-pair""#), "{dilepton}");
}

#[test]
fn nothing_half_written_is_left_when_progress_says_stop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.parquet");
    let sample = PlaneSample { events: 100_000, ..Default::default() };
    let stop = |_| Err(trawl::error::Fault::new("test", "stop").interrupted());
    assert_eq!(generate_file(&sample, &path, &stop).unwrap_err().exit_code(), 75);
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    // No event is a file too.
    generate_file(&PlaneSample { events: 0, ..sample }, &path, &|_| Ok(())).unwrap();
    assert!(path.exists());
}

#[test]
fn nonsense_is_refused_all_at_once_and_never_panics() {
    let bad = Product { mass_gev: f64::NAN, width: 0.5, decay: Decay::Quark };
    let pair = Pair { events: 20, mass_gev: 100.0, width: -1.0, products: [bad; 2] };
    let nan = f64::NAN;
    let shower = ShowerSample {
        events: 10,
        first_event: u64::MAX,
        minimum_mass_gev: nan,
        invisible: 2.0,
        resonance: Some(pair),
        weight: f32::NAN,
        ..Default::default()
    };
    let signal = Signal { events: 20, mass_gev: 1.0, neutralino_gev: 5.0, ..Signal::new(SignalKind::StopPair, 20) };
    let dilepton = DileptonSample { events: 10, signal: Some(signal), ..Default::default() };
    let resonance = Some(Resonance { events: 11, mass_x_gev: nan, width_y: nan, ..Default::default() });
    let plane = PlaneSample { events: 10, resonance, ..Default::default() };
    let cases: [(&dyn Generator, usize); 3] = [(&shower, 11), (&dilepton, 3), (&plane, 3)];
    for (sample, problems) in cases {
        let error = sample.check().unwrap_err();
        assert_eq!((error.problems().len(), error.exit_code()), (problems, 2), "{error}");
        assert_eq!(sample.columns(0..10).columns.events, 10);
    }
}
