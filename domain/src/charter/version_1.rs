//! Version 1 of the founding, from before there were witnesses. Read for ever, and never written
//! again: no command makes one.

use super::{FoundingSignature, PersonV1, check::Text};
use crate::{
    Bytes, Digest, LogId, Refusal, SignerId,
    policy::{Label, PolicyV1, Quorum},
    statement,
};
use serde::{Deserialize, Serialize};

/// The charter, signed by every founding approver.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundedV1 {
    /// What they agreed to.
    pub charter: CharterTextV1,
    /// One of each person with the role of approver, over the founding statement.
    pub signatures: Vec<FoundingSignature>,
}

/// Who may do what, from the log's first entry on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CharterTextV1 {
    /// The log that this founds.
    pub log: LogId,
    /// The institution's name for it.
    pub name: Label,
    /// Ed25519 public key of the log itself.
    pub log_key: Bytes,
    /// Everyone who has a role.
    pub people: Vec<PersonV1>,
    /// Everyone who may hold a key.
    pub signers: Vec<EnrolmentV1>,
    /// Who must agree to key ceremonies and to changes of the policy.
    pub governance: Quorum,
    /// The first policy.
    pub policy: PolicyV1,
}

/// A signer's public keys.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentV1 {
    /// The signer.
    pub id: SignerId,
    /// Ed25519: signs its confirmations.
    pub identity_key: Bytes,
    /// X25519: other signers seal ceremony messages to it.
    pub sealing_key: Bytes,
    /// SHA-256 of its TLS certificate's DER: the server connects to nobody else under this id.
    pub tls_certificate_sha256: Digest,
}

impl FoundedV1 {
    /// Whether it could be founded then: the charter holds together, and every approver signed.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        let charter = &self.charter;
        let text = Text {
            people: &charter.people,
            governance: &charter.governance,
            policy: &charter.policy,
            signers: charter.signers.iter().map(|of| (of.id, &of.sealing_key)).collect(),
            keys: charter
                .signers
                .iter()
                .map(|signer| &signer.identity_key)
                .chain([&charter.log_key])
                .collect(),
        };
        text.check()?;
        text.check_signatures(&statement::founding_v1(charter), &self.signatures)
    }
}
