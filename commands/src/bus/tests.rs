//! The bus's rules, on real logs.

mod institution;
mod keys;
mod limit;
mod writers;

use super::*;
use institution::{FEE_CAP, Institution, clock, proposal_of, refused_by};
use std::collections::BTreeSet;
use strongroom_domain::{ProposalId, statement::Answer};
use strongroom_store::{MemoryLog, PAGE_LIMIT, Position, Record, SqliteLog};

fn memory() -> Arc<dyn AppendLog> {
    Arc::new(MemoryLog::default())
}

fn sqlite() -> (tempfile::TempDir, Arc<dyn AppendLog>) {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(folder.path().join("log.db")).unwrap();
    (folder, Arc::new(log))
}

async fn records(log: &dyn AppendLog) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    loop {
        let next = records.last().map_or(Position::FIRST, |r| r.entry.position.next().unwrap());
        let page = log.read_from(next, PAGE_LIMIT).await.unwrap();
        if page.is_empty() {
            return records;
        }
        records.extend(page);
    }
}

/// The fold in memory is the one that a restart makes of the log. Only the time of the last entry
/// is not known to a bus that has just written it.
async fn assert_replays(institution: &Institution) {
    let again = institution.reopened().await;
    let mut live = institution.bus.read(Clone::clone);
    let replayed = again.read(Clone::clone);
    live.time = replayed.time;
    assert_eq!(live, replayed);
    assert_eq!(live.digest().unwrap(), replayed.digest().unwrap());
    assert_eq!(live.head.position, institution.log.head().position.get());
}

#[tokio::test]
async fn a_commands_events_stand_together_and_say_where_they_come_from() {
    let institution = Institution::with_funds(memory(), 1000).await;
    let request = institution.transfer(500);
    let outcome = institution.bus.execute(request.clone()).await.unwrap();
    let (first, last) = outcome.positions.unwrap();
    let records = records(institution.log.as_ref()).await;
    let found: Vec<_> =
        records.iter().filter(|record| record.entry.command == request.id).collect();
    let positions: Vec<_> = found.iter().map(|record| record.entry.position.get()).collect();
    assert_eq!(positions, (first..=last).collect::<Vec<_>>());
    let kinds: BTreeSet<_> = found.iter().map(|record| record.entry.r#type.as_str()).collect();
    for kind in ["transfer.requested", "account.hold-placed", "proposal.opened"] {
        assert!(kinds.contains(kind), "{kinds:?}");
        assert!(outcome.has(kind));
    }
    assert!(found.iter().all(|record| record.entry.actor == request.actor.to_string()));
    assert!(found.iter().all(|record| record.entry.correlation == request.correlation));
    assert_eq!(outcome.subject, request.subject);
}

#[tokio::test]
async fn a_refusal_leaves_nothing_behind() {
    let institution = Institution::with_funds(memory(), 1000).await;
    let (head, before) = (institution.log.head(), institution.bus.read(Clone::clone));
    let refused = institution.bus.execute(institution.transfer(1000)).await.unwrap_err();
    assert_eq!(refused_by(&refused), "account-overdraw");
    assert_eq!(institution.log.head(), head);
    assert_eq!(institution.bus.read(Clone::clone), before);
}

/// It would be refused by the log after it was applied here, and the bus would stop for good.
#[tokio::test]
async fn a_command_that_no_entry_holds_is_refused_and_the_next_one_is_served() {
    let institution = Institution::with_funds(memory(), 1000).await;
    let head = institution.log.head();
    let refused = institution.see("a".repeat(1024 * 1024)).await.unwrap_err();
    assert_eq!(refused_by(&refused), "entry-size");
    assert_eq!(institution.log.head(), head);
    institution.bus.execute(institution.transfer(500)).await.unwrap();
    assert_replays(&institution).await;
}

#[tokio::test]
async fn what_a_restart_reads_is_what_was_live() {
    let (_folder, log) = sqlite();
    let institution = Institution::with_funds(log, 5000).await;
    assert_replays(&institution).await;
    let open = institution.transfer(500);
    institution.bus.execute(open.clone()).await.unwrap();
    let approved = institution.transfer(600);
    institution.bus.execute(approved.clone()).await.unwrap();
    for approver in 0..2 {
        let answer = institution.answer(proposal_of(&approved), approver);
        institution.bus.execute(answer).await.unwrap();
    }
    let cancelled = institution.transfer(700);
    institution.bus.execute(cancelled.clone()).await.unwrap();
    let (proposal, by) = (proposal_of(&cancelled), institution.maker);
    institution.run(strongroom_domain::Command::CancelProposal { proposal, by }).await;
    assert_replays(&institution).await;
    assert_eq!(institution.available(&institution.bus), 5000 - 500 - 600 - 2 * FEE_CAP);
}

/// A proposal can be closed by a command that was decided before its opening was durable.
#[tokio::test]
async fn a_proposal_that_is_closed_at_once_has_no_statement() {
    let (_folder, log) = sqlite();
    let institution = Institution::with_funds(log, 5000).await;
    let asked = institution.transfer(700);
    let (proposal, by) = (proposal_of(&asked), institution.maker);
    let cancel = strongroom_domain::Command::CancelProposal { proposal, by };
    let cancel = Request::new(cancel, strongroom_domain::Actor::Person(by));
    let (opened, closed) =
        tokio::join!(institution.bus.execute(asked), institution.bus.execute(cancel));
    opened.unwrap();
    closed.unwrap();
    assert!(shown(&institution.bus, &institution, proposal).is_err());
    assert_replays(&institution).await;
}

fn shown(bus: &Bus, institution: &Institution, proposal: ProposalId) -> Result<String, Refusal> {
    let approver = institution.approvers[0].0;
    bus.read(|state| statement(state, proposal, Answer::Approve, approver))
}

#[tokio::test]
async fn a_statement_is_bound_to_the_entry_that_opened_its_proposal_and_outlives_a_restart() {
    let (_folder, log) = sqlite();
    let institution = Institution::with_funds(log, 5000).await;
    let asked = institution.transfer(700);
    let proposal = proposal_of(&asked);
    let missing = shown(&institution.bus, &institution, proposal).unwrap_err();
    assert_eq!(missing.rule.id(), "proposal-not-open");
    // More entries come after it, and some are on their way together with it.
    let (first, second) = (institution.transfer(1), institution.transfer(2));
    let bus = &institution.bus;
    let (a, b, c) = tokio::join!(bus.execute(first), bus.execute(asked), bus.execute(second));
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    let records = records(institution.log.as_ref()).await;
    let stream = format!("proposal-{proposal}");
    let opened = records.iter().find(|record| record.entry.stream == stream).unwrap();
    let text = shown(&institution.bus, &institution, proposal).unwrap();
    let place =
        format!("Opened at:    entry {} with hash {}\n", opened.entry.position, opened.leaf());
    assert!(text.ends_with(&place), "{text}\n{place}");
    assert!(text.contains("PAY           0.00000700 LTC (700 litoshi)\n"), "{text}");
    let reopened = institution.reopened().await;
    assert_eq!(shown(&reopened, &institution, proposal).unwrap(), text);
    // A signature over the text as it was before the restart counts after it.
    for approver in 0..2 {
        reopened.execute(institution.answer(proposal, approver)).await.unwrap();
    }
    assert!(reopened.read(|state| state.proposals[&proposal].name() == "approved"));
}
