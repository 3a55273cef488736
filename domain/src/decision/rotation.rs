//! A wallet that is given up: everything in it goes to its successor, and its key is retired. Nothing
//! here pays anybody else, and no claim changes but the one that bears the network's fees.

use super::{Decision, custody, freeze};
use crate::{
    Aggregate as _, Amount, Branch, DepositId, Family, PersonId, ProposalId, Refusal, Rule, State,
    Stream, WalletId,
    account::{self, JournalEntry, LedgerAccount, Purpose},
    aggregate::so_far,
    key::{self, Active},
    transfer::{self, Asked, Sweep, SweepRequested, Transfer},
    wallet::{
        self, Coin, Funds, FundsReceived, Holding, OutPoint, Rotation, RotationApproved, Swept,
    },
};

fn active<'a>(state: &'a State, holding: &Holding) -> Result<&'a Active, Refusal> {
    let unknown = || Refusal::new(Rule::KeyState, "there is no such key");
    state.keys.get(&holding.key).ok_or_else(unknown)?.active()
}

/// The claim that bears the fees is one in what fees are paid in.
fn check_fees(state: &State, rotation: &Rotation, holding: &Holding) -> Result<(), Refusal> {
    let claim = custody::account(state, rotation.fees_from)?.claim()?;
    if claim.asset != holding.network.native_asset() {
        let because = format!("fees on {} are not paid in {}", holding.network, claim.asset);
        return Err(Refusal::new(Rule::RotationInvalid, because));
    }
    if rotation.fee_cap.is_zero() {
        return Err(Refusal::new(Rule::RotationInvalid, "every network takes a fee"));
    }
    Ok(())
}

/// Whether the rotation can be asked for, and still be agreed to.
pub(super) fn check(state: &State, rotation: &Rotation) -> Result<(), Refusal> {
    let refuse = |because: String| Err(Refusal::new(Rule::RotationInvalid, because));
    let Rotation { wallet, successor, .. } = *rotation;
    if wallet == successor {
        return refuse("a wallet can't be its own successor".to_owned());
    }
    let old = custody::wallet(state, wallet)?.holding()?;
    let new = custody::wallet(state, successor)?.holding()?;
    if old.network != new.network {
        return refuse(format!("wallet {successor} is on {}, not {}", new.network, old.network));
    }
    if let Some(further) = &new.rotation {
        let next = further.rotation.successor;
        return refuse(format!("wallet {successor} was given up itself: take wallet {next}"));
    }
    let key = active(state, new)?;
    key.check_proven()?;
    check_fees(state, rotation, old)
}

/// What follows when a quorum gives a wallet up.
pub(super) fn approve(
    state: &State,
    (proposal, maker): (ProposalId, PersonId),
    rotation: &Rotation,
    decision: &mut Decision,
) -> Result<(), Refusal> {
    check(state, rotation)?;
    let approved = RotationApproved { rotation: *rotation, proposal, maker };
    let id = rotation.wallet;
    let events = custody::wallet(state, id)?.decide(wallet::Command::Rotate(approved))?;
    decision.add(Stream::Wallet(id), events);
    decision.weighed.extend([Stream::Wallet(rotation.successor)]);
    Ok(())
}

/// Whether the rotation can be asked for by this wallet's own rules.
pub(super) fn propose(
    state: &State,
    rotation: &Rotation,
    (proposal, maker): (ProposalId, PersonId),
) -> Result<(), Refusal> {
    approve(state, (proposal, maker), rotation, &mut Decision::default())
}

/// A sweep that a rotation allows.
pub(super) fn request(state: &State, requested: SweepRequested) -> Result<Decision, Refusal> {
    let intent = &requested.intent;
    let (id, wallet) = (intent.transfer, intent.wallet);
    let holding = custody::wallet(state, wallet)?.holding()?;
    let approved = holding.rotation()?;
    let Rotation { successor, fees_from, fee_cap, .. } = approved.rotation;
    let refuse = |because: String| Err(Refusal::new(Rule::Sweep, because));
    if requested.successor != successor
        || requested.rotation != approved.proposal
        || requested.maker != approved.maker
    {
        return refuse(format!("the wallet's successor is wallet {successor}"));
    }
    if intent.account != fees_from || intent.asset != holding.network.native_asset() {
        return refuse(format!("fees come out of account {fees_from}"));
    }
    if intent.fee_cap > fee_cap {
        return refuse(format!("a sweep may cost {fee_cap}, not {}", intent.fee_cap));
    }
    freeze::check(state, intent)?;
    active(state, holding)?;
    arrives_at(state, &requested)?;
    check_spent(holding, &requested)?;
    let held =
        account::Command::PlaceHold { transfer: id, asset: intent.asset, amount: intent.fee_cap };
    let held = custody::account(state, fees_from)?.decide(held)?;
    let transfer = so_far(&state.transfers, &id);
    let events = transfer.decide(transfer::Command::Sweep(requested))?;
    let weighed = [
        Stream::Wallet(wallet),
        Stream::Wallet(successor),
        Stream::Key(holding.key),
        Stream::Freezes,
    ];
    Ok(Decision::weighing(weighed)
        .with(Stream::Transfer(id), events)
        .with(Stream::Account(fees_from), held))
}

