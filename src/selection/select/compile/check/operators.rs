//! Operators, and what kind of value is expected where.

use std::rc::Rc;

use super::super::typed::{Form, Kind, Nature, Typed};
use super::{Checker, Found};
use crate::events::Wanted;
use crate::selection::expression::{Comparison, Factor, Node, Sign, Span, Tree};
use crate::selection::select::program::Code;

/// The nature of what is computed of these by operations that keep integers.
pub(super) fn joint_nature<'f>(parts: impl IntoIterator<Item = &'f Found>) -> Nature {
    let measured = parts.into_iter().any(|part| part.typed.nature == Nature::Measured);
    if measured { Nature::Measured } else { Nature::Integer }
}

impl Checker<'_> {
    /// The value as a number.
    pub(super) fn number(&mut self, found: Found) -> Option<Found> {
        let source = self.source(found.span);
        let message = match found.typed.kind {
            Kind::Number => return Some(found),
            Kind::Condition => format!("'{source}' is a condition, not a number; where(condition, 1, 0) makes it one"),
            Kind::Momentum => match self.object_named(&found) {
                Some(name) => format!("'{name}' is an object, not a number; write count({name}) or {name}[0].pt"),
                None => format!("'{source}' is a four-momentum, not a number; write its mass(...), pt(...), eta(...)"),
            },
        };
        self.slip(found.span, message);
        None
    }

    /// The value as a condition; a column is one as a flag.
    pub(super) fn condition(&mut self, found: Found) -> Option<Found> {
        let source = self.source(found.span);
        match (found.typed.kind, found.typed.nature) {
            (Kind::Condition, _) => Some(found),
            (Kind::Number, Nature::Column) => {
                self.used_as(&found.typed, Wanted::Flag, found.span);
                let shape = self.shape([&found])?;
                let form = Form::Truth(Rc::new(found.typed), self.words(found.span));
                Some(shape.found(found.span, Kind::Condition, Nature::Integer, form))
            }
            (Kind::Number, _) => {
                let message = format!("'{source}' is a number, not a condition; compare it: {source} > 0");
                self.slip(found.span, message);
                None
            }
            (Kind::Momentum, _) => {
                let message = match self.object_named(&found) {
                    Some(name) => format!("'{name}' is an object, not a condition; write count({name}) > 0"),
                    None => format!("'{source}' is a four-momentum, not a condition; compare its mass(...) or pt(...)"),
                };
                self.slip(found.span, message);
                None
            }
        }
    }

    pub(super) fn momentum(&mut self, found: Found) -> Option<Found> {
        if found.typed.kind == Kind::Momentum {
            return Some(found);
        }
        let what = if found.typed.kind == Kind::Number { "number" } else { "condition" };
        let source = self.source(found.span);
        let message = format!(
            "'{source}' is a {what}; a four-momentum is expected: an item such as jet[0], a sum of them, or \
             momentum(pt, eta, phi, mass)"
        );
        self.slip(found.span, message);
        None
    }

    /// The name of the object that a value is, if it is one.
    fn object_named(&self, found: &Found) -> Option<String> {
        let source = self.source(found.span);
        self.definition.objects.iter().find(|object| object.name == source).map(|object| object.name.clone())
    }

    pub(super) fn all_of(
        &mut self,
        found: Vec<Found>,
        rule: fn(&mut Self, Found) -> Option<Found>,
    ) -> Option<Vec<Found>> {
        let found: Vec<Option<Found>> = found.into_iter().map(|one| rule(self, one)).collect();
        found.into_iter().collect()
    }

    pub(super) fn negate(&mut self, span: Span, inner: &Tree) -> Option<Found> {
        if let Node::Number(number) = inner.node {
            return Some(self.leaf(span, Typed::number(-number)));
        }
        let found = self.value(inner)?;
        if found.typed.kind == Kind::Condition {
            self.slip(span, "a condition has no sign; 'not' is written '!'");
            return None;
        }
        let found = self.number(found)?;
        let (shape, nature) = (self.shape([&found])?, joint_nature([&found]));
        Some(shape.found(span, Kind::Number, nature, Form::Apply(Code::Negate, [found.typed].into())))
    }

    pub(super) fn not(&mut self, span: Span, inner: &Tree) -> Option<Found> {
        let found = self.value(inner)?;
        if found.typed.kind == Kind::Number && found.typed.nature != Nature::Column {
            let source = self.source(found.span);
            let message = format!("'{source}' is a number; '!' is of a condition and binds tightly: !({source} > 0)");
            self.slip(span, message);
            return None;
        }
        let found = self.condition(found)?;
        let shape = self.shape([&found])?;
        Some(shape.found(span, Kind::Condition, Nature::Integer, Form::Apply(Code::Not, [found.typed].into())))
    }

    pub(super) fn sum(&mut self, span: Span, first: &Tree, rest: &[(Sign, Tree)]) -> Option<Found> {
        let found = self.values(std::iter::once(first).chain(rest.iter().map(|(_, tree)| tree)))?;
        let kind = found[0].typed.kind;
        if kind != Kind::Momentum {
            let codes = rest.iter().map(|(sign, _)| if *sign == Sign::Plus { Code::Add } else { Code::Subtract });
            let found = self.all_of(found, Self::term)?;
            return self.chain(span, Kind::Number, codes.collect(), found);
        }
        let found = self.all_of(found, Self::momentum)?;
        if let Some((_, tree)) = rest.iter().find(|(sign, _)| *sign == Sign::Minus) {
            self.slip(tree.span, "four-momenta are added only; deltaR(a, b) and deltaPhi(a, b) compare them");
            return None;
        }
        self.chain(span, Kind::Momentum, vec![Code::Add; rest.len()], found)
    }

    /// A term of a sum of numbers.
    fn term(&mut self, found: Found) -> Option<Found> {
        if found.typed.kind == Kind::Momentum && self.object_named(&found).is_none() {
            let source = self.source(found.span);
            let message = format!("'{source}' is a four-momentum, but the first term is none; both must be of a kind");
            self.slip(found.span, message);
            return None;
        }
        self.number(found)
    }

    pub(super) fn product(&mut self, span: Span, first: &Tree, rest: &[(Factor, Tree)]) -> Option<Found> {
        let found = self.values(std::iter::once(first).chain(rest.iter().map(|(_, tree)| tree)))?;
        let found = self.all_of(found, Self::number)?;
        let code = |factor: &Factor| if *factor == Factor::Times { Code::Multiply } else { Code::Divide };
        self.chain(span, Kind::Number, rest.iter().map(|(factor, _)| code(factor)).collect(), found)
    }

    pub(super) fn all_or_any(&mut self, span: Span, parts: &[Tree], code: Code) -> Option<Found> {
        let parts: Vec<Option<Found>> =
            parts.iter().map(|tree| self.value(tree).and_then(|found| self.condition(found))).collect();
        let parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
        self.chain(span, Kind::Condition, vec![code; parts.len() - 1], parts)
    }

    pub(super) fn chain(&mut self, span: Span, kind: Kind, codes: Vec<Code>, found: Vec<Found>) -> Option<Found> {
        let shape = self.shape(&found)?;
        let nature = if codes.contains(&Code::Divide) { Nature::Measured } else { joint_nature(&found) };
        let mut parts = found.into_iter().map(|part| part.typed);
        // The caller gives at least one value.
        let first = parts.next()?;
        let form = Form::Chain(Rc::new(first), codes.into_iter().zip(parts).collect());
        Some(shape.found(span, kind, nature, form))
    }

    /// Whether a column or a definition, which are float32, is held against an integer in whose neighbourhood float32 has
    /// not all of them: it would equal others, too.
    fn beyond_float(&mut self, sides: &[Found]) -> bool {
        const FIRST_WITHOUT_NEIGHBOUR: f64 = 16_777_216.0;
        let literal = sides
            .iter()
            .find(|side| matches!(side.typed.form, Form::Number(number) if number.abs() >= FIRST_WITHOUT_NEIGHBOUR));
        let rounded = |side: &&Found| {
            matches!(side.typed.form, Form::Scalar(_) | Form::Quantity(..) | Form::Definition(_))
                && side.typed.kind == Kind::Number
        };
        let (Some(literal), Some(side)) = (literal, sides.iter().find(rounded)) else { return false };
        let message = format!(
            "{} cannot be told from its neighbours: '{}' is float32, which holds all integers only up to 16777216; \
             survivors keep all digits of run, luminosityBlock and event",
            self.source(literal.span),
            self.source(side.span)
        );
        self.slip(literal.span, message);
        true
    }

    pub(super) fn comparison(
        &mut self,
        span: Span,
        left: &Tree,
        comparison: Comparison,
        right: &Tree,
    ) -> Option<Found> {
        let mut found = self.values([left, right])?;
        let equality = matches!(comparison, Comparison::Equal | Comparison::Unequal);
        let conditions = found.iter().filter(|one| one.typed.kind == Kind::Condition).count();
        if equality && conditions > 0 {
            found = self.all_of(found, Self::condition)?;
        } else {
            if let Some(one) = found.iter().find(|one| one.typed.kind == Kind::Condition) {
                let message =
                    format!("'{}' is a condition; conditions are joined by '&&' and '||'", self.source(one.span));
                self.slip(one.span, message);
                return None;
            }
            found = self.all_of(found, Self::number)?;
            if let Some(measured) = found.iter().find(|one| equality && one.typed.nature == Nature::Measured) {
                let source = self.source(measured.span);
                let message = format!(
                    "'{source}' is measured: that it equals a number is an accident; write abs(x - y) < ..., or \
                     compare counts, integers, columns"
                );
                self.slip(measured.span, message);
                return None;
            }
            if equality && self.beyond_float(&found) {
                return None;
            }
        }
        let shape = self.shape(&found)?;
        let varying = found.iter().filter(|one| !matches!(one.typed.form, Form::Number(_)));
        let words: Vec<String> = varying.map(|one| self.words(one.span)).collect();
        let code = match comparison {
            Comparison::Above => Code::Above,
            Comparison::AtLeast => Code::AtLeast,
            Comparison::Below => Code::Below,
            Comparison::AtMost => Code::AtMost,
            Comparison::Equal => Code::Equal,
            Comparison::Unequal => Code::Unequal,
        };
        let mut sides = found.into_iter().map(|one| one.typed);
        let sides = Rc::new([sides.next()?, sides.next()?]);
        let form = Form::Compare(code, sides, words.join(" or "));
        Some(shape.found(span, Kind::Condition, Nature::Integer, form))
    }
}
