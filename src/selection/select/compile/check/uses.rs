//! Where texts need columns. Only the files tell whether these are there and of which type; the reader then quotes the text.

use super::super::names::Entity;
use super::super::objects::columns_of;
use super::super::typed::{Form, Item, Typed};
use super::{Checker, Scope};
use crate::events::{ColumnUse, Wanted};
use crate::selection::expression::Span;
use crate::selection::select::Definition;

/// A column as a text knows it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Known {
    Scalar(String),
    /// Object, quantity.
    Quantity(usize, String),
    /// Object: all quantities of which a momentum is made.
    Momentum(usize),
}

/// The first place that needs a column so.
#[derive(Debug, Clone)]
pub(in super::super) struct Use {
    known: Known,
    wanted: Wanted,
    key: String,
    quoted: String,
    defined: Option<String>,
}

impl Checker<'_> {
    /// A part of the text needs a column.
    pub(super) fn used(&mut self, known: Known, wanted: Wanted, span: Span) {
        if self.uses.iter().any(|one| one.wanted == wanted && one.known == known) {
            return;
        }
        // The order that nobody wrote is not quoted.
        let unwritten = match self.here.scope {
            Scope::Object(object) => {
                self.definition.objects[object].order.is_none()
                    && self.here.path.last().is_some_and(|key| key == "order")
            }
            _ => false,
        };
        let quoted = if unwritten { String::new() } else { span.show(self.here.text) };
        let defined = match &known {
            Known::Scalar(name) => self.names.nearest(name).map(str::to_owned),
            _ => None,
        };
        self.uses.push(Use { known, wanted, key: self.here.path.join("."), quoted, defined });
    }

    /// A key that is no text needs a quantity.
    pub(super) fn used_by_key(&mut self, path: &[&str], object: usize, quantity: &str) {
        let known = Known::Quantity(object, quantity.to_owned());
        if !self.uses.iter().any(|one| one.known == known) {
            let (key, quoted) = (path.join("."), String::new());
            self.uses.push(Use { known, wanted: Wanted::Number, key, quoted, defined: None });
        }
    }

    /// The columns of which a value is made without becoming another kind of number are used as flags or places.
    pub(super) fn used_as(&mut self, typed: &Typed, wanted: Wanted, span: Span) {
        match &typed.form {
            Form::Scalar(name) => self.used(Known::Scalar(name.clone()), wanted, span),
            Form::Quantity(item, name) => {
                if let Some(object) = self.object_of_item(item) {
                    self.used(Known::Quantity(object, name.clone()), wanted, span);
                }
            }
            Form::Definition(index) => {
                if let Some(definition) = self.need_variable(*index, span) {
                    self.used_as(&definition, wanted, span);
                }
            }
            Form::Chain(first, rest) if wanted == Wanted::Place => {
                self.used_as(first, wanted, span);
                rest.iter().for_each(|(_, next)| self.used_as(next, wanted, span));
            }
            _ => {}
        }
    }

    /// The object that an item is of.
    pub(super) fn object_of_item(&self, item: &Item) -> Option<usize> {
        match item {
            Item::Place(object, _) | Item::Computed(object, _) | Item::Named(_, object) | Item::Loop(object, _) => {
                Some(*object)
            }
            Item::OfPair(pair, which) => match self.names.get(&self.definition.pairs[*pair].of[*which as usize]) {
                Some(Entity::Object(object)) => Some(object),
                _ => None,
            },
        }
    }
}

/// The uses in the names of the file.
pub(in super::super) fn of_columns(definition: &Definition, uses: Vec<Use>) -> Vec<ColumnUse> {
    let mut all = Vec::new();
    for Use { known, wanted, key, quoted, defined } in uses {
        let columns: Vec<(Option<&str>, &str)> = match &known {
            Known::Scalar(name) => vec![(None, name)],
            Known::Quantity(object, name) => columns_of(&definition.objects[*object], name),
            Known::Momentum(object) => {
                definition.objects[*object].from.iter().map(|collection| (Some(collection.as_str()), "")).collect()
            }
        };
        for (collection, name) in columns {
            let (collection, name) = (collection.map(str::to_owned), name.to_owned());
            let (key, quoted, defined) = (key.clone(), quoted.clone(), defined.clone());
            all.push(ColumnUse { collection, name, wanted, key, quoted, defined });
        }
    }
    all
}
