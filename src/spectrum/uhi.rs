//! Histograms as UHI JSON, schema 1: what boost-histogram, hist and mplhep read and write.
//!
//! Source: `uhi/resources/histogram.schema.json` and `histograms.schema.json` of uhi 1.2.1. Bins are nested arrays in the
//! order of the axes with their flow bins inside. Written are variable axes and weighted storage; read are regular and
//! variable axes and dense `int`, `double` and `weighted` storage.
//!
//! The file of the test `what_uhi_accepted_is_still_written` passed `uhi validate` of uhi 1.2.1 and was read by
//! boost-histogram 1.8.1 with these values, on 2026-11-22.

use serde_json::{Map, Value, json};

use super::{Axis, Histogram};
use crate::error::{Fault, Result};

const NAME: &str = "spectrum.uhi";

/// The text of a file with these histograms, by name.
///
/// Counts are written as a second histogram, `<name> entries`, where they are known and say more than the sums do.
pub fn write(histograms: &[(&str, &Histogram)]) -> String {
    let mut file = Map::new();
    for (name, histogram) in histograms {
        let nested = |bins: Vec<Value>| nest(&histogram.axes, bins);
        let sums = |sums: &[f64]| nested(sums.iter().map(|sum| json!(sum)).collect());
        let storage = json!({
            "type": "weighted", "values": sums(&histogram.sumw), "variances": sums(&histogram.sumw2)
        });
        file.insert((*name).to_owned(), object(&histogram.axes, storage));
        let says_more =
            |counts: &&Vec<u64>| counts.iter().zip(&histogram.sumw).any(|(count, sum)| *count as f64 != *sum);
        if let Some(counts) = histogram.counts.as_ref().filter(says_more) {
            let values = nested(counts.iter().map(|count| json!(count)).collect());
            let storage = json!({ "type": "int", "values": values });
            file.insert(format!("{name} entries"), object(&histogram.axes, storage));
        }
    }
    let mut text = Value::Object(file).to_string();
    text.push('\n');
    text
}

fn object(axes: &[Axis], storage: Value) -> Value {
    let axis = |axis: &Axis| {
        json!({
            "type": "variable", "edges": axis.edges(), "underflow": true, "overflow": true, "circular": false,
            "metadata": { "name": axis.name(), "unit": axis.unit() }
        })
    };
    json!({
        "uhi_schema": 1,
        "writer_info": { "trawl": { "version": env!("CARGO_PKG_VERSION") } },
        "axes": axes.iter().map(axis).collect::<Vec<_>>(),
        "storage": storage
    })
}

fn nest(axes: &[Axis], bins: Vec<Value>) -> Value {
    match axes {
        [_, inner] => Value::Array(bins.chunks(inner.bins_with_flow()).map(|row| json!(row)).collect()),
        _ => Value::Array(bins),
    }
}

/// Reads the histograms of a UHI file, in the order of their names; a file that is a single histogram gives it the name "".
///
/// # Errors
/// What is not UHI JSON of schema 1, or a histogram of a kind that is not read, with its name.
pub fn read(text: &str) -> Result<Vec<(String, Histogram)>> {
    let not_uhi = |why: String| Fault::new(NAME, format!("this is no UHI JSON: {why}")).data();
    let file: Value = serde_json::from_str(text).map_err(|error| not_uhi(error.to_string()))?;
    let Value::Object(file) = file else { return Err(not_uhi("expected an object".into())) };
    let one = |name: &str, histogram: &Value| {
        let read = read_histogram(histogram);
        let read = read.map_err(|why| Fault::new(NAME, format!("histogram '{name}': {why}")).data())?;
        Ok((name.to_owned(), read))
    };
    if file.contains_key("uhi_schema") {
        return Ok(vec![one("", &Value::Object(file))?]);
    }
    file.iter().map(|(name, histogram)| one(name, histogram)).collect()
}

