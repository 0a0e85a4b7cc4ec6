//! Objects, pairs, definitions, cuts, channels, regions, features: each text where it stands, what they need first.

use std::collections::HashSet;
use std::rc::Rc;

use super::super::names::{Entity, IDENTIFIER, is_identifier};
use super::super::typed::{Domain, Form, Kind, Nature, Typed};
use super::{Checked, CheckedObject, CheckedPair, Checker, Found, Key, Progress, Scope};
use crate::selection::expression::Span;
use crate::selection::select::program::Code;
use crate::selection::select::{Channel, Cut, Features, Object, Pair};

/// The most channels and regions: the bits of a survivor's flags.
const MOST_FLAGS: usize = 32;
/// The most values of a survivor.
const MOST_VARIABLES: usize = 4096;

impl<'a> Checker<'a> {
    /// Every part in turn, so that all mistakes are found.
    pub(super) fn everything(&mut self) -> Option<Checked> {
        let definition = self.definition;
        let objects: Vec<_> = (0..definition.objects.len()).map(|index| self.object(index)).collect();
        let pairs: Vec<_> = (0..definition.pairs.len()).map(|index| self.pair(index)).collect();
        let variables: Vec<_> = (0..definition.variables.len()).map(|index| self.variable(index)).collect();
        self.unique("select", definition.cuts.iter(), "cut");
        let cuts: Vec<_> =
            definition.cuts.iter().map(|cut| self.requirement(&["select", &cut.name], &cut.require)).collect();
        let channels: Vec<_> = definition.channels.iter().map(|channel| self.channel(channel)).collect();
        let regions: Vec<_> = definition
            .regions
            .iter()
            .map(|region| self.requirement(&["regions", &region.name], &region.require))
            .collect();
        self.flags();
        let features: Vec<_> = definition.features.iter().map(|features| self.features(features)).collect();
        self.number_of_variables();
        Some(Checked {
            objects: objects.into_iter().map(|object| object.map(|object| (*object).clone())).collect::<Option<_>>()?,
            pairs: pairs.into_iter().map(|pair| pair.map(|pair| (*pair).clone())).collect::<Option<_>>()?,
            variables: variables.into_iter().collect::<Option<_>>()?,
            cuts: cuts.into_iter().collect::<Option<_>>()?,
            channels: channels.into_iter().collect::<Option<_>>()?,
            regions: regions.into_iter().collect::<Option<_>>()?,
            features: features.into_iter().collect::<Option<_>>()?,
        })
    }

    /// Runs `rule` for something that others may need, unless it was done; a circle is a mistake at `span`.
    fn once<T: Clone>(
        &mut self,
        entity: Entity,
        list: fn(&mut Self) -> &mut Vec<Progress<T>>,
        index: usize,
        rule: fn(&mut Self, usize) -> Option<T>,
    ) -> Result<Option<Rc<T>>, Circle> {
        match &list(self)[index] {
            Progress::Done(done) => return Ok(done.clone()),
            Progress::Running => return Err(Circle),
            Progress::Waiting => {}
        }
        list(self)[index] = Progress::Running;
        self.running.push(entity);
        let done = rule(self, index).map(Rc::new);
        self.running.pop();
        list(self)[index] = Progress::Done(done.clone());
        Ok(done)
    }

    fn object(&mut self, index: usize) -> Option<Rc<CheckedObject>> {
        // At the top nothing is running, so that there is no circle.
        self.once(Entity::Object(index), |own| &mut own.objects, index, Self::check_object).unwrap_or(None)
    }

    fn pair(&mut self, index: usize) -> Option<Rc<CheckedPair>> {
        self.once(Entity::Pair(index), |own| &mut own.pairs, index, Self::check_pair).unwrap_or(None)
    }

    fn variable(&mut self, index: usize) -> Option<Rc<Typed>> {
        self.once(Entity::Variable(index), |own| &mut own.variables, index, Self::check_variable).unwrap_or(None)
    }

    /// An object that the text needs: how many levels it has, or nothing after a circle.
    pub(super) fn need_object(&mut self, index: usize, span: Span) -> Option<usize> {
        if self.here.scope == Scope::Object(index) {
            let name = &self.definition.objects[index].name;
            let message =
                format!("'{name}' is not there yet: its items are being selected; write pt for the item's {name}.pt");
            self.slip(span, message);
            return None;
        }
        match self.once(Entity::Object(index), |own| &mut own.objects, index, Self::check_object) {
            // One with mistakes is an object all the same; they were reported.
            Ok(object) => Some(object.map_or(1, |object| object.height)),
            Err(Circle) => self.circle(Entity::Object(index), span),
        }
    }

