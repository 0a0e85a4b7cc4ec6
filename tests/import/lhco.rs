//! LHC Olympics HDF5: real and made files in every layout, and damaged ones. Without the feature: the one sentence.

#[cfg(not(feature = "hdf5"))]
#[test]
fn a_build_without_hdf5_writes_nothing() {
    let (folder, output) = super::scratch();
    let said = super::import("lhco", &["events.h5".into()], &output);
    assert_eq!(said.code, Some(2));
    assert_eq!(said.err.lines().count(), 1, "{said:?}");
    assert!(said.err.contains("--features hdf5"), "{said:?}");
    assert_eq!(super::names(folder.path()), Vec::<String>::new());
}

#[cfg(feature = "hdf5")]
mod with_hdf5 {
    use std::fs;
    use std::path::{Path, PathBuf};

    use hdf5::types::FixedAscii;
    use trawl::events::{LhcoImport, import_lhco};

    use crate::data::data;
    use crate::{column, import, lists, names, note, problems, scalar, scratch, sum};

    fn close(value: f64, expected: f64) {
        assert!((value / expected - 1.0).abs() < 1e-9, "{value} instead of {expected}");
    }

    /// Expected numbers: scripts/oracles/import.py lhco.
    #[test]
    fn public_events_have_the_sums_that_python_finds() {
        let Some(data) = data() else { return };
        let (_folder, output) = scratch();
        let said = import("lhco", &[data.join("lhco/events_anomalydetection_tiny.h5")], &output);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.out.contains("1000 events\nevents of 700 particles and the truth"), "{said:?}");
        let [pt, eta, phi] = ["pt", "eta", "phi"].map(|quantity| lists(&output, "Particle", quantity));
        assert_eq!(pt.len(), 1000);
        assert_eq!(pt.iter().map(Vec::len).sum::<usize>(), 169_742);
        assert_eq!(pt.iter().map(Vec::len).max(), Some(482));
        assert_eq!(sum(scalar(&output, "truth_signal")), 93.0);
        close(sum(pt.concat()), 2_985_334.719_843_097);
        close(sum(eta.concat()), -5_716.424_450_914_253);
        close(sum(phi.concat()), -4_447.175_901_852_395);
        assert_eq!([pt[0][0], eta[0][0], phi[0][0]], [0.324_100_94, -0.361_157_95, 2.737_669_2]);
        assert_eq!([pt[0][1], eta[0][1], phi[0][1]], [0.409_859_1, -2.429_938_6, 0.729_829_9]);
        assert_eq!(column(&output, "event"), (0..1000).collect::<Vec<u64>>());
    }

    #[test]
    fn every_layout_and_compression_gives_equal_files() {
        let Some(data) = data() else { return };
        let outputs = ["none", "zlib", "blosc", "2block"].map(|layout| {
            let (folder, output) = scratch();
            // The output has the name of its source.
            let input = folder.path().join("fixed.h5");
            fs::copy(data.join(format!("lhco/fixed_{layout}.h5")), &input).unwrap();
            let said = import("lhco", &[input], &output);
            assert_eq!(said.code, Some(0), "{said:?}");
            (folder, output)
        });
        let expected = fs::read(&outputs[0].1).unwrap();
        for (_folder, output) in &outputs[1..] {
            assert!(fs::read(output).unwrap() == expected, "{}", output.display());
        }
        let pt = lists(&outputs[0].1, "Particle", "pt");
        assert_eq!((pt.len(), pt.concat().len()), (50, 8387));
        assert_eq!(pt[0][..2], [168.458_59, 113.369_026]);
        close(sum(pt.concat()), 169_167.360_646_753_63);
        assert_eq!(sum(scalar(&outputs[0].1, "truth_signal")), 5.0);
    }

    #[test]
    fn feature_tables_keep_their_names() {
        let Some(data) = data() else { return };
        let (_folder, output) = scratch();
        let said = import("lhco", &[data.join("lhco/features_table.h5")], &output);
        assert_eq!(said.code, Some(0), "{said:?}");
        let expected = [
            ("pxj1", 5_595.336_540_222_168),
            ("pyj1", 3.681_277_151_568_792_8),
            ("mj1", 4_539.523_075_103_76),
            ("tau3j1", 4_072.270_744_323_730_5),
            ("mj2", 4.883_238_583_803_177),
            ("tau3j2", -19.775_639_673_694_968),
            ("label", 5.0),
        ];
        for (name, total) in expected {
            assert_eq!(scalar(&output, name).len(), 50);
            close(sum(scalar(&output, name)), total);
        }
        assert!(note(&output, "trawl.source").unwrap().contains("features pxj1, pyj1"));
        assert_eq!(note(&output, "trawl.schema").unwrap(), "lhco");
        assert!(note(&output, "trawl.files").unwrap().contains(".h5"));
    }

    #[test]
    fn files_follow_each_other_and_must_be_alike() {
        let Some(data) = data() else { return };
        let files = ["fixed_none", "fixed_2block", "features_table"].map(|name| data.join(format!("lhco/{name}.h5")));
        let (_folder, output) = scratch();
        assert_eq!(import("lhco", &files[..2], &output).code, Some(0));
        let pt = lists(&output, "Particle", "pt");
        assert_eq!(pt.len(), 100);
        assert_eq!(pt[..50], pt[50..]);
        assert_eq!(column(&output, "event"), (0..100).collect::<Vec<u64>>());
        let told = problems("lhco", &files);
        assert_eq!(told.len(), 1, "{told:#?}");
        assert!(told[0].contains("features_table.h5' cannot be imported (it has features pxj1"), "{told:#?}");
    }

    /// Without a lock: processes that other tests start meanwhile would inherit it.
    fn unlocked() -> hdf5::FileBuilder {
        let mut builder = hdf5::File::with_options();
        builder.with_fapl(|access| access.file_locking(false));
        builder
    }

    /// Labels of columns in a fixed frame.
    enum Labels<'a> {
        Numbers,
        Words(&'a [&'a str]),
    }

    /// A fixed frame under `key` as pandas lays it out, of one block.
    fn add_frame(file: &hdf5::File, key: &str, width: usize, values: &[f64], labels: Labels<'_>) {
        let group = file.create_group(key).unwrap();
        let text = FixedAscii::<5>::from_ascii(b"frame").unwrap();
        group.new_attr::<FixedAscii<5>>().create("pandas_type").unwrap().write_scalar(&text).unwrap();
        group.new_attr::<i64>().create("nblocks").unwrap().write_scalar(&1i64).unwrap();
        for name in ["axis0", "block0_items"] {
            match labels {
                Labels::Numbers => {
                    let numbers: Vec<i64> = (0..width as i64).collect();
                    group.new_dataset_builder().with_data(&numbers).create(name).unwrap();
                }
                Labels::Words(words) => {
                    let words: Vec<_> =
                        words.iter().map(|word| FixedAscii::<8>::from_ascii(word.as_bytes()).unwrap()).collect();
                    group.new_dataset_builder().with_data(&words).create(name).unwrap();
                }
            }
        }
        let dataset = group.new_dataset::<f64>().shape((values.len() / width, width)).create("block0_values").unwrap();
        dataset.write_raw(values).unwrap();
    }

    fn frame(width: usize, values: &[f64], labels: Labels<'_>) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.h5");
        add_frame(&unlocked().create(&path).unwrap(), "df", width, values, labels);
        (folder, path)
    }

    /// The problems of a file, which is called `a.h5` in them.
    fn wrong(path: &Path) -> Vec<String> {
        let told = problems("lhco", &[path.to_owned()]);
        told.iter().map(|line| line.replace(&path.display().to_string(), "a.h5")).collect()
    }

    #[test]
    fn a_fixed_frame_with_words_is_a_feature_table() {
        let values = [1.5, -2.0, 0.0, 2.5, f64::NAN, 1.0];
        let (_input, path) = frame(3, &values, Labels::Words(&["mj1", "tau1", "label"]));
        let (_folder, output) = scratch();
        let said = import("lhco", &[path], &output);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(
            said.out.ends_with("features mj1, tau1, label\n1 values are NaN or infinite in 32 bits, and were kept\n")
        );
        assert_eq!(scalar(&output, "mj1"), [1.5, 2.5]);
        assert_eq!(scalar(&output, "label"), [0.0, 1.0]);
        let tau = scalar(&output, "tau1");
        assert!(tau[0] == -2.0 && tau[1].is_nan());
    }

    #[test]
    fn events_without_truth_have_none_and_padding_anywhere_goes() {
        let (input, path) = frame(6, &[5.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 7.0, -1.0, 3.0], Labels::Numbers);
        let output = input.path().join("out.parquet");
        let import = LhcoImport { files: vec![path], key: None };
        assert_eq!(import_lhco(&import, &output, &|_| Ok(())).unwrap().events, 2);
        assert_eq!(lists(&output, "Particle", "pt"), [[5.0], [7.0]]);
        assert_eq!(lists(&output, "Particle", "eta"), [[1.0], [-1.0]]);
    }

    #[test]
    fn wrong_numbers_are_named_by_row() {
        let nan = f64::NAN;
        let values =
            [5.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 5.0, 0.0, 9.0, 0.0, nan, 0.0, 0.0, 1.0, 5.0, 30.0, 0.0, 2.0];
        let (_input, path) = frame(4, &values, Labels::Numbers);
        let told = wrong(&path);
        let expected = [
            "row 1 of 'a.h5' cannot be imported (particle 1 has a pt that is -1)",
            "row 2 of 'a.h5' cannot be imported (particle 1 has a phi that is 9, beyond 6.2842)",
            "row 3 of 'a.h5' cannot be imported (particle 1 has a pt that is NaN)",
            "row 4 of 'a.h5' cannot be imported (particle 1 has an eta that is 30, beyond 20.0000)",
            "row 4 of 'a.h5' cannot be imported (the truth is 2, and neither 0 nor 1)",
        ];
        assert_eq!(told, expected.map(|line| format!("error: events.import: {line}")));
    }

    #[test]
    fn frames_that_are_none_are_named() {
        let (_input, path) = frame(5, &[0.0; 10], Labels::Numbers);
        assert!(wrong(&path)[0].contains("it has 5 columns: not three for each particle, nor one more for the truth"));
        let (_input, path) = frame(3, &[], Labels::Numbers);
        assert!(wrong(&path)[0].contains("it has no rows"));
        let (_input, path) = frame(2, &[0.0; 4], Labels::Words(&["mj1", "mj1"]));
        assert!(wrong(&path)[0].contains("two columns are called Word(\"mj1\")"), "{:?}", wrong(&path));
        let (_input, path) = frame(2, &[0.0; 4], Labels::Words(&["mj1", "event"]));
        assert!(wrong(&path)[0].contains("a column is called 'event', which is no name of a column"));
        // A frame whose labels and numbers disagree.
        let (_input, path) = frame(3, &[0.0; 6], Labels::Numbers);
        {
            let file = unlocked().open_rw(&path).unwrap();
            file.unlink("df/block0_items").unwrap();
            file.new_dataset_builder().with_data(&[0i64, 1]).create("df/block0_items").unwrap();
        }
        assert!(wrong(&path)[0].contains("has the shape [2, 3] for 2 columns"), "{:?}", wrong(&path));
        {
            let file = unlocked().open_rw(&path).unwrap();
            file.unlink("df/block0_values").unwrap();
        }
        assert!(wrong(&path)[0].contains("the frame '/df' of 'a.h5' cannot be read"), "{:?}", wrong(&path));
    }

    #[test]
    fn the_frame_is_chosen_by_its_key() {
        let (input, path) = frame(3, &[5.0, 0.0, 0.0], Labels::Numbers);
        {
            let file = unlocked().open_rw(&path).unwrap();
            add_frame(&file, "other", 3, &[7.0, 0.0, 0.0], Labels::Numbers);
            file.create_group("no_frame").unwrap();
        }
        assert_eq!(
            wrong(&path),
            ["error: events.import: 'a.h5': there are 2 frames. Choose one of its frames with --key: df, other."]
        );
        let output = input.path().join("out.parquet");
        let of = |key: &str| LhcoImport { files: vec![path.clone()], key: Some(key.into()) };
        import_lhco(&of("other"), &output, &|_| Ok(())).unwrap();
        assert_eq!(lists(&output, "Particle", "pt"), [[7.0]]);
        for (key, why) in [("absent", "there is no frame 'absent'"), ("no_frame", "its pandas_type is 'missing'")] {
            let error = import_lhco(&of(key), &output, &|_| Ok(())).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
            assert_eq!(error.exit_code(), 1);
        }
    }

    #[test]
    fn damaged_files_are_named_and_nothing_is_written() {
        let (input, path) = frame(3, &[5.0, 0.0, 0.0].repeat(1000), Labels::Numbers);
        let bytes = fs::read(&path).unwrap();
        for length in [0, 7, 100, 5000, bytes.len() - 1] {
            fs::write(&path, &bytes[..length]).unwrap();
            let told = wrong(&path);
            assert!(told.len() == 1 && told[0].contains("'a.h5' is no complete HDF5 file"), "{told:#?}");
        }
        fs::write(&path, "7;ttbar;1;2;3;").unwrap();
        assert!(wrong(&path)[0].contains("is no complete HDF5 file"));
        unlocked().create(&path).unwrap();
        assert!(wrong(&path)[0].contains("there is no pandas frame (no group has the attribute 'pandas_type')"));
        let absent = input.path().join("absent.h5");
        assert!(problems("lhco", &[absent])[0].contains("cannot read"));
        assert_eq!(names(input.path()), ["a.h5"]);
    }

    /// A flip in the BLOSC or zlib stream of a chunk is noticed by them; where it is not, the values still make events.
    #[test]
    fn damaged_chunks_are_named() {
        let Some(data) = data() else { return };
        let bytes = fs::read(data.join("lhco/fixed_zlib.h5")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.h5");
        let mut damaged = bytes.clone();
        let middle = bytes.len() / 2;
        damaged[middle..middle + 4000].fill(0x5a);
        fs::write(&path, damaged).unwrap();
        let told = wrong(&path);
        assert!(
            told[0].contains("part of 'a.h5' cannot be imported (rows 0 to 50 of '/df/block0_values': "),
            "{told:#?}"
        );
    }
}
