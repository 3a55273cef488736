//! The password of a backend's server, as a file that only its owner can read. Never printed, and
//! never taken from a URL or an argument.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use zeroize::Zeroizing;

use crate::open::OpenError;

/// The most bytes of a password file.
const LIMIT: u64 = 4096;
const NOT_OWNER: u32 = 0o077;

/// A password; wiped from memory when it goes. It cannot be printed.
pub struct Password(Zeroizing<String>);

impl Password {
    /// Reads the file; one line feed at its end is not part of the password.
    ///
    /// The mode is checked on the open file, so that it cannot be swapped in between.
    pub fn read(path: &Path) -> Result<Self, OpenError> {
        let shown = path.display();
        let unavailable = |error: std::io::Error| {
            OpenError::Unavailable(format!("the password file {shown} cannot be read: {error}"))
        };
        let file = File::open(path).map_err(unavailable)?;
        let mode = file.metadata().map_err(unavailable)?.mode() & 0o7777;
        if mode & NOT_OWNER != 0 {
            return Err(OpenError::Refused(format!(
                "the password file {shown} has mode {mode:04o}, so others than its owner have \
                 access: set it to 0600"
            )));
        }
        // As long as it can get, so that no part stays behind where the buffer was before it grew.
        let mut text = Zeroizing::new(String::with_capacity(4096 + 1));
        file.take(LIMIT + 1).read_to_string(&mut text).map_err(unavailable)?;
        if text.ends_with('\n') {
            text.pop();
        }
        if text.is_empty() || text.len() > 4096 || text.contains(['\n', '\0']) {
            return Err(OpenError::Refused(format!(
                "the password file {shown} must hold one line of 1 to {LIMIT} bytes"
            )));
        }
        Ok(Self(text))
    }

    /// The password itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_password_file_is_its_owners_and_holds_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let put = |text: &str, mode| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            Password::read(&path).map(|password| password.expose().to_owned())
        };
        assert_eq!(put("geheim \n", 0o600).unwrap(), "geheim ");
        assert_eq!(put("geheim", 0o400).unwrap(), "geheim");
        for (text, mode) in [("", 0o600), ("\n", 0o600), ("a\nb", 0o600), ("geheim", 0o640)] {
            let refused = put(text, mode);
            let Err(OpenError::Refused(reason)) = refused else { panic!("{refused:?}") };
            assert!(!reason.contains("geheim"), "{reason}");
        }
        assert!(put(&"x".repeat(4097), 0o600).is_err());
        let missing = Password::read(&folder.path().join("missing")).map(|_| ());
        assert!(matches!(missing, Err(OpenError::Unavailable(_))));
    }
}
