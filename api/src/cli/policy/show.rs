//! `strongroom policy show`: the policy in force, as a file.

use std::path::PathBuf;

use clap::Args;
use strongroom_domain::{Refusal, Rule};

use crate::{
    cli::{CliError, Place, Say, history},
    policy_file,
};

/// What `strongroom policy show` needs.
#[derive(Args)]
pub struct Show {
    /// The server's data directory. It may be running.
    #[arg(long)]
    data: PathBuf,
    /// Where its log is.
    #[command(flatten)]
    log: Place,
}

impl Show {
    pub(super) fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let state = history::state(&self.data, &self.log)?;
        let standing = state.charter.standing()?;
        let policy = standing.policy.v2().ok_or_else(|| {
            let because = "the policy in force is of the first form: the next one can be written \
                           as a file";
            Refusal::new(Rule::PolicyInvalid, because)
        })?;
        say.text(&format!("# Version {} of the policy.\n", policy.version))?;
        say.text(&policy_file::write(policy)?)
    }
}
