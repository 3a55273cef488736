//! What was consumed stays consumed: over restarts, and beside orders that run at the same time.

use std::{fs, path::Path};

use strongroom_chains::ethereum::{self, Gas};
use strongroom_domain::{
    AccountId, Amount, Digest, Head, Intent, KeyId, Network, Rule, SignerId, TransferId, WalletId,
};
use uuid::Uuid;

use super::{Banned, Consumed, Consumptions, Realisation, Record, UnsignedTx};
use crate::journal::Journal;

const NETWORK: Network = Network::EthereumDev;

fn head(position: u64) -> Head {
    Head { position, leaf: Digest([u8::try_from(position).unwrap(); 32]) }
}

/// Attempt `attempt` of a transfer, with this account nonce and fee per gas.
fn attempt(transfer: u128, attempt: u32, nonce: u64, max_fee: u128) -> (Consumed, UnsignedTx) {
    let transfer = TransferId(Uuid::from_u128(transfer));
    let intent = Intent {
        transfer,
        account: AccountId(Uuid::nil()),
        wallet: WalletId(Uuid::nil()),
        asset: NETWORK.native_asset(),
        amount: Amount::new(1),
        destination: "0x52908400098527886E0F7030069857D2E4169EE7".parse().unwrap(),
        fee_cap: Amount::new(u128::MAX),
    };
    let chain = ethereum::Chain::of(NETWORK).unwrap();
    let gas = Gas { max_fee, max_priority_fee: 1 };
    let unsigned = UnsignedTx::Ethereum(ethereum::build(chain, &intent, nonce, gas).unwrap());
    let bytes = unsigned.to_bytes();
    (Consumed { transfer, attempt, network: NETWORK, unsigned: bytes, parent: None }, unsigned)
}

fn alone(transaction: &UnsignedTx) -> Realisation<'_> {
    Realisation { transaction, parent: None }
}

fn open(path: &Path) -> Consumptions {
    Consumptions::open(path).unwrap()
}

/// An empty journal in a folder of its own.
fn journal() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    Journal::create(&path).unwrap();
    (folder, path)
}

fn consume(at: &Consumptions, (consumed, unsigned): &(Consumed, UnsignedTx), position: u64) {
    let noted = at.note(consumed.clone(), &alone(unsigned), head(position)).unwrap();
    at.settle(noted).unwrap();
}

fn refusal(at: &Consumptions, (consumed, unsigned): &(Consumed, UnsignedTx)) -> Rule {
    at.note(consumed.clone(), &alone(unsigned), head(9)).err().unwrap().rule
}

#[test]
fn an_attempt_that_does_not_exclude_a_consumed_one_is_refused_over_restarts_too() {
    let (_folder, path) = journal();
    let consumptions = open(&path);
    consume(&consumptions, &attempt(1, 1, 7, 10), 3);
    assert_eq!(refusal(&consumptions, &attempt(1, 2, 8, 10)), Rule::SignerAttemptConsumed);
    // The same account nonce: only one of the two can be.
    consume(&consumptions, &attempt(1, 2, 7, 20), 4);
    // Another transfer's affair.
    consume(&consumptions, &attempt(2, 1, 8, 10), 5);
    drop(consumptions);
    let consumptions = open(&path);
    assert_eq!(consumptions.acknowledged(), head(5));
    assert_eq!(refusal(&consumptions, &attempt(1, 3, 8, 10)), Rule::SignerAttemptConsumed);
    consume(&consumptions, &attempt(1, 1, 7, 10), 5);
}

#[test]
fn an_attempt_that_is_only_noted_forbids_others_already() {
    let (_folder, path) = journal();
    let consumptions = open(&path);
    let (consumed, unsigned) = attempt(1, 1, 7, 10);
    let noted = consumptions.note(consumed, &alone(&unsigned), head(3)).unwrap();
    assert_eq!(refusal(&consumptions, &attempt(1, 2, 8, 10)), Rule::SignerAttemptConsumed);
    consumptions.settle(noted).unwrap();
}

#[test]
fn what_was_acknowledged_never_goes_back() {
    let (_folder, path) = journal();
    let consumptions = open(&path);
    let (one, two) = (attempt(1, 1, 7, 10), attempt(2, 1, 8, 10));
    // Judged in one order, settled in the other.
    let early = consumptions.note(one.0, &alone(&one.1), head(3)).unwrap();
    let late = consumptions.note(two.0, &alone(&two.1), head(4)).unwrap();
    consumptions.settle(late).unwrap();
    consumptions.settle(early).unwrap();
    assert_eq!(consumptions.acknowledged(), head(4));
    drop(consumptions);
    assert_eq!(open(&path).acknowledged(), head(4));
}

