//! One step along a log, and its end: what a judge refuses is called by the name that its
//! neighbours give it. Never judges anything itself.

use crate::{
    feed::Feed,
    finding::{Fault, Finding},
    prepared::Prepared,
    source::SourceError,
    spine::{Judge, Stop},
};
use strongroom_ledger::{ChainError, Hash, Head};

/// Judges the next entry of a feed; `None` at the end.
pub(crate) fn step(
    feed: &mut Feed<'_>,
    judge: &mut impl Judge,
) -> Result<Option<Prepared>, Finding> {
    let Some(prepared) = take(feed, judge)? else { return Ok(None) };
    judged(feed, judge, &prepared)?;
    Ok(Some(prepared))
}

/// The next entry of a feed, not judged; `None` at the end.
pub(crate) fn take(feed: &mut Feed<'_>, judge: &impl Judge) -> Result<Option<Prepared>, Finding> {
    feed.next().map_err(|error| unreadable(&error, judge.spine().head()))
}

/// Judges an entry that was taken.
pub(crate) fn judged(
    feed: &mut Feed<'_>,
    judge: &mut impl Judge,
    prepared: &Prepared,
) -> Result<(), Finding> {
    match judge.judge(prepared) {
        Ok(()) => {}
        // Only an entry that was written so can be malformed, unlawful or newer.
        Err(Stop::Found(finding)) => return Err(altered(feed, prepared, finding)),
        Err(Stop::Chain(error @ ChainError::Malformed { .. })) => {
            return Err(altered(feed, prepared, error.into()));
        }
        // What stands behind it tells a missing entry from one that stands elsewhere.
        Err(Stop::Chain(error)) => {
            let later = rest(feed).map(|prepared| prepared.raw.pair.entry);
            return Err(error.refine(later).into());
        }
    }
    let position = judge.spine().head().position.get();
    match prepared.raw.filed {
        Some(filed) if u64::try_from(filed) != Ok(position) => {
            let message = format!("entry {position} is filed as {filed}, expected {position}");
            Err(Finding::at(Fault::OutOfOrder, position, message))
        }
        Some(_) | None => Ok(()),
    }
}

/// Calls an entry altered where the log names another one in its place, whatever else is wrong with
/// it: what it says is nobody's word.
fn altered(feed: &mut Feed<'_>, prepared: &Prepared, finding: Finding) -> Finding {
    let Some(position) = finding.position else { return finding };
    let blamed = matches!(
        finding.fault,
        Fault::Malformed
            | Fault::UnknownVersion
            | Fault::Violation
            | Fault::Unbalanced
            | Fault::BadSignature
            | Fault::NonceReused
    );
    let named = if blamed { named(feed, position) } else { None };
    let leaf = strongroom_ledger::leaf_hash(&prepared.raw.pair.entry);
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

/// The leaf at a position by the entry behind it, or by the store's head where it is the last.
/// Nobody names an export's last entry.
fn named(feed: &mut Feed<'_>, position: u64) -> Option<Hash> {
    let Some(next) = rest(feed).next() else {
        let (head, _) = feed.claims().ok()??;
        return (head.position.get() == position).then_some(head.leaf);
    };
    let (next, prev) = next.says()?;
    (position.checked_add(1) == Some(next.position.get())).then_some(prev)
}

/// The entries that were not read yet, as far as they can be.
fn rest(feed: &mut Feed<'_>) -> impl Iterator<Item = Prepared> {
    std::iter::from_fn(|| feed.next().ok().flatten())
}

fn unreadable(error: &SourceError, head: Head) -> Finding {
    let after = head.position.get();
    let message = format!("after entry {after}: {error}");
    Finding::at(error.fault(), after.saturating_add(1), message)
}

/// Whether the log is as long as its source says, and what its manifest says. A server may have
/// written meanwhile, so the last entry must lie between what was claimed before and after.
pub(crate) fn end(feed: &mut Feed<'_>, judge: &impl Judge) -> Result<(), Finding> {
    let spine = judge.spine();
    let head = spine.head();
    let claims = feed.claims().map_err(|error| unreadable(&error, head))?;
    if let Some((before, now)) = claims {
        claimed(head, before, now)?;
    }
    let source = feed.source().map_err(|error| unreadable(&error, head))?;
    match source.manifest() {
        Some(manifest) => manifest.check(head, spine.tree(), spine.origin()),
        None => Ok(()),
    }
}

fn claimed(head: Head, before: Head, now: Head) -> Result<(), Finding> {
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
