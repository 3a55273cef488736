//! The first step: coins or an account nonce are chosen and set aside, together with the
//! transaction that signers may then hear of. Never tells a signer anything.

mod cosigners;

use super::{
    NoPlan, Plan, Purse, Till, all_of_balance, all_of_coins,
    fees::Offer,
    first_signers, from_balance, from_coins,
    saga::{Progress, Recorded, Saga, Stopped, recorded},
    sweep::swept_coins,
};
use crate::Request;
use futures::poll;
use std::{collections::BTreeSet, pin::pin, task::Poll};
use strongroom_chains::{frost::GroupKey, key_address};
use strongroom_domain::{
    Actor, AddressPath, Branch, Bytes, Command, Family, Intent, KeyId, Network, Refusal, Rule,
    SignerId, State, TransferId, WalletId, check_trusted,
    key::Active,
    transfer::{Abstention, Asked, AttemptAuthorised, Sweep},
    wallet::{AddressDerived, Holding},
};

/// The one change address of a wallet. A new one for each payment would cost an entry of the log
/// and an address that signers derive with each; the coins of one wallet are joined in its
/// payments anyway, so it would hide little.
pub(super) const CHANGE: AddressPath = AddressPath { branch: Branch::Change, index: 0 };

/// What a plan needs of the fold.
struct Means {
    network: Network,
    key: KeyId,
    public_key: Bytes,
    active: Active,
    holders: Vec<SignerId>,
    threshold: usize,
    has_change: bool,
    funds: Funds,
}

enum Funds {
    Coins(Purse),
    Balance(Till),
}

impl Means {
    fn of(state: &State, intent: &Intent) -> Result<Self, Refusal> {
        let holding = holding(state, intent.wallet)?;
        let active = active(state, holding.key)?;
        let funds = match holding.network.family() {
            Family::Bitcoin => Funds::Coins(Purse::of(holding.funds.coins()?)),
            Family::Ethereum => Funds::Balance(Till::of(holding.funds.balance()?)),
        };
        Ok(Self {
            network: holding.network,
            key: holding.key,
            public_key: active.public_key.clone(),
            active: active.clone(),
            holders: trusted(state, active),
            threshold: usize::from(active.plan.threshold),
            has_change: holding.addresses.values().any(|derived| derived.path == CHANGE),
            funds,
        })
    }
}

pub(super) fn holding(state: &State, wallet: WalletId) -> Result<&Holding, Refusal> {
    let unknown = || Refusal::new(Rule::WalletState, "there is no such wallet");
    state.wallets.get(&wallet).ok_or_else(unknown)?.holding()
}

/// The holders of a key that no officer quarantined.
pub(super) fn trusted(state: &State, active: &Active) -> Vec<SignerId> {
    let trusts = |id: &SignerId| check_trusted(state, [id]).is_ok();
    active.signers().into_iter().filter(trusts).collect()
}

pub(super) fn active(state: &State, key: KeyId) -> Result<&Active, Refusal> {
    let unknown = || Refusal::new(Rule::KeyState, "there is no such key");
    state.keys.get(&key).ok_or_else(unknown)?.active()
}

impl Saga {
    /// Plans and authorises the first attempt.
    pub(super) async fn plan(&self, id: TransferId, asked: &Asked) -> Result<Progress, Stopped> {
        let intent = &asked.intent;
        let offer = match self.offer(intent.network()).await {
            Ok(offer) => offer,
            Err(none) => return Ok(Progress::Wait(none.to_string())),
        };
        let turns = self.turns(intent.wallet);
        let turn = turns.lock().await;
        let means = match self.bus.read(|state| Means::of(state, intent)) {
            Ok(means) => means,
            // The key is quarantined: a quorum decides.
            Err(refusal) => return Ok(Progress::Wait(refusal.to_string())),
        };
        let live = self.signers.fit(means.key);
        let signers = if means.is_cosigned() {
            means.cosigning()
        } else {
            first_signers(&means.holders, means.threshold, &live)
        };
        let Some(signers) = signers else {
            return Ok(Progress::Wait(short_of_signers(&means, &live)));
        };
        let leaves_change = asked.sweep.is_none();
        if matches!(means.funds, Funds::Coins(_)) && !means.has_change && leaves_change {
            return self.derive_change(id, intent.wallet, &means).await;
        }
        let planned = if means.is_cosigned() {
            self.planned_by_cosigners(asked, &means, offer).await
        } else {
            planned(asked, &means, offer)
        };
        let plan = match planned {
            Ok(plan) => plan,
            Err(NoPlan::NotNow { because }) => return Ok(Progress::Wait(because)),
            Err(NoPlan::Never { because }) => {
                drop(turn);
                // No signer has heard of it.
                return self.give_up(id, because, Vec::new()).await;
            }
        };
        let attempt = AttemptAuthorised {
            attempt: 1,
            unsigned: plan.unsigned,
            fee: plan.fee,
            key: means.key,
            signers,
        };
        let command = Command::AuthoriseAttempt { transfer: id, attempt, spends: plan.spends };
        let request = Request::new(command, Actor::Saga).within(id.0);
        let mut executing = pin!(self.bus.execute(request));
        // The bus decides when it is first asked, and what it decided shows in the fold at once:
        // the next plan need not wait for the disk.
        let decided = poll!(executing.as_mut());
        drop(turn);
        let executed = match decided {
            Poll::Ready(executed) => executed,
            Poll::Pending => executing.await,
        };
        Ok(match recorded(executed)? {
            Some(Recorded::Done(outcome)) => {
                outcome.positions.map_or(Progress::On, |(_, last)| Progress::Authorised(last))
            }
            // A coin or nonce was taken meanwhile, or the transfer is not approved any more.
            Some(Recorded::Refused(refusal)) => {
                tracing::debug!(transfer = %id, %refusal, "planning again");
                Progress::On
            }
            None => Progress::Wait("the log is overloaded".to_owned()),
        })
    }

