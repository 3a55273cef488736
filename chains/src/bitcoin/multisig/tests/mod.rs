//! Multisig wallets.
