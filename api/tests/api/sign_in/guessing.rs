//! Passwords, codes and recovery codes: guesses are few and slow, nothing works twice, and nobody
//! learns who has an account.

use crate::house::{Browser, House, TestClock};
use serde_json::{Value, json};

use super::PASSWORD;

#[tokio::test]
async fn a_code_signs_in_once_also_to_step_up() {
    let house = House::new();
    let invitation = house.invite("ada");
    let clock = TestClock::default();
    let server = house.serve_at(&clock).await;
    let mut ada = Browser::new(&server);
    let reply = ada.enrol_password(&invitation, "ada", PASSWORD, &clock).await;
    ada.enter(reply);
    // The code that proved the secret was used by that.
    let code = ada.code(&clock);
    ada.by_password("ada", PASSWORD, &code).await.is_problem(401, "sign-in-refused");
    clock.pass(60);
    let code = ada.code(&clock);
    let reply = ada.by_password("ada", PASSWORD, &code).await;
    ada.enter(reply);
    let again = ada.by_password("ada", PASSWORD, &code).await;
    again.is_problem(401, "sign-in-refused");
    let step_up = json!({ "code": code });
    let reply = ada.own("POST", "/session/step-up/finish", &step_up).await;
    reply.is_problem(401, "sign-in-refused");
    assert_eq!(ada.own("POST", "/session/step-up", &Value::Null).await.good(), json!({}));
    clock.pass(30);
    let step_up = json!({ "code": ada.code(&clock) });
    let reply = ada.own("POST", "/session/step-up/finish", &step_up).await;
    ada.enter(reply);
    server.stop().await;
}

#[tokio::test]
async fn a_recovery_code_works_once_and_is_good_for_a_new_passkey_alone() {
    let house = House::new();
    let invitation = house.invite("ada");
    let clock = TestClock::default();
    let server = house.serve_at(&clock).await;
    let mut ada = Browser::new(&server);
    let reply = ada.enrol_passkey(&invitation, "ada").await;
    let welcome = ada.enter(reply);
    let code = welcome["recovery_codes"][3].as_str().unwrap().to_owned();
    let recover = json!({ "name": "ada", "recovery_code": code.to_lowercase() });
    let mut found = Browser::new(&server);
    let reply = found.own("POST", "/sign-in/recovery-code", &recover).await;
    let session = found.enter(reply);
    assert_eq!(session["stepped_up_at"], Value::Null);
    found.own("POST", "/recovery-codes", &Value::Null).await.is_problem(403, "step-up-needed");
    let again = found.own("POST", "/sign-in/recovery-code", &recover).await;
    again.is_problem(401, "sign-in-refused");
    assert_eq!(found.add_passkey().await.status, 204);
    let reply = found.sign_in("ada").await;
    found.enter(reply);
    // New codes: the old ones that were left are gone.
    found.own("POST", "/recovery-codes", &Value::Null).await.good();
    let code = welcome["recovery_codes"][4].as_str().unwrap();
    let recover = json!({ "name": "ada", "recovery_code": code });
    let old = found.own("POST", "/sign-in/recovery-code", &recover).await;
    old.is_problem(401, "sign-in-refused");
    server.stop().await;
}

#[tokio::test]
async fn who_has_a_password_needs_it_beside_a_recovery_code() {
    let house = House::new();
    let invitation = house.invite("ada");
    let clock = TestClock::default();
    let server = house.serve_at(&clock).await;
    let mut ada = Browser::new(&server);
    let reply = ada.enrol_password(&invitation, "ada", PASSWORD, &clock).await;
    let welcome = ada.enter(reply);
    let code = welcome["recovery_codes"][0].as_str().unwrap();
    let with = async |password: Option<&str>| {
        let body = json!({ "name": "ada", "recovery_code": code, "password": password });
        ada.own("POST", "/sign-in/recovery-code", &body).await
    };
    with(None).await.is_problem(401, "sign-in-refused");
    with(Some("another password")).await.is_problem(401, "sign-in-refused");
    with(Some(PASSWORD)).await.good();
    server.stop().await;
}

