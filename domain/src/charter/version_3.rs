//! Version 3 of the founding: people in groups, keys of several kinds, governance and a policy that
//! name groups. Whether what it founds holds together is decided on what would stand.

use super::{
    Enrolment, FoundingSignature, Governance, Person, Role, Standing, Witnessing, check, witnessing,
};
use crate::{
    Bytes, LogId, Refusal, Rule,
    approval_key::Evidence,
    policy::{Label, Policy},
    statement,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The charter, signed by every founding approver.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Founded {
    /// What they agreed to.
    pub charter: CharterText,
    /// One of each person with the role of approver, over the founding statement: of an Ed25519 or
    /// a P-256 key, because there is no page to ask a passkey yet.
    pub signatures: Vec<FoundingSignature>,
}

/// Who may do what, from the log's first entry on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CharterText {
    /// The log that this founds.
    pub log: LogId,
    /// The institution's name for it.
    pub name: Label,
    /// Ed25519 public key of the log itself, for signing its checkpoints.
    pub log_key: Bytes,
    /// ML-DSA-44 public key of the log itself (FIPS 204), 1312 bytes: signs them too.
    pub log_key_ml_dsa_44: Bytes,
    /// Everyone who has a role.
    pub people: Vec<Person>,
    /// Everyone who may hold a key.
    pub signers: Vec<Enrolment>,
    /// Whose cosignatures make a checkpoint count.
    pub witnessing: Witnessing,
    /// Who must agree to what changes all this.
    pub governance: Governance,
    /// The first policy.
    pub policy: Policy,
}

impl CharterText {
    /// Whether everyone named exists once, every quorum can be met, and every key is a key.
    pub fn check(&self) -> Result<(), Refusal> {
        let twice = |what: &str| check::invalid(format!("a {what} is named twice"));
        if self.policy.version != 1 {
            return check::invalid("the charter's policy has version 1");
        }
        let people: BTreeSet<_> = self.people.iter().map(|person| person.id).collect();
        if people.len() != self.people.len() {
            return twice("person");
        }
        let signers: BTreeSet<_> = self.signers.iter().map(|signer| signer.id).collect();
        if signers.len() != self.signers.len() {
            return twice("signer");
        }
        let sealing = |signer: &&Enrolment| signer.sealing_key.array::<32>().is_none();
        if let Some(signer) = self.signers.iter().find(sealing) {
            return check::invalid(format!("{}: a sealing key has 32 bytes", signer.id));
        }
        let ours = self.signers.iter().flat_map(|of| [&of.identity_key, &of.witness_key]);
        let ours = ours.chain([&self.log_key]).chain(self.witnessing.ed25519());
        let mut seen = BTreeSet::new();
        for key in ours {
            if !statement::is_public_key(key) || !seen.insert(key) {
                return check::invalid(format!("{key} is no Ed25519 public key, or named twice"));
            }
        }
        witnessing::check_ml_dsa_44(&self.log_key_ml_dsa_44)?;
        self.witnessing.check(self.signers.len(), &super::origin(self.log, 0))?;
        if self.witnessing.outside.iter().any(|of| of.key == self.log_key_ml_dsa_44) {
            return check::invalid("the log can't be its own witness");
        }
        Standing::from(self).check()
    }
}

impl Founded {
    /// Whether every approver of the charter signed it with a key of theirs.
    pub fn check_signatures(&self) -> Result<(), Refusal> {
        let text = statement::founding(&self.charter);
        let approves = |person: &&Person| person.roles.contains(&Role::Approver);
        for person in self.charter.people.iter().filter(approves) {
            let signed = self.signatures.iter().any(|by| {
                let evidence = Evidence::Signature { signature: by.signature.clone() };
                by.person == person.id
                    && person.approval_key(&by.key).is_some_and(|key| key.verify(&text, &evidence))
            });
            if !signed {
                let because = format!("{} has not signed the founding statement", person.id);
                return Err(Refusal::new(Rule::CharterSignature, because));
            }
        }
        Ok(())
    }
}
