//! How an address's origin is written for people: the same words in the API, on the pages, at the
//! command line and by the signer itself. Never leaves out whose key it is.

use strongroom_domain::{
    AddressPath, KeyId,
    key::{Custody, Protocol},
};

/// Unused deposit addresses in a row after which wallets that only know a key stop looking (BIP 44,
/// "Address gap limit").
pub const GAP_LIMIT: u32 = 20;

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
