//! `diff`. Never says which of two logs is right: checkpoints do.

use crate::output::{Output, Progress, object, say};
use crate::pins::open;
use clap::Args;
use std::path::PathBuf;
use strongroom_replay::{Diff, Fault, Finding, Side, diff};

/// Two logs.
#[derive(Args)]
pub(crate) struct DiffLogs {
    /// A log.
    a: String,
    /// Another one.
    b: String,
    /// The file with the password of the stores, readable by its owner only.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl DiffLogs {
    pub(crate) fn run(&self, output: &Output) -> Result<u8, Finding> {
        if self.a == "-" && self.b == "-" {
            let message = "standard input is one log: name a file for the other";
            return Err(Finding::of(Fault::Unreadable, message));
        }
        let mut a = open(&self.a, self.password_file.clone())?;
        let mut b = open(&self.b, self.password_file.clone())?;
        let progress = Progress::of(a.length().max(b.length()));
        let found = diff(&mut a, &mut b, |position| progress.at(position))?;
        progress.end();
        if output.json {
            object(&found);
        } else {
            told(&found);
        }
        Ok(found.exit_code())
    }
}

fn told(found: &Diff) {
    match found {
        Diff::Equal { entries, .. } => {
            say(&format!("EQUAL both have the same {entries} entries; neither was verified"));
        }
        Diff::Prefix { shorter, entries, next } => {
            let position = entries.saturating_add(1);
            say(&format!("{shorter} ends after entry {entries}; the other goes on with"));
            side("", position, next);
            say(&format!("PREFIX {shorter} is the beginning of the other; neither was verified"));
        }
        Diff::Parted { position, payload_only, shared, a, b } => {
            let before = position.saturating_sub(1);
            if let Some(leaf) = shared {
                say(&format!("both have the same entries up to {before}, with leaf {leaf}"));
            }
            if *payload_only {
                say("the entries are the same, their payloads are not");
            }
            side("a: ", *position, a);
            side("b: ", *position, b);
            say(&format!("PARTED at entry {position}; neither was verified"));
        }
    }
}

fn side(name: &str, position: u64, side: &Side) {
    let prev = side.prev.map_or_else(|| "unreadable".to_owned(), |prev| prev.to_string());
    say(&format!("{name}entry {position} with leaf {}, follows {prev}", side.leaf));
    say(&format!("{name}  {}", side.entry));
    say(&format!("{name}  {}", side.payload));
}
