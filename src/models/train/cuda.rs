//! Populations on a device: its tables, and the launches of each step.

use super::cpu::{EVENTS_A_CHUNK, QUARTERS, advanced};
use super::layout::{Layout, NONE};
use super::optimiser::Schedule;
use super::sampling::{LANES, scales_of};
use super::{Input, Loss, NAME, Output, Precision, Train};
use crate::device::launch::length_u32;
use crate::device::{Cuda, DeviceColumn, Grid, Kernel, OnDevice};
use crate::error::{Problems, Result};
use crate::math::philox::{Philox, Stage};
use crate::models::population::{Epoch, Member, Population, Replica, Stop};
use crate::models::table::Table;

const FILE: &str = "models/train";
const PREPARE: Kernel = Kernel { file: FILE, symbol: "models_train_prepare", threads: 256 };
const BATCH: Kernel = Kernel { file: FILE, symbol: "models_train_batch", threads: 256 };
const PASS: Kernel = Kernel { file: FILE, symbol: "models_train", threads: 128 };
const FOLLOW: Kernel = Kernel { file: FILE, symbol: "models_train_follow", threads: 256 };
const VALIDATE: Kernel = Kernel { file: FILE, symbol: "models_train_validate", threads: 128 };
const KEEP: Kernel = Kernel { file: FILE, symbol: "models_train_keep", threads: 256 };

const BFLOAT16: &str = "models/train_bfloat16";
const PASS_BFLOAT16: Kernel = Kernel { file: BFLOAT16, symbol: "models_train_bfloat16", threads: 128 };
const VALIDATE_BFLOAT16: Kernel = Kernel { file: BFLOAT16, symbol: "models_train_validate_bfloat16", threads: 128 };

/// The gradients of a batch and the losses of validation.
fn passes(precision: Precision) -> [&'static Kernel; 2] {
    match precision {
        Precision::Single => [&PASS, &VALIDATE],
        Precision::Bfloat16 => [&PASS_BFLOAT16, &VALIDATE_BFLOAT16],
    }
}

/// Tensor cores are a warp's.
const WARP: u32 = 32;

/// `Member` of kernels/models/train.cuh.
fn words_of(member: &Member) -> [u32; 14] {
    let [shuffle, dropout, validation, bootstrap] =
        [Stage::Shuffle, Stage::Dropout, Stage::Validation, Stage::Bootstrap]
            .map(|stage| Philox::new(member.seed, stage).key());
    [
        shuffle[0],
        shuffle[1],
        dropout[0],
        dropout[1],
        validation[0],
        validation[1],
        bootstrap[0],
        bootstrap[1],
        member.labels,
        member.weights.unwrap_or(NONE),
        member.held_out.unwrap_or(NONE),
        member.group.unwrap_or(NONE),
        u32::from(member.replica == Replica::Bootstrap),
        member.target.to_bits(),
    ]
}

/// What does not change in a training.
struct Constants {
    layout: Layout,
    layers: DeviceColumn<u32>,
    members: DeviceColumn<u32>,
    inputs: DeviceColumn<u32>,
    scales: DeviceColumn<f64>,
    totals: DeviceColumn<u32>,
    numbers: Vec<u32>,
    share: u64,
    events: u32,
    chunks: u32,
    parameters: u32,
    has_labels: u32,
    present_words: u32,
    loss: u32,
}

/// What every launch of a training needs.
struct Work<'a> {
    train: &'a Train,
    cuda: &'a Cuda,
    constants: &'a Constants,
    table: &'a Table<OnDevice>,
}

pub(super) fn train(train: &Train, cuda: &Cuda, input: Input<OnDevice>) -> Result<Output<OnDevice>> {
    let constants = Constants::new(train, cuda, &input)?;
    let Input { table, mut population } = input;
    population.progress.iter_mut().for_each(|progress| progress.go_on(train.epochs));
    let mut space = Space::new(train, cuda, &constants, &population)?;
    let work = Work { train, cuda, constants: &constants, table: &table };
    let first: Vec<u32> = population.progress.iter().map(|progress| progress.epochs.len() as u32).collect();
    let end = |number: usize| {
        let pause = train.pause_after.map_or(u32::MAX, |epochs| first[number].saturating_add(epochs));
        train.epochs.min(pause)
    };
    loop {
        let is_active = |number: &usize| {
            let progress = &population.progress[*number];
            progress.stop == Stop::Running && (progress.epochs.len() as u32) < end(*number)
        };
        let active: Vec<usize> = (0..train.members.len()).filter(is_active).collect();
        if active.is_empty() {
            break;
        }
        space.epoch(&work, &mut population, &active)?;
    }
    for progress in &mut population.progress {
        if progress.stop == Stop::Running && progress.epochs.len() as u32 >= train.epochs {
            progress.stop = Stop::Finished;
        }
    }
    Ok(Output { population })
}

