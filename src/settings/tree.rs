//! The parsed document as an owned tree: values with the byte range they came from.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Fault, Problems, Result};

/// The span of whatever came from `--set`, which has no place in the file.
pub(super) const FROM_OVERRIDE: Range<usize> = usize::MAX..usize::MAX;

/// A value and where it stands in the text.
#[derive(Debug, Clone)]
pub struct Node {
    pub(super) value: Value,
    pub(super) span: Range<usize>,
}

/// What a card can hold.
#[derive(Debug, Clone)]
pub enum Value {
    /// A string.
    Text(String),
    /// An integer, with enough room for every seed (`u64`) and every `i64`.
    Integer(i128),
    /// A float.
    Float(f64),
    /// `true` or `false`.
    Flag(bool),
    /// A date or time; no setting takes one.
    Time(String),
    /// An array.
    List(Vec<Node>),
    /// A table, in the order of the file.
    Table(Vec<Entry>),
}

/// A key of a table and its value.
#[derive(Debug, Clone)]
pub struct Entry {
    pub(super) key: String,
    pub(super) span: Range<usize>,
    pub(super) node: Node,
}

impl Value {
    /// The kind, with its article, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Flag(_) => "a boolean",
            Self::Time(_) => "a date",
            Self::List(_) => "an array",
            Self::Table(_) => "a table",
        }
    }
}

/// Takes over a parsed TOML table; a number that does not fit is a problem with its place.
pub(super) fn own_table(table: &DeTable<'_>, problem: &mut dyn FnMut(Range<usize>, String)) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry { key: key.get_ref().to_string(), span: key.span(), node: own(value, problem) })
        .collect();
    entries.sort_by_key(|entry| entry.span.start);
    entries
}

fn own(value: &Spanned<DeValue<'_>>, problem: &mut dyn FnMut(Range<usize>, String)) -> Node {
    let span = value.span();
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(integer) => {
            Value::Integer(i128::from_str_radix(integer.as_str(), integer.radix()).unwrap_or_else(|_| {
                problem(span.clone(), format!("the integer {integer} does not fit"));
                0
            }))
        }
        DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or_else(|_| {
            problem(span.clone(), format!("the float {float} cannot be read"));
            0.0
        })),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(time) => Value::Time(time.to_string()),
        DeValue::Array(items) => Value::List(items.iter().map(|item| own(item, problem)).collect()),
        DeValue::Table(table) => Value::Table(own_table(table, problem)),
    };
    Node { value, span }
}

/// Applies one override `a.b.c=value`: creates tables on the way and replaces what stands there.
pub(super) fn apply(entries: &mut Vec<Entry>, setting: &str) -> Result<()> {
    let fault = |why: &str| {
        Fault::new(super::NAME, format!("--set {setting}: {why}")).suggest("Write --set table.key=value.").usage()
    };
    let (path, text) = setting.split_once('=').ok_or_else(|| fault("there is no '='"))?;
    let keys: Vec<&str> = path.split('.').map(str::trim).collect();
    if keys.iter().any(|key| key.is_empty()) {
        return Err(fault("a part of the key is empty"));
    }
    let value = parse_value(text.trim());
    let mut here = entries;
    for (depth, key) in keys.iter().enumerate() {
        let index = here.iter().position(|entry| entry.key == *key).unwrap_or_else(|| {
            here.push(Entry {
                key: (*key).to_owned(),
                span: FROM_OVERRIDE,
                node: Node { value: Value::Table(Vec::new()), span: FROM_OVERRIDE },
            });
            here.len() - 1
        });
        let node = &mut here[index].node;
        if depth + 1 == keys.len() {
            *node = Node { value, span: FROM_OVERRIDE };
            return Ok(());
        }
        match &mut node.value {
            Value::Table(inner) => here = inner,
            other => return Err(fault(&format!("'{key}' is {}, not a table", other.kind()))),
        }
    }
    Ok(())
}

/// A TOML value, or else the text itself, so that paths need no quotes.
fn parse_value(text: &str) -> Value {
    let mut sound = Problems::default();
    let parsed = DeValue::parse(text)
        .ok()
        .map(|value| own(&value, &mut |_, why| sound.push(Fault::new(super::NAME, why).usage())));
    match parsed {
        Some(node) if sound.is_empty() => without_span(node).value,
        _ => Value::Text(text.to_owned()),
    }
}

fn without_span(node: Node) -> Node {
    let value = match node.value {
        Value::List(items) => Value::List(items.into_iter().map(without_span).collect()),
        Value::Table(entries) => Value::Table(
            entries
                .into_iter()
                .map(|entry| Entry { key: entry.key, span: FROM_OVERRIDE, node: without_span(entry.node) })
                .collect(),
        ),
        scalar => scalar,
    };
    Node { value, span: FROM_OVERRIDE }
}
