//! Strongroom: `chains`.

pub mod frost;
