//! A batch of toys: each row is drawn, summed up and judged for all of its lanes before the next.

use super::lanes::{self, Count, LANES, Lane, Vectors};
use super::{draw, highest_level, member, thresholds_passed};
use crate::device::Host;
use crate::math::philox::Philox;
use crate::toys::throw::{Input, math};

/// Up to so many thresholds, comparing with each (0.05 ns a lane) is faster than a guide (1 ns).
const FEW: usize = 18;

/// How the draws and rows of an input are worked on: the same for all batches.
pub(super) struct Plan<'a> {
    input: &'a Input<Host>,
    vectors: Vectors,
    draws: Vec<Draw<'a>>,
    rows: Vec<Row>,
    windows: Vec<Judge>,
}

/// How a window is judged.
struct Judge {
    /// Windows with fewer are not looked at.
    least: u32,
    critical: u32,
    /// The level of each count from `least` on; the last is the highest. Empty where that would be long.
    level: Vec<u8>,
}

struct Draw<'a> {
    number: u32,
    first: u32,
    target: u32,
    by: By<'a>,
}

/// How the thresholds that a word passes are counted.
enum By<'a> {
    Comparing(Vec<u16>),
    Guide(&'a [u32]),
}

struct Row {
    number: usize,
    draws: std::ops::Range<usize>,
    first_cell: usize,
    cells: usize,
    has_group: bool,
    windows: std::ops::Range<usize>,
    width: Width,
}

/// The type of counts that holds the largest count of every window of a row.
#[derive(Clone, Copy)]
enum Width {
    Bits16,
    Bits32,
}

impl<'a> Plan<'a> {
    pub fn new(input: &'a Input<Host>) -> Self {
        let all = &input.draws;
        let (mut draws, mut rows) = (Vec::new(), Vec::new());
        for (number, words) in all.row.chunks_exact(math::WORDS_A_ROW).enumerate() {
            let first = draws.len();
            draws.extend((words[0]..words[0] + words[1]).map(|draw| Draw::new(input, draw)));
            let (first_cell, cells) = (words[2] as usize, words[3] as usize);
            rows.push(Row {
                number,
                draws: first..draws.len(),
                first_cell,
                cells,
                has_group: words[9] > 0,
                windows: words[10] as usize..words[11] as usize,
                width: width(input, number),
            });
        }
        let windows = (0..input.windows()).map(|window| Judge::new(input, window)).collect();
        Self { input, vectors: Vectors::widest(), draws, rows, windows }
    }
}

impl Judge {
    fn new(input: &Input<Host>, window: usize) -> Self {
        // As long as 8 sigma of a window that expects 250,000.
        const LONGEST: u32 = 1 << 12;
        let (windows, levels, critical) = (input.windows(), input.levels(), input.critical[window]);
        let minimum = |level: u32| input.minimum.get((level as usize - 1) * windows + window).copied();
        let least = minimum(input.floor).unwrap_or(0).min(critical);
        let above = minimum(levels.max(1)).unwrap_or(0).saturating_sub(least);
        let mut level = Vec::new();
        if above < LONGEST && levels <= u32::from(u8::MAX) {
            // Counts rise with the level: each is written up to the count of the next.
            for here in 0..levels {
                let next = minimum(here + 1).unwrap_or(0).saturating_sub(least).min(above + 1);
                level.resize(level.len().max(next as usize), here as u8);
            }
            level.resize(above as usize + 1, levels as u8);
        }
        Self { least, critical, level }
    }
}

impl<'a> Draw<'a> {
    fn new(input: &'a Input<Host>, number: u32) -> Self {
        let words = super::draw_words(&input.draws, number);
        let [guide, shift, first, target, start, length, ..] = words;
        let thresholds = &input.draws.threshold[start as usize..(start + length) as usize];
        let mut upper: Vec<u16> = thresholds.iter().map(|threshold| (threshold >> 48) as u16).collect();
        // No word is above the highest; one of it stays, to be equal to.
        let below = upper.partition_point(|upper| *upper < u16::MAX);
        upper.truncate(below + 1);
        let entries = 1_usize << (16 - shift);
        let by = if upper.len() <= FEW {
            By::Comparing(upper)
        } else {
            By::Guide(&input.draws.guide[guide as usize..guide as usize + entries])
        };
        Self { number, first, target, by }
    }

    /// Draws for all lanes.
    fn run<C: Count>(&self, vectors: Vectors, words: &Lane<u16>, counts: &mut Lane<C>, open: &mut Lane<u8>) {
        let first = C::of(self.first);
        match &self.by {
            By::Comparing(few) => vectors.pass_few(words, few, first, counts, open),
            By::Guide(guide) => match guide.len().ilog2() {
                7 => vectors.pass_guided::<C, 7>(words, guide, first, counts, open),
                8 => vectors.pass_guided::<C, 8>(words, guide, first, counts, open),
                9 => vectors.pass_guided::<C, 9>(words, guide, first, counts, open),
                10 => vectors.pass_guided::<C, 10>(words, guide, first, counts, open),
                11 => vectors.pass_guided::<C, 11>(words, guide, first, counts, open),
                12 => vectors.pass_guided::<C, 12>(words, guide, first, counts, open),
                // Tables have no other guides; all 64 bits of every word are compared then.
                _ => open.fill(1),
            },
        }
    }
}

