//! Calls.

use std::rc::Rc;

use super::super::names::Entity;
use super::super::typed::{Domain, Form, Kind, Nature, Typed};
use super::operators::joint_nature;
use super::{Checker, Found, Scope, Shape};
use crate::selection::expression::{Function, Node, Span, Tree, Word};
use crate::selection::select::program::{Code, Fold};

impl Checker<'_> {
    pub(super) fn call(&mut self, span: Span, name: &Word, arguments: &[Tree]) -> Option<Found> {
        let Some(function) = Function::named(&name.text) else {
            let hint = self.hint_for_function(&name.text);
            self.slip(name.span, format!("unknown function '{}'; {hint}", name.text));
            // What it was given may be wrong, too.
            for argument in arguments {
                self.value(argument);
            }
            return None;
        };
        if let Some(message) = function.refuse(arguments.len()) {
            self.slip(span, message);
            return None;
        }
        match function {
            Function::Count => self.count(span, &arguments[0]),
            Function::Separation => self.separation(span, &arguments[0]),
            _ => {
                let found = self.values(arguments)?;
                self.apply(span, function, found)
            }
        }
    }

    fn hint_for_function(&self, word: &str) -> String {
        let short: String = word.chars().take(100).collect();
        match (self.names.get(word), Function::nearest(&short)) {
            (Some(Entity::Object(_)), _) => format!("'{word}' is an object, its items are {word}[0], {word}[1], ..."),
            (Some(_), _) => format!("'{word}' is a name, write it without parentheses"),
            (None, Some(near)) => format!("did you mean '{near}'?"),
            (None, None) => format!("known are {}", Function::names().collect::<Vec<_>>().join(", ")),
        }
    }

    fn apply(&mut self, span: Span, function: Function, found: Vec<Found>) -> Option<Found> {
        let code = match function {
            Function::Absolute => Code::Absolute,
            Function::SquareRoot => Code::SquareRoot,
            Function::Exponential => Code::Exponential,
            Function::Logarithm => Code::Logarithm,
            Function::Sine => Code::Sine,
            Function::Cosine => Code::Cosine,
            Function::HyperbolicSine => Code::HyperbolicSine,
            Function::HyperbolicCosine => Code::HyperbolicCosine,
            Function::ArcTangent => Code::ArcTangent,
            Function::Hypotenuse => Code::Hypotenuse,
            Function::Power => Code::Power,
            Function::Floor => Code::Floor,
            Function::Otherwise => Code::Otherwise,
            Function::Finite => Code::Finite,
            Function::Minimum | Function::Maximum => return self.extreme(span, function, found),
            Function::DeltaPhi => return self.delta_phi(span, found),
            Function::DeltaR | Function::TransverseMass => return self.between(span, function, found),
            Function::Where => return self.choose(span, found),
            Function::SplitFold => return self.split_fold(span, found),
            Function::Momentum => {
                let found = self.all_of(found, Self::number)?;
                let shape = self.shape(&found)?;
                let form = Form::Momentum(found.into_iter().map(|one| one.typed).collect());
                return Some(shape.found(span, Kind::Momentum, Nature::Measured, form));
            }
            Function::Mass | Function::Pt | Function::Eta | Function::Phi | Function::Rapidity => {
                let found = self.all_of(found, Self::momentum)?;
                let shape = self.shape(&found)?;
                return found.into_iter().next().map(|one| part(shape, span, function, one));
            }
            _ => return self.reduction(span, function, found.into_iter().next()?),
        };
        let found = self.all_of(found, Self::number)?;
        let shape = self.shape(&found)?;
        let nature = match code {
            Code::Floor => Nature::Integer,
            Code::Absolute | Code::Otherwise => joint_nature(&found),
            _ => Nature::Measured,
        };
        let kind = if code == Code::Finite { Kind::Condition } else { Kind::Number };
        Some(shape.found(span, kind, nature, Form::Apply(code, found.into_iter().map(|one| one.typed).collect())))
    }

    fn extreme(&mut self, span: Span, function: Function, mut found: Vec<Found>) -> Option<Found> {
        if found.len() == 1 {
            return self.reduction(span, function, found.remove(0));
        }
        let found = self.all_of(found, Self::number)?;
        let code = if function == Function::Minimum { Code::Minimum } else { Code::Maximum };
        self.chain(span, Kind::Number, vec![code; found.len() - 1], found)
    }

    fn delta_phi(&mut self, span: Span, found: Vec<Found>) -> Option<Found> {
        let angles: Vec<Option<Found>> = found
            .into_iter()
            .map(|one| match one.typed.kind {
                Kind::Momentum => {
                    let shape = self.shape([&one])?;
                    Some(part(shape, one.span, Function::Phi, one))
                }
                _ => self.number(one),
            })
            .collect();
        let angles = angles.into_iter().collect::<Option<Vec<_>>>()?;
        let shape = self.shape(&angles)?;
        let form = Form::Apply(Code::DeltaPhi, angles.into_iter().map(|one| one.typed).collect());
        Some(shape.found(span, Kind::Number, Nature::Measured, form))
    }

    fn between(&mut self, span: Span, function: Function, found: Vec<Found>) -> Option<Found> {
        let found = self.all_of(found, Self::momentum)?;
        let shape = self.shape(&found)?;
        let mut momenta = found.into_iter().map(|one| one.typed);
        let form = Form::Between(function, Rc::new([momenta.next()?, momenta.next()?]));
        Some(shape.found(span, Kind::Number, Nature::Measured, form))
    }

    fn choose(&mut self, span: Span, found: Vec<Found>) -> Option<Found> {
        let mut found = found.into_iter();
        let (condition, one, other) = (found.next()?, found.next()?, found.next()?);
        let condition = self.condition(condition);
        let both_conditions = [&one, &other].iter().all(|value| value.typed.kind == Kind::Condition);
        let kind = if both_conditions { Kind::Condition } else { Kind::Number };
        let values = match kind {
            Kind::Condition => Some(vec![one, other]),
            _ => self.all_of(vec![one, other], Self::number),
        };
        let (condition, values) = (condition?, values?);
        let shape = self.shape(std::iter::once(&condition).chain(&values))?;
        let nature = joint_nature(&values);
        let parts = std::iter::once(condition).chain(values).map(|value| value.typed).collect();
        Some(shape.found(span, kind, nature, Form::Apply(Code::Choose, parts)))
    }

    fn split_fold(&mut self, span: Span, found: Vec<Found>) -> Option<Found> {
        // The hash is one of 2^24 numbers.
        let folds = 1.0..=16_777_216.0;
        if let Some(odd) = found.iter().find(
            |one| !matches!(one.typed.form, Form::Number(number) if folds.contains(&number) && number.trunc() == number),
        ) {
            let source = self.source(odd.span);
            let message = format!("'{source}' is no number of folds; write an integer from 1 on: fold(5)");
            self.slip(odd.span, message);
            return None;
        }
        let found = self.all_of(found, Self::number)?;
        let shape = self.shape(&found)?;
        let hash = Typed { nature: Nature::Column, form: Form::Scalar("fold_hash".to_owned()), ..Typed::number(0.0) };
        let number = found.into_iter().next()?.typed;
        let product = Form::Chain(Rc::new(hash), [(Code::Multiply, number)].into());
        let product = shape.found(span, Kind::Number, Nature::Measured, product).typed;
        Some(shape.found(span, Kind::Number, Nature::Integer, Form::Apply(Code::Floor, [product].into())))
    }

    fn count(&mut self, span: Span, argument: &Tree) -> Option<Found> {
        let entity = match &argument.node {
            Node::Name(name) => self.names.get(name),
            _ => None,
        };
        let (form, height) = match (entity, &argument.node) {
            (Some(Entity::Object(object)), _) => (Form::Count(object), self.need_object(object, argument.span)?),
            (Some(Entity::Pair(pair)), _) => (Form::PairCount(pair), self.need_pair(pair, argument.span)?),
            (None, Node::Name(name)) => {
                let hint = self.names.hint_for_object(name);
                self.slip(argument.span, format!("unknown object '{name}'; {hint}"));
                return None;
            }
            _ => {
                let found = self.value(argument)?;
                return self.reduction(span, Function::Count, found);
            }
        };
        let typed = Typed { form, height: height + 1, ..Typed::number(0.0) };
        Some(self.leaf(span, typed))
    }

    /// A value over the items of one object.
    fn reduction(&mut self, span: Span, function: Function, found: Found) -> Option<Found> {
        let condition = matches!(function, Function::Count | Function::Any | Function::All);
        let momentum = function == Function::Sum && found.typed.kind == Kind::Momentum;
        if function == Function::Sum && found.typed.kind == Kind::Condition {
            self.slip(found.span, "a sum is of numbers; how many items meet a condition is count(...)");
            return None;
        }
        let found = match (condition, momentum) {
            (true, _) => self.condition(found)?,
            (false, true) => found,
            (false, false) => self.number(found)?,
        };
        let source = self.source(found.span);
        let Domain::Each(object) = found.typed.domain else {
            let (name, usage) = (function.name(), function.usage());
            let message = match found.typed.domain {
                Domain::Own => {
                    format!("{name} runs over all items of an object, but '{source}' is of a single one: {usage}")
                }
                _ => {
                    let hint = match &found.typed.form {
                        Form::Scalar(column) => self.names.quantity_of_an_object(column),
                        _ => None,
                    };
                    let hint = hint.map_or(usage.to_owned(), |meant| format!("did you mean '{meant}'?"));
                    format!("{name} runs over the items of an object, but '{source}' is one value of the event: {hint}")
                }
            };
            self.slip(found.span, message);
            return None;
        };
        let shape = self.shape([&found])?;
        let shape = Shape { domain: Domain::Event, height: shape.height + 1, ..shape };
        let integer = joint_nature([&found]);
        let inner = Rc::new(found.typed);
        let fold = |kind, fold, inner| Form::Fold(fold, object, inner).of(kind);
        let number = Kind::Number;
        let (nature, (kind, form)) = match function {
            Function::Minimum => (integer, fold(number, Fold::Minimum, inner)),
            Function::Maximum => (integer, fold(number, Fold::Maximum, inner)),
            Function::PlaceOfMinimum => (Nature::Integer, fold(number, Fold::PlaceOfMinimum, inner)),
            Function::PlaceOfMaximum => (Nature::Integer, fold(number, Fold::PlaceOfMaximum, inner)),
            Function::Sum if momentum => (Nature::Measured, fold(Kind::Momentum, Fold::Sum, inner)),
            Function::Sum => (integer, fold(number, Fold::Sum, inner)),
            Function::Count => (Nature::Integer, fold(number, Fold::Sum, inner)),
            // Any: their number is above 0; all: the number of the others is 0.
            any_or_all => {
                let all = any_or_all == Function::All;
                let height = inner.height + 1;
                let counted = if all {
                    let domain = inner.domain;
                    let form = Form::Apply(Code::Not, [(*inner).clone()].into());
                    Rc::new(Typed { kind: Kind::Condition, domain, nature: Nature::Integer, form, height })
                } else {
                    inner
                };
                let form = Form::Fold(Fold::Sum, object, counted);
                let counted = Typed { form, height: height + 1, ..Typed::number(0.0) };
                let code = if all { Code::Equal } else { Code::Above };
                let form = Form::Compare(code, Rc::new([counted, Typed::number(0.0)]), String::new());
                let shape = Shape { height: height + 2, ..shape };
                return Some(shape.found(span, Kind::Condition, Nature::Integer, form));
            }
        };
        Some(shape.found(span, kind, nature, form))
    }

    fn separation(&mut self, span: Span, argument: &Tree) -> Option<Found> {
        let Node::Name(name) = &argument.node else {
            self.slip(argument.span, "separation is from an object: separation(lepton)");
            return None;
        };
        let Some(Entity::Object(object)) = self.names.get(name) else {
            let hint = self.names.hint_for_object(name);
            self.slip(argument.span, format!("unknown object '{name}'; {hint}"));
            return None;
        };
        let Scope::Object(own) = self.here.scope else {
            let message = format!(
                "separation is of the item that is being selected, in keep and order of an object; elsewhere write \
                 min(deltaR({name}, x)) for a momentum x"
            );
            self.slip(span, message);
            return None;
        };
        let height = self.need_object(object, argument.span)? + 1;
        let form = Form::Separation(own, object);
        let typed = Typed { kind: Kind::Number, domain: Domain::Own, nature: Nature::Measured, form, height };
        Some(self.leaf(span, typed))
    }
}

impl Form {
    fn of(self, kind: Kind) -> (Kind, Self) {
        (kind, self)
    }
}

fn part(shape: Shape, span: Span, function: Function, momentum: Found) -> Found {
    shape.found(span, Kind::Number, Nature::Measured, Form::Part(function, Rc::new(momentum.typed)))
}
