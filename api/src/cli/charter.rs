//! `strongroom charter`: from a specification to the first entry of a log. Never signs for
//! somebody who is not named, and never appends past the command bus.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, Subcommand};
use serde::de::DeserializeOwned;
use serde_json::json;
use strongroom_commands::{Bus, Request};
use strongroom_domain::{
    Actor, Bytes, Digest, PersonId, Refusal, Rule, charter::FoundingSignature,
};
use strongroom_secrets::{Existing, write_durably};
use strongroom_store::Position;

use super::{CliError, KeyPlace, Place, Say};
use crate::{
    charter_spec::{CharterSpec, Draft as DraftedCharter},
    clock,
    data_directory::DataDirectory,
};

/// What can be done with a charter.
#[derive(Subcommand)]
pub enum CharterCommand {
    /// Make the charter's text out of a specification (TOML). Prints who has which id.
    Draft(Draft),
    /// Print the founding statement of a draft: what every approver signs.
    Show {
        /// The draft.
        draft: PathBuf,
    },
    /// Sign a draft's founding statement as one of its approvers.
    Sign(Sign),
    /// Found the log: append the charter as entry 1. Prints the hash that signers pin.
    Found(Found),
}

/// What `strongroom charter draft` needs.
#[derive(Args)]
pub struct Draft {
    /// The specification.
    #[arg(long)]
    pub spec: PathBuf,
    /// The server's data directory, for the log's public key.
    #[arg(long)]
    pub data: PathBuf,
    /// Where to write the draft.
    #[arg(long)]
    pub out: PathBuf,
}

/// What `strongroom charter sign` needs.
#[derive(Args)]
pub struct Sign {
    /// The draft.
    #[arg(long)]
    pub draft: PathBuf,
    /// Who signs: their id in the draft.
    #[arg(long)]
    pub person: PersonId,
    /// Their key.
    #[command(flatten)]
    pub key: KeyPlace,
    /// Where to write the signature.
    #[arg(long)]
    pub out: PathBuf,
}

/// What `strongroom charter found` needs.
#[derive(Args)]
pub struct Found {
    /// The server's data directory.
    #[arg(long)]
    pub data: PathBuf,
    /// Where the new log will be.
    #[command(flatten)]
    pub log: Place,
    /// The draft.
    #[arg(long)]
    pub draft: PathBuf,
    /// Every approver's signature file.
    #[arg(long = "signature", required = true, num_args = 1..)]
    pub signatures: Vec<PathBuf>,
}

impl CharterCommand {
    /// Does it.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        match self {
            Self::Draft(draft) => draft.run(say),
            Self::Show { draft } => {
                let draft: DraftedCharter = read_json(draft)?;
                say.text(&draft.statement())
            }
            Self::Sign(sign) => sign.run(say),
            Self::Found(found) => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let genesis = runtime.map_err(CliError::Runtime)?.block_on(found.found())?;
                say.json(&json!({ "genesis": genesis }))
            }
        }
    }
}

impl Draft {
    /// Writes the draft and prints names and ids.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let identity = DataDirectory::open(&self.data)?.identity()?;
        let key = |hex: &str| -> Result<Bytes, CliError> {
            hex.parse().map_err(|error| unreadable(&self.data.join("server.json"), &error))
        };
        let keys = (key(&identity.log_key)?, key(&identity.log_key_ml_dsa_44)?);
        let text =
            fs::read_to_string(&self.spec).map_err(|error| unreadable(&self.spec, &error))?;
        let base = self.spec.parent().unwrap_or(Path::new("."));
        let drafted = CharterSpec::parse(&text)?.draft(base, keys)?;
        let json = serde_json::to_vec_pretty(&drafted.charter)?;
        write_durably(&self.out, &json, Existing::Replace)?;
        say.json(&json!({
            "log": drafted.charter.log(),
            "people": drafted.people,
            "signers": drafted.signers,
        }))
    }
}

impl Sign {
    /// Writes the signature and prints it.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let draft: DraftedCharter = read_json(&self.draft)?;
        let key = self.key.open()?;
        let public = key.public();
        if !draft.enrols(self.person, public.public()) {
            let because = format!("this key is none of {}'s in the draft", self.person);
            return Err(Refusal::new(Rule::ApprovalKeyUnknown, because).into());
        }
        let signed = FoundingSignature {
            person: self.person,
            key: public.public().clone(),
            signature: key.sign(&draft.statement())?,
        };
        write_durably(&self.out, &serde_json::to_vec_pretty(&signed)?, Existing::Replace)?;
        say.json(&signed)
    }
}

impl Found {
    /// Appends the charter; the leaf of entry 1 is what signers pin.
    pub async fn found(&self) -> Result<Digest, CliError> {
        let directory = DataDirectory::open(&self.data)?;
        let draft: DraftedCharter = read_json(&self.draft)?;
        let signatures = self.signatures.iter().map(|path| read_json(path));
        let signatures = signatures.collect::<Result<_, CliError>>()?;
        let log = self.log.open(&directory).await?;
        let bus = Bus::open(Arc::clone(&log), clock::now).await?;
        bus.execute(Request::new(draft.found(signatures), Actor::Founders)).await?;
        let first = log.read_from(Position::FIRST, 1).await?;
        let genesis = first.first().map(strongroom_store::Record::leaf);
        genesis
            .map(|leaf| Digest(*leaf.as_bytes()))
            .ok_or_else(|| unreadable(&directory.log(), &"the log is empty after its founding"))
    }
}

fn unreadable(path: &Path, reason: &dyn ToString) -> CliError {
    CliError::Read { path: path.to_owned(), reason: reason.to_string() }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, CliError> {
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    serde_json::from_slice(&bytes).map_err(|error| unreadable(path, &error))
}
