//! Times `toys.smeared` and `toys.smeared_tail` on the benchmark plane: one line of JSON for each.
//!
//!     RAYON_NUM_THREADS=1 cargo run --release --example toys_smeared -- [TOYS [RUNS]]
//!
//! The plane has 27 x 114 cells that expect 100,000 events and 27 x 57 windows of 3 to 5 cells, as the peers' script has it. A
//! cell is known to 5 % for itself, all to 10 % together, and rows by two templates more.

use std::time::Instant;

use trawl::device::{Device, Host, Operation};
use trawl::hunt::{Scan, Windows};
use trawl::spectrum::Expectation;
use trawl::toys::smeared::Input;
use trawl::toys::{BackgroundUncertainty, Exceedance, Experiment, Smeared, SmearedTail, Smearing, Statistic, Template};

const ROWS: usize = 27;
const COLUMNS: usize = 114;
const WINDOWS: usize = 57;

fn main() -> trawl::error::Result<()> {
    let mut arguments = std::env::args().skip(1).map(|word| word.parse().unwrap_or(0));
    let (toys, runs) = (arguments.next().unwrap_or(2000), arguments.next().unwrap_or(3));
    let input = input()?;
    let smearing = Smearing::LogNormal;
    let smeared = Smeared { seed: 1, first_toy: 0, toys, smearing };
    smeared.check(&input)?;
    // Correct before any clock starts: every toy is tallied once.
    assert_eq!(smeared.cpu(input.clone())?.tally[1..].iter().sum::<u64>(), toys, "toys are missing from the tally");
    report("toys/smeared", toys, runs, || smeared.cpu(input.clone()).map(|_| ()))?;
    let tail = SmearedTail { seed: 1, first_toy: 0, toys, smearing };
    println!("{:?}", tail.estimate(&input)?);
    report("toys/smeared_tail", toys, runs, || tail.tally(&input).map(|_| ()))
}

fn report(name: &str, toys: u64, runs: u64, run: impl Fn() -> trawl::error::Result<()>) -> trawl::error::Result<()> {
    let mut seconds = Vec::new();
    for _ in 0..runs {
        let start = Instant::now();
        run()?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    let (least, median) =
        (seconds.first().copied().unwrap_or(0.0), seconds.get(seconds.len() / 2).copied().unwrap_or(0.0));
    let threads = rayon::current_num_threads();
    println!(
        "{{\"name\": \"{name}\", \"toys\": {toys}, \"threads\": {threads}, \"seconds_min\": {least}, \"seconds_median\": \
         {median}, \"toys_per_second\": {}}}",
        toys as f64 / median
    );
    Ok(())
}

fn input() -> trawl::error::Result<Input<Host>> {
    let mut means: Vec<f64> = (0..ROWS * COLUMNS)
        .map(|cell| {
            let (row, column) = ((cell / COLUMNS) as f64, (cell % COLUMNS) as f64);
            (-10.0 * column / COLUMNS as f64 - 4.0 * row / ROWS as f64).exp()
        })
        .collect();
    let sum: f64 = means.iter().sum();
    means.iter_mut().for_each(|mean| *mean *= 1e5 / sum);
    let ranges: Vec<_> = (0..WINDOWS).map(|k| 2 * k..(2 * k + 3 + k / 19).min(COLUMNS)).collect();
    let edges = |bins: usize| (0..=bins).map(|edge| edge as f64).collect();
    let windows = Windows::plane(edges(ROWS), edges(COLUMNS), &ranges)?;
    let rise = |name: &str, most: f64| Template {
        name: name.into(),
        relative: (0..means.len()).map(|cell| most * (cell / COLUMNS) as f64 / ROWS as f64).collect(),
    };
    let common = Template { name: "source".into(), relative: vec![0.1; means.len()] };
    let templates = vec![common, rise("bootstrap", 0.01), rise("non-closure", 0.1)];
    let uncertainty = BackgroundUncertainty::new(Smearing::LogNormal, vec![0.05; means.len()], templates)?;
    let observed: Vec<u64> =
        means.iter().enumerate().map(|(cell, mean)| *mean as u64 + u64::from(cell == 600) * 90).collect();
    let expectation = Expectation::given(means, None)?;
    let experiment = Experiment::new(windows, &expectation, 0.0, Scan::default(), Exceedance::AtLeast)?;
    let experiment = experiment.with_uncertainty(&expectation, uncertainty, Statistic::Marginal)?;
    let findings = experiment.scan(&Device::Cpu, &observed)?;
    println!("{} sigma, {} of {}", findings.z, experiment.statistic(), experiment.smearing());
    experiment
        .smeared_input(&findings)
        .ok_or_else(|| trawl::error::Fault::new("toys.smeared", "nothing smears").usage())
}
