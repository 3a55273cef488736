//! What a wallet's own entries say in the story of a wallet, of its key or of who holds that. Never the
//! payments of clients: each has a story of its own.

use super::{
    holders::{Held, Story},
    person,
};
use crate::quantity::{ledger_account, quantity};
use strongroom_domain::{
    Network, State, TransferId, WalletId,
    charter::Standing,
    freeze::{FreezeEvent, FreezeScope},
    transfer::{SweepRequested, TransferEvent},
    wallet::{RotationApproved, WalletEvent},
};

fn network(state: &State, wallet: WalletId) -> Option<Network> {
    state.wallets.get(&wallet)?.holding().ok().map(|holding| holding.network)
}

impl Story {
    pub(super) fn wallet(
        &mut self,
        (state, standing): (&State, &Standing),
        id: WalletId,
        event: &WalletEvent,
    ) -> Option<Vec<String>> {
        if let WalletEvent::Created(of) = event {
            self.wallets.insert(of.key, id);
        }
        if !self.is_about(id) {
            return None;
        }
        match event {
            WalletEvent::Created(of) => {
                let mut says = vec![format!(
                    "Wallet {id} begins on {}: key {} signs for it.",
                    of.network, of.key
                )];
                let holders = self.holders.get(&of.key).into_iter().flatten();
                says.extend(holders.map(|signer| format!("Held by signer {signer}.")));
                says.push(format!("How the key was made: explain key-{}.", of.key));
                Some(says)
            }
            WalletEvent::AddressDerived(of) if self.of == Held::Wallet(id) => Some(vec![
                match of.account {
                    Some(account) => {
                        format!("Address {}: deposits of account {account}.", of.address)
                    }
                    None => format!("Address {}: nobody's, for change and sweeps.", of.address),
                },
                format!("Derived at {} below the key.", of.path),
            ]),
            WalletEvent::RotationApproved(of) => {
                self.given_up.insert(id);
                Some(given_up((state, standing), id, of))
            }
            WalletEvent::Swept(of) => {
                let mut says = vec![format!("Sweep {} is final:", of.transfer)];
                says.extend(of.entries.iter().map(|entry| {
                    let (debit, credit) =
                        (ledger_account(entry.debit), ledger_account(entry.credit));
                    let amount = quantity(entry.amount, of.asset);
                    format!("- {amount}: debit {debit}, credit {credit} ({:?})", entry.purpose)
                }));
                Some(says)
            }
            WalletEvent::CoinAdded(of) if self.given_up.contains(&id) => {
                let asset = network(state, id)?.native_asset();
                let (amount, place) = (quantity(of.coin.amount, asset), &of.coin.outpoint);
                Some(vec![format!("{amount} came late to wallet {id}: {place}. It follows.")])
            }
            WalletEvent::FundsReceived(of) if self.given_up.contains(&id) => {
                let amount = quantity(of.amount, network(state, id)?.native_asset());
                Some(vec![format!("{amount} came late to wallet {id}: deposit {}.", of.deposit)])
            }
            WalletEvent::AddressDerived(_)
            | WalletEvent::CoinAdded(_)
            | WalletEvent::FundsReceived(_)
            | WalletEvent::CoinRemoved(_)
            | WalletEvent::FundsReversed(_)
            | WalletEvent::CoinsReserved(_)
            | WalletEvent::CoinsReleased(_)
            | WalletEvent::CoinsSpent(_)
            | WalletEvent::AccountNonceReserved(_)
            | WalletEvent::AccountNonceRaised(_)
            | WalletEvent::NonceGapFound(_)
            | WalletEvent::AccountNonceReleased(_)
            | WalletEvent::AccountNonceUsed(_) => None,
        }
    }

