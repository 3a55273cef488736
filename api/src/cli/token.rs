//! `strongroom token`. Never prints a token: it goes into a file that only its owner may read.

use std::{collections::BTreeSet, path::PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use strongroom_domain::{
    Event, PersonId, Refusal, Rule,
    charter::{CharterEvent, PersonV1, Role},
};
use strongroom_secrets::{Existing, write_durably};
use strongroom_store::{RawRow, ledger::EntryRef};

use super::{CliError, Place, Say};
use crate::{
    access::{AccessRegister, role_of},
    clock,
    data_directory::DataDirectory,
};

/// What can be done with API tokens.
#[derive(Subcommand)]
pub enum TokenCommand {
    /// Make a token for a person of the charter.
    Issue(TokenIssue),
    /// Refuse a token from now on, also by a server that is running.
    Revoke {
        /// The server's data directory.
        #[arg(long)]
        data: PathBuf,
        /// The token's id: the part between the underscores.
        token: String,
    },
    /// List all tokens there ever were, without their secrets.
    List {
        /// The server's data directory.
        #[arg(long)]
        data: PathBuf,
    },
}

/// What `strongroom token issue` needs.
#[derive(Args)]
pub struct TokenIssue {
    /// The server's data directory.
    #[arg(long)]
    pub data: PathBuf,
    /// Where the charter is read from.
    #[command(flatten)]
    pub log: Place,
    /// Whose: an id of the charter.
    #[arg(long)]
    pub person: PersonId,
    /// What it may be used for: initiator, approver, auditor. Only roles that the person has.
    #[arg(long = "role", required = true, num_args = 1.., value_parser = parse_role)]
    pub roles: Vec<Role>,
    /// Where to write the token; mode 0600, never over another file.
    #[arg(long)]
    pub out: PathBuf,
}

fn parse_role(text: &str) -> Result<Role, String> {
    role_of(text).ok_or_else(|| "expected initiator, approver or auditor".to_owned())
}

impl TokenCommand {
    /// Does it.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        match self {
            Self::Issue(issue) => issue.run(say),
            Self::Revoke { data, token } => {
                let directory = DataDirectory::open(data)?;
                AccessRegister::open(&directory.access())?.revoke(token, clock::now())?;
                say.json(&json!({ "revoked": token }))
            }
            Self::List { data } => {
                let directory = DataDirectory::open(data)?;
                say.json(&AccessRegister::open(&directory.access())?.list()?)
            }
        }
    }
}

impl TokenIssue {
    /// Makes the token and prints its id.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let directory = DataDirectory::open(&self.data)?;
        let roles: BTreeSet<Role> = self.roles.iter().copied().collect();
        self.check_roles(&directory, &roles)?;
        let register = AccessRegister::open(&directory.access())?;
        let (text, id) = register.issue(self.person, &roles, clock::now())?;
        let line = zeroize::Zeroizing::new(format!("{}\n", text.expose()));
        if let Err(error) = write_durably(&self.out, line.as_bytes(), Existing::Keep) {
            // Nobody has it: it must not stay valid.
            register.revoke(id.as_str(), clock::now())?;
            return Err(error.into());
        }
        say.json(&json!({ "token": id.as_str(), "person": self.person, "roles": roles }))
    }

    /// The server asks the charter again at each request; this tells the operator early.
    fn check_roles(
        &self,
        directory: &DataDirectory,
        roles: &BTreeSet<Role>,
    ) -> Result<(), CliError> {
        let person = self.person;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let first = runtime.map_err(CliError::Runtime)?.block_on(async {
            let mut log = self.log.audit(directory).await?;
            Ok::<_, CliError>(log.raw_after(0, 1).await?.pop())
        })?;
        let people = first.and_then(|first| people(&first)).ok_or_else(|| {
            Refusal::new(Rule::CharterState, "this log does not begin with a charter")
        })?;
        let known = people.iter().find(|known| known.id == person);
        if known.is_some_and(|known| roles.is_subset(&known.roles)) {
            return Ok(());
        }
        let has = known.map(|known| &known.roles);
        let because = format!("the charter gives {person} the roles {has:?}, not {roles:?}");
        Err(Refusal::new(Rule::RoleMissing, because).into())
    }
}

/// Everyone whom the charter names, if the log's first entry is one.
fn people(first: &RawRow) -> Option<Vec<PersonV1>> {
    let entry = EntryRef::parse(&first.entry).ok()?;
    let event = Event::decode(entry.r#type, entry.version, &first.payload).ok()?;
    let Event::Charter(event) = event else { return None };
    match event {
        CharterEvent::FoundedV2(founded) => Some(founded.charter.people),
        CharterEvent::FoundedV1(founded) => Some(founded.charter.people),
        CharterEvent::PolicyChangedV1(_) | CharterEvent::LogResumed(_) => None,
    }
}
