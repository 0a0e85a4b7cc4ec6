//! A pandas frame in an HDF5 file, read by rows.
//!
//! | layout | in its group |
//! |---|---|
//! | fixed | labels in `axis0`; for each block, labels in `blockN_items`, numbers (rows, columns) in `blockN_values` |
//! | table | a compound `table`: `index`, and fields of numbers or arrays of them; labels in attributes `FIELD_kind` |

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use hdf5::types::{CompoundField, CompoundType, FloatSize, TypeDescriptor};
use hdf5::{Dataset, Dataspace, Datatype, Group};

use super::super::NAME;
use super::names::{Label, Names, labels, names, pickled_list, text};
use crate::error::{Error, Fault, Result};

/// The bytes of numbers that are read together, unless one chunk of the file holds more.
const BYTES_TOGETHER: usize = 16 << 20;
/// Pandas makes a handful; more is a damaged file.
const MOST_BLOCKS: usize = 1000;

/// A frame whose layout was checked.
#[derive(Debug)]
pub(super) struct Frame {
    pub names: Names,
    pub rows: usize,
    parts: Vec<Part>,
}

/// Columns that are stored together.
#[derive(Debug)]
struct Part {
    dataset: Dataset,
    /// The field of a compound; `None` for a plain matrix.
    field: Option<String>,
    /// Whether a compound's field is an array, even if of one number.
    memory: TypeDescriptor,
    /// The position in the frame of each column.
    columns: Vec<usize>,
}

impl Frame {
    /// Opens the frame under `key`, or the only one, of the file `path`.
    pub fn open(path: &Path, key: Option<&str>) -> Result<Self> {
        // HDF5 says in many lines what the system says in one.
        std::fs::File::open(path).map_err(|error| super::super::unreadable(path, error))?;
        // Shared disks often cannot lock, and what is only read needs no lock.
        let without_lock = hdf5::File::with_options().with_fapl(|access| access.file_locking(false)).open(path);
        let opened = without_lock.map_err(|error| {
            let fault = Fault::new(NAME, format!("'{}' is no complete HDF5 file", path.display()));
            fault.because(one_line(&error)).suggest("Fetch it again if it should be one.").data()
        });
        let group = find(&opened?, key).map_err(|fault| named(fault, path))?;
        let frame = match text(&group, "pandas_type").as_deref() {
            Some("frame") => fixed(&group),
            Some("frame_table") => table(&group),
            other => {
                Err(format!("its pandas_type is '{}', and not 'frame' or 'frame_table'", other.unwrap_or("missing")))
            }
        };
        frame.map_err(|why| {
            let fault =
                Fault::new(NAME, format!("the frame '{}' of '{}' cannot be read", group.name(), path.display()));
            fault.because(why).data()
        })
    }

    /// How many rows are read together: whole chunks, so that none is decompressed twice.
    pub fn rows_together(&self) -> usize {
        let chunk =
            self.parts.iter().filter_map(|part| part.dataset.chunk()?.first().copied()).max().unwrap_or(1).max(1);
        let rows = (BYTES_TOGETHER / (8 * self.names.len().max(1))).max(1);
        // A chunk of a narrow part can be as long as the file.
        if chunk <= rows {
            rows - rows % chunk
        } else if self.parts.len() == 1 {
            chunk.min(16 * rows)
        } else {
            rows
        }
    }

    /// The numbers of `rows`, row by row.
    pub fn read(&self, rows: Range<usize>) -> Result<Vec<f64>, String> {
        if let [part] = &self.parts[..]
            && part.columns.iter().copied().eq(0..self.names.len())
        {
            return part.read(rows);
        }
        let width = self.names.len();
        let mut matrix = vec![0.0; rows.len() * width];
        for part in &self.parts {
            let values = part.read(rows.clone())?;
            for (row, values) in matrix.chunks_exact_mut(width).zip(values.chunks_exact(part.columns.len())) {
                part.columns.iter().zip(values).for_each(|(&column, &value)| row[column] = value);
            }
        }
        Ok(matrix)
    }
}

