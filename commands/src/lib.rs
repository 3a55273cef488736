//! Strongroom: `commands`.
