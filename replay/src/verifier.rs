//! Judges a log, entry by entry, from the first on. Never goes on behind a fault: what follows it
//! stands on nothing.

use crate::{
    books::{Books, Totals},
    finding::{Fault, Finding},
    source::{Source, SourceError},
    transactions,
};
use serde::Serialize;
use std::collections::BTreeMap;
use strongroom_domain::{Asset, EntryParts, Recorded, State, audit::Audited};
use strongroom_ledger::{
    Chain, ChainError, EntryRef, Hash, Head,
    export::{ExportError, Pair},
    leaf_hash,
};

/// What is known of a log before it is read.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Expected {
    /// The leaf of entry 1.
    pub genesis: Option<Hash>,
    /// A head that the log once had: it must contain it.
    pub head: Option<Head>,
}

/// A log without fault.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Verdict {
    /// How many entries there are.
    pub entries: u64,
    /// The last one.
    pub head: Head,
    /// The leaf of entry 1.
    pub genesis: Hash,
    /// Whoever holds the same log at the same place has the same.
    pub state_digest: String,
    /// Both sides of every asset.
    pub balances: BTreeMap<Asset, Totals>,
}

/// Reads a log.
#[derive(Clone, Debug)]
pub struct Verifier {
    expected: Expected,
    chain: Chain,
    audited: Audited,
    books: Books,
    genesis: Hash,
}

impl Verifier {
    /// Before the first entry.
    pub fn new(expected: Expected) -> Self {
        Self {
            expected,
            chain: Chain::start(),
            audited: Audited::default(),
            books: Books::default(),
            genesis: Hash::ZERO,
        }
    }

    /// The last entry that is without fault.
    pub const fn head(&self) -> Head {
        self.chain.head()
    }

    /// What the log says so far.
    pub const fn state(&self) -> &State {
        self.audited.state()
    }

    /// The books so far.
    pub const fn books(&self) -> &Books {
        &self.books
    }

    /// Whether the last entry ends what was appended with it.
    pub fn is_whole(&self) -> bool {
        self.audited.is_whole()
    }

    /// Judges the next entry. After a finding the verifier must not be used any more.
    pub fn extend(&mut self, entry: &[u8], payload: &[u8]) -> Result<(), Finding> {
        self.judge(entry, payload).map_err(|stop| match stop {
            Stop::Chain(error) => error.into(),
            Stop::Found(finding) => finding,
        })
    }

    fn judge(&mut self, entry: &[u8], payload: &[u8]) -> Result<(), Stop> {
        let fields = self.link(entry, payload).map_err(Stop::Chain)?;
        self.pinned().map_err(Stop::Found)?;
        self.allowed(EntryParts { payload, ..fields.borrow() }).map_err(Stop::Found)
    }

    fn allowed(&mut self, parts: EntryParts<'_>) -> Result<(), Finding> {
        let recorded = Recorded::read(parts)?;
        let replaced = transactions::replaced(self.audited.state(), &recorded);
        self.audited.extend(&recorded)?;
        self.books.keep(self.audited.state(), &recorded)?;
        transactions::check(replaced.as_ref(), self.audited.state(), &recorded)
    }

    /// The chain's part, which alone can be told from its neighbours.
    fn link(&mut self, entry: &[u8], payload: &[u8]) -> Result<Fields, ChainError> {
        let entry = self.chain.extend(entry, payload)?;
        let fields = Fields {
            time: entry.time.to_string(),
            stream: entry.stream.to_owned(),
            kind: entry.r#type.to_owned(),
            sequence: entry.sequence,
            version: entry.version,
            head: self.chain.head(),
        };
        Ok(fields)
    }

