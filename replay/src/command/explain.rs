//! `explain`. Never says a thing of a transfer without the entry that proves it.

use crate::output::{Output, Progress, object, say};
use crate::pins::{Pins, Place};
use clap::Args;
use strongroom_domain::{Head, Stream, TransferId};
use strongroom_ledger::TreeHead;
use strongroom_replay::{Explanation, Fact, Finding, Held, Life, explain, explain_life};

/// The story of a transfer, a key, a signer or a wallet.
#[derive(Args)]
pub(crate) struct Explain {
    /// A transfer's id; or `key-<id>`, `signer-<id>`, `wallet-<id>`.
    #[arg(value_name = "TRANSFER", value_parser = subject)]
    subject: Told,
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
        match self.subject {
            Told::Transfer(id) => {
                let told = explain(source, expected, id, |position| progress.at(position))?;
                progress.end();
                if output.json {
                    object(&told);
                } else {
                    page(&told);
                }
            }
            Told::Life(of) => {
                let told = explain_life(source, expected, of, |position| progress.at(position))?;
                progress.end();
                if output.json {
                    object(&told);
                } else {
                    life(&told);
                }
            }
        }
        if !output.json {
            output.unpinned(&expected);
        }
        Ok(0)
    }
}

/// Whose story.
#[derive(Clone, Copy)]
enum Told {
    Transfer(TransferId),
    Life(Held),
}

fn subject(text: &str) -> Result<Told, String> {
    match text.parse::<Stream>() {
        Ok(Stream::Key(id)) => Ok(Told::Life(Held::Key(id))),
        Ok(Stream::Signer(id)) => Ok(Told::Life(Held::Signer(id))),
        Ok(Stream::Wallet(id)) => Ok(Told::Life(Held::Wallet(id))),
        Ok(Stream::Transfer(id)) => Ok(Told::Transfer(id)),
        _ => text.parse().map(Told::Transfer).map_err(|error| error.to_string()),
    }
}

fn life(told: &Life) {
    say(&format!("# {}\n", told.subject));
    say(&format!("State: **{}**\n", told.state));
    say(&format!(
        "Every line below stands in the log of {}, which was verified up to entry {} before this \
         page was written: every signature, quorum and rule, as of its time. Signers and people are \
         known by id. That a signer has a share is its own signed word; that it destroyed another is \
         nobody's.",
        told.origin, told.head.position
    ));
    for chapter in &told.chapters {
        say(&format!("\n## {}\n", chapter.title));
        chapter.facts.iter().for_each(fact);
    }
    rests_on((&told.log, &told.genesis), told.head, &told.tree);
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
    rests_on((&told.log, &told.genesis), told.head, &told.tree);
}

fn rests_on((log, genesis): (&str, &str), head: Head, tree: &TreeHead) {
    say("\n## What this rests on\n");
    say(&format!("- log {log}, entry 1 has leaf {genesis}"));
    say(&format!("- verified up to entry {} with leaf {}", head.position, head.leaf));
    say(&format!("- Merkle tree of {} entries with root {}", tree.size, tree.root));
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
