//! What the database itself refuses, whoever asks. Never relies on the program that writes.

use strongroom_store::conformance::append_to;
use strongroom_store::{AppendLog, Options, PostgresAudit, ReadLog};

use crate::{database, open, shared};

const LOCK: &str = "SELECT pg_advisory_lock(1397910631, 1);";

/// An append as the sequencer would make it, moved by what the test changes.
const FOREIGN: &str =
    "SELECT strongroom_log.append(1, 1, (SELECT leaf FROM strongroom_log.head), 2,
  sha256('\\x00'::bytea || 'e'), sha256('r'), '{a}', '{\"\"}', '{2}', '{t}', '{1}', '{\"{}\"}',
  '{\"{}\"}', ARRAY['e'::bytea], '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')";

/// A log with an entry that has an outcome, and nobody who serves it. Its database.
async fn closed_log() -> String {
    let url = shared().database();
    let log = open(&url).await;
    log.append(append_to(&[("a", 0)])).await.unwrap();
    drop(log);
    database(&url).to_owned()
}

fn refused(login: &str, database: &str, sql: &str, because: &str) {
    let answer = shared().try_sql(login, database, sql);
    let error = answer.expect_err(sql);
    assert!(error.contains(because), "{sql}\n{error}\ndoes not say: {because}");
}

#[tokio::test]
async fn nobody_changes_removes_or_truncates_what_is_stored() {
    let database = closed_log().await;
    for (table, column) in [
        ("events", "payload"),
        ("outcomes", "outcome"),
        ("leaf_tiles", "hashes"),
        ("subtrees", "hash"),
        ("format", "format"),
    ] {
        for sql in [
            format!("UPDATE strongroom_log.{table} SET {column} = {column}"),
            format!("DELETE FROM strongroom_log.{table}"),
            format!("TRUNCATE strongroom_log.{table}"),
            format!("BEGIN; {LOCK} DELETE FROM strongroom_log.{table}; COMMIT"),
            format!("SET session_replication_role = replica; DELETE FROM strongroom_log.{table}"),
        ] {
            // As the superuser, who owns the tables.
            refused("postgres", &database, &sql, "is append-only");
        }
    }
    for sql in ["DELETE FROM strongroom_log.head", "TRUNCATE strongroom_log.head"] {
        refused("postgres", &database, sql, "is append-only");
    }
}

#[tokio::test]
async fn rows_come_only_with_a_move_of_the_head() {
    let database = closed_log().await;
    let event =
        "INSERT INTO strongroom_log.events VALUES ('a', '', 2, 't', '1', '{}', '{}', 2, 'e')";
    let outcome = "INSERT INTO strongroom_log.outcomes VALUES ('c', 'k', sha256(''), '', 1, 1)";
    let tile =
        "INSERT INTO strongroom_log.leaf_tiles VALUES (0, decode(repeat('00', 8192), 'hex'))";
    let subtree = "INSERT INTO strongroom_log.subtrees VALUES (1, 0, sha256(''))";
    for sql in [event, outcome, tile, subtree] {
        refused("postgres", &database, sql, "only with a move of the head");
        let locked = format!("BEGIN; {LOCK} {sql}; COMMIT");
        refused("postgres", &database, &locked, "only with a move of the head");
    }
}

#[tokio::test]
async fn the_head_moves_only_under_the_lock_and_only_on() {
    let database = closed_log().await;
    let set = |what: &str| format!("UPDATE strongroom_log.head SET {what}");
    let on = "position = 2, leaf = sha256('\\x00'::bytea || 'e'), root = sha256('r')";
    refused("postgres", &database, &set(on), "does not hold the lock");
    refused("postgres", &database, &set("term = term + 1"), "does not hold the lock");
    for back in [
        "position = 0",
        "leaf = sha256('')",
        "root = sha256('')",
        "term = term - 1",
        "term = term + 2",
        "position = 2",
        "position = 2, leaf = sha256('x')",
        "position = 2, leaf = sha256('x'), root = sha256('r'), term = term + 1",
    ] {
        let sql = format!("{LOCK} {}", set(back));
        refused("postgres", &database, &sql, "only moves on");
    }
    let asleep = format!("{LOCK} SET synchronous_commit = off; {}", set(on));
    refused("postgres", &database, &asleep, "would not be durable");
    refused("postgres", &database, &format!("{LOCK} {}", set(on)), "but 0 events came");
}

#[tokio::test]
async fn a_move_of_the_head_has_exactly_its_events() {
    let database = closed_log().await;
    let event = |position: u32| {
        format!(
            "INSERT INTO strongroom_log.events VALUES
             ('a', '', {position}, 't', '1', '{{}}', '{{}}', {position}, 'e');"
        )
    };
    let head = |position: u32, leaf: &str| {
        format!(
            "UPDATE strongroom_log.head SET position = {position}, root = sha256('r'),
               leaf = sha256('\\x00'::bytea || '{leaf}');"
        )
    };
    let attempt = |sql: &[String]| format!("{LOCK} BEGIN; {} COMMIT", sql.concat());
    // Too few, too many, with a gap, beyond, and another leaf.
    for sql in [
        [head(3, "e"), event(3)].as_slice(),
        &[head(2, "e"), event(2), event(3)],
        &[head(3, "e"), event(2), event(4)],
        &[head(2, "e"), event(4)],
    ] {
        refused("postgres", &database, &attempt(sql), "events came");
    }
    refused("postgres", &database, &attempt(&[head(2, "f"), event(2)]), "a leaf that is not");
    // Under a term of its own, an event that stands beside the head.
    let term = "SELECT strongroom_log.take_term();".to_owned();
    refused("postgres", &database, &attempt(&[term, event(2)]), "events came");
}

