//! What happened to freezes. Stored for ever: a shape is never edited, only succeeded.

use crate::{Address, ClientId, FreezeId, Network, PersonId, ProposalId, WalletId, event::events};
use serde::{Deserialize, Serialize};

events! {
    /// The freezes' events.
    FreezeEvent {
        /// An officer stopped payments, at once.
        Set = "freeze.set", 1;
        /// A quorum let them go on.
        Lifted = "freeze.lifted", 1;
    }
}

/// What a freeze covers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum FreezeScope {
    /// Everything that would leave this wallet.
    Wallet(WalletId),
    /// Everything that this client's accounts would pay.
    Client(ClientId),
    /// Everything that would go there.
    Destination {
        /// Where the address is valid.
        network: Network,
        /// The address, in its canonical spelling.
        address: Address,
    },
    /// Every payment of this institution.
    Everything,
}

/// Payments stop here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// Chosen by the caller.
    pub freeze: FreezeId,
    /// What it covers.
    pub scope: FreezeScope,
    /// Which officer.
    pub by: PersonId,
    /// Why. Never personal data: the log is for ever.
    pub because: String,
}

/// Payments go on, as far as no other freeze covers them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifted {
    /// Which.
    pub freeze: FreezeId,
    /// Whose quorum agreed.
    pub proposal: ProposalId,
}
