//! One leaf of one row group, decoded into numbers and levels.

use std::fs::File;
use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Float16Type};
use arrow_schema::DataType;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{self, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType};
use parquet::errors::ParquetError;
use parquet::schema::types::ColumnDescPtr;

use super::pages::Chunk;

type Half = <Float16Type as ArrowPrimitiveType>::Native;

/// A Parquet leaf and what its numbers mean.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub descriptor: ColumnDescPtr,
    /// As Arrow calls it, without lists and structs around it.
    pub data_type: DataType,
    /// Its place among the leaves that are read.
    pub place: usize,
    /// What each number is multiplied with, in f64.
    pub factor: f64,
}

impl Leaf {
    /// The definition level from which on an entry is an element of a list, and not an empty list or a null one.
    pub fn element_level(&self) -> i16 {
        self.descriptor.repeated_ancestor_def_level()
    }

    pub fn full_level(&self) -> i16 {
        self.descriptor.max_def_level()
    }

    /// Whether the null of an entry at this level is the leaf's own, and not that of a struct or list around it.
    pub fn is_own_null(&self, level: i16) -> bool {
        self.descriptor.self_type().is_optional() && level == self.full_level() - 1
    }
}

/// Parquet's levels, which say where lists begin and what is null. Both are empty where there is nothing to say.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Levels {
    pub definition: Vec<i16>,
    pub repetition: Vec<i16>,
}

impl Levels {
    fn clear(&mut self) {
        self.definition.clear();
        self.repetition.clear();
    }
}

/// Decodes a leaf, a few thousand rows at a time.
pub(super) struct LeafReader {
    numbers: Numbers,
    data_type: DataType,
    factor: f64,
}

/// What is wider or narrower than f32 is decoded into a small buffer first.
enum Numbers {
    F32(ColumnReaderImpl<data_type::FloatType>),
    F64(ColumnReaderImpl<data_type::DoubleType>, Vec<f64>),
    Half(ColumnReaderImpl<FixedLenByteArrayType>, Vec<FixedLenByteArray>),
    Bool(ColumnReaderImpl<data_type::BoolType>, Vec<bool>),
    I32(ColumnReaderImpl<data_type::Int32Type>, Vec<i32>),
    I64(ColumnReaderImpl<data_type::Int64Type>, Vec<i64>),
}

impl LeafReader {
    /// Stands before the first row of a row group of `rows` rows.
    pub fn open(leaf: &Leaf, chunk: &Chunk, file: &Arc<File>, rows: u64) -> Result<Self, ParquetError> {
        let numbers = match chunk.open(file, &leaf.descriptor, rows)? {
            ColumnReader::FloatColumnReader(reader) => Numbers::F32(reader),
            ColumnReader::DoubleColumnReader(reader) => Numbers::F64(reader, Vec::new()),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => Numbers::Half(reader, Vec::new()),
            ColumnReader::BoolColumnReader(reader) => Numbers::Bool(reader, Vec::new()),
            ColumnReader::Int32ColumnReader(reader) => Numbers::I32(reader, Vec::new()),
            ColumnReader::Int64ColumnReader(reader) => Numbers::I64(reader, Vec::new()),
            ColumnReader::Int96ColumnReader(_) | ColumnReader::ByteArrayColumnReader(_) => {
                let kind = <ByteArrayType as data_type::DataType>::get_physical_type();
                return Err(ParquetError::General(format!("{kind} or INT96 is no number")));
            }
        };
        Ok(Self { numbers, data_type: leaf.data_type.clone(), factor: leaf.factor })
    }

