//! Judges a log, entry by entry, from the first on. Never goes on behind a fault: what follows it
//! stands on nothing.

use crate::{
    books::{Books, Totals},
    feed::Feed,
    finding::{Fault, Finding},
    nonces::Nonces,
    prepared::{Depth, Prepared, Raw},
    source::Source,
    spine::{Expected, Judge, Spine, Stop, Whole},
    transactions,
    walk::{end, judged, step, take},
};
use serde::Serialize;
use std::collections::BTreeMap;
use strongroom_domain::{Asset, Recorded, State, audit::Audited};
use strongroom_ledger::{Head, TreeHead, export::Pair};

/// A log without fault.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Verdict {
    /// Its form.
    #[serde(flatten)]
    pub whole: Whole,
    /// Whoever holds the same log at the same place has the same.
    pub state_digest: String,
    /// Both sides of every asset.
    pub balances: BTreeMap<Asset, Totals>,
}

/// Reads a log.
#[derive(Clone, Debug)]
pub struct Verifier {
    spine: Spine,
    audited: Audited,
    books: Books,
    nonces: Nonces,
}

impl Verifier {
    /// Before the first entry.
    pub fn new(expected: Expected) -> Self {
        Self {
            spine: Spine::new(expected),
            audited: Audited::default(),
            books: Books::default(),
            nonces: Nonces::default(),
        }
    }

    /// The last entry that is without fault.
    pub const fn head(&self) -> Head {
        self.spine.head()
    }

    /// The tree over all entries so far.
    pub fn tree(&self) -> TreeHead {
        self.spine.tree()
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
        let pair = Pair { entry: entry.to_vec(), payload: payload.to_vec() };
        let prepared = Prepared::of(Raw { filed: None, pair }, Depth::Rules);
        self.judge(&prepared).map_err(|stop| match stop {
            Stop::Chain(error) => error.into(),
            Stop::Found(finding) => finding,
        })
    }

    fn allowed(&mut self, prepared: &Prepared) -> Result<(), Finding> {
        let recorded = match &prepared.recorded {
            Some(Ok(recorded)) => recorded,
            Some(Err(error)) => return Err(error.clone().into()),
            None => return Err(Finding::of(Fault::Unreadable, "the entry was not decoded")),
        };
        let replaced = transactions::replaced(self.audited.state(), recorded);
        self.audited.extend(recorded)?;
        let state = self.audited.state();
        self.books.keep(state, recorded)?;
        transactions::check(&replaced, state, recorded)?;
        match transactions::signatures(state, recorded) {
            Some(transactions::Shown { key, signatures }) => {
                self.nonces.note(key, &signatures, recorded.head.position)
            }
            None => Ok(()),
        }
    }

    /// Judges the end.
    pub fn finish(&self) -> Result<Verdict, Finding> {
        let whole = self.spine.finish()?;
        if !self.audited.is_whole() {
            return Err(Finding::truncated(whole.head, "the rest of what was appended with it"));
        }
        self.books.check(whole.entries)?;
        let state_digest = self.state_digest()?;
        Ok(Verdict { whole, state_digest, balances: self.books.assets().clone() })
    }

    /// One line by which two parties can compare what they hold.
    pub fn state_digest(&self) -> Result<String, Finding> {
        let digest = self.state().digest().map_err(|error| {
            Finding::of(Fault::Unreadable, format!("the state has no digest: {error}"))
        })?;
        Ok(digest.to_string())
    }
}

impl Judge for Verifier {
    fn judge(&mut self, prepared: &Prepared) -> Result<(), Stop> {
        self.spine.judge(prepared)?;
        self.allowed(prepared).map_err(Stop::Found)
    }

    fn spine(&self) -> &Spine {
        &self.spine
    }
}

/// An entry that was judged, and what the log says with it.
#[derive(Clone, Copy)]
pub struct Judged<'a> {
    /// What happened.
    pub recorded: &'a Recorded,
    /// Its bytes.
    pub pair: &'a Pair,
    /// Everything up to it.
    pub verifier: &'a Verifier,
}

/// Judges all of a source on this thread. `progress` hears of every entry.
pub fn verify(
    source: &mut Source,
    verifier: &mut Verifier,
    mut progress: impl FnMut(Head),
) -> Result<Verdict, Finding> {
    let mut feed = Feed::Here(source, Depth::Rules);
    while step(&mut feed, verifier)?.is_some() {
        progress(verifier.head());
    }
    end(&mut feed, verifier)?;
    verifier.finish()
}

/// Judges all of a source, read and hashed on other threads.
pub fn verify_all(
    source: Source,
    expected: Expected,
    mut progress: impl FnMut(Head),
) -> Result<Verdict, Finding> {
    let mut verifier = Verifier::new(expected);
    let mut feed = Feed::threads(source, Depth::Rules);
    while let Some(prepared) = step(&mut feed, &mut verifier)? {
        feed.spent(prepared);
        progress(verifier.head());
    }
    end(&mut feed, &verifier)?;
    verifier.finish()
}

/// Judges a source up to the entry before the first of which `until` says so; `each` sees every
/// entry after it was judged. What stands behind is read for its form only, so that what is pinned
/// there counts too. `true` where all of it was judged.
pub fn walk(
    source: Source,
    verifier: &mut Verifier,
    mut until: impl FnMut(&Recorded) -> bool,
    mut each: impl FnMut(Judged<'_>) -> Result<(), Finding>,
) -> Result<bool, Finding> {
    let mut feed = Feed::threads(source, Depth::Rules);
    while let Some(prepared) = take(&mut feed, verifier)? {
        if matches!(&prepared.recorded, Some(Ok(recorded)) if until(recorded)) {
            let mut spine = verifier.spine.clone();
            judged(&mut feed, &mut spine, &prepared)?;
            while step(&mut feed, &mut spine)?.is_some() {}
            end(&mut feed, &spine)?;
            spine.finish()?;
            return Ok(false);
        }
        judged(&mut feed, verifier, &prepared)?;
        if let Some(Ok(recorded)) = &prepared.recorded {
            each(Judged { recorded, pair: &prepared.raw.pair, verifier })?;
        }
    }
    end(&mut feed, verifier)?;
    verifier.finish()?;
    Ok(true)
}

/// Checks form, chain, payload hashes and tree of a source, and no rule.
pub fn chain(
    source: Source,
    expected: Expected,
    mut progress: impl FnMut(Head),
) -> Result<Whole, Finding> {
    let mut spine = Spine::new(expected);
    let mut feed = Feed::threads(source, Depth::Chain);
    while let Some(prepared) = step(&mut feed, &mut spine)? {
        feed.spent(prepared);
        progress(spine.head());
    }
    end(&mut feed, &spine)?;
    spine.finish()
}
