//! What witnesses saw can't be taken back: cut, rolled back and rewritten logs are caught by a
//! checkpoint, and a witness never cosigns two histories.

use crate::book::{Book, bytes, house, live, read, run};
use crate::witnesses::{cosigned, files, key, path, policy, request, signed, tree};
use std::path::Path;
use strongroom_ledger::{AddCheckpoint, Note, Receipt, TreeHead, export::Pair, leaf_hash};
use strongroom_replay::{Fault, Watch, read_policy, read_receipt};
use strongroom_store::AuditLog;

fn code(fault: Fault) -> i32 {
    fault.exit_code().into()
}

fn verified(source: &Path, folder: &Path, note: &Note) -> (i32, String) {
    let (checkpoint, policy) = files(folder, note);
    let (source, checkpoint) = (source.to_str().unwrap(), checkpoint.to_str().unwrap());
    run(&["verify", source, "--checkpoint", checkpoint, "--policy", policy.to_str().unwrap()])
}

/// The same house, founded a moment later: another history with the same keys, lawful throughout.
async fn rewritten(book: &Book) -> Vec<Pair> {
    let other = book.file("rewritten.db");
    let mut world = house(&other);
    world.wait(1);
    live(&mut world).await;
    drop(world);
    let mut export = Vec::new();
    AuditLog::open_read_only(&other).unwrap().export(&mut export).unwrap();
    read(&export)
}

#[tokio::test]
async fn a_log_holds_what_its_witnesses_saw() {
    let book = Book::written().await;
    let pairs = book.pairs();
    for size in [1, 2, 30, pairs.len()] {
        let note = cosigned(tree(&pairs[..size]), [1, 2, 4]);
        let (found, said) = verified(&book.log, book.directory.path(), &note);
        assert_eq!(found, 0, "{said}");
        assert!(!said.contains("NOTE"), "{said}");
        assert!(said.contains(&format!("tree          {}:", pairs.len())), "{said}");
    }
}

#[tokio::test]
async fn a_log_that_was_cut_or_rolled_back_is_shorter_than_what_was_seen() {
    let book = Book::written().await;
    let pairs = book.pairs();
    let note = cosigned(tree(&pairs), [1, 2, 3]);
    let file = book.file("cut.jsonl");
    for left in 1..pairs.len() {
        std::fs::write(&file, bytes(&pairs[..left])).unwrap();
        let (found, said) = verified(&file, book.directory.path(), &note);
        assert_eq!(found, code(Fault::Truncated), "{said}");
    }
    // A server's file from before its last appends: whole in itself.
    let folder = tempfile::tempdir().unwrap();
    let (log, backup) = (folder.path().join("log.db"), folder.path().join("backup.db"));
    let mut world = house(&log);
    world.found().await;
    world.furnish().await;
    let db = rusqlite::Connection::open(&log).unwrap();
    db.execute("VACUUM INTO ?1", [backup.to_str().unwrap()]).unwrap();
    drop(db);
    world.see(crate::world::ETH, 1, 5).await.unwrap();
    drop(world);
    let mut export = Vec::new();
    AuditLog::open_read_only(&log).unwrap().export(&mut export).unwrap();
    let note = cosigned(tree(&read(&export)), [2, 3, 4]);
    assert_eq!(verified(&log, folder.path(), &note).0, 0);
    assert_eq!(run(&["verify", backup.to_str().unwrap()]).0, 0, "nothing in it tells");
    let (found, said) = verified(&backup, folder.path(), &note);
    assert_eq!(found, code(Fault::Truncated), "{said}");
    assert!(said.contains("it was cut or rolled back"), "{said}");
}

