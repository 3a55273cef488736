//! What the program says. Never anything on standard output but the result.

use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;
use strongroom_ledger::Head;
use strongroom_replay::{Comparison, Fault, Finding, Verdict};

/// How often long work says that it is alive.
const EVERY: u64 = 100_000;

/// In which form.
pub(crate) struct Output {
    /// One JSON object instead of text.
    pub(crate) json: bool,
}

/// For `--help`.
pub(crate) fn exit_codes() -> String {
    let mut text = String::from("Exit codes:\n   0  nothing is wrong\n   2  wrong command line\n");
    for fault in Fault::ALL {
        // Writing to a String does not fail.
        let _ = std::fmt::Write::write_fmt(
            &mut text,
            format_args!("  {:>2}  {}\n", fault.exit_code(), fault.meaning()),
        );
    }
    text
}

/// On standard error, now and then.
pub(crate) fn progress(head: Head) {
    if head.position.get().is_multiple_of(EVERY) {
        let _ = writeln!(io::stderr(), "{} entries", head.position);
    }
}

fn say(text: &str) {
    // Nobody listens any more: the exit code still says it.
    let _ = writeln!(io::stdout(), "{text}");
}

fn json(value: &impl Serialize) {
    if let Ok(text) = serde_json::to_string(value) {
        say(&text);
    }
}

impl Output {
    pub(crate) fn finding(&self, finding: &Finding) {
        let Finding { fault, position, message } = finding;
        if self.json {
            json(&serde_json::json!({
                "verdict": fault.name(), "position": position, "message": message,
            }));
        } else {
            say(&format!("FAULT {}: {message}", fault.name()));
        }
    }

    pub(crate) fn verdict(&self, verdict: &Verdict, pinned: Option<Head>) {
        if self.json {
            json(&serde_json::json!({ "verdict": "ok", "log": verdict }));
            return;
        }
        say(&format!("entries       {}", verdict.entries));
        say(&format!("genesis       {}", verdict.genesis));
        say(&format!("head          {}:{}", verdict.head.position, verdict.head.leaf));
        say(&format!("state digest  {}", verdict.state_digest));
        for (asset, totals) in &verdict.balances {
            say(&format!("{asset}  debits {}  credits {}", totals.debits, totals.credits));
        }
        if pinned.is_none() {
            say("NOTE no --expect-head: entries cut off the end would go unnoticed");
        }
        say("OK every entry is whole, in its place and allowed; debits equal credits");
    }

    pub(crate) fn comparison(&self, comparison: &Comparison) {
        let Comparison { position, leaf, rows, differences } = comparison;
        if self.json {
            let verdict = if differences.is_empty() { "ok" } else { Fault::Differs.name() };
            json(&serde_json::json!({ "verdict": verdict, "comparison": comparison }));
            return;
        }
        for of in differences {
            let side = |said: &Option<String>| said.clone().unwrap_or_else(|| "nothing".to_owned());
            let (log, model) = (side(&of.log), side(&of.read_model));
            say(&format!("{}: the log says {log}; the read model says {model}", of.what));
        }
        say(&format!("compared {rows} rows at {position}:{leaf}"));
        if differences.is_empty() {
            say("OK the read model says what the log says");
        } else {
            let count = differences.len();
            say(&format!("FAULT {}: {count} rows differ from the log", Fault::Differs.name()));
        }
    }
}

pub(crate) fn exported(count: u64, path: &Path) {
    say(&format!("wrote {count} entries to {}; nothing was checked", path.display()));
}
