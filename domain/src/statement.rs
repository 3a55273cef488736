//! The texts that people and signers put their name to, and the check of their signatures.
//! A signature is always over the whole text as shown; nothing here ever signs.

use crate::{
    Amount, Asset, Bytes, Digest, Head, KeyId, LogId, PersonId, ProposalId, Refusal, Rule,
    SignerId, TransferId,
    charter::{
        CharterTextV1, CharterTextV2, PersonV1, Resumption, Standing, WitnessAlgorithm, Witnessing,
    },
    key::CeremonyPlan,
    policy::{PolicyV1, Quorum},
    proposal::{Answers, Subject},
};
use ed25519_dalek::{Signature, VerifyingKey};
use std::fmt::Write as _;

/// Yes or no.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The approver agrees.
    Approve,
    /// The approver does not.
    Decline,
}

/// An answer whose signature was verified over the statement of its proposal, under a key that
/// the charter enrols for that person. Only [`verify_answer`] makes one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    answer: Answer,
    approver: PersonId,
    key: Bytes,
    signature: Bytes,
}

impl Verified {
    /// Yes or no.
    pub const fn answer(&self) -> Answer {
        self.answer
    }

    /// Whose answer it is.
    pub const fn approver(&self) -> PersonId {
        self.approver
    }

    /// The key and the signature.
    pub fn evidence(self) -> (Bytes, Bytes) {
        (self.key, self.signature)
    }
}

/// Where in the log a proposal stands: what an approver's signature is bound to besides the
/// question itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The log.
    pub log: LogId,
    /// The proposal.
    pub proposal: ProposalId,
    /// The entry that opened it: its hash commits to all that came before.
    pub opened_at: Head,
}

/// Whether `key` is an Ed25519 public key that is not of small order (RFC 8032 §5.1.3).
pub fn is_public_key(key: &Bytes) -> bool {
    key.array()
        .and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok())
        .is_some_and(|k| !k.is_weak())
}

/// Whether `signature` is `key`'s over exactly `text`. Strict: no malleable or small-order forms.
pub fn verify(key: &Bytes, text: &str, signature: &Bytes) -> bool {
    let Some(key) = key.array().and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok()) else {
        return false;
    };
    let Some(signature) = signature.array().map(|bytes| Signature::from_bytes(&bytes)) else {
        return false;
    };
    key.verify_strict(text.as_bytes(), &signature).is_ok()
}

/// Checks an answer's key and signature against the charter and the statement.
pub fn verify_answer(
    standing: &Standing,
    place: &Place,
    answers: &Answers,
    answer: Answer,
    (approver, key, signature): (PersonId, &Bytes, &Bytes),
) -> Result<Verified, Refusal> {
    let person = standing.demand(approver, crate::charter::Role::Approver)?;
    if !person.approval_keys.contains(key) {
        let because = format!("{key} is not an approval key of {approver}");
        return Err(Refusal::new(Rule::ApprovalKeyUnknown, because));
    }
    let text = approval(place, answers, answer, approver);
    if !verify(key, &text, signature) {
        let because = "the signature is not this key's over this proposal's statement";
        return Err(Refusal::new(Rule::ApprovalSignature, because));
    }
    Ok(Verified { answer, approver, key: key.clone(), signature: signature.clone() })
}

/// What an approver reads and signs.
pub fn approval(place: &Place, answers: &Answers, answer: Answer, approver: PersonId) -> String {
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
        quorum(&opened.quorum),
        opened.expires_at,
        opened.policy_version,
        place.proposal,
        place.log,
        place.opened_at.position,
        place.opened_at.leaf,
    );
    text
}

