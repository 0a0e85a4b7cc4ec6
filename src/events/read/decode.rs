//! From a decoded record batch to a batch of events: checks what files get wrong, copies no f32.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, downcast_integer_array, types};
use arrow_buffer::ScalarBuffer;
use arrow_schema::DataType;

use super::NAME;
use super::binding::{Binding, CollectionSites, Site};
use crate::error::{Error, Fault, Result};
use crate::events::{Collection, EventBatch, EventColumns, EventIds};

/// Decodes the batches of one file.
pub(super) struct Decoder<'a> {
    /// Named in messages.
    pub path: &'a Path,
    /// The position of the file in the source.
    pub file: usize,
    pub binding: &'a Binding,
}

/// The lists of one quantity in a batch.
struct Lists<'a> {
    site: &'a Site,
    /// As in the record batch: the first need not be 0.
    offsets: &'a [i32],
    /// The values of the batch alone.
    values: ArrayRef,
}

impl Decoder<'_> {
    /// The events of `record`, whose first row is `first_row` of the file.
    ///
    /// # Errors
    /// The first null, disagreement of lengths or id out of range, with its column and row.
    pub fn decode(&self, record: &RecordBatch, first_row: u64) -> Result<EventBatch> {
        let rows = Rows { decoder: self, record, first_row };
        let collections = self.binding.collections.iter().map(|sites| rows.collection(sites)).collect::<Result<_>>()?;
        let scalars = self.binding.scalars.iter().map(|site| rows.scalar(site)).collect::<Result<_>>()?;
        let ids = EventIds {
            run: rows.integers(&self.binding.run)?,
            luminosity_block: rows.integers(&self.binding.luminosity_block)?,
            event: rows.integers(&self.binding.event)?,
        };
        let columns = EventColumns { events: record.num_rows(), collections, scalars };
        Ok(EventBatch { columns, ids, file: self.file, first_row })
    }
}

struct Rows<'a> {
    decoder: &'a Decoder<'a>,
    record: &'a RecordBatch,
    first_row: u64,
}

impl<'a> Rows<'a> {
    fn fault(&self, column: &dyn std::fmt::Display, row: usize, what: &str) -> Fault {
        let row = self.first_row + row as u64;
        Fault::new(NAME, format!("column '{column}' of '{}' {what} in row {row}", self.decoder.path.display()))
    }

    fn null(&self, column: &dyn std::fmt::Display, row: usize) -> Error {
        self.fault(column, row, "is null").because("a missing number has no place in a cut or a sum").data()
    }

