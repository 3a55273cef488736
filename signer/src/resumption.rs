//! Going on from an earlier entry of the log, while the signer does not run: a quorum's certificate
//! is checked against this signer's own copy, remembered, and only then is the copy cut. Never
//! forgets what was consumed or sworn off.

use std::path::Path;

use strongroom_domain::{
    Digest, Event, Head, Refusal,
    audit::Audited,
    charter::{CharterEvent, LogResumed, Standing},
};
use strongroom_ledger::Position;

use crate::{
    consumption::Consumptions,
    follower::{leaf_of, ledger_head, read},
    journal::JournalError,
    log_copy::{LogCopy, LogCopyError},
};

/// Why the log can't go on from there.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// The journal: in use by a running signer, or damaged.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The log copy.
    #[error(transparent)]
    Copy(#[from] LogCopyError),
    /// The certificate does not fit the charter as it stands there.
    #[error("the certificate is refused: {0}")]
    Refused(#[from] Refusal),
    /// This signer does not have that entry.
    #[error("this signer's copy has no entry {} with hash {}", .0.position, .0.leaf)]
    Unknown(Head),
    /// The entry is within an append: its rest would be missing for ever.
    #[error("entry {} is within an append: go on from the last entry of one", .0.position)]
    Within(Head),
    /// What this signer holds is not what the quorum gave up.
    #[error(
        "this signer holds the log up to entry {} with hash {}, which the certificate does not \
         give up: recover those entries from it, or have another certificate signed", .0.position,
        .0.leaf
    )]
    Further(Head),
    /// An earlier resumption has the number, and the log's name with it.
    #[error("resumption {found} can't follow {last} here: a name never has two histories")]
    Number {
        /// The certificate's.
        found: u32,
        /// The last one that this signer followed.
        last: u32,
    },
    /// The copy is of another log.
    #[error("the copy's entry 1 has hash {found}, pinned is {pinned}")]
    Genesis {
        /// In the copy.
        found: Digest,
        /// By the operator.
        pinned: Digest,
    },
}

/// What the copy says about the certificate.
#[derive(Default)]
struct Found {
    /// As it stands at the entry to go on from.
    standing: Option<Standing>,
    whole: bool,
    /// The entry at the abandoned head's position.
    abandoned: Option<Head>,
    last: Head,
    /// The last resumption that the copy holds, given up or not.
    number: u32,
}

/// Checks the certificate, remembers it, and cuts the copy. Returns how many bytes of the copy were
/// given up. The same certificate again does nothing new.
///
/// A crash leaves the journal without the certificate, and nothing has changed; or with it, and the
/// next opening finishes the cut.
pub fn resume(
    directory: &Path,
    genesis: Digest,
    certificate: &LogResumed,
) -> Result<u64, ResumeError> {
    let copy = directory.join("log.jsonl");
    let consumptions = Consumptions::open(&directory.join("journal"))?;
    if consumptions.resumed() == Some(certificate) {
        return Ok(finish(&copy, certificate, consumptions.acknowledged())?);
    }
    if let Some(earlier) = consumptions.resumed() {
        let (found, last) = (certificate.resumption.number, earlier.resumption.number);
        if found <= last {
            return Err(ResumeError::Number { found, last });
        }
        finish(&copy, earlier, consumptions.acknowledged())?;
    }
    check(&copy, genesis, consumptions.acknowledged(), certificate)?;
    consumptions.resume(certificate)?;
    Ok(finish(&copy, certificate, certificate.resumption.from)?)
}

fn check(
    copy: &Path,
    genesis: Digest,
    acknowledged: Head,
    certificate: &LogResumed,
) -> Result<(), ResumeError> {
    let resumption = &certificate.resumption;
    let mut audited = Audited::default();
    let mut found = Found::default();
    let mut first = None;
    LogCopy::open(copy, ledger_head(acknowledged), |entry, payload| {
        let leaf = leaf_of(entry)?;
        let recorded = read(entry, payload, leaf).map_err(|error| error.because)?;
        audited.extend(&recorded).map_err(|violation| violation.to_string())?;
        first.get_or_insert(recorded.head.leaf);
        if recorded.head == resumption.from {
            found.standing = audited.state().charter.standing().ok().cloned();
            found.whole = audited.is_whole();
        }
        if recorded.head.position == resumption.abandoned.position {
            found.abandoned = Some(recorded.head);
        }
        found.last = recorded.head;
        if let Event::Charter(CharterEvent::LogResumed(resumed)) = &recorded.event {
            found.number = found.number.max(resumed.resumption.number);
        }
        Ok(())
    })?;
    if let Some(first) = first.filter(|first| *first != genesis) {
        return Err(ResumeError::Genesis { found: first, pinned: genesis });
    }
    let standing = found.standing.ok_or(ResumeError::Unknown(resumption.from))?;
    certificate.check(&standing, resumption.from)?;
    // One that it followed without a certificate of its own is in the copy alone.
    if resumption.number <= found.number {
        return Err(ResumeError::Number { found: resumption.number, last: found.number });
    }
    if !found.whole {
        return Err(ResumeError::Within(resumption.from));
    }
    let another = found.abandoned.is_some_and(|head| head != resumption.abandoned);
    if another || found.last.position > resumption.abandoned.position {
        return Err(ResumeError::Further(found.last));
    }
    Ok(())
}

/// Cuts what a certificate gave up, unless the log went on from there already.
pub(crate) fn finish(
    copy: &Path,
    certificate: &LogResumed,
    acknowledged: Head,
) -> Result<u64, LogCopyError> {
    let from = certificate.resumption.from;
    if acknowledged.position > from.position {
        return Ok(0);
    }
    let last = Position::new(from.position).unwrap_or(Position::START);
    let payload = serde_json::to_vec(certificate).unwrap_or_default();
    let cut = LogCopy::cut_behind(copy, last, |kind, found| {
        kind == "charter.log-resumed" && found == payload
    })?;
    if cut > 0 {
        tracing::warn!(bytes = cut, entry = from.position, "cut what a quorum gave up");
    }
    Ok(cut)
}
