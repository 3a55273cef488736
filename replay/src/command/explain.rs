//! `explain`. Never says a thing of a transfer without the entry that proves it.

use crate::output::{Output, Progress, object, say};
use crate::pins::{Pins, Place};
use clap::Args;
use strongroom_domain::TransferId;
use strongroom_replay::{Explanation, Fact, Finding, explain};

/// The story of a transfer.
#[derive(Args)]
pub(crate) struct Explain {
    /// Its id.
    #[arg(value_parser = |text: &str| text.parse::<TransferId>().map_err(|it| it.to_string()))]
    transfer: TransferId,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    pins: Pins,
}

impl Explain {
    pub(crate) fn run(&self, output: &Output) -> Result<u8, Finding> {
        let expected = self.pins.expected()?;
        let source = self.place.open()?;
        let progress = Progress::of(source.length());
        let told = explain(source, expected, self.transfer, |position| progress.at(position))?;
        progress.end();
        if output.json {
            object(&told);
        } else {
            page(&told);
            output.unpinned(&expected);
        }
        Ok(0)
    }
}

fn page(told: &Explanation) {
    say(&format!("# Transfer {}\n", told.transfer));
    say(&format!("State: **{}**\n", told.state));
    say(&format!(
        "Every line below stands in the log of {}. The whole log, up to entry {}, was verified \
         before this page was written: every signature, quorum and rule, as of its time. A number \
         in brackets is the entry; its receipt (`/api/v1/receipts/<number>`) proves it to anybody \
         without this program's word. Times are the server's clock. People are known by id: who \
         they are is the institution's register, never the log.",
        told.origin, told.head.position
    ));
    say(
        "\nAn approval is its approver's own signature, a transaction's signature its wallet's key's. Who \
         asked, when, what a node took and what a chain made final is the server's word, which the \
         log keeps: this program asks no chain, but anybody can look the transaction up.",
    );
    for chapter in &told.chapters {
        say(&format!("\n## {}\n", chapter.title));
        chapter.facts.iter().for_each(fact);
    }
    say("\n## What this rests on\n");
    say(&format!("- log {}, entry 1 has leaf {}", told.log, told.genesis));
    say(&format!("- verified up to entry {} with leaf {}", told.head.position, told.head.leaf));
    say(&format!("- Merkle tree of {} entries with root {}", told.tree.size, told.tree.root));
}

fn fact(fact: &Fact) {
    let mut says = fact.says.iter();
    let first = says.next().map_or(fact.event, String::as_str);
    say(&format!("[{}] {}  {first}", fact.position, fact.time));
    says.for_each(|line| say(&format!("    {line}")));
    if let Some(statement) = &fact.statement {
        say("    The statement that was signed, word for word:\n");
        statement.lines().for_each(|line| say(&format!("        > {line}")));
        say("");
    }
}