#[tokio::test]
async fn a_rewritten_history_is_not_the_one_that_was_seen() {
    let book = Book::written().await;
    let pairs = book.pairs();
    let other = rewritten(&book).await;
    let file = book.file("rewritten.jsonl");
    std::fs::write(&file, bytes(&other)).unwrap();
    assert_eq!(run(&["verify", file.to_str().unwrap()]).0, 0, "it is lawful in itself");
    for size in [1, 17, pairs.len()] {
        let note = cosigned(tree(&pairs[..size]), [1, 2, 3]);
        let (found, said) = verified(&file, book.directory.path(), &note);
        assert_eq!(found, code(Fault::Forked), "{said}");
    }
    // Also where only the very last entry was made again.
    let mut last = pairs.clone();
    let entry = String::from_utf8(last.pop().unwrap().entry).unwrap();
    let entry = entry.replace("\"actor\":\"saga\"", "\"actor\":\"sage\"").into_bytes();
    last.push(Pair { entry, payload: pairs.last().unwrap().payload.clone() });
    std::fs::write(&file, bytes(&last)).unwrap();
    let (found, said) = verified(&file, book.directory.path(), &cosigned(tree(&pairs), [1, 2, 3]));
    assert_eq!(found, code(Fault::Forked), "{said}");
    let (_, policy) = files(book.directory.path(), &cosigned(tree(&pairs), [1, 2, 3]));
    let checkpoint = book.file("checkpoint");
    let (checkpoint, policy) = (checkpoint.to_str().unwrap(), policy.to_str().unwrap());
    let arguments = ["--checkpoint", checkpoint, "--policy", policy];
    let file = file.to_str().unwrap();
    let (found, said) = run(&[["chain", file].as_slice(), &arguments].concat());
    assert_eq!(found, code(Fault::Forked), "{said}");
}

#[tokio::test]
async fn a_checkpoint_that_does_not_count_is_refused() {
    let book = Book::written().await;
    let head = tree(&book.pairs());
    let refused = |note: &Note, says: &str| {
        let (found, said) = verified(&book.log, book.directory.path(), note);
        assert_eq!(found, code(Fault::BadCheckpoint), "{said}");
        assert!(said.contains(says), "{says}: {said}");
    };
    refused(&cosigned(head, [1, 2]), "checkpoint");
    refused(&cosigned(head, [1, 2, 2, 1]), "checkpoint");
    let whole = cosigned(head, [1, 2, 3]).to_string();
    let stripped: String = whole
        .split_inclusive('\n')
        .enumerate()
        .filter(|(n, _)| *n != 4)
        .map(|(_, line)| line)
        .collect();
    refused(&stripped.parse().unwrap(), "both are needed");
    let bigger =
        whole.replacen(&format!("\n{}\n", head.size), &format!("\n{}\n", head.size + 1), 1);
    refused(&bigger.parse().unwrap(), "signature");
    let (checkpoint, policy) = files(book.directory.path(), &cosigned(head, [1, 2, 3]));
    std::fs::write(&checkpoint, "no note").unwrap();
    let arguments = ["verify", book.log.to_str().unwrap(), "--checkpoint"];
    let rest = [checkpoint.to_str().unwrap(), "--policy", policy.to_str().unwrap()];
    let (found, said) = run(&[arguments.as_slice(), &rest].concat());
    assert_eq!(found, code(Fault::BadCheckpoint), "{said}");
    assert_eq!(run(&[arguments.as_slice(), &rest[..1]].concat()).0, 2, "a policy is needed");
}

#[tokio::test]
async fn a_policy_is_what_the_charter_says() {
    let book = Book::written().await;
    let (found, said) = run(&["policy", book.log.to_str().unwrap()]);
    assert_eq!(found, 0, "{said}");
    assert!(said.contains("NOTE no --genesis"), "{said}");
    let text: String = said
        .lines()
        .filter(|line| !line.starts_with("NOTE"))
        .fold(String::new(), |all, line| all + line + "\n");
    assert_eq!(text, policy().to_string());
}