#[tokio::test]
async fn each_wrong_guess_waits_twice_as_long_as_the_one_before_over_a_restart_too() {
    let house = House::new();
    let invitation = house.invite("ada");
    let clock = TestClock::default();
    let server = house.serve_at(&clock).await;
    let mut ada = Browser::new(&server);
    ada.enrol_password(&invitation, "ada", PASSWORD, &clock).await.good();
    let wrong = async |browser: &Browser| browser.by_password("ada", "wrong", "000000").await;
    for _ in 0..5 {
        wrong(&ada).await.is_problem(401, "sign-in-refused");
    }
    for expected in [1, 2, 4, 8] {
        let early = wrong(&ada).await;
        early.is_problem(429, "locked-out");
        assert_eq!(early.retry_after(), expected);
        clock.pass(expected);
        wrong(&ada).await.is_problem(401, "sign-in-refused");
    }
    let Browser { app, .. } = ada;
    server.stop().await;
    let server = house.serve_at(&clock).await;
    let mut ada = Browser::new(&server);
    ada.app = app;
    // The right one is not looked at, either; another person is not held back.
    let early = ada.by_password("ada", PASSWORD, &ada.code(&clock)).await;
    early.is_problem(429, "locked-out");
    assert!(early.retry_after() > 8);
    ada.by_password("bob", "wrong", "000000").await.is_problem(401, "sign-in-refused");
    clock.pass(60);
    let reply = ada.by_password("ada", PASSWORD, &ada.code(&clock)).await;
    ada.enter(reply);
    // Who got in begins anew.
    wrong(&ada).await.is_problem(401, "sign-in-refused");
    server.stop().await;
}

#[tokio::test]
async fn nobody_locks_a_passkey_out_and_one_address_does_not_guess_at_many_names() {
    let house = House::new();
    let invitation = house.invite("ada");
    let clock = TestClock::default();
    let server = house.serve_at(&clock).await;
    let mut ada = Browser::new(&server);
    ada.enrol_passkey(&invitation, "ada").await.good();
    let mut thief = Browser::new(&server);
    thief.address = "198.51.100.9";
    for _ in 0..5 {
        thief.by_password("ada", "wrong", "000000").await.is_problem(401, "sign-in-refused");
    }
    thief.by_password("ada", "wrong", "000000").await.is_problem(429, "locked-out");
    ada.sign_in("ada").await.good();
    for number in 0..15 {
        let name = format!("name-{number}");
        thief.by_password(&name, "wrong", "000000").await.is_problem(401, "sign-in-refused");
    }
    thief.by_password("one-more", "wrong", "000000").await.is_problem(429, "locked-out");
    ada.by_password("one-more", "wrong", "000000").await.is_problem(401, "sign-in-refused");
    server.stop().await;
}

#[tokio::test]
async fn a_name_that_nobody_has_is_answered_as_one_that_somebody_has() {
    let house = House::new();
    let invitation = house.invite("ada");
    let clock = TestClock::default();
    let server = house.serve_at(&clock).await;
    let mut ada = Browser::new(&server);
    ada.enrol_passkey(&invitation, "ada").await.good();
    let asked = async |name: &str| {
        let begun = ada.own("POST", "/sign-in/passkey", &json!({ "name": name })).await.good();
        begun["passkey"]["publicKey"].clone()
    };
    let (real, decoy, again) = (asked("ada").await, asked("nobody").await, asked("nobody").await);
    let shape = |options: &Value| -> Vec<(String, Value)> {
        let fields = options.as_object().unwrap().iter();
        fields
            .filter(|(name, _)| !["challenge", "allowCredentials"].contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    assert_eq!(shape(&real), shape(&decoy));
    assert_eq!(decoy["allowCredentials"], again["allowCredentials"]);
    assert_ne!(decoy["challenge"], again["challenge"]);
    let lengths = |options: &Value, field: &str| options[field].as_str().unwrap().len();
    assert_eq!(lengths(&real, "challenge"), lengths(&decoy, "challenge"));
    let keys = |options: &Value| {
        let first = options["allowCredentials"][0].as_object().unwrap();
        first.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(keys(&real), keys(&decoy));
    // Wrong in every way: one answer.
    let known = ada.by_password("ada", "wrong", "000000").await;
    let unknown = ada.by_password("nobody", "wrong", "000000").await;
    assert_eq!((known.status, &known.body), (unknown.status, &unknown.body));
    let recover = async |name: &str| {
        let body = json!({ "name": name, "recovery_code": "0000-0000-0000-0000" });
        ada.own("POST", "/sign-in/recovery-code", &body).await.body
    };
    assert_eq!(recover("ada").await, recover("nobody").await);
    server.stop().await;
}
