//! The conformance suite on PostgreSQL.

use strongroom_store::conformance::{append_to, suite};
use strongroom_store::{
    AppendError, AppendLog, Idempotency, LogLocation, Options, PostgresLog, ReadLog,
};

use crate::shared;

async fn fresh(options: &Options) -> PostgresLog {
    PostgresLog::open(&shared().database(), options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_conforms() {
    suite(async || fresh(&Options::default()).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_conforms_with_one_append_a_batch_and_no_cache() {
    let options = Options { batch: 1, streams: 0, readers: 1, ..Options::default() };
    suite(async || fresh(&options).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_keeps_its_bytes_and_what_is_no_json_is_invalid() {
    let log = fresh(&Options::default()).await;
    let payloads: [&[u8]; 5] = [
        br#" { "b" : 1e999, "a":[1.50, -0], "a" : "\u0000\ud800 \/" }	"#,
        "\"späß\u{2028}\u{feff}\"".as_bytes(),
        b"null",
        &[b"[".repeat(128), b"]".repeat(128)].concat(),
        &[b"\"".as_slice(), &b"x".repeat(1024 * 1024 - 2), b"\""].concat(),
    ];
    for (sequence, payload) in payloads.iter().enumerate() {
        let mut append = append_to(&[("a", sequence as u64)]);
        append.events[0].payload = payload.to_vec();
        log.append(append).await.unwrap();
    }
    let records = strongroom_store::conformance::verify(&log).await;
    assert!(records.iter().map(|record| record.payload.as_slice()).eq(payloads));
    for payload in [b"{".as_slice(), b"\"\xff\"", &b"[".repeat(200_000)] {
        let mut append = append_to(&[("a", 5)]);
        append.events[0].payload = payload.to_vec();
        let refused = log.append(append).await;
        assert!(matches!(refused, Err(AppendError::Invalid { .. })), "{refused:?}");
    }
    log.append(append_to(&[("a", 5)])).await.unwrap();
    assert_eq!(log.verify_all().await.unwrap(), log.head());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_ends_with_the_record_that_fills_it() {
    let log = fresh(&Options::default()).await;
    for sequence in 0..8 {
        let mut append = append_to(&[("a", sequence)]);
        append.events[0].payload = [b"\"".as_slice(), &vec![b'x'; 1_000_000], b"\""].concat();
        log.append(append).await.unwrap();
    }
    let (first, second) = (log.head().position.get() - 7, log.head().position.get() - 2);
    for (from, expected) in [(first, 5), (second, 3)] {
        let from = strongroom_store::Position::new(from).unwrap();
        assert_eq!(log.read_from(from, 1000).await.unwrap().len(), expected);
        assert_eq!(log.read_stream("a", from.get(), 1000).await.unwrap().len(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_opens_as_a_log_and_for_audit() {
    let place: LogLocation = shared().database().parse().unwrap();
    let log = place.open(&Options::default()).await.unwrap();
    log.append(append_to(&[("a", 0)])).await.unwrap();
    let mut audit = place.audit(&Options::default()).await.unwrap();
    assert_eq!(audit.head().await.unwrap(), log.head());
    assert_eq!(audit.raw_after(0, 10).await.unwrap().len(), 1);
    assert_eq!(audit.raw_after(1, 10).await.unwrap(), []);
}

/// Each in a batch of its own, made while the one before it is being stored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_used_once_however_many_ask_at_the_same_time() {
    let log = fresh(&Options { batch: 1, streams: 0, ..Options::default() }).await;
    let request = |number: u64| {
        let mut append = append_to(&[("a", number)]);
        append.idempotency = Some(Idempotency {
            caller: "tester".to_owned(),
            key: number.to_string(),
            request_sha256: strongroom_store::ledger::payload_hash(b"body"),
            outcome: number.to_string().into_bytes(),
        });
        append
    };
    for number in 0..20 {
        let asked: Vec<_> = (0..8).map(|_| log.append(request(number))).collect();
        let mut made = 0;
        for one in asked {
            match one.await {
                Ok(_) => made += 1,
                Err(AppendError::KeyUsed(kept)) => {
                    assert_eq!(kept.outcome, number.to_string().into_bytes());
                    assert_eq!(kept.positions.unwrap().last.get(), number + 1);
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(made, 1);
    }
    assert_eq!(log.verify_all().await.unwrap().position.get(), 20);
}
