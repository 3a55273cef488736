//! Orders, answers and certificates as JSON: whatever is read, written and read again is the same.

use serde::{Serialize, de::DeserializeOwned};
use strongroom_domain::{
    charter::LogResumed,
    protocol::{Order, Reply},
};

fn again<T: Serialize + DeserializeOwned + PartialEq>(bytes: &[u8]) -> bool {
    let Ok(read) = serde_json::from_slice::<T>(bytes) else { return false };
    let written = serde_json::to_vec(&read).unwrap();
    assert!(serde_json::from_slice::<T>(&written).unwrap() == read, "read again it is another");
    // The second writing is the one spelling.
    assert_eq!(
        serde_json::to_vec(&serde_json::from_slice::<T>(&written).unwrap()).unwrap(),
        written
    );
    true
}

/// As the signer reads it.
pub(super) fn order(bytes: &[u8]) -> bool {
    again::<Order>(bytes)
}

/// As the server reads it.
pub(super) fn reply(bytes: &[u8]) -> bool {
    again::<Reply>(bytes)
}

/// As an operator brings it.
pub(super) fn certificate(bytes: &[u8]) -> bool {
    again::<LogResumed>(bytes)
}
