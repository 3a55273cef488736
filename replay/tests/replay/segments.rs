//! An export in segments is the log, an interrupted one goes on, and one that was tampered with is
//! caught.

use crate::book::{Book, bytes, run};
use std::path::{Path, PathBuf};
use strongroom_replay::Fault;

fn export(book: &Book, to: &str) -> PathBuf {
    let out = book.file(to);
    let (code, said) = export_to(book, &out);
    assert_eq!(code, 0, "{said}");
    out
}

fn export_to(book: &Book, out: &Path) -> (i32, String) {
    let (log, out) = (book.log.to_str().unwrap(), out.to_str().unwrap());
    run(&["export", log, "--out", out, "--segment", "10", "--parquet"])
}

fn verify(out: &Path) -> (i32, String) {
    run(&["verify", out.to_str().unwrap()])
}

fn code(fault: Fault) -> i32 {
    fault.exit_code().into()
}

fn lines(out: &Path, first: usize) -> PathBuf {
    out.join(format!("entries-{first:012}.jsonl"))
}

#[tokio::test]
async fn segments_are_the_log() {
    let book = Book::written().await;
    let out = export(&book, "export");
    let (found, said) = verify(&out);
    assert_eq!(found, 0, "{said}");
    let (_, direct) = run(&["verify", book.log.to_str().unwrap()]);
    assert_eq!(said, direct);
    let mut all = Vec::new();
    for first in (1..=book.pairs().len()).step_by(10) {
        all.extend(std::fs::read(lines(&out, first)).unwrap());
    }
    assert_eq!(all, bytes(&book.pairs()));
    assert_eq!(run(&["diff", book.log.to_str().unwrap(), out.to_str().unwrap()]).0, 0);
    let manifest = std::fs::read_to_string(out.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["origin"], format!("strongroom/{}", crate::world::LOG));
    assert_eq!(manifest["tree"]["size"], book.pairs().len());
    // A finished export is never written over.
    let (found, said) = export_to(&book, &out);
    assert_eq!(found, code(Fault::Unreadable), "{said}");
}

#[tokio::test]
async fn an_interrupted_export_goes_on() {
    let book = Book::written().await;
    let whole = export(&book, "whole");
    let out = export(&book, "interrupted");
    let manifest = std::fs::read(out.join("manifest.json")).unwrap();
    // What a kill leaves: no manifest, no last segments, half of one.
    std::fs::remove_file(out.join("manifest.json")).unwrap();
    for first in (21..=book.pairs().len()).step_by(10) {
        std::fs::remove_file(lines(&out, first)).unwrap();
    }
    std::fs::write(out.join("entries-000000000021.jsonl.part"), "{\"pos").unwrap();
    assert_eq!(verify(&out).0, code(Fault::BadManifest), "no manifest, no export");
    let (found, said) = export_to(&book, &out);
    assert_eq!(found, 0, "{said}");
    assert_eq!(std::fs::read(out.join("manifest.json")).unwrap(), manifest);
    assert_eq!(verify(&out).1, verify(&whole).1);
    // Not behind a segment of another log.
    std::fs::remove_file(out.join("manifest.json")).unwrap();
    let mut other = std::fs::read(lines(&out, 11)).unwrap();
    other[20] ^= 1;
    std::fs::write(lines(&out, 11), other).unwrap();
    let (found, said) = export_to(&book, &out);
    assert_eq!(found, code(Fault::Unreadable), "{said}");
    assert!(said.contains("it is not what the log holds there"), "{said}");
}

