//! A log on PostgreSQL is read as one in a file is: the same entries, the same verdict. On a real
//! server of the test's own.

use crate::book::{house, house_at, live, run};
use crate::cluster::Cluster;
use strongroom_replay::Fault;
use strongroom_store::AuditLog;

#[tokio::test]
async fn a_log_on_postgresql_is_read_as_a_file_is() {
    let directory = tempfile::tempdir().unwrap();
    let of = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let cluster = Cluster::start();
    let url = cluster.database();
    let database = url.rsplit_once('/').unwrap().1;
    live(&mut house_at(&url).await).await;
    let (log, export) = (of("log.db"), of("log.jsonl"));
    live(&mut house(log.as_ref())).await;

    let (code, said) = run(&["verify", &url]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(run(&["verify", &log]), (0, said), "the same entries have the same verdict");
    assert_eq!(run(&["diff", &url, &log]).0, 0);
    assert_eq!(run(&["export", &url, &export]).0, 0);
    let mut file = Vec::new();
    AuditLog::open_read_only(&log).unwrap().export(&mut file).unwrap();
    assert_eq!(std::fs::read(&export).unwrap(), file);
    let out = of("segments");
    assert_eq!(run(&["export", &url, "--out", &out, "--segment", "20"]).0, 0);
    assert_eq!(run(&["verify", &out]).0, 0);

    // Who owns the database can take its triggers away. It shows, and it can be kept as evidence.
    let update = "UPDATE strongroom_log.events SET payload = '{}' WHERE position = 9";
    cluster.try_sql("postgres", database, update).unwrap_err();
    let table = "ALTER TABLE strongroom_log.events DISABLE TRIGGER refuse_change";
    cluster.sql(database, &format!("{table}; {update}"));
    for command in ["verify", "chain"] {
        let (code, said) = run(&[command, &url]);
        assert_eq!(code, i32::from(Fault::Altered.exit_code()), "{said}");
        assert!(said.contains("entry 9"), "{said}");
    }
    let (code, said) = run(&["diff", &url, &export]);
    assert_eq!(code, i32::from(Fault::Parted.exit_code()), "{said}");
    assert!(said.contains("the entries are the same, their payloads are not"), "{said}");
    let evidence = of("evidence.jsonl");
    assert_eq!(run(&["export", &url, &evidence]).0, 0);
    assert_eq!(run(&["verify", &evidence]).0, i32::from(Fault::Altered.exit_code()));

    // A password in a URL is refused, and not told on.
    let (code, said) = run(&["verify", "postgres://postgres:secret@localhost/log"]);
    assert_eq!(code, i32::from(Fault::Unreadable.exit_code()), "{said}");
    assert!(!said.contains("secret"), "{said}");
}
