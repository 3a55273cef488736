//! Strongroom: `replay`.
