//! `strongroom-signer restore` and `drill`: officers' pieces give this signer a share, or show that
//! they would. Never keeps a share that the log does not know, and never restores anything but one:
//! no nonce and no session is in a backup, and none survives, because the signer must not be running.

use std::{
    io::{Write, stdout},
    path::{Path, PathBuf},
};

use clap::Args;
use strongroom_domain::{
    Bytes, Digest, KeyId, SignerId,
    key::{Active, BackedUp, RecoveryDrilled},
    statement,
};
use strongroom_secrets::{Existing, write_durably};
use strongroom_signer::{
    backup::{HeldShare, RestoredShare, rebuild},
    consumption::Consumptions,
    frost::ShareName,
};

use super::{Desk, backup::held, now, typing};
use crate::Failure;

/// Which share to restore.
#[derive(Args)]
pub(crate) struct RestoreArguments {
    /// `signer.toml`
    #[arg(long)]
    config: PathBuf,
    /// Of which key.
    #[arg(long)]
    key: KeyId,
}

/// Which share to practise on.
#[derive(Args)]
pub(crate) struct DrillArguments {
    /// `signer.toml`
    #[arg(long)]
    config: PathBuf,
    /// Of which key.
    #[arg(long)]
    key: KeyId,
    /// Where the signer's word goes: public, for `POST /api/v1/keys/{key}/drills`.
    #[arg(long)]
    word: PathBuf,
}

/// Once a quorum approved a change in which this signer joins and nobody helps. What comes out is a
/// share of the epoch in use: the change goes on with it and makes it useless with all others.
pub(crate) fn restore(
    arguments: &RestoreArguments,
    pinned: fn(&Path) -> Result<Digest, Failure>,
) -> Result<(), Failure> {
    let desk = Desk::open(&arguments.config, pinned)?;
    // Its lock says that the signer does not run; it keeps what may have been signed.
    let _journal = Consumptions::open(&desk.config.data.join("journal"))?;
    let active = desk.active(arguments.key)?;
    let (backup, holder) = approved(&desk, active)?;
    let name =
        ShareName { key: arguments.key.0, signer: desk.identity.signer(), epoch: active.epoch };
    if is_there(&desk, active, name) {
        writeln!(stdout(), "this signer has that share")?;
        return Ok(());
    }
    let path = name.path(&desk.config.data);
    if path.exists() {
        let path = path.display();
        let because =
            format!("{path} is there and can't be opened: move it away, and restore again");
        return Err(because.into());
    }
    let protocol = active.plan.protocol;
    let pieces = typing::pieces(protocol, backup)?;
    let scalar = rebuild(protocol, &backup.commitment, &pieces)?;
    // What comes out is the share of the log, or nothing is stored.
    let of = (protocol, active.public_package.as_slice());
    let restored = RestoredShare::new(of, (name, holder), scalar)?;
    restored.store((&desk.sealer, &desk.config.data), name)?;
    writeln!(
        stdout(),
        "restored: share {holder} of key {}, shares {}. Start the signer: the approved change makes \
         new shares for all holders",
        arguments.key,
        active.epoch
    )?;
    Ok(())
}

/// Whether it was restored, or never lost.
fn is_there(desk: &Desk, active: &Active, name: ShareName) -> bool {
    let (sealer, directory) = (&desk.sealer, desk.config.data.as_path());
    HeldShare::open(sealer, directory, name, active.plan.protocol).is_ok()
        || RestoredShare::stands_in((sealer, directory), name)
}

/// The backup that the quorum's change restores from, and the number that this signer gets.
fn approved<'a>(desk: &'a Desk, active: &'a Active) -> Result<(&'a BackedUp, u16), Failure> {
    let me = SignerId(desk.identity.signer());
    let change = active.change.as_ref().filter(|change| change.approved);
    let joining = change
        .filter(|change| change.asked.helpers.is_empty())
        .and_then(|change| change.asked.joining)
        .filter(|joining| joining.signer == me);
    let Some(joining) = joining else {
        return Err(
            "no quorum has approved that this signer's share is restored from a backup, as \
                    far as its log goes: start it for a moment to bring the log here"
                .into(),
        );
    };
    let lost = active.holders.get(&joining.index);
    let backup = lost.and_then(|lost| active.backups.get(lost));
    let backup = backup.filter(|backup| backup.epoch == active.epoch);
    Ok((backup.ok_or("the log has no backup of that share")?, joining.index))
}

/// Works beside the running signer. Nothing is stored but the signer's word.
pub(crate) fn drill(
    arguments: &DrillArguments,
    pinned: fn(&Path) -> Result<Digest, Failure>,
) -> Result<(), Failure> {
    let desk = Desk::open(&arguments.config, pinned)?;
    let active = desk.active(arguments.key)?;
    let me = SignerId(desk.identity.signer());
    let backup = active.backups.get(&me).filter(|backup| backup.epoch == active.epoch);
    let backup =
        backup.ok_or("the log has no backup of this signer's share of the epoch in use")?;
    let share = held(&desk, arguments.key, active)?;
    let pieces = typing::pieces(active.plan.protocol, backup)?;
    let scalar = rebuild(active.plan.protocol, &backup.commitment, &pieces)?;
    if scalar != *share.scalar() {
        return Err("the pieces fit their commitment, and give another share than this signer's: \
                    make a new backup"
            .into());
    }
    drop(scalar);
    let mut word = RecoveryDrilled {
        signer: me,
        epoch: active.epoch,
        taken_at: now(),
        officers: typing::officers(backup, &pieces),
        signature: Bytes::default(),
    };
    let log = desk.audited.state().charter.standing()?.log;
    let text = statement::drill(log, arguments.key, &word);
    word.signature = Bytes(desk.identity.confirm(text.as_bytes()).to_vec());
    let mut json = serde_json::to_vec_pretty(&word)?;
    json.push(b'\n');
    write_durably(&arguments.word, &json, Existing::Keep)?;
    let path = arguments.word.display();
    writeln!(stdout(), "the pieces gave the share. The signer's word for it is in {path}")?;
    Ok(())
}
