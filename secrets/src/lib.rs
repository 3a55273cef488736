//! Strongroom: `secrets`.