    /// The named column. It was there when the source was opened.
    fn column(&self, name: &str) -> Result<&'a ArrayRef> {
        self.record.column_by_name(name).ok_or_else(|| self.changed(name))
    }

    fn changed(&self, name: &str) -> Error {
        let path = self.decoder.path.display();
        Fault::new(NAME, format!("column '{name}' of '{path}' is not what it was when the file was opened"))
            .because("the file changed in between")
            .data()
    }

    fn no_null(&self, column: &dyn std::fmt::Display, array: &dyn Array) -> Result<()> {
        first_null(array).map_or(Ok(()), |row| Err(self.null(column, row)))
    }

    fn scalar(&self, site: &Site) -> Result<ScalarBuffer<f32>> {
        let mut array = self.column(&site.column)?;
        if let Some(field) = &site.field {
            self.no_null(&site.column, array)?;
            let fields = array.as_struct_opt().and_then(|fields| fields.column_by_name(field));
            array = fields.ok_or_else(|| self.changed(&site.column))?;
        }
        self.no_null(site, array)?;
        to_f32(array).ok_or_else(|| self.changed(&site.column))
    }

    /// Run, luminosity block, event: `None` where the file has no such column.
    fn integers<T: TryFrom<i128>>(&self, column: &Option<String>) -> Result<Option<Vec<T>>> {
        let Some(name) = column else { return Ok(None) };
        let array = self.column(name)?;
        self.no_null(name, array)?;
        let out_of_range = |row| self.fault(name, row, "is out of range").because("it counts or numbers events").data();
        let numbers = to_integers(array).ok_or_else(|| self.changed(name))?;
        numbers.map(Some).map_err(out_of_range)
    }

    fn collection(&self, sites: &'a CollectionSites) -> Result<Collection<crate::device::Host>> {
        let lists = sites.quantities.iter().map(|site| self.lists(site)).collect::<Result<Vec<_>>>()?;
        // The binding refuses a collection without quantities.
        let Some((first, others)) = lists.split_first() else { return Err(self.changed("")) };
        for other in others {
            self.check_lengths(other, first)?;
        }
        if let Some(counts) = self.integers::<u32>(&sites.counter)? {
            self.check_counter(&counts, sites.counter.as_deref().unwrap_or_default(), first)?;
        }
        let quantities = lists.iter().map(|lists| self.values(lists)).collect::<Result<_>>()?;
        // Offsets of Arrow lists ascend from a value at or above zero, so their differences fit u32.
        let start = first.offsets[0];
        let offsets: Vec<u32> = first.offsets.iter().map(|offset| (offset - start) as u32).collect();
        Ok(Collection { offsets: offsets.into(), quantities })
    }

    fn lists(&self, site: &'a Site) -> Result<Lists<'a>> {
        let array = self.column(&site.column)?;
        let list: &ListArray = array.as_list_opt().ok_or_else(|| self.changed(&site.column))?;
        self.no_null(&site.column, list)?;
        let offsets = list.value_offsets();
        let (start, end) = (offsets[0] as usize, offsets[list.len()] as usize);
        let mut values = list.values().slice(start, end - start);
        if let Some(field) = &site.field {
            self.no_null_element(&site.column, offsets, &values)?;
            let fields = values.as_struct_opt().and_then(|fields| fields.column_by_name(field)).cloned();
            values = fields.ok_or_else(|| self.changed(&site.column))?;
        }
        self.no_null_element(site, offsets, &values)?;
        Ok(Lists { site, offsets, values })
    }

    fn no_null_element(&self, column: &dyn std::fmt::Display, offsets: &[i32], values: &dyn Array) -> Result<()> {
        let Some(element) = first_null(values) else { return Ok(()) };
        let place = element as i64 + i64::from(offsets[0]);
        let row = offsets.partition_point(|&offset| i64::from(offset) <= place) - 1;
        let within = place - i64::from(offsets[row]);
        let what = format!("is null at position {within} of the list");
        Err(self.fault(column, row, &what).because("a missing number has no place in a cut or a sum").data())
    }

    fn check_lengths(&self, lists: &Lists<'_>, first: &Lists<'_>) -> Result<()> {
        let mut rows = lengths(lists.offsets).zip(lengths(first.offsets));
        let Some(row) = rows.position(|(length, expected)| length != expected) else { return Ok(()) };
        let length = |lists: &Lists<'_>| lists.offsets[row + 1] - lists.offsets[row];
        let what = format!("has {} values, but '{}' has {}", length(lists), first.site, length(first));
        Err(self.fault(lists.site, row, &what).because("they describe the same objects").data())
    }

    fn check_counter(&self, counts: &[u32], counter: &str, first: &Lists<'_>) -> Result<()> {
        let mut rows = lengths(first.offsets).zip(counts);
        let Some(row) = rows.position(|(length, &count)| i64::from(length) != i64::from(count)) else { return Ok(()) };
        let length = first.offsets[row + 1] - first.offsets[row];
        let what = format!("has {length} values, but '{counter}' says {}", counts[row]);
        Err(self.fault(first.site, row, &what).because("the counter and the lists contradict each other").data())
    }

    fn values(&self, lists: &Lists<'_>) -> Result<ScalarBuffer<f32>> {
        to_f32(&lists.values).ok_or_else(|| self.changed(&lists.site.column))
    }
}

fn lengths(offsets: &[i32]) -> impl Iterator<Item = i32> {
    offsets.windows(2).map(|ends| ends[1] - ends[0])
}

fn first_null(array: &dyn Array) -> Option<usize> {
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0)?;
    nulls.iter().position(|valid| !valid)
}

/// The values as f32: as they are, or rounded to nearest once; booleans become 0 and 1. `None` for other types.
fn to_f32(array: &dyn Array) -> Option<ScalarBuffer<f32>> {
    macro_rules! rounded {
        ($type:ty) => {
            array.as_primitive::<$type>().values().iter().map(|&value| value as f32).collect()
        };
    }
    Some(match array.data_type() {
        DataType::Float32 => array.as_primitive::<types::Float32Type>().values().clone(),
        DataType::Float64 => rounded!(types::Float64Type),
        DataType::Float16 => {
            array.as_primitive::<types::Float16Type>().values().iter().map(|value| value.to_f32()).collect()
        }
        DataType::Int8 => rounded!(types::Int8Type),
        DataType::Int16 => rounded!(types::Int16Type),
        DataType::Int32 => rounded!(types::Int32Type),
        DataType::Int64 => rounded!(types::Int64Type),
        DataType::UInt8 => rounded!(types::UInt8Type),
        DataType::UInt16 => rounded!(types::UInt16Type),
        DataType::UInt32 => rounded!(types::UInt32Type),
        DataType::UInt64 => rounded!(types::UInt64Type),
        DataType::Boolean => array.as_boolean().values().iter().map(|value| f32::from(u8::from(value))).collect(),
        _ => return None,
    })
}

/// The values as `T`, or the first row whose value does not fit. `None` for a type that is no integer.
fn to_integers<T: TryFrom<i128>>(array: &dyn Array) -> Option<Result<Vec<T>, usize>> {
    fn fit<T: TryFrom<i128>>(values: impl Iterator<Item = i128>) -> Result<Vec<T>, usize> {
        values.enumerate().map(|(row, value)| T::try_from(value).map_err(|_| row)).collect()
    }
    downcast_integer_array!(
        array => Some(fit(array.values().iter().map(|&value| i128::from(value)))),
        _ => None,
    )
}
