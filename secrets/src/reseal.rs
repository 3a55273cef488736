//! Moving a directory's sealed files from one key to another. Never leaves a file that neither key
//! opens: after each step, and after a crash in any of them, one of the two opens all of them.
//!
//! Three rounds. First each file is sealed anew under both keys: until its end the old key opens all
//! files. Then each is sealed anew under the new key alone: from the first to the last the new key opens all.
//! Each rewrite has a data key of its own, so an old copy of a file helps nobody to open the new one.
//! At last, drafts that crashes left behind are removed. Whoever is interrupted begins again: what is
//! done is found done.

use std::{
    collections::VecDeque,
    fs, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::{
    Existing, KeySource, SealError, Sealer,
    envelope::Envelope,
    sealed::{MARK, MARK_CONTEXT, is_version_1, read, salt_of},
    sync_directory,
};

/// How sealed files are named.
const SUFFIX: &str = ".sealed";
const DRAFT: &str = ".draft";

/// Why the files were not all moved. What was written stays; beginning again goes on from there.
#[derive(Debug, Error)]
pub enum ResealError {
    /// A file that neither key opens, or that can't be written.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The directory can't be read.
    #[error("cannot list {}: {source}", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of version 1, whose purpose does not stand in it and whose name says none.
    #[error("{} is of version 1, and its name does not say what it is for", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
    },
}

/// What one step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resealed {
    /// Both keys open this file now, or did before.
    UnderBoth(PathBuf),
    /// The new key alone opens it now, or did before.
    UnderNew(PathBuf),
    /// What a crash had left behind is gone.
    Tidied,
}

enum Step {
    Both(PathBuf),
    New(PathBuf),
    Tidy,
}

/// What a version 1 file was sealed for, by its file name.
type Purposes<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Files on their way from one key to another. The owner of the directory must not be running.
pub struct Reseal<'a> {
    directory: PathBuf,
    both: Sealer,
    new: Sealer,
    purposes: &'a Purposes<'a>,
    steps: VecDeque<Step>,
}

impl<'a> Reseal<'a> {
    /// Opens every file once, by one of the two keys, before anything is changed.
    ///
    /// `purposes` says what a file of version 1 is for; the later ones say it themselves.
    pub fn begin(
        directory: &Path,
        from: &KeySource,
        to: &KeySource,
        purposes: &'a Purposes<'a>,
    ) -> Result<Self, ResealError> {
        let mark = directory.join(MARK);
        let salt = salt_of(&mark, &read(&mark)?)?;
        let (old, new) = (from.key(&salt)?, to.key(&salt)?);
        let only = Sealer::with(salt, vec![new.clone()]);
        let both = Sealer::with(salt, vec![old, new]);
        let files = sealed_files(directory)?;
        let first = files.iter().cloned().map(Step::Both);
        // The mark foremost: from here on the old key does not even open the directory.
        let second = files.iter().rev().cloned().map(Step::New);
        let steps = first.chain(second).chain([Step::Tidy]).collect();
        let resealing = Self { directory: directory.to_owned(), both, new: only, purposes, steps };
        for file in &files {
            let bytes = read(file)?;
            let context = resealing.context(file, &bytes)?;
            resealing.both.open_bytes(file, &bytes, &context)?;
        }
        Ok(resealing)
    }

    /// Does the next step, durably; `None` when all is done.
    pub fn step(&mut self) -> Option<Result<Resealed, ResealError>> {
        let step = self.steps.pop_front()?;
        Some(match step {
            Step::Both(path) => {
                self.rewrite(&path, &self.both, 2).map(|()| Resealed::UnderBoth(path))
            }
            Step::New(path) => self.rewrite(&path, &self.new, 1).map(|()| Resealed::UnderNew(path)),
            Step::Tidy => self.tidy().map(|()| Resealed::Tidied),
        })
    }

    /// All steps that are left. Gives the number of files.
    pub fn finish(mut self) -> Result<usize, ResealError> {
        let mut files = 0_usize;
        while let Some(done) = self.step() {
            if matches!(done?, Resealed::UnderNew(_)) {
                files = files.saturating_add(1);
            }
        }
        Ok(files)
    }

    /// Replaces a file by one with so many slots, unless the new key opens it already and it has no more.
    fn rewrite(&self, path: &Path, sealer: &Sealer, slots: usize) -> Result<(), ResealError> {
        let bytes = read(path)?;
        let context = self.context(path, &bytes)?;
        let has = Envelope::parse(&bytes).map_or(0, |sealed| sealed.slots.len());
        if has > 0 && has <= slots {
            match self.new.open_bytes(path, &bytes, &context) {
                Ok(_) => return Ok(()),
                Err(error) if error.is_unavailable() => return Err(error.into()),
                Err(_of_the_old_key) => {}
            }
        }
        let secret = self.both.open_bytes(path, &bytes, &context)?;
        sealer.seal_file(path, &context, secret.expose(), Existing::Replace)?;
        // What was written is what counts, not what was meant.
        let written = self.new.open_file(path, &context)?;
        if written == secret {
            Ok(())
        } else {
            Err(SealError::Malformed { path: path.to_owned() }.into())
        }
    }

    fn context(&self, path: &Path, bytes: &[u8]) -> Result<String, ResealError> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if is_version_1(bytes) {
            return match name {
                MARK => Ok(MARK_CONTEXT.to_owned()),
                name => (self.purposes)(name)
                    .ok_or_else(|| ResealError::Unknown { path: path.to_owned() }),
            };
        }
        Envelope::parse(bytes)
            .map(|sealed| sealed.context.to_owned())
            .ok_or_else(|| SealError::Malformed { path: path.to_owned() }.into())
    }

    fn tidy(&self) -> Result<(), ResealError> {
        let at = |source| ResealError::Io { path: self.directory.clone(), source };
        for name in names(&self.directory)? {
            if name.starts_with('.') && name.ends_with(DRAFT) {
                fs::remove_file(self.directory.join(name)).map_err(at)?;
            }
        }
        sync_directory(&self.directory).map_err(at)
    }
}

/// The mark last.
fn sealed_files(directory: &Path) -> Result<Vec<PathBuf>, ResealError> {
    let mut files: Vec<_> =
        names(directory)?.into_iter().filter(|name| name.ends_with(SUFFIX)).collect();
    files.sort_unstable();
    files.push(MARK.to_owned());
    Ok(files.into_iter().map(|name| directory.join(name)).collect())
}

fn names(directory: &Path) -> Result<Vec<String>, ResealError> {
    let at = |source| ResealError::Io { path: directory.to_owned(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(at)? {
        if let Ok(name) = entry.map_err(at)?.file_name().into_string() {
            names.push(name);
        }
    }
    Ok(names)
}
