//! Writers, sessions and servers that are killed at any moment, again and again: what was
//! acknowledged is there, once, and the log verifies. Never pretends: the signals are the kernel's.
//!
//! The moments are drawn from a seed, which a failure prints; what happens in the other processes at
//! such a moment no seed can say. `STRONGROOM_SEED=n` draws others.

use std::collections::BTreeMap;
use std::time::Duration;

use strongroom_store::conformance::append_to;
use strongroom_store::{AppendError, AppendLog, Idempotency, Options, PostgresLog, ReadLog};

use crate::cluster::Cluster;
use crate::database;
use crate::random::Random;
use crate::writer::{Acknowledged, Writer, check};

/// How often a writer is killed; sessions and servers come on top.
const WRITERS_KILLED: u64 = 200;
const ROUNDS_OF_A_LOG: u64 = 25;
const PATIENCE: Duration = Duration::from_secs(30);

/// Ends every session that writes, as an operator or a failover would.
const END_SESSIONS: &str = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE
  locktype = 'advisory' AND database = (SELECT oid FROM pg_database
  WHERE datname = current_database())";

/// What is killed in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Writer,
    /// The writer's session: the answer to a commit is lost, whether it was made or not.
    Session,
    Server,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_two_hundred_kills() {
    let seed = std::env::var("STRONGROOM_SEED").map_or(3, |text| text.parse().unwrap());
    println!("STRONGROOM_SEED={seed}");
    let mut random = Random::new(seed);
    let cluster = Cluster::start();
    let mut killed: BTreeMap<String, u64> = BTreeMap::new();
    let mut total = 0;
    for log in 0..WRITERS_KILLED / ROUNDS_OF_A_LOG {
        let url = cluster.database();
        let mut all = Acknowledged::new();
        for round in 0..ROUNDS_OF_A_LOG {
            let mut victims = vec![Victim::Writer];
            if random.once_in(8) {
                victims.push(Victim::Session);
            }
            if round % 12 == 6 {
                victims.push(Victim::Server);
            }
            for victim in victims {
                let enough = usize::try_from(random.scaled(300)).unwrap();
                println!("log {log}, round {round}: {victim:?} dies after {enough}");
                let acknowledged = one_round(&cluster, &url, victim, enough, &mut random);
                *killed.entry(format!("{victim:?}")).or_default() += 1;
                total += acknowledged.len();
                for one in acknowledged {
                    assert!(all.insert(one.clone()), "{one:?} was acknowledged twice");
                }
                // Otherwise the next writer is the first to open what this one left.
                if random.index(4) == 0 || victim != Victim::Writer {
                    ask_again(&url, &mut all).await;
                }
            }
        }
        ask_again(&url, &mut all).await;
        check(&url, &all).await;
    }
    println!("killed: {killed:?}; {total} appends acknowledged");
}

/// A writer until the kill, and what it had acknowledged.
fn one_round(
    cluster: &Cluster,
    url: &str,
    victim: Victim,
    enough: usize,
    random: &mut Random,
) -> Acknowledged {
    let mut writer = Writer::start(url, "writer");
    if victim == Victim::Writer && random.once_in(5) {
        // It may not have opened the log yet, or be in the middle of it.
        std::thread::sleep(Duration::from_micros(random.below(150_000)));
        writer.kill();
        return std::mem::take(&mut writer.acknowledged);
    }
    writer.serves();
    writer.acknowledges(enough);
    match victim {
        Victim::Writer => writer.kill(),
        Victim::Session => {
            cluster.sql(database(url), END_SESSIONS);
            writer.stops();
        }
        Victim::Server => {
            cluster.kill();
            writer.stops();
            cluster.restart();
        }
    }
    std::mem::take(&mut writer.acknowledged)
}

/// Callers whose answer was lost ask again: they get the answer that was kept, or their append is
/// made now, but never twice.
async fn ask_again(url: &str, all: &mut Acknowledged) {
    let log = PostgresLog::open_when_free(url, &Options::default(), PATIENCE).await.unwrap();
    assert_eq!(log.verify_all().await.unwrap(), log.head());
    let mut last: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (stream, sequence, position) in all.iter() {
        last.insert(stream.clone(), (*sequence, *position));
    }
    for (stream, (sequence, position)) in last {
        let kept = match log.append(keyed(&stream, sequence)).await {
            Err(AppendError::KeyUsed(kept)) => kept,
            other => panic!("{stream} {sequence} was acknowledged, now it is {other:?}"),
        };
        assert_eq!(kept.positions.unwrap().last.get(), position);
        let next = sequence + 1;
        let place = match log.append(keyed(&stream, next)).await {
            Err(AppendError::KeyUsed(kept)) => kept.positions,
            Ok(made) => made.positions,
            other => panic!("{stream} {next} was under way, now it is {other:?}"),
        };
        all.insert((stream, next, place.unwrap().last.get()));
    }
}

/// What the writer's process sends, with the same key.
fn keyed(stream: &str, sequence: u64) -> strongroom_store::Append {
    let mut append = append_to(&[(stream, sequence)]);
    append.idempotency = Some(Idempotency {
        caller: stream.to_owned(),
        key: sequence.to_string(),
        request_sha256: strongroom_store::ledger::payload_hash(b"body"),
        outcome: sequence.to_string().into_bytes(),
    });
    append
}
