//! What both families say of a transaction: its id, what a key signs for it, its signed form.
//! Never holds anything secret: signatures and raw transactions are public.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use strongroom_domain::{AddressPath, Bytes};

/// A transaction's hash in the byte order in which its network prints it. Text form: 64
/// lower-case hex digits (Ethereum's nodes want `0x` before them).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TransactionId(pub [u8; 32]);

/// Text that was expected to be a transaction id.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not a transaction id: expected 64 lower-case hex digits")]
pub struct TransactionIdError(String);

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for TransactionId {
    type Err = TransactionIdError;

    fn from_str(text: &str) -> Result<Self, TransactionIdError> {
        let refuse = || TransactionIdError(text.to_owned());
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| refuse())?;
        if hex::encode(bytes) == text { Ok(Self(bytes)) } else { Err(refuse()) }
    }
}

impl TryFrom<String> for TransactionId {
    type Error = TransactionIdError;

    fn try_from(text: String) -> Result<Self, TransactionIdError> {
        text.parse()
    }
}

impl From<TransactionId> for String {
    fn from(id: TransactionId) -> Self {
        id.to_string()
    }
}

impl From<TransactionId> for Bytes {
    fn from(id: TransactionId) -> Self {
        Self(id.0.to_vec())
    }
}

/// One thing to be signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SigningPayload {
    /// The 32 bytes that go into BIP 340 on Bitcoin, into ECDSA as the prehash on Ethereum.
    pub digest: [u8; 32],
    /// The address whose key signs it; `None` where the wallet's key signs as it is.
    pub path: Option<AddressPath>,
}

/// A transaction that its network accepts, as far as signatures go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedTx {
    /// What is broadcast: BIP 144 on Bitcoin, EIP-2718 on Ethereum.
    pub raw: Bytes,
    /// What the network will call it.
    pub id: TransactionId,
}
