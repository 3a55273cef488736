//! postgres-es 0.5 reads the events of a log on PostgreSQL, and its views live beside it. Never
//! writes to the log: the database refuses it.

#[path = "../../tests/src/postgres.rs"]
mod cluster;

use std::process::Command;
use std::str::FromStr;
use std::sync::Arc;

use cluster::Cluster;
use cqrs_es::persist::{
    GenericQuery, PersistedEventRepository, PersistedEventStore, SerializedEvent, ViewRepository,
};
use cqrs_es::{Aggregate, AggregateContext, EventEnvelope, EventStore, Query, View};
use postgres_es::{PostgresEventRepository, PostgresViewRepository, postgres_cqrs};
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Pool, Postgres};
use strongroom_benches_es::Transfer;

const ID: &str = "0192f0c1-2345-7890-abcd-0123456789ab";

/// The actors and texts of a transfer's events.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    actors: Vec<String>,
    texts: Vec<String>,
}

impl View<Transfer> for Seen {
    fn update(&mut self, event: &EventEnvelope<Transfer>) {
        self.actors.push(event.metadata["actor"].clone());
        self.texts.push(event.payload.after.clone());
    }
}

/// The product cannot be linked here (two versions of SQLite): its example writes the log.
fn write_a_log(url: &str, stream: &str, count: u32) {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let status = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--locked", "--manifest-path", manifest])
        .args(["-p", "strongroom-store", "--example", "append", "--", url, stream])
        .arg(count.to_string())
        .env_remove("CARGO_MANIFEST_DIR")
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}

/// A login that reads the log, and has a schema of its own for views.
async fn reader(cluster: &Cluster, database: &str) -> Pool<Postgres> {
    cluster.sql(
        database,
        "CREATE ROLE analyst LOGIN IN ROLE strongroom_reader;
         CREATE SCHEMA views AUTHORIZATION analyst",
    );
    let options = PgConnectOptions::from_str(&cluster.url("analyst", database)).unwrap();
    let options = options.options([("search_path", "strongroom_log,views")]);
    let pool = PgPoolOptions::new().max_connections(4).connect_with(options).await.unwrap();
    // The table of postgres-es's own `db/init.sql`.
    let view = "CREATE TABLE views.seen (view_id text NOT NULL,
      version bigint CHECK (version >= 0) NOT NULL, payload json NOT NULL, PRIMARY KEY (view_id))";
    sqlx::query(view).execute(&pool).await.unwrap();
    pool
}

#[tokio::test]
async fn its_repositories_read_our_events_and_keep_views_beside_them() {
    let cluster = Cluster::start();
    let url = cluster.database();
    let database = url.rsplit_once('/').unwrap().1;
    write_a_log(&url, &format!("transfer-{ID}"), 3);
    write_a_log(&url, "charter", 1);
    let pool = reader(&cluster, database).await;

    let events = PostgresEventRepository::new(pool.clone());
    let found: Vec<SerializedEvent> = events.get_events::<Transfer>(ID).await.unwrap();
    let places: Vec<_> =
        found.iter().map(|event| (event.aggregate_id.as_str(), event.sequence)).collect();
    assert_eq!(places, [(ID, 1), (ID, 2), (ID, 3)]);
    assert_eq!(found[0].event_type, "transfer.requested");
    assert_eq!(found[0].event_version, "1");
    let last = events.get_last_events::<Transfer>(ID, 2).await.unwrap();
    assert_eq!(last.len(), 1);

    let store = PersistedEventStore::<_, Transfer>::new_event_store(events);
    let mut context = store.load_aggregate(ID).await.unwrap();
    assert_eq!(context.aggregate().events, 3);

    let views = Arc::new(PostgresViewRepository::<Seen, Transfer>::new("seen", pool.clone()));
    let envelopes: Vec<EventEnvelope<Transfer>> = store.load_events(ID).await.unwrap();
    let query = GenericQuery::new(Arc::clone(&views));
    query.dispatch(ID, &envelopes[..2]).await;
    query.dispatch(ID, &envelopes[2..]).await;
    let seen = views.load(ID).await.unwrap().unwrap();
    assert_eq!(seen.actors, ["person:example"; 3]);
    assert_eq!(seen.texts, ["event 0", "event 1", "event 2"]);

    // As the log's reader, and as the owner of its tables.
    let refused = postgres_cqrs::<Transfer>(pool, vec![], ()).execute(ID, ()).await;
    assert!(refused.unwrap_err().to_string().contains("permission denied"));
    let options = PgConnectOptions::from_str(&url).unwrap();
    let owner = options.options([("search_path", "strongroom_log")]);
    let owner = PgPoolOptions::new().connect_with(owner).await.unwrap();
    let refused = postgres_cqrs::<Transfer>(owner, vec![], ()).execute(ID, ()).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("only with a move of the head"), "{refused}");
    assert_eq!(Transfer::TYPE, "transfer");
}
