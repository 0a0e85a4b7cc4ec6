//! What was written, and its hash, without reading it back.

use std::io::{self, Write};

use sha2::{Digest, Sha256};

/// A file that was written to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenFile {
    /// Its size.
    pub bytes: u64,
    /// Of all its bytes.
    pub sha256: [u8; 32],
}

impl WrittenFile {
    /// A file that holds these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, sha256: Sha256::digest(bytes).into() }
    }
}

/// Counts and hashes what passes through.
#[derive(Debug)]
pub(crate) struct Hashing<W> {
    inner: W,
    hasher: Sha256,
    bytes: u64,
}

impl<W> Hashing<W> {
    pub fn new(inner: W) -> Self {
        Self { inner, hasher: Sha256::new(), bytes: 0 }
    }

    pub fn get_ref(&self) -> &W {
        &self.inner
    }

    /// The writer behind, and what went to it.
    pub fn finish(self) -> (W, WrittenFile) {
        (self.inner, WrittenFile { bytes: self.bytes, sha256: self.hasher.finalize().into() })
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes at most three bytes at a time, as files may.
    struct Slow(Vec<u8>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(3);
            self.0.write(&bytes[..count])
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn only_what_was_taken_is_hashed() {
        let mut hashing = Hashing::new(Slow(Vec::new()));
        hashing.write_all(b"what is written").unwrap();
        let (slow, written) = hashing.finish();
        assert_eq!((slow.0.as_slice(), written), (&b"what is written"[..], WrittenFile::of(b"what is written")));
    }
}