    /// Appends the values of the next `rows` rows to `out`, rounded to f32 once; `levels` are replaced. Returned is the place
    /// among these values of the first integer that was rounded, unless a factor makes a measured number of it.
    pub fn read_f32(
        &mut self,
        rows: usize,
        levels: &mut Levels,
        out: &mut Vec<f32>,
    ) -> Result<Option<usize>, ParquetError> {
        let factor = self.factor;
        if let Numbers::F32(reader) = &mut self.numbers {
            let start = out.len();
            read(reader, rows, levels, out)?;
            if factor != 1.0 {
                out[start..].iter_mut().for_each(|value| *value = (f64::from(*value) * factor) as f32);
            }
            return Ok(None);
        }
        // A factor of 1 is no multiplication: integers of 64 bits are rounded to f32 and not to f64 first.
        macro_rules! rounded {
            ($values:expr) => {
                if factor == 1.0 {
                    out.extend($values.map(|value| value as f32))
                } else {
                    out.extend($values.map(|value| (value as f64 * factor) as f32))
                }
            };
        }
        let mut inexact = None;
        match &mut self.numbers {
            Numbers::F32(_) => {}
            Numbers::F64(reader, values) => {
                read_anew(reader, rows, levels, values)?;
                rounded!(values.iter().copied());
            }
            Numbers::Half(reader, values) => {
                read_anew(reader, rows, levels, values)?;
                // Arrow takes two bytes alone for a half.
                let half = |value: &FixedLenByteArray| match *value.data() {
                    [low, high] => Half::from_le_bytes([low, high]).to_f32(),
                    _ => f32::NAN,
                };
                rounded!(values.iter().map(half));
            }
            Numbers::Bool(reader, values) => {
                read_anew(reader, rows, levels, values)?;
                rounded!(values.iter().map(|&value| u8::from(value)));
            }
            Numbers::I32(reader, values) => {
                read_anew(reader, rows, levels, values)?;
                match self.data_type {
                    DataType::UInt8 => rounded!(values.iter().map(|&value| value as u8)),
                    DataType::UInt16 => rounded!(values.iter().map(|&value| value as u16)),
                    DataType::UInt32 => {
                        rounded!(values.iter().map(|&value| value as u32));
                        inexact = first_inexact(values, |value| u64::from(value as u32));
                    }
                    DataType::Int8 => rounded!(values.iter().map(|&value| value as i8)),
                    DataType::Int16 => rounded!(values.iter().map(|&value| value as i16)),
                    _ => {
                        rounded!(values.iter().copied());
                        inexact = first_inexact(values, |value| u64::from(value.unsigned_abs()));
                    }
                }
            }
            Numbers::I64(reader, values) => {
                read_anew(reader, rows, levels, values)?;
                match self.data_type {
                    DataType::UInt64 => {
                        rounded!(values.iter().map(|&value| value as u64));
                        inexact = first_inexact(values, |value| value as u64);
                    }
                    _ => {
                        rounded!(values.iter().copied());
                        inexact = first_inexact(values, i64::unsigned_abs);
                    }
                }
            }
        }
        Ok(inexact.filter(|_| factor == 1.0))
    }

    /// Appends the values of the next `rows` rows to `out`, up to the first that does not fit, whose place among them
    /// is returned.
    pub fn read_integers<T: TryFrom<i64> + TryFrom<u64>>(
        &mut self,
        rows: usize,
        levels: &mut Levels,
        out: &mut Vec<T>,
    ) -> Result<Option<usize>, ParquetError> {
        fn fit<F, T: TryFrom<F>>(values: impl Iterator<Item = F>, out: &mut Vec<T>) -> Option<usize> {
            for (place, value) in values.enumerate() {
                match T::try_from(value) {
                    Ok(value) => out.push(value),
                    Err(_) => return Some(place),
                }
            }
            None
        }
        match &mut self.numbers {
            Numbers::I32(reader, values) => {
                read_anew(reader, rows, levels, values)?;
                Ok(match self.data_type {
                    DataType::UInt8 => fit(values.iter().map(|&value| u64::from(value as u8)), out),
                    DataType::UInt16 => fit(values.iter().map(|&value| u64::from(value as u16)), out),
                    DataType::UInt32 => fit(values.iter().map(|&value| u64::from(value as u32)), out),
                    _ => fit(values.iter().map(|&value| i64::from(value)), out),
                })
            }
            Numbers::I64(reader, values) => {
                read_anew(reader, rows, levels, values)?;
                Ok(match self.data_type {
                    DataType::UInt64 => fit(values.iter().map(|&value| value as u64), out),
                    _ => fit(values.iter().copied(), out),
                })
            }
            _ => Err(ParquetError::General("no integers where there were some".into())),
        }
    }

    /// Whether every row was read; skips one otherwise.
    pub fn is_at_end(&mut self) -> Result<bool, ParquetError> {
        let skipped = match &mut self.numbers {
            Numbers::F32(reader) => reader.skip_records(1),
            Numbers::F64(reader, _) => reader.skip_records(1),
            Numbers::Half(reader, _) => reader.skip_records(1),
            Numbers::Bool(reader, _) => reader.skip_records(1),
            Numbers::I32(reader, _) => reader.skip_records(1),
            Numbers::I64(reader, _) => reader.skip_records(1),
        };
        skipped.map(|rows| rows == 0)
    }
}

/// The place of the first integer that f32 cannot hold, by the absolute values.
fn first_inexact<T: Copy>(values: &[T], magnitude: impl Fn(T) -> u64) -> Option<usize> {
    // Up to here f32 holds all of them.
    const ALL_EXACT: u64 = 1 << 24;
    // A sum over all, not a search: the compiler makes wide instructions of it.
    if !values.iter().fold(false, |any, &value| any | (magnitude(value) > ALL_EXACT)) {
        return None;
    }
    values.iter().position(|&value| magnitude(value) as f32 as u128 != u128::from(magnitude(value)))
}

fn read_anew<T: data_type::DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    levels: &mut Levels,
    values: &mut Vec<T::T>,
) -> Result<(), ParquetError> {
    values.clear();
    read(reader, rows, levels, values)
}

fn read<T: data_type::DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    levels: &mut Levels,
    values: &mut Vec<T::T>,
) -> Result<(), ParquetError> {
    levels.clear();
    let (read, _, _) = reader.read_records(rows, Some(&mut levels.definition), Some(&mut levels.repetition), values)?;
    if read < rows {
        return Err(ParquetError::EOF("the footer promises more rows".into()));
    }
    Ok(())
}