impl Constants {
    fn new(train: &Train, cuda: &Cuda, input: &Input<OnDevice>) -> Result<Self> {
        let table = &input.table;
        let layout = Layout::new(&train.network, train.precision)?;
        let events = length_u32(NAME, table.events())?;
        let members: Vec<u32> = train.members.iter().flat_map(words_of).collect();
        let inputs: Vec<u32> = train
            .members
            .iter()
            .flat_map(
                |member| if member.features.is_empty() { (0..table.width).collect() } else { member.features.clone() },
            )
            .collect();
        let mut constants = Self {
            layers: cuda.upload(&layout.layers)?,
            layout,
            members: cuda.upload(&members)?,
            inputs: cuda.upload(&inputs)?,
            scales: cuda.unset(0)?,
            totals: cuda.unset(0)?,
            numbers: Vec::new(),
            share: train.validation_of_2_32(),
            events,
            chunks: events.div_ceil(EVENTS_A_CHUNK),
            parameters: length_u32(NAME, train.network.parameters())?,
            has_labels: u32::from(train.loss.has_labels()),
            present_words: table.present_words() as u32,
            loss: match train.loss {
                Loss::BinaryCrossEntropy => 0,
                Loss::LikelihoodRatio => 1,
                Loss::Reconstruction => 2,
                Loss::FixedTarget => 3,
            },
        };
        constants.prepare(train, cuda, input)?;
        Ok(constants)
    }

    /// Finds how many training events each member has, and what their weights are multiplied by.
    fn prepare(&mut self, train: &Train, cuda: &Cuda, input: &Input<OnDevice>) -> Result<()> {
        let (table, number) = (&input.table, train.members.len());
        let mut lanes = cuda.unset::<f64>(2 * LANES * number)?;
        let mut counts = cuda.unset::<u32>(3 * LANES * number)?;
        let members = length_u32(NAME, number)?;
        cuda.function(&PREPARE)?.launch(Grid::blocks(number as u64), |arguments| {
            arguments.input(&self.members).value(&members);
            arguments.input(&table.labels).input(&table.weights).input(&table.folds).input(&table.groups);
            arguments.value(&self.events).value(&self.has_labels).value(&self.share);
            arguments.output(&mut lanes)?.output(&mut counts)?;
            Ok(())
        })?;
        let (lanes, counts) = (cuda.download(&lanes)?, cuda.download(&counts)?);
        let mut problems = Problems::default();
        let mut scales = Vec::new();
        for (member, (lanes, counts)) in lanes.chunks_exact(2 * LANES).zip(counts.chunks_exact(3 * LANES)).enumerate() {
            let of = |kind: usize| counts.iter().skip(kind).step_by(3).sum::<u32>();
            let lanes: [[f64; 2]; LANES] = std::array::from_fn(|lane| [lanes[2 * lane], lanes[2 * lane + 1]]);
            self.numbers.push(of(0) + of(1));
            let found = problems.take(scales_of(train, member, &lanes, [of(0), of(1)], of(2)));
            scales.extend(found.unwrap_or([1.0; 2]));
        }
        problems.finish()?;
        self.scales = cuda.upload(&scales)?;
        self.totals = cuda.upload(&self.numbers)?;
        Ok(())
    }
}

/// What changes with every step.
struct Space {
    epochs: DeviceColumn<u32>,
    next: DeviceColumn<u32>,
    rows: DeviceColumn<u32>,
    chosen: DeviceColumn<u32>,
    samples: DeviceColumn<u32>,
    gradients: DeviceColumn<f32>,
    losses: DeviceColumn<f64>,
    steps: DeviceColumn<u64>,
    sums: DeviceColumn<f64>,
    norms: DeviceColumn<f64>,
    rates: DeviceColumn<f32>,
    stops: DeviceColumn<u32>,
    overflows: DeviceColumn<u32>,
}

