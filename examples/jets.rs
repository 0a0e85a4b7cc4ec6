//! Computes jets, or what is computed of jets, from the particles of a file, and measures how long that takes.
//!
//! ```text
//! cargo run --release --example jets -- PARTICLES [--what cluster] [--runs 5] [--threads 1]
//!     [--algorithm anti-kt] [--radius 1.0] [--steps FILE]     # cluster
//!     [--axes winner-takes-all-kt] [--beta 1.0]               # splitting, nsubjettiness, correlators, substructure
//! ```
//!
//! PARTICLES holds events, or the constituents of jets, one after the other: their number (4 bytes), then px, py, pz and energy
//! of each (8 bytes each), all little-endian. `--what` says whether events are clustered (`cluster`) or what is computed of jets:
//! `splitting`, `nsubjettiness`, `correlators`, all three (`substructure`), or their alignment and then their order (`align-order`).
//!
//! The answer is a line of JSON, with every observable of every jet, 0 where it is not defined or not computed. FILE gets the
//! columns of the steps one after the other, also little-endian: first and second (4 bytes each), distance, px, py, pz and energy
//! (8 bytes each); see `trawl::features::cluster::Histories`. `scripts/bench features` and `scripts/oracles/jets.py` compare all
//! this with FastJet.

use std::time::Instant;

use serde_json::{Value, json};
use trawl::Device;
use trawl::device::Host;
use trawl::features::align::{Align, Verdict};
use trawl::features::cluster::{Algorithm, Cluster, Histories, Particles};
use trawl::features::order::{Order, Ordering, Truncation};
use trawl::features::substructure::{
    Axes, Correlations, Guard, Normalisation, Observable, Observables, Splittings, Subjettiness, Substructure,
};
use trawl::math::lorentz::FourMomentum;

struct Arguments {
    file: String,
    what: String,
    algorithm: Algorithm,
    radius: f64,
    axes: Axes,
    beta: f64,
    runs: usize,
    threads: usize,
    steps: Option<String>,
}

fn arguments() -> anyhow::Result<Arguments> {
    let mut words = std::env::args().skip(1);
    let mut read = Arguments {
        file: words.next().ok_or_else(|| anyhow::anyhow!("name the file of particles"))?,
        what: "cluster".into(),
        algorithm: Algorithm::AntiKt,
        radius: 1.0,
        axes: Axes::WinnerTakesAllKt,
        beta: 1.0,
        runs: 5,
        threads: 1,
        steps: None,
    };
    while let Some(option) = words.next() {
        let value = words.next().ok_or_else(|| anyhow::anyhow!("{option} has no value"))?;
        match option.as_str() {
            "--what" => read.what = value,
            "--algorithm" => {
                read.algorithm = match value.as_str() {
                    "anti-kt" => Algorithm::AntiKt,
                    "cambridge-aachen" => Algorithm::CambridgeAachen,
                    "kt" => Algorithm::Kt,
                    power => Algorithm::Generalised(power.parse()?),
                };
            }
            "--radius" => read.radius = value.parse()?,
            "--axes" => {
                read.axes = match value.as_str() {
                    "winner-takes-all-kt" => Axes::WinnerTakesAllKt,
                    "kt" => Axes::Kt,
                    "half-kt" => Axes::HalfKt,
                    other => anyhow::bail!("there are no axes {other}"),
                };
            }
            "--beta" => read.beta = value.parse()?,
            "--runs" => read.runs = value.parse()?,
            "--threads" => read.threads = value.parse()?,
            "--steps" => read.steps = Some(value),
            other => anyhow::bail!("{other} is no option"),
        }
    }
    Ok(read)
}

/// What is timed.
enum Work {
    Cluster(Cluster),
    Substructure(Substructure),
    AlignAndOrder(Align, Order),
}

/// What came out.
enum Made {
    Jets { histories: Histories<Host>, above_20_gev: usize },
    Observables(Observables<Host>),
    Ordered { jets: usize, constituents: usize },
}

