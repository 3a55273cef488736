//! Whatever is done to a log that its hashes know of is noticed, and called by its name.

use crate::book::{Book, bytes, head, read, rechained, run};
use std::io::Cursor;
use strongroom_ledger::{
    export::{Pair, Reader},
    leaf_hash,
};
use strongroom_replay::{Expected, Fault, Source, Verifier, verify};

const GENESIS: i32 = Fault::OtherGenesis.exit_code() as i32;

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

/// Judges an export in memory: the program would take too long for so many.
fn fault(export: Vec<u8>, expected: Expected) -> Option<Fault> {
    let mut source = Source::Export(Reader::new(Box::new(Cursor::new(export))));
    verify(&mut source, &mut Verifier::new(expected), |_| {}).err().map(|finding| finding.fault)
}

/// Every seventh byte of the file, so that every field of an entry is hit many times over.
#[tokio::test]
async fn no_byte_can_be_changed() {
    let book = Book::written().await;
    let pairs = book.pairs();
    let expected = Expected { genesis: Some(leaf_hash(&pairs[0].entry)), head: Some(head(&pairs)) };
    let whole = bytes(&pairs);
    assert_eq!(fault(whole.clone(), expected), None);
    let mut seen = std::collections::BTreeMap::new();
    for (place, change) in (0..whole.len()).step_by(7).zip([1_u8, 0x20, 0x80].into_iter().cycle()) {
        let mut changed = whole.clone();
        changed[place] ^= change;
        let found = fault(changed, expected);
        let found = found.unwrap_or_else(|| panic!("byte {place} was changed unnoticed"));
        *seen.entry(found.name()).or_insert(0) += 1;
    }
    assert!(seen.contains_key(Fault::Altered.name()), "{seen:?}");
    assert!(seen.contains_key(Fault::Malformed.name()), "{seen:?}");
}

#[tokio::test]
async fn a_changed_byte_in_the_servers_file_is_noticed() {
    let book = Book::written().await;
    for (column, expected) in [("payload", Fault::Altered), ("entry", Fault::Altered)] {
        let copy = book.file("copy.db");
        std::fs::copy(&book.log, &copy).unwrap();
        let db = rusqlite::Connection::open(&copy).unwrap();
        db.execute_batch("DROP TRIGGER entries_stay").unwrap();
        // The actor of entry 20, or a digit in its payload.
        let sql = match column {
            "entry" => {
                "UPDATE entries SET entry = CAST(replace(CAST(entry AS TEXT),
                 '\"actor\":\"saga\"', '\"actor\":\"sage\"') AS BLOB) WHERE position = 20"
            }
            _ => "UPDATE entries SET payload = payload || x'20' WHERE position = 20",
        };
        assert_eq!(db.execute(sql, []).unwrap(), 1);
        drop(db);
        let (found, said) = run(&["verify", copy.to_str().unwrap()]);
        assert_eq!(found, code(expected), "{said}");
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
    let mut pairs = book.pairs();
    let entry = String::from_utf8(pairs[0].entry.clone()).unwrap();
    pairs[0].entry = entry.replace("\"actor\":\"saga\"", "\"actor\":\"founders\"").into_bytes();
    let other = rechained(&pairs);
    let (found, said) = book.judged(&other);
    assert_eq!(found, GENESIS, "{said}");
    assert_eq!(book.judged_unpinned(&other).0, 0);
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
    for fault in Fault::ALL {
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
