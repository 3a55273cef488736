//! `strongroom policy dry-run`: a proposed policy over the real history. Never writes to the log.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::{
    cli::{CliError, Place, Say, history},
    rehearsal::{Difference, Rehearsed, rehearse},
};

/// What `strongroom policy dry-run` needs.
#[derive(Args)]
pub struct DryRun {
    /// The policy file.
    policy: PathBuf,
    /// The server's data directory. It may be running.
    #[arg(long)]
    data: PathBuf,
    /// Where its log is.
    #[command(flatten)]
    log: Place,
    /// One JSON value instead of text.
    #[arg(long)]
    json: bool,
}

impl DryRun {
    pub(super) fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let policy = super::policy(&self.policy, 1)?;
        let (mut asked, mut differ) = (0_u64, Vec::new());
        let audited = history::walk(&self.data, &self.log, |before, recorded| {
            if let Some(rehearsed) = rehearse(&policy, before, recorded) {
                asked = asked.saturating_add(1);
                if !rehearsed.differences.is_empty() {
                    differ.push(rehearsed);
                }
            }
        })?;
        let head = audited.head();
        if self.json {
            return say.json(&json!({
                "head": { "position": head.position, "leaf": head.leaf },
                "requests": asked,
                "differ": differ,
            }));
        }
        for one in &differ {
            say.text(&format!(
                "entry {}: {} (transfer {})\n",
                one.position, one.what, one.transfer
            ))?;
            for difference in &one.differences {
                say.text(&format!("    {}\n", words(difference)))?;
            }
        }
        say.text(&format!(
            "{} of {asked} requests up to entry {} would have gone another way: {} refused, {} let \
             through, {} delayed longer, {} asked more people\n",
            differ.len(),
            head.position,
            count(&differ, |one| matches!(one, Difference::Refused { .. })),
            count(&differ, |one| matches!(one, Difference::Allowed)),
            count(
                &differ,
                |one| matches!(one, Difference::Delay { then, proposed } if proposed > then)
            ),
            count(
                &differ,
                |one| matches!(one, Difference::Approvals { then, proposed } if proposed > then)
            ),
        ))
    }
}

fn count(differ: &[Rehearsed], wanted: impl Fn(&Difference) -> bool) -> usize {
    differ.iter().filter(|one| one.differences.iter().any(&wanted)).count()
}

fn words(difference: &Difference) -> String {
    match difference {
        Difference::Refused { because } => {
            format!("would have been refused: {}", because.join("; "))
        }
        Difference::Allowed => "was refused, would have been let through".to_owned(),
        Difference::Delay { then, proposed } => {
            format!("would have waited {proposed} s instead of {then} s")
        }
        Difference::Approvals { then, proposed } => {
            format!("would have asked for {proposed} approvals instead of {then}")
        }
        Difference::OtherPeople => "would have asked other people".to_owned(),
    }
}
