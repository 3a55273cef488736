//! Wallets that are given up: a quorum is asked whether everything in one goes to another, whose key
//! is another. The sagas do the rest by themselves; nothing here builds a transaction.

use serde::Deserialize;
use serde_json::json;
use strongroom_domain::{
    AccountId, Amount, Command, ProposalId, WalletId, proposal::Subject, wallet::Rotation,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Application, Caller, Failure, Once, views};
use crate::authorisation::Resource;

/// Ask the governing quorum to give a wallet up.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateWallet {
    /// The wallet that takes its place: on the same network, with a key of its own that has shown
    /// that it can sign.
    #[schema(value_type = Uuid)]
    pub successor: WalletId,
    /// Whose claim bears the network's fees: an account of the institution's own.
    #[schema(value_type = Uuid)]
    pub fees_from: AccountId,
    /// The most that the network may take for one sweep, in base units of the native asset. What is
    /// worth less stays where it is.
    #[schema(value_type = String)]
    pub fee_cap: Amount,
    /// How long the question stays open, in seconds. Default: the policy's longest.
    pub expires_in_s: Option<u64>,
}

impl Application {
    /// Opens the proposal of a rotation.
    pub async fn rotate_wallet(
        &self,
        caller: &Caller,
        once: Once,
        (wallet, asked): (WalletId, RotateWallet),
    ) -> Result<views::ReleaseProposed, Failure> {
        self.demand(caller, "rotate-wallet", &Resource::System)?;
        let RotateWallet { successor, fees_from, fee_cap, expires_in_s } = asked;
        let proposal = ProposalId(Uuid::now_v7());
        let expires_at = self.expiry(expires_in_s);
        let maker = caller.person;
        let subject = Subject::Rotate(Rotation { wallet, successor, fees_from, fee_cap });
        let command = Command::Propose { proposal, subject, maker, expires_at };
        let subject = json!({ "proposal": proposal, "expires_at": expires_at.to_string() });
        self.answer(caller, once, command, subject).await
    }
}