fn read_histogram(value: &Value) -> Result<Histogram, String> {
    if value["uhi_schema"] != json!(1) {
        return Err(format!("expected uhi_schema 1, got {}", value["uhi_schema"]));
    }
    let axes = value["axes"].as_array().ok_or("expected an array 'axes'")?;
    let read: Vec<(Axis, Flow)> =
        axes.iter().enumerate().map(|axis| read_axis(axis.0, axis.1)).collect::<Result<_, _>>()?;
    if !(1..=2).contains(&read.len()) {
        return Err(format!("{} axes; histograms of 1 or 2 axes are read", read.len()));
    }
    let storage = &value["storage"];
    if storage.get("index").is_some() {
        return Err("sparse storage is not read".into());
    }
    let kind = storage["type"].as_str().unwrap_or_default();
    let values = || bins(&read, &storage["values"]);
    let axes = || read.iter().map(|(axis, _)| axis.clone()).collect::<Vec<_>>();
    let told = |error: crate::Error| error.to_string();
    match kind {
        "weighted" => Histogram::of_sums(axes(), &values()?, &bins(&read, &storage["variances"])?).map_err(told),
        "int" | "double" => {
            let values = values()?;
            let count = |value: &f64| {
                (*value >= 0.0 && value.trunc() == *value && *value < 2f64.powi(53)).then_some(*value as u64)
            };
            match values.iter().map(count).collect::<Option<Vec<u64>>>() {
                Some(counts) => Histogram::of_counts(axes(), &counts).map_err(told),
                None => Err("its unweighted bins are no counts, so that their errors are not known".into()),
            }
        }
        other => Err(format!("storage '{other}' is not read; int, double and weighted are")),
    }
}

/// Which flow bins an axis of a file has.
#[derive(Debug, Clone, Copy)]
struct Flow {
    under: bool,
    over: bool,
}

fn read_axis(index: usize, axis: &Value) -> Result<(Axis, Flow), String> {
    let text = |key: &str| axis["metadata"][key].as_str().unwrap_or_default().to_owned();
    let flag = |key: &str| axis[key].as_bool().ok_or_else(|| format!("axis {index}: expected true or false '{key}'"));
    let number = |key: &str| axis[key].as_f64().ok_or_else(|| format!("axis {index}: expected a number '{key}'"));
    if flag("circular")? {
        return Err(format!("axis {index} is circular, which is not read"));
    }
    let flow = Flow { under: flag("underflow")?, over: flag("overflow")? };
    let (name, unit) = (text("name"), text("unit"));
    let read = match axis["type"].as_str().unwrap_or_default() {
        "variable" => {
            let edges = axis["edges"].as_array().ok_or_else(|| format!("axis {index}: expected an array 'edges'"))?;
            let edges: Option<Vec<f64>> = edges.iter().map(Value::as_f64).collect();
            Axis::new(name, unit, edges.ok_or_else(|| format!("axis {index}: an edge is no number"))?)
        }
        "regular" => {
            let bins = axis["bins"].as_u64().and_then(|bins| u32::try_from(bins).ok());
            let bins = bins.ok_or_else(|| format!("axis {index}: expected an integer 'bins'"))?;
            Axis::regular(name, unit, bins, number("lower")?, number("upper")?)
        }
        other => return Err(format!("axis {index} is of the type '{other}'; regular and variable are read")),
    };
    read.map(|axis| (axis, flow)).map_err(|error| error.to_string())
}

