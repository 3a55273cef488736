//! `receipt` and `policy`. Never asks anybody: files and public keys are enough.

use crate::output::{Output, Progress, object, say};
use crate::pins::{Pins, Place};
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;
use strongroom_replay::{
    Fault, Finding, Proven, Verifier, policy_of, read_policy, read_receipt, walk,
};

/// One entry, proven.
#[derive(Args)]
pub(crate) struct CheckReceipt {
    /// The receipt, as the server gives it.
    file: PathBuf,
    /// Whose signatures count: a C2SP tlog-policy file, from elsewhere.
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
}

impl CheckReceipt {
    pub(crate) fn run(&self, output: &Output) -> Result<u8, Finding> {
        let proven = read_receipt(&self.file, &read_policy(&self.policy)?)?;
        if output.json {
            object(&proven);
        } else {
            page(&proven);
        }
        Ok(0)
    }
}

fn page(it: &Proven) {
    say(&format!("log           {}", it.origin));
    say(&format!("entry         {} at {} (the server's clock)", it.position, it.time));
    say(&format!("stream        {}, its entry {}", it.stream, it.sequence));
    say(&format!("event         {} version {}, by {}", it.kind, it.version, it.actor));
    let event = serde_json::to_string_pretty(&it.event).unwrap_or_default();
    event.lines().for_each(|line| say(&format!("  {line}")));
    say(&format!("tree          {}:{}", it.tree.size, it.tree.root));
    for by in &it.cosigners {
        say(&format!("seen by       {} at {} (POSIX seconds, its own clock)", by.witness, by.at));
    }
    say("OK the entry is in the log that these witnesses saw, signed by both keys of the log");
}

/// The witnesses that a charter enrols.
#[derive(Args)]
pub(crate) struct Policy {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    pins: Pins,
}

impl Policy {
    pub(crate) fn run(&self, output: &Output) -> Result<u8, Finding> {
        let expected = self.pins.expected()?;
        let source = self.place.open()?;
        let progress = Progress::of(source.length());
        let mut verifier = Verifier::new(expected);
        walk(
            source,
            &mut verifier,
            |_| false,
            |judged| {
                progress.at(judged.recorded.head.position);
                Ok(())
            },
        )?;
        progress.end();
        let standing = verifier.state().charter.standing();
        let standing = standing.map_err(|it| Finding::of(Fault::Violation, it.to_string()))?;
        let policy = policy_of(standing)?.to_string();
        if output.json {
            object(&serde_json::json!({ "origin": standing.origin(), "policy": policy }));
        } else {
            say(policy.trim_end());
        }
        if expected.genesis.is_none() {
            let note = "NOTE no --genesis: whoever wrote this log wrote this policy";
            let _ = writeln!(std::io::stderr(), "{note}");
        }
        Ok(0)
    }
}
