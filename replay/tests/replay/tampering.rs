//! Whatever is done to a log that its hashes know of is noticed, and called by its name.

use crate::book::{Book, bytes, head, read, rechained, run};
use std::io::Cursor;
use strongroom_ledger::{export::Pair, leaf_hash};
use strongroom_replay::{Expected, Fault, Source, Verifier, verify};
use strongroom_store::AuditLog;

fn code(fault: Fault) -> i32 {
    fault.exit_code().into()
}

#[tokio::test]
async fn a_whole_log_has_no_fault_as_a_file_and_as_an_export() {
    let book = Book::written().await;
    let pairs = book.pairs();
    let (code, said) = run(&["verify", book.log.to_str().unwrap()]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("OK every entry"), "{said}");
    assert!(said.contains("ethereum-dev/eth  debits"), "{said}");
    let (code, said) = book.judged(&pairs);
    assert_eq!(code, 0, "{said}");
    let head = head(&pairs);
    assert!(said.contains(&format!("head          {}:{}", head.position, head.leaf)), "{said}");
}

#[tokio::test]
async fn a_log_is_verified_while_a_server_writes_it() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log.db");
    let mut world = crate::book::house(&log);
    crate::book::live(&mut world).await;
    let (code, said) = run(&["verify", log.to_str().unwrap(), "--json"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains(r#""verdict":"ok""#), "{said}");
    drop(world);
}

/// Judges the rest of an export, in memory: the program would take too long for so many.
fn fault(before: &Verifier, rest: Vec<u8>) -> Option<Fault> {
    let mut source = Source::reader(Box::new(Cursor::new(rest)));
    verify(&mut source, &mut before.clone(), |_| {}).err().map(|finding| finding.fault)
}

/// Every byte of the file, one after the other.
#[tokio::test]
async fn no_byte_can_be_changed() {
    let book = Book::written().await;
    let pairs = book.pairs();
    let (genesis, head) = (Some(leaf_hash(&pairs[0].entry)), Some(head(&pairs)));
    let expected = Expected { genesis, head, seen: None };
    let mut before = Verifier::new(expected);
    assert_eq!(fault(&before, bytes(&pairs)), None);
    let mut seen = std::collections::BTreeMap::new();
    let mut bits = [1_u8, 0x20, 0x80].into_iter().cycle();
    for (number, pair) in pairs.iter().enumerate() {
        // What stands before was judged: only what is changed and what follows is read again.
        let rest = bytes(&pairs[number..]);
        let length = pair.entry.len() + pair.payload.len() + 2;
        for place in 0..length {
            let mut changed = rest.clone();
            changed[place] ^= bits.next().unwrap();
            // Only where nothing behind it can be read, nobody names another entry in its place.
            let form = number + 1 == pairs.len() || rest[place] == b'\n' || changed[place] == b'\n';
            let found = fault(&before, changed)
                .unwrap_or_else(|| panic!("byte {place} of entry {number} was changed unnoticed"));
            *seen.entry(found.name()).or_insert(0) += 1;
            assert!(form || found != Fault::Malformed, "byte {place} of entry {number}");
        }
        before.extend(&pair.entry, &pair.payload).unwrap();
    }
    assert!(seen.contains_key(Fault::Altered.name()), "{seen:?}");
    assert!(seen.contains_key(Fault::Malformed.name()), "{seen:?}");
    // Only a log whose hashes fit says what an entry means.
    for fault in [Fault::Violation, Fault::UnknownVersion, Fault::Unbalanced] {
        assert!(!seen.contains_key(fault.name()), "{seen:?}");
    }
}

/// Nobody is sent for a newer build because of a flipped bit.
#[tokio::test]
async fn an_entry_is_newer_only_where_what_follows_names_it() {
    let book = Book::written().await;
    let pairs = book.pairs();
    let at = crate::book::find(&pairs, "deposit.seen");
    for (from, to) in [
        ("\"version\":1", "\"version\":3"),
        ("deposit.seen", "deposit.teen"),
        ("\"version\":1", "\"version\":x"),
    ] {
        let mut changed = pairs.clone();
        let entry = String::from_utf8(changed[at].entry.clone()).unwrap();
        assert!(entry.contains(from));
        changed[at].entry = entry.replace(from, to).into_bytes();
        let (found, said) = book.judged_unpinned(&changed);
        assert_eq!(found, code(Fault::Altered), "{said}");
        let position = at + 1;
        assert!(said.contains(&format!("entry {position} has leaf")), "{said}");
        assert!(said.contains("it was altered"), "{said}");
        // The same as the end of an export: nobody names it.
        let (found, said) = book.judged_unpinned(&changed[..=at]);
        assert!([Fault::UnknownVersion, Fault::Malformed].map(code).contains(&found), "{said}");
    }
}

/// Whoever has the server's file has no triggers to stop them.
#[tokio::test]
async fn whatever_is_done_to_the_servers_file_is_noticed() {
    let book = Book::written().await;
    let moved = "UPDATE entries SET position = position + 1000000 WHERE position > 20;
                 UPDATE entries SET position = position - 999999 WHERE position > 1000000;";
    let swapped = "CREATE TEMP TABLE two AS SELECT * FROM entries WHERE position IN (20, 21);
                   UPDATE entries SET (entry, payload) =
                     (SELECT entry, payload FROM two WHERE two.position = 41 - entries.position)
                   WHERE position IN (20, 21);";
    let changes = [
        (
            "UPDATE entries SET entry = CAST(replace(CAST(entry AS TEXT),
             '\"actor\":\"saga\"', '\"actor\":\"sage\"') AS BLOB) WHERE position = 20",
            Fault::Altered,
        ),
        (
            "UPDATE entries SET payload = CAST(payload || ' ' AS BLOB) WHERE position = 20",
            Fault::Altered,
        ),
        ("UPDATE entries SET entry = x'7b7d' WHERE position = 20", Fault::Altered),
        (
            "UPDATE entries SET entry = CAST(replace(CAST(entry AS TEXT), '\"version\":1',
             '\"version\":3') AS BLOB) WHERE position = (SELECT position FROM head)",
            Fault::Altered,
        ),
        ("DELETE FROM entries WHERE position = 20", Fault::Missing),
        ("DELETE FROM entries WHERE position = (SELECT position FROM head)", Fault::Truncated),
        ("UPDATE head SET position = position - 1", Fault::Repeated),
        ("UPDATE head SET leaf = zeroblob(32)", Fault::Altered),
        (moved, Fault::OutOfOrder),
        (swapped, Fault::OutOfOrder),
    ];
    for (sql, expected) in changes {
        let copy = book.file("copy.db");
        std::fs::copy(&book.log, &copy).unwrap();
        let db = rusqlite::Connection::open(&copy).unwrap();
        db.execute_batch("DROP TRIGGER entries_stay; DROP TRIGGER entries_remain;").unwrap();
        db.execute_batch(sql).unwrap();
        drop(db);
        let (found, said) = run(&["verify", copy.to_str().unwrap()]);
        assert_eq!(found, code(expected), "{sql}: {said}");
    }
}

