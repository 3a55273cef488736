//! Sessions: that their ids are new, their time is limited, and a cookie alone does nothing.

use crate::house::{Browser, House, Running, TestClock};
use serde_json::{Value, json};

async fn signed_in(server: &Running, invitation: &str) -> Browser {
    let mut ada = Browser::new(server);
    let reply = ada.enrol_passkey(invitation, "ada").await;
    ada.enter(reply);
    ada
}

#[tokio::test]
async fn an_id_that_somebody_planted_is_never_a_session() {
    let house = House::new();
    let invitation = house.invite("ada");
    let server = house.serve_at(&TestClock::default()).await;
    let mut ada = Browser::new(&server);
    let planted = "5".repeat(64);
    ada.cookie = Some(planted.clone());
    let reply = ada.enrol_passkey(&invitation, "ada").await;
    ada.enter(reply);
    assert_ne!(ada.cookie.as_deref(), Some(planted.as_str()));
    // Step-up gives a new id, too, and the old one is nothing any more.
    let (before, csrf) = (ada.cookie.clone(), ada.csrf.clone());
    let reply = ada.step_up().await;
    ada.enter(reply);
    assert!(ada.cookie != before && ada.csrf != csrf);
    for old in [Some(planted), before] {
        let mut thief = Browser::new(&server);
        thief.cookie = old;
        thief.get("/me").await.is_problem(401, "unauthenticated");
    }
    // Two cookies of the name are none.
    let two = format!("strongroom={}; strongroom={}", ada.cookie.as_ref().unwrap(), "5".repeat(64));
    let mut none = Browser::new(&server);
    none.cookie = None;
    let reply = none.send("GET", "/api/v1/me", &[("cookie", &two)], &Value::Null).await;
    reply.is_problem(401, "unauthenticated");
    server.stop().await;
}

#[tokio::test]
async fn a_cookie_changes_nothing_without_our_own_page() {
    let house = House::new();
    let invitation = house.invite("ada");
    let server = house.serve_at(&TestClock::default()).await;
    let ada = signed_in(&server, &invitation).await;
    let (origin, csrf) = (("origin", ada.origin.as_str()), ("x-csrf-token", ada.csrf.as_str()));
    let forged = ("x-csrf-token", "0".repeat(64));
    for headers in [
        &[][..],
        &[origin],
        &[csrf],
        &[origin, (forged.0, &forged.1)],
        &[("origin", "https://evil.example"), csrf],
        &[origin, csrf, ("sec-fetch-site", "cross-site")],
    ] {
        for (method, path) in [("POST", "/api/v1/recovery-codes"), ("DELETE", "/api/v1/session")] {
            ada.send(method, path, headers, &Value::Null).await.is_problem(403, "cross-site");
        }
        let query = json!({ "query": "{ me { person } }" });
        ada.send("POST", "/graphql", headers, &query).await.is_problem(403, "cross-site");
    }
    // Nor does another site sign anybody in, as itself or as them.
    let body = json!({ "name": "ada" });
    let foreign = [("origin", "https://evil.example")];
    ada.send("POST", "/api/v1/sign-in/passkey", &foreign, &body)
        .await
        .is_problem(403, "cross-site");
    ada.get("/me").await.good();
    ada.own("POST", "/recovery-codes", &Value::Null).await.good();
    server.stop().await;
}

#[tokio::test]
async fn a_session_ends_when_it_lies_unused_and_at_the_end_of_the_day() {
    let house = House::new();
    let invitation = house.invite("ada");
    let clock = TestClock::default();
    let server = house.serve_at(&clock).await;
    let mut ada = signed_in(&server, &invitation).await;
    clock.pass(14 * 60);
    ada.get("/me").await.good();
    clock.pass(14 * 60);
    ada.get("/me").await.good();
    clock.pass(16 * 60);
    ada.get("/me").await.is_problem(401, "unauthenticated");
    let reply = ada.sign_in("ada").await;
    ada.enter(reply);
    for _ in 0..(12 * 6 - 1) {
        clock.pass(10 * 60);
        ada.get("/me").await.good();
    }
    // Not even a step-up makes it longer.
    let reply = ada.step_up().await;
    ada.enter(reply);
    clock.pass(10 * 60);
    ada.get("/me").await.is_problem(401, "unauthenticated");
    server.stop().await;
}

