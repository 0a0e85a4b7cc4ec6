//! The types that a key can have.

use super::tree::Value;

/// A text or a list of texts: `"pt > 30"` is `["pt > 30"]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts(pub Vec<String>);

impl Setting for Texts {
    const EXAMPLE: &'static str = "\"...\"";
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Text(text) => Ok(Self(vec![text.clone()])),
            Value::List(_) => Vec::read(value).map(Self),
            other => Err(expected("a string or an array of strings", other)),
        }
    }
}

/// A text or a number: the name of a column, or a constant.
#[derive(Debug, Clone, PartialEq)]
pub enum TextOrNumber {
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
}

impl Setting for TextOrNumber {
    const EXAMPLE: &'static str = "\"...\"";
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Text(text) => Ok(Self::Text(text.clone())),
            Value::Integer(_) | Value::Float(_) => f64::read(value).map(Self::Number),
            other => Err(expected("a string or a number", other)),
        }
    }
}

/// A type that a card value can be read as.
pub trait Setting: Sized {
    /// A value to show where one is missing.
    const EXAMPLE: &'static str;

    /// Reads the value, or says what was expected and what was got.
    fn read(value: &Value) -> Result<Self, String>;
}

fn expected(what: &str, got: &Value) -> String {
    format!("expected {what}, got {}", got.kind())
}

impl Setting for String {
    const EXAMPLE: &'static str = "\"...\"";
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Text(text) => Ok(text.clone()),
            other => Err(expected("a string", other)),
        }
    }
}

impl Setting for bool {
    const EXAMPLE: &'static str = "true";
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Flag(flag) => Ok(*flag),
            other => Err(expected("true or false", other)),
        }
    }
}

impl Setting for f64 {
    const EXAMPLE: &'static str = "1.0";
    /// A finite number; an integer counts as one.
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Float(number) if number.is_finite() => Ok(*number),
            Value::Float(number) => Err(format!("expected a finite number, got {number}")),
            Value::Integer(number) => Ok(*number as f64),
            other => Err(expected("a number", other)),
        }
    }
}

macro_rules! integer {
    ($($type:ty),*) => {$(
        impl Setting for $type {
            const EXAMPLE: &'static str = "1";
            fn read(value: &Value) -> Result<Self, String> {
                match value {
                    Value::Integer(number) => <$type>::try_from(*number)
                        .map_err(|_| format!("expected an integer from {} to {}, got {number}", <$type>::MIN, <$type>::MAX)),
                    other => Err(expected("an integer", other)),
                }
            }
        }
    )*};
}
integer!(u32, u64, i64, usize);

impl<T: Setting> Setting for Vec<T> {
    const EXAMPLE: &'static str = "[...]";
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::List(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| T::read(&item.value).map_err(|why| format!("entry {}: {why}", index + 1)))
                .collect(),
            other => Err(expected("an array", other)),
        }
    }
}