/// The destination is the successor's, as its entries say. Signers derive it again.
fn arrives_at(state: &State, requested: &SweepRequested) -> Result<(), Refusal> {
    let to = custody::wallet(state, requested.successor)?.holding()?;
    let known = to.addresses.get(&requested.intent.destination);
    // A deposit address of coins would be credited to somebody; an account has one address only.
    let fits = known.is_some_and(|derived| {
        to.network.family() == Family::Ethereum || derived.path.branch == Branch::Change
    });
    if fits {
        return Ok(());
    }
    let because = format!("{} is no address that sweeps go to", requested.intent.destination);
    Err(Refusal::new(Rule::Sweep, because))
}

/// What is spent is there, and free.
fn check_spent(holding: &Holding, requested: &SweepRequested) -> Result<(), Refusal> {
    let refuse = |because: String| Err(Refusal::new(Rule::Sweep, because));
    let amount = requested.intent.amount;
    match &holding.funds {
        Funds::Coins(coins) => {
            let named: std::collections::BTreeSet<_> = requested.coins.iter().collect();
            let there = named.iter().filter_map(|outpoint| coins.free.get(*outpoint));
            let sum = there.clone().try_fold(Amount::ZERO, |sum, of| sum.checked_add(of.amount));
            let all = there.count() == requested.coins.len();
            if !all || sum != Some(amount) || requested.coins.is_empty() {
                return refuse("the coins are not free, or worth something else".to_owned());
            }
        }
        Funds::Balance(balance) => {
            if !requested.coins.is_empty() || amount > balance.free() {
                return refuse(format!("the wallet has {} free", balance.free()));
            }
        }
    }
    Ok(())
}

/// The coins that a sweep spends are those that it was asked for with.
pub(super) fn check_coins(asked: &Asked, outpoints: &[OutPoint]) -> Result<(), Refusal> {
    let Some(Sweep { coins, .. }) = &asked.sweep else { return Ok(()) };
    let (mut named, mut wanted) = (outpoints.to_vec(), coins.clone());
    named.sort_unstable();
    wanted.sort_unstable();
    if named == wanted {
        return Ok(());
    }
    Err(Refusal::new(Rule::Sweep, "a sweep spends the coins that it was asked for with"))
}

/// A sweep is final: its successor holds what it held.
pub(super) fn arrive(
    state: &State,
    asked: &Asked,
    (paid, transaction): (Amount, &str),
    decision: &mut Decision,
) -> Result<(), Refusal> {
    let Some(sweep) = &asked.sweep else { return Ok(()) };
    let (from, to) = (asked.intent.wallet, sweep.successor);
    let entries = vec![JournalEntry {
        debit: LedgerAccount::Custody(to),
        credit: LedgerAccount::Custody(from),
        amount: paid,
        purpose: Purpose::Sweep,
    }];
    let swept = Swept { transfer: asked.intent.transfer, asset: asked.intent.asset, entries };
    let events = custody::wallet(state, from)?.decide(wallet::Command::Sweep(swept))?;
    decision.add(Stream::Wallet(from), events);
    let wallet = custody::wallet(state, to)?;
    let holding = wallet.holding()?;
    let unknown = || Refusal::new(Rule::Sweep, "the destination is not the successor's");
    let path = holding.addresses.get(&asked.intent.destination).ok_or_else(unknown)?.path;
    let funds = match holding.network.family() {
        Family::Bitcoin => {
            // A sweep has one output.
            let outpoint = OutPoint { txid: transaction.to_owned(), vout: 0 };
            wallet::Command::AddCoin(Coin { outpoint, amount: paid, path })
        }
        Family::Ethereum => wallet::Command::Receive(FundsReceived {
            deposit: DepositId::of(holding.network, transaction),
            amount: paid,
        }),
    };
    decision.add(Stream::Wallet(to), wallet.decide(funds)?);
    Ok(())
}

/// Retires the key of a rotated wallet that is empty.
pub(super) fn retire(state: &State, id: WalletId) -> Result<Decision, Refusal> {
    let holding = custody::wallet(state, id)?.holding()?;
    let cap = holding.rotation()?.rotation.fee_cap;
    let refuse = |because: &str| Err(Refusal::new(Rule::Sweep, because));
    if left(holding) > cap {
        return refuse("the wallet is not empty");
    }
    if !is_quiet(state, id) || holding.funds.sets_aside() {
        return refuse("a transfer out of the wallet is not over");
    }
    let unknown = || Refusal::new(Rule::KeyState, "there is no such key");
    let key = state.keys.get(&holding.key).ok_or_else(unknown)?;
    let events = key.decide(key::Command::Retire)?;
    Ok(Decision::weighing([Stream::Wallet(id)]).with(Stream::Key(holding.key), events))
}

/// What no transfer has set aside.
pub fn left(holding: &Holding) -> Amount {
    match &holding.funds {
        Funds::Coins(coins) => coins.free.values().fold(Amount::ZERO, |sum, coin| {
            sum.checked_add(coin.amount).unwrap_or(Amount::new(u128::MAX))
        }),
        Funds::Balance(balance) => balance.free(),
    }
}

/// Whether every transfer out of the wallet is over.
fn is_quiet(state: &State, id: WalletId) -> bool {
    let of = |transfer: &Transfer| transfer.asked().map(|asked| asked.intent.wallet);
    !state.transfers.values().any(|transfer| of(transfer) == Some(id))
}

/// Whether something that a chain took is a sweep of ours, and so nobody's deposit.
pub(super) fn is_sweep(state: &State, network: crate::Network, place: &str) -> bool {
    state.swept.get(&network).is_some_and(|known| known.contains(place))
}
