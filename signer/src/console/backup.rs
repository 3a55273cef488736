//! `strongroom-signer backup`: this signer's share of a key in pieces, one for each officer. Never
//! writes a piece anywhere but on the screen, or to files where the ceremony asks for them.

use std::{
    io::{IsTerminal, Write, stdin, stdout},
    path::{Path, PathBuf},
};

use clap::Args;
use strongroom_domain::{
    Bytes, Digest, KeyId, PersonId, SignerId, State,
    key::{Active, BackedUp},
    statement,
};
use strongroom_secrets::{Existing, hd::Words, write_durably};
use strongroom_signer::{
    backup::{HeldShare, Pieces, Split, rebuild, split},
    frost::ShareName,
};

use super::{Desk, now, typing};
use crate::Failure;

/// What to split, and among whom.
#[derive(Args)]
pub(crate) struct Arguments {
    /// `signer.toml`
    #[arg(long)]
    config: PathBuf,
    /// Whose share.
    #[arg(long)]
    key: KeyId,
    /// Who gets a piece: ids of people in the charter, in the order of the pieces.
    #[arg(long, value_delimiter = ',', required = true)]
    officers: Vec<PersonId>,
    /// How many of them restore it.
    #[arg(long)]
    threshold: u16,
    /// Write the pieces into this directory, one file each with mode 0600, and not on the screen.
    /// For ceremonies that print from there, and for tests.
    #[arg(long)]
    to_files: Option<PathBuf>,
    /// Where the signer's word goes: public, for `POST /api/v1/keys/{key}/backups`.
    #[arg(long)]
    word: PathBuf,
}

/// Works beside the running signer. A crash in the middle leaves pieces of a backup that nobody has
/// heard of: destroy them and begin again.
pub(crate) fn backup(
    arguments: &Arguments,
    pinned: fn(&Path) -> Result<Digest, Failure>,
) -> Result<(), Failure> {
    let shown = stdin().is_terminal() && stdout().is_terminal();
    if arguments.to_files.is_none() && !shown {
        return Err("pieces are shown at a terminal, one at a time; or say --to-files".into());
    }
    let desk = Desk::open(&arguments.config, pinned)?;
    let state = desk.audited.state();
    let active = desk.active(arguments.key)?;
    let share = held(&desk, arguments.key, active)?;
    let officers = u16::try_from(arguments.officers.len()).unwrap_or(u16::MAX);
    let protocol = active.plan.protocol;
    let split = split(protocol, share.scalar(), officers, arguments.threshold)?;
    prove(&split, &share, active, arguments.threshold)?;
    let word = word(&desk, state, arguments, &split.commitment, active.epoch)?;
    for (number, (piece, officer)) in (1_u16..).zip(split.pieces.iter().zip(&word.officers)) {
        let title = format!(
            "Piece {number} of {officers} for officer {officer}\nkey {}\nsigner {}, shares {}",
            arguments.key, word.signer, word.epoch
        );
        match &arguments.to_files {
            Some(directory) => {
                let path = directory.join(format!("piece-{number}.txt"));
                let line =
                    zeroize::Zeroizing::new(format!("{number} {}\n", piece.to_text().expose()));
                write_durably(&path, line.as_bytes(), Existing::Keep)?;
            }
            None => show(&title, piece)?,
        }
    }
    let mut json = serde_json::to_vec_pretty(&word)?;
    json.push(b'\n');
    write_durably(&arguments.word, &json, Existing::Keep)?;
    let path = arguments.word.display();
    writeln!(
        stdout(),
        "{officers} pieces are given out, {} restore the share. The signer's word for it is in \
         {path}: it counts when the log has it",
        arguments.threshold
    )?;
    Ok(())
}

/// The share of the epoch in use, if it is the one that the log knows.
pub(super) fn held(desk: &Desk, key: KeyId, active: &Active) -> Result<HeldShare, Failure> {
    let signer = desk.identity.signer();
    let name = ShareName { key: key.0, signer, epoch: active.epoch };
    let share = HeldShare::open(&desk.sealer, &desk.config.data, name, active.plan.protocol)?;
    if active.index_of(SignerId(signer)) == Some(share.holder) {
        return Ok(share);
    }
    Err("the log says that this signer does not hold that share".into())
}

/// The first pieces give the share again, and the commitment is to its public share.
fn prove(split: &Split, share: &HeldShare, active: &Active, threshold: u16) -> Result<(), Failure> {
    let first = (1..=threshold).zip(&split.pieces).map(|(number, one)| (number, one.to_text()));
    let pieces: Pieces = first.collect();
    let again = rebuild(active.plan.protocol, &split.commitment, &pieces)?;
    let public = split.commitment.first().map(Bytes::as_slice);
    if again == *share.scalar() && public == Some(share.public.as_slice()) {
        return Ok(());
    }
    Err("the pieces do not give the share: nothing was given out".into())
}

fn word(
    desk: &Desk,
    state: &State,
    arguments: &Arguments,
    commitment: &[Bytes],
    epoch: u32,
) -> Result<BackedUp, Failure> {
    let standing = state.charter.standing()?;
    let strangers = |id: &&PersonId| !standing.people.contains_key(id);
    if let Some(stranger) = arguments.officers.iter().find(strangers) {
        return Err(format!("person {stranger} is not in the charter").into());
    }
    let mut word = BackedUp {
        signer: SignerId(desk.identity.signer()),
        epoch,
        taken_at: now(),
        threshold: arguments.threshold,
        officers: arguments.officers.clone(),
        commitment: commitment.to_vec(),
        signature: Bytes::default(),
    };
    let text = statement::backup(standing.log, arguments.key, &word);
    word.signature = Bytes(desk.identity.confirm(text.as_bytes()).to_vec());
    Ok(word)
}

/// One piece on the terminal's second screen, until its officer has it.
fn show(title: &str, piece: &Words) -> Result<(), Failure> {
    let _screen = typing::Screen::open()?;
    let mut out = stdout();
    writeln!(out, "{title}\n\nWrite down, alone:\n")?;
    let text = piece.to_text();
    for (number, word) in (1_u16..).zip(text.expose().split(' ')) {
        write!(out, "{number:>4} {word:<10}")?;
        if number.is_multiple_of(4) {
            writeln!(out)?;
        }
    }
    writeln!(out, "\nPress Enter when it is written down and read again.")?;
    out.flush()?;
    drop(typing::line()?);
    Ok(())
}
