//! Whoever can write the whole log, hashes and all, still can't make it lawful.

use crate::book::{Book, bytes, find, house, pay, rechained, run, signed, signed_with, unsigned};
use crate::world::{ETH, LTC, World, question, transfer};
use strongroom_chains::SignedTx;
use strongroom_domain::{
    Amount, Branch, Bytes, Command, Event,
    account::AccountEvent,
    proposal::ProposalEvent,
    statement::Answer,
    transfer::{AttemptSigned, TransferEvent},
};
use strongroom_ledger::{Entry, export::Pair};
use strongroom_replay::Fault;

fn code(fault: Fault) -> i32 {
    fault.exit_code().into()
}

/// The entries after `change` to the first event of a type, with every hash made again.
fn forged(pairs: &[Pair], kind: &str, change: impl FnOnce(&mut Event)) -> (usize, Vec<Pair>) {
    let at = find(pairs, kind);
    let mut pairs = pairs.to_vec();
    let mut event = Event::decode(kind, 1, &pairs[at].payload).unwrap();
    change(&mut event);
    pairs[at].payload = event.encode().unwrap();
    (at + 1, rechained(&pairs))
}

fn refused(book: &Book, forged: &(usize, Vec<Pair>), fault: Fault) {
    let (position, pairs) = forged;
    let (found, said) = book.judged_unpinned(pairs);
    assert_eq!(found, code(fault), "{said}");
    assert!(said.contains(&format!("entry {position}")), "entry {position}: {said}");
}

#[tokio::test]
async fn an_approval_needs_its_approvers_signature() {
    let book = Book::written().await;
    let pairs = book.pairs();
    let other = forged(&pairs, "proposal.approved", |event| {
        let Event::Proposal(ProposalEvent::ApprovedV1(approved)) = event else { panic!() };
        approved.signature.0[5] ^= 1;
    });
    refused(&book, &other, Fault::BadSignature);
}

#[tokio::test]
async fn an_amount_cannot_change_after_it_was_asked() {
    let book = Book::written().await;
    let pairs = book.pairs();
    let other = forged(&pairs, "transfer.requested", |event| {
        let Event::Transfer(TransferEvent::RequestedV1(requested)) = event else { panic!() };
        requested.intent.amount = Amount::new(1_000);
    });
    refused(&book, &other, Fault::Violation);
}

#[tokio::test]
async fn an_approval_cannot_be_left_out() {
    let book = Book::written().await;
    let mut pairs = book.pairs();
    let first = find(&pairs, "transfer.requested");
    let approval = first + find(&pairs[first..], "proposal.approved");
    pairs.remove(approval);
    let (found, said) = book.judged_unpinned(&rechained(&pairs));
    assert_eq!(found, code(Fault::Violation), "{said}");
}

#[tokio::test]
async fn money_cannot_be_credited_without_a_deposit() {
    let book = Book::written().await;
    let pairs = book.pairs();
    let other = forged(&pairs, "account.posted", |event| {
        let Event::Account(AccountEvent::Posted(posted)) = event else { panic!() };
        posted.entries[0].amount = Amount::new(5);
    });
    refused(&book, &other, Fault::Violation);
}

#[tokio::test]
async fn an_entry_cannot_be_added() {
    let book = Book::written().await;
    let mut pairs = book.pairs();
    let again = pairs[find(&pairs, "account.posted")].clone();
    pairs.push(again);
    let (found, said) = book.judged_unpinned(&rechained(&pairs));
    assert_eq!(found, code(Fault::Violation), "{said}");
}

#[tokio::test]
async fn a_signed_transaction_is_what_was_authorised() {
    let book = Book::written().await;
    let pairs = book.pairs();
    let other = forged(&pairs, "transfer.attempt-signed", |event| {
        let Event::Transfer(TransferEvent::AttemptSigned(signed)) = event else { panic!() };
        let last = signed.raw.0.len() - 1;
        signed.raw.0[last] ^= 1;
    });
    refused(&book, &other, Fault::Violation);
    let other = forged(&pairs, "transfer.attempt-signed", |event| {
        let Event::Transfer(TransferEvent::AttemptSigned(signed)) = event else { panic!() };
        signed.transaction = "ab".repeat(32);
    });
    refused(&book, &other, Fault::Violation);
}

/// The house after its founding, with an approved transfer 1: what happens then is up to a test.
async fn approved(book: &std::path::Path) -> (World, strongroom_domain::Intent) {
    let mut world = house(book);
    world.found().await;
    world.furnish().await;
    world.see(ETH, 1, 1_000_000_000_000_000_000).await.unwrap();
    world.credit(ETH, 1).await.unwrap();
    let intent = world.intent(ETH, 1, 500_000_000_000_000_000, 100_000_000_000_000);
    world.request(intent.clone(), 1).await.unwrap();
    world.answer(question(1), 0, Answer::Approve).await.unwrap();
    world.answer(question(1), 1, Answer::Approve).await.unwrap();
    (world, intent)
}

