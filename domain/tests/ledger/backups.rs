//! Backups of shares, drills with them, and shares restored from them: what the log takes a signer's
//! word for, and what it does not.

use crate::{book::*, names::*};
use std::collections::BTreeSet;
use strongroom_domain::{
    Bytes, Command, PersonId, ProposalId, Recorded, Rule, SignerId, Stream, Timestamp,
    audit::Violation,
    key::{BackedUp, Joining, KeyChange, KeyEvent, RecoveryDrilled},
    statement,
};
use uuid::Uuid;

const OFFICERS: [PersonId; 3] = [ANN, BEN, CAT];

fn signed_backup(mut backed_up: BackedUp) -> Command {
    let text = statement::backup(LOG, FROST_KEY, &backed_up);
    backed_up.signature = sign(&key_of(backed_up.signer.0), &text);
    Command::BackUpKey { key: FROST_KEY, backed_up }
}

fn word(holder: SignerId, taken_at: Timestamp) -> BackedUp {
    BackedUp {
        signer: holder,
        epoch: 1,
        taken_at,
        threshold: 2,
        officers: OFFICERS.to_vec(),
        commitment: vec![Bytes(vec![2; 33]), Bytes(vec![3; 33])],
        signature: Bytes::default(),
    }
}

fn signed_drill(mut drilled: RecoveryDrilled) -> Command {
    let text = statement::drill(LOG, FROST_KEY, &drilled);
    drilled.signature = sign(&key_of(drilled.signer.0), &text);
    Command::DrillKey { key: FROST_KEY, drilled }
}

fn practice(holder: SignerId, taken_at: Timestamp) -> RecoveryDrilled {
    let officers = OFFICERS[..2].to_vec();
    RecoveryDrilled { signer: holder, epoch: 1, taken_at, officers, signature: Bytes::default() }
}

/// A share backed up, and a drill an hour later.
pub(crate) fn drilled() -> Book {
    let mut book = Book::funded();
    book.put(signed_backup(word(signer(1), book.now))).unwrap();
    book.wait(3_600);
    book.put(signed_drill(practice(signer(1), book.now))).unwrap();
    book
}

fn restore(book: &Book) -> Command {
    let change = KeyChange {
        key: FROST_KEY,
        dropped: BTreeSet::from([signer(1)]),
        joining: Some(Joining { signer: signer(1), index: 1 }),
        helpers: Vec::new(),
    };
    let proposal = ProposalId(Uuid::from_u128(0xd0));
    let expires_at = book.in_an_hour();
    Command::RequestKeyChange { proposal, change, maker: MAKER, expires_at }
}

#[test]
fn a_backup_and_a_drill_are_the_signers_own_words() {
    let mut book = drilled();
    let active = book.state.keys[&FROST_KEY].existing().unwrap().clone();
    assert_eq!(active.backups[&signer(1)].officers, OFFICERS);
    assert_eq!(active.drilled[&signer(1)], book.now);
    book.wait(60);
    let mut forged = signed_backup(word(signer(2), book.now));
    if let Command::BackUpKey { backed_up, .. } = &mut forged {
        backed_up.officers.swap(0, 1);
    }
    book.refused(forged, Rule::KeyBackup);
    let mut stolen = signed_drill(practice(signer(1), book.now));
    if let Command::DrillKey { drilled, .. } = &mut stolen {
        drilled.officers = vec![ANN, CAT];
    }
    book.refused(stolen, Rule::KeyBackup);
}

#[test]
fn a_word_that_is_sent_twice_is_no_news_and_an_older_one_is_refused() {
    let mut book = drilled();
    let history = book.history.len();
    let backed_up = book.state.keys[&FROST_KEY].existing().unwrap().backups[&signer(1)].clone();
    let taken_at = backed_up.taken_at;
    book.put(Command::BackUpKey { key: FROST_KEY, backed_up }).unwrap();
    let drill = signed_drill(practice(signer(1), book.now));
    book.put(drill.clone()).unwrap();
    assert_eq!(book.history.len(), history);
    book.refused(signed_drill(practice(signer(1), taken_at)), Rule::KeyBackup);
    let other = BackedUp { threshold: 3, ..word(signer(1), taken_at) };
    let three = vec![Bytes(vec![2; 33]); 3];
    book.refused(signed_backup(BackedUp { commitment: three, ..other }), Rule::KeyBackup);
    // A later backup takes its place, and wants a drill of its own.
    book.wait(60);
    book.put(signed_backup(word(signer(1), book.now))).unwrap();
    assert!(book.state.keys[&FROST_KEY].existing().unwrap().drilled.is_empty());
    book.refused(drill, Rule::KeyBackup);
}