    /// Sweeps out of the wallet: asked for, and what became of them. `Swept` says the rest.
    pub(super) fn sweep(&mut self, id: TransferId, event: &TransferEvent) -> Option<Vec<String>> {
        if let TransferEvent::SweepRequested(of) = event {
            return self.is_about(of.intent.wallet).then(|| {
                self.sweeps.insert(id);
                asked(of)
            });
        }
        if !self.sweeps.contains(&id) {
            return None;
        }
        if let TransferEvent::AttemptAuthorised(of) = event {
            let mut says = vec![format!("Attempt {} of sweep {id} may be signed.", of.attempt)];
            says.extend(of.signers.iter().map(|signer| format!("To sign: signer {signer}.")));
            return Some(says);
        }
        if let TransferEvent::AttemptSigned(of) = event {
            return Some(vec![format!("Sweep {id} is signed: transaction {}.", of.transaction)]);
        }
        if let TransferEvent::AttemptFound(of) = event {
            let (attempt, id) = (of.attempt, &of.transaction);
            return Some(vec![format!("Cosigners sent attempt {attempt} themselves: {id}.")]);
        }
        if let TransferEvent::AttemptRefused(of) = event {
            let because = format!("rule {}: {}", of.rule, of.because);
            return Some(vec![format!("Signer {} refused sweep {id}: {because}", of.signer)]);
        }
        if let TransferEvent::Failed(of) = event {
            return Some(vec![format!("Sweep {id} failed: {}", of.because)]);
        }
        None
    }

    pub(super) fn frozen(
        &mut self,
        standing: &Standing,
        event: &FreezeEvent,
    ) -> Option<Vec<String>> {
        match event {
            FreezeEvent::Set(of) => {
                let FreezeScope::Wallet(wallet) = of.scope else { return None };
                self.is_about(wallet).then(|| {
                    self.freezes.insert(of.freeze);
                    let who = person(standing, of.by);
                    vec![format!("{who} froze wallet {wallet}: {}", of.because)]
                })
            }
            FreezeEvent::Lifted(of) => self
                .freezes
                .remove(&of.freeze)
                .then(|| vec![format!("A quorum lifted freeze {}.", of.freeze)]),
        }
    }

    /// Whether the story is the wallet's, of its key, or of a signer that holds that.
    pub(super) fn is_about(&self, wallet: WalletId) -> bool {
        if let Held::Wallet(id) = self.of {
            return id == wallet;
        }
        self.wallets.iter().any(|(key, of)| {
            let mine = match self.of {
                Held::Key(id) => *key == id,
                Held::Signer(id) => self.holders.get(key).is_some_and(|who| who.contains(&id)),
                Held::Wallet(_) => false,
            };
            mine && *of == wallet
        })
    }
}

fn given_up(
    (state, standing): (&State, &Standing),
    id: WalletId,
    of: &RotationApproved,
) -> Vec<String> {
    let RotationApproved { rotation, proposal, maker } = of;
    let (successor, fees_from) = (rotation.successor, rotation.fees_from);
    let mut says = vec![format!(
        "A quorum gave it up, asked by {}: everything in wallet {id} goes to wallet {successor}.",
        person(standing, *maker)
    )];
    let next = state.wallets.get(&successor).and_then(|wallet| wallet.holding().ok());
    if let Some(next) = next {
        says.push(format!("Of that wallet key {} signs.", next.key));
        let key = state.keys.get(&next.key).and_then(|key| key.existing().ok());
        let holders = key.map(strongroom_domain::key::Active::signers).unwrap_or_default();
        says.extend(holders.iter().map(|signer| format!("Held by signer {signer}.")));
    }
    let most = network(state, id).map_or_else(
        || format!("{} base units", rotation.fee_cap),
        |network| quantity(rotation.fee_cap, network.native_asset()),
    );
    says.push(format!("A sweep may cost up to {most} in fees, which account {fees_from} bears."));
    says.push(format!("What was agreed to is in proposal {proposal}."));
    says
}

fn asked(of: &SweepRequested) -> Vec<String> {
    let intent = &of.intent;
    let mut says = vec![format!(
        "A sweep moves {} from wallet {} to {} of wallet {}: explain {}.",
        quantity(intent.amount, intent.asset),
        intent.wallet,
        intent.destination,
        of.successor,
        intent.transfer
    )];
    says.extend(of.coins.iter().map(|coin| format!("- it spends {coin}")));
    says
}
