//! Random programs over random events: the kernel gives what the reference gives, to the bit.

use super::program::{Check, Code, Fold, Instruction, NONE, ObjectPlan, Presence, Program, Quantity};
use super::*;
use crate::device::{CudaSettings, Device, DeviceChoice, kernels};
use crate::events::CollectionProjection;
use crate::math::philox::{Philox, Stage};

/// The emulated device, with other numbers of threads a block if asked for; `None` in a build without kernels.
fn cuda(block_threads: Option<u32>) -> Option<Cuda> {
    if kernels::images().is_empty() {
        assert!(std::env::var_os("TRAWL_REQUIRE_KERNELS").is_none(), "this build has no kernels");
        println!("skipped: built without kernels");
        return None;
    }
    trawl_emulator::install();
    let settings = CudaSettings { block_threads, ..CudaSettings::default() };
    match Device::choose_with(DeviceChoice::Cuda(0), settings).unwrap() {
        Device::Cuda(cuda) => Some(cuda),
        Device::Cpu => panic!("asked for CUDA and got the CPU"),
    }
}

/// Random choices.
struct Dice {
    random: Philox,
    thrown: u64,
}

impl Dice {
    fn new(seed: u64) -> Self {
        Self { random: Philox::new(seed, Stage::Probe), thrown: 0 }
    }

    fn uniform(&mut self) -> f64 {
        self.thrown += 1;
        self.random.uniforms(0, self.thrown)[0]
    }

    fn below(&mut self, number: u32) -> u32 {
        ((self.uniform() * f64::from(number)) as u32).min(number - 1)
    }

    fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u32) as usize]
    }
}

const COLLECTIONS: u32 = 3;
const QUANTITIES: u32 = 3;
const SCALARS: u32 = 3;

/// Registers 0 to EVENT - 1 hold values of the event, CONDITIONS of them at the end are 0 or 1; those of loops follow.
const EVENT: u32 = 14;
const CONDITIONS: u32 = 4;
const LOOP: u32 = 8;

const UNARY: [Code; 14] = [
    Code::Negate,
    Code::Absolute,
    Code::SquareRoot,
    Code::Exponential,
    Code::Logarithm,
    Code::Sine,
    Code::Cosine,
    Code::HyperbolicSine,
    Code::HyperbolicCosine,
    Code::Floor,
    Code::Round,
    Code::Finite,
    Code::Not,
    Code::Truth,
];

const BINARY: [Code; 19] = [
    Code::Add,
    Code::Subtract,
    Code::Multiply,
    Code::Divide,
    Code::ArcTangent,
    Code::Hypotenuse,
    Code::Minimum,
    Code::Maximum,
    Code::Power,
    Code::DeltaPhi,
    Code::Otherwise,
    Code::And,
    Code::Or,
    Code::Above,
    Code::AtLeast,
    Code::Below,
    Code::AtMost,
    Code::Equal,
    Code::Unequal,
];

const OF_MOMENTA: [Code; 5] = [Code::MassOf, Code::PtOf, Code::EtaOf, Code::PhiOf, Code::RapidityOf];

fn step(code: Code, dest: u32, [a, b, c]: [u32; 3]) -> Instruction {
    Instruction { code, dest, a, b, c, check: NONE, number: 0.0 }
}

/// A program in the making.
struct Maker {
    dice: Dice,
    /// One of so many comparisons has a check.
    checks: Option<u32>,
    program: Program,
}

impl Maker {
    fn new(seed: u64, checks: Option<u32>) -> Self {
        let names = |kind: &str, number: u32| (0..number).map(|index| format!("{kind}{index}")).collect::<Vec<_>>();
        let collections = names("Collection", COLLECTIONS);
        let projection = Projection {
            collections: collections
                .into_iter()
                .map(|name| CollectionProjection::new(name, names("q", QUANTITIES)))
                .collect(),
            scalars: names("scalar", SCALARS),
            ..Projection::default()
        };
        let columns = (0..COLLECTIONS as usize).flat_map(|c| (0..QUANTITIES as usize).map(move |q| (c, q)));
        let program = Program {
            projection,
            columns: columns.collect(),
            objects: Vec::new(),
            sources: Vec::new(),
            quantities: Vec::new(),
            instructions: Vec::new(),
            registers: EVENT + LOOP + 3,
            checks: Vec::new(),
            presences: Vec::new(),
            checked: Vec::new(),
            cuts: 0,
            rows: 0,
            variables: 0,
            weight_column: NONE,
        };
        Self { dice: Dice::new(seed), checks, program }
    }