#[test]
fn a_repeated_consumption_adds_nothing_unless_the_log_went_on() {
    let (_folder, path) = journal();
    let consumptions = open(&path);
    let one = attempt(1, 1, 7, 10);
    consume(&consumptions, &one, 3);
    let length = fs::metadata(&path).unwrap().len();
    consume(&consumptions, &one, 3);
    assert_eq!(fs::metadata(&path).unwrap().len(), length);
    consume(&consumptions, &one, 4);
    assert!(fs::metadata(&path).unwrap().len() > length);
    // A repeat beside the first, which is not on disk yet, waits for its own.
    let (consumed, unsigned) = attempt(2, 1, 8, 10);
    let first = consumptions.note(consumed.clone(), &alone(&unsigned), head(4)).unwrap();
    let second = consumptions.note(consumed, &alone(&unsigned), head(4)).unwrap();
    consumptions.settle(second).unwrap();
    drop(first);
    drop(consumptions);
    let records = Journal::open::<Record>(&path).unwrap().records;
    let of = |transfer: u128| {
        let id = TransferId(Uuid::from_u128(transfer));
        records.iter().filter(|r| matches!(r, Record::Consumed(c) if c.transfer == id)).count()
    };
    assert_eq!((of(1), of(2)), (2, 1));
}

/// Lines of a journal from before marks were kept, and what they say of time.
#[test]
fn an_old_journal_is_read_and_what_it_verified_counts_by_its_dates() {
    let (_folder, path) = journal();
    let at = open(&path);
    let lines = [
        r#"{"verified":{"position":5,"leaf":"0505050505050505050505050505050505050505050505050505050505050505"}}"#,
        r#"{"sighted":{"of":{"transfer":"00000000-0000-0000-0000-000000000001"},"from":"2026-11-18T11:06:40.000000Z"}}"#,
    ];
    let old: Vec<serde_json::Value> =
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    at.journal.append_durable(&old).unwrap();
    drop(at);
    let mut at = open(&path);
    let known = at.known();
    assert_eq!((known.unmarked, known.sights.len(), known.marks.len()), (5, 1, 0));
    let then: strongroom_domain::Timestamp = "2026-11-18T12:00:00.000000Z".parse().unwrap();
    at.read(then);
    at.acknowledge(head(7)).unwrap();
    drop(at);
    let known = open(&path).known();
    assert_eq!(known.unmarked, 5, "only what was there before the first mark");
    assert_eq!(known.marks, [crate::sights::Mark { position: 7, by: then }]);
}

#[test]
fn a_new_journal_trusts_no_date_and_marks_are_apart() {
    let (_folder, path) = journal();
    let at = open(&path);
    let then: strongroom_domain::Timestamp = "2026-11-18T12:00:00.000000Z".parse().unwrap();
    for second in 0..100 {
        at.read(then.plus_seconds(second));
        consume(&at, &attempt(u128::from(second), 1, second, 5), second + 1);
    }
    drop(at);
    let known = open(&path).known();
    assert_eq!(known.unmarked, 0);
    let seconds: Vec<_> = known.marks.iter().map(|mark| mark.position).collect();
    assert_eq!(seconds, (0..10).map(|mark| mark * 10 + 1).collect::<Vec<u64>>());
    let lines = fs::read_to_string(&path).unwrap();
    let longest = lines.lines().filter(|line| line.contains("marked")).map(str::len).max();
    assert!(longest.unwrap() < 160, "{longest:?}");
}

#[test]
fn whoever_was_caught_stays_banned_while_the_shares_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    Journal::create(&path).unwrap();
    let (key, cheat, other) =
        (KeyId(Uuid::from_u128(1)), SignerId(Uuid::from_u128(2)), SignerId(Uuid::from_u128(3)));
    let all = [other, cheat];
    let consumptions = Consumptions::open(&path).unwrap();
    assert_eq!(consumptions.demand_unbanned((key, 1), &all), Ok(()));
    consumptions.ban(Banned { key, epoch: 1, holder: cheat }).unwrap();
    drop(consumptions);
    // The server never heard of it, and the process was killed.
    let consumptions = Consumptions::open(&path).unwrap();
    let refused = consumptions.demand_unbanned((key, 1), &all).unwrap_err();
    assert_eq!(refused.rule, Rule::SignerQuarantined);
    assert_eq!(consumptions.demand_unbanned((key, 1), &[other]), Ok(()));
    assert_eq!(consumptions.demand_unbanned((key, 2), &all), Ok(()), "new shares");
    assert_eq!(consumptions.demand_unbanned((KeyId(Uuid::nil()), 1), &all), Ok(()));
}
