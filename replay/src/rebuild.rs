//! A read model from nothing but a log that is verified on the way. Never fills a file that was
//! there before.

use crate::{
    finding::{Fault, Finding},
    source::Source,
    spine::Expected,
    verifier::{Verdict, Verifier, walk},
};
use std::path::Path;
use strongroom_ledger::EntryRef;
use strongroom_projections::Rebuild;

/// Makes a read model at `out`, durably, and gives the verdict on the log. After a fault the file is
/// removed: nobody serves what was made of a damaged log.
pub fn rebuild(
    source: Source,
    expected: Expected,
    out: &Path,
    progress: impl FnMut(u64),
) -> Result<Verdict, Finding> {
    rebuilt(source, expected, out, None, progress)?.finish()
}

/// The same, up to a position.
pub(crate) fn rebuilt(
    source: Source,
    expected: Expected,
    out: &Path,
    upto: Option<u64>,
    mut progress: impl FnMut(u64),
) -> Result<Verifier, Finding> {
    let failed = |error: &dyn ToString| {
        Finding::of(Fault::Unreadable, format!("{}: {}", out.display(), error.to_string()))
    };
    let mut model = Rebuild::create(out).map_err(|error| failed(&error))?;
    let mut verifier = Verifier::new(expected);
    let behind = |recorded: &strongroom_domain::Recorded| {
        upto.is_some_and(|upto| recorded.head.position > upto)
    };
    let walked = walk(source, &mut verifier, behind, |judged| {
        let actor = EntryRef::parse(&judged.pair.entry).map(|entry| entry.actor.to_owned());
        let actor = actor.map_err(|error| failed(&error))?;
        let pushed = model.push(judged.recorded.clone(), actor);
        pushed.map_err(|error| failed(&error))?;
        progress(judged.recorded.head.position);
        Ok(())
    });
    let made = walked.and_then(|_| model.finish().map_err(|error| failed(&error)));
    if let Err(finding) = made {
        // Only ours is removed: it was made here.
        let _ = std::fs::remove_file(out);
        return Err(finding);
    }
    Ok(verifier)
}
