//! The adapter's rules, with cqrs-es's own framework on real logs.

use super::{Adapted, HandleError, LogEventStore, Told};
use cqrs_es::{
    Aggregate as _, AggregateContext as _, AggregateError, CqrsFramework, DomainEvent as _,
    EventEnvelope, EventStore as _, Query, test::TestFramework,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use strongroom_domain::{
    AccountId, Actor, Amount, ClientId, DepositId, Network, TransferId, WalletId,
    account::{
        self, Account, AccountEvent, HoldPlaced, HoldVoided, JournalEntry, LedgerAccount, Opened,
        Posted, Purpose,
    },
    charter::Charter,
    deposit::{self, BlockRef, Credited, Deposit, DepositEvent, Reorganised, Seen},
};
use strongroom_store::{AppendLog, MemoryLog, SqliteLog};
use uuid::Uuid;

const NETWORK: Network = Network::LitecoinRegtest;

fn id(number: u128) -> Uuid {
    uuid::Builder::from_custom_bytes(number.to_be_bytes()).into_uuid()
}

fn account_id() -> AccountId {
    AccountId(id(1))
}

fn open() -> account::Command {
    account::Command::Open { client: ClientId(id(2)), asset: NETWORK.native_asset() }
}

fn opened() -> Told<AccountEvent> {
    let asset = NETWORK.native_asset();
    Told(Opened { client: ClientId(id(2)), asset }.into())
}

fn credit(units: u128) -> account::Command {
    let (account, deposit, wallet) = (account_id(), DepositId(id(units)), WalletId(id(3)));
    account::Command::Credit { account, deposit, wallet, amount: Amount::new(units) }
}

fn credited(units: u128) -> Told<AccountEvent> {
    let entry = JournalEntry {
        debit: LedgerAccount::Custody(WalletId(id(3))),
        credit: LedgerAccount::Client(account_id()),
        amount: Amount::new(units),
        purpose: Purpose::Deposit,
    };
    Told(Posted { deposit: DepositId(id(units)), entries: vec![entry] }.into())
}

fn hold(units: u128) -> account::Command {
    let (transfer, asset) = (TransferId(id(units)), NETWORK.native_asset());
    account::Command::PlaceHold { transfer, asset, amount: Amount::new(units) }
}

fn held(units: u128) -> Told<AccountEvent> {
    Told(HoldPlaced { transfer: TransferId(id(units)), amount: Amount::new(units) }.into())
}

fn voided(units: u128) -> Told<AccountEvent> {
    Told(HoldVoided { transfer: TransferId(id(units)) }.into())
}

fn seen(hash: &str) -> Seen {
    Seen {
        wallet: WalletId(id(3)),
        address: "rltc1address".parse().unwrap(),
        account: account_id(),
        amount: Amount::new(7),
        place: format!("{}:0", "ab".repeat(32)),
        block: BlockRef { height: 5, hash: hash.to_owned() },
    }
}

fn told(event: impl Into<DepositEvent>) -> Told<DepositEvent> {
    Told(event.into())
}

fn accounts() -> TestFramework<Adapted<Account>> {
    TestFramework::with(())
}

fn deposits() -> TestFramework<Adapted<Deposit>> {
    TestFramework::with(())
}

#[test]
fn an_account_is_opened_once() {
    accounts().given_no_previous_events().when(open()).then_expect_events(vec![opened()]);
    accounts()
        .given(vec![opened()])
        .when(open())
        .then_expect_error_message("id-taken: there is an account with this id already");
}

#[test]
fn an_account_holds_what_it_has_and_no_more() {
    let given = || accounts().given(vec![opened(), credited(10), held(4)]);
    given().when(hold(6)).then_expect_events(vec![held(6)]);
    let refused = given().when(hold(7)).inspect_result().unwrap_err();
    let HandleError::Refused(refusal) = refused else { panic!("{refused}") };
    assert_eq!(refusal.rule.id(), "account-overdraw");
    given().and(vec![voided(4)]).when(hold(10)).then_expect_events(vec![held(10)]);
}

#[test]
fn a_deposit_is_credited_with_its_confirmations_and_taken_back() {
    let credit = |confirmations| deposit::Command::Credit { confirmations, required: 3 };
    let given = || deposits().given(vec![told(seen("aa"))]);
    given().when(credit(2)).then_expect_error_message("deposit-state: 2 of 3 confirmations");
    given().when(credit(3)).then_expect_events(vec![told(Credited { confirmations: 3 })]);
    given()
        .and(vec![told(Credited { confirmations: 3 })])
        .when(deposit::Command::Reorganise)
        .then_expect_events(vec![told(Reorganised { block: seen("aa").block })]);
}

#[test]
fn a_history_that_does_not_fit_fails_every_command_after_it() {
    let damage = "the log is damaged: account.hold-voided cannot follow while the account is open";
    let damaged = || accounts().given(vec![opened(), voided(4)]);
    damaged().when(open()).then_expect_error_message(damage);
    // What comes after the damage does not mend it.
    damaged().and(vec![credited(10)]).when(hold(1)).then_expect_error_message(damage);
}

#[test]
fn an_event_has_its_stored_type_and_version_and_survives_being_serialised() {
    assert_eq!(credited(5).event_type(), "account.posted");
    assert_eq!(credited(5).event_version(), "1");
    let text = serde_json::to_string(&credited(5)).unwrap();
    assert_eq!(serde_json::from_str::<Told<AccountEvent>>(&text).unwrap(), credited(5));
    let other = serde_json::from_str::<Told<DepositEvent>>(&text).unwrap_err();
    assert!(other.to_string().contains("an event of another aggregate"), "{other}");
}

#[test]
fn an_aggregate_is_never_stored() {
    assert!(serde_json::to_string(&Adapted::<Account>::default()).is_err());
    assert!(serde_json::from_str::<Adapted<Account>>("null").is_err());
    assert!(serde_json::from_str::<Adapted<Account>>("{}").is_err());
}

/// What was dispatched after commits.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<(usize, String)>>>);

impl Query<Adapted<Account>> for Heard {
    fn dispatch<'a, 'b, 'c, 'd>(
        &'a self,
        _: &'b str,
        events: &'c [EventEnvelope<Adapted<Account>>],
    ) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'd>>
    where
        'a: 'd,
        'b: 'd,
        'c: 'd,
        Self: 'd,
    {
        let heard = events.iter().map(|one| (one.sequence, one.payload.event_type()));
        self.0.lock().unwrap().extend(heard);
        Box::pin(std::future::ready(()))
    }
}

fn store(log: &Arc<dyn AppendLog>) -> LogEventStore<Account> {
    LogEventStore::new(Arc::clone(log), Actor::Founders)
}

fn logs() -> (tempfile::TempDir, [Arc<dyn AppendLog>; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = SqliteLog::open(folder.path().join("log.db")).unwrap();
    (folder, [Arc::new(MemoryLog::default()), Arc::new(sqlite)])
}

async fn total(log: &Arc<dyn AppendLog>) -> Amount {
    let mut loaded = store(log).load_aggregate(&account_id().to_string()).await.unwrap();
    loaded.aggregate().get().unwrap().claim().unwrap().total
}

#[tokio::test]
async fn the_framework_appends_and_no_event_is_applied_twice() {
    let (_folder, logs) = logs();
    for log in logs {
        let heard = Heard::default();
        let queries: Vec<Box<dyn Query<_>>> = vec![Box::new(heard.clone())];
        let framework = CqrsFramework::new(store(&log), queries, ());
        let id = account_id().to_string();
        framework.execute(&id, open()).await.unwrap();
        for _ in 0..3 {
            framework.execute(&id, credit(10)).await.unwrap();
        }
        assert_eq!(total(&log).await, Amount::new(30));
        let refused = framework.execute(&id, hold(31)).await.unwrap_err();
        assert!(matches!(refused, AggregateError::UserError(HandleError::Refused(_))));
        let posted = |sequence| (sequence, "account.posted".to_owned());
        let expected = [(1, "account.opened".to_owned()), posted(2), posted(3), posted(4)];
        assert_eq!(*heard.0.lock().unwrap(), expected);
        assert_eq!(log.head().position.get(), 4);
    }
}

#[tokio::test]
async fn a_committed_aggregate_holds_each_event_once() {
    let log: Arc<dyn AppendLog> = Arc::new(MemoryLog::default());
    let (store, id) = (store(&log), account_id().to_string());
    let mut loaded = store.load_aggregate(&id).await.unwrap();
    let sink = cqrs_es::event_sink::EventSink::default();
    loaded.aggregate().handle(open(), &(), &sink).await.unwrap();
    loaded.aggregate().handle(credit(10), &(), &sink).await.unwrap();
    let in_memory = loaded.aggregate().clone();
    let committed = store.commit(sink.collect().await, loaded, HashMap::new()).await.unwrap();
    assert_eq!(committed.len(), 2);
    assert_eq!(*store.load_aggregate(&id).await.unwrap().aggregate(), in_memory);
    assert_eq!(total(&log).await, Amount::new(10));
}

#[tokio::test]
async fn a_stale_writer_is_refused() {
    let (_folder, logs) = logs();
    for log in logs {
        let (store, id) = (store(&log), account_id().to_string());
        let first = store.load_aggregate(&id).await.unwrap();
        let second = store.load_aggregate(&id).await.unwrap();
        store.commit(vec![opened()], first, HashMap::new()).await.unwrap();
        let late = store.commit(vec![opened()], second, HashMap::new()).await.unwrap_err();
        assert!(matches!(late, AggregateError::AggregateConflict), "{late}");
        assert_eq!(log.head().position.get(), 1);
    }
}

#[tokio::test]
async fn a_command_without_events_appends_nothing() {
    let log: Arc<dyn AppendLog> = Arc::new(MemoryLog::default());
    let store: LogEventStore<Deposit> = LogEventStore::new(Arc::clone(&log), Actor::Watcher);
    let framework = CqrsFramework::new(store, Vec::new(), ());
    let id = DepositId(id(9)).to_string();
    for _ in 0..3 {
        framework.execute(&id, deposit::Command::See(seen("aa"))).await.unwrap();
    }
    assert_eq!(log.head().position.get(), 1);
}

#[tokio::test]
async fn envelopes_say_where_an_event_stands_and_where_it_came_from() {
    let log: Arc<dyn AppendLog> = Arc::new(MemoryLog::default());
    let framework = CqrsFramework::new(store(&log), Vec::new(), ());
    let account = account_id().to_string();
    let metadata = |pairs: &[(&str, Uuid)]| {
        pairs.iter().map(|(key, id)| ((*key).to_owned(), id.to_string())).collect()
    };
    let given = metadata(&[("command", id(7)), ("correlation", id(8)), ("causation", id(9))]);
    framework.execute_with_metadata(&account, open(), given).await.unwrap();
    let events = store(&log).load_events(&account).await.unwrap();
    let [event] = events.as_slice() else { panic!("one event") };
    assert_eq!((event.sequence, &event.payload), (1, &opened()));
    for (key, value) in [
        ("position", "1".to_owned()),
        ("actor", "founders".to_owned()),
        ("command", id(7).to_string()),
        ("correlation", id(8).to_string()),
        ("causation", id(9).to_string()),
    ] {
        assert_eq!(event.metadata[key], value);
    }
    for strange in [metadata(&[("colour", id(1))]), [("command".to_owned(), "7".to_owned())].into()]
    {
        let refused = framework.execute_with_metadata(&account, credit(1), strange).await;
        assert!(matches!(refused, Err(AggregateError::UnexpectedError(_))), "{refused:?}");
    }
    assert_eq!(log.head().position.get(), 1);
}

#[tokio::test]
async fn what_is_no_id_of_the_aggregate_is_refused() {
    let log: Arc<dyn AppendLog> = Arc::new(MemoryLog::default());
    for wrong in ["", "1", "charter", "account-1", "00000000-0000-0000-0000-00000000000G"] {
        assert!(store(&log).load_events(wrong).await.is_err(), "{wrong}");
        assert!(store(&log).load_aggregate(wrong).await.is_err(), "{wrong}");
    }
    let charter: LogEventStore<Charter> = LogEventStore::new(log, Actor::Founders);
    assert!(charter.load_events("charter").await.unwrap().is_empty());
    assert!(charter.load_events("other").await.is_err());
}

/// A log on disk with four events of an account, and someone with the file and an editor.
async fn tampered(sql: &str) -> (tempfile::TempDir, Arc<dyn AppendLog>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let log: Arc<dyn AppendLog> = Arc::new(SqliteLog::open(&path).unwrap());
    let framework = CqrsFramework::new(store(&log), Vec::new(), ());
    framework.execute(&account_id().to_string(), open()).await.unwrap();
    for units in 1..=3 {
        framework.execute(&account_id().to_string(), credit(units)).await.unwrap();
    }
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.execute_batch("DROP TRIGGER entries_stay; DROP TRIGGER entries_remain;").unwrap();
    raw.execute_batch(sql).unwrap();
    (folder, log)
}

#[tokio::test]
async fn a_hole_in_a_stream_is_noticed() {
    for position in 1..=3 {
        let sql = format!("DELETE FROM entries WHERE position = {position}");
        let (_folder, log) = tampered(&sql).await;
        let (store, id) = (store(&log), account_id().to_string());
        let loaded = store.load_events(&id).await.unwrap_err();
        assert!(loaded.to_string().contains("damaged"), "{position}: {loaded}");
        assert!(store.load_aggregate(&id).await.is_err(), "{position}");
        let framework = CqrsFramework::new(store, Vec::new(), ());
        let executed = framework.execute(&id, credit(9)).await.unwrap_err();
        assert!(matches!(executed, AggregateError::UnexpectedError(_)), "{position}: {executed}");
    }
}

#[tokio::test]
async fn a_stream_that_lost_its_end_takes_no_event() {
    let (_folder, log) = tampered("DELETE FROM entries WHERE position = 4").await;
    let framework = CqrsFramework::new(store(&log), Vec::new(), ());
    let executed = framework.execute(&account_id().to_string(), credit(9)).await.unwrap_err();
    assert!(matches!(executed, AggregateError::AggregateConflict), "{executed}");
}

#[tokio::test]
async fn a_stream_that_makes_no_sense_is_not_loaded() {
    let log: Arc<dyn AppendLog> = Arc::new(MemoryLog::default());
    let (store, id) = (store(&log), account_id().to_string());
    let fresh = store.load_aggregate(&id).await.unwrap();
    // The store keeps what it is given; whoever commits without deciding damages the log.
    store.commit(vec![voided(4)], fresh, HashMap::new()).await.unwrap();
    let damaged = store.load_aggregate(&id).await.err().expect("damage");
    assert!(matches!(damaged, AggregateError::UnexpectedError(_)), "{damaged}");
}
