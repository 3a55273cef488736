//! Backups of shares, and drills with them: a signer's own word, held against the charter. Never
//! believes a word that is dated elsewhere than where it is recorded: an old one shows nothing today.

use super::{Decision, check_trusted};
use crate::{
    Aggregate as _, KeyId, Refusal, Rule, SignerId, State, Stream, Timestamp,
    key::{self, BackedUp, Key, RecoveryDrilled},
    statement,
};

/// How far a signer's clock may be ahead of the log's, in seconds.
const SKEW_S: u64 = 600;

/// How old a word may be when it is recorded, in seconds: it is carried by hand.
const LATEST_S: u64 = 7 * 86_400;

fn refuse<T>(because: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(Rule::KeyBackup, because))
}

fn find(state: &State, id: KeyId) -> Result<&Key, Refusal> {
    state.keys.get(&id).ok_or_else(|| Refusal::new(Rule::KeyState, "there is no such key"))
}

fn check_time(taken_at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    if taken_at > now.plus_seconds(SKEW_S) {
        return refuse(format!("the signer dates it {taken_at}, now is {now}"));
    }
    if taken_at.plus_seconds(LATEST_S) < now {
        return refuse(format!("it is of {taken_at}: a week later it says nothing any more"));
    }
    Ok(())
}

/// The statement is signed by the identity that the charter enrols, and nobody quarantined it.
fn check_word(
    state: &State,
    signer: SignerId,
    text: &str,
    signature: &crate::Bytes,
) -> Result<(), Refusal> {
    let standing = state.charter.standing()?;
    let enrolled = standing.signers.get(&signer);
    let enrolled = enrolled
        .ok_or_else(|| Refusal::new(Rule::SignerState, "the signer is not in the charter"))?;
    if !statement::verify(&enrolled.identity_key, text, signature) {
        return refuse(format!("signer {signer} did not sign this"));
    }
    check_trusted(state, [&signer])
}

pub(super) fn back_up(
    state: &State,
    id: KeyId,
    backed_up: BackedUp,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let standing = state.charter.standing()?;
    let signer = backed_up.signer;
    let text = statement::backup(standing.log, id, &backed_up);
    check_word(state, signer, &text, &backed_up.signature)?;
    check_time(backed_up.taken_at, now)?;
    let stranger = backed_up.officers.iter().find(|id| !standing.people.contains_key(id));
    if let Some(stranger) = stranger {
        return refuse(format!("person {stranger} is not in the charter"));
    }
    let events = find(state, id)?.decide(key::Command::BackUp(backed_up))?;
    Ok(Decision::weighing([Stream::Charter, Stream::Signer(signer)]).with(Stream::Key(id), events))
}

pub(super) fn drill(
    state: &State,
    id: KeyId,
    drilled: RecoveryDrilled,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let standing = state.charter.standing()?;
    let signer = drilled.signer;
    let text = statement::drill(standing.log, id, &drilled);
    check_word(state, signer, &text, &drilled.signature)?;
    check_time(drilled.taken_at, now)?;
    let events = find(state, id)?.decide(key::Command::Drill(drilled))?;
    Ok(Decision::weighing([Stream::Charter, Stream::Signer(signer)]).with(Stream::Key(id), events))
}