impl Part {
    fn read(&self, rows: Range<usize>) -> Result<Vec<f64>, String> {
        self.fill(rows.clone()).map_err(|error| {
            format!("rows {} to {} of '{}': {}", rows.start, rows.end, self.dataset.name(), one_line(&error))
        })
    }

    /// Reads rows of a matrix, or of one field of a compound; HDF5 converts integers and f32 to f64.
    ///
    /// The safe interface reads only types that are known to the compiler, and the length of a field's arrays is not.
    fn fill(&self, rows: Range<usize>) -> hdf5::Result<Vec<f64>> {
        let (count, width) = (rows.len(), self.columns.len());
        let file_space = match self.field {
            Some(_) => self.dataset.space()?.select(rows)?,
            None => self.dataset.space()?.select((rows, 0..width))?,
        };
        let memory_space = match self.field {
            Some(_) => Dataspace::try_new(count)?,
            None => Dataspace::try_new((count, width))?,
        };
        let memory_type = Datatype::from_descriptor(&self.memory)?;
        let mut values = vec![0.0_f64; count * width];
        let bytes = size_of_val(&values[..]);
        if memory_space.size() * memory_type.size() != bytes || file_space.selection_size() != memory_space.size() {
            return Err(format!("{count} rows of {width} numbers do not fill {bytes} bytes").into());
        }
        let (dataset, memory_type) = (self.dataset.id(), memory_type.id());
        let (memory_space, file_space) = (memory_space.id(), file_space.id());
        let destination = values.as_mut_ptr().cast();
        // SAFETY: the four ids belong to handles that live to the end of this function, and HDF5 writes the elements of
        // the memory space, each of the size of the memory type: together the bytes of `values`, as was just checked.
        hdf5::h5call!(hdf5_sys::h5d::H5Dread(
            dataset,
            memory_type,
            memory_space,
            file_space,
            hdf5_sys::h5p::H5P_DEFAULT,
            destination
        ))?;
        Ok(values)
    }
}

/// The group of the frame.
fn find(file: &hdf5::File, key: Option<&str>) -> Result<Group, Fault> {
    if let Some(key) = key {
        let absent = || Fault::new(NAME, format!("there is no frame '{key}'")).suggest(known(file));
        return file.group(key).map_err(|_| absent());
    }
    let frames = frames(file);
    match &frames[..] {
        [only] => Ok(only.clone()),
        [] => Err(Fault::new(NAME, "there is no pandas frame").because("no group has the attribute 'pandas_type'")),
        _ => Err(Fault::new(NAME, format!("there are {} frames", frames.len())).suggest(known(file))),
    }
}

fn frames(file: &hdf5::File) -> Vec<Group> {
    let groups = file.groups().unwrap_or_default();
    groups.into_iter().filter(|group| text(group, "pandas_type").is_some()).collect()
}

fn known(file: &hdf5::File) -> String {
    let names: Vec<String> = frames(file).iter().map(|group| group.name().trim_start_matches('/').to_owned()).collect();
    format!("Choose one of its frames with --key: {}.", names.join(", "))
}

/// The fault with the name of the file in front.
fn named(fault: Fault, path: &Path) -> Error {
    let said = fault.to_string();
    let said = said.strip_prefix(NAME).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&said);
    Fault::new(NAME, format!("'{}': {said}", path.display())).data()
}