fn width(input: &Input<Host>, row: usize) -> Width {
    let draws = &input.draws;
    let words = &draws.row[row * math::WORDS_A_ROW..][..math::WORDS_A_ROW];
    let first_cell = words[2] as usize;
    let mut largest = vec![0_u64; words[3] as usize];
    for draw in (words[0]..words[0] + words[1]).map(|draw| super::draw_words(draws, draw)) {
        let most = u64::from(draw[2]) + u64::from(draw[5]);
        if draw[3] & math::GROUP == 0 {
            largest[draw[3] as usize - first_cell] += most;
        } else {
            let members = &draws.member[words[8] as usize..][..words[9] as usize];
            members.iter().for_each(|cell| largest[*cell as usize - first_cell] += most);
        }
    }
    let mut sums = vec![0_u64; largest.len() + 1];
    largest.iter().enumerate().for_each(|(cell, most)| sums[cell + 1] = sums[cell] + most);
    let of_range = |range: usize| {
        let sum = |cell: u32| sums[cell as usize - first_cell];
        sum(input.end[range]) - sum(input.start[range])
    };
    let of_window =
        |window: usize| (input.range[window]..input.range[window + 1]).map(|at| of_range(at as usize)).sum();
    let most: u64 = (words[10] as usize..words[11] as usize).map(of_window).max().unwrap_or(0);
    if most <= u64::from(u16::MAX) { Width::Bits16 } else { Width::Bits32 }
}

/// The buffers of one thread.
pub(super) struct Batch<'a> {
    plan: &'a Plan<'a>,
    words: Box<[Lane<u16>; 8]>,
    open: Lane<u8>,
    /// For each cell of a row and the place before it: its counts, then the running sums.
    narrow: Vec<Lane<u16>>,
    wide: Vec<Lane<u32>>,
    level: Lane<u32>,
    exceeds: Lane<u8>,
    /// The cells of one toy.
    counts: Vec<u32>,
}

impl<'a> Batch<'a> {
    pub fn new(plan: &'a Plan<'a>) -> Self {
        let most = |width: fn(&Width) -> bool| {
            plan.rows.iter().filter(|row| width(&row.width)).map(|row| row.cells + 1).max().unwrap_or(0)
        };
        Self {
            plan,
            words: Box::new([[0; LANES]; 8]),
            open: [0; LANES],
            narrow: vec![[0; LANES]; most(|width| matches!(width, Width::Bits16))],
            wide: vec![[0; LANES]; most(|width| matches!(width, Width::Bits32))],
            level: [0; LANES],
            exceeds: [0; LANES],
            counts: vec![0; plan.input.draws.cells as usize],
        }
    }

    /// Throws `toys` toys from number `first` on and adds them to the tally.
    pub fn run(&mut self, random: &Philox, first: u64, toys: usize, tally: &mut [u64]) {
        self.level.fill(0);
        self.exceeds.fill(0);
        let plan = self.plan;
        let (mut narrow, mut wide) = (std::mem::take(&mut self.narrow), std::mem::take(&mut self.wide));
        for row in &plan.rows {
            match row.width {
                Width::Bits16 => self.run_row(random, first, row, &mut narrow),
                Width::Bits32 => self.run_row(random, first, row, &mut wide),
            }
        }
        (self.narrow, self.wide) = (narrow, wide);
        let floor = plan.input.floor;
        for lane in 0..toys {
            let mut level = self.level[lane];
            // Windows below the floor were not looked at; of level 1 none is below.
            if level < floor && floor > 1 {
                draw(random, first + lane as u64, &plan.input.draws, &mut self.counts);
                level = highest_level(plan.input, &self.counts);
            }
            tally[0] += u64::from(self.exceeds[lane]);
            tally[1 + level as usize] += 1;
        }
    }