    pub(super) fn need_pair(&mut self, index: usize, span: Span) -> Option<usize> {
        match self.once(Entity::Pair(index), |own| &mut own.pairs, index, Self::check_pair) {
            Ok(pair) => Some(pair.map_or(1, |pair| pair.height)),
            Err(Circle) => self.circle(Entity::Pair(index), span),
        }
    }

    pub(super) fn need_variable(&mut self, index: usize, span: Span) -> Option<Rc<Typed>> {
        match self.once(Entity::Variable(index), |own| &mut own.variables, index, Self::check_variable) {
            Ok(variable) => variable,
            Err(Circle) => self.circle(Entity::Variable(index), span).and(None),
        }
    }

    fn circle(&mut self, entity: Entity, span: Span) -> Option<usize> {
        let name = self.names.name(entity);
        let start = self.running.iter().position(|running| *running == entity).unwrap_or(0);
        let names: Vec<&str> = self.running[start..].iter().map(|running| self.names.name(*running)).collect();
        let message = match (entity, names.len()) {
            (Entity::Variable(_), 1) => {
                format!("'{name}' is defined by itself; the column of that name is event.{name}")
            }
            (_, 1) => format!("'{name}' needs itself"),
            _ => format!("'{name}' needs itself: {} -> {name}", names.join(" -> ")),
        };
        // Once is enough, however often the text says so.
        if !self.mistakes.iter().any(|known| known.why.starts_with(&message)) {
            self.slip(span, message);
        }
        None
    }

    fn check_object(&mut self, index: usize) -> Option<CheckedObject> {
        let object = &self.definition.objects[index];
        let mut sound = self.object_itself(object);
        let mut keep = Vec::new();
        for text in &object.keep {
            match self.text(&["objects", &object.name, "keep"], text, Scope::Object(index), Self::condition) {
                Some(found) => keep.push(found.typed),
                None => sound = false,
            }
        }
        for (other, distance) in &object.apart {
            match self.apart(index, object, other, *distance) {
                Some(typed) => keep.push(typed),
                None => sound = false,
            }
        }
        let key = match object.order.as_deref().map(str::trim) {
            Some("none") => None,
            Some(_) => {
                // The text as it was written, so that columns of mistakes are right.
                let text = object.order.as_deref().unwrap_or("");
                let key = self.text(&["objects", &object.name, "order"], text, Scope::Object(index), Self::key);
                sound &= key.is_some();
                key
            }
            None => self.text(&["objects", &object.name, "order"], "-pt", Scope::Object(index), Self::key),
        };
        let heights = keep.iter().chain(key.as_ref().map(|(typed, _)| typed)).map(|typed| typed.height);
        let height = 1 + heights.max().unwrap_or(0);
        sound.then_some(CheckedObject { keep, key, height })
    }

    /// What of an object is no expression.
    fn object_itself(&mut self, object: &'a Object) -> bool {
        let before = self.mistakes.len();
        let name = object.name.as_str();
        if object.from.is_empty() {
            self.refuse(&["objects", name, "from"], "no collection is named; write from = \"Jet\"");
        }
        let mut seen = HashSet::new();
        if let Some(twice) = object.from.iter().find(|collection| !seen.insert(collection.as_str())) {
            self.refuse(&["objects", name, "from"], format!("the collection '{twice}' is named twice"));
        }
        if let Some(flavours) = object.flavours.as_ref().filter(|flavours| flavours.len() != object.from.len()) {
            let (got, expected) = (flavours.len(), object.from.len());
            let why = format!("expected a flavour for each collection, {expected}, got {got}");
            self.refuse(&["objects", name, "flavours"], why);
        }
        if object.flavours.iter().flatten().any(|flavour| !flavour.is_finite()) {
            self.refuse(&["objects", name, "flavours"], "a flavour is a finite number");
        }
        let mut seen = HashSet::new();
        for (quantity, _) in &object.quantities {
            if !is_identifier(quantity) {
                self.refuse(&["objects", name, "quantities"], format!("'{quantity}' is no name; {IDENTIFIER}"));
            } else if !seen.insert(quantity.as_str()) {
                self.refuse(&["objects", name, "quantities"], format!("'{quantity}' is given twice"));
            }
        }
        if object.leading == Some(0) {
            self.refuse(&["objects", name, "leading"], "0 would keep no object; expected at least 1");
        }
        before == self.mistakes.len()
    }

