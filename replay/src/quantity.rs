//! Amounts and accounts as people read them. Never rounds: the base units always stand beside.

use strongroom_domain::{Amount, Asset, account::LedgerAccount};

/// An amount of an asset: `0.20000000 BTC (20000000 satoshi)`.
pub fn quantity(amount: Amount, asset: Asset) -> String {
    let (decimal, symbol) = (amount.with_decimals(asset.decimals()), asset.symbol());
    format!("{decimal} {symbol} ({amount} {})", asset.base_unit())
}

/// An account of the ledger, with its id.
pub fn ledger_account(account: LedgerAccount) -> String {
    match account {
        LedgerAccount::Client(id) => format!("client account {id}"),
        LedgerAccount::Custody(id) => format!("custody of wallet {id}"),
        LedgerAccount::Shortfall(id) => format!("shortfall of account {id}"),
    }
}
