//! The approval statement: what an approver reads, and signs whole. To be read in one minute by a
//! person who was not there when the question was made.

use super::{Answer, Place, change, cosigners, policy, quantity, rotation, shares, version_1};
use crate::{
    Amount, FreezeId, Intent, KeyId, PersonId, State, TransferId,
    key::Key,
    policy::{Label, Quorum, Quorums},
    proposal::{Answers, Form, Subject, Unusual},
};
use std::fmt::Write as _;

/// What an approver reads and signs. `state` is the log as it is when the answer is given: a change
/// is shown against it.
pub fn approval(
    state: &State,
    place: &Place,
    answers: &Answers,
    answer: Answer,
    approver: PersonId,
) -> String {
    if answers.form == Form::V1 {
        return version_1::approval(place, answers, answer, approver);
    }
    let opened = &answers.opened;
    let word = match answer {
        Answer::Approve => "APPROVE",
        Answer::Decline => "DECLINE",
    };
    let mut text = String::from("Strongroom approval statement, version 2\n\n");
    // Writing to a String does not fail.
    let _ = write!(
        text,
        "I, approver {approver},\n{word} the following.\n\n{}\n\
         Asked by:     person {}\n{}\
         Time lock:    {}\n\
         Valid until:  {}\n\
         Policy:       version {}\n\
         Proposal:     {}\n\
         Log:          {}\n\
         Opened at:    entry {} with hash {}\n",
        subject(state, &opened.subject),
        opened.maker,
        needs(&opened.quorums),
        lock(&opened.subject, opened.delay_s),
        opened.expires_at,
        opened.policy_version,
        place.proposal,
        place.log,
        place.opened_at.position,
        place.opened_at.leaf,
    );
    text
}

/// Each part with the size of its group.
fn needs(Quorums(parts): &Quorums) -> String {
    let mut text = String::new();
    for (number, Quorum { approvals, group }) in parts.iter().enumerate() {
        let title = if number == 0 { "Needs:" } else { "and:" };
        let _ = writeln!(text, "{title:<14}{approvals} of {} approvers", group.len());
    }
    text
}

fn lock(subject: &Subject, delay_s: u64) -> String {
    let stops = match subject {
        Subject::PolicyForm2(_) => "any officer can veto it until then",
        Subject::Transfer { .. }
        | Subject::Payment { .. }
        | Subject::KeyCeremony(_)
        | Subject::MultisigKey { .. }
        | Subject::PolicyChange(_)
        | Subject::People(_)
        | Subject::Unfreeze { .. }
        | Subject::ReleaseKey { .. }
        | Subject::RaiseFeeCap { .. }
        | Subject::Abandon { .. }
        | Subject::ChangeKey(_)
        | Subject::Rotate(_)
        | Subject::Signers(_)
        | Subject::ReleaseSigner { .. } => "any officer can stop it until then",
    };
    match delay_s {
        0 => "none: it happens as soon as enough have approved".to_owned(),
        seconds => format!("{} after enough have approved; {stops}", duration(seconds)),
    }
}

/// `1 d 2 h (93600 s)`.
pub(super) fn duration(seconds: u64) -> String {
    let parts = [
        (seconds / 86_400, "d"),
        (seconds % 86_400 / 3_600, "h"),
        (seconds % 3_600 / 60, "min"),
        (seconds % 60, "s"),
    ];
    let words: Vec<_> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    match words.as_slice() {
        [] => "0 s".to_owned(),
        [one] if one.ends_with(" s") => one.clone(),
        _ => format!("{} ({seconds} s)", words.join(" ")),
    }
}

