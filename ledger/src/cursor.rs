//! A strict reader over the bytes of one entry. Never skips a byte: every one is demanded by name.

use uuid::Uuid;

use crate::entry::{EntryError, MAX_INTEGER};
use crate::hash::{Hash, decode};
use crate::timestamp::Timestamp;

/// The bytes that a name may have: a table, because a verifier asks for every byte of every name.
pub(crate) struct Alphabet([bool; 256]);

impl Alphabet {
    pub(crate) const fn new(bytes: &[u8]) -> Self {
        let mut table = [false; 256];
        let mut at = 0;
        while at < bytes.len() {
            #[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
            {
                table[bytes[at] as usize] = true;
            }
            at += 1;
        }
        Self(table)
    }

    pub(crate) fn has(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)).copied().unwrap_or(false)
    }
}

/// What is left of an entry's bytes, and how much of it was read (for messages).
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, offset: 0 }
    }

    fn unexpected(&self, expected: &'static str) -> EntryError {
        EntryError::Unexpected { offset: self.offset, expected }
    }

    fn advance(&mut self, rest: &'a [u8]) {
        self.offset += self.rest.len() - rest.len();
        self.rest = rest;
    }

    fn take(&mut self, len: usize, expected: &'static str) -> Result<&'a [u8], EntryError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(self.unexpected(expected))?;
        self.advance(rest);
        Ok(taken)
    }

    /// Demands exactly this text.
    pub(crate) fn literal(&mut self, text: &'static str) -> Result<(), EntryError> {
        match self.rest.strip_prefix(text.as_bytes()) {
            Some(rest) => {
                self.advance(rest);
                Ok(())
            }
            None => Err(self.unexpected(text)),
        }
    }

    /// Demands the end of the bytes.
    pub(crate) fn end(&self) -> Result<(), EntryError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.unexpected("the end of the entry")) }
    }

    /// A whole number from 1 to `limit`, without sign or leading zero.
    pub(crate) fn integer(
        &mut self,
        limit: u64,
        expected: &'static str,
    ) -> Result<u64, EntryError> {
        debug_assert!(limit <= MAX_INTEGER);
        let mut value: u64 = 0;
        let mut rest = self.rest;
        while let [digit @ b'0'..=b'9', tail @ ..] = rest {
            // At most 2^53 * 10 + 9 here, which fits: the limit is checked at every digit.
            value = value * 10 + u64::from(digit - b'0');
            if value == 0 || value > limit {
                return Err(self.unexpected(expected));
            }
            rest = tail;
        }
        if value == 0 {
            return Err(self.unexpected(expected));
        }
        self.advance(rest);
        Ok(value)
    }

    /// A name of 1 to `limit` bytes up to the next quotation mark, all of them `allowed`.
    pub(crate) fn name(
        &mut self,
        limit: usize,
        allowed: &Alphabet,
        expected: &'static str,
    ) -> Result<&'a str, EntryError> {
        let len = self.rest.iter().position(|byte| !allowed.has(*byte)).unwrap_or(self.rest.len());
        if len == 0 || len > limit {
            return Err(self.unexpected(expected));
        }
        let bytes = self.take(len, expected)?;
        std::str::from_utf8(bytes).map_err(|_| self.unexpected(expected))
    }

    /// A moment in its one spelling.
    pub(crate) fn time(&mut self) -> Result<Timestamp, EntryError> {
        const EXPECTED: &str = "a time such as 2026-11-22T17:18:00.000000Z";
        let error = self.unexpected(EXPECTED);
        Timestamp::from_text(self.take(Timestamp::TEXT_LEN, EXPECTED)?).map_err(|_| error)
    }

    /// 64 lower-case hexadecimal digits.
    pub(crate) fn hash(&mut self) -> Result<Hash, EntryError> {
        const EXPECTED: &str = "64 lower-case hexadecimal digits";
        let error = self.unexpected(EXPECTED);
        Hash::from_hex(self.take(64, EXPECTED)?).map_err(|_| error)
    }

    /// A lower-case hyphenated UUID (RFC 9562 section 4) of any version.
    pub(crate) fn uuid(&mut self) -> Result<Uuid, EntryError> {
        const EXPECTED: &str = "a lower-case hyphenated UUID";
        let error = self.unexpected(EXPECTED);
        let text: &[u8; 36] =
            self.take(36, EXPECTED)?.try_into().map_err(|_| self.unexpected(EXPECTED))?;
        uuid(text).ok_or(error)
    }
}

/// Where the hyphens stand; between them every byte is a digit.
fn uuid(text: &[u8; 36]) -> Option<Uuid> {
    let mut digits = [0; 32];
    let mut rest = digits.as_mut_slice();
    for (from, to) in [(0, 8), (9, 13), (14, 18), (19, 23), (24, 36)] {
        let (into, after) = rest.split_at_mut_checked(to - from)?;
        into.copy_from_slice(text.get(from..to)?);
        rest = after;
    }
    let hyphens = [8, 13, 18, 23].iter().all(|at| text.get(*at) == Some(&b'-'));
    let mut bytes = [0; 16];
    decode(&digits, &mut bytes)?;
    hyphens.then(|| Uuid::from_bytes(bytes))
}
