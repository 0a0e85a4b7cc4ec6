//! Resolves names and types of every text, and finds every mistake in them.

mod calls;
mod definitions;
mod operators;
mod places;
mod uses;

use std::rc::Rc;

pub(super) use uses::{Use, of_columns};

use super::Mistake;
use super::names::{Entity, Names};
use super::typed::{Domain, Form, Kind, Nature, Typed};
use crate::selection::expression::{Node, Slip, Span, Tree, parse};
use crate::selection::select::Definition;
use crate::selection::select::program::Code;

/// How many levels an expression may have together with what it uses: what recursion over it can bear.
const TALLEST: usize = 200;

/// A text that is right, for [`Checked`]; what it is about, in words.
pub(super) type Key = (Typed, String);

/// An object that is right.
#[derive(Debug, Clone)]
pub(super) struct CheckedObject {
    pub keep: Vec<Typed>,
    /// What rises from item to item.
    pub key: Option<Key>,
    height: usize,
}

/// A pair that is right.
#[derive(Debug, Clone)]
pub(super) struct CheckedPair {
    pub of: [usize; 2],
    pub keep: Vec<Typed>,
    pub best: Key,
    height: usize,
}

/// A definition without mistakes.
#[derive(Debug, Clone, Default)]
pub(super) struct Checked {
    pub objects: Vec<CheckedObject>,
    pub pairs: Vec<CheckedPair>,
    pub variables: Vec<Rc<Typed>>,
    pub cuts: Vec<Typed>,
    /// What makes an event belong to it, and its cuts.
    pub channels: Vec<(Typed, Vec<Typed>)>,
    pub regions: Vec<Typed>,
    /// The objects of the features.
    pub features: Vec<usize>,
}

/// Where a text stands: what bare names are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Event,
    /// In `keep` or `order` of an object.
    Object(usize),
    /// In `keep` or `best` of a pair.
    Pair(usize),
}

/// The text that is being checked.
#[derive(Debug, Clone)]
struct Here<'a> {
    path: Vec<String>,
    text: &'a str,
    scope: Scope,
}

#[derive(Debug, Clone)]
enum Progress<T> {
    Waiting,
    Running,
    /// Without a value if there were mistakes.
    Done(Option<Rc<T>>),
}

/// A part of a text with its type.
#[derive(Debug, Clone)]
struct Found {
    typed: Typed,
    span: Span,
    /// The name that has a value for each item, if there is one.
    leaf: Span,
}

/// What a combination of values has of them.
#[derive(Debug, Clone, Copy)]
struct Shape {
    domain: Domain,
    leaf: Span,
    height: usize,
}

impl Shape {
    fn found(self, span: Span, kind: Kind, nature: Nature, form: Form) -> Found {
        let typed = Typed { kind, domain: self.domain, nature, form, height: self.height };
        Found { typed, span, leaf: self.leaf }
    }
}

pub(super) struct Checker<'a> {
    definition: &'a Definition,
    names: Names<'a>,
    objects: Vec<Progress<CheckedObject>>,
    pairs: Vec<Progress<CheckedPair>>,
    variables: Vec<Progress<Typed>>,
    /// What is being checked because something needs it, the innermost last.
    running: Vec<Entity>,
    depth: usize,
    here: Here<'a>,
    mistakes: Vec<Mistake>,
    uses: Vec<Use>,
}

/// Checks everything; `None` if there are mistakes. Also where columns are needed.
pub(super) fn check(definition: &Definition, mistakes: &mut Vec<Mistake>) -> (Option<Checked>, Vec<Use>) {
    let mut own = Vec::new();
    let mut checker = Checker {
        definition,
        names: Names::new(definition, &mut own),
        objects: vec![Progress::Waiting; definition.objects.len()],
        pairs: vec![Progress::Waiting; definition.pairs.len()],
        variables: vec![Progress::Waiting; definition.variables.len()],
        running: Vec::new(),
        depth: 0,
        here: Here { path: Vec::new(), text: "", scope: Scope::Event },
        mistakes: own,
        uses: Vec::new(),
    };
    let checked = checker.everything();
    let found = !checker.mistakes.is_empty();
    mistakes.append(&mut checker.mistakes);
    (if found { None } else { checked }, checker.uses)
}

impl<'a> Checker<'a> {
    /// A mistake that is at no place of a text.
    fn refuse(&mut self, path: &[&str], why: impl Into<String>) {
        let path = path.iter().map(|key| (*key).to_owned()).collect();
        self.mistakes.push(Mistake { path, why: why.into() });
    }

    fn slip(&mut self, span: Span, message: impl Into<String>) {
        let why = Slip::new(span, message).show(self.here.text);
        self.mistakes.push(Mistake { path: self.here.path.clone(), why });
    }

    /// Once is enough: mending it changes all others.
    fn too_tall(&mut self, span: Span) {
        const MESSAGE: &str = "too many definitions and levels build on each other here";
        if !self.mistakes.iter().any(|known| known.why.starts_with(MESSAGE)) {
            self.slip(span, MESSAGE);
        }
    }

    fn source(&self, span: Span) -> String {
        span.of(self.here.text)
    }