fn subject(state: &State, subject: &Subject) -> String {
    match subject {
        Subject::Payment { intent, known_as, delay_s: _, rules, unusual } => {
            payment(intent, known_as, rules, unusual)
        }
        Subject::PolicyForm2(next) => match state.charter.standing() {
            Ok(standing) => policy::change(&standing.policy, next),
            Err(_) => policy::whole(next),
        },
        Subject::People(of) => state
            .charter
            .standing()
            .map_or_else(|_| of.name().to_owned(), |standing| change::people(standing, of)),
        Subject::Unfreeze { freeze } => unfreeze(state, *freeze),
        Subject::ReleaseKey { key } => {
            format!(
                "RELEASE A KEY that is quarantined: signers use it again\nKey:          {key}\n{}",
                paid_from(state, *key)
            )
        }
        Subject::RaiseFeeCap { transfer, fee_cap } => raise(state, *transfer, *fee_cap),
        Subject::Abandon { transfer } => format!(
            "GIVE UP       a payment under way, by a transaction that makes it impossible\n\
             Goes back:    what it would have spent, less that transaction's fee, to its wallet\n{}",
            under_way(state, *transfer)
        ),
        Subject::ChangeKey(of) => shares::change(state, of),
        Subject::Rotate(of) => rotation::rotate(state, of),
        Subject::Signers(of) => shares::signers(state, of),
        Subject::ReleaseSigner { signer } => shares::release(state, *signer),
        Subject::MultisigKey { plan, cosigners } => cosigners::multisig(plan, cosigners),
        Subject::Transfer { .. } | Subject::KeyCeremony(_) | Subject::PolicyChange(_) => {
            version_1::subject(subject)
        }
    }
}

fn unfreeze(state: &State, id: FreezeId) -> String {
    let mut text = format!("LIFT A FREEZE so that payments go on\nFreeze:       {id}\n");
    if let Some(frozen) = state.freezes.get(id) {
        let _ = write!(
            text,
            "Of:           {}\nSet by:       officer {}\nBecause:      {}\n",
            frozen.scope,
            frozen.by,
            plain(&frozen.because)
        );
    }
    text
}

/// Which wallet a key signs for.
fn paid_from(state: &State, id: KeyId) -> String {
    let wallet = match state.keys.get(&id) {
        Some(Key::Active(active) | Key::Quarantined(active)) => active.wallet,
        _ => None,
    };
    wallet.map_or_else(
        || "Signs for:    no wallet\n".to_owned(),
        |wallet| format!("Signs for:    wallet {wallet}\n"),
    )
}

fn raise(state: &State, id: TransferId, fee_cap: Amount) -> String {
    let mut text = String::from("RAISE A FEE CAP of a payment under way\n");
    let asked = state.transfers.get(&id).and_then(|transfer| transfer.asked());
    if let Some(asked) = asked {
        let native = asked.intent.network().native_asset();
        let _ = write!(
            text,
            "Fee at most:  {}, all attempts together\nUntil now:    {}\n",
            quantity(fee_cap, native),
            quantity(asked.intent.fee_cap, native)
        );
    }
    text + &under_way(state, id)
}

/// A payment that people agreed to before.
fn under_way(state: &State, id: TransferId) -> String {
    let asked = state.transfers.get(&id).and_then(|transfer| transfer.asked());
    let Some(asked) = asked else { return format!("Transfer:     {id}\n") };
    let intent = &asked.intent;
    format!(
        "Payment of:   {}\nTo:           {}\nOn:           {}\nFrom wallet:  {}\nTransfer:     {id}\n",
        quantity(intent.amount, intent.asset),
        intent.destination,
        intent.network(),
        intent.wallet,
    )
}

/// What somebody wrote, in signs that every terminal shows as they are.
pub(super) fn plain(text: &str) -> String {
    text.escape_default().to_string()
}

fn payment(intent: &Intent, known_as: &Label, rules: &[Label], unusual: &[Unusual]) -> String {
    let mut text = format!(
        "PAY           {}\n\
         To:           {}\n\
         Known as:     {known_as}\n\
         On:           {}\n\
         Fee at most:  {}\n\
         From wallet:  {}\n\
         For account:  {}\n\
         Transfer:     {}\n",
        quantity(intent.amount, intent.asset),
        intent.destination,
        intent.network(),
        quantity(intent.fee_cap, intent.network().native_asset()),
        intent.wallet,
        intent.account,
        intent.transfer,
    );
    let names: Vec<_> = rules.iter().map(ToString::to_string).collect();
    let _ = writeln!(text, "Rules passed: {}", names.join(", "));
    if unusual.is_empty() {
        text.push_str("Unusual:      nothing that the log knows of\n");
    }
    for what in unusual {
        let words = match what {
            Unusual::FirstPayment => "nothing was ever paid to this destination".to_owned(),
            Unusual::LargestAmount { so_far } => format!(
                "more than was ever paid to this destination, {} at most",
                quantity(*so_far, intent.asset)
            ),
            Unusual::NewDestination { since } => {
                format!("the destination is on the allowlist only since {since}")
            }
        };
        let _ = writeln!(text, "UNUSUAL:      {words}");
    }
    text
}