    fn push(&mut self, instruction: Instruction) -> u32 {
        self.program.instructions.push(instruction);
        self.program.instructions.len() as u32 - 1
    }

    fn any_value(&mut self) -> u32 {
        self.dice.below(EVENT)
    }

    fn any_condition(&mut self) -> u32 {
        EVENT - CONDITIONS + self.dice.below(CONDITIONS)
    }

    /// A check that values of the event, or if it is in a loop also of its item, are at least 1; or none.
    fn check(&mut self, registers: u32) -> u32 {
        if self.checks.is_none_or(|checks| self.dice.below(checks) > 0) {
            return NONE;
        }
        let presences = self.dice.below(3);
        let check = Check { first_presence: self.program.presences.len() as u32, presences };
        for _ in 0..presences {
            let register = self.dice.below(registers);
            self.program.presences.push(Presence { register, at_least: 1 });
        }
        self.program.checks.push(check);
        self.program.checked.push(format!("check {}", self.program.checks.len()));
        self.program.checks.len() as u32 - 1
    }

    fn push_checked(&mut self, instruction: Instruction) -> u32 {
        let check = self.check(EVENT);
        self.push(Instruction { check, ..instruction })
    }

    /// At the end of a loop, whose registers are all written.
    fn push_checked_in_loop(&mut self, instruction: Instruction) -> u32 {
        let check = self.check(EVENT + LOOP);
        self.push(Instruction { check, ..instruction })
    }

    /// An object of one, two or three sources; `first` of the collections among them.
    fn object(&mut self, leading: u32) -> u32 {
        let sources = 1 + self.dice.below(COLLECTIONS);
        let program = &mut self.program;
        let plan = ObjectPlan {
            first_source: program.sources.len() as u32,
            sources,
            first_quantity: program.quantities.len() as u32,
            quantities: QUANTITIES + 1,
            leading,
            has_direction: 1,
        };
        let first = self.dice.below(COLLECTIONS);
        let of_source = |source: u32| (first + source) % COLLECTIONS;
        program.sources.extend((0..sources).map(of_source));
        for quantity in 0..QUANTITIES {
            let column = |source| Quantity { column: of_source(source) * QUANTITIES + quantity, constant: 0.0 };
            program.quantities.extend((0..sources).map(column));
        }
        let flavour = |source: u32| Quantity { column: NONE, constant: 11.0 + 2.0 * source as f32 };
        program.quantities.extend((0..sources).map(flavour));
        program.objects.push(plan);
        program.objects.len() as u32 - 1
    }

    /// An instruction with a value, in a loop or out of it: of the registers from `first` on.
    fn compute(&mut self, first: u32, registers: u32) {
        let any = |dice: &mut Dice| first + dice.below(registers);
        let dice = &mut self.dice;
        let [dest, a, b, c] = [any(dice), any(dice), any(dice), any(dice)];
        let four = first + dice.below(registers - 3);
        let instruction = match dice.below(8) {
            0 | 1 => step(dice.one_of(&UNARY), dest, [a, 0, 0]),
            2..=4 => step(dice.one_of(&BINARY), dest, [a, b, 0]),
            5 => Instruction { check: any(dice), ..step(Code::DeltaR, dest, [a, b, c]) },
            6 if dice.below(2) == 0 => Instruction { check: any(dice), ..step(Code::Momentum, four, [a, b, c]) },
            6 => step(dice.one_of(&OF_MOMENTA), dest, [four, 0, 0]),
            _ => step(Code::Choose, dest, [a, b, c]),
        };
        self.push(instruction);
    }

    /// A condition of the event: a comparison of two of its values.
    fn condition(&mut self) {
        let code = self.dice.one_of(&BINARY[BINARY.len() - 6..]);
        let (a, b, dest) = (self.any_value(), self.any_value(), self.any_condition());
        self.push_checked(step(code, dest, [a, b, 0]));
    }

    /// What a loop computes of an item of one object or a pair of two, into registers EVENT and on.
    fn body(&mut self, objects: &[u32], built: Option<u32>, with_places: bool) {
        for register in EVENT..EVENT + LOOP {
            let (quantity, side) = (self.dice.below(QUANTITIES + 1), self.dice.below(objects.len() as u32));
            let event = self.any_value();
            let instruction = match self.dice.below(5) {
                0 => step(Code::Broadcast, register, [event, 0, 0]),
                1 if with_places => step(Code::Place, register, [0, 0, side]),
                _ => step(Code::Item, register, [objects[side as usize], quantity, side]),
            };
            self.push(instruction);
        }
        for _ in 0..self.dice.below(5) {
            self.compute(EVENT, LOOP);
        }
        if let Some(other) = built {
            let [dest, a, b] = [0; 3].map(|_| EVENT + self.dice.below(LOOP));
            self.push(step(Code::Separation, dest, [a, b, other]));
        }
    }

