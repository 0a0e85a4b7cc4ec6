//! Makes the images of the jets of a file, measures how long that takes, and writes them.
//!
//! ```text
//! cargo run --release --example images -- PARTICLES [--axes FILE --radius 1.0] [--pixels 40] [--width 1.4] [--runs 5] [--threads 1]
//!     [--images FILE]
//! ```
//!
//! PARTICLES holds the constituents of jets one after the other: their number (4 bytes), then px, py, pz and energy of each (8 bytes
//! each), all little-endian. With axes it holds the particles of events, and the axes are event, rapidity and azimuth of each jet (8 bytes
//! each). The answer is a line of JSON; images are written as the numbers of `trawl::features::image::Images`, one after the other
//! (4 bytes each). `scripts/oracles/images.py` compares them with NumPy.

use std::time::Instant;

use trawl::Device;
use trawl::features::image::{Axes, Image, Input, Membership, Verdict};
use trawl::features::particles::Particles;
use trawl::math::lorentz::FourMomentum;

struct Arguments {
    particles: String,
    axes: Option<String>,
    radius: f64,
    image: Image,
    runs: usize,
    threads: usize,
    images: Option<String>,
}

fn arguments() -> anyhow::Result<Arguments> {
    let mut words = std::env::args().skip(1);
    let particles = words.next().ok_or_else(|| anyhow::anyhow!("name the file of particles"))?;
    let image = Image::default();
    let mut read = Arguments { particles, axes: None, radius: 1.0, image, runs: 5, threads: 1, images: None };
    while let Some(option) = words.next() {
        let value = words.next().ok_or_else(|| anyhow::anyhow!("{option} has no value"))?;
        match option.as_str() {
            "--axes" => read.axes = Some(value),
            "--radius" => read.radius = value.parse()?,
            "--pixels" => read.image.pixels = value.parse()?,
            "--width" => read.image.width = value.parse()?,
            "--runs" => read.runs = value.parse()?,
            "--threads" => read.threads = value.parse()?,
            "--images" => read.images = Some(value),
            other => anyhow::bail!("{other} is no option"),
        }
    }
    if read.axes.is_some() {
        read.image.membership = Membership::Cone { radius: read.radius };
    }
    Ok(read)
}

fn doubles(bytes: &[u8]) -> Vec<f64> {
    bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()
}

/// The groups of a file.
fn groups(bytes: &[u8]) -> anyhow::Result<Vec<Vec<FourMomentum>>> {
    let (mut groups, mut rest) = (Vec::new(), bytes);
    while let Some((number, particles)) = rest.split_first_chunk() {
        let length = 32 * u32::from_le_bytes(*number) as usize;
        anyhow::ensure!(particles.len() >= length, "group {} ends early", groups.len());
        let (group, after) = particles.split_at(length);
        let momentum = |p: &[f64; 4]| FourMomentum { px: p[0], py: p[1], pz: p[2], energy: p[3] };
        groups.push(doubles(group).as_chunks().0.iter().map(momentum).collect());
        rest = after;
    }
    anyhow::ensure!(rest.is_empty(), "{} bytes are left behind the last group", rest.len());
    Ok(groups)
}

fn main() -> anyhow::Result<()> {
    let Arguments { particles, axes, image, runs, threads, images, .. } = arguments()?;
    let groups = groups(&std::fs::read(&particles)?)?;
    let particles = Particles::of_groups(&groups.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let input = match axes {
        None => Input::of_jets(particles),
        Some(path) => {
            let numbers = doubles(&std::fs::read(path)?);
            let rows = numbers.as_chunks::<3>().0;
            let axes = Axes {
                event: rows.iter().map(|row| row[0] as u32).collect(),
                rapidity: rows.iter().map(|row| row[1]).collect(),
                phi: rows.iter().map(|row| row[2]).collect(),
            };
            Input::around(axes, particles)
        }
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let mut seconds = Vec::new();
    let mut made = pool.install(|| image.run(&Device::Cpu, &input))?.images;
    for _ in 0..runs {
        let start = Instant::now();
        made = pool.install(|| image.run(&Device::Cpu, &input))?.images;
        seconds.push(start.elapsed().as_secs_f64());
    }
    if let Some(path) = images {
        std::fs::write(path, made.values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())?;
    }
    let answer = serde_json::json!({
        "jets": input.jets(),
        "made": made.count(Verdict::Made),
        "constituents": made.number.iter().map(|number| u64::from(*number)).sum::<u64>(),
        "outside": made.outside.iter().map(|outside| u64::from(*outside)).sum::<u64>(),
        "threads": threads,
        "seconds": seconds,
    });
    println!("{answer}");
    Ok(())
}
