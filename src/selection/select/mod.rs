//! `selection.select`: which events survive, what is computed of them, and how many were lost at each cut.
//!
//! A [`Definition`] names objects, pairs, variables, cuts, channels, regions and features as texts in the language of
//! [`crate::selection::expression`]; [`Selection::new`] checks all of it and compiles it once, before any event is read.
//!
//! For every event, each **object** takes the items of its collections that pass its conditions, in its order (falling
//! transverse momentum unless another is asked for; ties: the order of the file) and keeps at most the `leading` first. The
//! **cuts** are applied in order. An event that passes all of them belongs to those **channels** whose requirement it
//! meets, each of which may ask for more; it survives if it passes all that one channel asks for, or if there are no
//! channels. Of survivors, **regions** are flags, **variables** the definitions that are numbers, and **features**
//! padded tables of objects. Everything is computed in f64 from the f32 columns; a variable is rounded to f32 once, and has
//! its rounded value wherever it is used.
//!
//! * What the event does not have (`jet[1].pt` of an event with one jet, the largest of no values) is missing: it makes
//!   whatever is computed of it missing, a comparison false, and a variable NaN.
//! * A NaN of the data in a *compared* value (a cut, the key by which objects are ordered) is an error that names what was
//!   compared and the row, because any answer would be a guess; `otherwise(x, y)` and `finite(x)` give one. Infinity
//!   compares as a number. Nothing is compared after the first failed cut, in b of `a && b` where a is false (nor in a
//!   text of `keep` where one before it is), in b of `a || b` where a is true, in the side that `where` does not take, and
//!   in the cuts of a channel for events that are not in it. So `finite(x) && x > 3` never fails. What objects, pairs and
//!   definitions compare themselves is compared once, wherever they are used.
//! * Numbers of a card are f64; an f32 of the data is compared as the f64 of the same value.
//! * The weight of an event is column x factor, rounded to f32 once; everything downstream uses that number. A weight that
//!   is NaN or outside of the declared range is an error.
//!
//! Survivors keep the order of the events. Cost: every projected value is read once, and 4 (2 + variables) + 4 bytes are
//! written for a survivor.
//!
//! ```
//! use trawl::selection::{Cut, Definition, Object, Selection, Variable, Weight};
//! let definition = Definition {
//!     objects: vec![Object::new("jet", "FatJet").keep("pt > 200 && abs(eta) < 2.0").leading(2)],
//!     variables: vec![Variable::new("m_Y", "mass(jet[0] + jet[1])")],
//!     cuts: vec![Cut::new("two large-R jets", "count(jet) >= 2"), Cut::new("high mass", "m_Y > 1300")],
//!     ..Definition::default()
//! };
//! let selection = Selection::new(definition, Weight::default())?;
//! assert_eq!(selection.projection().collections[0].quantities, ["pt", "eta", "phi", "mass"]);
//! # Ok::<(), trawl::Error>(())
//! ```

mod compile;
mod cpu;
mod cuda;
mod definition;
mod math;
mod program;
#[cfg(test)]
mod random_programs;
mod read;
#[cfg(test)]
mod reference_tests;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use compile::compile;
pub use compile::{FeatureTable, Outputs};
pub(crate) use cuda::{Evaluating, Prepared};
pub use definition::{Channel, Cut, Definition, Features, Object, Pair, QuantityFrom, Variable};
pub(crate) use program::Program;

use super::tally::{Tally, WORDS};
use crate::device::{Bytes, Column, Cuda, Download, Host, OnDevice, Operation, Place, Plan, Upload};
use crate::error::{Fault, Problems, Result};
use crate::events::{Collection, EventColumns, Projection};
use crate::math::exact::{WEIGHT_NOT_FINITE, WEIGHT_TOO_LARGE, WeightScale};

const NAME: &str = "selection.select";

/// The weight of events: a column times a factor.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    column: Option<String>,
    factor: f64,
    scale: WeightScale,
    /// The largest absolute value of the column as it was declared; the range of `scale` is rounded up.
    declared: f64,
}

