//! What the tool tells of a transfer and of a moment is what the log says, with the entries.

use crate::book::{Book, find, house, run};
use crate::world::{ETH, LTC, question, transfer};
use strongroom_domain::statement::Answer;
use strongroom_replay::Fault;

#[tokio::test]
async fn a_page_tells_who_asked_who_agreed_and_what_was_paid() {
    let book = Book::written().await;
    let (log, id) = (book.log.to_str().unwrap(), transfer(1).to_string());
    let (code, page) = run(&["explain", &id, log]);
    assert_eq!(code, 0, "{page}");
    for part in [
        "State: **confirmed**",
        "(initiator) asked to pay 0.500000000000000000 ETH",
        "rule destination-allowlist: passed",
        "rule amount-tier: passed",
        "approved.",
        "> APPROVE the following.",
        "> Strongroom approval statement, version 1",
        "Attempt 1 was authorised",
        "pkcs11-secp256k1/1, 1 of 1 signers",
        "is signed: transaction ",
        "Final on the chain, says the server: block",
        "debit client account",
        "Merkle tree of",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // Each line names its entry.
    let requested = find(&book.pairs(), "transfer.requested") + 1;
    assert!(page.contains(&format!("[{requested}] ")), "{page}");
    let (code, said) = run(&["--json", "explain", &id, log]);
    assert_eq!(code, 0, "{said}");
    let object: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(object["state"], "confirmed");
    assert_eq!(object["chapters"][0]["facts"][0]["position"], requested);
}

#[tokio::test]
async fn what_was_refused_rejected_expired_or_failed_is_told_too() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log.db");
    let mut world = house(&log);
    world.found().await;
    world.furnish().await;
    world.see(LTC, 2, 700_000).await.unwrap();
    world.credit(LTC, 2).await.unwrap();
    let mut intent = world.intent(LTC, 1, 5_000, 100);
    intent.destination = world.ltc.deposit.clone();
    world.request(intent, 1).await.unwrap();
    for n in [2, 3, 4] {
        let intent = world.intent(LTC, n, 5_000, 100);
        world.request(intent, n).await.unwrap();
    }
    world.answer(question(2), 0, Answer::Decline).await.unwrap();
    world.answer(question(2), 1, Answer::Decline).await.unwrap();
    world.answer(question(4), 0, Answer::Approve).await.unwrap();
    world.answer(question(4), 1, Answer::Approve).await.unwrap();
    world.fail(4, "no fee would do".to_owned()).await.unwrap();
    world.wait(4_000);
    let expire = strongroom_domain::Command::ExpireProposal { proposal: question(3) };
    world.act(expire).await.unwrap();
    let told = |n: u8| run(&["explain", &transfer(n).to_string(), log.to_str().unwrap()]);
    for (n, parts) in [
        (1, ["State: **refused**", "rule destination-allowlist: FORBIDS IT", "nobody was asked"]),
        (2, ["State: **rejected**", "> DECLINE the following.", "is available again"]),
        (3, ["State: **expired**", "time to answer ran out", "is available again"]),
        (4, ["State: **failed**", "no fee would do", "approvals are void"]),
    ] {
        let (code, page) = told(n);
        assert_eq!(code, 0, "{page}");
        for part in parts {
            assert!(page.contains(part), "{part}: {page}");
        }
    }
    let (code, said) = told(9);
    assert_eq!(code, i32::from(Fault::NotThere.exit_code()), "{said}");
}

#[tokio::test]
async fn a_moment_is_told_as_it_was() {
    let book = Book::written().await;
    let log = book.log.to_str().unwrap();
    let pairs = book.pairs();
    let as_of = |moment: &str| {
        let (code, said) = run(&["--json", "as-of", moment, log]);
        assert_eq!(code, 0, "{said}");
        serde_json::from_str::<serde_json::Value>(&said).unwrap()
    };
    let eth = |stood: &serde_json::Value, field: &str| {
        let account = stood["accounts"]
            .as_array()
            .unwrap()
            .iter()
            .find(|account| account["account"] == ETH.account().to_string());
        account.map(|account| account[field].clone())
    };
    let held = find(&pairs, "account.hold-placed") + 1;
    let stood = as_of(&held.to_string());
    assert_eq!(stood["head"]["position"], held);
    assert_eq!(eth(&stood, "pending").unwrap(), "500100000000000000");
    let before = as_of(&(held - 1).to_string());
    assert_eq!(eth(&before, "pending").unwrap(), "0");
    assert_eq!(before["policy"]["version"], 1);
    assert_eq!(before["transfers"].as_object().unwrap().len(), 1);
    assert_eq!(as_of("1")["wallets"].as_array().unwrap().len(), 0);
    // Every entry is at its own microsecond here, so its time is a moment too.
    let entry = strongroom_ledger::Entry::parse(&pairs[held - 1].entry).unwrap();
    let by_time = as_of(&entry.time.to_string());
    assert_eq!(by_time["accounts"], as_of(&by_time["head"]["position"].to_string())["accounts"]);
    // At the end it is what verify says.
    let (_, verdict) = run(&["--json", "verify", log]);
    let verdict: serde_json::Value = serde_json::from_str(&verdict).unwrap();
    let end = as_of("2100-01-01");
    assert_eq!(end["state_digest"], verdict["log"]["state_digest"]);
    let (code, page) = run(&["as-of", &held.to_string(), log]);
    assert_eq!(code, 0, "{page}");
    assert!(page.contains("pending 0.500100000000000000 ETH (500100000000000000 wei)"), "{page}");
    assert!(page.contains("policy        version 1"), "{page}");
    let not_there = i32::from(Fault::NotThere.exit_code());
    assert_eq!(run(&["as-of", "1000000", log]).0, not_there);
    assert_eq!(run(&["as-of", "2000-01-01T00:00:00Z", log]).0, not_there);
    assert_eq!(run(&["as-of", "yesterday", log]).0, 2);
}

/// What stands behind the moment is read for its form, so damage there does not go unnoticed.
#[tokio::test]
async fn a_moment_of_a_damaged_log_is_not_told() {
    let book = Book::written().await;
    let mut pairs = book.pairs();
    let last = pairs.len() - 2;
    pairs[last].payload.push(b' ');
    let file = book.file("damaged.jsonl");
    std::fs::write(&file, crate::book::bytes(&pairs)).unwrap();
    let (code, said) = run(&["as-of", "5", file.to_str().unwrap()]);
    assert_eq!(code, i32::from(Fault::Altered.exit_code()), "{said}");
}
