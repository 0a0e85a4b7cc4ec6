//! From the words of a card to a [`Program`]: resolves names, plans slots, finds every mistake.

use super::program::{Instruction, ItemCut, NONE, ObjectPlan, Operation, Program, STACK};
use super::{Cut, Object, Variable, Weight};
use crate::error::nearest;
use crate::events::{CollectionProjection, Projection};
use crate::selection::expression::{
    Comparison, Expression, Extreme, Magnitude, Name, PairFunction, Place, parse_expression, parse_object_cut,
    parse_requirement,
};

/// The part of a selection that a mistake is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Object(usize, &'static str),
    Variable(usize),
    Cut(usize, &'static str),
}

/// A mistake and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    pub part: Part,
    pub why: String,
}

/// Compiles a selection; a program with mistakes must not run.
pub(super) fn compile(
    objects: &[Object],
    variables: &[Variable],
    cuts: &[Cut],
    weight: &Weight,
) -> (Program, Vec<Mistake>) {
    let mut compiler = Compiler::new(objects, variables);
    for (index, object) in objects.iter().enumerate() {
        compiler.object(index, object);
    }
    let values: Vec<Option<Expression>> =
        variables.iter().enumerate().map(|(index, variable)| compiler.parse_variable(index, variable)).collect();
    for (index, cut) in cuts.iter().enumerate() {
        compiler.cut(index, cut, cuts);
    }
    for (index, value) in values.into_iter().enumerate() {
        compiler.variable(index, value);
    }
    compiler.finish(cuts.len(), weight)
}

struct Compiler<'a> {
    objects: &'a [Object],
    variables: &'a [Variable],
    /// The variables that parsed; while one is resolved, only those before it are known.
    parsed: Vec<Option<Expression>>,
    plans: Vec<ObjectPlan>,
    projection: Projection,
    quantities: Vec<(usize, usize)>,
    item_cuts: Vec<ItemCut>,
    instructions: Vec<Instruction>,
    compared: Vec<String>,
    mistakes: Vec<Mistake>,
}

impl<'a> Compiler<'a> {
    fn new(objects: &'a [Object], variables: &'a [Variable]) -> Self {
        Self {
            objects,
            variables,
            parsed: Vec::new(),
            plans: Vec::new(),
            projection: Projection::default(),
            quantities: Vec::new(),
            item_cuts: Vec::new(),
            instructions: Vec::new(),
            compared: Vec::new(),
            mistakes: Vec::new(),
        }
    }

    fn mistake(&mut self, part: Part, why: impl Into<String>) {
        self.mistakes.push(Mistake { part, why: why.into() });
    }

    /// Registers what a NaN would be reported as.
    fn fault(&mut self, text: String) -> u32 {
        self.compared.push(text);
        (self.compared.len() - 1) as u32
    }

    fn object(&mut self, index: usize, object: &Object) {
        let collections = &mut self.projection.collections;
        let collection = collections.iter().position(|known| known.name == object.collection).unwrap_or_else(|| {
            collections.push(CollectionProjection { name: object.collection.clone(), quantities: Vec::new() });
            collections.len() - 1
        });
        let mut plan = ObjectPlan {
            collection: collection as u32,
            first_cut: self.item_cuts.len() as u32,
            cuts: 0,
            first_slot: 0,
            slots: 0,
            leading: object.leading.unwrap_or(NONE),
            pt: NONE,
            eta: NONE,
            phi: NONE,
            mass: NONE,
            fault: 0,
            unused: 0,
        };
        self.plans.push(plan);
        plan.pt = self.quantity_column(index, "pt");
        plan.fault = self.fault(format!("{}, by which they are ordered,", self.quantity_in_words(index, "pt")));
        for text in &object.keep {
            match parse_object_cut(text) {
                Ok(cut) => {
                    let fault = self.fault(self.quantity_in_words(index, &cut.quantity.word));
                    let column = self.quantity_column(index, &cut.quantity.word);
                    self.item_cuts.push(ItemCut {
                        column,
                        absolute: u32::from(cut.magnitude == Magnitude::Absolute),
                        comparison: number_of(cut.comparison),
                        fault,
                        threshold: cut.threshold,
                    });
                    plan.cuts += 1;
                }
                Err(why) => self.mistake(Part::Object(index, "keep"), why),
            }
        }
        if object.leading == Some(0) {
            self.mistake(Part::Object(index, "leading"), "0 would keep no object; expected at least 1");
        }
        self.plans[index] = plan;
    }

    /// The name of the column of a quantity of an object, below its collection.
    fn column_name(&self, object: usize, quantity: &str) -> String {
        let known = self.objects[object].quantities.iter().find(|(name, _)| name == quantity);
        known.map_or_else(|| quantity.to_owned(), |(_, column)| column.clone())
    }

