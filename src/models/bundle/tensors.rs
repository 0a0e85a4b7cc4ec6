//! Files of tensors with texts beside them: safetensors, whose bytes are a function of what is in them.
//!
//! A file is the length of its header (8 bytes, little endian), the header, which is JSON, and the numbers of all
//! tensors one after the other (<https://github.com/huggingface/safetensors>). The crate reads headers. It does not
//! write them, because it keeps texts in a hash map, and the same network would be another file in every run.
//!
//! Of our own texts `trawl` says what the rest is, and `sha256` is that of the other texts and of all tensors by their
//! names.

use std::collections::BTreeMap;

use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::error::{Error, Fault, Result};

/// Others refuse longer headers.
const LONGEST_HEADER: usize = 100_000_000;

/// The bytes that tell the header's length, and what numbers are aligned to.
const WORD: usize = 8;

const DESCRIPTION: &str = "trawl";
const SHA256: &str = "sha256";

/// What a file is, and in which version of its format.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub word: &'static str,
    pub version: u32,
}

/// A tensor to be written.
#[derive(Debug, Clone)]
pub(super) struct Tensor {
    name: String,
    kind: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Tensor {
    /// Numbers of single precision.
    pub fn of_numbers(name: impl Into<String>, shape: &[usize], numbers: &[f32]) -> Self {
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        Self { name: name.into(), kind: Dtype::F32, shape: shape.to_vec(), bytes }
    }

    /// A text that is too long for the header.
    pub fn of_text(name: impl Into<String>, text: &str) -> Self {
        let bytes = text.as_bytes().to_vec();
        Self { name: name.into(), kind: Dtype::U8, shape: vec![bytes.len()], bytes }
    }

    fn view(&self) -> View<'_> {
        View { kind: self.kind, shape: self.shape.clone(), bytes: &self.bytes }
    }
}

#[derive(Serialize)]
struct Sealed<'a, T> {
    kind: &'a str,
    version: u32,
    content: &'a T,
}

#[derive(Deserialize)]
struct Seal {
    kind: String,
    version: u32,
}

#[derive(Deserialize)]
struct Opened<T> {
    content: T,
}

struct Header<'a> {
    texts: &'a BTreeMap<String, String>,
    tensors: &'a [Tensor],
}

impl Serialize for Header<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("__metadata__", self.texts)?;
        let mut start = 0;
        for Tensor { name, kind, shape, bytes } in self.tensors {
            let data_offsets = (start, start + bytes.len());
            map.serialize_entry(name, &TensorInfo { dtype: *kind, shape: shape.clone(), data_offsets })?;
            start = data_offsets.1;
        }
        map.end()
    }
}

/// The bytes of a file of that kind, with a description, other texts and tensors, whose names differ.
///
/// # Errors
/// More texts and tensors than a header may tell of.
pub(super) fn encoded(
    operation: &'static str,
    kind: Kind,
    description: &impl Serialize,
    mut texts: BTreeMap<String, String>,
    tensors: &[Tensor],
) -> Result<Vec<u8>> {
    let sealed = Sealed { kind: kind.word, version: kind.version, content: description };
    // Only maps with keys that are not strings and failing writers can fail here and below; there are none.
    texts.insert(DESCRIPTION.into(), serde_json::to_string(&sealed).expect("a description is plain data"));
    let views = tensors.iter().map(|tensor| (tensor.name.as_str(), tensor.view())).collect();
    texts.insert(SHA256.into(), sha256(&texts, &views));
    let mut header = serde_json::to_vec(&Header { texts: &texts, tensors }).expect("a header is plain data");
    header.resize(header.len().next_multiple_of(WORD), b' ');
    if header.len() > LONGEST_HEADER {
        let fault = Fault::new(operation, format!("the header of the file would have {} bytes", header.len()));
        let fault = fault.because(format!("no program reads more than {LONGEST_HEADER}"));
        return Err(fault.suggest("Write fewer members to a file.").data());
    }
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.append(&mut header);
    tensors.iter().for_each(|tensor| bytes.extend_from_slice(&tensor.bytes));
    Ok(bytes)
}

/// A tensor of a file.
#[derive(Debug, Clone)]
pub(super) struct View<'a> {
    pub kind: Dtype,
    pub shape: Vec<usize>,
    pub bytes: &'a [u8],
}

impl View<'_> {
    /// Its numbers in single precision; none if they are no floating-point numbers of 16, 32 or 64 bits.
    pub fn numbers(&self) -> Option<Vec<f32>> {
        let twos = self.bytes.as_chunks::<2>().0.iter();
        Some(match self.kind {
            Dtype::F16 => twos.map(|bytes| half::f16::from_le_bytes(*bytes).to_f32()).collect(),
            Dtype::BF16 => twos.map(|bytes| half::bf16::from_le_bytes(*bytes).to_f32()).collect(),
            Dtype::F32 => self.bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            Dtype::F64 => self.bytes.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes) as f32).collect(),
            _ => return None,
        })
    }
}

/// What is in a file.
#[derive(Debug)]
pub(super) struct Tensors<'a> {
    operation: &'static str,
    texts: BTreeMap<String, String>,
    pub views: BTreeMap<String, View<'a>>,
}