    /// That part of the text in words that also tell of which object it is.
    fn words(&self, span: Span) -> String {
        let source = self.source(span);
        let whose = match self.here.scope {
            Scope::Event => return source,
            Scope::Object(object) => &self.definition.objects[object].name,
            Scope::Pair(pair) => &self.definition.pairs[pair].name,
        };
        let bare =
            super::names::is_identifier(&source) || source.starts_with("first.") || source.starts_with("second.");
        if bare && !source.contains(' ') { format!("{whose}.{source}") } else { format!("{source} of {whose}") }
    }

    /// Checks a text by a rule for what it must be.
    fn text<T>(
        &mut self,
        path: &[&str],
        text: &'a str,
        scope: Scope,
        rule: fn(&mut Self, Found) -> Option<T>,
    ) -> Option<T> {
        let path = path.iter().map(|key| (*key).to_owned()).collect();
        let before = std::mem::replace(&mut self.here, Here { path, text, scope });
        let result = match parse(text) {
            Ok(tree) => {
                self.value(&tree).and_then(|found| self.of_one_value(found)).and_then(|found| rule(self, found))
            }
            Err(slip) => {
                self.slip(slip.span, slip.message);
                None
            }
        };
        self.here = before;
        result
    }

    /// A whole text has one value: for the event, or for the item that is being selected.
    fn of_one_value(&mut self, found: Found) -> Option<Found> {
        let Domain::Each(object) = found.typed.domain else { return Some(found) };
        let (name, leaf) = (&self.definition.objects[object].name, self.source(found.leaf));
        let message = if leaf == *name {
            format!("'{name}' is an object; write count({name}), {name}[0].pt, or a reduction: max({name}.pt)")
        } else {
            let tail = leaf.strip_prefix(name.as_str()).filter(|tail| tail.starts_with('.')).unwrap_or(".pt");
            format!(
                "'{leaf}' has a value for each {name}; reduce it with max(...), sum(...), any(...), or index it: \
                 {name}[0]{tail}"
            )
        };
        self.slip(found.leaf, message);
        None
    }

    fn value(&mut self, tree: &Tree) -> Option<Found> {
        if self.depth > TALLEST {
            self.too_tall(tree.span);
            return None;
        }
        self.depth += 1;
        let found = match &tree.node {
            Node::Number(number) => Some(self.leaf(tree.span, Typed::number(*number))),
            Node::Name(name) => self.name(name, tree.span),
            Node::Member(base, word) => self.member(tree, base, word),
            Node::Index(base, index) => self.index(tree.span, base, index),
            Node::Call(name, arguments) => self.call(tree.span, name, arguments),
            Node::Negate(inner) => self.negate(tree.span, inner),
            Node::Not(inner) => self.not(tree.span, inner),
            Node::Sum(first, rest) => self.sum(tree.span, first, rest),
            Node::Product(first, rest) => self.product(tree.span, first, rest),
            Node::Comparison(left, comparison, right) => self.comparison(tree.span, left, *comparison, right),
            Node::All(parts) => self.all_or_any(tree.span, parts, Code::And),
            Node::Any(parts) => self.all_or_any(tree.span, parts, Code::Or),
        };
        self.depth -= 1;
        found
    }

    fn leaf(&self, span: Span, typed: Typed) -> Found {
        Found { typed, span, leaf: span }
    }

    /// All of them, after every one was checked.
    fn values<'t>(&mut self, trees: impl IntoIterator<Item = &'t Tree>) -> Option<Vec<Found>> {
        let found: Vec<Option<Found>> = trees.into_iter().map(|tree| self.value(tree)).collect();
        found.into_iter().collect()
    }

    /// What a combination of these has: they must be of one object, or of the event.
    fn shape<'f>(&mut self, parts: impl IntoIterator<Item = &'f Found>) -> Option<Shape> {
        let mut shape = Shape { domain: Domain::Event, leaf: Span::new(0, 1), height: 1 };
        for part in parts {
            let (one, other) = (shape.domain, part.typed.domain);
            if one != Domain::Event && other != Domain::Event && one != other {
                self.two_domains(shape, part);
                return None;
            }
            if one == Domain::Event {
                (shape.domain, shape.leaf) = (other, part.leaf);
            }
            shape.height = shape.height.max(part.typed.height + 1);
            if shape.height > TALLEST {
                self.too_tall(part.span);
                return None;
            }
        }
        Some(shape)
    }

    fn two_domains(&mut self, shape: Shape, part: &Found) {
        let (one, other) = (self.source(shape.leaf), self.source(part.leaf));
        let each = |domain| match domain {
            Domain::Each(object) => Some(&self.definition.objects[object].name),
            _ => None,
        };
        let message = match (each(shape.domain), each(part.typed.domain)) {
            (Some(first), Some(second)) => format!(
                "'{one}' has a value for each {first}, but '{other}' one for each {second}; pairs of them are made \
                 in [pairs]"
            ),
            (first, second) => {
                let (leaf, object) = if first.is_some() { (one, first) } else { (other, second) };
                let object = object.map_or("", String::as_str);
                let or = match self.here.scope {
                    Scope::Object(_) => format!(", or use separation({object})"),
                    _ => String::new(),
                };
                format!(
                    "'{leaf}' has a value for each {object}, but here is one item at a time; reduce or index it{or}"
                )
            }
        };
        let place = if matches!(part.typed.domain, Domain::Each(_)) { part.leaf } else { shape.leaf };
        self.slip(place, message);
    }
}
