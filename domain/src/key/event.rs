//! What happened to a key. Stored for ever: a shape is never edited, only succeeded.

use crate::{Bytes, KeyId, PersonId, ProposalId, SignerId, WalletId, event::events};
use serde::{Deserialize, Serialize};

events! {
    /// A key's events.
    KeyEvent {
        /// A quorum was asked for it.
        CeremonyRequested = "key.ceremony-requested", 1;
        /// The quorum agreed: signers may begin.
        CeremonyApproved = "key.ceremony-approved", 1;
        /// A participant's first message, the same for all: the log is the broadcast channel.
        RoundOnePublished = "key.round-one-published", 1;
        /// A participant made its part, and says which key came out.
        Confirmed = "key.confirmed", 1;
        /// All participants confirmed the same key.
        Activated = "key.activated", 1;
        /// It signs for one wallet, and never for anything else.
        Assigned = "key.assigned", 1;
        /// It came to nothing.
        CeremonyFailed = "key.ceremony-failed", 1;
        /// Signing aborted cryptographically: no signer uses it until a quorum decides.
        Quarantined = "key.quarantined", 1;
        /// An officer took it out of use: no signer uses it until a quorum decides.
        QuarantinedBy = "key.quarantined", 2;
        /// A quorum let it be used again.
        Released = "key.released", 1;
    }
}

/// How a key is made and used. The name carries the version, so that keys can move.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Protocol {
    /// FROST on secp256k1 with Taproot tweaks (RFC 9591, BIP 340/341): any *t* of *n* shares
    /// sign, the key exists nowhere.
    #[serde(rename = "frost-secp256k1-tr/1")]
    FrostSecp256k1Tr,
    /// ECDSA on secp256k1, made inside one PKCS#11 token and not extractable.
    #[serde(rename = "pkcs11-secp256k1/1")]
    Pkcs11Secp256k1,
}

impl Protocol {
    /// Its name in events and statements.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FrostSecp256k1Tr => "frost-secp256k1-tr/1",
            Self::Pkcs11Secp256k1 => "pkcs11-secp256k1/1",
        }
    }
}

/// What a ceremony should make.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CeremonyPlan {
    /// The key.
    pub key: KeyId,
    /// How.
    pub protocol: Protocol,
    /// *t*: shares needed to sign.
    pub threshold: u16,
    /// The *n* share holders. A holder's FROST identifier is its place here, counted from 1.
    pub participants: Vec<SignerId>,
}

/// A quorum was asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CeremonyRequested {
    /// What to make.
    pub plan: CeremonyPlan,
    /// The question to the quorum.
    pub proposal: ProposalId,
    /// Who asked.
    pub maker: PersonId,
}

/// The quorum agreed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CeremonyApproved {}

/// A participant's public first-round package.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundOnePublished {
    /// Whose.
    pub signer: SignerId,
    /// As its protocol writes it.
    pub package: Bytes,
}

/// A participant's word for the key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmed {
    /// Whose word.
    pub signer: SignerId,
    /// SEC 1 compressed, 33 bytes.
    pub public_key: Bytes,
    /// What anybody needs to combine shares: the protocol's public key package. Empty for a key
    /// that one token holds.
    pub public_package: Bytes,
    /// Ed25519 of the signer's identity key over [`crate::statement::confirmation`].
    pub signature: Bytes,
}

/// The key exists.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activated {
    /// SEC 1 compressed, 33 bytes.
    pub public_key: Bytes,
    /// As confirmed by every participant.
    pub public_package: Bytes,
}

/// A ceremony came to nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CeremonyFailed {
    /// Why.
    pub because: String,
}

/// No signer uses it from here on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quarantined {
    /// What happened.
    pub because: String,
    /// Who is proven to have cheated, where the protocol can tell.
    pub culprit: Option<SignerId>,
}

/// It signs for one wallet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assigned {
    /// Which.
    pub wallet: WalletId,
}

/// An officer took it out of use.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuarantinedBy {
    /// Which officer.
    pub by: PersonId,
    /// Why. Never personal data: the log is for ever.
    pub because: String,
}

/// It is used again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Released {
    /// Whose quorum agreed.
    pub proposal: ProposalId,
}
