//! The PIN of a token and the state of its file. Never tries a PIN that the token has refused: a few
//! more tries lock the token for good. Whoever writes the file anew says that it may be tried.

use std::{fs, path::Path, time::SystemTime};

use strongroom_secrets::{SecretFileError, SecretText, read_secret_text};

/// What was read, and when its file was written.
pub(super) struct Pin {
    pub(super) text: SecretText,
    written: Option<SystemTime>,
    /// Whether the token refused this text.
    pub(super) refused: bool,
}

impl Pin {
    pub(super) fn read(path: &Path) -> Result<Self, SecretFileError> {
        // Before the reading: a file that changes in between is read once more, and not missed.
        let written = written(path);
        Ok(Self { text: read_secret_text(path)?, written, refused: false })
    }

    /// Whether the file was written since: by `touch`, too.
    pub(super) fn is_rewritten(&self, path: &Path) -> bool {
        let now = written(path);
        now.is_some() && now != self.written
    }
}

fn written(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}