    async fn derive_change(
        &self,
        id: TransferId,
        wallet: WalletId,
        means: &Means,
    ) -> Result<Progress, Stopped> {
        let address = match key_address(&means.active, means.network, CHANGE) {
            Ok(address) => address,
            Err(error) => return Ok(Progress::Wait(format!("no change address: {error}"))),
        };
        let derived = AddressDerived { address, path: CHANGE, account: None };
        let command = Command::DeriveAddress { wallet, derived };
        Ok(match self.execute(id, command, Actor::Saga).await? {
            Recorded::Done(_) => Progress::On,
            Recorded::Refused(refusal) => Progress::Wait(refusal.to_string()),
        })
    }

    /// The compensation: the hold is voided, the funds are freed, the approvals burnt.
    pub(super) async fn give_up(
        &self,
        transfer: TransferId,
        because: String,
        abstentions: Vec<Abstention>,
    ) -> Result<Progress, Stopped> {
        tracing::warn!(%transfer, because, "the transfer fails");
        let command = Command::FailTransfer { transfer, because, abstentions };
        Ok(match self.execute(transfer, command, Actor::Saga).await? {
            Recorded::Done(_) => Progress::On,
            // House rule: a compensation that fails calls a person.
            Recorded::Refused(refusal) => {
                tracing::error!(%transfer, %refusal, "ALARM: the transfer could not be failed");
                Progress::Wait(refusal.to_string())
            }
        })
    }
}

fn short_of_signers(means: &Means, live: &BTreeSet<SignerId>) -> String {
    let here = means.holders.iter().filter(|id| live.contains(id)).count();
    format!(
        "{} of the key's {} holders must sign, {here} can be reached",
        means.threshold,
        means.holders.len()
    )
}

fn planned(asked: &Asked, means: &Means, offer: Offer) -> Result<Plan, NoPlan> {
    let intent = &asked.intent;
    if let Some(sweep) = &asked.sweep {
        return swept(intent, sweep, means, offer);
    }
    match (&means.funds, offer) {
        (Funds::Coins(purse), Offer::Rate(rate)) => {
            let group = GroupKey::from_bytes(means.public_key.as_slice())
                .map_err(|error| NoPlan::NotNow { because: error.to_string() })?;
            from_coins(intent, purse, group, CHANGE, rate)
        }
        (Funds::Balance(till), Offer::Gas(gas)) => from_balance(intent, *till, gas),
        (Funds::Coins(_), Offer::Gas(_)) | (Funds::Balance(_), Offer::Rate(_)) => {
            Err(NoPlan::Never { because: "the wallet is of another chain family".to_owned() })
        }
    }
}

/// A sweep: everything that it was asked for with, less the fee.
fn swept(intent: &Intent, sweep: &Sweep, means: &Means, offer: Offer) -> Result<Plan, NoPlan> {
    match (&means.funds, offer) {
        (Funds::Coins(purse), Offer::Rate(rate)) => {
            let group = GroupKey::from_bytes(means.public_key.as_slice())
                .map_err(|error| NoPlan::NotNow { because: error.to_string() })?;
            let coins = swept_coins(sweep, purse)?;
            all_of_coins(intent, &coins, group, rate)
        }
        (Funds::Balance(till), Offer::Gas(gas)) => all_of_balance(intent, *till, gas),
        (Funds::Coins(_), Offer::Gas(_)) | (Funds::Balance(_), Offer::Rate(_)) => {
            Err(NoPlan::Never { because: "the wallet is of another chain family".to_owned() })
        }
    }
}

/// Whether others hold the same key whole.
pub(super) fn pooled(saga: &super::Saga, attempts: &strongroom_domain::transfer::Attempts) -> bool {
    saga.bus.read(|state| {
        let active = active(state, attempts.current.key);
        active.is_ok_and(|active| active.plan.threshold == 1 && active.holders.len() > 1)
    })
}
