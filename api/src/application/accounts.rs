//! Clients' accounts. Never a balance that is not the read model's.

use serde::Deserialize;
use serde_json::json;
use strongroom_domain::{AccountId, Asset, ClientId, Command};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Application, Caller, Failure, Once, views};
use crate::authorisation::Resource;

/// Begin a client's claim in an asset.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenAccount {
    /// Whose. A new client where it is left out.
    #[schema(value_type = Option<Uuid>)]
    pub client: Option<ClientId>,
    /// In what, such as `litecoin-regtest/ltc`.
    #[schema(value_type = String, example = "litecoin-regtest/ltc")]
    pub asset: Asset,
}

impl Application {
    /// Opens an account.
    pub async fn open_account(
        &self,
        caller: &Caller,
        once: Once,
        asked: OpenAccount,
    ) -> Result<views::AccountOpened, Failure> {
        let account = AccountId(Uuid::now_v7());
        let client = asked.client.unwrap_or_else(|| ClientId(Uuid::now_v7()));
        self.demand(caller, "open-account", &Resource::Client(client))?;
        let asset = asked.asset;
        let command = Command::OpenAccount { account, client, asset, by: caller.person };
        let subject = json!({ "account": account, "client": client, "asset": asset });
        self.answer(caller, once, command, subject).await
    }
}
