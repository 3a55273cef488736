//! Strongroom: `nodes`.
