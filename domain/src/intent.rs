//! What a transfer should do, in words that approvers read and signers check. It never says how:
//! coins, nonces and fee rates belong to the transaction that realises it.

use crate::{AccountId, Address, Amount, Asset, Network, TransferId, WalletId};
use serde::{Deserialize, Serialize};

/// One payment out of custody.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// The transfer that this is the whole meaning of.
    pub transfer: TransferId,
    /// Whose claim becomes smaller.
    pub account: AccountId,
    /// Which wallet pays.
    pub wallet: WalletId,
    /// What is paid. Its network is the wallet's.
    pub asset: Asset,
    /// How much reaches the destination, in base units.
    pub amount: Amount,
    /// Who is paid, on the asset's network.
    pub destination: Address,
    /// The most that the network may take for it, in base units of the native asset.
    pub fee_cap: Amount,
}

impl Intent {
    /// The network that it happens on.
    pub const fn network(&self) -> Network {
        self.asset.network()
    }
}

/// What an unsigned transaction would really do, as `chains` reads it back from the bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Effect {
    /// Where it would be valid.
    pub network: Network,
    /// The one payment that does not go back to the wallet.
    pub destination: Address,
    /// How much it pays.
    pub amount: Amount,
    /// The most that it can cost: exact on Bitcoin; gas limit × fee per gas on Ethereum.
    pub fee: Amount,
}

impl Effect {
    /// Whether this does exactly what `intent` says, for no more than its fee cap. Names the
    /// first field that differs.
    pub fn realises(&self, intent: &Intent) -> Result<(), &'static str> {
        if self.network != intent.network() {
            Err("network")
        } else if self.destination != intent.destination {
            Err("destination")
        } else if self.amount != intent.amount {
            Err("amount")
        } else if self.fee > intent.fee_cap {
            Err("fee")
        } else {
            Ok(())
        }
    }
}