#[tokio::test]
async fn a_dropped_entry_is_missing() {
    let book = Book::written().await;
    let pairs = book.pairs();
    for gone in [0, 1, pairs.len() / 2, pairs.len() - 2] {
        let mut fewer = pairs.clone();
        fewer.remove(gone);
        let (found, said) = book.judged(&fewer);
        assert_eq!(found, code(Fault::Missing), "{said}");
        assert!(said.contains(&format!("entry {} is missing", gone + 1)), "{said}");
    }
}

#[tokio::test]
async fn a_doubled_entry_is_repeated() {
    let book = Book::written().await;
    let pairs = book.pairs();
    for (of, to) in [(0, 1), (10, 11), (10, pairs.len()), (pairs.len() - 1, pairs.len())] {
        let mut more = pairs.clone();
        more.insert(to, pairs[of].clone());
        let (found, said) = book.judged(&more);
        assert_eq!(found, code(Fault::Repeated), "{said}");
    }
}

#[tokio::test]
async fn swapped_entries_are_out_of_order() {
    let book = Book::written().await;
    let pairs = book.pairs();
    for (one, other) in [(0, 1), (10, 11), (5, pairs.len() - 1)] {
        let mut swapped = pairs.clone();
        swapped.swap(one, other);
        let (found, said) = book.judged(&swapped);
        assert_eq!(found, code(Fault::OutOfOrder), "{said}");
        let says = format!("entry {} stands where entry {} belongs", other + 1, one + 1);
        assert!(said.contains(&says), "{said}");
    }
}

