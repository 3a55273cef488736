//! `strongroom policy test`. Exit code 1 where an example is not met.

use std::path::PathBuf;

use clap::Args;

use super::text;
use crate::{
    cli::{CliError, Say},
    policy_file::Examples,
};

/// What `strongroom policy test` needs.
#[derive(Args)]
pub struct Test {
    /// The policy file.
    policy: PathBuf,
    /// The examples. Default: beside the policy, `NAME.examples.toml`.
    #[arg(long, value_name = "FILE")]
    examples: Option<PathBuf>,
    /// Say every rule's word on every example.
    #[arg(long)]
    verdicts: bool,
}

impl Test {
    pub(super) fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let policy = super::policy(&self.policy, 1)?;
        let beside = || self.policy.with_extension("examples.toml");
        let examples = self.examples.clone().unwrap_or_else(beside);
        let ran = Examples::read(&text(&examples)?)?.run(&policy)?;
        let mut wrong = 0_usize;
        for one in &ran {
            let word = if one.differs.is_empty() { "ok  " } else { "FAIL" };
            say.text(&format!("{word} {}\n", one.name))?;
            for differs in &one.differs {
                say.text(&format!("       {differs}\n"))?;
            }
            if self.verdicts || !one.differs.is_empty() {
                for verdict in &one.verdicts {
                    say.text(&format!("       - {verdict}\n"))?;
                }
            }
            wrong = wrong.saturating_add(usize::from(!one.differs.is_empty()));
        }
        if wrong > 0 {
            return Err(CliError::Examples { wrong, of: ran.len() });
        }
        say.text(&format!("{} examples, all met\n", ran.len()))
    }
}
