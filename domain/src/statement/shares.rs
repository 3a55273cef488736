//! Who holds a key before and after a change of its shares, and signers that come, go or are trusted
//! again, in words. Never shows a number that people can't compare.

use crate::{
    Bytes, Digest, KeyId, LogId, SignerId, State,
    charter::SignerChange,
    key::{Active, KeyChange},
};
use std::fmt::Write as _;

/// What a holder signs with its identity key when it has its share of a new epoch, durably.
pub fn epoch_confirmation(
    log: LogId,
    (key, epoch): (KeyId, u32),
    signer: SignerId,
    public_key: &Bytes,
    public_package: &Bytes,
) -> String {
    format!(
        "Strongroom epoch confirmation, version 1\n\nLog: {log}\nKey: {key}\nShares: {epoch}\n\
         Signer: {signer}\nPublic key: {public_key}\nPublic package: SHA-256 {}\n",
        Digest::of(public_package.as_slice())
    )
}

pub(super) fn change(state: &State, change: &KeyChange) -> String {
    let mut text = format!("CHANGE SHARES of key {}, whose public key stays\n", change.key);
    let active = state.keys.get(&change.key).and_then(|key| key.existing().ok());
    if let Some(active) = active {
        let _ = write!(
            text,
            "Protocol:     {}\nPublic key:   {}\nTo sign:      {} holders, as before\n{}",
            active.plan.protocol.name(),
            active.public_key,
            active.plan.threshold,
            held(active, change),
        );
    }
    text.push_str("Useless then: every share and backup of before, theirs who stay too\n");
    text
}

/// Everyone who stays, goes and comes, each in a line.
fn held(active: &Active, change: &KeyChange) -> String {
    let mut text = String::new();
    for signer in active.holders.values() {
        let word = if change.dropped.contains(signer) { "No longer:" } else { "Stays:" };
        let _ = writeln!(text, "{word:<14}signer {signer}");
    }
    if let Some(joining) = change.joining {
        let _ = writeln!(text, "Joins:        signer {}", joining.signer);
        if change.helpers.is_empty() {
            let lost = active.holders.get(&joining.index);
            let backup = lost.and_then(|lost| active.backups.get(lost));
            let needed = backup.map_or(0, |backup| backup.threshold);
            let _ = writeln!(text, "Its share:    from a backup, of {needed} officers' pieces");
        }
    }
    text
}

pub(super) fn signers(state: &State, change: &SignerChange) -> String {
    let mut text = match change {
        SignerChange::Enrol(of) => format!(
            "ENROL A SIGNER that may hold keys, and cosigns the log\n\
             Signer:       {}\n\
             Signs with:   {}\n\
             Cosigns with: {}\n\
             Sealed to:    {}\n\
             Certificate:  SHA-256 {}\n",
            of.id, of.identity_key, of.witness_key, of.sealing_key, of.tls_certificate_sha256
        ),
        SignerChange::Retire { signer } => format!(
            "RETIRE A SIGNER: it holds no key and cosigns the log no more\nSigner:       {signer}\n"
        ),
    };
    if let Ok(standing) = state.charter.standing()
        && let Ok(next) = standing.after_signers(change)
    {
        let count = |of: &crate::charter::Standing| {
            of.witnessing.as_ref().map_or((0, 0), |witnessing| {
                (witnessing.threshold, of.signers.len().saturating_add(witnessing.outside.len()))
            })
        };
        let ((needed, of), (before, of_before)) = (count(&next), count(standing));
        let _ = writeln!(
            text,
            "Witnesses:    {needed} of {of} must cosign; until now {before} of {of_before}"
        );
    }
    text
}

pub(super) fn release(state: &State, signer: SignerId) -> String {
    let mut text = format!(
        "TRUST A SIGNER that is quarantined: others work with it again\nSigner:       {signer}\n"
    );
    let quarantine = state.signers.get(&signer).and_then(|known| known.quarantine.as_ref());
    if let Some(by) = quarantine {
        let because = by.because.escape_default();
        let _ = write!(text, "Set by:       officer {}\nBecause:      {because}\n", by.by);
    }
    for (key, active) in state.keys.iter().filter_map(|(id, key)| Some((id, key.existing().ok()?)))
    {
        if active.index_of(signer).is_some() {
            let _ = writeln!(text, "Holds:        key {key}");
        }
    }
    text
}