#[tokio::test]
async fn the_sequencers_role_writes_by_its_function_and_under_the_lock_alone() {
    let database = closed_log().await;
    let sequencer = "SET ROLE strongroom_sequencer;";
    for sql in [
        "INSERT INTO strongroom_log.events VALUES ('a', '', 2, 't', '1', '{}', '{}', 2, 'e')",
        "UPDATE strongroom_log.head SET term = term + 1",
        "UPDATE strongroom_log.events SET payload = '{}'",
        "DELETE FROM strongroom_log.events",
        "TRUNCATE strongroom_log.events",
        "ALTER TABLE strongroom_log.events DISABLE TRIGGER ALL",
    ] {
        let sql = format!("{LOCK} {sequencer} {sql}");
        let answer = shared().try_sql("postgres", &database, &sql).unwrap_err();
        assert!(
            answer.contains("permission denied") || answer.contains("must be owner"),
            "{answer}"
        );
    }
    let without = format!("{sequencer} {FOREIGN}");
    refused("postgres", &database, &without, "does not hold the lock");
    let take = format!("{sequencer} SELECT strongroom_log.take_term()");
    refused("postgres", &database, &take, "does not hold the lock");
    // With the lock, and as the log is: nothing was wrong with the statement itself.
    let with = format!("{sequencer} {LOCK} {FOREIGN}");
    assert_eq!(shared().sql(&database, &with).lines().last(), Some("t"));
    // The same again: the head is not there any more.
    assert_eq!(shared().sql(&database, &with).lines().last(), Some("f"));
}

#[tokio::test]
async fn readers_read_and_strangers_do_not() {
    let database = closed_log().await;
    shared().sql(
        &database,
        &format!(
            "CREATE ROLE auditor_{database} LOGIN IN ROLE strongroom_reader;
                  CREATE ROLE stranger_{database} LOGIN"
        ),
    );
    let (auditor, stranger) = (format!("auditor_{database}"), format!("stranger_{database}"));
    let count = "SELECT count(*) FROM strongroom_log.events";
    assert_eq!(shared().try_sql(&auditor, &database, count).unwrap(), "1");
    refused(&stranger, &database, count, "permission denied");
    refused(&stranger, &database, "SELECT strongroom_log.take_term()", "permission denied");
    refused(&auditor, &database, FOREIGN, "permission denied");
    refused(&auditor, &database, "SELECT strongroom_log.take_term()", "permission denied");
    let url = shared().url(&auditor, &database);
    let mut audit = PostgresAudit::open_read_only(&url, &Options::default()).await.unwrap();
    assert_eq!(audit.verify_all().await.unwrap().position.get(), 1);
}

#[tokio::test]
async fn what_was_changed_with_the_protection_off_is_found() {
    for (change, says) in [
        ("UPDATE strongroom_log.events SET payload = '{}' WHERE position = 2", "payload"),
        ("UPDATE strongroom_log.events SET event_type = 'x' WHERE position = 2", "filed as"),
        ("UPDATE strongroom_log.events SET metadata = '{}' WHERE position = 2", "filed as"),
        ("DELETE FROM strongroom_log.events WHERE position = 2", "2"),
        ("DELETE FROM strongroom_log.events WHERE position = 3", "head row"),
        ("UPDATE strongroom_log.head SET root = sha256('')", "root"),
    ] {
        let url = shared().database();
        let log = open(&url).await;
        for sequence in 0..3 {
            log.append(append_to(&[("a", sequence)])).await.unwrap();
        }
        drop(log);
        let table = change.split("strongroom_log.").nth(1).unwrap().split(' ').next().unwrap();
        let disable = format!("ALTER TABLE strongroom_log.{table} DISABLE TRIGGER ALL; {change}");
        shared().sql(database(&url), &disable);
        let mut audit = PostgresAudit::open_read_only(&url, &Options::default()).await.unwrap();
        let found = audit.verify_all().await.unwrap_err().to_string();
        assert!(found.contains(says), "{change}: {found}");
    }
}

#[tokio::test]
async fn the_log_goes_on_beside_refused_attempts() {
    let url = shared().database();
    let log = open(&url).await;
    log.append(append_to(&[("a", 0)])).await.unwrap();
    refused("postgres", database(&url), "DELETE FROM strongroom_log.events", "append-only");
    refused("postgres", database(&url), FOREIGN, "does not hold the lock");
    log.append(append_to(&[("a", 1)])).await.unwrap();
    assert_eq!(log.verify_all().await.unwrap(), log.head());
}
