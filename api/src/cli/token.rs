//! `strongroom token`. Never prints a token: it goes into a file that only its owner may read.

use std::{collections::BTreeSet, path::PathBuf};

use clap::{Args, Subcommand};
use ipnet::IpNet;
use serde_json::json;
use strongroom_domain::{
    Aggregate as _, ClientId, Event, PersonId, Refusal, Rule,
    charter::{Charter, CharterEvent, Role},
};
use strongroom_secrets::{Existing, write_durably};
use strongroom_store::{RawRow, ledger::EntryRef};

use super::{CliError, Place, Say};
use crate::{
    access::{AccessRegister, Bounds, network, role_of},
    clock,
    data_directory::DataDirectory,
};

/// Entries that are read at once.
const PAGE: usize = 1_000;

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
    /// For the data of these clients only; without it, for all. May be given several times.
    #[arg(long = "client", num_args = 1..)]
    pub clients: Vec<ClientId>,
    /// From where it may be used (10.1.0.0/16, one address, …); from anywhere, where there is none.
    #[arg(long = "network", num_args = 1.., value_parser = network)]
    pub networks: Vec<IpNet>,
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
        let clients: BTreeSet<ClientId> = self.clients.iter().copied().collect();
        let clients = (!clients.is_empty()).then_some(clients);
        let bounds = Bounds { clients, networks: self.networks.clone() };
        let (text, id) = register.issue(self.person, &roles, &bounds, clock::now())?;
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
        let charter = runtime.map_err(CliError::Runtime)?.block_on(self.charter(directory))?;
        let standing = charter.standing()?;
        let machine = standing.machines.get(&person).map(|machine| &machine.roles);
        let known = standing.people.get(&person).map(|person| &person.roles).or(machine);
        if known.is_some_and(|known| roles.is_subset(known)) {
            return Ok(());
        }
        let because = format!("the charter gives {person} the roles {known:?}, not {roles:?}");
        Err(Refusal::new(Rule::RoleMissing, because).into())
    }

    /// The charter as it stands at the log's end.
    async fn charter(&self, directory: &DataDirectory) -> Result<Charter, CliError> {
        let mut log = self.log.audit(directory).await?;
        let mut charter = Charter::default();
        let mut position = 0;
        loop {
            let rows = log.raw_after(position, PAGE).await?;
            let Some(last) = rows.last() else { return Ok(charter) };
            position = last.filed;
            for event in rows.iter().filter_map(charter_event) {
                charter
                    .evolve(&event)
                    .map_err(|error| Refusal::new(Rule::CharterState, error.to_string()))?;
            }
        }
    }
}

/// What an entry says about the charter, if it does.
fn charter_event(row: &RawRow) -> Option<CharterEvent> {
    let entry = EntryRef::parse(&row.entry).ok()?;
    let event = Event::decode(entry.r#type, entry.version, &row.payload).ok()?;
    if let Event::Charter(event) = event { Some(event) } else { None }
}
