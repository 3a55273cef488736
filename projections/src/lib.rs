//! Strongroom: `projections`.
