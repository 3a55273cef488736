//! Writing a whole file so that a crash leaves the old one or the new one. It never leaves a
//! half-written file under the final name, and never makes a file that others may read.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rand::{RngCore, rngs::OsRng};
use thiserror::Error;

/// What to do when the file is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Put the new contents in its place.
    Replace,
    /// Refuse; what is there stays. For what must never be lost, such as a key share.
    Keep,
}

/// Why a file was not written. On any of these the old file, if there was one, is still there.
#[derive(Debug, Error)]
pub enum DurableFileError {
    /// The operating system refused one of the steps.
    #[error("cannot {step} {}: {source}", path.display())]
    Io {
        /// Which step.
        step: &'static str,
        /// The file that was to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// [`Existing::Keep`] was asked for.
    #[error("{} exists already and is not replaced; move it away if it is not needed", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A path such as `/` or `..`.
    #[error("{} does not name a file in a directory", path.display())]
    NoName {
        /// The path.
        path: PathBuf,
    },
}

/// Writes `bytes` to `path` with mode 0600; durable (file and directory synced) when it returns.
pub fn write_durably(
    path: &Path,
    bytes: &[u8],
    existing: Existing,
) -> Result<(), DurableFileError> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(DurableFileError::NoName { path: path.to_owned() });
    };
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let mut draft_name = std::ffi::OsString::from(".");
    draft_name.push(name);
    draft_name.push(format!(".{:016x}.draft", OsRng.next_u64()));
    let draft = directory.join(draft_name);
    let result = write_draft(&draft, bytes)
        .map_err(at("write a draft of", path))
        .and_then(|()| put_in_place(&draft, path, existing));
    if result.is_err() {
        // A draft that cannot be removed is harmless: nothing reads it.
        let _ = fs::remove_file(&draft);
    }
    result?;
    sync_directory(directory).map_err(at("sync the directory of", path))
}

/// Makes new, renamed or removed names in `directory` durable.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn write_draft(draft: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn put_in_place(draft: &Path, path: &Path, existing: Existing) -> Result<(), DurableFileError> {
    match existing {
        Existing::Replace => fs::rename(draft, path).map_err(at("put in place", path)),
        // A link fails when the name is taken, which a look beforehand could not promise.
        Existing::Keep => match fs::hard_link(draft, path) {
            Ok(()) => fs::remove_file(draft).map_err(at("remove the draft of", path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(DurableFileError::Exists { path: path.to_owned() })
            }
            Err(error) => Err(at("put in place", path)(error)),
        },
    }
}

fn at(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DurableFileError {
    let path = path.to_owned();
    move |source| DurableFileError::Io { step, path, source }
}