    /// A condition of the key `apart`.
    fn apart(&mut self, index: usize, object: &'a Object, other: &'a str, distance: f64) -> Option<Typed> {
        let path = ["objects", object.name.as_str(), "apart"];
        if !(distance.is_finite() && distance > 0.0) {
            self.refuse(&path, format!("the distance from '{other}' is {distance}; expected a positive number"));
            return None;
        }
        let found = match self.names.get(other) {
            Some(Entity::Object(found)) => found,
            _ => {
                let hint = self.names.hint_for_object(other);
                self.refuse(&path, format!("unknown object '{other}'; {hint}"));
                return None;
            }
        };
        let path = path.iter().map(|key| (*key).to_owned()).collect();
        let here = super::Here { path, text: other, scope: Scope::Object(index) };
        let before = std::mem::replace(&mut self.here, here);
        let height = self.need_object(found, Span::new(0, other.chars().count()));
        self.here = before;
        for (object, quantity) in [(index, "eta"), (index, "phi"), (found, "eta"), (found, "phi")] {
            self.used_by_key(&["objects", &self.definition.objects[index].name, "apart"], object, quantity);
        }
        let separation = Typed {
            kind: Kind::Number,
            domain: Domain::Own,
            nature: Nature::Measured,
            form: Form::Separation(index, found),
            height: height? + 1,
        };
        let height = separation.height + 1;
        let words = format!("separation({other}) of {}", object.name);
        let form = Form::Compare(Code::AtLeast, Rc::new([separation, Typed::number(distance)]), words);
        Some(Typed { kind: Kind::Condition, domain: Domain::Own, nature: Nature::Integer, form, height })
    }

    fn check_pair(&mut self, index: usize) -> Option<CheckedPair> {
        let pair: &'a Pair = &self.definition.pairs[index];
        let objects: Vec<Option<(usize, usize)>> = pair.of.iter().map(|name| self.object_of(pair, name)).collect();
        let texts = pair.keep.iter();
        let keep: Vec<Option<Found>> = texts
            .map(|text| self.text(&["pairs", &pair.name, "keep"], text, Scope::Pair(index), Self::condition))
            .collect();
        let best = self.text(&["pairs", &pair.name, "best"], &pair.best, Scope::Pair(index), Self::key);
        let (objects, keep, best) =
            (objects.into_iter().collect::<Option<Vec<_>>>()?, keep.into_iter().collect::<Option<Vec<_>>>()?, best?);
        let heights = keep.iter().map(|found| found.typed.height).chain(objects.iter().map(|(_, height)| *height));
        let height = 1 + heights.max().unwrap_or(0).max(best.0.height);
        let keep = keep.into_iter().map(|found| found.typed).collect();
        Some(CheckedPair { of: [objects[0].0, objects[1].0], keep, best, height })
    }

    fn object_of(&mut self, pair: &'a Pair, name: &'a str) -> Option<(usize, usize)> {
        let path = vec!["pairs".to_owned(), pair.name.clone(), "of".to_owned()];
        let here = super::Here { path, text: name, scope: Scope::Event };
        let before = std::mem::replace(&mut self.here, here);
        let span = Span::new(0, name.chars().count());
        let found = match self.names.get(name) {
            Some(Entity::Object(index)) => self.need_object(index, span).map(|height| (index, height)),
            _ => {
                let hint = self.names.hint_for_object(name);
                self.slip(span, format!("unknown object '{name}'; {hint}"));
                None
            }
        };
        self.here = before;
        found
    }

    fn check_variable(&mut self, index: usize) -> Option<Typed> {
        let variable = &self.definition.variables[index];
        self.text(&["define", &variable.name], &variable.value, Scope::Event, |_, found| Some(found.typed))
    }

    /// What orders or chooses: a number, and what it is about.
    fn key(&mut self, found: Found) -> Option<Key> {
        let found = self.number(found)?;
        // The sign of an order is no part of what a reader looks for.
        let span = match self.source(found.span).starts_with('-') {
            true => Span::new(found.span.start + 1, found.span.end),
            false => found.span,
        };
        let words = self.words(span);
        Some((found.typed, words))
    }

    fn requirement(&mut self, path: &[&str], text: &'a str) -> Option<Typed> {
        self.text(path, text, Scope::Event, Self::condition).map(|found| found.typed)
    }

