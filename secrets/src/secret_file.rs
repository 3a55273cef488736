//! Reading a passphrase, PIN or token from a file that only its owner may read. It never reads one
//! from an argument or an environment variable, because a process list shows both.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::{Secret, SecretText};

/// More than any passphrase, PIN, token or PEM key needs, in bytes; stops a mistaken path.
const LIMIT: u64 = 64 * 1024;

/// Permission bits of group and others.
const NOT_OWNER: u32 = 0o077;

/// Why a secret file was not read. Never holds any of its bytes.
#[derive(Debug, Error)]
pub enum SecretFileError {
    /// The operating system refused.
    #[error("cannot read the secret file {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A directory, a pipe or a device.
    #[error("{} is not a regular file; a secret file must be one", path.display())]
    NotAFile {
        /// What was named.
        path: PathBuf,
    },
    /// Group or others may read or write it.
    #[error(
        "the secret file {} has mode {mode:04o}: others than its owner have access; \
         run `chmod 600` on it, and change the secret if others could have read it",
        path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Nothing in it besides a line end.
    #[error("the secret file {} is empty; it must hold the secret on one line", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Larger than any secret of ours.
    #[error("the secret file {} is larger than {LIMIT} bytes; is it the right file?", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Text was wanted.
    #[error("the secret file {} is not UTF-8 text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
}

/// Reads the secret in `path` and removes one line end from its end, if there is one.
///
/// The mode is checked on the open file, so that it cannot be swapped in between.
pub fn read_secret(path: &Path) -> Result<Secret, SecretFileError> {
    let io = |source| SecretFileError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        return Err(SecretFileError::NotAFile { path: path.to_owned() });
    }
    if metadata.mode() & NOT_OWNER != 0 {
        return Err(SecretFileError::Exposed {
            path: path.to_owned(),
            mode: metadata.mode() & 0o7777,
        });
    }
    if metadata.len() > LIMIT {
        return Err(SecretFileError::TooLarge { path: path.to_owned() });
    }
    // One allocation of the final size: a vector that grows leaves unwiped copies behind.
    let capacity = usize::try_from(LIMIT).unwrap_or(usize::MAX).saturating_add(1);
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(capacity));
    file.take(LIMIT.saturating_add(1)).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() >= capacity {
        return Err(SecretFileError::TooLarge { path: path.to_owned() });
    }
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Err(SecretFileError::Empty { path: path.to_owned() });
    }
    Ok(Secret::new(line.to_vec()))
}

/// [`read_secret`] for secrets that are text.
pub fn read_secret_text(path: &Path) -> Result<SecretText, SecretFileError> {
    read_secret(path)?
        .into_text()
        .map_err(|_not_text| SecretFileError::NotText { path: path.to_owned() })
}
