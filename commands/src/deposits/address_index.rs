//! Whose a payment is: the deposit addresses of one network, by what its blocks say of them. Never
//! holds a change address: what arrives there is nobody's deposit.

use std::collections::{BTreeMap, HashMap};
use strongroom_chains::bitcoin::{Chain, Destination};
use strongroom_domain::{AccountId, Address, Branch, Family, Network, State, WalletId};
use strongroom_nodes::ethereum;

/// Whose an address is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Owner {
    pub(super) wallet: WalletId,
    pub(super) account: AccountId,
    pub(super) address: Address,
}

/// The addresses of one network. One look-up for each output, whatever the number of addresses.
pub(super) struct AddressIndex {
    network: Network,
    /// By output script (Bitcoin family) or by the account's 20 bytes (Ethereum).
    owners: HashMap<Vec<u8>, Owner>,
    /// How many addresses of each wallet were looked at. Wallets never lose one.
    looked_at: BTreeMap<WalletId, usize>,
}

impl AddressIndex {
    pub(super) fn new(network: Network) -> Self {
        Self { network, owners: HashMap::new(), looked_at: BTreeMap::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// Takes in the addresses that were derived since. It compares one number for each wallet, and
    /// goes through the addresses of those only that have more than before.
    pub(super) fn refresh(&mut self, state: &State) {
        for (id, wallet) in &state.wallets {
            let Ok(holding) = wallet.holding() else { continue };
            let before = self.looked_at.get(id).copied().unwrap_or_default();
            if holding.network != self.network || holding.addresses.len() == before {
                continue;
            }
            for (address, derived) in &holding.addresses {
                if let (Branch::Deposit, Some(account)) = (derived.path.branch, derived.account) {
                    self.add(Owner { wallet: *id, account, address: address.clone() });
                }
            }
            self.looked_at.insert(*id, holding.addresses.len());
        }
    }

    fn add(&mut self, owner: Owner) {
        let Some(bytes) = on_chain(self.network, &owner.address) else {
            // `chains` derived it, so this is a bug: what arrives there would not be seen.
            tracing::error!(
                network = %self.network, address = %owner.address,
                "a wallet's address can't be read: deposits to it are not seen"
            );
            return;
        };
        self.owners.insert(bytes, owner);
    }

    pub(super) fn owner(&self, on_chain: &[u8]) -> Option<&Owner> {
        self.owners.get(on_chain)
    }
}

/// What a block says instead of the address.
fn on_chain(network: Network, address: &Address) -> Option<Vec<u8>> {
    match network.family() {
        Family::Bitcoin => {
            let chain = Chain::of(network).ok()?;
            let destination = Destination::parse(chain, address.as_str()).ok()?;
            Some(destination.script().into_bytes())
        }
        Family::Ethereum => {
            let account: ethereum::Address = address.as_str().parse().ok()?;
            Some(account.as_bytes().to_vec())
        }
    }
}
