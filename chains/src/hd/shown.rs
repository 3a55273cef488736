//! How an address's origin is written for people: the same words in the API, on the pages, at the
//! command line and by the signer itself. Never leaves out whose key it is.

use strongroom_domain::{
    AddressPath, KeyId,
    key::{Custody, Protocol},
};

/// An address's path with the key that it lies below: `m/0/7 of key <id>`.
///
/// A threshold key is the root of its own tree (`frost::GroupKey`); a key that a token or Vault holds
/// has one address, its own. Every cosigner of a multisig key takes the same two steps below its own
/// origin, which the key's descriptor names.
pub fn shown(key: KeyId, protocol: Protocol, path: AddressPath) -> String {
    match protocol.custody() {
        Custody::Shares => format!("m/{path} of key {key}"),
        Custody::Whole => format!("m of key {key}"),
        Custody::Cosigners => format!("{path} below every cosigner of key {key}"),
    }
}