/// Whoever shows two histories to two witnesses gets neither of them counted.
#[tokio::test]
async fn two_witnesses_do_not_see_two_histories() {
    let book = Book::written().await;
    let (one, two) = (book.pairs(), rewritten(&book).await);
    let watch = |n: u8| {
        let folder = book.file(&format!("witness-{n}"));
        std::fs::create_dir_all(&folder).unwrap();
        Watch::open(&folder, key(n), &policy()).unwrap()
    };
    let (first, second) = (watch(1), watch(2));
    let shown = |watch: &Watch, head| watch.add_checkpoint(&request(head).to_string());
    let (cut, other) = (tree(&one[..20]), tree(&two[..20]));
    assert_eq!(shown(&first, cut).status, 200);
    assert_eq!(shown(&second, other).status, 200);
    // Neither takes what the other saw, at this size or any later one.
    let crossed = |watch: &Watch, head: TreeHead| {
        let asked = AddCheckpoint { old: 20, proof: Vec::new(), checkpoint: signed(head) };
        watch.add_checkpoint(&asked.to_string()).status
    };
    assert_eq!((crossed(&first, other), crossed(&second, cut)), (422, 422));
    assert_eq!((crossed(&first, tree(&two)), crossed(&second, tree(&one))), (422, 422));
    assert_eq!(shown(&first, other).status, 409, "not from the beginning either");
    // What convicts the log is kept.
    let evidence = std::fs::read_dir(book.file("witness-1/evidence")).unwrap().count();
    assert_eq!(evidence, 2);
    // One witness each is no majority of four.
    for (head, by) in [(cut, 1), (other, 2)] {
        let (found, said) = verified(&book.log, book.directory.path(), &cosigned(head, [by]));
        assert_eq!(found, code(Fault::BadCheckpoint), "{said}");
    }
}

fn receipt(pairs: &[Pair], index: usize, size: usize, by: &[u8]) -> Receipt {
    let leaves: Vec<_> = pairs[..size].iter().map(|pair| leaf_hash(&pair.entry)).collect();
    let note = cosigned(tree(&pairs[..size]), by.iter().copied());
    let (Pair { entry, payload }, at) = (pairs[index].clone(), u64::try_from(index).unwrap());
    Receipt::new(entry, payload, at, path(&leaves, index), note).unwrap()
}

#[tokio::test]
async fn a_receipt_proves_its_entry_to_a_stranger() {
    let book = Book::written().await;
    let pairs = book.pairs();
    let index = crate::book::find(&pairs, "transfer.confirmed");
    let file = book.file("receipt");
    let (_, by) = files(book.directory.path(), &cosigned(tree(&pairs), [1, 2, 3]));
    let checked = |receipt: &Receipt, json: bool| {
        std::fs::write(&file, receipt.to_string()).unwrap();
        let mut arguments =
            vec!["receipt", file.to_str().unwrap(), "--policy", by.to_str().unwrap()];
        arguments.extend(json.then_some("--json"));
        run(&arguments)
    };
    let (found, said) = checked(&receipt(&pairs, index, pairs.len(), &[2, 3, 4]), false);
    assert_eq!(found, 0, "{said}");
    for part in ["transfer.confirmed version 1", "\"attempt\": 1", "signer/", "OK the entry"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    for (index, size) in [(0, 1), (0, 9), (7, 8), (8, 9), (index, index + 1)] {
        let (found, said) = checked(&receipt(&pairs, index, size, &[1, 2, 3, 4]), true);
        assert_eq!(found, 0, "{said}");
        let object: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!(object["position"], index + 1);
        assert_eq!(object["cosigners"].as_array().unwrap().len(), 4);
    }
    let (found, said) = checked(&receipt(&pairs, index, pairs.len(), &[2, 3]), false);
    assert_eq!(found, code(Fault::BadReceipt), "{said}");
}

/// Nothing in a receipt can be changed but what says nothing: signatures of keys nobody knows.
#[tokio::test]
async fn no_part_of_a_receipt_can_be_changed() {
    let book = Book::written().await;
    let pairs = book.pairs();
    let text = receipt(&pairs, 12, pairs.len(), &[1, 2, 3]).to_string().into_bytes();
    let (_, by) = files(book.directory.path(), &cosigned(tree(&pairs), [1, 2, 3]));
    let (policy, file) = (read_policy(&by).unwrap(), book.file("receipt"));
    // Every byte before the signatures, which `ledger` tests by themselves, and some of theirs.
    let long = text.len().saturating_sub(3_600);
    for place in (0..long).step_by(3).chain((long..text.len()).step_by(97)) {
        let mut changed = text.clone();
        changed[place] ^= 1;
        std::fs::write(&file, &changed).unwrap();
        let refused = read_receipt(&file, &policy).unwrap_err();
        let expected = if std::str::from_utf8(&changed).is_ok() {
            Fault::BadReceipt
        } else {
            Fault::Unreadable
        };
        assert_eq!(refused.fault, expected, "byte {place}: {refused}");
    }
}
