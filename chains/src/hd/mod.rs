//! Where an address comes from: paths below a key (BIP 32), the purposes and coin types that say
//! what lies there (BIP 43, 44, 49, 84, 86; SLIP-44), and addresses below an account's public key.
//! Never derives a private key: `strongroom_secrets::hd` does, for keys that are kept in a file.

mod account;
mod path;
mod purpose;
mod shown;

pub(crate) use account::kind;
pub use account::{Account, AccountError, AccountKey};
pub use path::{DEEPEST, Path, PathError, Step};
pub use purpose::{NoSuchAddress, Purpose, coin_type};
pub use shown::{NoKey, point_at, shown};

#[cfg(test)]
mod tests;
