//! What signers sign with their identity keys about the backups of their shares.

use std::fmt::Write as _;

use crate::{
    KeyId, LogId, PersonId,
    key::{BackedUp, RecoveryDrilled},
};

/// What a signer signs when it has split its share among officers.
pub fn backup(log: LogId, key: KeyId, backed_up: &BackedUp) -> String {
    let BackedUp { signer, epoch, taken_at, threshold, officers, commitment, signature: _ } =
        backed_up;
    let mut text = format!(
        "Strongroom share backup, version 1\n\nLog: {log}\nKey: {key}\nSigner: {signer}\n\
         Shares: {epoch}\nTaken at: {taken_at}\nPieces needed: {threshold}\n{}",
        numbered(officers)
    );
    // Writing to a String does not fail.
    for point in commitment {
        let _ = writeln!(text, "Commitment: {point}");
    }
    text
}

/// What a signer signs when officers' pieces gave its share, for practice.
pub fn drill(log: LogId, key: KeyId, drilled: &RecoveryDrilled) -> String {
    let RecoveryDrilled { signer, epoch, taken_at, officers, signature: _ } = drilled;
    format!(
        "Strongroom recovery drill, version 1\n\nThe pieces gave my share. Nothing was stored.\n\
         Log: {log}\nKey: {key}\nSigner: {signer}\nShares: {epoch}\nTaken at: {taken_at}\n{}",
        numbered(officers)
    )
}

fn numbered(officers: &[PersonId]) -> String {
    let mut text = String::new();
    for (number, officer) in (1_u16..).zip(officers) {
        let _ = writeln!(text, "Officer {number}: {officer}");
    }
    text
}