impl Default for Weight {
    /// 1 for every event.
    fn default() -> Self {
        Self { column: None, factor: 1.0, scale: WeightScale::UNIT, declared: 1.0 }
    }
}

impl Weight {
    /// The same weight for every event, for example luminosity x cross section / generated events.
    ///
    /// # Errors
    /// A factor that is not finite, or is 0.
    pub fn constant(factor: f64) -> Result<Self> {
        Ok(Self { column: None, factor, scale: WeightScale::new(factor.abs())?, declared: 1.0 })
    }

    /// The scalar column times `factor`. `largest` is the declared largest absolute value of the product, within which
    /// sums are exact; an event beyond it is an error.
    ///
    /// # Errors
    /// A factor that is not finite, or a largest weight that is not positive.
    pub fn column(column: impl Into<String>, factor: f64, largest: f64) -> Result<Self> {
        if !factor.is_finite() {
            let problem = format!("the factor {factor} of the weight is not a finite number");
            return Err(Fault::new(NAME, problem).usage());
        }
        let declared = largest / factor.abs();
        Ok(Self { column: Some(column.into()), factor, scale: WeightScale::new(largest)?, declared })
    }

    /// The declared range: what sums of these weights are in units of.
    pub fn scale(&self) -> WeightScale {
        self.scale
    }
}

/// A [`Definition`], checked and compiled.
#[derive(Debug, Clone)]
pub struct Selection {
    definition: Arc<Definition>,
    weight: Weight,
    outputs: Arc<Outputs>,
    program: Arc<Program>,
}

impl Selection {
    /// Compiles a selection.
    ///
    /// # Errors
    /// Every mistake in the texts, with its column and the nearest known name.
    pub fn new(definition: Definition, weight: Weight) -> Result<Self> {
        let compiled = compile(&definition, &weight);
        let mut problems = Problems::default();
        for mistake in compiled.mistakes {
            let place = mistake.path.join(".");
            problems.push(Fault::new(NAME, format!("{place}: {}", mistake.why)).usage());
        }
        problems.finish()?;
        Ok(Self {
            definition: Arc::new(definition),
            weight,
            outputs: Arc::new(compiled.outputs),
            program: Arc::new(compiled.program),
        })
    }

    /// The same selection for a sample with another weight.
    pub fn with_weight(&self, weight: Weight) -> Self {
        let compiled = compile(&self.definition, &weight);
        Self { weight, program: Arc::new(compiled.program), ..self.clone() }
    }

    /// The columns that must be read for it.
    pub fn projection(&self) -> &Projection {
        &self.program.projection
    }