#[test]
fn a_word_of_the_future_or_of_last_week_is_refused() {
    let mut book = Book::funded();
    let now = book.now;
    book.refused(signed_backup(word(signer(1), now.plus_seconds(601))), Rule::KeyBackup);
    book.wait(8 * 86_400);
    book.refused(signed_backup(word(signer(1), now)), Rule::KeyBackup);
}

#[test]
fn a_backup_has_known_officers_and_needs_two() {
    let book = Book::funded();
    let right = || word(signer(1), book.now);
    let stranger = PersonId(Uuid::from_u128(0x999));
    for wrong in [
        BackedUp { officers: vec![ANN, stranger, BEN], ..right() },
        BackedUp { officers: vec![ANN, BEN, ANN], ..right() },
        BackedUp { threshold: 1, commitment: vec![Bytes(vec![2; 33])], ..right() },
        BackedUp { officers: vec![ANN], ..right() },
        BackedUp { commitment: vec![Bytes(vec![2; 33])], ..right() },
        BackedUp { commitment: vec![Bytes(vec![2; 32]); 2], ..right() },
        BackedUp { epoch: 2, ..right() },
        BackedUp { signer: signer(4), ..right() },
    ] {
        book.clone().refused(signed_backup(wrong), Rule::KeyBackup);
    }
}

#[test]
fn a_drill_takes_enough_officers_of_a_backup_of_the_shares_in_use() {
    let book = drilled();
    let at = book.now.plus_seconds(60);
    let right = || practice(signer(1), at);
    for wrong in [
        RecoveryDrilled { officers: vec![ANN], ..right() },
        RecoveryDrilled { officers: vec![ANN, ANN], ..right() },
        RecoveryDrilled { officers: vec![ANN, DAN], ..right() },
        RecoveryDrilled { epoch: 2, ..right() },
        RecoveryDrilled { signer: signer(2), ..right() },
    ] {
        book.clone().refused(signed_drill(wrong), Rule::KeyBackup);
    }
}

#[test]
fn a_share_is_restored_from_a_backup_only_where_there_is_one_of_this_epoch() {
    let mut without = Book::funded();
    let ask = restore(&without);
    without.refused(ask, Rule::KeyBackup);
    let mut book = drilled();
    let ask = restore(&book);
    book.put(ask).unwrap();
    let change = book.state.keys[&FROST_KEY].existing().unwrap().change.clone().unwrap();
    assert_eq!(change.holders.len(), 3);
    assert!(!change.approved);
    book.approve(change.proposal, &[ANN, BEN]);
    // The quorum agreed to pieces, not to helpers.
    let helpers = vec![signer(2), signer(3)];
    let because = "no officer came".to_owned();
    let retry = Command::RetryKeyChange { key: FROST_KEY, helpers, because };
    book.refused(retry, Rule::CeremonyPlan);
}

/// A server that writes a word with something changed writes no log that anybody reads.
#[test]
fn a_forged_backup_or_drill_is_no_lawful_entry() {
    let book = drilled();
    let mut tried = BTreeSet::new();
    for (place, recorded) in book.history.iter().enumerate() {
        let (Stream::Key(_), strongroom_domain::Event::Key(event)) =
            (recorded.stream, &recorded.event)
        else {
            continue;
        };
        let forgeries: Vec<KeyEvent> = match event {
            KeyEvent::BackedUp(of) => vec![
                BackedUp { officers: vec![ANN, BEN, DAN], ..of.clone() }.into(),
                BackedUp { commitment: vec![Bytes(vec![3; 33]); 2], ..of.clone() }.into(),
                BackedUp { signer: signer(2), ..of.clone() }.into(),
                BackedUp { taken_at: of.taken_at.plus_seconds(1), ..of.clone() }.into(),
                BackedUp { signature: Bytes(vec![0; 64]), ..of.clone() }.into(),
            ],
            KeyEvent::RecoveryDrilled(of) => vec![
                RecoveryDrilled { officers: vec![BEN, CAT], ..of.clone() }.into(),
                RecoveryDrilled { signer: signer(2), ..of.clone() }.into(),
                RecoveryDrilled { taken_at: of.taken_at.plus_seconds(1), ..of.clone() }.into(),
                RecoveryDrilled { signature: Bytes(vec![0; 64]), ..of.clone() }.into(),
            ],
            _ => continue,
        };
        tried.insert(event.kind().0);
        let mut before = strongroom_domain::audit::Audited::default();
        for earlier in &book.history[..place] {
            before.extend(earlier).unwrap();
        }
        for forged in forgeries {
            let forged = Recorded { event: forged.into(), ..recorded.clone() };
            let found = before.clone().extend(&forged);
            assert!(matches!(found, Err(Violation::Unlawful { .. })), "{forged:?}");
        }
    }
    assert_eq!(tried, BTreeSet::from(["key.backed-up", "key.recovery-drilled"]));
}
