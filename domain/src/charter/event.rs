//! What happened to the charter. Stored for ever: a shape is never edited, only succeeded.

use super::{Founded, FoundedV1, LogResumed, PeopleChange, SignerChange, Witnessing};
use crate::{
    Bytes, Digest, LogId, PersonId, ProposalId, SignerId, Timestamp,
    event::events,
    policy::{Label, Policy, PolicyV1, Quorum},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

events! {
    /// The charter's events.
    CharterEvent {
        /// Entry 1 of a log from before there were witnesses.
        FoundedV1 = "charter.founded", 1;
        /// Entry 1 of a log from before there were groups.
        FoundedV2 = "charter.founded", 2;
        /// Entry 1 of the log.
        Founded = "charter.founded", 3;
        /// A quorum put another policy of the first form in force.
        PolicyChangedV1 = "charter.policy-changed", 1;
        /// A quorum put another policy in force, and no officer vetoed it.
        PolicyChanged = "charter.policy-changed", 2;
        /// An officer tightened the policy.
        PolicyTightened = "charter.policy-tightened", 1;
        /// A quorum changed who may do what.
        PeopleChanged = "charter.people-changed", 1;
        /// A quorum enrolled or retired a signer.
        SignersChanged = "charter.signers-changed", 1;
        /// A quorum let the log go on from an earlier entry: what stood behind it is lost.
        LogResumed = "charter.log-resumed", 1;
    }
}

/// The charter, signed by every founding approver.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundedV2 {
    /// What they agreed to.
    pub charter: CharterTextV2,
    /// One of each person with the role of approver, over the founding statement.
    pub signatures: Vec<FoundingSignature>,
}

/// A founding approver's word for the charter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundingSignature {
    /// Who.
    pub person: PersonId,
    /// With which of their keys.
    pub key: Bytes,
    /// Ed25519 (RFC 8032) over [`crate::statement::founding`] of the charter's version.
    pub signature: Bytes,
}

/// Who may do what, from the log's first entry on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CharterTextV2 {
    /// The log that this founds.
    pub log: LogId,
    /// The institution's name for it.
    pub name: Label,
    /// Ed25519 public key of the log itself, for signing its checkpoints.
    pub log_key: Bytes,
    /// ML-DSA-44 public key of the log itself (FIPS 204), 1312 bytes: signs them too.
    pub log_key_ml_dsa_44: Bytes,
    /// Everyone who has a role.
    pub people: Vec<PersonV1>,
    /// Everyone who may hold a key.
    pub signers: Vec<Enrolment>,
    /// Whose cosignatures make a checkpoint count.
    pub witnessing: Witnessing,
    /// Who must agree to key ceremonies and to changes of the policy.
    pub governance: Quorum,
    /// The first policy.
    pub policy: PolicyV1,
}

/// A person, known by a random id: names are never in the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonV1 {
    /// Random.
    pub id: PersonId,
    /// What they may do.
    pub roles: BTreeSet<Role>,
    /// Ed25519 public keys that they approve with.
    pub approval_keys: Vec<Bytes>,
}

/// What a person may do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sees what concerns funds, changes nothing.
    Viewer,
    /// Asks for transfers, ceremonies and changes.
    Initiator,
    /// Answers proposals, within the groups that a quorum names.
    Approver,
    /// Stops things at once: freezes, vetoes, tightens, quarantines. Lets nothing go on.
    Officer,
    /// Asks for key ceremonies and takes part in them.
    KeyCustodian,
    /// Records screenings, asks for policies.
    Compliance,
    /// Reads everything, changes nothing.
    Auditor,
    /// Reads what a supervisor may read, changes nothing.
    Regulator,
    /// Runs the system, and has no say over funds.
    Administrator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 9] = [
        Self::Viewer,
        Self::Initiator,
        Self::Approver,
        Self::Officer,
        Self::KeyCustodian,
        Self::Compliance,
        Self::Auditor,
        Self::Regulator,
        Self::Administrator,
    ];

    /// As it is written in events, statements and settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Initiator => "initiator",
            Self::Approver => "approver",
            Self::Officer => "officer",
            Self::KeyCustodian => "key-custodian",
            Self::Compliance => "compliance",
            Self::Auditor => "auditor",
            Self::Regulator => "regulator",
            Self::Administrator => "administrator",
        }
    }
}

/// A signer's public keys.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// The signer.
    pub id: SignerId,
    /// Ed25519: signs its confirmations.
    pub identity_key: Bytes,
    /// X25519: other signers seal ceremony messages to it.
    pub sealing_key: Bytes,
    /// SHA-256 of its TLS certificate's DER: the server connects to nobody else under this id.
    pub tls_certificate_sha256: Digest,
    /// Ed25519: cosigns checkpoints, and nothing else.
    pub witness_key: Bytes,
}

/// A new policy stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyChangedV1 {
    /// The quorum's proposal.
    pub proposal: ProposalId,
    /// What stands from now on.
    pub policy: PolicyV1,
}

/// A new policy stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyChanged {
    /// The quorum's proposal.
    pub proposal: ProposalId,
    /// What stands from now on.
    pub policy: Policy,
    /// When: new destinations cool off from then on.
    pub at: Timestamp,
}

/// A policy stands that lets nothing through which the last one did not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyTightened {
    /// Which officer.
    pub by: PersonId,
    /// What stands from now on.
    pub policy: Policy,
    /// When.
    pub at: Timestamp,
}

/// People, machines or governance are others now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeopleChanged {
    /// The quorum's proposal.
    pub proposal: ProposalId,
    /// What is different.
    pub change: PeopleChange,
}

/// Signers are others now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignersChanged {
    /// The quorum's proposal.
    pub proposal: ProposalId,
    /// What is different.
    pub change: SignerChange,
}
