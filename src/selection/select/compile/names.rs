//! The one namespace of objects, pairs and definitions.

use std::collections::HashMap;

use super::Mistake;
use crate::error::nearest;
use crate::selection::expression::Function;
use crate::selection::select::{Definition, Object};

/// What a name stands for: its number in the list of the definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entity {
    Object(usize),
    Pair(usize),
    Variable(usize),
}

/// Columns that the reader makes of the event's identity.
const MADE: [&str; 3] = ["event_hash", "fold_hash", "in_luminosity_mask"];

/// Words that mean something by themselves.
const RESERVED: [&str; 9] = ["true", "false", "pi", "event", "first", "second", "flavour", "place", "none"];

pub(super) struct Names<'a> {
    definition: &'a Definition,
    known: HashMap<&'a str, Entity>,
}

impl<'a> Names<'a> {
    pub(super) fn new(definition: &'a Definition, mistakes: &mut Vec<Mistake>) -> Self {
        let objects =
            definition.objects.iter().enumerate().map(|(index, object)| (&object.name, Entity::Object(index)));
        let pairs = definition.pairs.iter().enumerate().map(|(index, pair)| (&pair.name, Entity::Pair(index)));
        let variables = definition.variables.iter().enumerate();
        let variables = variables.map(|(index, variable)| (&variable.name, Entity::Variable(index)));
        let mut known: HashMap<&str, Entity> = HashMap::new();
        for (name, entity) in objects.chain(pairs).chain(variables) {
            let section = match entity {
                Entity::Object(_) => "objects",
                Entity::Pair(_) => "pairs",
                Entity::Variable(_) => "define",
            };
            let mut refuse = |why: String| mistakes.push(Mistake { path: vec![section.into(), name.clone()], why });
            if !is_identifier(name) {
                refuse(format!("'{name}' is no name; {IDENTIFIER}"));
            } else if RESERVED.contains(&name.as_str()) {
                refuse(format!("'{name}' means something else in expressions; choose another name"));
            } else if MADE.contains(&name.as_str()) {
                refuse(format!("'{name}' is a number that every event has; choose another name"));
            } else if let Some(function) = Function::named(name) {
                refuse(format!("'{name}' is a function, {}; choose another name", function.usage()));
            } else if let Some(other) = known.get(name.as_str()) {
                let other = match other {
                    Entity::Object(_) => "an object",
                    Entity::Pair(_) => "a pair",
                    Entity::Variable(_) => "a definition",
                };
                refuse(format!("{other} is already named '{name}'"));
            } else {
                known.insert(name, entity);
            }
        }
        Self { definition, known }
    }

    pub(super) fn get(&self, name: &str) -> Option<Entity> {
        self.known.get(name).copied()
    }

    pub(super) fn name(&self, entity: Entity) -> &'a str {
        match entity {
            Entity::Object(index) => &self.definition.objects[index].name,
            Entity::Pair(index) => &self.definition.pairs[index].name,
            Entity::Variable(index) => &self.definition.variables[index].name,
        }
    }

    /// The nearest name of an object, a pair or a definition.
    pub(super) fn nearest(&self, word: &str) -> Option<&'a str> {
        let definition = self.definition;
        let objects = definition.objects.iter().map(|object| object.name.as_str());
        let pairs = definition.pairs.iter().map(|pair| pair.name.as_str());
        let variables = definition.variables.iter().map(|variable| variable.name.as_str());
        let short: String = word.chars().take(100).collect();
        nearest(&short, objects.chain(pairs).chain(variables))
    }

    /// `muon.pt` for `Muon_pt`, where the object `muon` is from the collection `Muon`.
    pub(super) fn quantity_of_an_object(&self, column: &str) -> Option<String> {
        self.definition.objects.iter().find_map(|object| {
            let quantity = object.from.iter().find_map(|from| column.strip_prefix(from.as_str())?.strip_prefix('_'))?;
            Some(format!("{}.{quantity}", object.name))
        })
    }

    /// What to say after `unknown object 'jte'`.
    pub(super) fn hint_for_object(&self, word: &str) -> String {
        match self.get(word) {
            Some(Entity::Pair(_)) => return "it is a pair".to_owned(),
            Some(Entity::Variable(_)) => return "it is a definition".to_owned(),
            _ => {}
        }
        let is_from = |object: &&Object| object.from.iter().any(|collection| collection == word);
        if let Some(object) = self.definition.objects.iter().find(is_from) {
            return format!("it is a collection of the files, and '{}' is the object from it", object.name);
        }
        if let Some(near) = self.nearest(word) {
            return format!("did you mean '{near}'?");
        }
        let objects = self.definition.objects.iter().map(|object| object.name.as_str());
        match objects.collect::<Vec<_>>() {
            none if none.is_empty() => "define it in [objects]".to_owned(),
            known => format!("known are {}", shorten(&known)),
        }
    }

    /// What a bare name that nobody defined could mean, if it is near to a name of the language.
    pub(super) fn nearly_made(&self, word: &str) -> Option<&'static str> {
        let short: String = word.chars().take(100).collect();
        MADE.into_iter().find(|made| *made != word && strsim::normalized_damerau_levenshtein(&short, made) > 0.8)
    }
}

fn shorten(names: &[&str]) -> String {
    const MOST: usize = 8;
    let more = if names.len() > MOST { ", ..." } else { "" };
    format!("{}{more}", names[..names.len().min(MOST)].join(", "))
}

pub(super) const IDENTIFIER: &str = "names are letters, digits and '_', and do not begin with a digit";

pub(super) fn is_identifier(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