/// All of them, in memory: every entry dropped, doubled, swapped with the next, and the end cut
/// everywhere.
#[tokio::test]
async fn every_entry_is_missed_doubled_and_out_of_order_where_it_is() {
    let book = Book::written().await;
    let pairs = book.pairs();
    let (genesis, pinned) = (Some(leaf_hash(&pairs[0].entry)), Some(head(&pairs)));
    let before = Verifier::new(Expected { genesis, head: pinned, seen: None });
    let judged = |pairs: &[Pair]| fault(&before, bytes(pairs));
    assert_eq!(judged(&pairs), None);
    let last = pairs.len() - 1;
    for at in 0..pairs.len() {
        let mut fewer = pairs.clone();
        fewer.remove(at);
        let cut = if at == last { Fault::Truncated } else { Fault::Missing };
        assert_eq!(judged(&fewer), Some(cut), "without entry {}", at + 1);
        let mut more = pairs.clone();
        more.insert(at, pairs[at].clone());
        assert_eq!(judged(&more), Some(Fault::Repeated), "with entry {} twice", at + 1);
        assert_eq!(judged(&pairs[..at]), Some(Fault::Truncated), "cut to {at}");
        if at < last {
            let mut swapped = pairs.clone();
            swapped.swap(at, at + 1);
            assert_eq!(judged(&swapped), Some(Fault::OutOfOrder), "entries {} swapped", at + 1);
        }
    }
}

#[tokio::test]
async fn a_log_that_was_cut_off_is_truncated() {
    let book = Book::written().await;
    let pairs = book.pairs();
    let (found, said) = book.judged(&pairs[..pairs.len() - 1]);
    assert_eq!(found, code(Fault::Truncated), "{said}");
    assert!(said.contains(&format!("the log ends at entry {}", pairs.len() - 1)), "{said}");
    let file = book.file("cut.jsonl");
    let whole = bytes(&pairs);
    for gone in [1, 2, 300, whole.len() / 2] {
        std::fs::write(&file, &whole[..whole.len() - gone]).unwrap();
        let (found, said) = run(&["verify", file.to_str().unwrap()]);
        assert_eq!(found, code(Fault::Truncated), "{gone} bytes: {said}");
    }
    std::fs::write(&file, "").unwrap();
    assert_eq!(run(&["verify", file.to_str().unwrap()]).0, code(Fault::Truncated));
}

/// Nothing in a log says that it goes on: that is what `--expect-head` and checkpoints are for.
#[tokio::test]
async fn a_cut_between_two_appends_shows_only_to_who_knows_the_head() {
    let book = Book::written().await;
    let pairs = book.pairs();
    let (found, said) = book.judged_unpinned(&pairs[..pairs.len() - 1]);
    assert_eq!(found, 0, "{said}");
    assert!(said.contains("NOTE no --expect-head"), "{said}");
    // Between the entries of one append it does show: the rest is due.
    let middle = crate::book::find(&pairs, "transfer.confirmed") + 1;
    let (found, said) = book.judged_unpinned(&pairs[..middle]);
    assert_eq!(found, code(Fault::Truncated), "{said}");
}

