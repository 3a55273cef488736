//! Strongroom: `tests`.
