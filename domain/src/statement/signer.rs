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

/// What a key signs to show that it can, over SHA-256 of `strongroom/spend-proof/v1`, a zero byte and
/// this text: no transaction of any chain has such a digest.
pub fn spend_proof(log: LogId, key: KeyId, epoch: u32, public_key: &Bytes) -> String {
    format!(
        "Strongroom spend proof, version 1\n\nThis key can sign. It moves nothing.\nLog: {log}\n\
         Key: {key}\nShares: {epoch}\nPublic key: {public_key}\n"
    )
}
