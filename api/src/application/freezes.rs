//! What one officer stops at once: payments by a freeze, one payment, a key. Letting go on is a
//! question to a quorum, and nothing here answers it.

use serde::Deserialize;
use serde_json::json;
use strongroom_domain::{
    Address, ClientId, Command, FreezeId, KeyId, Network, ProposalId, TransferId, WalletId,
    freeze::{self, FreezeScope},
    key::QuarantinedBy,
    proposal::Subject,
    transfer::Stopped,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Application, Caller, Failure, Once, Paging, views};
use crate::authorisation::Resource;

/// What to freeze.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Freezing {
    /// Everything that would leave this wallet.
    Wallet(Uuid),
    /// Everything that this client's accounts would pay.
    Client(Uuid),
    /// Everything that would go there.
    Destination {
        /// Where the address is valid.
        #[schema(value_type = String, example = "litecoin-regtest")]
        network: Network,
        /// The address, in its canonical spelling.
        address: String,
    },
    /// Every payment of this institution.
    Everything,
}

/// Stop payments, at once.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetFreeze {
    /// What to freeze.
    pub scope: Freezing,
    /// Why: 1 to 500 bytes, and never personal data.
    pub because: String,
}

/// Stop something, at once.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StopIt {
    /// Why: 1 to 500 bytes, and never personal data.
    pub because: String,
}

/// Ask a quorum to let something go on.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposeRelease {
    /// How long the question stays open, in seconds. Default: the policy's longest.
    pub expires_in_s: Option<u64>,
}

impl Application {
    /// One officer stops payments, at once.
    pub async fn freeze(
        &self,
        caller: &Caller,
        once: Once,
        asked: SetFreeze,
    ) -> Result<views::FreezeSet, Failure> {
        self.demand(caller, "freeze", &Resource::System)?;
        let scope = scope(asked.scope)?;
        let freeze = FreezeId(Uuid::now_v7());
        let (by, because) = (caller.person, asked.because);
        let subject = json!({ "freeze": freeze, "covers": scope.to_string() });
        let command = Command::Freeze(freeze::Set { freeze, scope, by, because });
        self.answer(caller, once, command, subject).await
    }

    /// Asks a quorum to lift a freeze.
    pub async fn propose_unfreeze(
        &self,
        caller: &Caller,
        once: Once,
        (freeze, asked): (FreezeId, ProposeRelease),
    ) -> Result<views::ReleaseProposed, Failure> {
        self.demand(caller, "propose-unfreeze", &Resource::System)?;
        self.propose_release(caller, once, Subject::Unfreeze { freeze }, asked).await
    }

    /// Freezes, also those that were lifted.
    pub async fn freezes(
        &self,
        caller: &Caller,
        paging: Paging,
    ) -> Result<views::FreezePage, Failure> {
        self.demand(caller, "read-freezes", &Resource::System)?;
        let page = paging.page()?;
        let rows = self.read(move |view| view.freezes(page)).await?;
        let next = page.next(rows.len(), rows.last().map(|row| row.position));
        Ok(views::FreezePage { items: rows.into_iter().map(Into::into).collect(), next })
    }

    /// One officer stops a payment that no signer has heard of.
    pub async fn stop_transaction(
        &self,
        caller: &Caller,
        once: Once,
        (transfer, asked): (TransferId, StopIt),
    ) -> Result<views::TransactionStopped, Failure> {
        self.demand(caller, "stop-transfer", &Resource::System)?;
        let stopped = Stopped { by: caller.person, because: asked.because };
        let subject = json!({ "transaction": transfer });
        let command = Command::StopTransfer { transfer, stopped };
        self.answer(caller, once, command, subject).await
    }

    /// One officer takes a key out of use.
    pub async fn quarantine_key(
        &self,
        caller: &Caller,
        once: Once,
        (key, asked): (KeyId, StopIt),
    ) -> Result<views::KeyQuarantined, Failure> {
        self.demand(caller, "quarantine-key", &Resource::System)?;
        let halted = QuarantinedBy { by: caller.person, because: asked.because };
        self.answer(caller, once, Command::HaltKey { key, halted }, json!({ "key": key })).await
    }

    /// Asks a quorum to let a quarantined key sign again.
    pub async fn propose_key_release(
        &self,
        caller: &Caller,
        once: Once,
        (key, asked): (KeyId, ProposeRelease),
    ) -> Result<views::ReleaseProposed, Failure> {
        self.demand(caller, "propose-key-release", &Resource::System)?;
        self.propose_release(caller, once, Subject::ReleaseKey { key }, asked).await
    }

    pub(super) async fn propose_release(
        &self,
        caller: &Caller,
        once: Once,
        subject: Subject,
        asked: ProposeRelease,
    ) -> Result<views::ReleaseProposed, Failure> {
        let proposal = ProposalId(Uuid::now_v7());
        let expires_at = self.expiry(asked.expires_in_s);
        let maker = caller.person;
        let command = Command::Propose { proposal, subject, maker, expires_at };
        let kept = json!({ "proposal": proposal, "expires_at": expires_at.to_string() });
        self.answer(caller, once, command, kept).await
    }
}

/// The same, with an address that is one on its network.
fn scope(asked: Freezing) -> Result<FreezeScope, Failure> {
    Ok(match asked {
        Freezing::Wallet(id) => FreezeScope::Wallet(WalletId(id)),
        Freezing::Client(id) => FreezeScope::Client(ClientId(id)),
        Freezing::Everything => FreezeScope::Everything,
        Freezing::Destination { network, address } => {
            FreezeScope::Destination { network, address: destination(network, &address)? }
        }
    })
}

pub(super) fn destination(network: Network, address: &str) -> Result<Address, Failure> {
    strongroom_chains::parse_address(network, address)
        .map_err(|error| Failure::Address(error.to_string()))
}