#[tokio::test]
async fn a_person_sees_their_sessions_and_ends_one_or_all() {
    let house = House::new();
    let (invitation, of_bob) = (house.invite("ada"), house.invite("bob"));
    let server = house.serve_at(&TestClock::default()).await;
    let mut ada = signed_in(&server, &invitation).await;
    let first = ada.cookie.clone();
    let reply = ada.sign_in("ada").await;
    ada.enter(reply);
    let mut bob = Browser::new(&server);
    let reply = bob.enrol_passkey(&of_bob, "bob").await;
    bob.enter(reply);
    let items = ada.get("/sessions").await.good()["items"].clone();
    assert_eq!(items.as_array().unwrap().len(), 2);
    assert!(items.as_array().unwrap().iter().all(|one| one["csrf"].is_null()));
    let here = ada.get("/session").await.good()["session"].clone();
    let other = items.as_array().unwrap().iter().find(|one| one["session"] != here).unwrap();
    let other = format!("/sessions/{}", other["session"].as_str().unwrap());
    // Nobody ends another person's.
    bob.own("DELETE", &other, &Value::Null).await.is_problem(404, "not-found");
    assert_eq!(ada.own("DELETE", &other, &Value::Null).await.status, 204);
    let mut old = Browser::new(&server);
    old.cookie = first;
    old.get("/me").await.is_problem(401, "unauthenticated");
    let reply = ada.own("DELETE", "/sessions", &Value::Null).await;
    assert!(reply.status == 204 && reply.set_cookie().unwrap().contains("Max-Age=0"));
    ada.get("/me").await.is_problem(401, "unauthenticated");
    let reply = bob.own("DELETE", "/session", &Value::Null).await;
    assert_eq!(reply.status, 204);
    bob.get("/me").await.is_problem(401, "unauthenticated");
    server.stop().await;
}

#[tokio::test]
async fn what_matters_needs_a_proof_of_the_last_five_minutes_and_from_here() {
    let house = House::new();
    let invitation = house.invite("ada");
    let clock = TestClock::default();
    let server = house.serve_at(&clock).await;
    let mut ada = signed_in(&server, &invitation).await;
    ada.own("POST", "/recovery-codes", &Value::Null).await.good();
    clock.pass(5 * 60);
    ada.own("POST", "/recovery-codes", &Value::Null).await.is_problem(403, "step-up-needed");
    ada.add_passkey().await.is_problem(403, "step-up-needed");
    let reply = ada.step_up().await;
    ada.enter(reply);
    ada.own("POST", "/recovery-codes", &Value::Null).await.good();
    // From elsewhere it reads on, and proves nothing.
    ada.address = "198.51.100.9";
    assert_eq!(ada.get("/me").await.good()["stepped_up_at"], Value::Null);
    ada.own("POST", "/recovery-codes", &Value::Null).await.is_problem(403, "step-up-needed");
    let reply = ada.step_up().await;
    ada.enter(reply);
    ada.own("POST", "/recovery-codes", &Value::Null).await.good();
    assert_eq!(ada.add_passkey().await.status, 204);
    let reply = ada.sign_in("ada").await;
    ada.enter(reply);
    server.stop().await;
}

#[tokio::test]
async fn a_challenge_is_answered_once_by_whom_it_was_given_to() {
    let house = House::new();
    let (invitation, of_bob) = (house.invite("ada"), house.invite("bob"));
    let server = house.serve_at(&TestClock::default()).await;
    let mut ada = signed_in(&server, &invitation).await;
    let mut bob = Browser::new(&server);
    let reply = bob.enrol_passkey(&of_bob, "bob").await;
    bob.enter(reply);
    let begun = ada.own("POST", "/sign-in/passkey", &json!({ "name": "ada" })).await.good();
    let credential = ada.show(&begun["passkey"]);
    let shown = json!({ "ceremony": begun["ceremony"], "credential": credential });
    ada.own("POST", "/sign-in/passkey/finish", &shown).await.good();
    let again = ada.own("POST", "/sign-in/passkey/finish", &shown).await;
    again.is_problem(401, "sign-in-refused");
    // Nor does one person's proof step another's session up.
    let begun = ada.own("POST", "/session/step-up", &Value::Null).await.good();
    let credential = ada.show(&begun["passkey"]);
    let shown = json!({ "ceremony": begun["ceremony"], "credential": credential });
    let stolen = bob.own("POST", "/session/step-up/finish", &shown).await;
    stolen.is_problem(401, "sign-in-refused");
    server.stop().await;
}
