//! What comes next in a ceremony: pure functions of what the log says and what signers answered.
//! Nothing here waits, asks or appends.

use std::collections::BTreeMap;
use strongroom_domain::{
    Rule, SignerId,
    key::{Ceremony, Key, Protocol},
    protocol::{Reply, Sealed},
};

/// What the log asks to be done next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// No ceremony is under way.
    Over,
    /// One signer makes the key alone, or confirms a copy of it.
    Alone(SignerId),
    /// These have not published their first round yet.
    Begin(Vec<SignerId>),
    /// All have: letters are exchanged, then everyone finishes. All of them, also those that have
    /// confirmed: the others need their letters.
    Exchange(Vec<SignerId>),
    /// All rounds, by these: whoever spoke in one says the same again.
    Rounds(Vec<SignerId>),
}

/// What the log asks for.
pub fn step(key: &Key) -> Step {
    let ceremony = match key {
        Key::Ceremony(ceremony) => ceremony,
        Key::Unknown | Key::Requested(_) | Key::Active(_) | Key::Failed | Key::Quarantined(_) => {
            return Step::Over;
        }
    };
    let holders = &ceremony.plan.participants;
    match ceremony.plan.protocol {
        Protocol::Pkcs11Secp256k1
        | Protocol::Pkcs11P256
        | Protocol::Pkcs11Ed25519
        | Protocol::Pkcs11Rsa2048
        | Protocol::VaultEd25519 => {
            // The first makes it; the others, one after the other, confirm the copies that they hold.
            let next = holders.iter().find(|id| !ceremony.confirmed.contains_key(id));
            next.map_or(Step::Over, |signer| Step::Alone(*signer))
        }
        Protocol::FrostSecp256k1Tr => {
            let missing = missing(ceremony);
            if missing.is_empty() { Step::Exchange(holders.clone()) } else { Step::Begin(missing) }
        }
        Protocol::Dkls23Secp256k1
        | Protocol::FrostEd25519
        | Protocol::MultisigP2wsh
        | Protocol::MultisigP2tr => Step::Rounds(holders.clone()),
    }
}

fn missing(ceremony: &Ceremony) -> Vec<SignerId> {
    let holders = ceremony.plan.participants.iter();
    holders.filter(|id| !ceremony.round_one.contains_key(id)).copied().collect()
}

/// What an answer means that is not the one that was hoped for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Trouble {
    /// Ask again after a pause.
    Wait(String),
    /// The signer has no part of it in memory: it has finished, or was restarted.
    Forgotten(String),
    /// The ceremony comes to nothing.
    Fail(String),
}

/// What an answer means that is not the one that was hoped for.
pub(super) fn trouble(signer: SignerId, reply: Reply) -> Trouble {
    match reply {
        Reply::Refused(refusal) => {
            let because = format!("signer {signer}: {refusal}");
            if waits(refusal.rule) {
                Trouble::Wait(because)
            } else if refusal.rule == Rule::SignerProtocol {
                Trouble::Forgotten(because)
            } else {
                Trouble::Fail(because)
            }
        }
        Reply::Unavailable { because } => Trouble::Wait(format!("signer {signer}: {because}")),
        Reply::Corrupt { because, culprit } => {
            let blamed = culprit.map_or(String::new(), |id| format!(" (signer {id} is to blame)"));
            Trouble::Fail(format!("signer {signer}: {because}{blamed}"))
        }
        Reply::Status { .. }
        | Reply::RoundOne { .. }
        | Reply::RoundTwo { .. }
        | Reply::Confirmed { .. }
        | Reply::Committed { .. }
        | Reply::Shares { .. }
        | Reply::Abstained { .. }
        | Reply::Cosigned { .. }
        | Reply::WitnessConflict { .. }
        | Reply::Usable
        | Reply::Covered { .. }
        | Reply::EpochConfirmed { .. }
        | Reply::Spoke { .. }
        | Reply::Signatures { .. } => {
            Trouble::Fail(format!("signer {signer} answered something else than was asked"))
        }
    }
}

/// Behind, or not covered yet; or one of the clocks is wrong.
const fn waits(rule: Rule) -> bool {
    matches!(rule, Rule::SignerLogBehind | Rule::SignerNotCovered | Rule::SignerClock)
}

/// Sorts letters by receiver, and for each receiver by sender. Letters that name another sender
/// than the one who gave them are left out: their receiver will miss them and say so.
pub(super) fn by_receiver(
    given: BTreeMap<SignerId, Vec<Sealed>>,
) -> BTreeMap<SignerId, Vec<Sealed>> {
    let mut sorted: BTreeMap<SignerId, Vec<Sealed>> = BTreeMap::new();
    for (giver, letters) in given {
        for letter in letters.into_iter().filter(|letter| letter.sender == giver) {
            sorted.entry(letter.receiver).or_default().push(letter);
        }
    }
    sorted
}

#[cfg(test)]
mod tests;
