//! A selection from a card: the tables `objects`, `pairs`, `define`, `select`, `channels`, `regions` and `features`.

use std::sync::Arc;

use super::compile::compile;
use super::{Channel, Cut, Definition, Features, Object, Pair, QuantityFrom, Selection, Variable, Weight};
use crate::settings::{Section, TextOrNumber, Texts};

impl Selection {
    /// Reads the selection of a card; every mistake is reported with its line. The weight is 1 until
    /// [`Selection::with_weight`] gives a sample its own.
    ///
    /// `first` are cuts before those of the card.
    ///
    /// `None` where there were mistakes.
    pub fn read(root: &Section<'_>, first: Vec<Cut>) -> Option<Self> {
        let mut reader = Reader { sound: true };
        let cuts = reader.cuts(&root.section("select"));
        let definition = Definition {
            objects: (root.named_sections("objects").iter())
                .map(|(name, section)| reader.object(name, section))
                .collect(),
            pairs: root
                .named_sections("pairs")
                .iter()
                .filter_map(|(name, section)| reader.pair(name, section))
                .collect(),
            variables: reader.texts(&root.section("define"), |name, value| Variable { name, value }),
            cuts: first.into_iter().chain(cuts).collect(),
            channels: reader.channels(&root.section("channels")),
            regions: reader.cuts(&root.section("regions")),
            features: (root.named_sections("features").iter())
                .filter_map(|(name, section)| reader.features(name, section))
                .collect(),
        };
        // Compiled even if something could not be read, so that all mistakes are found at once.
        let weight = Weight::default();
        let compiled = compile(&definition, &weight);
        for mistake in &compiled.mistakes {
            report(root, mistake);
        }
        (reader.sound && compiled.mistakes.is_empty()).then(|| Self {
            definition: Arc::new(definition),
            weight,
            outputs: Arc::new(compiled.outputs),
            program: Arc::new(compiled.program),
        })
    }
}

/// Reports a mistake at the key that it names.
fn report(root: &Section<'_>, mistake: &super::compile::Mistake) {
    let Some((key, tables)) = mistake.path.split_last() else { return };
    let section = tables.iter().fold(root.clone(), |section, table| section.section(table));
    section.problem(key, &mistake.why);
}

/// Reads tables and remembers whether all of it could be read.
struct Reader {
    sound: bool,
}

impl Reader {
    /// The value of a key that may be absent.
    fn optional<T: crate::settings::Setting>(&mut self, section: &Section<'_>, key: &str) -> Option<T> {
        let value = section.optional(key);
        self.sound &= value.is_some() || !section.has(key);
        value
    }

    fn required<T: crate::settings::Setting>(&mut self, section: &Section<'_>, key: &str) -> Option<T> {
        let value = section.required(key);
        self.sound &= value.is_some();
        value
    }

    /// An object, as far as it can be read: its name is known in any case, so that no use of it is called a mistake.
    fn object(&mut self, name: &str, section: &Section<'_>) -> Object {
        let from = self.required::<Texts>(section, "from").map_or_else(Vec::new, |texts| texts.0);
        let mut quantities = Vec::new();
        let renamed = section.section("quantities");
        for quantity in renamed.keys() {
            let from = match self.required(&renamed, &quantity) {
                Some(TextOrNumber::Text(column)) => QuantityFrom::Column(column),
                Some(TextOrNumber::Number(constant)) => QuantityFrom::Constant(constant as f32),
                None => continue,
            };
            quantities.push((quantity, from));
        }
        let mut apart = Vec::new();
        let distances = section.section("apart");
        for object in distances.keys() {
            if let Some(distance) = self.required(&distances, &object) {
                apart.push((object, distance));
            }
        }
        let flavours: Option<Vec<f64>> = self.optional(section, "flavours");
        Object {
            name: name.to_owned(),
            from,
            flavours: flavours.map(|flavours| flavours.into_iter().map(|flavour| flavour as f32).collect()),
            quantities,
            keep: self.optional::<Texts>(section, "keep").map_or_else(Vec::new, |texts| texts.0),
            order: self.optional(section, "order"),
            leading: self.optional(section, "leading"),
            apart,
        }
    }

    fn pair(&mut self, name: &str, section: &Section<'_>) -> Option<Pair> {
        let of: Option<Vec<String>> = self.required(section, "of");
        let keep = self.optional::<Texts>(section, "keep").map_or_else(Vec::new, |texts| texts.0);
        let best = self.required(section, "best");
        let of = of.and_then(|of| match <[String; 2]>::try_from(of) {
            Ok(of) => Some(of),
            Err(of) => {
                section.problem("of", format!("expected the names of two objects, got {}", of.len()));
                self.sound = false;
                None
            }
        });
        Some(Pair { name: name.to_owned(), of: of?, keep, best: best? })
    }

    /// A table of names with a text each.
    fn texts<T>(&mut self, section: &Section<'_>, of: impl Fn(String, String) -> T) -> Vec<T> {
        let mut all = Vec::new();
        for name in section.keys() {
            if let Some(text) = self.required(section, &name) {
                all.push(of(name, text));
            }
        }
        all
    }

    fn cuts(&mut self, section: &Section<'_>) -> Vec<Cut> {
        self.texts(section, |name, require| Cut { name, require })
    }

    /// `ee = "..."`, or `[channels.ee]` with `require` and further cuts in `select`.
    fn channels(&mut self, section: &Section<'_>) -> Vec<Channel> {
        let mut channels = Vec::new();
        for name in section.keys() {
            let (require, cuts) = if section.is_table(&name) {
                let own = section.section(&name);
                (self.required(&own, "require"), self.cuts(&own.section("select")))
            } else {
                (self.required(section, &name), Vec::new())
            };
            channels.extend(require.map(|require| Channel { entry: Cut { name, require }, cuts }));
        }
        channels
    }

    fn features(&mut self, name: &str, section: &Section<'_>) -> Option<Features> {
        let object = self.optional(section, "object").unwrap_or_else(|| name.to_owned());
        let number = self.required(section, "number");
        let quantities: Option<Vec<String>> = self.required(section, "quantities");
        let padding: f64 = self.optional(section, "padding").unwrap_or(0.0);
        Some(Features { object, number: number?, quantities: quantities?, padding: padding as f32 })
    }
}
