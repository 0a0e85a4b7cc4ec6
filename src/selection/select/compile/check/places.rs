//! Names, members and indices.

use std::rc::Rc;

use super::super::names::Entity;
use super::super::objects::flavour_is_known;
use super::super::typed::{Domain, Form, Item, Kind, Nature, Typed};
use super::uses::Known;
use super::{Checker, Found, Scope};
use crate::error::nearest;
use crate::events::Wanted;
use crate::selection::expression::{Function, Node, Span, Tree, Word};

/// The largest place; nobody has so many jets.
const LAST_PLACE: f64 = 1e6;

/// Quantities of which every file holds measured numbers.
const MEASURED: [&str; 4] = ["pt", "eta", "phi", "mass"];

const PLACE_OF_NONE: &str = "items have places when they are kept and ordered, so not yet here; a column of that name is \
                             quantities = { place = \"place\" }";

fn of_event(kind: Kind, nature: Nature, form: Form, height: usize) -> Typed {
    Typed { kind, domain: Domain::Event, nature, form, height }
}

/// Of a column by the last part of its name: `MET_pt` is measured as `pt` is.
fn nature_of(name: &str) -> Nature {
    let last = name.rsplit(['_', '.']).next().unwrap_or(name);
    if MEASURED.contains(&last) { Nature::Measured } else { Nature::Column }
}

fn scalar(name: &str) -> Typed {
    of_event(Kind::Number, nature_of(name), Form::Scalar(name.to_owned()), 1)
}

