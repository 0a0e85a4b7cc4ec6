//! Stub until the reader's branch is merged.
#![allow(missing_docs)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SchemaPreset {
    #[default]
    Nanoaod,
}
impl SchemaPreset {
    pub const ALL: [Self; 1] = [Self::Nanoaod];
    pub fn name(self) -> &'static str {
        "nanoaod"
    }
}
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Schema;
impl Schema {
    pub fn preset(_: SchemaPreset) -> Self {
        Self
    }
    pub fn with_column(self, _: String, _: String, _: f64) -> Self {
        self
    }
}
