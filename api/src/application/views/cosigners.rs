//! Multisig keys and wallets as answers show them. Only public keys are ever here.

use serde::Serialize;
use utoipa::ToSchema;

/// What a multisig key's cosigners sign to show that they can.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KeyProof {
    /// The key.
    pub key: String,
    /// Which of its epochs.
    pub epoch: u32,
    /// Whether all have.
    pub proven: bool,
    /// The descriptor, as the log has it.
    pub descriptor: String,
    /// Everyone, by place.
    pub cosigners: Vec<KeyCosigner>,
    /// What each signs: `strongroom-signer offline prove` shows it again.
    pub statement: String,
}

/// One of them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KeyCosigner {
    /// In the descriptor, counted from 1.
    pub place: u16,
    /// What people call it; none of a signer.
    pub name: Option<String>,
    /// Which signer holds its key, if one does.
    pub signer: Option<String>,
    /// Its key expression (BIP 380).
    pub key: String,
    /// Whether it has shown that it can sign.
    pub shown: bool,
}

/// All that it takes to watch a multisig wallet, or to recover it without us.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WalletDescriptor {
    /// The wallet.
    pub wallet: String,
    /// Where its coins are.
    pub network: String,
    /// With its checksum, both branches in one (BIP 389).
    pub descriptor: String,
    /// For software that does not know BIP 389: addresses that are given out.
    pub deposit: String,
    /// And those of change.
    pub change: String,
}