    fn run_row<C: Count>(&mut self, random: &Philox, first: u64, row: &Row, sums: &mut [Lane<C>]) {
        let (plan, vectors) = (self.plan, self.plan.vectors);
        let sums = &mut sums[..row.cells + 1];
        // What is not drawn is 0, and so is what groups begin with.
        if row.has_group || row.draws.len() < row.cells {
            sums.iter_mut().for_each(|lane| lane.fill(C::default()));
        }
        for (at, step) in plan.draws[row.draws.clone()].iter().enumerate() {
            if at % 8 == 0 {
                vectors.words(random, first, u64::from(step.number / 8), &mut self.words);
            }
            let words = &self.words[at % 8];
            if step.target & math::GROUP != 0 {
                let mut totals = [0_u32; LANES];
                step.run(vectors, words, &mut totals, &mut self.open);
                self.refine(random, first, step, &mut totals, at % 8);
                self.scatter(random, first, row, &totals, sums);
            } else {
                let counts = &mut sums[step.target as usize - row.first_cell + 1];
                step.run(vectors, words, counts, &mut self.open);
                self.refine(random, first, step, counts, at % 8);
            }
        }
        sums[0].fill(C::default());
        vectors.run(|| {
            for cell in 0..row.cells {
                let (before, from) = sums.split_at_mut(cell + 1);
                lanes::add(&mut from[0], &before[cell]);
            }
        });
        self.judge(row, sums);
    }

    /// Draws anew where a word does not decide.
    fn refine<C: Count>(&mut self, random: &Philox, first: u64, step: &Draw<'_>, counts: &mut Lane<C>, word: usize) {
        let (draws, words) = (&self.plan.input.draws, &self.words[word]);
        let place = super::draw_words(draws, step.number);
        lanes::for_each_set(&self.open, |lane| {
            let passed =
                thresholds_passed(draws, place[0], place[1], place[4], place[5], u32::from(words[lane]), || {
                    random.words(first.wrapping_add(lane as u64), math::REFINEMENT + u64::from(step.number))
                });
            counts[lane] = C::of(step.first.wrapping_add(passed));
        });
    }

    /// Lets the particles of a group pick their cells.
    fn scatter<C: Count>(&mut self, random: &Philox, first: u64, row: &Row, totals: &Lane<u32>, sums: &mut [Lane<C>]) {
        let (draws, vectors) = (&self.plan.input.draws, self.plan.vectors);
        let words = &draws.row[row.number * math::WORDS_A_ROW..];
        let guide = &draws.guide[words[4] as usize..];
        let (shift, members) = (words[5], &draws.member[words[8] as usize..]);
        let most = totals.iter().copied().max().unwrap_or(0);
        // The words of the draws are used up: a group is the last draw of its row.
        for set in 0..most.div_ceil(8) {
            let number = math::PARTICLES + ((row.number as u64) << 24) + u64::from(set);
            vectors.words(random, first, number, &mut self.words);
            for lane in 0..LANES {
                for at in 0..totals[lane].saturating_sub(8 * set).min(8) {
                    let word = u32::from(self.words[at as usize][lane]);
                    let entry = guide[(word >> shift) as usize];
                    let cell = if math::is_open(word, entry) {
                        member(random, first.wrapping_add(lane as u64), draws, row.number, 8 * set + at)
                    } else {
                        members[math::passed(word, entry) as usize]
                    };
                    let count = &mut sums[cell as usize - row.first_cell + 1][lane];
                    *count = count.plus(1);
                }
            }
        }
    }

    /// Looks at the windows of a row in which a toy reaches the floor or the observation.
    fn judge<C: Count>(&mut self, row: &Row, sums: &[Lane<C>]) {
        let (plan, input) = (self.plan, self.plan.input);
        let (windows, levels) = (input.windows(), input.levels());
        let mut reached = [0; LANES];
        for window in row.windows.clone() {
            let judge = &plan.windows[window];
            if C::of(judge.least).value() != judge.least {
                // More than a window of this row can hold.
                continue;
            }
            let ranges = input.range[window] as usize..input.range[window + 1] as usize;
            let of_range = |range: usize| {
                let place = |cell: u32| &sums[cell as usize - row.first_cell];
                (place(input.start[range]), place(input.end[range]))
            };
            let (exceeds, best) = (&mut self.exceeds, &mut self.level);
            let mut look_up = |lane: usize, count: u32| {
                exceeds[lane] |= u8::from(count >= judge.critical);
                let level = match judge.level.last() {
                    Some(last) => u32::from(*judge.level.get((count - judge.least) as usize).unwrap_or(last)),
                    None => math::raise_level(best[lane], count, window, windows, levels, &input.minimum),
                };
                best[lane] = best[lane].max(level);
            };
            if ranges.len() == 1 {
                let (start, end) = of_range(ranges.start);
                if plan.vectors.run(|| lanes::reach(start, end, C::of(judge.least), &mut reached)) {
                    lanes::for_each_set(&reached, |lane| look_up(lane, end[lane].less(start[lane]).value()));
                }
            } else {
                for lane in 0..LANES {
                    let part = |range: usize| of_range(range).1[lane].less(of_range(range).0[lane]);
                    let count = ranges.clone().fold(C::default(), |sum, range| sum.added(part(range))).value();
                    if count >= judge.least {
                        look_up(lane, count);
                    }
                }
            }
        }
    }
}