impl Space {
    fn new(train: &Train, cuda: &Cuda, constants: &Constants, population: &Population<OnDevice>) -> Result<Self> {
        let number = train.members.len();
        let steps: Vec<u64> = population.progress.iter().map(|progress| progress.steps).collect();
        Ok(Self {
            epochs: cuda.zeros(number)?,
            next: cuda.zeros(number)?,
            rows: cuda.zeros(number)?,
            chosen: cuda.unset(number * train.batch as usize)?,
            samples: cuda.zeros(number)?,
            gradients: cuda.unset(number * QUARTERS * constants.parameters as usize)?,
            losses: cuda.zeros(number * QUARTERS)?,
            steps: cuda.upload(&steps)?,
            sums: cuda.zeros(number)?,
            norms: cuda.zeros(number)?,
            rates: cuda.zeros(number)?,
            stops: cuda.zeros(number)?,
            overflows: cuda.zeros(number)?,
        })
    }

    /// An epoch of all active members.
    fn epoch(&mut self, work: &Work, population: &mut Population<OnDevice>, active: &[usize]) -> Result<()> {
        let Work { train, cuda, constants, .. } = *work;
        let number = train.members.len();
        let epochs: Vec<u32> = population.progress.iter().map(|progress| progress.epochs.len() as u32).collect();
        self.epochs = cuda.upload(&epochs)?;
        (self.next, self.samples, self.stops) = (cuda.zeros(number)?, cuda.zeros(number)?, cuda.zeros(number)?);
        (self.sums, self.overflows) = (cuda.zeros(number)?, cuda.zeros(number)?);
        let list: Vec<u32> = active.iter().map(|member| *member as u32).collect();
        let (members, list) = (length_u32(NAME, list.len())?, cuda.upload(&list)?);
        let most = active.iter().map(|member| constants.numbers[*member]).max().unwrap_or(0);
        for _ in 0..most.div_ceil(train.batch) {
            self.step(work, population, (&list, members))?;
        }
        let validation = self.validation(work, population, (&list, members))?;
        let (sums, norms, rates) =
            (cuda.download(&self.sums)?, cuda.download(&self.norms)?, cuda.download(&self.rates)?);
        let (stops, steps) = (cuda.download(&self.stops)?, cuda.download(&self.steps)?);
        let overflows = cuda.download(&self.overflows)?;
        let (mut better, mut worse) = (Vec::new(), Vec::new());
        for (index, member) in active.iter().copied().enumerate() {
            let epoch = epochs[member];
            let progress = &mut population.progress[member];
            progress.steps = steps[member];
            let total = constants.numbers[member];
            let made = Epoch {
                training: sums[member] / f64::from(total),
                validation: validation.as_ref().map(|losses| losses[index]),
                rate: rates[member],
                gradient_norm: norms[member],
            };
            let is_finite = overflows[member] == 0;
            let last = total.div_ceil(train.batch) - 1;
            let batch = match stops[member] {
                0 if !is_finite || made.validation.is_some_and(|loss| !loss.is_finite()) => Some(last),
                0 => None,
                batch => Some(batch - 1),
            };
            if let Some(batch) = batch {
                progress.stop = Stop::NotFinite { epoch, batch };
                worse.push(member as u32);
            } else if advanced(train, progress, made) {
                better.push(member as u32);
            }
        }
        keep(cuda, &better, constants.parameters, &population.parameters, &mut population.best)?;
        keep(cuda, &worse, constants.parameters, &population.best, &mut population.parameters)
    }

