//! Strongroom: `ledger`.