    fn build(&mut self, object: u32) {
        let head = self.push(step(Code::Build, 0, [object, 0, 0]));
        let built = (object > 0).then(|| self.dice.below(object.max(1)));
        self.body(&[object], built, false);
        let [value, limit] = [EVENT, EVENT + 1];
        let kept = EVENT + LOOP;
        self.push_checked_in_loop(step(Code::Unequal, kept, [value, limit, 0]));
        let condition = if self.dice.below(3) == 0 { NONE } else { kept };
        let key = if self.dice.below(3) == 0 { NONE } else { EVENT + self.dice.below(LOOP) };
        let keep = self.push_checked_in_loop(step(Code::Keep, 0, [condition, key, 0]));
        self.program.instructions[head as usize].c = keep;
    }

    fn each(&mut self) {
        let objects = self.program.objects.len() as u32;
        let object = self.dice.below(objects);
        let head = self.push(step(Code::Each, 0, [object, 0, 0]));
        let other = self.dice.below(objects);
        self.body(&[object], Some(other), true);
        let folds = 1 + self.dice.below(3);
        let kinds = [Fold::Sum, Fold::Minimum, Fold::Maximum, Fold::PlaceOfMinimum, Fold::PlaceOfMaximum];
        for fold in 0..folds {
            let (dest, a) = (self.dice.below(EVENT - CONDITIONS), EVENT + self.dice.below(LOOP));
            let kind = self.dice.one_of(&kinds) as u32;
            let at = self.push(step(Code::Fold, dest, [a, kind, 0]));
            if fold == 0 {
                self.program.instructions[head as usize].c = at;
            }
        }
        self.program.instructions[head as usize].b = folds;
    }

    fn pairs(&mut self) {
        let objects = self.program.objects.len() as u32;
        let both = [self.dice.below(objects), self.dice.below(objects)];
        let head = self.push(step(Code::Pairs, 0, [both[0], both[1], 0]));
        self.body(&both, None, true);
        let kept = EVENT + LOOP;
        self.push_checked_in_loop(step(Code::Above, kept, [EVENT, EVENT + 1, 0]));
        let condition = if self.dice.below(3) == 0 { NONE } else { kept };
        let dest = self.dice.below(EVENT - CONDITIONS - 2);
        let criterion = EVENT + self.dice.below(LOOP);
        let best = self.push_checked_in_loop(step(Code::Best, dest, [condition, criterion, 0]));
        self.program.instructions[head as usize].dest = best;
        // A value of what was found, and of what is not there.
        for quantity in [0, QUANTITIES] {
            let at = self.dice.below(EVENT - CONDITIONS);
            self.push(step(Code::AtPlace, at, [both[0], quantity, dest]));
        }
    }

    /// Every event value from something.
    fn values(&mut self) {
        for register in 0..EVENT - CONDITIONS {
            let scalar = self.dice.below(SCALARS);
            let number = [-1.0, 0.0, 0.5, 3.0][self.dice.below(4) as usize];
            let instruction = match register % 2 {
                0 => step(Code::Scalar, register, [scalar, 0, 0]),
                _ => Instruction { number, ..step(Code::Number, register, [0; 3]) },
            };
            self.push(instruction);
        }
        for register in EVENT - CONDITIONS..EVENT {
            self.push(step(Code::Unequal, register, [0, 1, 0]));
        }
    }

    /// Values; then objects, loops, cuts, tallies, flags, and all values as variables.
    fn program(mut self, leading: u32) -> Program {
        self.values();
        for leading in [NONE, leading, 3] {
            let object = self.object(leading);
            self.build(object);
            let (count, at) = (self.dice.below(EVENT - CONDITIONS), self.dice.below(EVENT - CONDITIONS));
            let (quantity, place) = (self.dice.below(QUANTITIES + 1), self.dice.below(3));
            self.push(step(Code::Count, count, [object, 0, 0]));
            self.push(step(Code::At, at, [object, quantity, place]));
        }
        for round in 0..8 {
            match self.dice.below(3) {
                0 => self.each(),
                1 => self.pairs(),
                _ => (0..6).for_each(|_| self.compute(0, EVENT - CONDITIONS)),
            }
            self.condition();
            if round % 4 == 3 {
                // Mostly true, so that enough is left.
                let (either, or) = (self.any_condition(), self.any_condition());
                let cut = self.any_condition();
                self.push(step(Code::Or, cut, [either, or, 0]));
                self.push(step(Code::Cut, 0, [cut, 0, 0]));
                self.program.cuts += 1;
            }
        }
        self.decisions();
        self.program
    }