fn subject(subject: &Subject) -> String {
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

/// `0.50000000 LTC (50000000 litoshi)`.
fn quantity(amount: Amount, asset: Asset) -> String {
    format!(
        "{} {} ({amount} {})",
        amount.with_decimals(asset.decimals()),
        asset.symbol(),
        asset.base_unit()
    )
}

/// Every word of a policy, one fact a line.
fn policy(policy: &PolicyV1) -> String {
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

/// What every founding approver signs.
pub fn founding(charter: &CharterTextV2) -> String {
    let mut text = format!(
        "Strongroom founding statement, version 2\n\n\
         I agree to found the log {} ({}) with keys\n  ed25519 {}\n  ml-dsa-44 SHA-256 {}\n\n",
        charter.log,
        charter.name,
        charter.log_key,
        Digest::of(charter.log_key_ml_dsa_44.as_slice())
    );
    people(&mut text, &charter.people);
    for signer in &charter.signers {
        let _ = writeln!(
            text,
            "signer {}\n  identity {}\n  sealing {}\n  certificate {}\n  witness {}",
            signer.id,
            signer.identity_key,
            signer.sealing_key,
            signer.tls_certificate_sha256,
            signer.witness_key
        );
    }
    let Witnessing { threshold, outside } = &charter.witnessing;
    let _ = writeln!(text, "checkpoints need {threshold} cosignatures of:\n  every signer");
    for witness in outside {
        let name = &witness.name;
        let _ = match witness.algorithm {
            WitnessAlgorithm::Ed25519 => {
                writeln!(text, "  outside witness {name} with ed25519 {}", witness.key)
            }
            WitnessAlgorithm::MlDsa44 => {
                let key = Digest::of(witness.key.as_slice());
                writeln!(text, "  outside witness {name} with ml-dsa-44 SHA-256 {key}")
            }
        };
    }
    rules(&mut text, &charter.governance, &charter.policy);
    text
}

/// What every founding approver signed under version 1.
pub fn founding_v1(charter: &CharterTextV1) -> String {
    let mut text = format!(
        "Strongroom founding statement, version 1\n\n\
         I agree to found the log {} ({}) with key {}.\n\n",
        charter.log, charter.name, charter.log_key
    );
    people(&mut text, &charter.people);
    for signer in &charter.signers {
        let _ = writeln!(
            text,
            "signer {}\n  identity {}\n  sealing {}\n  certificate {}",
            signer.id, signer.identity_key, signer.sealing_key, signer.tls_certificate_sha256
        );
    }
    rules(&mut text, &charter.governance, &charter.policy);
    text
}

fn people(text: &mut String, people: &[PersonV1]) {
    for person in people {
        let _ = writeln!(text, "person {}", person.id);
        for role in &person.roles {
            let _ = writeln!(text, "  role {role:?}");
        }
        for key in &person.approval_keys {
            let _ = writeln!(text, "  approves with {key}");
        }
    }
}

fn rules(text: &mut String, governance: &Quorum, first: &PolicyV1) {
    let _ = writeln!(text, "keys and policies need {} of:", governance.approvals);
    for person in &governance.group {
        let _ = writeln!(text, "  approver {person}");
    }
    let _ = write!(text, "policy:\n{}", policy(first));
}

/// What each of the governance quorum signs so that the log may go on from an earlier entry.
pub fn resumption(resumption: &Resumption, approver: PersonId) -> String {
    let Resumption { log, number, abandoned, from } = resumption;
    format!(
        "Strongroom resumption statement, version 1\n\n\
         I, approver {approver},\nAGREE that this log goes on from an earlier entry, and that all \
         entries behind it are given up.\n\n\
         Log:          {log}\n\
         Resumption:   number {number}\n\
         Given up:     up to entry {} with hash {}\n\
         Goes on from: entry {} with hash {}\n",
        abandoned.position, abandoned.leaf, from.position, from.leaf,
    )
}

/// What a signer signs with its identity key when it swears a transfer off: it has consumed no
/// attempt of it, and its journal forbids that it ever does.
pub fn abstention(log: LogId, transfer: TransferId, signer: SignerId) -> String {
    format!(
        "Strongroom abstention, version 1\n\nI have no part in a signature of this transfer, and \
         never will.\nLog: {log}\nTransfer: {transfer}\nSigner: {signer}\n"
    )
}

/// What a signer signs with its identity key when it has made its part of a key.
pub fn confirmation(
    log: LogId,
    key: KeyId,
    signer: SignerId,
    public_key: &Bytes,
    public_package: &Bytes,
) -> String {
    format!(
        "Strongroom key confirmation, version 1\n\nLog: {log}\nKey: {key}\nSigner: {signer}\n\
         Public key: {public_key}\nPublic package: SHA-256 {}\n",
        Digest::of(public_package.as_slice())
    )
}