    /// What a survivor has: the names of its variables, features and flags.
    pub fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    /// The texts that it was compiled from.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// The names of the variables: the first of [`Survivors::variables`], which go on with the features.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.outputs.variables.iter().map(String::as_str)
    }

    /// The names of the cuts, in their order.
    pub fn cuts(&self) -> impl Iterator<Item = &str> {
        self.definition.cuts.iter().map(|cut| cut.name.as_str())
    }

    /// The rows of its tally: one more than cuts; for each channel, one more than its cuts; one for each region.
    pub fn cutflow_rows(&self) -> usize {
        self.program.rows as usize
    }

    /// The weight of its events.
    pub fn weight(&self) -> &Weight {
        &self.weight
    }

    /// For each object of the program, how many items its sources have.
    fn capacities<P: Place>(&self, columns: &EventColumns<P>) -> Vec<usize> {
        let items =
            |collection: &u32| columns.collections[*collection as usize].quantities.first().map_or(0, Column::length);
        let of_object = |plan: &program::ObjectPlan| {
            let first = plan.first_source as usize;
            self.program.sources[first..first + plan.sources as usize].iter().map(items).sum()
        };
        self.program.objects.iter().map(of_object).collect()
    }

    /// What a launch found wrong, in words: the status is (row, fault code), the lowest row of `events` rows.
    fn fault(&self, origin: &Origin, status: Status) -> crate::error::Error {
        let row = origin.first_row + status.row;
        let place = match &*origin.file {
            "" => format!("in row {row}"),
            file => format!("in row {row} of {file}"),
        };
        let others = match status.events - 1 {
            0 => String::new(),
            1 => " and in one more event of this batch".to_owned(),
            more => format!(" and in {more} more events of this batch"),
        };
        let fault = match self.program.checked.get(status.fault as usize) {
            Some(compared) => Fault::new(NAME, format!("{compared} is NaN {place}{others}"))
                .because("a comparison with NaN has no answer")
                .suggest("Mend the column, let an earlier cut remove such events, or write otherwise(..., value)."),
            None => {
                let Weight { column, factor, scale, declared } = &self.weight;
                let weight = match column {
                    Some(column) => format!("'{column}' x {factor}"),
                    None => format!("{factor}"),
                };
                let (problem, reason) = match status.fault - self.weight_fault(0) {
                    WEIGHT_NOT_FINITE => ("is not finite", "a sum with it would have no value".to_owned()),
                    WEIGHT_TOO_LARGE => {
                        // As it was written: multiplied and divided, its last digits are not those of the card.
                        ("is too large", format!("the largest weight was declared as {}", *declared as f32))
                    }
                    _ => ("is too small", format!("beside {} its square would be lost", scale.largest())),
                };
                Fault::new(NAME, format!("the weight {weight} {problem} {place}{others}"))
                    .because(reason)
                    .suggest("Declare the largest weight of the sample, or mend the column.")
            }
        };
        fault.data()
    }

    /// The fault code of a weight with that status: those after the last comparison.
    fn weight_fault(&self, status: u32) -> u32 {
        self.program.checked.len() as u32 + status
    }
}

/// What a batch reports: the lowest row with a fault, its code, and the number of events with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Status {
    row: u64,
    fault: u32,
    events: u64,
}

/// Where a batch comes from, for messages.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The file, or nothing.
    pub file: Arc<str>,
    /// The row of the batch's first event in it.
    pub first_row: u64,
}

/// A batch of events and the cutflow so far.
#[derive(Debug, Clone)]
pub struct Batch<P: Place> {
    /// The columns of [`Selection::projection`].
    pub columns: EventColumns<P>,
    /// The cutflow of the batches before ([`Selection::cutflow_rows`] rows); it comes out again with this one added. Row i
    /// counts the events that passed i cuts before the first that they failed: one entry an event, instead of one for
    /// each cut passed, is what makes it cheap on a device. [`Cutflow`](crate::selection::Cutflow) sums them up. The rows
    /// of a channel follow in the same way (the first: events that belong to it and fail its first cut), then one row
    /// for each region.
    pub cutflow: Tally<P>,
    /// Where the batch comes from.
    pub origin: Origin,
}

/// What a selection yields of a batch.
#[derive(Debug, Clone)]
pub struct Selected<P: Place> {
    /// The events that passed every cut.
    pub survivors: Survivors<P>,
    /// The cutflow with this batch.
    pub cutflow: Tally<P>,
}

/// The events of a batch that passed every cut, in their order.
#[derive(Debug, Clone)]
pub struct Survivors<P: Place> {
    /// How many.
    pub count: usize,
    /// Their rows in the batch, ascending.
    pub index: P::Column<u32>,
    /// The selection's variables and features, each of `count` values: see [`Selection::outputs`].
    pub variables: Vec<P::Column<f32>>,
    /// Their weights.
    pub weight: P::Column<f32>,
    /// Their flags: see [`Outputs::flags`].
    pub flags: P::Column<u32>,
}

impl Download for Survivors<OnDevice> {
    type Here = Survivors<Host>;

    fn download(&self, cuda: &Cuda) -> Result<Survivors<Host>> {
        Ok(Survivors {
            count: self.count,
            index: self.index.download(cuda)?,
            variables: self.variables.download(cuda)?,
            weight: self.weight.download(cuda)?,
            flags: self.flags.download(cuda)?,
        })
    }
}