impl<'a> Tensors<'a> {
    /// Reads the bytes of a file for `operation`.
    ///
    /// # Errors
    /// Bytes that are no safetensors file, or not all of one.
    pub fn read(operation: &'static str, bytes: &'a [u8]) -> Result<Self> {
        let refuse = |why: String| {
            let fault = Fault::new(operation, "this is no whole safetensors file").because(why);
            fault.suggest("If it was one, it was cut off or damaged: copy it again.").data()
        };
        let short = || refuse(format!("it ends after {} bytes, in its header", bytes.len()));
        let (length, rest) = bytes.split_first_chunk::<WORD>().ok_or_else(short)?;
        let length = u64::from_le_bytes(*length);
        if length > LONGEST_HEADER as u64 {
            return Err(refuse(format!("its header would have {length} bytes")));
        }
        let (header, data) = rest.split_at_checked(length as usize).ok_or_else(short)?;
        let metadata: Metadata =
            serde_json::from_slice(header).map_err(|error| refuse(format!("its header: {error}")))?;
        if metadata.data_len() != data.len() {
            let (told, there) = (metadata.data_len(), data.len());
            return Err(refuse(format!("its header tells of {told} bytes of numbers, and there are {there}")));
        }
        let mut views = BTreeMap::new();
        for (name, info) in metadata.tensors() {
            let (from, to) = info.data_offsets;
            let bytes = data.get(from..to).ok_or_else(|| refuse(format!("'{name}' is not in it")))?;
            views.insert(name, View { kind: info.dtype, shape: info.shape.clone(), bytes });
        }
        let texts = metadata.metadata().iter().flatten().map(|(name, text)| (name.clone(), text.clone())).collect();
        Ok(Self { operation, texts, views })
    }

    /// Reads the description of a file of that kind.
    ///
    /// # Errors
    /// None, one of another kind or version, a damaged one.
    pub fn description<T: DeserializeOwned>(&self, kind: Kind) -> Result<T> {
        let refuse = |problem: String, why: String| Fault::new(self.operation, problem).because(why);
        let Some(text) = self.texts.get(DESCRIPTION) else {
            let fault =
                refuse(format!("this is no {} of Trawl's", kind.word), format!("it has no text '{DESCRIPTION}'"));
            return Err(fault.suggest("Networks that were made elsewhere can be imported.").data());
        };
        let damaged = |error: serde_json::Error| refuse("its description is damaged".into(), error.to_string()).data();
        let seal: Seal = serde_json::from_str(text).map_err(damaged)?;
        if seal.kind != kind.word {
            return Err(refuse(format!("this is a {}", seal.kind), format!("expected a {}", kind.word)).data());
        }
        if seal.version != kind.version {
            let why = format!("this program reads version {}", kind.version);
            let fault = refuse(format!("this {} has version {}", kind.word, seal.version), why);
            return Err(fault.suggest("Read it with the Trawl that wrote it.").data());
        }
        let opened: Opened<T> = serde_json::from_str(text).map_err(damaged)?;
        Ok(opened.content)
    }

    /// The tensor of that name.
    ///
    /// # Errors
    /// None, or one of another kind or shape.
    pub fn tensor(&self, name: &str, kind: Dtype, shape: &[usize]) -> Result<&View<'a>> {
        let expected = format!("expected {kind} of shape {shape:?}");
        let problem = match self.views.get(name) {
            Some(view) if view.kind == kind && view.shape == shape => return Ok(view),
            Some(view) => format!("the tensor '{name}' is {} of shape {:?}", view.kind, view.shape),
            None => format!("the tensor '{name}' is missing"),
        };
        Err(Fault::new(self.operation, problem).because(expected).data())
    }

    /// The text that is a tensor.
    ///
    /// # Errors
    /// None, or one that is no text.
    pub fn text(&self, name: &str) -> Result<&'a str> {
        let length = self.views.get(name).map_or(0, |view| view.bytes.len());
        let view = self.tensor(name, Dtype::U8, &[length])?;
        std::str::from_utf8(view.bytes).map_err(|error| {
            Fault::new(self.operation, format!("the tensor '{name}' is no text")).because(error.to_string()).data()
        })
    }

    /// Whether the file is as it was written.
    ///
    /// # Errors
    /// Another sha256.
    pub fn check_sha256(&self) -> Result<()> {
        let views = self.views.iter().map(|(name, view)| (name.as_str(), view.clone())).collect();
        if self.texts.get(SHA256) == Some(&sha256(&self.texts, &views)) {
            return Ok(());
        }
        let fault = Fault::new(self.operation, "the file was changed after it was written");
        Err(fault.because("its sha256 is not that of its contents").data())
    }
}

/// Of all texts but that one, and of all tensors, in the order of their names.
fn sha256(texts: &BTreeMap<String, String>, tensors: &BTreeMap<&str, View>) -> String {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    for (name, text) in texts.iter().filter(|(name, _)| *name != SHA256) {
        [name, text].iter().for_each(|text| add(text.as_bytes()));
    }
    for (name, view) in tensors {
        add(name.as_bytes());
        add(format!("{} {:?}", view.kind, view.shape).as_bytes());
        add(view.bytes);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a file for `operation` and makes something of its bytes, whose problems name the file.
pub(super) fn read<T>(
    operation: &'static str,
    path: &std::path::Path,
    of: impl FnOnce(&[u8]) -> Result<T>,
) -> Result<T> {
    let bytes = std::fs::read(path).map_err(|source| Error::io(operation, "read", path, source))?;
    of(&bytes).map_err(|error| error.about(&format!("'{}'", path.display())))
}
