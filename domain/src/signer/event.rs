//! What happened to a signer. Stored for ever: a shape is never edited, only succeeded.

use crate::{Bytes, Digest, PersonId, ProposalId, event::events};
use serde::{Deserialize, Serialize};

events! {
    /// A signer's events.
    SignerEvent {
        /// The charter named it.
        Enrolled = "signer.enrolled", 1;
        /// The server reached it, and it holds this log.
        Reached = "signer.reached", 1;
        /// The server could not reach it.
        Lost = "signer.lost", 1;
        /// An officer trusts it no more: no other signer works with it.
        Quarantined = "signer.quarantined", 1;
        /// A quorum trusts it again.
        Released = "signer.released", 1;
    }
}

/// The charter named it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolled {
    /// Ed25519.
    pub identity_key: Bytes,
    /// SHA-256 of its TLS certificate's DER.
    pub tls_certificate_sha256: Digest,
}

/// It answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reached {}

/// It does not answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lost {
    /// What the server saw.
    pub because: String,
}

/// An officer trusts it no more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quarantined {
    /// Which officer.
    pub by: PersonId,
    /// Why. Never personal data: the log is for ever.
    pub because: String,
}

/// It is trusted again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Released {
    /// Whose quorum agreed.
    pub proposal: ProposalId,
}
