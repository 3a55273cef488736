//! What happened to a key. Stored for ever: a shape is never edited, only succeeded.

use super::{BackedUp, Protocol, RecoveryDrilled};
use crate::{Bytes, KeyId, PersonId, ProposalId, SignerId, WalletId, event::events, policy::Label};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

events! {
    /// A key's events.
    KeyEvent {
        /// A quorum was asked for it. It need not prove that it can sign.
        CeremonyRequestedV1 = "key.ceremony-requested", 1;
        /// A quorum was asked for it. It holds nothing before it proved that it can sign.
        CeremonyRequested = "key.ceremony-requested", 2;
        /// The quorum agreed: signers may begin.
        CeremonyApproved = "key.ceremony-approved", 1;
        /// A participant's first message, the same for all: the log is the broadcast channel.
        RoundOnePublished = "key.round-one-published", 1;
        /// A participant's message of any round of any ceremony, the same for all.
        RoundPublished = "key.round-published", 1;
        /// A participant made its part, and says which key came out.
        Confirmed = "key.confirmed", 1;
        /// All participants confirmed the same key.
        Activated = "key.activated", 1;
        /// It signed something that moves nothing: whoever pays to it pays to a key that can sign.
        Proven = "key.proven", 1;
        /// One of a multisig key's cosigners showed that it can sign.
        CosignerProven = "key.cosigner-proven", 1;
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
        /// A quorum was asked whether its shares may change hands. The public key stays.
        ChangeRequested = "key.change-requested", 1;
        /// The quorum agreed: signers may begin.
        ChangeApproved = "key.change-approved", 1;
        /// A try came to nothing, and the same change is tried again.
        ChangeRetried = "key.change-retried", 1;
        /// A holder has its share of the new epoch, durably.
        EpochConfirmed = "key.epoch-confirmed", 1;
        /// All holders have: from here on only shares of this epoch sign.
        EpochAdvanced = "key.epoch-advanced", 1;
        /// The change came to nothing: the shares are those of before.
        ChangeFailed = "key.change-failed", 1;
        /// A holder split its share among officers.
        BackedUp = "key.backed-up", 1;
        /// Officers showed that their pieces restore it.
        RecoveryDrilled = "key.recovery-drilled", 1;
        /// Its wallet was rotated and is empty: from here on it signs sweeps of what comes late.
        Retired = "key.retired", 1;
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

/// A cosigner of a multisig key that no signer process holds: a file on an offline machine, or a
/// hardware device.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cosigner {
    /// What people call it.
    pub name: Label,
    /// Its key expression (BIP 380), without derivation steps behind the key.
    pub key: String,
}

/// A quorum was asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CeremonyRequestedV1 {
    /// What to make.
    pub plan: CeremonyPlan,
    /// The question to the quorum.
    pub proposal: ProposalId,
    /// Who asked.
    pub maker: PersonId,
}

/// A quorum was asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CeremonyRequested {
    /// What to make.
    pub plan: CeremonyPlan,
    /// Of a multisig key: the cosigners besides the plan's participants.
    pub cosigners: Vec<Cosigner>,
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

/// A participant's public message of a round.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundPublished {
    /// Whose.
    pub signer: SignerId,
    /// Which shares are being made: 1 when the key is, more when they change.
    pub epoch: u32,
    /// Counted from 1.
    pub round: u16,
    /// As its protocol writes it.
    pub package: Bytes,
}

/// It can sign.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proven {
    /// With which shares.
    pub epoch: u32,
    /// Over [`crate::statement::spend_proof`], as its protocol signs. One; of a multisig key one of
    /// each cosigner, in the order of its descriptor.
    pub signatures: Vec<Bytes>,
}

/// One cosigner's part of a multisig key's proof: the others may take days.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosignerProven {
    /// The key's epoch.
    pub epoch: u32,
    /// Whose: its place in the key's descriptor, counted from 1.
    pub place: u16,
    /// Over [`crate::statement::spend_proof`]: 64 bytes as the wallet's signatures are made, or 65 as
    /// BIP 137 says.
    pub signature: Bytes,
}

/// A participant's word for the key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmed {
    /// Whose word.
    pub signer: SignerId,
    /// As [`Protocol::is_public_key`] says.
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
    /// As [`Protocol::is_public_key`] says.
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

/// Who should hold a key from now on. The threshold and the public key stay: a refresh that may
/// change the threshold is what CVE-2025-58359 was.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyChange {
    /// Of which key.
    pub key: KeyId,
    /// Who holds it no more.
    pub dropped: BTreeSet<SignerId>,
    /// Who holds it from now on.
    pub joining: Option<Joining>,
    /// Whose shares make the one of who joins: as many as sign, all of whom stay. Where nobody
    /// joins they have no part beyond that of every holder. None: the share of who joins is restored
    /// from the backup of the one whose number it gets.
    pub helpers: Vec<SignerId>,
}

/// A signer that comes to hold a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Joining {
    /// Which signer.
    pub signer: SignerId,
    /// Its number in the protocol: that of one who is dropped, or the first that is free.
    pub index: u16,
}

/// A quorum was asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeRequested {
    /// What should change.
    pub change: KeyChange,
    /// What the shares will be called. Counts tries: what was tried before never has this number.
    pub epoch: u32,
    /// The question to the quorum.
    pub proposal: ProposalId,
    /// Who asked.
    pub maker: PersonId,
}

/// The quorum agreed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeApproved {
    /// To the change that makes this epoch.
    pub epoch: u32,
}

/// The same change is tried again: nothing of the try before can be used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeRetried {
    /// What the shares will be called.
    pub epoch: u32,
    /// Who helps this time.
    pub helpers: Vec<SignerId>,
    /// What became of the try before.
    pub because: String,
}

/// A holder's word for its new share.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochConfirmed {
    /// Whose word.
    pub signer: SignerId,
    /// Which shares.
    pub epoch: u32,
    /// The key's, as it was before.
    pub public_key: Bytes,
    /// The protocol's public key package: what anybody needs to combine the new shares.
    pub public_package: Bytes,
    /// Ed25519 of the signer's identity key over [`crate::statement::epoch_confirmation`].
    pub signature: Bytes,
}

/// The new shares are in use.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochAdvanced {
    /// Which.
    pub epoch: u32,
    /// Who holds it from now on: by number in the protocol.
    pub holders: BTreeMap<u16, SignerId>,
    /// As confirmed by every holder.
    pub public_package: Bytes,
}

/// A change came to nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeFailed {
    /// Which shares there will never be.
    pub epoch: u32,
    /// Why.
    pub because: String,
}

/// From here on it signs sweeps of what comes late, and nothing else.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retired {}
