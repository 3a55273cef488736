//! A strict reader over the bytes of one entry. Never skips a byte: every one is demanded by name.

use uuid::Uuid;

use crate::entry::{EntryError, MAX_INTEGER};
use crate::hash::{Hash, decode};
use crate::timestamp::Timestamp;

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

    /// A name of 1 to `limit` bytes up to the next quotation mark, of which `allowed` holds.
    pub(crate) fn name(
        &mut self,
        limit: usize,
        allowed: fn(u8) -> bool,
        expected: &'static str,
    ) -> Result<&'a str, EntryError> {
        let len = self.rest.iter().take(limit + 1).take_while(|byte| allowed(**byte)).count();
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

fn uuid(text: &[u8; 36]) -> Option<Uuid> {
    let mut bytes = [0; 16];
    let mut groups = text.split(|byte| *byte == b'-');
    let mut rest = bytes.as_mut_slice();
    for len in [4, 2, 2, 2, 6] {
        let group = groups.next().filter(|group| group.len() == len * 2)?;
        let (into, after) = rest.split_at_mut_checked(len)?;
        decode(group, into)?;
        rest = after;
    }
    groups.next().is_none().then(|| Uuid::from_bytes(bytes))
}
