//! The charter, and what custody holds: wallets, addresses, deposits, keys, signers. Never a secret.

use super::money::Sides;
use crate::states::{DepositState, KeyProof, KeyState, KeyStep, SignerState};
use serde::Serialize;
use strongroom_domain::{
    AccountId, Address, AddressPath, Amount, Asset, Bytes, DepositId, Digest, Head, KeyId, Network,
    PersonId, ProposalId, SignerId, Timestamp, WalletId, deposit::BlockRef, key::KeyChange,
    wallet::Tier,
};

/// The charter and the policy in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CharterRow {
    /// Entry 1.
    pub genesis: Head,
    /// When it was written.
    pub founded_at: Timestamp,
    /// As it was founded, in the shape of its version.
    pub charter: serde_json::Value,
    /// As it stands, in the shape of its form.
    pub policy: serde_json::Value,
    /// The entry that put it in force.
    pub policy_position: u64,
}

/// A wallet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WalletRow {
    /// Which.
    pub wallet: WalletId,
    /// Where it began.
    pub position: u64,
    /// When.
    pub created_at: Timestamp,
    /// Where it holds funds.
    pub network: Network,
    /// Who signs.
    pub key: KeyId,
    /// How its keys are kept.
    pub tier: Tier,
    /// What it holds for clients, by the ledger: by debits.
    pub custody: Sides,
    /// How many addresses it has.
    pub addresses: u64,
    /// The wallet that takes its place, once a quorum gave it up.
    pub successor: Option<WalletId>,
}

/// An address of a wallet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AddressRow {
    /// Where it was derived.
    pub position: u64,
    /// When.
    pub derived_at: Timestamp,
    /// Whose.
    pub wallet: WalletId,
    /// The address.
    pub address: Address,
    /// How it is derived.
    pub path: AddressPath,
    /// Whose deposits arrive there.
    pub account: Option<AccountId>,
    /// The key that it lies below.
    pub key: KeyId,
    /// That key's protocol.
    pub protocol: String,
    /// Whether a wallet that only knows the key would not find it: so many addresses before it are
    /// unused ([`strongroom_domain::GAP_LIMIT`]).
    pub beyond_gap: bool,
}

/// A deposit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DepositRow {
    /// Which.
    pub deposit: DepositId,
    /// Where it was first seen.
    pub position: u64,
    /// When.
    pub seen_at: Timestamp,
    /// Whose address.
    pub wallet: WalletId,
    /// Whose money.
    pub account: AccountId,
    /// Which address.
    pub address: Address,
    /// In what.
    pub asset: Asset,
    /// How much.
    pub amount: Amount,
    /// The outpoint, or the transaction's hash.
    pub place: String,
    /// The block it is in, or was.
    pub block: BlockRef,
    /// How many it had when it was credited.
    pub confirmations: Option<u32>,
    /// How far it is.
    pub state: DepositState,
    /// The entry that brought it there.
    pub changed_position: u64,
    /// When.
    pub changed_at: Timestamp,
}

/// A key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct KeyRow {
    /// Which.
    pub key: KeyId,
    /// Where it was asked for.
    pub position: u64,
    /// When.
    pub requested_at: Timestamp,
    /// How it is made and used.
    pub protocol: String,
    /// Shares needed to sign.
    pub threshold: u16,
    /// Who holds them.
    pub participants: Vec<SignerId>,
    /// The question to the quorum.
    pub proposal: ProposalId,
    /// Who asked.
    pub maker: PersonId,
    /// How far it is.
    pub state: KeyState,
    /// SEC 1 compressed, once it exists.
    pub public_key: Option<Bytes>,
    /// The wallet that it signs for.
    pub wallet: Option<WalletId>,
    /// Which shares of it are in use: 1 as it was made.
    pub epoch: u32,
    /// Whether it has shown that it can sign.
    pub proof: KeyProof,
    /// A change of its shares that is asked for or under way.
    pub change: Option<KeyChange>,
    /// What became of the last change of its shares, or try, that came to nothing.
    pub change_because: Option<String>,
    /// Why it failed or was quarantined.
    pub because: Option<String>,
    /// Who is proven to have cheated.
    pub culprit: Option<SignerId>,
    /// The entry that brought it there.
    pub changed_position: u64,
    /// When.
    pub changed_at: Timestamp,
    /// What each holder has done in the ceremony, in order.
    pub steps: Vec<KeyStepRow>,
    /// The last backup of each signer's share.
    pub backups: Vec<BackupRow>,
}

/// What a holder has done in a ceremony.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct KeyStepRow {
    /// Where.
    pub position: u64,
    /// When.
    pub taken_at: Timestamp,
    /// Who.
    pub signer: SignerId,
    /// What.
    pub step: KeyStep,
}

/// A signer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SignerRow {
    /// Which.
    pub signer: SignerId,
    /// Where it was enrolled.
    pub position: u64,
    /// Ed25519.
    pub identity_key: Bytes,
    /// SHA-256 of its TLS certificate's DER.
    pub tls_certificate_sha256: Digest,
    /// How the server last found it.
    pub state: SignerState,
    /// What the server saw when it lost it.
    pub because: Option<String>,
    /// Which officer trusts it no more: no other signer works with it.
    pub quarantined_by: Option<PersonId>,
    /// Why.
    pub quarantined_because: Option<String>,
    /// Whether a quorum retired it.
    pub retired: bool,
    /// The keys that it holds, or has a share of.
    pub keys: Vec<KeyId>,
    /// The entry that says so.
    pub changed_position: u64,
    /// When.
    pub changed_at: Timestamp,
}

/// A backup of a share, with the last drill that used it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BackupRow {
    /// Whose share.
    pub signer: SignerId,
    /// Of which shares of the key.
    pub epoch: u32,
    /// When, by the signer's clock.
    pub taken_at: Timestamp,
    /// How many pieces restore it.
    pub threshold: u16,
    /// Who has one.
    pub officers: Vec<PersonId>,
    /// When officers last showed that it can be used, by the signer's clock.
    pub drilled_at: Option<Timestamp>,
}
