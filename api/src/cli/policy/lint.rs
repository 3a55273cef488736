//! `strongroom policy lint`. Exit code 1 where it found something.

use std::{path::PathBuf, str::FromStr};

use clap::Args;
use strongroom_domain::{
    PersonId,
    policy::{Groups, Label, lint},
};
use uuid::Uuid;

use crate::cli::{CliError, Place, Say, history};

/// What `strongroom policy lint` needs.
#[derive(Args)]
pub struct Lint {
    /// The policy file.
    policy: PathBuf,
    /// A server's data directory: its log says who is in which group.
    #[arg(long, conflicts_with = "groups")]
    data: Option<PathBuf>,
    /// Where its log is.
    #[command(flatten)]
    log: Place,
    /// A group and how many people it has, `treasury=3`, where no log is at hand. May be repeated.
    #[arg(long = "group", value_name = "NAME=PEOPLE", required_unless_present = "data")]
    groups: Vec<Size>,
}

/// A group's size.
#[derive(Clone)]
struct Size(Label, u8);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}`: expected a group and its size, such as treasury=3");
        let (name, size) = text.split_once('=').ok_or_else(wrong)?;
        let name = Label::try_from(name.to_owned()).map_err(|error| error.to_string())?;
        Ok(Self(name, size.parse().map_err(|_| wrong())?))
    }
}

impl Lint {
    pub(super) fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let policy = super::policy(&self.policy, 1)?;
        let groups = match &self.data {
            Some(data) => history::state(data, &self.log)?.charter.standing()?.groups(),
            None => people(&self.groups),
        };
        let found = lint(&policy, &groups);
        if found.is_empty() {
            return say.text("nothing odd\n");
        }
        for finding in &found {
            let kind = serde_json::to_value(finding.kind)?;
            let kind = kind.as_str().unwrap_or_default().to_owned();
            say.text(&format!("{}: {kind}: {}\n", finding.rule, finding.because))?;
        }
        Err(CliError::Lint(found.len()))
    }
}

/// Different people for each group.
fn people(sizes: &[Size]) -> Groups {
    let mut next = 0_u128;
    let mut group = |size: u8| {
        let person = |_| {
            next = next.saturating_add(1);
            PersonId(Uuid::from_u128(next))
        };
        (0..size).map(person).collect()
    };
    sizes.iter().map(|Size(name, size)| (name.clone(), group(*size))).collect()
}
