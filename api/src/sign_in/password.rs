//! Passwords: Argon2id with OWASP's first recommended parameters, sealed at rest under the server's
//! own key, so that a stolen file alone cannot be guessed at. Never a check without the same work
//! for a name that nobody has.

use argon2::{Algorithm, Argon2, Params, Version};
use rand::{RngCore as _, rngs::OsRng};
use strongroom_secrets::{Secret, SecretText};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::application::Failure;

/// 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet).
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT: usize = 16;
const TAG: usize = 32;

/// Characters at least, and bytes at most.
const SHORTEST: usize = 12;
const LONGEST: usize = 256;

/// Salt and tag of a password. Worth sealing.
pub struct PasswordHash(Zeroizing<[u8; SALT + TAG]>);

/// Refuses a password that is too easily guessed, whatever it is made of (NIST SP 800-63B 3.1.1).
pub(super) fn demand_strength(password: &SecretText, name: &str) -> Result<(), Failure> {
    let text = password.expose();
    if text.chars().count() < SHORTEST || text.len() > LONGEST {
        let because =
            format!("a password has {SHORTEST} characters at least and {LONGEST} bytes at most");
        return Err(Failure::Malformed(because));
    }
    let lower = text.to_lowercase();
    let distinct: std::collections::BTreeSet<_> = lower.chars().collect();
    if lower.contains(name) || distinct.len() < 5 {
        let because = "this password is too easily guessed: take a few unrelated words";
        return Err(Failure::Malformed(because.to_owned()));
    }
    Ok(())
}

impl PasswordHash {
    /// Of a password, with a new salt. Takes 19 MiB and some ten milliseconds: on a thread for that.
    pub fn of(password: &SecretText) -> Result<Self, Failure> {
        let mut salt = [0; SALT];
        OsRng.fill_bytes(&mut salt);
        Self::with_salt(password, salt)
    }

    /// What no password has: checking against it takes as long as against any other.
    pub(super) fn of_nobody() -> Self {
        Self(Zeroizing::new([0; SALT + TAG]))
    }

    /// Reads what [`Self::bytes`] gave.
    pub(super) fn read(bytes: &Secret) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.expose().try_into().ok()?)))
    }

    /// For sealing.
    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Whether it is this password's.
    pub fn fits(&self, password: &SecretText) -> Result<bool, Failure> {
        let salt = self.0.first_chunk::<SALT>().copied().unwrap_or_default();
        let other = Self::with_salt(password, salt)?;
        Ok(self.0.as_slice().ct_eq(other.0.as_slice()).into())
    }

    fn with_salt(password: &SecretText, salt: [u8; SALT]) -> Result<Self, Failure> {
        let failed = |error: argon2::Error| {
            Failure::Unavailable(format!("a password cannot be looked at now: {error}"))
        };
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(TAG)).map_err(failed)?;
        let mut bytes = Zeroizing::new([0; SALT + TAG]);
        let (first, tag) = bytes.split_at_mut(SALT);
        first.copy_from_slice(&salt);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.expose().as_bytes(), &salt, tag)
            .map_err(failed)?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::{PasswordHash, SecretText, demand_strength};

    fn secret(text: &str) -> SecretText {
        SecretText::new(text.to_owned())
    }

    #[test]
    fn a_hash_fits_its_password_alone_and_two_of_one_differ() {
        let (one, other) = (secret("correct horse battery"), secret("correct horse batterz"));
        let hash = PasswordHash::of(&one).unwrap();
        assert!(hash.fits(&one).unwrap());
        assert!(!hash.fits(&other).unwrap());
        assert!(PasswordHash::of(&one).unwrap().bytes() != hash.bytes());
        assert!(!PasswordHash::of_nobody().fits(&one).unwrap());
    }

    #[test]
    fn what_is_easily_guessed_is_no_password() {
        for weak in ["short", "aaaaaaaaaaaaaaaa", "my name is ADA here", &"long".repeat(100)] {
            assert!(demand_strength(&secret(weak), "ada").is_err(), "{weak}");
        }
        assert!(demand_strength(&secret("correct horse battery"), "ada").is_ok());
    }
}
