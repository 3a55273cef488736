//! Strongroom: `domain`.
