//! The statement by which a cosigner shows that its key can sign. Never signs another text: what was
//! brought is made again from what it says, and must be the same.

use std::str::FromStr;

use strongroom_chains::bitcoin::multisig::Descriptor;
use strongroom_domain::{Bytes, KeyId, LogId, statement};
use thiserror::Error;

/// Why a text is none that a cosigner signs.
#[derive(Debug, Error)]
pub enum ProvingError {
    /// Something else, or changed.
    #[error(
        "this is no spend proof of a multisig key: expected the statement as `strongroom key proof \
         export` wrote it"
    )]
    Statement,
    /// The key in it is no wallet of ours.
    #[error("the key in the statement is no descriptor: {0}")]
    Descriptor(#[from] strongroom_chains::bitcoin::multisig::DescriptorError),
}

/// A statement that was read and made again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proving {
    /// Of which key.
    pub key: KeyId,
    /// Of which of its epochs.
    pub epoch: u32,
    /// The wallets that it will be.
    pub descriptor: Descriptor,
    /// The text.
    pub statement: String,
}

impl FromStr for Proving {
    type Err = ProvingError;

    fn from_str(text: &str) -> Result<Self, ProvingError> {
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.map(str::trim).ok_or(ProvingError::Statement)
        };
        let log = field("Log:")?.parse::<LogId>().map_err(|_| ProvingError::Statement)?;
        let key = field("Key:")?.parse::<KeyId>().map_err(|_| ProvingError::Statement)?;
        let epoch = field("Shares:")?.parse::<u32>().map_err(|_| ProvingError::Statement)?;
        let public = hex::decode(field("Public key:")?).map_err(|_| ProvingError::Statement)?;
        let named = String::from_utf8(public.clone()).map_err(|_| ProvingError::Statement)?;
        let statement = statement::spend_proof(log, key, epoch, &Bytes(public));
        // An editor may have added or taken the last line's end.
        if statement.trim_end() != text.trim_end() {
            return Err(ProvingError::Statement);
        }
        Ok(Self { key, epoch, descriptor: named.parse()?, statement })
    }
}
