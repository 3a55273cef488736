//! What an auditor brings along: where the log is, and what is known of it from elsewhere. Never
//! believed because the log's own server says so.

use clap::Args;
use std::path::PathBuf;
use strongroom_ledger::{Hash, Head, Position};
use strongroom_replay::{
    Expected, Fault, Finding, OriginError, Source, Witnessed, read_checkpoint, read_policy,
};

/// A log.
#[derive(Args)]
pub(crate) struct Place {
    /// A server's SQLite file, an export, or the URL of a store.
    pub(crate) source: String,
    /// The file with the password of the store, readable by its owner only.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

impl Place {
    pub(crate) fn open(&self) -> Result<Source, Finding> {
        open(&self.source, self.password_file.clone())
    }
}

pub(crate) fn open(place: &str, password_file: Option<PathBuf>) -> Result<Source, Finding> {
    Source::open(place, password_file)
        .map_err(|error| Finding::of(error.fault(), error.to_string()))
}

/// What is known of the log.
#[derive(Args)]
pub(crate) struct Pins {
    /// The leaf of entry 1, as you know it from elsewhere. Without it any whole log will do.
    #[arg(long, value_name = "HASH")]
    pub(crate) genesis: Option<Hash>,
    /// An entry that the log must contain, as you know it from elsewhere. Without it, or a
    /// checkpoint, nobody can tell that entries were cut off the end.
    #[arg(long, value_name = "POSITION:LEAF", value_parser = pinned_head)]
    pub(crate) expect_head: Option<Head>,
    /// A checkpoint that the log must contain: a file, as the server or a witness gives it.
    #[arg(long, value_name = "FILE", requires = "policy")]
    checkpoint: Option<PathBuf>,
    /// Whose signatures make the checkpoint count: a C2SP tlog-policy file, from elsewhere.
    #[arg(long, value_name = "FILE", requires = "checkpoint")]
    policy: Option<PathBuf>,
}

fn pinned_head(text: &str) -> Result<Head, String> {
    let refuse =
        || format!("`{text}` is no head: expected a position from 1, a colon, 64 hex digits");
    let (position, leaf) = text.split_once(':').ok_or_else(refuse)?;
    let position = position.parse().ok().and_then(Position::new);
    let position = position.filter(|at| *at > Position::START).ok_or_else(refuse)?;
    Ok(Head { position, leaf: leaf.parse().map_err(|_| refuse())? })
}

impl Pins {
    pub(crate) fn expected(&self) -> Result<Expected, Finding> {
        let seen = match (&self.checkpoint, &self.policy) {
            (Some(checkpoint), Some(policy)) => {
                let counting = read_checkpoint(checkpoint, &read_policy(policy)?)?;
                let origin = counting.origin().parse().map_err(|error: OriginError| {
                    Finding::of(Fault::BadCheckpoint, format!("{}: {error}", checkpoint.display()))
                })?;
                Some(Witnessed { origin, tree: counting.head() })
            }
            // The command line asks for both or none.
            (_, _) => None,
        };
        Ok(Expected { genesis: self.genesis, head: self.expect_head, seen })
    }
}
