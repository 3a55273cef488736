//! A request that may be repeated without being done twice. Never remembered here: the store does.

use strongroom_commands::IdempotencyKey;
use strongroom_domain::Digest;

use super::{Caller, Failure};

/// A caller's key for a request, and the hash by which a repeat is told from a reuse.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Once {
    key: String,
    request_sha256: Digest,
}

impl Once {
    /// A key of 1 to 255 visible ASCII characters, for a request that is made of these parts.
    pub fn new(key: &str, parts: &[&[u8]]) -> Result<Self, Failure> {
        if !(1..=255).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::KeyMalformed);
        }
        // Lengths first: two requests never have the same bytes.
        let mut bytes = Vec::new();
        for part in parts {
            bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        Ok(Self { key: key.to_owned(), request_sha256: Digest::of(&bytes) })
    }

    /// The same request's part of this name: where one request is several commands.
    pub(super) fn part(mut self, name: &str) -> Self {
        self.key = format!("{}#{name}", self.key);
        self
    }

    /// As this person's, whichever token they come with: who repeats a request after their token was
    /// replaced asks for nothing new.
    pub(super) fn of(self, caller: &Caller) -> IdempotencyKey {
        IdempotencyKey {
            caller: format!("person:{}", caller.person),
            key: self.key,
            request_sha256: self.request_sha256,
        }
    }
}
