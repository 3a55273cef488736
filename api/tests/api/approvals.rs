//! Answers to proposals: by the right people, over the right text, once.

use crate::house::{House, Running, payment};
use serde_json::json;
use strongroom_api::cli::{Approve, Say};

async fn asked(house: &House, server: &Running, maker: &str) -> String {
    let body = payment(house.account, house.wallet, 1_000_000, &house.allowed);
    let asked = server.post(&house.token(maker), "/transactions", "asked", &body).await;
    asked.text("proposal")
}

/// Ada's answer by the command line.
fn adas(house: &House, server: &Running, proposal: &str) -> Approve {
    Approve {
        proposal: proposal.parse().unwrap(),
        server: server.url.clone(),
        token_file: house.path("ada.token"),
        key: strongroom_api::cli::KeyPlace {
            key: Some(house.path("ada.key")),
            passphrase_file: Some(house.path("ada.passphrase")),
            pkcs11_module: None,
            token_label: None,
            key_label: None,
            pin_file: None,
        },
        decline: false,
        yes: true,
    }
}

#[tokio::test]
async fn the_command_line_says_what_became_of_a_proposal_that_is_closed() {
    let house = House::new();
    let server = house.serve().await;
    let (ian, body) =
        (house.token("ian"), payment(house.account, house.wallet, 5000, &house.allowed));
    let asked = server.post(&ian, "/transactions", "asked", &body).await;
    let cancel = format!("/transactions/{}/cancel", asked.text("transaction"));
    assert_eq!(server.post(&ian, &cancel, "cancelled", &json!({})).await.status, 200);
    let late = adas(&house, &server, &asked.text("proposal"));
    let said = late.answer(&mut Say::to(&mut Vec::new())).await.unwrap_err().to_string();
    assert!(said.starts_with("not signed: the proposal is cancelled"), "{said}");
    server.stop().await;
}

#[tokio::test]
async fn the_command_line_shows_the_statement_and_signs_exactly_it() {
    let house = House::new();
    let server = house.serve().await;
    let proposal = asked(&house, &server, "ian").await;
    let approve = adas(&house, &server, &proposal);
    let mut out = Vec::new();
    approve.answer(&mut Say::to(&mut out)).await.unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(out.starts_with("Strongroom approval statement, version 1\n"), "{out}");
    assert!(out.contains("PAY           0.01000000 LTC (1000000 litoshi)"), "{out}");
    assert!(out.contains("Known as:     exchange"), "{out}");
    let shown = server.get(&house.token("ada"), &format!("/approvals/{proposal}")).await;
    let answers = shown.body["proposal"]["answers"].as_array().unwrap();
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0]["approver"], "00000000-0000-4000-8000-000000000001");
    // A lost answer is asked for again: the same signature, the same key, the same answer.
    let mut again = Vec::new();
    approve.answer(&mut Say::to(&mut again)).await.unwrap();
    assert_eq!(String::from_utf8(again).unwrap(), out);
    server.stop().await;
}

#[tokio::test]
async fn the_maker_an_outsider_and_a_wrong_signature_do_not_count() {
    let house = House::new();
    let server = house.serve().await;
    let proposal = asked(&house, &server, "cyd").await;
    let path = format!("/approvals/{proposal}");
    let own = server.signed(&house, "cyd", &proposal).await;
    let maker = server.post(&house.token("cyd"), &path, "a", &own).await;
    maker.is_problem(403, "refused/maker-checker");
    // Another person's signature under one's own token.
    let bobs = server.signed(&house, "bob", &proposal).await;
    let borrowed = server.post(&house.token("ada"), &path, "a", &bobs).await;
    borrowed.is_problem(422, "refused/approval-key-unknown");
    let mut declined = bobs.clone();
    declined["answer"] = "decline".into();
    let turned = server.post(&house.token("bob"), &path, "a", &declined).await;
    turned.is_problem(422, "refused/approval-signature");
    assert_eq!(server.post(&house.token("bob"), &path, "b", &bobs).await.status, 200);
    let twice = server.post(&house.token("bob"), &path, "c", &bobs).await;
    twice.is_problem(422, "refused/approver-spoke");
    server.stop().await;
}

#[tokio::test]
async fn statements_are_given_for_open_proposals_and_for_each_answer() {
    let house = House::new();
    let server = house.serve().await;
    let proposal = asked(&house, &server, "ian").await;
    let bob = house.token("bob");
    let path = format!("/approvals/{proposal}");
    let declining = server.get(&bob, &format!("{path}?answer=decline")).await;
    assert!(declining.text("statement").contains("\nDECLINE the following."));
    let ada = "00000000-0000-4000-8000-000000000001";
    let for_ada = server.get(&bob, &format!("{path}?approver={ada}")).await;
    assert!(for_ada.text("statement").contains(&format!("I, approver {ada},")));
    let waiting = server.get(&bob, "/approvals").await;
    assert_eq!(waiting.body["items"].as_array().unwrap().len(), 1);
    let shown = server.get(&bob, &path).await;
    let id = shown.body["proposal"]["subject"]["transfer"]["intent"]["transfer"].clone();
    let cancel = format!("/transactions/{}/cancel", id.as_str().unwrap());
    let ian = house.token("ian");
    assert_eq!(server.post(&ian, &cancel, "c", &json!({})).await.status, 200);
    let closed = server.get(&bob, &path).await;
    assert!(closed.body["statement"].is_null());
    assert_eq!(closed.body["proposal"]["state"], "cancelled");
    let waiting = server.get(&bob, "/approvals").await;
    assert_eq!(waiting.body["items"], json!([]));
    server.stop().await;
}
