//! `strongroom ledger resumption`: the governance quorum lets a log go on from an earlier entry
//! when those behind it are lost everywhere. Never signs what was not shown.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::de::DeserializeOwned;
use serde_json::json;
use strongroom_commands::{Bus, Request};
use strongroom_domain::{
    Actor, Command, Digest, Head, PersonId,
    charter::{LogResumed, Resumption, ResumptionSignature},
    statement,
};
use strongroom_secrets::{Existing, write_durably};

use super::{CliError, Say, wait_for};
use crate::{
    cli::{KeyPlace, place::Place},
    clock,
    data_directory::DataDirectory,
};

/// The steps, in their order.
#[derive(Subcommand)]
pub enum ResumptionCommand {
    /// Write down what the quorum is to agree to: the log goes on from its last entry.
    Draft(Draft),
    /// Print the statement that a person signs.
    Show {
        /// The draft.
        draft: PathBuf,
        /// Who would sign: their id.
        #[arg(long)]
        person: PersonId,
    },
    /// Sign a draft.
    Sign(Sign),
    /// Make the certificate out of a draft and its signatures, and record it in the log.
    Apply(Apply),
}

/// What `strongroom ledger resumption draft` needs.
#[derive(Args)]
pub struct Draft {
    /// The server's data directory. The server must not run.
    #[arg(long)]
    data: PathBuf,
    #[command(flatten)]
    log: Place,
    /// The last entry that anybody holds of what is given up, as signers report it.
    #[arg(long, value_name = "POSITION:LEAF", value_parser = head)]
    abandoned: Head,
    /// The number of the resumption, greater than of every one before. Default: the next one that
    /// the log knows of. Say one where an earlier resumption is itself given up.
    #[arg(long)]
    number: Option<u32>,
    /// Where to write the draft.
    #[arg(long)]
    out: PathBuf,
}

/// What `strongroom ledger resumption sign` needs.
#[derive(Args)]
pub struct Sign {
    /// The draft.
    #[arg(long)]
    draft: PathBuf,
    /// Who signs: their id in the charter.
    #[arg(long)]
    person: PersonId,
    /// Their key.
    #[command(flatten)]
    key: KeyPlace,
    /// Where to write the signature.
    #[arg(long)]
    out: PathBuf,
}

/// What `strongroom ledger resumption apply` needs.
#[derive(Args)]
pub struct Apply {
    /// The server's data directory. The server must not run.
    #[arg(long)]
    data: PathBuf,
    #[command(flatten)]
    log: Place,
    /// The draft.
    #[arg(long)]
    draft: PathBuf,
    /// The signature files, as many as the governance quorum needs.
    #[arg(long = "signature", required = true, num_args = 1..)]
    signatures: Vec<PathBuf>,
    /// Where to write the certificate, for `strongroom-signer resume` at each signer.
    #[arg(long)]
    out: PathBuf,
}

fn head(text: &str) -> Result<Head, String> {
    let refuse = || format!("`{text}` is no head: expected a position, a colon, 64 hex digits");
    let (position, leaf) = text.split_once(':').ok_or_else(refuse)?;
    let leaf: Digest = leaf.parse().map_err(|_| refuse())?;
    Ok(Head { position: position.parse().map_err(|_| refuse())?, leaf })
}

impl ResumptionCommand {
    pub(super) fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        match self {
            Self::Draft(draft) => draft.run(say),
            Self::Show { draft, person } => {
                say.text(&statement::resumption(&read_json(draft)?, *person))
            }
            Self::Sign(sign) => sign.run(say),
            Self::Apply(apply) => apply.run(say),
        }
    }
}

impl Draft {
    fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let resumption = wait_for(async {
            let directory = DataDirectory::open(&self.data)?;
            let bus = Bus::open(self.log.open(&directory).await?, clock::now).await?;
            let drafted = bus.read(|state| {
                let standing = state.charter.standing()?;
                Ok::<_, CliError>(Resumption {
                    log: standing.log,
                    number: self.number.unwrap_or(standing.resumptions.saturating_add(1)),
                    abandoned: self.abandoned,
                    from: state.head,
                })
            })?;
            Ok(drafted)
        })?;
        write_durably(&self.out, &serde_json::to_vec_pretty(&resumption)?, Existing::Keep)?;
        say.json(&resumption)
    }
}

impl Sign {
    fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let resumption: Resumption = read_json(&self.draft)?;
        let key = self.key.open()?;
        let signed = ResumptionSignature {
            person: self.person,
            key: key.public().public().clone(),
            signature: key.sign(&statement::resumption(&resumption, self.person))?,
        };
        write_durably(&self.out, &serde_json::to_vec_pretty(&signed)?, Existing::Keep)?;
        say.text(&statement::resumption(&resumption, self.person))
    }
}

impl Apply {
    /// The certificate is written before it is recorded: a crash in between leaves one that can be
    /// recorded by the same command, once the file is out of the way.
    fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let resumption: Resumption = read_json(&self.draft)?;
        let signatures = self.signatures.iter().map(|path| read_json(path));
        let signatures = signatures.collect::<Result<_, CliError>>()?;
        let certificate = LogResumed { resumption, signatures };
        let position = wait_for(async {
            let directory = DataDirectory::open(&self.data)?;
            let bus = Bus::open(self.log.open(&directory).await?, clock::now).await?;
            bus.read(|state| {
                let standing = state.charter.standing()?;
                certificate.check(standing, state.head)
            })?;
            let json = serde_json::to_vec_pretty(&certificate)?;
            write_durably(&self.out, &json, Existing::Keep)?;
            let command = Command::ResumeLog(certificate.clone());
            Ok(bus.execute(Request::new(command, Actor::Founders)).await?.positions)
        })?;
        say.json(&json!({
            "certificate": self.out,
            "position": position.map(|(first, _)| first),
            "next": "stop each signer and run `strongroom-signer resume` with this certificate",
        }))
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, CliError> {
    let unreadable = |reason: &dyn ToString| CliError::Read {
        path: path.to_owned(),
        reason: reason.to_string(),
    };
    let bytes = std::fs::read(path).map_err(|error| unreadable(&error))?;
    serde_json::from_slice(&bytes).map_err(|error| unreadable(&error))
}
