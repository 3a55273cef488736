//! What signers sign with their identity keys.

use crate::{Bytes, Digest, KeyId, LogId, SignerId, TransferId};

/// What a signer signs with its identity key when it swears a transfer off: it has consumed no
/// attempt of it, and its journal forbids that it ever does.
pub fn abstention(log: LogId, transfer: TransferId, signer: SignerId) -> String {
    format!(
        "Strongroom abstention, version 1\n\nI have no part in a signature of this transfer, and \
         never will.\nLog: {log}\nTransfer: {transfer}\nSigner: {signer}\n"
    )
}

/// What a signer signs with its identity key when it has made its part of a key.
pub fn confirmation(
    log: LogId,
    key: KeyId,
    signer: SignerId,
    public_key: &Bytes,
    public_package: &Bytes,
) -> String {
    format!(
        "Strongroom key confirmation, version 1\n\nLog: {log}\nKey: {key}\nSigner: {signer}\n\
         Public key: {public_key}\nPublic package: SHA-256 {}\n",
        Digest::of(public_package.as_slice())
    )
}
