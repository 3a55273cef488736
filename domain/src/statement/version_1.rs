//! The approval statement of version 1, and the policy of the first form in words. Logs hold
//! signatures over exactly these texts: not a byte of them ever changes.

use super::{Answer, Place, quantity};
use crate::{
    PersonId,
    key::CeremonyPlan,
    policy::{PolicyV1, Quorum},
    proposal::{Answers, Subject},
};
use std::fmt::Write as _;

/// What an approver reads and signs.
pub(super) fn approval(
    place: &Place,
    answers: &Answers,
    answer: Answer,
    approver: PersonId,
) -> String {
    let opened = &answers.opened;
    let word = match answer {
        Answer::Approve => "APPROVE",
        Answer::Decline => "DECLINE",
    };
    let mut text = String::from("Strongroom approval statement, version 1\n\n");
    // Writing to a String does not fail.
    let _ = write!(
        text,
        "I, approver {approver},\n{word} the following.\n\n{}\n\
         Asked by:     person {}\n\
         Needs:        {}\n\
         Valid until:  {}\n\
         Policy:       version {}\n\
         Proposal:     {}\n\
         Log:          {}\n\
         Opened at:    entry {} with hash {}\n",
        subject(&opened.subject),
        opened.maker,
        opened.quorums.0.first().map(quorum).unwrap_or_default(),
        opened.expires_at,
        opened.policy_version,
        place.proposal,
        place.log,
        place.opened_at.position,
        place.opened_at.leaf,
    );
    text
}

pub(super) fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Transfer { intent, known_as } => format!(
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
        ),
        Subject::KeyCeremony(plan) => ceremony(plan),
        Subject::PolicyChange(next) => format!("PUT IN FORCE this policy:\n{}", policy(next)),
        // Never asked in this form.
        Subject::Payment { .. }
        | Subject::PolicyForm2(_)
        | Subject::MultisigKey { .. }
        | Subject::People(_)
        | Subject::Unfreeze { .. }
        | Subject::ReleaseKey { .. }
        | Subject::RaiseFeeCap { .. }
        | Subject::Abandon { .. }
        | Subject::ChangeKey(_)
        | Subject::Rotate(_)
        | Subject::Signers(_)
        | Subject::ReleaseSigner { .. } => String::new(),
    }
}

fn ceremony(plan: &CeremonyPlan) -> String {
    let mut text = format!(
        "MAKE A KEY    {}\nProtocol:     {}\nTo sign:      {} of {} signers\n",
        plan.key,
        plan.protocol.name(),
        plan.threshold,
        plan.participants.len()
    );
    for signer in &plan.participants {
        let _ = writeln!(text, "Held by:      signer {signer}");
    }
    text
}

fn quorum(quorum: &Quorum) -> String {
    format!("{} of {} approvers", quorum.approvals, quorum.group.len())
}

/// Every word of a policy, one fact a line.
pub(super) fn policy(policy: &PolicyV1) -> String {
    let mut text = format!("  version {}\n", policy.version);
    for known in &policy.destinations {
        let _ =
            writeln!(text, "  may pay {} on {} ({})", known.address, known.network, known.label);
    }
    for tier in &policy.tiers {
        let _ = writeln!(
            text,
            "  up to {} on {} needs {} of:",
            quantity(tier.up_to, tier.asset),
            tier.asset.network(),
            tier.quorum.approvals
        );
        for person in &tier.quorum.group {
            let _ = writeln!(text, "    approver {person}");
        }
    }
    for (asset, cap) in &policy.fee_caps {
        let _ = writeln!(text, "  fee at most {} on {}", quantity(*cap, *asset), asset.network());
    }
    for (network, blocks) in &policy.confirmations {
        let _ = writeln!(text, "  final on {network} after {blocks} blocks");
    }
    let _ = writeln!(text, "  proposals stay open for at most {} s", policy.proposal_lifetime_s);
    text
}
