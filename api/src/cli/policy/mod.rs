//! `strongroom policy`: reading, trying and rehearsing a policy before a quorum votes on it. Never
//! puts one in force: that is the quorum's.

mod dry_run;
mod lint;
mod show;
mod test;

use std::path::Path;

use clap::Subcommand;
use strongroom_domain::policy::Policy;

use dry_run::DryRun;
use lint::Lint;
use show::Show;
use test::Test;

use super::{CliError, Say};
use crate::policy_file;

/// What can be done with policies.
#[derive(Subcommand)]
pub enum PolicyCommand {
    /// Write the policy in force as a file that can be changed and proposed.
    Show(Show),
    /// Say what is odd about a policy: rules that never fire, contradictions, holes.
    Lint(Lint),
    /// Ask a policy about the examples that are kept beside it.
    Test(Test),
    /// Ask a policy about everything that was ever requested, and say what would have been refused,
    /// delayed or asked more of.
    DryRun(DryRun),
}

impl PolicyCommand {
    /// Does it.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        match self {
            Self::Show(show) => show.run(say),
            Self::Lint(lint) => lint.run(say),
            Self::Test(test) => test.run(say),
            Self::DryRun(dry_run) => dry_run.run(say),
        }
    }
}

/// Reads a policy file. Its place in the log's order is not in the file: the proposal says it.
fn policy(path: &Path, version: u32) -> Result<Policy, CliError> {
    Ok(policy_file::read(&text(path)?, version)?)
}

fn text(path: &Path) -> Result<String, CliError> {
    let wrong =
        |error: std::io::Error| CliError::Read { path: path.to_owned(), reason: error.to_string() };
    std::fs::read_to_string(path).map_err(wrong)
}
