//! A tree as one value: its size and root. Never says whether anybody vouches for it.

use serde::{Deserialize, Serialize};

use crate::hash::Hash;

/// The head of a tree (RFC 6962 section 2.1): everything below index `size` is fixed by `root`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TreeHead {
    /// How many leaves there are.
    pub size: u64,
    /// The Merkle tree hash over them.
    pub root: Hash,
}

impl TreeHead {
    /// The tree without leaves: its root is SHA-256 of nothing.
    pub const EMPTY: Self = Self {
        size: 0,
        root: Hash::new([
            0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f,
            0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b,
            0x78, 0x52, 0xb8, 0x55,
        ]),
    };
}