/// The bins with flow, flow bins that the file does not have being 0.
fn bins(axes: &[(Axis, Flow)], value: &Value) -> Result<Vec<f64>, String> {
    let [(axis, flow), inner @ ..] = axes else {
        return Ok(vec![value.as_f64().ok_or_else(|| format!("expected a number in a bin, got {value}"))?]);
    };
    let rows = value.as_array().ok_or_else(|| format!("expected an array of bins, got {value}"))?;
    let expected = axis.bins() + usize::from(flow.under) + usize::from(flow.over);
    if rows.len() != expected {
        return Err(format!("expected {expected} bins along '{}', got {}", axis.name(), rows.len()));
    }
    let inner_bins: usize = inner.iter().map(|(axis, _)| axis.bins_with_flow()).product();
    let missing = |there: bool| if there { 0 } else { inner_bins };
    let mut all = vec![0.0; missing(flow.under)];
    for row in rows {
        all.extend(bins(inner, row)?);
    }
    all.resize(all.len() + missing(flow.over), 0.0);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane() -> Histogram {
        let x = Axis::new("m_X", "GeV", vec![0.0, 10.0, 25.5]).unwrap();
        let y = Axis::new("m_Y", "GeV", vec![1300.0, 1e4]).unwrap();
        let sums: Vec<f64> = (0..12).map(|bin| f64::from(bin) * 0.1 - 0.2).collect();
        let squares: Vec<f64> = (0..12).map(|bin| f64::from(bin) * 0.25).collect();
        Histogram { counts: Some((0..12).collect()), ..Histogram::of_sums(vec![x, y], &sums, &squares).unwrap() }
    }

    fn line() -> Histogram {
        Histogram::of_counts(vec![Axis::regular("score", "", 3, 0.0, 1.5).unwrap()], &[4, 0, 5]).unwrap()
    }

    #[test]
    fn what_uhi_accepted_is_still_written() {
        let text = write(&[("plane", &plane()), ("line", &line())]);
        let expected = include_str!("uhi_checked.json").replace("0.1.0", env!("CARGO_PKG_VERSION"));
        assert_eq!(text, expected);
    }

    #[test]
    fn written_histograms_read_back_to_the_bit() {
        let read_back = read(&write(&[("plane", &plane()), ("line", &line())])).unwrap();
        let names: Vec<&str> = read_back.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["line", "plane", "plane entries"]);
        assert_eq!(read_back[0].1, Histogram { counts: None, ..line() });
        assert_eq!(read_back[1].1, Histogram { counts: None, ..plane() });
        assert_eq!(read_back[2].1.counts, plane().counts);
    }

    proptest::proptest! {
        #[test]
        fn every_f64_reads_back(bits in proptest::collection::vec(proptest::num::f64::NORMAL, 3)) {
            let axis = Axis::regular("score", "", 3, 0.0, 1.5).unwrap();
            let squares: Vec<f64> = bits.iter().map(|value| value.abs()).collect();
            let histogram = Histogram::of_sums(vec![axis], &bits, &squares).unwrap();
            let text = write(&[("a", &histogram)]);
            proptest::prop_assert_eq!(&read(&text).unwrap()[0].1, &histogram);
        }
    }

    #[test]
    fn files_of_boost_histogram_read() {
        // boost-histogram 1.8.1: json.dumps(hist, default=uhi.io.json.default) of Histogram(Regular(2, 0, 1, overflow=False),
        // storage=Int64()) filled with [-1, 0.1, 0.7, 0.8], 2026-11-22.
        let text = r#"{"uhi_schema": 1, "writer_info": {"boost-histogram": {"version": "1.8.1"}}, "axes": [{"type": "regular",
            "lower": 0.0, "upper": 1.0, "bins": 2, "underflow": true, "overflow": false, "circular": false}],
            "storage": {"type": "int", "values": [1, 1, 2]}}"#;
        let (name, histogram) = read(text).unwrap().remove(0);
        assert_eq!((name.as_str(), histogram.counts.unwrap()), ("", vec![1, 1, 2, 0]));
        assert_eq!(histogram.axes[0].edges(), [0.0, 0.5, 1.0]);
    }

    #[test]
    fn what_is_not_read_is_said() {
        let said = |text: &str| read(text).unwrap_err().to_string();
        assert!(said("[1]").contains("expected an object"));
        assert!(said("{").contains("no UHI JSON"));
        assert!(said(r#"{"a": {"uhi_schema": 2}}"#).contains("histogram 'a': expected uhi_schema 1, got 2"));
        let text = write(&[("a", &line())]);
        let changed = |from: &str, to: &str| said(&text.replace(from, to));
        assert!(changed("\"circular\":false", "\"circular\":true").contains("circular"));
        assert!(changed("\"weighted\"", "\"mean\"").contains("storage 'mean' is not read"));
        assert!(changed("[0.0,4.0,0.0,5.0,0.0]", "[0.0,4.0,0.0,5.0]").contains("expected 5 bins along 'score', got 4"));
        assert!(
            changed("[0.0,4.0,0.0,5.0,0.0]", "[0.0,4.0,null,5.0,0.0]").contains("expected a number in a bin, got null")
        );
        assert!(changed("0.5,1.0,1.5]", "0.5,0.5,1.5]").contains("edges must ascend"));
        assert!(changed("\"overflow\":true,", "").contains("expected true or false 'overflow'"));
    }
}