impl Work {
    fn of(arguments: &Arguments) -> anyhow::Result<Self> {
        let Arguments { algorithm, radius, axes, beta, .. } = *arguments;
        let normalisation = Normalisation::Radius(radius);
        let all = Substructure {
            splittings: Splittings::Computed,
            subjettiness: Some(Subjettiness { beta, axes, normalisation }),
            correlations: Some(Correlations { beta }),
            guard: Guard::Value(0.0),
        };
        let none =
            Substructure { splittings: Splittings::Omitted, subjettiness: None, correlations: None, guard: all.guard };
        Ok(match arguments.what.as_str() {
            "cluster" => Self::Cluster(Cluster::new(algorithm, radius)?),
            "splitting" => Self::Substructure(Substructure { splittings: Splittings::Computed, ..none }),
            "nsubjettiness" => Self::Substructure(Substructure { subjettiness: all.subjettiness, ..none }),
            "correlators" => Self::Substructure(Substructure { correlations: all.correlations, ..none }),
            "substructure" => Self::Substructure(all),
            "align-order" => {
                Self::AlignAndOrder(Align::default(), Order::new(Ordering::Kt, 20, Truncation::default())?)
            }
            other => anyhow::bail!("{other} is nothing that can be computed"),
        })
    }

    fn run(&self, particles: &Particles<Host>) -> trawl::Result<Made> {
        Ok(match self {
            Self::Cluster(cluster) => {
                let histories = cluster.run(&Device::Cpu, particles)?.histories;
                let jets = (0..histories.events()).map(|event| histories.event(event).inclusive_jets(20.0).len());
                Made::Jets { above_20_gev: jets.sum(), histories }
            }
            Self::Substructure(substructure) => {
                Made::Observables(substructure.run(&Device::Cpu, particles)?.observables)
            }
            Self::AlignAndOrder(align, order) => {
                let aligned = align.run(&Device::Cpu, particles)?.aligned;
                let orders = order.run(&Device::Cpu, &aligned.coordinates())?;
                let constituents = orders.number.iter().map(|number| *number as usize).sum();
                Made::Ordered { jets: aligned.count(Verdict::Kept), constituents }
            }
        })
    }
}

impl Made {
    fn words(&self) -> Value {
        match self {
            Self::Jets { above_20_gev, .. } => json!({ "jets_above_20_gev": above_20_gev }),
            Self::Observables(found) => {
                Observable::ALL.iter().map(|of| (format!("{of:?}"), json!(found.of(*of)))).collect()
            }
            Self::Ordered { jets, constituents } => json!({ "jets": jets, "constituents": constituents }),
        }
    }
}

/// The groups of particles of a file.
fn groups(bytes: &[u8]) -> anyhow::Result<Vec<Vec<FourMomentum>>> {
    let (mut groups, mut rest) = (Vec::new(), bytes);
    while let Some((number, particles)) = rest.split_first_chunk() {
        let length = 32 * u32::from_le_bytes(*number) as usize;
        anyhow::ensure!(particles.len() >= length, "group {} ends early", groups.len());
        let (group, after) = particles.split_at(length);
        let doubles: Vec<f64> = group.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
        let momentum = |p: &[f64; 4]| FourMomentum { px: p[0], py: p[1], pz: p[2], energy: p[3] };
        groups.push(doubles.as_chunks().0.iter().map(momentum).collect());
        rest = after;
    }
    anyhow::ensure!(rest.is_empty(), "{} bytes are left behind the last group", rest.len());
    Ok(groups)
}

fn write(path: &str, histories: &Histories<Host>) -> std::io::Result<()> {
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
    let arguments = arguments()?;
    let groups = groups(&std::fs::read(&arguments.file)?)?;
    let particles = Particles::of_groups(&groups.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let work = Work::of(&arguments)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build()?;
    // One run more than is counted.
    let made = pool.install(|| work.run(&particles))?;
    let mut seconds = Vec::new();
    for _ in 0..arguments.runs {
        let start = Instant::now();
        pool.install(|| work.run(&particles))?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    if let (Some(path), Made::Jets { histories, .. }) = (&arguments.steps, &made) {
        write(path, histories)?;
    }
    let answer = json!({
        "groups": groups.len(),
        "particles": particles.px.len(),
        "threads": arguments.threads,
        "seconds": seconds,
        "found": made.words(),
    });
    println!("{answer}");
    Ok(())
}
