//! Two logs are the same, one begins the other, or they part at an entry that is named.

use crate::book::{Book, bytes, rechained, run};
use strongroom_replay::Fault;

#[tokio::test]
async fn logs_are_equal_or_part_at_a_named_entry() {
    let book = Book::written().await;
    let pairs = book.pairs();
    let (log, other) = (book.log.to_str().unwrap(), book.file("other.jsonl"));
    let diff = |other_pairs: &[strongroom_ledger::export::Pair]| {
        std::fs::write(&other, bytes(other_pairs)).unwrap();
        run(&["diff", log, other.to_str().unwrap()])
    };
    let (code, said) = diff(&pairs);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("EQUAL"), "{said}");

    let (code, said) = run(&["diff", "-", "-"]);
    assert_eq!(code, i32::from(Fault::Unreadable.exit_code()), "{said}");
    std::fs::write(&other, &bytes(&pairs)[..9_000]).unwrap();
    let (code, said) = run(&["diff", log, other.to_str().unwrap()]);
    assert_eq!(code, i32::from(Fault::Truncated.exit_code()), "{said}");
    let rest = book.file("rest.jsonl");
    let (code, said) = run(&["export", other.to_str().unwrap(), rest.to_str().unwrap()]);
    assert_eq!(code, i32::from(Fault::Truncated.exit_code()), "{said}");
    assert!(bytes(&pairs).starts_with(&std::fs::read(&rest).unwrap()), "what was there is kept");

    let (code, said) = diff(&pairs[..7]);
    assert_eq!(code, i32::from(Fault::Prefix.exit_code()), "{said}");
    assert!(said.contains("b ends after entry 7"), "{said}");

    let mut parted = pairs.clone();
    let entry = String::from_utf8(parted[9].entry.clone()).unwrap();
    parted[9].entry = entry.replace("\"actor\":\"saga\"", "\"actor\":\"sage\"").into_bytes();
    let (code, said) = diff(&rechained(&parted));
    assert_eq!(code, i32::from(Fault::Parted.exit_code()), "{said}");
    assert!(said.contains("PARTED at entry 10"), "{said}");
    assert!(said.contains("a:   {\"position\":10"), "{said}");
    assert!(said.contains("b:   {\"position\":10"), "{said}");
    assert!(said.contains("sage"), "{said}");

    let mut payload = pairs.clone();
    payload[3].payload.push(b' ');
    std::fs::write(&other, bytes(&payload)).unwrap();
    let (code, said) = run(&["--json", "diff", log, other.to_str().unwrap()]);
    assert_eq!(code, i32::from(Fault::Parted.exit_code()), "{said}");
    let object: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&object["verdict"], &object["position"]), (&"parted".into(), &4.into()));
    assert_eq!(object["payload_only"], true);
    assert_eq!(object["a"]["prev"], object["b"]["prev"]);
}
