//! Strongroom: `chains`.