#[tokio::test]
async fn a_segment_or_manifest_that_was_tampered_with_is_caught() {
    let book = Book::written().await;
    let out = export(&book, "export");
    let kept = |path: &Path, changed: &[u8], expected: &[Fault]| {
        let before = std::fs::read(path).unwrap();
        std::fs::write(path, changed).unwrap();
        let (found, said) = verify(&out);
        assert!(expected.iter().any(|fault| found == code(*fault)), "{path:?} {found}: {said}");
        std::fs::write(path, before).unwrap();
    };
    let segment = lines(&out, 11);
    let text = std::fs::read(&segment).unwrap();
    let mut changed = text.clone();
    changed[text.len() / 2] ^= 1;
    kept(&segment, &changed, &[Fault::Altered, Fault::Missing, Fault::OutOfOrder, Fault::Repeated]);
    kept(&segment, &text[..text.len() - 1], &[Fault::Truncated]);
    let cut: Vec<u8> =
        text.split_inclusive(|byte| *byte == b'\n').take(18).flatten().copied().collect();
    kept(&segment, &cut, &[Fault::Truncated]);
    let more = [text.clone(), std::fs::read(lines(&out, 21)).unwrap()].concat();
    kept(&segment, &more, &[Fault::Repeated]);
    let table = out.join("entries-000000000011.parquet");
    let mut changed = std::fs::read(&table).unwrap();
    changed[100] ^= 1;
    kept(&table, &changed, &[Fault::BadManifest]);
    let manifest = out.join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let count = book.pairs().len();
    for (from, to) in [
        ("\"first\": 11", "\"first\": 12"),
        ("strongroom-export/1", "strongroom-export/2"),
        ("\"origin\": \"strongroom/", "\"origin\": \"strongroom/0"),
        (&format!("\"log\": \"{}\"", crate::world::LOG), "\"log\": null"),
        ("entries-000000000011.jsonl", "../log.jsonl"),
        (&format!("\"size\": {count}") as &str, &format!("\"size\": {}", count + 1)),
    ] {
        assert!(text.contains(from), "{from}");
        kept(&manifest, text.replace(from, to).as_bytes(), &[Fault::BadManifest]);
    }
    for field in ["root", "head", "sha256"] {
        let at = text.find(&format!("\"{field}\": \"")).unwrap() + field.len() + 5;
        let digit = if &text[at..=at] == "0" { "1" } else { "0" };
        let changed = format!("{}{digit}{}", &text[..at], &text[at + 1..]);
        kept(&manifest, changed.as_bytes(), &[Fault::BadManifest]);
    }
    std::fs::remove_file(&segment).unwrap();
    let (found, said) = verify(&out);
    assert_eq!(found, code(Fault::Missing), "{said}");
}

/// What analysts read is what the log says.
#[tokio::test]
async fn parquet_holds_every_entry() {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::RowAccessor as _;
    let book = Book::written().await;
    let out = export(&book, "export");
    let mut next = 0;
    for first in (1..=book.pairs().len()).step_by(10) {
        let file = std::fs::File::open(out.join(format!("entries-{first:012}.parquet"))).unwrap();
        for row in SerializedFileReader::new(file).unwrap().get_row_iter(None).unwrap() {
            let (row, pair) = (row.unwrap(), &book.pairs()[next]);
            next += 1;
            assert_eq!(row.get_long(0).unwrap(), i64::try_from(next).unwrap());
            let entry = strongroom_ledger::Entry::parse(&pair.entry).unwrap();
            assert_eq!(row.get_string(1).unwrap(), &entry.time.to_string());
            assert_eq!(row.get_string(4).unwrap(), &entry.r#type);
            assert!(row.get_string(9).is_err(), "nothing caused it");
            let leaf = strongroom_ledger::leaf_hash(&pair.entry).to_string();
            assert_eq!(row.get_string(11).unwrap(), &leaf);
            assert_eq!(row.get_string(12).unwrap().as_bytes(), pair.payload);
        }
    }
    assert_eq!(next, book.pairs().len());
}

#[tokio::test]
async fn standard_input_is_a_source() {
    let book = Book::written().await;
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_strongroom-replay"))
        .args(["chain", "-"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = program.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, &bytes(&book.pairs())).unwrap();
    drop(input);
    let done = program.wait_with_output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{said}");
    assert!(said.contains("NO RULE WAS CHECKED"), "{said}");
}
