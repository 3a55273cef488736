//! What a log is opened on, and by whom. Never a server that would acknowledge what it can lose.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use strongroom_store::conformance::append_to;
use strongroom_store::{
    AppendLog, OpenError, Options, PostgresAudit, PostgresLog, RawLog, ReadLog,
};

use crate::cluster::Cluster;
use crate::{database, open, shared};

async fn refusal(url: &str, options: &Options) -> OpenError {
    match PostgresLog::open(url, options).await {
        Ok(_) => panic!("{url} was opened"),
        Err(error) => error,
    }
}

async fn is_refused(url: &str, because: &str) {
    let error = refusal(url, &Options::default()).await;
    assert!(matches!(error, OpenError::Refused(_)), "{error:?}");
    assert!(error.to_string().contains(because), "{error} does not say: {because}");
}

#[tokio::test]
async fn a_server_that_can_lose_a_commit_is_refused() {
    let cluster = Cluster::start();
    let url = cluster.database();
    let asleep = format!("ALTER DATABASE {} SET synchronous_commit = ", database(&url));
    for (set, because) in [("off", "off"), ("local", "local"), ("remote_write", "remote_write")] {
        cluster.sql("postgres", &format!("{asleep}{set}"));
        is_refused(&url, &format!("synchronous_commit is {because}")).await;
    }
    cluster.sql("postgres", &format!("{asleep}on"));
    for setting in ["fsync", "full_page_writes"] {
        let set = |value: &str| {
            cluster.sql("postgres", &format!("ALTER SYSTEM SET {setting} = {value}"));
            cluster.sql("postgres", "SELECT pg_reload_conf()");
            while cluster.sql("postgres", &format!("SHOW {setting}")) != value {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        };
        set("off");
        is_refused(&url, &format!("{setting} is off")).await;
        set("on");
    }
    let latin = "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0";
    cluster.sql("postgres", latin);
    is_refused(&cluster.url("postgres", "latin"), "server_encoding is LATIN1").await;
    let log = open(&url).await;
    log.append(append_to(&[("a", 0)])).await.unwrap();
    drop(log);
    // The same server as one that follows another.
    cluster.kill();
    fs::write(cluster.data().join("standby.signal"), "").unwrap();
    cluster.restart();
    let error = refusal(&url, &Options::default()).await;
    assert!(error.to_string().contains("this server is a standby"), "{error}");
    let mut audit = PostgresAudit::open_read_only(&url, &Options::default()).await.unwrap();
    assert_eq!(audit.head().await.unwrap().position.get(), 1);
}

#[tokio::test]
async fn a_login_without_power_over_the_tables_serves_the_log() {
    let cluster = Cluster::start();
    cluster.sql("postgres", "CREATE ROLE owner LOGIN CREATEROLE");
    cluster.sql("postgres", "CREATE DATABASE ledger OWNER owner");
    // The owner is no superuser, and makes the roles and the tables.
    drop(open(&cluster.url("owner", "ledger")).await);
    cluster.sql(
        "ledger",
        "CREATE ROLE server LOGIN IN ROLE strongroom_sequencer, strongroom_reader;
         CREATE ROLE auditor LOGIN IN ROLE strongroom_reader; CREATE ROLE stranger LOGIN",
    );
    let log = open(&cluster.url("server", "ledger")).await;
    log.append(append_to(&[("a", 0)])).await.unwrap();
    assert_eq!(log.verify_all().await.unwrap(), log.head());
    drop(log);
    is_refused(&cluster.url("auditor", "ledger"), "permission denied").await;
    is_refused(&cluster.url("stranger", "ledger"), "permission denied").await;
    let drop = cluster.try_sql("server", "ledger", "DROP TABLE strongroom_log.events CASCADE");
    assert!(drop.unwrap_err().contains("must be owner"));
}

#[tokio::test]
async fn a_password_comes_from_its_file_alone() {
    let cluster = Cluster::start();
    cluster.sql("postgres", "CREATE ROLE server LOGIN SUPERUSER PASSWORD 'geheim'");
    let rules = cluster.data().join("pg_hba.conf");
    let trust = fs::read_to_string(&rules).unwrap();
    fs::write(&rules, format!("local all server scram-sha-256\n{trust}")).unwrap();
    cluster.sql("postgres", "SELECT pg_reload_conf()");
    let url = cluster.database().replace("postgres@", "server@");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str, mode| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        Options { password_file: Some(path), ..Options::default() }
    };
    for (options, because) in [
        (file("wrong", "falsch", 0o600), "password authentication failed"),
        (file("open", "geheim", 0o644), "mode 0644"),
    ] {
        let error = refusal(&url, &options).await;
        assert!(error.to_string().contains(because), "{error}");
        assert!(!format!("{error} {error:?}").contains("geheim"));
    }
    is_refused(&url.replace("server@", "server:geheim@"), "must not hold a password").await;
    let right = file("right", "geheim\n", 0o600);
    let log = PostgresLog::open(&url, &right).await.unwrap();
    log.append(append_to(&[("a", 0)])).await.unwrap();
    let mut audit = PostgresAudit::open_read_only(&url, &right).await.unwrap();
    assert_eq!(audit.head().await.unwrap(), log.head());
}

