//! Wallets and their addresses. `chains` derives; no address is ever taken from a caller.

use serde::Deserialize;
use serde_json::json;
use strongroom_chains::{
    KeyAddressError,
    hd::{NoKey, shown},
    key_address,
};
use strongroom_domain::{
    AccountId, Address, AddressPath, Branch, Command, KeyId, Network, Refusal, Rule, WalletId,
    wallet::{AddressDerived, Tier},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Application, Caller, Failure, Once, views};
use crate::authorisation::Resource;

/// Let a key hold funds on a network.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWallet {
    /// Where, such as `litecoin-regtest`.
    #[schema(value_type = String, example = "litecoin-regtest")]
    pub network: Network,
    /// Who signs: an active key that signs for nothing else.
    #[schema(value_type = Uuid)]
    pub key: KeyId,
    /// How its keys are kept: `hot`, so far.
    #[serde(default = "hot")]
    #[schema(value_type = Option<String>)]
    pub tier: Tier,
}

const fn hot() -> Tier {
    Tier::Hot
}

/// Give an account its next deposit address.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeriveAddress {
    /// Whose deposits will arrive there.
    #[schema(value_type = Uuid)]
    pub account: AccountId,
}

impl Application {
    /// Creates a wallet.
    pub async fn create_wallet(
        &self,
        caller: &Caller,
        once: Once,
        asked: CreateWallet,
    ) -> Result<views::WalletCreated, Failure> {
        self.demand(caller, "create-wallet", &Resource::System)?;
        let CreateWallet { network, key, tier } = asked;
        let wallet = WalletId(Uuid::now_v7());
        let command = Command::CreateWallet { wallet, network, key, tier, by: caller.person };
        let subject = json!({ "wallet": wallet, "network": network, "key": key });
        self.answer(caller, once, command, subject).await
    }

    /// Derives a wallet's next deposit address.
    pub async fn derive_address(
        &self,
        caller: &Caller,
        once: Once,
        wallet: WalletId,
        asked: DeriveAddress,
    ) -> Result<views::AddressGiven, Failure> {
        self.demand_account(caller, "derive-address", asked.account)?;
        let _turn = self.0.deriving.lock().await;
        let (address, path, full_path) = self.next_address(wallet)?;
        let account = Some(asked.account);
        let beyond_gap = self.read(move |view| view.beyond_gap(wallet, path.index)).await?;
        let subject = json!({
            "wallet": wallet, "address": address, "path": path.to_string(), "account": account,
            "full_path": full_path, "beyond_gap": beyond_gap,
        });
        let derived = AddressDerived { address, path, account };
        let command = Command::DeriveAddress { wallet, derived };
        self.answer(caller, once, command, subject).await
    }

    fn next_address(&self, wallet: WalletId) -> Result<(Address, AddressPath, String), Failure> {
        let missing = || Failure::NotFound { what: "wallet", id: wallet.to_string() };
        let (network, index, id, key) = self.bus().read(|state| {
            let holding = state.wallets.get(&wallet).ok_or_else(missing)?.holding()?;
            // Before what its key can do: who is told of the successor needs no address here.
            holding.check_kept()?;
            let active = state.keys.get(&holding.key).ok_or_else(missing)?.active()?.clone();
            let index = holding.next_index(Branch::Deposit);
            Ok::<_, Failure>((holding.network, index, holding.key, active))
        })?;
        let path = AddressPath { branch: Branch::Deposit, index };
        let address = key_address(&key, network, path).map_err(|error| {
            let alone = matches!(error, KeyAddressError::NoKey(NoKey::Protocol { .. }));
            if alone && index > 0 {
                let because = format!("a {} key has one address", key.plan.protocol.name());
                return Refusal::new(Rule::WalletSingleAddress, because).into();
            }
            Failure::underivable(id, error.to_string())
        })?;
        Ok((address, path, shown(id, key.plan.protocol, path)))
    }
}