    fn step(
        &mut self,
        work: &Work,
        population: &mut Population<OnDevice>,
        (active, number): (&DeviceColumn<u32>, u32),
    ) -> Result<()> {
        let Work { train, cuda, constants, table } = *work;
        let Constants { layout, .. } = constants;
        cuda.function(&BATCH)?.launch(Grid::blocks(u64::from(number)), |arguments| {
            arguments.input(active).value(&number).input(&constants.members).input(&table.weights);
            arguments.input(&table.folds).input(&table.groups).value(&constants.events).value(&constants.share);
            arguments.value(&train.batch).input(&self.epochs);
            arguments.output(&mut self.next)?.output(&mut self.rows)?.output(&mut self.chosen)?;
            Ok(())
        })?;
        let layers = train.network.layers().len() as u32;
        let [pass, _] = passes(train.precision);
        let grid = Grid::blocks(u64::from(number) * QUARTERS as u64).shared(layout.bytes);
        cuda.function(pass)?.launch(grid.at_least(WARP).at_most(pass.threads), |arguments| {
            arguments.input(&constants.layers).value(&layers).value(&constants.parameters).value(&layout.slopes);
            arguments.value(&layout.kept).value(&layout.slope_pitch).value(&layout.tile);
            arguments.input(active).value(&number).input(&constants.members).input(&constants.inputs);
            arguments.input(&population.parameters).input(&table.features).input(&table.present);
            arguments.input(&table.labels).input(&table.weights).value(&constants.events).value(&table.width);
            arguments.value(&constants.present_words).value(&constants.has_labels);
            arguments.value(&constants.loss).input(&constants.scales);
            arguments.value(&train.batch).input(&self.epochs).input(&self.samples).input(&self.rows);
            arguments.input(&self.chosen).output(&mut self.gradients)?.output(&mut self.losses)?;
            Ok(())
        })?;
        let adam = &train.optimiser;
        let (schedule, decay) = match adam.schedule {
            Schedule::Constant => (0_u32, 0.0),
            Schedule::InverseTime { decay } => (1, decay),
            Schedule::Cosine => (2, 0.0),
        };
        let (rate, weight_decay) = (f64::from(adam.rate), f64::from(adam.weight_decay));
        let (largest, has_largest) =
            (f64::from(adam.largest_norm.unwrap_or(0.0)), u32::from(adam.largest_norm.is_some()));
        cuda.function(&FOLLOW)?.launch(Grid::blocks(u64::from(number)), |arguments| {
            arguments.input(active).value(&number).value(&constants.parameters).value(&rate).value(&adam.beta1);
            arguments.value(&adam.beta2).value(&weight_decay).value(&decay).value(&largest).value(&adam.epsilon);
            arguments.value(&schedule).value(&has_largest).input(&constants.totals).input(&self.rows);
            arguments.value(&train.batch).value(&train.epochs).input(&self.gradients).input(&self.losses);
            arguments.output(&mut population.parameters)?.output(&mut population.mean)?;
            arguments.output(&mut population.square)?.output(&mut self.steps)?.output(&mut self.samples)?;
            arguments.output(&mut self.sums)?.output(&mut self.norms)?.output(&mut self.rates)?;
            arguments.output(&mut self.stops)?.output(&mut self.overflows)?;
            Ok(())
        })
    }

    /// The losses of validation of the active members, if there is any.
    fn validation(
        &self,
        work: &Work,
        population: &Population<OnDevice>,
        (active, number): (&DeviceColumn<u32>, u32),
    ) -> Result<Option<Vec<f64>>> {
        let Work { train, cuda, constants, table } = *work;
        if constants.share == 0 {
            return Ok(None);
        }
        let Constants { layout, chunks, .. } = constants;
        let members = number as usize;
        let mut losses = cuda.unset::<f64>(members * *chunks as usize)?;
        let mut sums = cuda.unset::<f64>(members * *chunks as usize)?;
        let layers = train.network.layers().len() as u32;
        let [_, validate] = passes(train.precision);
        let grid = Grid::blocks(u64::from(number) * u64::from(*chunks)).shared(layout.bytes);
        cuda.function(validate)?.launch(grid.at_least(WARP).at_most(validate.threads), |arguments| {
            arguments.input(&constants.layers).value(&layers).value(&constants.parameters).value(&layout.slopes);
            arguments.value(&layout.kept).value(&layout.tile).input(active).value(&number);
            arguments.input(&constants.members).input(&constants.inputs).input(&population.parameters);
            arguments.input(&table.features).input(&table.present).input(&table.labels).input(&table.weights);
            arguments.input(&table.folds).input(&table.groups).value(&constants.events).value(&table.width);
            arguments.value(&constants.present_words).value(&constants.has_labels);
            arguments.value(&constants.loss).input(&constants.scales);
            arguments.value(&constants.share).value(chunks);
            arguments.output(&mut losses)?.output(&mut sums)?;
            Ok(())
        })?;
        let (losses, sums) = (cuda.download(&losses)?, cuda.download(&sums)?);
        let chunks = *chunks as usize;
        let of = |member: usize| {
            let chunks = (0..chunks).map(|chunk| [losses[member * chunks + chunk], sums[member * chunks + chunk]]);
            let [loss, weight] = chunks.fold([0.0; 2], |[a, b], [c, d]| [a + c, b + d]);
            loss / weight
        };
        Ok(Some((0..members).map(of).collect()))
    }
}

/// Copies the parameters of some members: to the best, or back.
fn keep(cuda: &Cuda, members: &[u32], places: u32, from: &DeviceColumn<f32>, to: &mut DeviceColumn<f32>) -> Result<()> {
    if members.is_empty() {
        return Ok(());
    }
    let (number, list) = (length_u32(NAME, members.len())?, cuda.upload(members)?);
    let grid = Grid::threads_for(members.len() * places as usize, &KEEP);
    cuda.function(&KEEP)?.launch(grid, |arguments| {
        arguments.input(&list).value(&number).value(&places).input(from).output(to)?;
        Ok(())
    })
}