impl Upload for Batch<Host> {
    type There = Batch<OnDevice>;

    fn upload(&self, cuda: &Cuda) -> Result<Batch<OnDevice>> {
        let (columns, cutflow) = (self.columns.upload(cuda)?, self.cutflow.upload(cuda)?);
        Ok(Batch { columns, cutflow, origin: self.origin.clone() })
    }
}

impl Download for Selected<OnDevice> {
    type Here = Selected<Host>;

    fn download(&self, cuda: &Cuda) -> Result<Selected<Host>> {
        Ok(Selected { survivors: self.survivors.download(cuda)?, cutflow: self.cutflow.download(cuda)? })
    }
}

impl Operation for Selection {
    const NAME: &'static str = NAME;
    type Input<P: Place> = Batch<P>;
    type Output<P: Place> = Selected<P>;

    fn check<P: Place>(&self, batch: &Batch<P>) -> Result<()> {
        let columns = &batch.columns;
        let projection = self.projection();
        let mut problems = Problems::default();
        let mut expect = |what: &dyn fmt::Display, got: usize, expected: usize| {
            if got != expected {
                problems.push(Fault::new(NAME, format!("{what}: expected {expected}, got {got}")).data());
            }
        };
        expect(&"collections", columns.collections.len(), projection.collections.len());
        expect(&"event scalars", columns.scalars.len(), projection.scalars.len());
        expect(&"words of the cutflow", batch.cutflow.words.length(), self.cutflow_rows() * WORDS);
        for (collection, named) in columns.collections.iter().zip(&projection.collections) {
            let name = &named.name;
            expect(&format_args!("offsets of '{name}'"), collection.offsets.length(), columns.events + 1);
            expect(&format_args!("quantities of '{name}'"), collection.quantities.len(), named.quantities.len());
            if let Some(first) = collection.quantities.first() {
                for (quantity, column) in named.quantities.iter().zip(&collection.quantities) {
                    expect(&format_args!("values of '{name}_{quantity}'"), column.length(), first.length());
                }
            }
        }
        for (name, column) in projection.scalars.iter().zip(&columns.scalars) {
            expect(&format_args!("values of '{name}'"), column.length(), columns.events);
        }
        if u32::try_from(columns.events).is_err() {
            problems.push(Fault::new(NAME, format!("{} events are too many for one batch", columns.events)).data());
        }
        problems.finish()
    }

    fn plan<P: Place>(&self, batch: &Batch<P>) -> Plan {
        let columns = &batch.columns;
        let of_collection =
            |collection: &Collection<P>| collection.quantities.iter().map(Column::length).sum::<usize>();
        let values: usize = columns.collections.iter().map(of_collection).sum();
        let items: usize = self.capacities(columns).iter().sum();
        let per_event = |bytes: Bytes| Bytes(bytes.0.div_ceil(columns.events.max(1) as u64));
        // In: values, offsets, scalars. Working: for every item of an object its reference and its key; pass marks,
        // variables, weights and flags of all events, block sums. Out: those of the survivors, of which there can be as many.
        let input = Bytes::of::<f32>(columns.collections.len() + columns.scalars.len());
        let scratch = per_event(Bytes::of::<u32>(items) + Bytes::of::<f64>(items));
        let results = Bytes::of::<f32>(2 * (3 + self.program.variables as usize) + 1);
        Plan {
            fixed: Bytes(1 << 16) + Bytes::of::<u64>(batch.cutflow.words.length()),
            per_unit: per_event(Bytes::of::<f32>(values)) + input + scratch + results,
            units: columns.events as u64,
        }
    }

    fn cpu(&self, batch: Batch<Host>) -> Result<Selected<Host>> {
        cpu::select(self, batch)
    }

    fn cuda(&self, cuda: &Cuda, batch: Batch<OnDevice>) -> Result<Selected<OnDevice>> {
        cuda::select(self, cuda, batch)
    }
}
