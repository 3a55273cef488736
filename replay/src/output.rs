//! What the program says. Never anything on standard output but the result.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;
use strongroom_domain::Asset;
use strongroom_replay::{
    Comparison, Expected, Fault, Finding, Resumed, Totals, Verdict, Whole, quantity,
};

/// How often long work says how far it is.
const EVERY: u64 = 1_000;

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

/// How far long work is: on standard error, where that is a terminal.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// For work on about so many entries.
    pub(crate) fn of(entries: Option<u64>) -> Self {
        let bar = ProgressBar::with_draw_target(entries, ProgressDrawTarget::stderr());
        let told = match entries {
            Some(_) => "{wide_bar} {human_pos} of {human_len} entries, {per_sec}, {eta} to go",
            None => "{human_pos} entries, {per_sec}, {elapsed}",
        };
        // A template that does not parse is the plain bar.
        Self(match ProgressStyle::with_template(told) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }

    /// The entry at `position` is done.
    pub(crate) fn at(&self, position: u64) {
        if position.is_multiple_of(EVERY) {
            self.0.set_position(position);
        }
    }

    /// All is done: nothing of it stays on the terminal.
    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}

/// A line of the result.
pub(crate) fn say(text: &str) {
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

    /// The form of a log, no more.
    pub(crate) fn whole(&self, whole: &Whole, expected: &Expected) {
        if self.json {
            let end = end(expected);
            json(&serde_json::json!({
                "verdict": "ok", "rules": "not checked", "end": end, "log": whole,
            }));
            return;
        }
        form(whole);
        self.unpinned(expected);
        say("OK every entry is whole and in its place; NO RULE WAS CHECKED: verify does that");
    }

    pub(crate) fn verdict(&self, verdict: &Verdict, expected: &Expected) {
        if self.json {
            let end = end(expected);
            json(&serde_json::json!({ "verdict": "ok", "end": end, "log": verdict }));
            return;
        }
        form(&verdict.whole);
        say(&format!("state digest  {}", verdict.state_digest));
        for (asset, totals) in &verdict.balances {
            say(&format!("{asset}  {}", both_sides(*asset, totals)));
        }
        self.unpinned(expected);
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

    /// What nobody can know without help.
    pub(crate) fn unpinned(&self, expected: &Expected) {
        if !self.json && end(expected) == UNPINNED {
            say(
                "NOTE no --expect-head or --checkpoint: entries cut off the end would go unnoticed",
            );
        }
    }

    pub(crate) fn exported(&self, count: u64, path: &Path) {
        if self.json {
            let path = path.display().to_string();
            json(&serde_json::json!({ "verdict": "ok", "entries": count, "path": path }));
        } else {
            say(&format!("wrote {count} entries to {}; nothing was checked", path.display()));
        }
    }
}

fn form(whole: &Whole) {
    say(&format!("entries       {}", whole.entries));
    say(&format!("genesis       {}", whole.genesis));
    say(&format!("head          {}:{}", whole.head.position, whole.head.leaf));
    say(&format!("tree          {}:{}", whole.tree.size, whole.tree.root));
    if let Some(origin) = &whole.origin {
        say(&format!("origin        {origin}"));
    }
    for Resumed { position, resumption } in &whole.resumed {
        let (number, from, lost) = (resumption.number, &resumption.from, &resumption.abandoned);
        say(&format!(
            "resumed       number {number} in entry {position}: it goes on from entry {}; what was \
             given up ended with entry {} with leaf {}",
            from.position, lost.position, lost.leaf
        ));
    }
}

/// What a machine is told where a person gets a note.
const UNPINNED: &str = "not pinned";

/// Whether anything is known of where the log must at least end.
const fn end(expected: &Expected) -> &'static str {
    if expected.head.is_none() && expected.seen.is_none() { UNPINNED } else { "pinned" }
}

/// All that was booked of an asset.
pub(crate) fn both_sides(asset: Asset, totals: &Totals) -> String {
    let (debits, credits) = (quantity(totals.debits, asset), quantity(totals.credits, asset));
    format!("debits {debits}, credits {credits}")
}

/// What a machine reads: `verdict` is `ok` unless it says something else.
pub(crate) fn object(value: &impl Serialize) {
    let mut object = serde_json::to_value(value).unwrap_or_default();
    if let Some(fields) = object.as_object_mut() {
        fields.entry("verdict").or_insert_with(|| "ok".into());
    }
    json(&object);
}
