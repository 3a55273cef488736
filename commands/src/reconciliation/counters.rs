//! What can be counted in the fold of the log and in the read models alike. Never a number that one
//! of them can't have.

use std::collections::BTreeMap;
use strongroom_domain::{Amount, State, proposal::Proposal};

/// The fold's numbers, by name. The read models count under the same names.
pub fn counters(state: &State) -> BTreeMap<String, Amount> {
    let mut all = BTreeMap::new();
    let size = |count: usize| Amount::new(u128::try_from(count).unwrap_or(u128::MAX));
    for (name, count) in [
        ("accounts", state.accounts.len()),
        ("wallets", state.wallets.len()),
        ("transfers", state.transfers.len()),
        ("proposals", state.proposals.len()),
        ("deposits", state.deposits.len()),
        ("keys", state.keys.len()),
        ("signers", state.signers.len()),
        ("freezes-standing", state.freezes.standing().count()),
    ] {
        all.insert(name.to_owned(), size(count));
    }
    let open = state.proposals.values().filter(|one| matches!(one, Proposal::Open(_))).count();
    all.insert("proposals-open".to_owned(), size(open));
    for claim in state.accounts.values().filter_map(|account| account.claim().ok()) {
        let asset = claim.asset.to_string().replace('/', "-");
        for (name, amount) in
            [("claimed", claim.total), ("held", claim.pending()), ("owed", claim.shortfall)]
        {
            let sum = all.entry(format!("{name}-{asset}")).or_default();
            *sum = sum.checked_add(amount).unwrap_or(Amount::new(u128::MAX));
        }
    }
    all
}
