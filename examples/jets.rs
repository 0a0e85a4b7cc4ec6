//! Clusters the particles of a file into jets, measures how long that takes, and writes the steps.
//!
//! ```text
//! cargo run --release --example jets -- PARTICLES [--algorithm anti-kt] [--radius 1.0] [--runs 5] [--threads 1] [--steps FILE]
//! ```
//!
//! PARTICLES holds events one after the other: their number of particles (4 bytes), then px, py, pz and energy of each (8 bytes
//! each), all little-endian. The answer is a line of JSON. FILE gets the columns of the steps one after the other, also little-endian:
//! first and second (4 bytes each), distance, px, py, pz and energy (8 bytes each); see `trawl::features::cluster::Histories`.
//! `scripts/bench features` and `scripts/oracles/jets.py` compare both with FastJet.

use std::time::Instant;

use trawl::Device;
use trawl::features::cluster::{Algorithm, Cluster, Histories, Particles};
use trawl::math::lorentz::FourMomentum;

struct Arguments {
    file: String,
    algorithm: Algorithm,
    radius: f64,
    runs: usize,
    threads: usize,
    steps: Option<String>,
}

fn arguments() -> anyhow::Result<Arguments> {
    let mut words = std::env::args().skip(1);
    let file = words.next().ok_or_else(|| anyhow::anyhow!("name the file of particles"))?;
    let mut read = Arguments { file, algorithm: Algorithm::AntiKt, radius: 1.0, runs: 5, threads: 1, steps: None };
    while let Some(option) = words.next() {
        let value = words.next().ok_or_else(|| anyhow::anyhow!("{option} has no value"))?;
        match option.as_str() {
            "--algorithm" => {
                read.algorithm = match value.as_str() {
                    "anti-kt" => Algorithm::AntiKt,
                    "cambridge-aachen" => Algorithm::CambridgeAachen,
                    "kt" => Algorithm::Kt,
                    power => Algorithm::Generalised(power.parse()?),
                };
            }
            "--radius" => read.radius = value.parse()?,
            "--runs" => read.runs = value.parse()?,
            "--threads" => read.threads = value.parse()?,
            "--steps" => read.steps = Some(value),
            other => anyhow::bail!("{other} is no option"),
        }
    }
    Ok(read)
}

/// The events of a file.
fn events(bytes: &[u8]) -> anyhow::Result<Vec<Vec<FourMomentum>>> {
    let (mut events, mut rest) = (Vec::new(), bytes);
    while let Some((number, particles)) = rest.split_first_chunk() {
        let length = 32 * u32::from_le_bytes(*number) as usize;
        anyhow::ensure!(particles.len() >= length, "event {} ends early", events.len());
        let (event, after) = particles.split_at(length);
        let doubles: Vec<f64> = event.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
        let momentum = |p: &[f64; 4]| FourMomentum { px: p[0], py: p[1], pz: p[2], energy: p[3] };
        events.push(doubles.as_chunks().0.iter().map(momentum).collect());
        rest = after;
    }
    anyhow::ensure!(rest.is_empty(), "{} bytes are left behind the last event", rest.len());
    Ok(events)
}

fn write(path: &str, histories: &Histories<trawl::device::Host>) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    for column in [&histories.first, &histories.second] {
        bytes.extend(column.iter().flat_map(|object| object.to_le_bytes()));
    }
    for column in [&histories.distance, &histories.px, &histories.py, &histories.pz, &histories.energy] {
        bytes.extend(column.iter().flat_map(|value| value.to_le_bytes()));
    }
    std::fs::write(path, bytes)
}

fn main() -> anyhow::Result<()> {
    let Arguments { file, algorithm, radius, runs, threads, steps } = arguments()?;
    let events = events(&std::fs::read(&file)?)?;
    let particles = Particles::of_groups(&events.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let cluster = Cluster::new(algorithm, radius)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let (mut seconds, mut jets) = (Vec::new(), 0);
    // One run more than is counted.
    for run in 0..=runs {
        let start = Instant::now();
        let histories = pool.install(|| cluster.run(&Device::Cpu, &particles))?.histories;
        jets = (0..histories.events()).map(|event| histories.event(event).inclusive_jets(20.0).len()).sum();
        if run > 0 {
            seconds.push(start.elapsed().as_secs_f64());
        } else if let Some(path) = &steps {
            write(path, &histories)?;
        }
    }
    let answer = serde_json::json!({
        "events": events.len(),
        "particles": particles.px.len(),
        "jets_above_20_gev": jets,
        "threads": threads,
        "seconds": seconds,
    });
    println!("{answer}");
    Ok(())
}
