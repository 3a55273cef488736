//! Strongroom: `store`.
