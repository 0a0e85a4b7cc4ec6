//! The pages of one column chunk, from bytes that nobody vouches for.
//!
//! The decoder makes room for what a page header promises before it looks at the page. A header of ten bytes can promise
//! two gigabytes, so promises are held against the footer and the size of the file first: see [`Bounded::get_read`] and
//! [`BoundedPages`].

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use parquet::basic::Compression;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::column::reader::{ColumnReader, get_column_reader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::schema::types::ColumnDescPtr;

/// Where the pages of a leaf in a row group are. A copy of a few words of the footer, which is not kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk {
    data_page_offset: i64,
    dictionary_page_offset: Option<i64>,
    compressed_size: i64,
    uncompressed_size: i64,
    values: i64,
    compression: Compression,
}

impl Chunk {
    pub fn new(footer: &ColumnChunkMetaData) -> Self {
        Self {
            data_page_offset: footer.data_page_offset(),
            dictionary_page_offset: footer.dictionary_page_offset(),
            compressed_size: footer.compressed_size(),
            uncompressed_size: footer.uncompressed_size(),
            values: footer.num_values(),
            compression: footer.compression(),
        }
    }

    /// Values, nulls and empty lists together.
    pub fn values(&self) -> u64 {
        super::file::count(self.values)
    }

    /// A reader from the first value of the chunk on.
    pub fn open(&self, file: &Arc<File>, descriptor: &ColumnDescPtr, rows: u64) -> Result<ColumnReader> {
        let mut footer = ColumnChunkMetaData::builder(descriptor.clone())
            .set_compression(self.compression)
            .set_num_values(self.values)
            .set_data_page_offset(self.data_page_offset)
            .set_total_compressed_size(self.compressed_size)
            .set_total_uncompressed_size(self.uncompressed_size);
        if let Some(offset) = self.dictionary_page_offset {
            footer = footer.set_dictionary_page_offset(Some(offset));
        }
        let most = super::file::count(self.uncompressed_size);
        let bounded = Arc::new(Bounded { file: file.clone(), most, header_is_known: AtomicBool::new(false) });
        let pages = SerializedPageReader::new(bounded.clone(), &footer.build()?, usize::try_from(rows)?, None)?;
        let lists = descriptor.max_rep_level() > 0;
        let pages = BoundedPages { pages, bounded, left: self.values(), lists };
        Ok(get_column_reader(descriptor.clone(), Box::new(pages)))
    }
}

/// The file, for one chunk.
struct Bounded {
    file: Arc<File>,
    /// What the footer says that all pages of the chunk take, decompressed.
    most: u64,
    /// What is read next is not a page header, because that was looked at ahead.
    header_is_known: AtomicBool,
}

impl Length for Bounded {
    fn len(&self) -> u64 {
        self.file.len()
    }
}

impl ChunkReader for Bounded {
    type T = BufReader<File>;

    /// Where a page header begins, the sizes in it are looked at first.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        let mut reader = self.file.get_read(start)?;
        if self.header_is_known.load(Ordering::Relaxed) {
            return Ok(reader);
        }
        let Some([decompressed, stored]) = sizes(reader.fill_buf()?) else {
            return Err(ParquetError::General("a page header does not begin with its kind and sizes".into()));
        };
        // Some writers count the decompressed size of chunks in their own way, so small pages are left in peace, and no
        // codec packs 65,536 bytes into one (zstd's best block: 131,072 into 4).
        const SMALL: u64 = 64 << 20;
        const DENSEST: u64 = 1 << 16;
        let most = self.most.min(stored.saturating_mul(DENSEST)).max(SMALL);
        if decompressed > most {
            let why = format!("a page promises {decompressed} bytes where the footer leaves room for {most}");
            return Err(ParquetError::General(why));
        }
        Ok(reader)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.file.get_bytes(start, length)
    }
}

/// The decompressed and the stored size in the first bytes of a page header: Thrift's compact protocol, fields 1 to 3, of
/// which each is a 32-bit number, coded in zigzag.
fn sizes(header: &[u8]) -> Option<[u64; 2]> {
    const NEXT_FIELD_I32: u8 = 0x15;
    let mut bytes = header.iter().copied();
    let mut number = || -> Option<u64> {
        if bytes.next()? != NEXT_FIELD_I32 {
            return None;
        }
        let mut coded = 0;
        for shift in (0..35).step_by(7) {
            let byte = bytes.next()?;
            coded |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        // Odd codes are negative numbers: the decoder refuses those.
        Some(coded / 2)
    };
    let (_kind, decompressed, stored) = (number()?, number()?, number()?);
    Some([decompressed, stored])
}

/// Pages that hold no more values than the footer says and than they have bytes for.
struct BoundedPages {
    pages: SerializedPageReader<Bounded>,
    bounded: Arc<Bounded>,
    left: u64,
    /// Whether all levels of a page may be decoded at once, for they may be one list.
    lists: bool,
}

impl BoundedPages {
    fn check(&mut self, page: &Page) -> Result<()> {
        // Pages are meant to have one megabyte.
        const MOST_IN_LISTS: u64 = 1 << 26;
        let values = u64::from(page.num_values());
        let room = match page {
            Page::DictionaryPage { buf, .. } => buf.len() as u64,
            _ if self.lists => self.left.min(MOST_IN_LISTS),
            _ => self.left,
        };
        if values > room {
            let why = format!("a page promises {values} values where there is room for {room}");
            return Err(ParquetError::General(why));
        }
        if page.is_data_page() {
            self.left -= values;
        }
        Ok(())
    }

    fn know_header(&self, known: bool) {
        self.bounded.header_is_known.store(known, Ordering::Relaxed);
    }
}

impl Iterator for BoundedPages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for BoundedPages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        self.know_header(false);
        if let Some(page) = &page {
            self.check(page)?;
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        let metadata = self.pages.peek_next_page()?;
        self.know_header(metadata.is_some());
        Ok(metadata)
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()?;
        self.know_header(false);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::sizes;

    #[test]
    fn sizes_of_page_headers() {
        // As pyarrow writes them: kind 0, 300 bytes, 20 bytes.
        assert_eq!(sizes(&[0x15, 0x00, 0x15, 0xd8, 0x04, 0x15, 0x28, 0x2c]), Some([300, 20]));
        assert_eq!(sizes(&[0x15, 0x06, 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0x15, 0x02]), Some([i32::MAX as u64, 1]));
        assert_eq!(sizes(&[0x15, 0x00, 0x15, 0xd8]), None);
        assert_eq!(sizes(&[0x25, 0x00, 0x15, 0x02, 0x15, 0x02]), None);
        assert_eq!(sizes(&[]), None);
    }
}
