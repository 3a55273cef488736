//! Invitations: what they are good for, and that none is good twice.

use crate::house::{Browser, House, TestClock, say};
use serde_json::{Value, json};

use super::PASSWORD;

#[tokio::test]
async fn an_invitation_enrols_a_passkey_once_and_the_passkey_signs_in() {
    let house = House::new();
    let invitation = house.invite("ada");
    let clock = TestClock::default();
    let server = house.serve_at(&clock).await;
    let mut ada = Browser::new(&server);
    let reply = ada.enrol_passkey(&invitation, "Ada").await;
    let cookie = reply.set_cookie().unwrap();
    for part in ["; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let welcome = ada.enter(reply);
    assert_eq!(welcome["recovery_codes"].as_array().unwrap().len(), 10);
    assert_eq!(
        (&welcome["method"], welcome["stepped_up_at"].is_string()),
        (&json!("passkey"), true)
    );
    let me = ada.get("/me").await.good();
    assert_eq!((&me["via"], &me["person"]), (&json!("session"), &welcome["person"]));
    assert_eq!(me["token"], Value::Null);
    // Again, from the beginning and from a ceremony's second half.
    let asked = json!({ "invitation": invitation, "name": "ada", "with": "passkey" });
    ada.own("POST", "/enrolment", &asked).await.is_problem(403, "invitation-refused");
    let first = ada.cookie.clone();
    let reply = ada.sign_in("ada").await;
    ada.enter(reply);
    assert_ne!(ada.cookie, first, "a new id at each sign-in");
    server.stop().await;
}

#[tokio::test]
async fn of_two_who_begin_with_one_invitation_the_first_to_finish_has_it() {
    let house = House::new();
    let invitation = house.invite("ada");
    let clock = TestClock::default();
    let server = house.serve_at(&clock).await;
    let slow = Browser::new(&server);
    let asked = json!({ "invitation": invitation, "name": "ada", "with": "password" });
    let begun = slow.own("POST", "/enrolment", &asked).await.good();
    let mut quick = Browser::new(&server);
    quick.enrol_passkey(&invitation, "ada").await.good();
    let mut slow = slow;
    begun["totp"]["secret"].as_str().unwrap().clone_into(&mut slow.app);
    let code = slow.code(&clock);
    let made = json!({ "ceremony": begun["ceremony"], "password": PASSWORD, "code": code });
    slow.own("POST", "/enrolment/finish", &made).await.is_problem(403, "invitation-refused");
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_invitation_in_force_is_refused_in_the_same_words() {
    let house = House::new();
    let old = house.invite("ada");
    let new = house.invite("ada");
    let server = house.serve_at(&TestClock::default()).await;
    let browser = Browser::new(&server);
    let mut details = Vec::new();
    for wrong in [old.as_str(), &"0".repeat(64), "nonsense", ""] {
        let asked = json!({ "invitation": wrong, "name": "ada", "with": "password" });
        let reply = browser.own("POST", "/enrolment", &asked).await;
        reply.is_problem(403, "invitation-refused");
        details.push(reply.body);
    }
    assert!(details.windows(2).all(|pair| pair[0] == pair[1]));
    for name in ["a", "two words", "ada:x", &"a".repeat(65), "ädä"] {
        let asked = json!({ "invitation": new, "name": name, "with": "passkey" });
        browser.own("POST", "/enrolment", &asked).await.is_problem(400, "malformed");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_new_invitation_replaces_what_its_person_had_and_ends_their_sessions() {
    let house = House::new();
    let clock = TestClock::default();
    let (first, second) = (house.invite("ada"), house.invite("bob"));
    let server = house.serve_at(&clock).await;
    let mut ada = Browser::new(&server);
    let reply = ada.enrol_passkey(&first, "ada").await;
    ada.enter(reply);
    let mut bob = Browser::new(&server);
    let asked = json!({ "invitation": second, "name": "ADA ", "with": "passkey" });
    bob.own("POST", "/enrolment", &asked).await.is_problem(400, "malformed");
    let reply = bob.enrol_passkey(&second, "bob").await;
    bob.enter(reply);
    let Browser { cookie, passkey, .. } = ada;
    let of_bob = bob.cookie;
    server.stop().await;
    let again = house.invite("ada");
    let server = house.serve_at(&clock).await;
    let mut ada = Browser::new(&server);
    ada.cookie = cookie;
    // Until it is used, it changes nothing; sessions outlive a restart.
    ada.get("/me").await.good();
    let mut other = Browser::new(&server);
    other.enrol_password(&again, "ada.l", PASSWORD, &clock).await.good();
    ada.get("/me").await.is_problem(401, "unauthenticated");
    ada.passkey = passkey;
    let begun = ada.own("POST", "/sign-in/passkey", &json!({ "name": "ada" })).await.good();
    assert_eq!(begun["passkey"]["publicKey"]["allowCredentials"].as_array().unwrap().len(), 1);
    let mut bob = Browser::new(&server);
    bob.cookie = of_bob;
    bob.get("/me").await.good();
    server.stop().await;
}

#[tokio::test]
async fn a_password_needs_strength_and_a_code_and_the_same_secret_can_be_tried_again() {
    let house = House::new();
    let invitation = house.invite("ada");
    let clock = TestClock::default();
    let server = house.serve_at(&clock).await;
    let mut ada = Browser::new(&server);
    let asked = json!({ "invitation": invitation, "name": "ada", "with": "password" });
    let begun = ada.own("POST", "/enrolment", &asked).await.good();
    begun["totp"]["secret"].as_str().unwrap().clone_into(&mut ada.app);
    let (ceremony, code) = (&begun["ceremony"], ada.code(&clock));
    let finish = async |password: &str, code: &str| {
        let made = json!({ "ceremony": ceremony, "password": password, "code": code });
        ada.own("POST", "/enrolment/finish", &made).await
    };
    finish("short", &code).await.is_problem(400, "malformed");
    finish(PASSWORD, "00000").await.is_problem(401, "sign-in-refused");
    let reply = finish(PASSWORD, &code).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    finish(PASSWORD, &code).await.is_problem(403, "invitation-refused");
    server.stop().await;
}

#[test]
fn the_command_line_makes_an_invitation_and_shows_only_its_hash() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("invitation");
    let said = say(&["invite", "--out", out.to_str().unwrap()]).unwrap();
    let text = std::fs::read_to_string(&out).unwrap();
    let invitation = strongroom_api::access::SecretId::read(text.trim()).unwrap();
    assert_eq!(said["invitation_sha256"], hex::encode(invitation.hash()));
    assert!(!said.to_string().contains(text.trim()));
    // Never over another file.
    assert!(say(&["invite", "--out", out.to_str().unwrap()]).is_err());
}