    fn quantity_in_words(&self, object: usize, quantity: &str) -> String {
        let column = self.column_name(object, quantity);
        format!(
            "column '{}_{column}' ('{quantity}' of the object '{}')",
            self.objects[object].collection, self.objects[object].name
        )
    }

    fn quantity_column(&mut self, object: usize, quantity: &str) -> u32 {
        let column = self.column_name(object, quantity);
        let collection = self.plans[object].collection as usize;
        let names = &mut self.projection.collections[collection].quantities;
        let place = names.iter().position(|known| *known == column).unwrap_or_else(|| {
            names.push(column);
            names.len() - 1
        });
        let known = self.quantities.iter().position(|column| *column == (collection, place));
        known.unwrap_or_else(|| {
            self.quantities.push((collection, place));
            self.quantities.len() - 1
        }) as u32
    }

    fn scalar_column(&mut self, name: &str) -> u32 {
        let scalars = &mut self.projection.scalars;
        scalars.iter().position(|known| known == name).unwrap_or_else(|| {
            scalars.push(name.to_owned());
            scalars.len() - 1
        }) as u32
    }

    fn parse_variable(&mut self, index: usize, variable: &Variable) -> Option<Expression> {
        let parsed = match parse_expression(&variable.value) {
            Ok(expression) => Some(expression),
            Err(why) => {
                self.mistake(Part::Variable(index), why);
                None
            }
        };
        self.parsed.push(parsed.clone());
        parsed
    }

    fn cut(&mut self, index: usize, cut: &Cut, cuts: &[Cut]) {
        if cuts[..index].iter().any(|other| other.name == cut.name) {
            self.mistake(Part::Cut(index, "name"), format!("a cut above is also named '{}'", cut.name));
        }
        let requirement = match parse_requirement(&cut.require) {
            Ok(requirement) => requirement,
            Err(why) => return self.mistake(Part::Cut(index, "require"), why),
        };
        let known = self.variables.len();
        let compiled = self.value(&requirement.left, 0, known).and_then(|()| self.value(&requirement.right, 1, known));
        if let Err(why) = compiled {
            return self.mistake(Part::Cut(index, "require"), format!("'{}', {why}", cut.require));
        }
        let fault = self.fault(format!("a value compared in '{}' (the cut '{}')", cut.require, cut.name));
        self.emit(Instruction { first: number_of(requirement.comparison), fault, ..instruction(Operation::Require) });
    }

    fn variable(&mut self, index: usize, value: Option<Expression>) {
        let Some(value) = value else { return };
        match self.value(&value, 0, index) {
            Ok(()) => self.emit(Instruction { first: index as u32, ..instruction(Operation::Store) }),
            Err(why) => {
                let text = &self.variables[index].value;
                self.mistake(Part::Variable(index), format!("'{text}', {why}"));
            }
        }
    }

    fn emit(&mut self, instruction: Instruction) {
        self.instructions.push(instruction);
    }

    /// Emits the code that pushes the value; `held` operands are on the stack, the first `known` variables have names.
    fn value(&mut self, expression: &Expression, held: usize, known: usize) -> Result<(), String> {
        if held == STACK {
            return Err(format!("more than {STACK} values are held at once; name a part of it in [variables]"));
        }
        match expression {
            Expression::Number(number) => self.emit(Instruction { number: *number, ..instruction(Operation::Number) }),
            Expression::Name(name) => self.name(name, held, known)?,
            Expression::Count(object) => {
                let first = self.object_named(object)? as u32;
                self.emit(Instruction { first, ..instruction(Operation::Count) });
            }
            Expression::Quantity { place, quantity } => {
                let (object, first) = self.slot(place)?;
                let second = self.quantity_column(object as usize, &quantity.word);
                self.emit(Instruction { first, second, first_object: object, ..instruction(Operation::Quantity) });
            }
            Expression::Pair { function, first, second } => self.pair(*function, first, second)?,
            Expression::Absolute(inner) => {
                self.value(inner, held, known)?;
                self.emit(instruction(Operation::Absolute));
            }
            Expression::Extreme(which, first, second) => {
                self.value(first, held, known)?;
                self.value(second, held + 1, known)?;
                self.emit(instruction(match which {
                    Extreme::Maximum => Operation::Maximum,
                    Extreme::Minimum => Operation::Minimum,
                }));
            }
        }
        Ok(())
    }

