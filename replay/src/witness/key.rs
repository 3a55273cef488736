//! The file with a witness's private key: one line, for its owner only. Never printed, and never in
//! an argument.

use super::failed;
use crate::finding::Finding;
use rand::{RngCore as _, rngs::OsRng};
use std::path::Path;
use strongroom_ledger::{KeyName, SEED_BYTES, VerifierKey, WitnessKey};
use strongroom_secrets::{Existing, read_secret_text, write_durably};
use zeroize::Zeroizing;

/// The first word of the line.
const FORMAT: &str = "strongroom-witness-key/1";

/// Which signatures a witness makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WitnessKind {
    /// cosignature/v1 (type 0x04).
    Ed25519,
    /// Post-quantum (type 0x06), as C2SP tlog-witness recommends.
    MlDsa44,
}

impl WitnessKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::MlDsa44 => "ml-dsa-44",
        }
    }

    fn key(self, name: &str, seed: &[u8; SEED_BYTES]) -> Result<WitnessKey, String> {
        let name = KeyName::new(name).map_err(|error| error.to_string())?;
        let key = match self {
            Self::Ed25519 => WitnessKey::ed25519(name, seed),
            Self::MlDsa44 => WitnessKey::ml_dsa_44(name, seed),
        };
        key.map_err(|error| error.to_string())
    }
}

/// Makes a key in a new file of mode 0600, and gives its public half.
pub fn make_key(path: &Path, name: &str, kind: WitnessKind) -> Result<VerifierKey, Finding> {
    let mut seed = Zeroizing::new([0; SEED_BYTES]);
    OsRng.fill_bytes(seed.as_mut());
    let key = kind.key(name, &seed).map_err(|error| failed(path, &error))?;
    let mut line = Zeroizing::new(format!("{FORMAT} {} {name} ", kind.name()));
    for byte in seed.iter() {
        // Both digits in one go: nothing of the seed is left in a text of its own.
        line.extend(
            [byte >> 4, byte & 15].iter().filter_map(|it| char::from_digit((*it).into(), 16)),
        );
    }
    line.push('\n');
    let written = write_durably(path, line.as_bytes(), Existing::Keep);
    written.map_err(|error| failed(path, &error))?;
    Ok(key.verifier().clone())
}

/// Reads the file that [`make_key`] wrote; others than its owner must not be able to.
pub fn read_key(path: &Path) -> Result<WitnessKey, Finding> {
    let text = read_secret_text(path).map_err(|error| failed(path, &error))?;
    let refuse = || failed(path, &"this is no witness key: make one with `witness init`");
    let mut words = text.expose().trim_end().split(' ');
    let mut next = || words.next().ok_or_else(refuse);
    let (format, kind, name, seed) = (next()?, next()?, next()?, next()?);
    let kind =
        [WitnessKind::Ed25519, WitnessKind::MlDsa44].into_iter().find(|it| it.name() == kind);
    let kind = kind.filter(|_| format == FORMAT).ok_or_else(refuse)?;
    let seed = unhex(seed).ok_or_else(refuse)?;
    kind.key(name, &seed).map_err(|error| failed(path, &error))
}

fn unhex(text: &str) -> Option<Zeroizing<[u8; SEED_BYTES]>> {
    let mut seed = Zeroizing::new([0; SEED_BYTES]);
    if text.len() != SEED_BYTES.saturating_mul(2) {
        return None;
    }
    for (byte, digits) in seed.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(seed)
}
