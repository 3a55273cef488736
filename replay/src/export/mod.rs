//! An export in segments: files of JSON lines, a manifest that names them, and the same for
//! analysts as Parquet. Never a manifest before all that it names is durable.

mod folder;
mod manifest;
mod parquet;
mod segments;

pub use folder::{ExportOptions, export_folder};
pub use manifest::{FORMAT, MANIFEST, Manifest, Named, Segment};
pub use segments::{SegmentError, Segments};

use std::io::{self, Read};
use strongroom_ledger::Hash;

/// The SHA-256 of what is read.
fn digest(mut input: impl Read) -> io::Result<Hash> {
    let mut hashing = Hashing::new(&mut input);
    io::copy(&mut hashing, &mut io::sink())?;
    Ok(hashing.hash())
}

/// Hashes what passes through it.
struct Hashing<T> {
    inner: T,
    hasher: sha2::Sha256,
}

impl<T> Hashing<T> {
    fn new(inner: T) -> Self {
        Self { inner, hasher: sha2::Digest::new() }
    }

    fn hash(&self) -> Hash {
        Hash::new(sha2::Digest::finalize(self.hasher.clone()).into())
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        sha2::Digest::update(&mut self.hasher, into.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl<T: io::Write> io::Write for Hashing<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        sha2::Digest::update(&mut self.hasher, bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