fn fixed(group: &Group) -> Result<Frame, String> {
    let all = labels(&dataset(group, "axis0")?)?;
    let names = names(&all)?;
    let places: HashMap<&Label, usize> = all.iter().enumerate().map(|(place, label)| (label, place)).collect();
    let blocks = group.attr("nblocks").and_then(|attribute| attribute.read_scalar::<i64>());
    let blocks = blocks.map_err(|error| format!("the number of blocks: {}", one_line(&error)))?;
    let blocks = usize::try_from(blocks).ok().filter(|blocks| (1..=MOST_BLOCKS).contains(blocks));
    let blocks = blocks.ok_or("it has no blocks, or too many")?;
    let mut parts = Vec::new();
    for block in 0..blocks {
        let values = dataset(group, &format!("block{block}_values"))?;
        let mut columns = Vec::new();
        for label in labels(&dataset(group, &format!("block{block}_items"))?)? {
            columns.push(
                *places.get(&label).ok_or_else(|| format!("block {block} has a column {label:?}, 'axis0' has not"))?,
            );
        }
        if values.ndim() != 2 || values.shape()[1] != columns.len() {
            let shape = values.shape();
            return Err(format!("'{}' has the shape {shape:?} for {} columns", values.name(), columns.len()));
        }
        // Booleans, which pandas writes as bits, are described by an error.
        if !values.dtype().and_then(|kind| kind.to_descriptor()).is_ok_and(|kind| is_number(&kind)) {
            return Err(format!("'{}' holds neither integers nor floats", values.name()));
        }
        parts.push(Part { dataset: values, field: None, memory: TypeDescriptor::Float(FloatSize::U8), columns });
    }
    complete(names, parts)
}

fn table(group: &Group) -> Result<Frame, String> {
    let table = dataset(group, "table")?;
    let kind = table.dtype().and_then(|kind| kind.to_descriptor()).map_err(|error| one_line(&error))?;
    let (TypeDescriptor::Compound(compound), 1) = (kind, table.ndim()) else {
        return Err("its 'table' is no table".into());
    };
    let double = || TypeDescriptor::Float(FloatSize::U8);
    let (mut all, mut parts) = (Vec::new(), Vec::new());
    for field in compound.fields.iter().filter(|field| field.name != "index") {
        let (length, element) = match &field.ty {
            TypeDescriptor::FixedArray(element, length) => (*length, (**element).clone()),
            one => (1, one.clone()),
        };
        if !is_number(&element) {
            return Err(format!("its column '{}' holds no numbers", field.name));
        }
        let labels = match field.name.starts_with("values_block_") {
            true => pickled_list(&text(&table, &format!("{}_kind", field.name)).unwrap_or_default()),
            // A data column is a field of its own.
            false => vec![Label::Word(field.name.clone())],
        };
        if labels.len() != length {
            return Err(format!("'{}' has {length} columns and names for {}", field.name, labels.len()));
        }
        let ty = match &field.ty {
            TypeDescriptor::FixedArray(..) => TypeDescriptor::FixedArray(Box::new(double()), length),
            _ => double(),
        };
        let fields = vec![CompoundField { name: field.name.clone(), ty, offset: 0, index: 0 }];
        let memory = TypeDescriptor::Compound(CompoundType { fields, size: 8 * length });
        let columns = (all.len()..all.len() + length).collect();
        parts.push(Part { dataset: table.clone(), field: Some(field.name.clone()), memory, columns });
        all.extend(labels);
    }
    complete(names(&all)?, parts)
}

/// Every column is in one part, and the parts are equally long.
fn complete(names: Names, parts: Vec<Part>) -> Result<Frame, String> {
    let mut columns: Vec<usize> = parts.iter().flat_map(|part| part.columns.iter().copied()).collect();
    columns.sort_unstable();
    if !columns.iter().copied().eq(0..names.len()) {
        return Err(format!("its blocks have {} of its {} columns", columns.len(), names.len()));
    }
    let lengths: Vec<usize> = parts.iter().map(|part| part.dataset.shape()[0]).collect();
    match lengths.first() {
        None => Err("it has no columns".into()),
        Some(rows) if lengths.iter().any(|length| length != rows) => {
            Err(format!("its blocks have different numbers of rows: {lengths:?}"))
        }
        Some(&rows) => Ok(Frame { names, rows, parts }),
    }
}

fn dataset(group: &Group, name: &str) -> Result<Dataset, String> {
    group.dataset(name).map_err(|error| format!("it has no '{name}': {}", one_line(&error)))
}

fn is_number(kind: &TypeDescriptor) -> bool {
    matches!(kind, TypeDescriptor::Integer(_) | TypeDescriptor::Unsigned(_) | TypeDescriptor::Float(_))
}

/// What HDF5 says, on one line.
fn one_line(error: &hdf5::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
