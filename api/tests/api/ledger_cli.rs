//! `strongroom ledger` on files: copies, backups, what is refused. PostgreSQL and running servers
//! are in the workspace's `tests`.

use std::fs;
use std::path::Path;

use serde_json::Value;
use strongroom_store::{AuditLog, Position, Record};

use crate::house::{House, say};

/// As text, for the command line.
fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn entries(log: &Path) -> Vec<Record> {
    AuditLog::open_read_only(log).unwrap().read_from(Position::FIRST, 1000).unwrap()
}

fn export(log: &Path, to: &Path) {
    AuditLog::open_read_only(log).unwrap().export(fs::File::create(to).unwrap()).unwrap();
}

fn copy(from: &Path, to: &Path) -> Result<Value, String> {
    say(&["ledger", "copy", "--from", &text(from), "--to", &text(to)])
        .map_err(|error| error.to_string())
}

#[test]
fn a_copy_has_the_same_entries_byte_for_byte_and_a_second_run_adds_nothing() {
    let house = House::new();
    let (from, to) = (house.path("data/log.db"), house.path("copy.db"));
    let all = entries(&from);
    let copied = copy(&from, &to).unwrap();
    assert_eq!(copied["copied"], all.len());
    assert_eq!(copied["head"]["position"], all.len());
    assert_eq!(entries(&to), all);
    assert_eq!(copy(&from, &to).unwrap()["copied"], 0);
}

#[test]
fn a_copy_goes_on_where_the_target_ends_and_refuses_one_that_holds_something_else() {
    let house = House::new();
    let (from, to) = (house.path("data/log.db"), house.path("copy.db"));
    // The first ten entries, as an interrupted copy leaves them.
    let (whole, part) = (house.path("whole.jsonl"), house.path("data/part.jsonl"));
    export(&from, &whole);
    let lines: Vec<_> = fs::read_to_string(&whole).unwrap().lines().map(str::to_owned).collect();
    fs::write(&part, lines[..20].join("\n") + "\n").unwrap();
    let recover = |log: &Path, from: &Path| {
        let data = text(&house.path("data"));
        let (log, from) = (text(log), text(from));
        say(&["ledger", "recover", "--data", &data, "--log", &log, "--from", &from])
            .map_err(|error| error.to_string())
    };
    assert_eq!(recover(&to, &part).unwrap()["recovered"], 10);
    assert_eq!(copy(&from, &to).unwrap()["copied"], lines.len() / 2 - 10);
    // A target that is ahead of the source is not cut.
    let shorter = house.path("shorter.db");
    recover(&shorter, &part).unwrap();
    let refused = copy(&shorter, &to).unwrap_err();
    assert!(refused.contains("nothing to copy"), "{refused}");
    assert_eq!(entries(&to), entries(&from));
}

#[test]
fn a_damaged_source_is_refused_before_a_target_is_made() {
    let house = House::new();
    let (from, to) = (house.path("data/log.db"), house.path("copy.db"));
    let (damaged, out) = (house.path("damaged.db"), house.path("damaged.jsonl"));
    copy(&from, &damaged).unwrap();
    let db = rusqlite::Connection::open(&damaged).unwrap();
    // Whoever owns the file can take the triggers away.
    let triggers: Vec<String> = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for trigger in triggers {
        db.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
    }
    let changed = "UPDATE entries SET payload = CAST('{}' AS BLOB) WHERE position = 5";
    assert_eq!(db.execute(changed, []).unwrap(), 1);
    drop(db);
    let refused = copy(&damaged, &to).unwrap_err();
    assert!(refused.contains("the source") && refused.contains('5'), "{refused}");
    assert!(!to.exists(), "nothing half done");
    // A copy of a signer that was changed is refused too, and nothing of it is taken in.
    export(&from, &out);
    let lines = fs::read_to_string(&out).unwrap();
    fs::write(&out, lines.replacen("test-house", "best-house", 1)).unwrap();
    let (data, log) = (text(&house.path("data")), text(&to));
    let refused =
        say(&["ledger", "recover", "--data", &data, "--log", &log, "--from", &text(&out)]);
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("another payload"), "{refused}");
    assert!(entries(&to).is_empty());
}

#[tokio::test]
async fn a_log_that_a_server_has_is_saved_and_not_written_to() {
    let house = House::new();
    let server = house.serve().await;
    let (data, saved) = (text(&house.path("data")), text(&house.path("saved.db")));
    let run = |arguments: Vec<String>| async {
        let arguments = move || say(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        tokio::task::spawn_blocking(arguments).await.unwrap()
    };
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let backup = format!("ledger backup --data {data} --to {saved}");
    let head = run(words(&backup)).await.unwrap()["head"].take();
    assert_eq!(head["position"], entries(Path::new(&saved)).len());
    let again = run(words(&backup)).await.unwrap_err().to_string();
    assert!(again.contains("is there already"), "{again}");
    for line in [
        format!("ledger recover --data {data} --from {saved}"),
        format!("ledger copy --from {saved} --to {data}/log.db"),
    ] {
        let refused = run(words(&line)).await.unwrap_err().to_string();
        assert!(refused.contains("another process"), "{line}: {refused}");
    }
    let restore = format!("ledger restore --from {saved} --data {data}");
    let refused = run(words(&restore)).await.unwrap_err().to_string();
    assert!(refused.contains("is there already"), "{refused}");
    server.stop().await;
    for name in ["log.db", "log.db-wal", "log.db-shm"] {
        let _ = fs::remove_file(house.path("data").join(name));
    }
    assert_eq!(run(words(&restore)).await.unwrap()["head"], head);
    assert_eq!(entries(&house.path("data/log.db")), entries(Path::new(&saved)));
}

#[test]
fn a_place_that_is_none_and_a_password_in_it_are_refused_before_anything_is_read() {
    let house = House::new();
    let (log, data) = (text(&house.path("data/log.db")), text(&house.path("data")));
    let refuse = |place: &str| {
        let copied = say(&["ledger", "copy", "--from", &log, "--to", place]);
        let from = text(&house.path("none.jsonl"));
        let recover = ["ledger", "recover", "--data", &data, "--log", place, "--from", &from];
        let sealed = say(&["ledger", "import-postgres-es", place, "--to", &log]);
        [copied, say(&recover), sealed].map(|done| done.unwrap_err().to_string())
    };
    for refused in refuse("postgres://ledger:hunter2@db/ledger") {
        assert!(refused.contains("password") && !refused.contains("hunter2"), "{refused}");
    }
    for other in ["mysql://db/ledger", "postgres://", "kurrentdb://"] {
        let [copied, recovered, _] = refuse(other);
        assert_eq!(copied, recovered);
    }
}
