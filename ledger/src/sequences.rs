//! How far each stream has come. Never holds more than a name and a number per stream.

use std::collections::BTreeMap;

/// The last sequence of every stream of a log; a stream that does not exist has 0.
///
/// A verifier that starts at the first entry fills it by itself. One that resumes from a head alone
/// has to rebuild it (by [`Sequences::set`]) from whatever it keeps durably.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sequences(BTreeMap<Box<str>, u64>);

impl Sequences {
    /// No stream exists yet.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The last sequence of a stream; 0 when it does not exist.
    pub fn get(&self, stream: &str) -> u64 {
        self.0.get(stream).copied().unwrap_or(0)
    }

    /// Records the last sequence of a stream.
    pub fn set(&mut self, stream: &str, sequence: u64) {
        match self.0.get_mut(stream) {
            Some(last) => *last = sequence,
            None => {
                self.0.insert(stream.into(), sequence);
            }
        }
    }

    /// Every stream with its last sequence, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(stream, sequence)| (&**stream, *sequence))
    }

    /// The last sequence of a stream, to be written: one look-up where the stream exists.
    pub(crate) fn last(&mut self, stream: &str) -> Option<&mut u64> {
        self.0.get_mut(stream)
    }
}

impl<'a> FromIterator<(&'a str, u64)> for Sequences {
    fn from_iter<I: IntoIterator<Item = (&'a str, u64)>>(streams: I) -> Self {
        Self(streams.into_iter().map(|(stream, sequence)| (stream.into(), sequence)).collect())
    }
}
