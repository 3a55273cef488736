//! A log on PostgreSQL, under a whole deployment, with a second server that waits for the first to
//! fall; and logs that are moved from one backend to another. Never a server in memory: a throw-away
//! cluster, real programs, SIGKILL.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use strongroom_domain::Network;
use strongroom_ledger::Hash;
use strongroom_store::{
    Append, AppendLog, AuditLog, Expected, Idempotency, LogLocation, NewEvent, Options, RawOutcome,
    RawRow, ReadLog as _, SqliteLog,
};
use strongroom_tests::deployment::{Deployment, Networks, Programs};
use strongroom_tests::journey::{Payment, amounts};
use strongroom_tests::postgres::Cluster;
use uuid::Uuid;

const NETWORK: Network = Network::LitecoinRegtest;

#[test]
fn a_second_server_takes_over_in_the_middle_of_payments_and_finishes_them() {
    let (root, cluster) = (tempfile::tempdir().unwrap(), Cluster::start());
    let location = cluster.database();
    let networks = Networks::without_bitcoin();
    let mut strongroom = Deployment::found_on(root.path(), networks, &location);
    assert!(!strongroom.log_file().exists(), "the log is in the database alone");
    let destinations: Vec<_> = (0..4).map(|_| strongroom.outside_address(NETWORK)).collect();
    let allowed: Vec<_> = destinations.iter().map(|one| (NETWORK, one.clone())).collect();
    strongroom.desk.allow(&allowed);
    let custody = strongroom.desk.custody(NETWORK);
    let (deposit, amount, fee_cap) = amounts(NETWORK);
    for _ in 0..2 {
        strongroom.deposit(&custody, deposit);
    }
    let amount = amount / 10;
    let payment = |destination: &String| {
        let (custody, destination) = (custody.clone(), destination.clone());
        Payment { custody, destination, amount, fee_cap }
    };
    let whole = strongroom.withdraw(&payment(&destinations[0]));
    assert_eq!(whole["transaction"]["state"], "confirmed");

    let folder = strongroom.root.join("standby");
    let mut second = strongroom.server.twin(&folder);
    second.stand_by();
    let mut asked = Vec::new();
    for destination in &destinations[1..] {
        let (transfer, proposal) = strongroom.desk.ask(&payment(destination));
        strongroom.desk.approve(&proposal);
        asked.push(transfer);
    }
    let acknowledged = strongroom.desk.initiator().get("/log/head").ok();
    strongroom.server.kill();
    second.await_service();
    strongroom.desk.url = second.url();
    strongroom.server = second;
    let before = acknowledged["position"].as_u64().unwrap() - 1;
    let page = strongroom.desk.initiator().get(&format!("/events?after={before}&limit=1")).ok();
    assert_eq!(page["items"][0]["leaf"], acknowledged["leaf"], "what was said stands");
    for transfer in &asked {
        strongroom.settle(NETWORK, transfer);
    }
    for destination in &destinations {
        let received =
            strongroom.networks.utxo(NETWORK).must("getreceivedbyaddress", json!([destination, 1]));
        let received = received.as_f64().unwrap() * 100_000_000.0;
        assert!((received - f64::from(u32::try_from(amount).unwrap())).abs() < 0.5, "{received}");
    }
    let genesis = strongroom.desk.institution.genesis.clone();
    let (code, said) = strongroom.desk.replay(&["verify", &location, "--genesis", &genesis]);
    assert_eq!(code, 0, "{said}");
    let read = strongroom.server.data.join("read.db").display().to_string();
    let (code, said) = strongroom.desk.replay(&["compare", &location, &read]);
    assert_eq!(code, 0, "{said}");
    strongroom.stop();
}

/// A log with requests of several events, their answers, and answers to requests without events.
async fn filled(path: &Path, requests: u64) {
    let log = SqliteLog::open(path).unwrap();
    for request in 0..requests {
        let event = || NewEvent {
            stream: "stock:a".to_owned(),
            r#type: "stock.moved".to_owned(),
            version: 1,
            payload: format!("{{\"request\":{request},\"text\":\"{}\"}}", "x".repeat(300)).into(),
        };
        let refused = request % 5 == 4;
        let events = if refused { Vec::new() } else { vec![event(), event(), event()] };
        let sequence = log.stream_sequence("stock:a").await.unwrap();
        let expected = Expected { stream: "stock:a".to_owned(), sequence };
        log.append(Append {
            expected: if refused { Vec::new() } else { vec![expected] },
            events,
            actor: "person:a".to_owned(),
            command: Uuid::now_v7(),
            correlation: Uuid::now_v7(),
            causation: None,
            idempotency: Some(Idempotency {
                caller: "a".to_owned(),
                key: format!("key-{request}"),
                request_sha256: Hash::new([7; 32]),
                outcome: format!("answer {request}").into_bytes(),
            }),
        })
        .await
        .unwrap();
    }
}