    fn pinned(&mut self) -> Result<(), Finding> {
        let Head { position, leaf } = self.chain.head();
        if position.get() == 1 {
            self.genesis = leaf;
            if let Some(expected) = self.expected.genesis.filter(|pinned| *pinned != leaf) {
                return Err(Finding::genesis(expected, leaf));
            }
        }
        match self.expected.head {
            Some(pinned) if pinned.position == position && pinned.leaf != leaf => {
                let expected = pinned.leaf;
                let message =
                    format!("entry {position} has leaf {leaf}, expected the pinned {expected}");
                Err(Finding::at(Fault::OtherHead, position.get(), message))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Judges the end.
    pub fn finish(&self) -> Result<Verdict, Finding> {
        let head = self.head();
        let position = head.position.get();
        if position == 0 {
            return Err(Finding::of(
                Fault::Truncated,
                "the log has no entries, expected a charter",
            ));
        }
        if let Some(pinned) = self.expected.head.filter(|pinned| pinned.position > head.position) {
            return Err(Finding::truncated(head, format!("entry {}", pinned.position)));
        }
        if !self.audited.is_whole() {
            return Err(Finding::truncated(head, "the rest of what was appended with it"));
        }
        self.books.check(position)?;
        let state_digest = self.state().digest().map_err(|error| {
            Finding::of(Fault::Unreadable, format!("the state has no digest: {error}"))
        })?;
        Ok(Verdict {
            entries: position,
            head,
            genesis: self.genesis,
            state_digest: state_digest.to_string(),
            balances: self.books.assets().clone(),
        })
    }
}

/// Why an entry was not accepted.
enum Stop {
    /// The chain says so: its neighbours may tell more.
    Chain(ChainError),
    /// All there is to say.
    Found(Finding),
}

/// What of an entry outlives its bytes.
struct Fields {
    time: String,
    stream: String,
    kind: String,
    sequence: u64,
    version: u16,
    head: Head,
}

impl Fields {
    fn borrow(&self) -> EntryParts<'_> {
        EntryParts {
            position: self.head.position.get(),
            leaf: *self.head.leaf.as_bytes(),
            time: &self.time,
            stream: &self.stream,
            sequence: self.sequence,
            kind: &self.kind,
            version: self.version,
            payload: &[],
        }
    }
}

/// Judges all of a source. `progress` hears of every entry.
pub fn verify(
    source: &mut Source,
    verifier: &mut Verifier,
    mut progress: impl FnMut(Head),
) -> Result<Verdict, Finding> {
    while step(source, verifier)? {
        progress(verifier.head());
    }
    claimed(source, verifier)?;
    verifier.finish()
}

/// Judges the next entry of a source; `false` at the end.
pub(crate) fn step(source: &mut Source, verifier: &mut Verifier) -> Result<bool, Finding> {
    let mut pair = Pair::default();
    let next = source.next(&mut pair).map_err(|error| unreadable(&error, verifier.head()))?;
    let Some(filed) = next else { return Ok(false) };
    match verifier.judge(&pair.entry, &pair.payload) {
        Ok(()) => {}
        // Only an entry that was written so can be malformed, unlawful or newer.
        Err(Stop::Found(finding)) => return Err(altered(source, &pair.entry, finding)),
        Err(Stop::Chain(error @ ChainError::Malformed { .. })) => {
            return Err(altered(source, &pair.entry, error.into()));
        }
        // What stands behind it tells a missing entry from one that stands elsewhere.
        Err(Stop::Chain(error)) => return Err(error.refine(rest(source)).into()),
    }
    let position = verifier.head().position.get();
    match filed {
        Some(filed) if u64::try_from(filed) != Ok(position) => {
            let message = format!("entry {position} is filed as {filed}, expected {position}");
            Err(Finding::at(Fault::OutOfOrder, position, message))
        }
        Some(_) | None => Ok(true),
    }
}

/// Calls an entry altered where the log names another one in its place, whatever else is wrong with
/// it: what it says is nobody's word.
fn altered(source: &mut Source, entry: &[u8], finding: Finding) -> Finding {
    let Some(position) = finding.position else { return finding };
    let blamed = matches!(
        finding.fault,
        Fault::Malformed | Fault::UnknownVersion | Fault::Violation | Fault::Unbalanced
    );
    let named = if blamed { named(source, position) } else { None };
    let leaf = leaf_hash(entry);
    match named {
        Some(named) if named != leaf => {
            let because = finding.message;
            let message = format!(
                "entry {position} has leaf {leaf}, but what follows it names {named}: it was \
                 altered ({because})"
            );
            Finding::at(Fault::Altered, position, message)
        }
        Some(_) | None => finding,
    }
}

/// The leaf at a position by the entry behind it, or by the file's head where it is the last.
/// Nobody names an export's last entry.
fn named(source: &mut Source, position: u64) -> Option<Hash> {
    let Some(next) = rest(source).next() else {
        let (head, _) = source.claims().ok()??;
        return (head.position.get() == position).then_some(head.leaf);
    };
    let next = EntryRef::parse(&next).ok()?;
    (position.checked_add(1) == Some(next.position.get())).then_some(next.prev)
}

/// The entries that were not read yet, as far as they can be.
fn rest(source: &mut Source) -> impl Iterator<Item = Vec<u8>> {
    std::iter::from_fn(|| {
        let mut pair = Pair::default();
        match source.next(&mut pair) {
            Ok(Some(_)) => Some(pair.entry),
            Ok(None) | Err(_) => None,
        }
    })
}

fn unreadable(error: &SourceError, head: Head) -> Finding {
    let after = head.position.get();
    let fault = match error {
        SourceError::Export(ExportError::Truncated { .. }) => Fault::Truncated,
        SourceError::Export(ExportError::TooLong { .. } | ExportError::Newline { .. }) => {
            Fault::Malformed
        }
        SourceError::Export(ExportError::Io(_))
        | SourceError::Io { .. }
        | SourceError::Open(_)
        | SourceError::Read(_) => Fault::Unreadable,
    };
    let message = format!("after entry {after}: {error}");
    Finding::at(fault, after.saturating_add(1), message)
}

/// Whether the log is as long as its file says. A server may have written meanwhile, so the last
/// entry must lie between what was claimed before and after.
fn claimed(source: &Source, verifier: &Verifier) -> Result<(), Finding> {
    let head = verifier.head();
    let claims = source.claims().map_err(|error| unreadable(&error, head))?;
    let Some((before, now)) = claims else { return Ok(()) };
    if head.position < before.position {
        return Err(Finding::truncated(head, format!("entry {} by its file", before.position)));
    }
    if head.position > now.position {
        let message = format!(
            "entry {} lies behind the head, which is entry {} by its file",
            head.position, now.position
        );
        return Err(Finding::at(Fault::Repeated, head.position.get(), message));
    }
    if head.position == before.position && head.leaf != before.leaf {
        let message = format!(
            "entry {} has leaf {}, expected {} by its file",
            head.position, head.leaf, before.leaf
        );
        return Err(Finding::at(Fault::Altered, head.position.get(), message));
    }
    Ok(())
}
