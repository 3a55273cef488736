//! A wallet's funds, as the log has them and as its chain has them: pure functions of what both say.
//! Never asks a node.

use std::collections::BTreeSet;
use strongroom_domain::{
    Amount, DepositId, State, TransferId, WalletId,
    reconciliation::What,
    wallet::{Funds, Holding, OutPoint},
};

/// An unspent output that a node found at an address of the wallet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Which.
    pub outpoint: OutPoint,
    /// How much.
    pub amount: Amount,
    /// Blocks from its own to the tip, both counted.
    pub confirmations: u64,
}

/// What the log and the chain say of a wallet that has coins. `None` for another wallet, or where a
/// sum passes what can be written.
pub fn compare_coins(
    state: &State,
    wallet: WalletId,
    found: &[Found],
    required: u32,
) -> Option<What> {
    let holding = state.wallets.get(&wallet)?.holding().ok()?;
    let Funds::Coins(coins) = &holding.funds else { return None };
    let unspent: BTreeSet<_> = found.iter().map(|found| &found.outpoint).collect();
    let (mut ledger, mut chain) = (Amount::ZERO, Amount::ZERO);
    let mut known = BTreeSet::new();
    let mut count = |outpoint: &OutPoint, amount: Amount, spent_by_us: bool| {
        // The chain took it back, and the log knows.
        if coins.gone.contains(outpoint) {
            return Some(());
        }
        ledger = ledger.checked_add(amount)?;
        if spent_by_us || unspent.contains(outpoint) {
            chain = chain.checked_add(amount)?;
        }
        Some(())
    };
    for (outpoint, coin) in &coins.free {
        known.insert(outpoint);
        count(outpoint, coin.amount, false)?;
    }
    let mut ours = BTreeSet::new();
    for (transfer, reserved) in &coins.reserved {
        let transactions = transactions(state, *transfer);
        for (outpoint, coin) in reserved {
            known.insert(outpoint);
            count(outpoint, coin.amount, !transactions.is_empty())?;
        }
        ours.extend(transactions);
    }
    for found in found {
        let deep = found.confirmations >= u64::from(required);
        let expected = known.contains(&found.outpoint)
            || ours.contains(found.outpoint.txid.as_str())
            || is_seen(state, holding, &found.outpoint);
        if deep && !expected {
            chain = chain.checked_add(found.amount)?;
        }
    }
    Some(What::Balance { wallet, ledger, chain })
}

/// What the log and the chain say of a wallet that has a balance.
pub fn compare_balance(state: &State, wallet: WalletId, chain: Amount) -> Option<What> {
    let holding = state.wallets.get(&wallet)?.holding().ok()?;
    let ledger = holding.funds.balance().ok()?.amount;
    Some(What::Balance { wallet, ledger, chain })
}

/// The ids of a transfer's transactions that its chain may take.
fn transactions(state: &State, transfer: TransferId) -> BTreeSet<&str> {
    let attempts = state.transfers.get(&transfer).and_then(|known| known.attempts());
    let complete = attempts.into_iter().flat_map(|attempts| attempts.complete.values());
    complete.map(|attempt| attempt.signed.transaction.as_str()).collect()
}

/// Whether the log has it as a deposit: then it waits for its confirmations to be counted.
fn is_seen(state: &State, holding: &Holding, outpoint: &OutPoint) -> bool {
    let id = DepositId::of(holding.network, &outpoint.to_string());
    state.deposits.get(&id).is_some_and(|deposit| {
        matches!(deposit, strongroom_domain::deposit::Deposit::Confirming(_))
    })
}