    fn unique(&mut self, section: &str, cuts: impl Iterator<Item = &'a Cut>, what: &str) {
        let mut seen = HashSet::new();
        for cut in cuts {
            if !seen.insert(cut.name.as_str()) {
                self.refuse(&[section, &cut.name], format!("a {what} above is also named '{}'", cut.name));
            }
        }
    }

    fn channel(&mut self, channel: &'a Channel) -> Option<(Typed, Vec<Typed>)> {
        let name = channel.entry.name.as_str();
        let entry = self.requirement(&["channels", name], &channel.entry.require);
        let mut seen = HashSet::new();
        let mut cuts = Vec::new();
        for cut in &channel.cuts {
            if !seen.insert(cut.name.as_str()) {
                let why = format!("a cut of this channel above is also named '{}'", cut.name);
                self.refuse(&["channels", name, &cut.name], why);
            }
            cuts.push(self.requirement(&["channels", name, &cut.name], &cut.require));
        }
        Some((entry?, cuts.into_iter().collect::<Option<_>>()?))
    }

    /// The names of channels and regions: they become flags.
    fn flags(&mut self) {
        let definition = self.definition;
        let channels = definition.channels.iter().map(|channel| ("channels", &channel.entry.name));
        let regions = definition.regions.iter().map(|region| ("regions", &region.name));
        let mut seen = HashSet::new();
        for (section, name) in channels.chain(regions) {
            if !is_identifier(name) {
                self.refuse(&[section, name], format!("'{name}' is no name; {IDENTIFIER}"));
            } else if !seen.insert(name.as_str()) {
                self.refuse(&[section, name], format!("a channel or region is already named '{name}'"));
            }
        }
        let flags = definition.channels.len() + definition.regions.len();
        if flags > MOST_FLAGS {
            let why = format!("{flags} channels and regions are too many; at most {MOST_FLAGS} have a flag");
            self.refuse(&[if definition.regions.is_empty() { "channels" } else { "regions" }], why);
        }
    }

    fn features(&mut self, features: &'a Features) -> Option<usize> {
        let before = self.mistakes.len();
        let object = features.object.as_str();
        let path = ["features", object];
        let found = match self.names.get(object) {
            Some(Entity::Object(found)) => Some(found),
            _ => {
                let hint = self.names.hint_for_object(object);
                self.refuse(&path, format!("unknown object '{object}'; {hint}"));
                None
            }
        };
        if self.definition.features.iter().filter(|other| other.object == object).count() > 1 {
            self.refuse(&path, format!("the features of '{object}' are given twice"));
        }
        if features.number == 0 {
            self.refuse(&["features", object, "number"], "0 places hold nothing; expected at least 1");
        }
        if let Some(leading) = found.and_then(|found| self.definition.objects[found].leading)
            && features.number > leading
        {
            let why = format!("{} places are never filled, since leading = {leading}", features.number);
            self.refuse(&["features", object, "number"], why);
        }
        let mut seen = HashSet::new();
        for quantity in &features.quantities {
            if !is_identifier(quantity) {
                self.refuse(&["features", object, "quantities"], format!("'{quantity}' is no name; {IDENTIFIER}"));
            } else if !seen.insert(quantity.as_str()) {
                self.refuse(&["features", object, "quantities"], format!("'{quantity}' is named twice"));
            } else if let Some(found) = found {
                if quantity == "place" && !self.has_own_places(found) {
                    let why = "'place' is no quantity of an item by itself: it is where the item stands in the table";
                    self.refuse(&["features", object, "quantities"], why);
                }
                self.flavour_is_known(found, quantity, &["features", object, "quantities"]);
                self.used_by_key(&["features", object, "quantities"], found, quantity);
            }
        }
        if features.quantities.is_empty() {
            self.refuse(&["features", object, "quantities"], "no quantity is named");
        }
        found.filter(|_| before == self.mistakes.len())
    }

    fn flavour_is_known(&mut self, object: usize, quantity: &str, path: &[&str]) {
        if let Err(why) = super::super::objects::flavour_is_known(&self.definition.objects[object], quantity) {
            self.refuse(path, why);
        }
    }

    fn number_of_variables(&mut self) {
        let features = self.definition.features.iter();
        let wide = features.map(|features| features.number as usize * (features.quantities.len() + 1));
        let all = self.definition.variables.len() + wide.sum::<usize>();
        if all > MOST_VARIABLES {
            self.refuse(&["features"], format!("{all} values of a survivor are too many; at most {MOST_VARIABLES}"));
        }
    }
}

/// Something needs itself.
struct Circle;
