//! Strongroom: `signer`.
