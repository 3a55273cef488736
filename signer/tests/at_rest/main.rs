//! A signer's secrets at rest and in memory: on a real Vault, a real PKCS#11 token (SoftHSM) and the
//! real program. Never on anything that stands in for one of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test's helpers fail like the test itself"
)]

mod program;
mod shares;
mod transit;
mod vault;

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

/// A file that only its owner reads.
pub(crate) fn write_private(path: &Path, text: &str) {
    fs::write(path, format!("{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