    fn decisions(&mut self) {
        self.program.rows = self.program.cuts + 1;
        for flag in 0..5 {
            let (level, required) = (self.any_condition(), self.any_condition());
            let row = self.program.rows;
            self.push(step(Code::Tally, 0, [level, 0, row]));
            self.push(step(Code::Flag, flag * 7, [level, 0, 0]));
            self.program.rows += 1;
            if flag == 3 {
                self.push(step(Code::Require, 0, [required, 0, 0]));
            }
        }
        for variable in 0..EVENT {
            self.push(step(Code::Store, variable, [variable, 0, 0]));
        }
        self.program.variables = EVENT;
    }
}

/// Objects of one and of three sources by falling quantity 2, with cuts; their first, some and last items, and folds.
fn crowd() -> Program {
    let mut maker = Maker::new(3, None);
    maker.values();
    for (object, leading) in [(0, NONE), (1, 40), (2, 2)] {
        while maker.program.objects.len() <= object as usize {
            maker.object(leading);
        }
        let head = maker.push(step(Code::Build, 0, [object, 0, 0]));
        maker.push(step(Code::Item, EVENT, [object, 2, 0]));
        maker.push(step(Code::Negate, EVENT + 1, [EVENT, 0, 0]));
        maker.push(step(Code::Item, EVENT, [object, 0, 0]));
        maker.push(step(Code::Broadcast, EVENT + 2, [0; 3]));
        maker.push(step(Code::Unequal, EVENT + 3, [EVENT, EVENT + 2, 0]));
        let keep = maker.push(step(Code::Keep, 0, [EVENT + 3, EVENT + 1, 0]));
        maker.program.instructions[head as usize].c = keep;
        for (quantity, place) in [(0, 0), (1, 1), (3, 31), (1, 32), (2, 33), (0, 4999)] {
            let dest = maker.program.variables;
            maker.push(step(Code::At, EVENT, [object, quantity, place]));
            maker.push(step(Code::Store, dest, [EVENT, 0, 0]));
            maker.program.variables += 1;
        }
        // The sum of place x value, which tells any order from another.
        let head = maker.push(Instruction { dest: 0, ..step(Code::Each, 0, [object, 1, 0]) });
        maker.push(step(Code::Item, EVENT, [object, 1, 0]));
        maker.push(step(Code::Place, EVENT + 1, [0; 3]));
        maker.push(step(Code::Multiply, EVENT, [EVENT, EVENT + 1, 0]));
        let fold = maker.push(step(Code::Fold, 1, [EVENT, Fold::Sum as u32, 0]));
        maker.program.instructions[head as usize].c = fold;
        let dest = maker.program.variables;
        maker.push(step(Code::Store, dest, [1, 0, 0]));
        maker.program.variables += 1;
    }
    maker.program.rows = 1;
    maker.program
}

fn selection(program: Program, weight: Weight) -> Selection {
    let (definition, outputs) = (Arc::new(Definition::default()), Arc::new(Outputs::default()));
    Selection { definition, weight, outputs, program: Arc::new(program) }
}

/// Events whose collections have up to `most` items, and in event 1 `crowd`; few distinct values, so that there are
/// ties.
fn events(program: &Program, events: usize, most: u32, crowd: u32, seed: u64) -> EventColumns<Host> {
    let mut dice = Dice::new(1000 + seed);
    let mut collection = || {
        let mut offsets = vec![0];
        for event in 0..events {
            let items = if event == 1 { crowd } else { dice.below(most + 1) };
            offsets.push(offsets[event] + items);
        }
        let column = |dice: &mut Dice| (0..offsets[events]).map(|_| (dice.below(9) as f32 - 4.0) * 0.75).collect();
        Collection { quantities: (0..QUANTITIES).map(|_| column(&mut dice)).collect(), offsets: offsets.into() }
    };
    let collections = program.projection.collections.iter().map(|_| collection()).collect();
    let scalar = |dice: &mut Dice| (0..events).map(|_| dice.below(100) as f32 / 8.0 - 4.0).collect();
    EventColumns { events, collections, scalars: (0..SCALARS).map(|_| scalar(&mut dice)).collect() }
}

fn batch(selection: &Selection, columns: &EventColumns<Host>) -> Batch<Host> {
    let cutflow = Tally::empty(selection.cutflow_rows());
    Batch { columns: columns.clone(), cutflow, origin: Origin { file: "a.parquet".into(), first_row: 7 } }
}

