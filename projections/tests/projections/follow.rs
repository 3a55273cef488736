//! Following a log: in whatever batches, whatever interrupts it, the tables are the same.

use crate::histories::{history, house};
use proptest::prelude::*;
use rusqlite::{Connection, types::Value};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use strongroom_domain::statement::Answer;
use strongroom_projections::{
    DepositFilter, OpenError, Page, Projections, ProposalFilter, ReadOnly, TransferFilter,
};
use strongroom_store::ledger::{Hash, Tile};
use strongroom_store::{
    BoxFuture, Head, Position, ReadError, ReadLog, Record, StoredOutcome, Subscription,
};
use tokio::sync::watch;
use tokio::time::Instant;

/// The first entries of a log, in small pages.
struct Shown {
    log: Arc<dyn ReadLog>,
    heads: watch::Receiver<Head>,
    page: usize,
}

/// Shows `log` up to `position`, as if it ended there, in pages of `page`.
async fn shown(log: Arc<dyn ReadLog>, position: u64, page: usize) -> Arc<dyn ReadLog> {
    let at = Position::new(position).unwrap();
    let head = match log.read_from(at, 1).await.unwrap().first() {
        Some(last) if position > 0 => Head { position: at, leaf: last.leaf() },
        _ => Head::EMPTY,
    };
    // The sender goes: nothing more will come.
    let heads = watch::channel(head).1;
    Arc::new(Shown { log, heads, page })
}

impl ReadLog for Shown {
    fn head(&self) -> Head {
        *self.heads.borrow()
    }

    fn read_from(
        &self,
        from: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>> {
        Box::pin(async move {
            let mut page = self.log.read_from(from, limit.min(self.page)).await?;
            page.retain(|record| record.entry.position <= self.head().position);
            Ok(page)
        })
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a str,
        from: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Record>, ReadError>> {
        self.log.read_stream(stream, from, limit)
    }

    fn stream_sequence<'a>(&'a self, stream: &'a str) -> BoxFuture<'a, Result<u64, ReadError>> {
        self.log.stream_sequence(stream)
    }

    fn outcome<'a>(
        &'a self,
        caller: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredOutcome>, ReadError>> {
        self.log.outcome(caller, key)
    }

    fn tiles<'a>(&'a self, tiles: &'a [Tile]) -> BoxFuture<'a, Result<Vec<Vec<Hash>>, ReadError>> {
        self.log.tiles(tiles)
    }

    fn subscribe(&self, from: Position) -> Subscription {
        let again = Self { log: Arc::clone(&self.log), heads: self.heads.clone(), page: self.page };
        Subscription::new(Arc::new(again), self.heads.clone(), from)
    }
}

/// Every cell of every table.
fn tables(path: &Path) -> Vec<(String, Vec<Vec<Value>>)> {
    let db = Connection::open(path).unwrap();
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut names = db.prepare(names).unwrap();
    let names: Vec<String> =
        names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let rows = |name: &String| {
        let mut all = db.prepare(&format!("SELECT * FROM {name} ORDER BY 1, 2")).unwrap();
        let columns = all.column_count();
        let cells = |row: &rusqlite::Row<'_>| (0..columns).map(|cell| row.get(cell)).collect();
        all.query_map([], cells).unwrap().map(Result::unwrap).collect()
    };
    names.iter().map(|name| (name.clone(), rows(name))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every restart opens the file again, as after a crash: what was not committed comes again.
    #[test]
    fn small_batches_with_restarts_make_the_tables_of_one_rebuild(
        choices in proptest::collection::vec(any::<(u8, u8)>(), 40..160),
        stops in proptest::collection::vec(0.0..1.0_f64, 0..5),
        page in 1_usize..9,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let (live, once) = (directory.path().join("live.db"), directory.path().join("once.db"));
            let world = history(&choices).await;
            let end = world.state.head.position;
            let mut stops: Vec<u64> = stops.iter().map(|part| whole(*part, end)).collect();
            stops.sort_unstable();
            stops.push(end);
            for stop in stops {
                let log = shown(world.reader(), stop, page).await;
                let projections = Projections::open(&live).unwrap();
                projections.run(log).await.unwrap();
                assert_eq!(projections.head().position, stop);
            }
            let projections = Projections::open(&once).unwrap();
            projections.run(shown(world.reader(), end, 1000).await).await.unwrap();
            assert_eq!(tables(&live), tables(&once));
            balanced(&once, &world);
        });
    }
}

#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part of a small number of entries"
)]
fn whole(part: f64, of: u64) -> u64 {
    (part * of as f64) as u64
}