fn violates(log: &std::path::Path, says: &str) {
    let (found, said) = run(&["verify", log.to_str().unwrap()]);
    assert_eq!(found, code(Fault::Violation), "{said}");
    assert!(said.contains(says), "{said}");
}

/// `domain` and the server do not look into transactions: the audit does.
#[tokio::test]
async fn another_key_cannot_have_signed() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log.db");
    let (mut world, intent) = approved(&log).await;
    pay(&mut world, &intent, 8).await;
    violates(&log, "the signed transaction of attempt 1");
}

/// Two payments, each signed well by the wallet's key, with a nonce that whoever signed chose.
async fn paid_with(log: &std::path::Path, nonces: [u64; 2]) -> (i32, String) {
    let mut world = house(log);
    world.found().await;
    world.furnish().await;
    world.see(ETH, 1, 1_000_000_000_000_000_000).await.unwrap();
    world.credit(ETH, 1).await.unwrap();
    for (n, account_nonce, nonce) in [(1, 0, nonces[0]), (2, 1, nonces[1])] {
        let intent = world.intent(ETH, n, 5_000 + u128::from(n), 100_000_000_000_000);
        world.request(intent.clone(), n).await.unwrap();
        world.answer(question(n), 0, Answer::Approve).await.unwrap();
        world.answer(question(n), 1, Answer::Approve).await.unwrap();
        let unsigned = unsigned(&intent, account_nonce);
        world.authorise(n, 1, unsigned.to_bytes(), 42_000_000_000_000).await.unwrap();
        let SignedTx { raw, id } = signed_with(&unsigned, 7, nonce);
        let signed = AttemptSigned { attempt: 1, raw, transaction: id.to_string() };
        world.act(Command::RecordSigned { transfer: transfer(n), signed }).await.unwrap();
    }
    drop(world);
    run(&["verify", log.to_str().unwrap()])
}

/// Every signature is valid and every rule kept: only both together give the key away.
#[tokio::test]
async fn a_key_never_signs_twice_with_one_nonce() {
    let directory = tempfile::tempdir().unwrap();
    let (found, said) = paid_with(&directory.path().join("well.db"), [1_234, 1_235]).await;
    assert_eq!(found, 0, "{said}");
    let (found, said) = paid_with(&directory.path().join("log.db"), [1_234, 1_234]).await;
    assert_eq!(found, code(Fault::NonceReused), "{said}");
    assert!(said.contains("signs with the nonce of entry"), "{said}");
}

#[tokio::test]
async fn a_transaction_pays_what_was_approved() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log.db");
    let (mut world, mut intent) = approved(&log).await;
    intent.amount = Amount::new(7);
    let unsigned = unsigned(&intent, 0).to_bytes();
    world.authorise(1, 1, unsigned, 42_000_000_000_000).await.unwrap();
    violates(&log, "has another amount than was approved");
}

#[tokio::test]
async fn a_transaction_uses_the_account_nonce_that_was_set_aside() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log.db");
    let (mut world, intent) = approved(&log).await;
    let unsigned = unsigned(&intent, 3).to_bytes();
    world.authorise(1, 1, unsigned, 42_000_000_000_000).await.unwrap();
    violates(&log, "spends something else than was set aside");
}

#[tokio::test]
async fn a_transaction_costs_no_more_than_the_log_says() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log.db");
    let (mut world, intent) = approved(&log).await;
    let unsigned = unsigned(&intent, 0);
    world.authorise(1, 1, unsigned.to_bytes(), 41_999_999_999_999).await.unwrap();
    violates(&log, "can cost 42000000000000");
    assert_eq!(signed(&unsigned, 7).raw.0[0], 2);
}

#[tokio::test]
async fn what_is_no_transaction_is_not_authorised() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log.db");
    let (mut world, _) = approved(&log).await;
    world.authorise(1, 1, Bytes(vec![1, 2, 3]), 42_000_000_000_000).await.unwrap();
    violates(&log, "the transaction of attempt 1");
}

#[tokio::test]
async fn an_address_is_derived_from_its_wallets_key() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log.db");
    let mut world = house(&log);
    world.found().await;
    world.furnish().await;
    let stranger = world.ltc.destination.clone();
    world.derive(LTC, Branch::Deposit, 1, stranger).await.unwrap();
    violates(&log, "is not derived from the wallet's key at 0/1");
}

#[tokio::test]
async fn a_newer_event_is_told_from_a_damaged_one() {
    let book = Book::written().await;
    let mut pairs = book.pairs();
    let at = find(&pairs, "deposit.seen");
    let mut entry = Entry::parse(&pairs[at].entry).unwrap();
    entry.version = 2;
    pairs[at].entry = entry.encode().unwrap();
    let (found, said) = book.judged_unpinned(&rechained(&pairs));
    assert_eq!(found, code(Fault::UnknownVersion), "{said}");
    let mut pairs = book.pairs();
    pairs[at].payload = b"{}".to_vec();
    let (found, said) = book.judged_unpinned(&rechained(&pairs));
    assert_eq!(found, code(Fault::Malformed), "{said}");
    assert_ne!(bytes(&pairs), bytes(&book.pairs()));
}