/// Both answers, which must be equal.
fn both(cuda: &Cuda, selection: &Selection, columns: &EventColumns<Host>, what: &str) -> Result<Selected<Host>> {
    let here = selection.cpu(batch(selection, columns));
    let there = Device::Cuda(cuda.clone()).run(selection, batch(selection, columns));
    match (&here, &there) {
        (Ok(here), Ok(there)) => {
            let bits = |column: &[f32]| column.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(here.survivors.index, there.survivors.index, "{what}");
            assert_eq!(here.survivors.flags, there.survivors.flags, "{what}");
            assert_eq!(bits(&here.survivors.weight), bits(&there.survivors.weight), "{what}");
            for (variable, (here, there)) in here.survivors.variables.iter().zip(&there.survivors.variables).enumerate()
            {
                assert_eq!(
                    bits(here),
                    bits(there),
                    "variable {variable}, {what}: {:#?}",
                    selection.program.instructions
                );
            }
            assert_eq!(here.cutflow.words, there.cutflow.words, "{what}");
        }
        _ => assert_eq!(here.as_ref().err().map(ToString::to_string), there.err().map(|e| e.to_string()), "{what}"),
    }
    here
}

#[test]
fn random_programs_give_the_same_on_both_devices() {
    let sizes = [None, Some(32), Some(33), Some(96)];
    let Some(devices) = sizes.into_iter().map(cuda).collect::<Option<Vec<_>>>() else { return };
    let (mut survivors, mut tried) = (0, 0);
    for seed in 0..48 {
        let program = Maker::new(seed, None).program([1, 2, NONE][seed as usize % 3]);
        let selection = selection(program, Weight::default());
        let number = [1, 31, 33, 64, 100][seed as usize % 5];
        let columns = events(&selection.program, number, 5, 9, seed);
        let what = format!("program {seed}, {number} events");
        let found = both(&devices[seed as usize % devices.len()], &selection, &columns, &what).unwrap();
        survivors += found.survivors.count;
        tried += number;
    }
    assert!(survivors * 10 > tried && survivors < tried, "{survivors} of {tried} survived");
}

#[test]
fn random_programs_with_checks_name_the_same_fault() {
    let Some(cuda) = cuda(None) else { return };
    let mut faults = 0;
    for seed in 0..24 {
        let program = Maker::new(seed, Some(4)).program(NONE);
        let selection = selection(program, Weight::column("scalar0", 1.0, 16.0).unwrap());
        let columns = events(&selection.program, 40, 4, 4, seed);
        faults += usize::from(both(&cuda, &selection, &columns, &format!("program {seed}")).is_err());
    }
    assert!(faults > 5 && faults < 24, "{faults} of 24 had a fault");
}

#[test]
fn everything_of_the_language_gives_the_same_on_both_devices() {
    let Some(cuda) = cuda(None) else { return };
    let selection = &*super::reference_tests::EVERYTHING;
    let mut faults = 0;
    for seed in 0..8 {
        let columns = super::reference_tests::long_batch(selection, 64, 3, 100 << seed, seed);
        faults += usize::from(both(&cuda, selection, &columns, &format!("events {seed}")).is_err());
    }
    assert!(faults > 1 && faults < 8, "{faults} of 8 had a fault");
}

#[test]
fn an_event_of_5000_items_is_ordered() {
    let Some(cuda) = cuda(None) else { return };
    let selection = selection(crowd(), Weight::default());
    for crowd in [31, 32, 33, 34, 5000] {
        let columns = events(&selection.program, 3, 3, crowd, u64::from(crowd));
        let found = both(&cuda, &selection, &columns, &format!("{crowd} items")).unwrap();
        assert_eq!(found.survivors.count, 3);
        let at = |variable: usize| found.survivors.variables[variable][1];
        assert!(!at(0).is_nan() && at(2 * 7 + 3).is_nan(), "object 2 has two items");
    }
}

#[test]
fn many_registers_and_rows_fit() {
    let Some(cuda) = cuda(None) else { return };
    let mut program = Maker::new(11, None).program(NONE);
    // As many as the compiler gives out, and more rows than a block keeps in shared memory.
    program.registers = 160;
    let row = program.rows;
    program.rows += 400;
    let at = program.instructions.len() - EVENT as usize;
    program.instructions.insert(at, step(Code::Tally, 0, [EVENT - 1, 0, row + 399]));
    let selection = selection(program, Weight::column("scalar1", -0.5, 16.0).unwrap());
    for number in [0, 1, 70] {
        let columns = events(&selection.program, number, 5, 3, 5);
        both(&cuda, &selection, &columns, &format!("{number} events")).unwrap();
    }
}