/// The tables say of every account and transfer what `domain` says, and the books balance.
fn balanced(path: &Path, world: &crate::world::World) {
    let all = Page::oldest(500);
    ReadOnly::open(path)
        .unwrap()
        .view(|view| {
            let accounts = view.accounts(None, all)?;
            assert_eq!(accounts.len(), world.state.accounts.len());
            for row in accounts {
                let claim = world.state.accounts[&row.account].claim().unwrap();
                assert_eq!((row.total, row.shortfall), (claim.total, claim.shortfall));
                assert_eq!(row.available, claim.available());
                let held = view.holds(row.account, all)?;
                let held: Vec<_> = held.iter().map(|hold| (hold.transfer, hold.amount)).collect();
                assert_eq!(held.len(), claim.holds.len());
                assert!(held.iter().all(|(transfer, amount)| claim.holds[transfer] == *amount));
            }
            let transfers = view.transfers(TransferFilter::default(), all)?;
            assert_eq!(transfers.len(), world.state.transfers.len());
            for row in transfers {
                assert_eq!(row.state.name(), world.state.transfers[&row.transfer].name());
                let story = view.transfer_story(row.transfer)?.unwrap();
                assert_eq!(story.proposal.map(|asked| asked.proposal), row.proposal);
            }
            for row in view.proposals(ProposalFilter::default(), all)? {
                assert_eq!(row.state.name(), world.state.proposals[&row.proposal].name());
            }
            for row in view.deposits(DepositFilter::default(), all)? {
                assert_eq!(row.state.name(), world.state.deposits[&row.deposit].name());
            }
            for row in view.trial_balance()? {
                assert_eq!(row.all.debits, row.all.credits, "{}", row.asset);
            }
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn a_model_that_is_ahead_of_its_log_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("read.db");
    let world = house().await;
    let (end, behind) = (world.state.head.position, 7);
    let projections = Projections::open(&path).unwrap();
    projections.run(shown(world.reader(), end, 100).await).await.unwrap();
    projections.run(shown(world.reader(), behind, 100).await).await.unwrap();
    assert_eq!(projections.head().position, behind);
    let entries = projections.view(|view| view.entries(Page::newest(100))).unwrap();
    assert_eq!(entries.len(), 7);
    assert_eq!(entries[0].position, behind);
}

#[tokio::test]
async fn a_model_of_another_log_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("read.db");
    let world = house().await;
    let mut other = house().await;
    let end = world.state.head.position;
    // The same length, another end.
    other.wait(1);
    let projections = Projections::open(&path).unwrap();
    let proposal = other.see(crate::world::LTC, 1, 5).await;
    proposal.unwrap();
    projections.run(shown(other.reader(), end + 1, 100).await).await.unwrap();
    let mut world = world;
    world.see(crate::world::LTC, 2, 6).await.unwrap();
    projections.run(shown(world.reader(), end + 1, 100).await).await.unwrap();
    assert_eq!(projections.head(), world.state.head);
    let deposits =
        projections.view(|view| view.deposits(DepositFilter::default(), Page::oldest(9)));
    assert_eq!(deposits.unwrap()[0].amount.units(), 6);
}

#[tokio::test]
async fn who_waits_for_a_write_reads_it() {
    let directory = tempfile::tempdir().unwrap();
    let projections = Projections::open(directory.path().join("read.db")).unwrap();
    let mut world = house().await;
    let running = {
        let (projections, log) = (projections.clone(), world.reader());
        tokio::spawn(async move { projections.run(log).await })
    };
    let soon = || Instant::now() + Duration::from_mins(1);
    for n in 0..5 {
        world.see(crate::world::LTC, n, 5).await.unwrap();
        let position = world.state.head.position;
        projections.wait_for(position, soon()).await.unwrap();
        let deposit = crate::world::World::deposit_id(crate::world::LTC, n);
        let found = projections.read(move |view| view.deposit(deposit)).await.unwrap();
        assert_eq!(found.unwrap().position, position);
    }
    let head = world.state.head.position;
    let behind = projections.wait_for(head + 1, Instant::now()).await.unwrap_err();
    assert_eq!((behind.wanted, behind.reached), (head + 1, head));
    running.abort();
}

#[tokio::test]
async fn a_file_that_is_something_else_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch("CREATE TABLE precious (id INTEGER)").unwrap();
    assert!(matches!(Projections::open(&path), Err(OpenError::NotOurs { .. })));
    db.execute_batch("INSERT INTO precious VALUES (1)").unwrap();
}

#[tokio::test]
async fn a_model_of_another_build_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("read.db");
    let mut world = house().await;
    let end = world.state.head.position;
    Projections::open(&path).unwrap().run(shown(world.reader(), end, 9).await).await.unwrap();
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(ReadOnly::open(&path), Err(OpenError::Format { found: 99, .. })));
    let projections = Projections::open(&path).unwrap();
    assert_eq!(projections.head().position, 0);
    let intent = world.intent(crate::world::LTC, 1, 10, 1);
    assert!(world.request(intent, 1).await.is_err(), "there is no money yet");
    assert!(world.answer(crate::world::question(1), 0, Answer::Approve).await.is_err());
}
