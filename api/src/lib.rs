//! Strongroom: `api`.