#[tokio::test]
async fn another_log_has_another_genesis() {
    let book = Book::written().await;
    let other = book.file("other.db");
    let mut world = crate::book::house(&other);
    world.wait(1);
    crate::book::live(&mut world).await;
    drop(world);
    let mut pairs = Vec::new();
    AuditLog::open_read_only(&other).unwrap().export(&mut pairs).unwrap();
    let pairs = read(&pairs);
    let (found, said) = book.judged(&pairs);
    assert_eq!(found, code(Fault::OtherGenesis), "{said}");
    assert_eq!(book.judged_unpinned(&pairs).0, 0, "it is whole in itself");
}

/// Approvals name the entry that opened their question, and so all that came before it.
#[tokio::test]
async fn approvals_do_not_hold_in_a_log_with_another_beginning() {
    let book = Book::written().await;
    let mut pairs = book.pairs();
    let entry = String::from_utf8(pairs[0].entry.clone()).unwrap();
    pairs[0].entry = entry.replace("\"actor\":\"saga\"", "\"actor\":\"sage\"").into_bytes();
    let (found, said) = book.judged_unpinned(&rechained(&pairs));
    assert_eq!(found, code(Fault::BadSignature), "{said}");
    assert!(said.contains("approval-signature"), "{said}");
}

#[tokio::test]
async fn a_rewritten_end_is_not_the_pinned_head() {
    let book = Book::written().await;
    let pairs = book.pairs();
    let mut other = pairs.clone();
    let last = other.len() - 1;
    let entry = String::from_utf8(other[last].entry.clone()).unwrap();
    other[last].entry = entry.replace("\"actor\":\"saga\"", "\"actor\":\"sage\"").into_bytes();
    let (found, said) = book.judged(&other);
    assert_eq!(found, code(Fault::OtherHead), "{said}");
    assert_eq!(book.judged_unpinned(&other).0, 0, "nothing in the log itself tells");
}

#[tokio::test]
async fn what_is_no_log_is_unreadable_or_malformed() {
    let book = Book::written().await;
    let missing = book.file("nothing.db");
    assert_eq!(run(&["verify", missing.to_str().unwrap()]).0, code(Fault::Unreadable));
    let text = book.file("notes.txt");
    std::fs::write(&text, "not a log\nat all\n").unwrap();
    assert_eq!(run(&["verify", text.to_str().unwrap()]).0, code(Fault::Malformed));
    let other = book.file("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    assert_eq!(run(&["verify", other.to_str().unwrap()]).0, code(Fault::Unreadable));
    assert_eq!(run(&["verify"]).0, 2);
    assert_eq!(run(&["verify", "log", "--genesis", "abc"]).0, 2);
}

#[test]
fn every_fault_has_a_code_of_its_own_in_the_help() {
    let codes: std::collections::BTreeSet<_> =
        Fault::ALL.iter().map(|fault| fault.exit_code()).collect();
    assert_eq!(codes.len(), Fault::ALL.len());
    assert!(!codes.contains(&0) && !codes.contains(&1) && !codes.contains(&2));
    let (_, help) = run(&["--help"]);
    let manual = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/replay.md");
    let manual = std::fs::read_to_string(manual).unwrap();
    for fault in Fault::ALL.iter().copied() {
        assert!(help.contains(fault.meaning()), "{help}");
        let row = format!("| {} | `{}` |", fault.exit_code(), fault.name());
        assert!(manual.contains(&row), "docs/replay.md lacks: {row}");
    }
}

#[tokio::test]
async fn an_export_of_an_export_is_the_same() {
    let book = Book::written().await;
    let pairs: Vec<Pair> = read(&bytes(&book.pairs()));
    assert_eq!(bytes(&pairs), bytes(&book.pairs()));
}