impl Checker<'_> {
    pub(super) fn name(&mut self, name: &str, span: Span) -> Option<Found> {
        let condition = |value| of_event(Kind::Condition, Nature::Integer, Form::Number(value), 1);
        let typed = match name {
            "true" => condition(1.0),
            "false" => condition(0.0),
            "pi" => Typed::number(std::f64::consts::PI),
            "first" | "second" => return self.item_of_pair(name, span),
            _ => match self.names.get(name) {
                Some(Entity::Object(index)) => self.each(index, span)?,
                Some(Entity::Pair(index)) => {
                    let height = self.need_pair(index, span)? + 1;
                    of_event(Kind::Momentum, Nature::Measured, Form::Pair(index), height)
                }
                Some(Entity::Variable(index)) => self.named(index, span)?,
                None => return self.column(name, span),
            },
        };
        Some(self.leaf(span, typed))
    }

    /// The item of an object in a reduction.
    fn each(&mut self, index: usize, span: Span) -> Option<Typed> {
        let height = self.need_object(index, span)? + 1;
        self.used(Known::Momentum(index), Wanted::Number, span);
        let form = Form::Item(Item::Loop(index, 0));
        Some(Typed { kind: Kind::Momentum, domain: Domain::Each(index), nature: Nature::Measured, form, height })
    }

    fn item_of_pair(&mut self, name: &str, span: Span) -> Option<Found> {
        let Scope::Pair(pair) = self.here.scope else {
            self.slip(
                span,
                format!("'{name}' is an item of a pair, in [pairs]; elsewhere write z.{name} for a pair z"),
            );
            return None;
        };
        let which = usize::from(name == "second");
        // A pair of objects that nobody knows is reported at its key `of`.
        let Some(Entity::Object(object)) = self.names.get(&self.definition.pairs[pair].of[which]) else { return None };
        self.used(Known::Momentum(object), Wanted::Number, span);
        let form = Form::Item(Item::Loop(object, which as u32));
        let typed = Typed { kind: Kind::Momentum, domain: Domain::Own, nature: Nature::Measured, form, height: 1 };
        Some(self.leaf(span, typed))
    }

    /// A definition: as itself, or, where it only names an item, as that.
    fn named(&mut self, index: usize, span: Span) -> Option<Typed> {
        let typed = self.need_variable(index, span)?;
        let form = match &typed.form {
            Form::Item(item @ (Item::Place(..) | Item::OfPair(..) | Item::Named(..))) => Form::Item(item.clone()),
            Form::Item(Item::Computed(object, _)) => Form::Item(Item::Named(index, *object)),
            Form::Pair(pair) => Form::Pair(*pair),
            _ => Form::Definition(index),
        };
        Some(of_event(typed.kind, typed.nature, form, typed.height + 1))
    }

    /// A name that nobody defined.
    fn column(&mut self, name: &str, span: Span) -> Option<Found> {
        if let Scope::Object(object) = self.here.scope {
            if name == "event" {
                self.slip(span, "'event' is followed by the name of a column: event.MET_pt");
                return None;
            }
            return self.quantity(Item::Loop(object, 0), Domain::Own, 1, span, &Word { text: name.to_owned(), span });
        }
        let message = match name {
            "event" => "'event' is followed by the name of a column: event.MET_pt".to_owned(),
            "flavour" => "'flavour' is of an item: lepton[0].flavour".to_owned(),
            _ => match (Function::named(name), self.names.nearly_made(name)) {
                (Some(function), _) => {
                    format!("'{name}' is a function: {}; a column of that name is event.{name}", function.usage())
                }
                (None, Some(made)) => format!("did you mean '{made}'? A column of that very name is event.{name}"),
                (None, None) => return Some(self.scalar(name, span)),
            },
        };
        self.slip(span, message);
        None
    }

    fn scalar(&mut self, name: &str, span: Span) -> Found {
        self.used(Known::Scalar(name.to_owned()), Wanted::Number, span);
        self.leaf(span, scalar(name))
    }

    pub(super) fn member(&mut self, whole: &Tree, base: &Tree, word: &Word) -> Option<Found> {
        if let Some(name) = event_column(whole) {
            return Some(self.scalar(&name, whole.span));
        }
        if let Node::Name(name) = &base.node
            && self.names.get(name).is_none()
            && !matches!(name.as_str(), "first" | "second" | "true" | "false" | "pi")
        {
            let item = match self.here.scope {
                Scope::Pair(_) => nearest(name, ["first", "second"]),
                _ => None,
            };
            let hint = item.map(|near| format!("did you mean '{near}'?"));
            let hint = hint.unwrap_or_else(|| self.names.hint_for_object(name));
            self.slip(base.span, format!("unknown object '{name}'; {hint}"));
            return None;
        }
        let found = self.value(base)?;
        let source = self.source(base.span);
        if found.typed.kind != Kind::Momentum {
            let what = if found.typed.kind == Kind::Number { "number" } else { "condition" };
            self.slip(word.span, format!("'{source}' is a {what} and has no '{}'", word.text));
            return None;
        }
        let (domain, height) = (found.typed.domain, found.typed.height);
        match (found.typed.form.clone(), word.text.as_str()) {
            (Form::Item(item), _) => self.quantity(item, domain, height, whole.span, word),
            (Form::Pair(pair), "first" | "second") => {
                let form = Form::Item(Item::OfPair(pair, u32::from(word.text == "second")));
                Some(self.leaf(whole.span, of_event(Kind::Momentum, Nature::Measured, form, height)))
            }
            (form, "mass" | "pt" | "eta" | "phi" | "rapidity") => {
                let function = Function::named(&word.text)?;
                let typed = Typed { form, ..found.typed };
                let form = Form::Part(function, Rc::new(typed));
                let typed = Typed { kind: Kind::Number, domain, nature: Nature::Measured, form, height: height + 1 };
                Some(Found { typed, span: whole.span, leaf: found.leaf })
            }
            (form, _) => {
                let items: &[&str] = if matches!(form, Form::Pair(_)) { &["first", "second"] } else { &[] };
                let known = ["mass", "pt", "eta", "phi", "rapidity"].into_iter().chain(items.iter().copied());
                let hint = match nearest(&word.text, known) {
                    Some(near) => format!("; did you mean '{near}'?"),
                    None => String::new(),
                };
                let items = if items.is_empty() { "" } else { ", first and second" };
                let message = format!("'{source}' has mass, pt, eta, phi, rapidity{items}, no '{}'{hint}", word.text);
                self.slip(word.span, message);
                None
            }
        }
    }

    fn quantity(&mut self, item: Item, domain: Domain, height: usize, span: Span, word: &Word) -> Option<Found> {
        let object = self.object_of_item(&item);
        if let Some(Err(why)) = object.map(|object| flavour_is_known(&self.definition.objects[object], &word.text)) {
            self.slip(word.span, why);
            return None;
        }
        if word.text == "place" && !object.is_some_and(|object| self.has_own_places(object)) {
            return self.place_of(&item, domain, height, span, word);
        }
        if let Some(object) = object {
            self.used(Known::Quantity(object, word.text.clone()), Wanted::Number, span);
        }
        let nature = nature_of(&word.text);
        let form = Form::Quantity(item, word.text.clone());
        let typed = Typed { kind: Kind::Number, domain, nature, form, height: height + 1 };
        Some(self.leaf(span, typed))
    }

    /// Whether the object has a quantity that the card calls `place`.
    pub(super) fn has_own_places(&self, object: usize) -> bool {
        self.definition.objects[object].quantities.iter().any(|(name, _)| name == "place")
    }

    /// `jet.place` in a reduction, `first.place` in a pair.
    fn place_of(&mut self, item: &Item, domain: Domain, height: usize, span: Span, word: &Word) -> Option<Found> {
        let built = domain == Domain::Own && matches!(self.here.scope, Scope::Object(_));
        match item {
            Item::Loop(_, which) if !built => {
                let form = Form::Place(*which);
                let typed = Typed { kind: Kind::Number, domain, nature: Nature::Integer, form, height: height + 1 };
                return Some(self.leaf(span, typed));
            }
            Item::Loop(..) => self.slip(word.span, PLACE_OF_NONE),
            _ => self.slip(word.span, "'place' is of each item in turn: any(jet.place > 2), or first.place in [pairs]"),
        }
        None
    }

    pub(super) fn index(&mut self, span: Span, base: &Tree, index: &Tree) -> Option<Found> {
        let Node::Name(name) = &base.node else {
            self.slip(base.span, "only objects have places: jet[0]");
            return None;
        };
        let object = match self.names.get(name) {
            Some(Entity::Object(object)) => object,
            Some(Entity::Pair(_)) => {
                self.slip(
                    base.span,
                    format!("'{name}' is one pair, the best; its items are {name}.first and {name}.second"),
                );
                return None;
            }
            Some(Entity::Variable(_)) => {
                self.slip(base.span, format!("'{name}' is a definition; only objects have places: jet[0]"));
                return None;
            }
            None => {
                let hint = self.names.hint_for_object(name);
                self.slip(base.span, format!("unknown object '{name}'; {hint}"));
                return None;
            }
        };
        let height = self.need_object(object, base.span);
        let (item, own) = self.place(object, name, span, index)?;
        self.used(Known::Momentum(object), Wanted::Number, span);
        let form = Form::Item(item);
        let height = height?.max(own) + 1;
        Some(self.leaf(span, of_event(Kind::Momentum, Nature::Measured, form, height)))
    }

    /// The item at an index, and the levels of the index.
    fn place(&mut self, object: usize, name: &str, span: Span, index: &Tree) -> Option<(Item, usize)> {
        let literal = match &index.node {
            Node::Number(number) => Some(*number),
            Node::Negate(inner) => match inner.node {
                Node::Number(number) => Some(-number),
                _ => None,
            },
            _ => None,
        };
        if let Some(place) = literal {
            let leading = self.definition.objects[object].leading;
            if let Some(leading) = leading.filter(|leading| place >= f64::from(*leading)) {
                self.slip(span, format!("{name}[{place}] never exists, since leading = {leading}"));
                return None;
            }
            let message = if place.is_sign_negative() {
                format!("places count from 0, the first in the object's order; the last is {name}[count({name}) - 1]")
            } else if place.trunc() != place {
                format!("{place} is no place; places are 0, 1, 2, ...")
            } else if place > LAST_PLACE {
                format!("{name}[{place}] is out of reach; the last place is {LAST_PLACE}")
            } else {
                return Some((Item::Place(object, place as u32), 1));
            };
            self.slip(index.span, message);
            return None;
        }
        let found = self.value(index)?;
        let found = self.number(found)?;
        if found.typed.domain != Domain::Event {
            let source = self.source(found.leaf);
            let message = format!("a place is one number for the event, but '{source}' has one for each item");
            self.slip(found.leaf, message);
            return None;
        }
        if found.typed.nature == Nature::Measured {
            let source = self.source(found.span);
            self.slip(found.span, format!("a place is an integer; write floor({source}) if that is what you mean"));
            return None;
        }
        self.used_as(&found.typed, Wanted::Place, found.span);
        let height = found.typed.height;
        Some((Item::Computed(object, Rc::new(found.typed)), height))
    }
}

/// The column of `event.A.b`.
fn event_column(tree: &Tree) -> Option<String> {
    let Node::Member(base, word) = &tree.node else { return None };
    match &base.node {
        Node::Name(name) if name == "event" => Some(word.text.clone()),
        _ => event_column(base).map(|name| format!("{name}.{}", word.text)),
    }
}