/// Everything that a backend holds.
fn all(location: &str) -> (Vec<RawRow>, Vec<RawOutcome>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let location: LogLocation = location.parse().unwrap();
        let mut log = location.audit(&Options::default()).await.unwrap();
        let mut rows: Vec<RawRow> = Vec::new();
        loop {
            let page = log.raw_after(rows.last().map_or(0, |row| row.filed), 1000).await.unwrap();
            if page.is_empty() {
                break;
            }
            rows.extend(page);
        }
        let mut outcomes = log.outcomes().await.unwrap();
        outcomes.sort_by(|a, b| a.idempotency.key.cmp(&b.idempotency.key));
        (rows, outcomes)
    })
}

fn copy(from: &str, to: &str) -> Command {
    let mut command = Programs::built().server();
    command.args(["ledger", "copy", "--from", from, "--to", to]);
    command
}

fn ended(command: &mut Command) -> Result<Value, String> {
    let output = command.output().unwrap();
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// A program that is killed once the target holds something, and not all.
fn kill_in_the_middle(mut command: Command, reached: impl Fn() -> u64) -> u64 {
    let mut child: Child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    loop {
        let some = reached();
        if some > 0 {
            child.kill().unwrap();
            child.wait().unwrap();
            return reached();
        }
        if let Some(status) = child.try_wait().unwrap() {
            panic!("it ended before it could be killed: {status}");
        }
    }
}

#[test]
fn a_log_moves_to_postgresql_and_back_byte_for_byte_with_its_answers_whoever_is_killed() {
    let (folder, cluster) = (tempfile::tempdir().unwrap(), Cluster::start());
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    let (origin, back) = (path("log.db"), path("back.db"));
    tokio::runtime::Runtime::new().unwrap().block_on(filled(&origin, 3000));
    let (from, to) = (origin.display().to_string(), cluster.database());
    let database = to.rsplit('/').next().unwrap().to_owned();
    let count = || {
        let sql = "SELECT count(*) FROM strongroom_log.events";
        let told = cluster.try_sql("postgres", &database, sql);
        told.map_or(0, |rows| rows.parse().unwrap_or(0))
    };
    let all_there = all(&from);
    let whole = u64::try_from(all_there.0.len()).unwrap();
    let reached = kill_in_the_middle(copy(&from, &to), count);
    assert!(reached < whole, "it was killed too late: {reached} of {whole}");
    let copied = ended(&mut copy(&from, &to)).unwrap();
    assert!(copied["copied"].as_u64().unwrap() > 0, "{copied}");
    assert_eq!(all(&to), all_there);
    let back_text = back.display().to_string();
    let copied = ended(&mut copy(&to, &back_text)).unwrap();
    assert_eq!(copied["copied"], whole);
    assert_eq!(copied["answers"], all_there.1.len());
    assert_eq!(all(&back_text), all_there);
    assert_eq!(
        AuditLog::open_read_only(&back).unwrap().verify_all().unwrap().position.get(),
        whole
    );

    // Another log is not mixed with it, neither here nor there.
    let other = path("other.db");
    tokio::runtime::Runtime::new().unwrap().block_on(filled(&other, 10));
    let other = other.display().to_string();
    for (from, to) in [(&other, &to), (&to, &other)] {
        let refused = ended(&mut copy(from, to)).unwrap_err();
        assert!(refused.contains("another entry"), "{refused}");
    }
    assert_eq!(all(&to), all_there);
}

#[test]
fn events_of_postgres_es_are_sealed_and_the_sealed_log_is_whole() {
    let (folder, cluster) = (tempfile::tempdir().unwrap(), Cluster::start());
    let url = cluster.database();
    let database = url.rsplit('/').next().unwrap().to_owned();
    cluster.sql(
        &database,
        "CREATE TABLE events (aggregate_type text NOT NULL, aggregate_id text NOT NULL,
           sequence bigint NOT NULL CHECK (sequence >= 0), event_type text NOT NULL,
           event_version text NOT NULL, payload json NOT NULL, metadata json NOT NULL,
           PRIMARY KEY (aggregate_type, aggregate_id, sequence));
         INSERT INTO events SELECT 'account', 'a-' || n % 7, n, 'Deposited', '1.0',
           json_build_object('amount', n), '{\"by\":\"x\"}' FROM generate_series(1, 5000) AS n",
    );
    let log = folder.path().join("sealed.db").display().to_string();
    let seal = || {
        let mut seal = Programs::built().server();
        seal.args(["ledger", "import-postgres-es", &url, "--to", &log]);
        seal
    };
    let audit = || AuditLog::open_read_only(&log).and_then(|log| Ok(log.head()?.position.get()));
    let reached = kill_in_the_middle(seal(), || audit().unwrap_or(0));
    assert!(reached < 5000, "it was killed too late: {reached}");
    let sealed = ended(&mut seal()).unwrap();
    assert_eq!(sealed["head"]["position"], 5000, "{sealed}");
    assert_eq!(ended(&mut seal()).unwrap()["sealed"], 0);
    let output = Programs::built().replay().args(["chain", &log]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // What was sealed is what stood there: a database that was changed since is noticed.
    cluster.sql(&database, "UPDATE events SET payload = '{}' WHERE sequence = 20");
    let refused = ended(&mut seal()).unwrap_err();
    assert!(refused.contains("is not the database's event"), "{refused}");
    assert_eq!(cluster.sql(&database, "SELECT count(*) FROM events"), "5000");
}