    fn name(&mut self, name: &Name, held: usize, known: usize) -> Result<(), String> {
        let column = name.column;
        if let Some(index) = self.variables[..known].iter().position(|variable| variable.name == name.word) {
            // A variable that did not parse is reported once, where it is defined.
            let Some(value) = self.parsed[index].clone() else { return Ok(()) };
            self.value(&value, held, index)
                .map_err(|why| format!("column {column}: variable '{}': {why}", name.word))?;
            self.emit(instruction(Operation::Round));
            return Ok(());
        }
        if self.objects.iter().any(|object| object.name == name.word) {
            let word = &name.word;
            return Err(format!("column {column}: '{word}' is an object; write {word}[0].pt or count({word})"));
        }
        let later = self.variables.iter().skip(known + 1).any(|variable| variable.name == name.word);
        if later {
            return Err(format!("column {column}: the variable '{}' is defined further down; move it up", name.word));
        }
        let first = self.scalar_column(&name.word);
        self.emit(Instruction { first, ..instruction(Operation::Scalar) });
        Ok(())
    }

    fn pair(&mut self, function: PairFunction, first: &Place, second: &Place) -> Result<(), String> {
        let (first_object, first_slot) = self.slot(first)?;
        let (second_object, second_slot) = self.slot(second)?;
        for object in [first_object as usize, second_object as usize] {
            self.plans[object].eta = self.quantity_column(object, "eta");
            self.plans[object].phi = self.quantity_column(object, "phi");
            if function == PairFunction::Mass {
                self.plans[object].mass = self.quantity_column(object, "mass");
            }
        }
        let operation = match function {
            PairFunction::Mass => Operation::PairMass,
            PairFunction::Pt => Operation::PairPt,
            PairFunction::DeltaR => Operation::PairDeltaR,
        };
        let first = first_slot;
        self.emit(Instruction { first, second: second_slot, first_object, second_object, ..instruction(operation) });
        Ok(())
    }

    fn object_named(&self, name: &Name) -> Result<usize, String> {
        let names = || self.objects.iter().map(|object| object.name.as_str());
        names().position(|known| known == name.word).ok_or_else(|| {
            let hint = match nearest(&name.word, names()) {
                Some(near) => format!("did you mean '{near}'?"),
                None if self.objects.is_empty() => "define it in [objects]".to_owned(),
                None => format!("known are {}", names().collect::<Vec<_>>().join(", ")),
            };
            format!("column {}: unknown object '{}'; {hint}", name.column, name.word)
        })
    }

    /// The object and, within it, the slot of a place; slots are counted over all objects when the program is whole.
    fn slot(&mut self, place: &Place) -> Result<(u32, u32), String> {
        // A slot takes four bytes of shared memory a thread; places beyond the 16th are nobody's jets.
        const MOST: u32 = 16;
        let object = self.object_named(&place.object)?;
        let (column, name) = (place.object.column, &place.object.word);
        if let Some(leading) = self.objects[object].leading.filter(|leading| place.rank >= *leading) {
            return Err(format!("column {column}: {name}[{}] never exists, since leading = {leading}", place.rank));
        }
        if place.rank >= MOST {
            return Err(format!(
                "column {column}: {name}[{}] is out of reach; the last place is {}",
                place.rank,
                MOST - 1
            ));
        }
        self.plans[object].slots = self.plans[object].slots.max(place.rank + 1);
        Ok((object as u32, place.rank))
    }

    fn finish(mut self, cuts: usize, weight: &Weight) -> (Program, Vec<Mistake>) {
        let mut slots = 0;
        for plan in &mut self.plans {
            plan.first_slot = slots;
            slots += plan.slots;
        }
        for step in &mut self.instructions {
            let pair = matches!(step.operation, Operation::PairMass | Operation::PairPt | Operation::PairDeltaR);
            if pair || step.operation == Operation::Quantity {
                step.first += self.plans[step.first_object as usize].first_slot;
            }
            if pair {
                step.second += self.plans[step.second_object as usize].first_slot;
            }
        }
        let weight_column = weight.column.as_ref().map_or(NONE, |column| self.scalar_column(column));
        let program = Program {
            projection: self.projection,
            quantities: self.quantities,
            objects: self.plans,
            item_cuts: self.item_cuts,
            instructions: self.instructions,
            slots: slots as usize,
            cuts,
            variables: self.variables.len(),
            weight_column,
            compared: self.compared,
        };
        (program, self.mistakes)
    }
}

fn instruction(operation: Operation) -> Instruction {
    Instruction { operation, first: 0, second: 0, first_object: 0, second_object: 0, fault: 0, number: 0.0 }
}

/// The numbers of `kernels/selection/select.cuh`.
fn number_of(comparison: Comparison) -> u32 {
    match comparison {
        Comparison::Above => 0,
        Comparison::AtLeast => 1,
        Comparison::Below => 2,
        Comparison::AtMost => 3,
        Comparison::Equal => 4,
    }
}
