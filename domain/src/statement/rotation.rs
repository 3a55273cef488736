//! A wallet that is given up, in words. Never shows a number that people can't compare.

use super::quantity;
use crate::{State, WalletId, wallet::Rotation};
use std::fmt::Write as _;

pub(super) fn rotate(state: &State, rotation: &Rotation) -> String {
    let Rotation { wallet, successor, fees_from, fee_cap } = *rotation;
    let mut text = format!(
        "GIVE UP A WALLET: everything in it moves to another, and its key is retired\n{}{}",
        held(state, wallet, "From wallet:"),
        held(state, successor, "To wallet:")
    );
    let holding = state.wallets.get(&wallet).and_then(|known| known.holding().ok());
    if let Some(holding) = holding {
        let _ = writeln!(
            text,
            "Fee at most:  {}, for each transaction",
            quantity(fee_cap, holding.network.native_asset())
        );
    }
    let client = state.accounts.get(&fees_from).and_then(|account| account.claim().ok());
    let client = client.map_or_else(String::new, |claim| format!(" of client {}", claim.client));
    let _ = write!(
        text,
        "Fees from:    account {fees_from}{client}\n\
         From then on: wallet {wallet} pays nobody else and gives out no address; what still comes \
         in follows\n"
    );
    text
}

/// A wallet, its key and who holds that.
fn held(state: &State, wallet: WalletId, title: &str) -> String {
    let mut text = format!("{title:<14}{wallet}\n");
    let Some(holding) = state.wallets.get(&wallet).and_then(|known| known.holding().ok()) else {
        return text;
    };
    let _ = write!(text, "  on:         {}\n  key:        {}\n", holding.network, holding.key);
    let Some(active) = state.keys.get(&holding.key).and_then(|key| key.existing().ok()) else {
        return text;
    };
    let _ = writeln!(
        text,
        "  protocol:   {}, {} of its holders sign",
        active.plan.protocol.name(),
        active.plan.threshold
    );
    for signer in active.signers() {
        let _ = writeln!(text, "  held by:    signer {signer}");
    }
    text
}