#[tokio::test]
async fn what_is_no_log_or_of_another_format_is_named() {
    let url = shared().database();
    shared().sql(database(&url), "CREATE SCHEMA strongroom_log");
    let error = refusal(&url, &Options::default()).await;
    assert!(error.to_string().contains("permission denied"), "{error}");
    let grant = "GRANT USAGE ON SCHEMA strongroom_log TO strongroom_sequencer";
    // Another test may have made the roles or not.
    drop(open(&shared().database()).await);
    shared().sql(database(&url), grant);
    let error = refusal(&url, &Options::default()).await;
    assert!(matches!(error, OpenError::NotALog), "{error:?}");

    let url = shared().database();
    drop(open(&url).await);
    let newer = "ALTER TABLE strongroom_log.format DISABLE TRIGGER ALL;
      UPDATE strongroom_log.format SET format = 9";
    shared().sql(database(&url), newer);
    let error = refusal(&url, &Options::default()).await;
    assert!(matches!(error, OpenError::Format { found: 9, known: 1 }), "{error:?}");
    let missing = refusal(&shared().url("postgres", "nothing"), &Options::default()).await;
    assert!(matches!(missing, OpenError::Refused(_)), "{missing:?}");
}

#[tokio::test]
async fn a_log_with_a_damaged_end_or_tree_is_not_opened() {
    for change in [
        "events; DELETE FROM strongroom_log.events WHERE position = 300",
        "events; UPDATE strongroom_log.events SET payload = '{}' WHERE position = 299",
        "subtrees; UPDATE strongroom_log.subtrees SET hash = sha256('')",
        "head; UPDATE strongroom_log.head SET root = sha256('')",
    ] {
        let url = damaged(change).await;
        let error = refusal(&url, &Options::default()).await;
        assert!(matches!(error, OpenError::Damaged(_)), "{change}: {error:?}");
    }
    // A leaf under a full subtree is not needed for going on: an audit finds it.
    let url = damaged("leaf_tiles; DELETE FROM strongroom_log.leaf_tiles").await;
    let mut audit = PostgresAudit::open_read_only(&url, &Options::default()).await.unwrap();
    let found = audit.verify_all().await.unwrap_err().to_string();
    assert!(found.contains("leaf tile 0"), "{found}");
}

/// A log of 300 entries, changed with the protection of a table off. Its URL.
async fn damaged(change: &str) -> String {
    let url = shared().database();
    let log = open(&url).await;
    for sequence in [0, 100, 200] {
        let mut append = append_to(&[("a", sequence)]);
        append.events = vec![append.events[0].clone(); 100];
        log.append(append).await.unwrap();
    }
    drop(log);
    let change = change.replacen(';', " DISABLE TRIGGER ALL;", 1);
    shared().sql(database(&url), &format!("ALTER TABLE strongroom_log.{change}"));
    url
}
