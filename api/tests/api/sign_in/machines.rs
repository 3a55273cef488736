//! Machines that sign their requests, and tokens that are for some networks only.

use std::{collections::BTreeSet, fmt::Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use strongroom_domain::{
    Bytes, PersonId,
    charter::{Machine, PeopleChange, Role},
};

use crate::house::{Browser, House, PEOPLE, Reply, TestClock, say, seeded};

const ID: &str = "00000000-0000-4000-8000-0000000000b1";

fn machine(clock: &TestClock, scopes: &[&str], networks: &[&str]) -> PeopleChange {
    PeopleChange::EnrolMachine(Machine {
        id: ID.parse::<PersonId>().unwrap(),
        key: Bytes(seeded(77).verifying_key().to_bytes().to_vec()),
        roles: BTreeSet::from([Role::Initiator]),
        scopes: scopes.iter().map(|scope| (*scope).to_owned().try_into().unwrap()).collect(),
        networks: networks.iter().map(|network| (*network).to_owned()).collect(),
        expires_at: clock.now().plus_seconds(3600),
    })
}

/// A request, signed.
struct Signed {
    method: &'static str,
    path: &'static str,
    body: Value,
    headers: Vec<(&'static str, String)>,
}

fn sign(
    browser: &Browser,
    clock: &TestClock,
    key: &SigningKey,
    (method, path): (&'static str, &'static str),
    body: Value,
    nonce: &str,
) -> Signed {
    let created = clock.now().micros() / 1_000_000;
    let mut covered = vec!["@method", "@target-uri"];
    let mut headers = Vec::new();
    if !body.is_null() {
        let digest = STANDARD.encode(Sha256::digest(body.to_string()));
        headers.push(("content-digest", format!("sha-256=:{digest}:")));
        headers.push(("idempotency-key", format!("key-{nonce}")));
        covered.extend(["content-digest", "idempotency-key"]);
    }
    let names: Vec<_> = covered.iter().map(|name| format!("\"{name}\"")).collect();
    let params = format!(
        "({});created={created};expires={};nonce=\"{nonce}\";keyid=\"{ID}\";alg=\"ed25519\"",
        names.join(" "),
        created + 30
    );
    let mut base = format!("\"@method\": {method}\n\"@target-uri\": {}{path}\n", browser.origin);
    for (name, value) in &headers {
        let _ = writeln!(base, "\"{name}\": {value}");
    }
    let _ = write!(base, "\"@signature-params\": {params}");
    let signature = STANDARD.encode(key.sign(base.as_bytes()).to_bytes());
    headers.push(("signature-input", format!("sig={params}")));
    headers.push(("signature", format!("sig=:{signature}:")));
    Signed { method, path, body, headers }
}

async fn send(browser: &Browser, signed: &Signed) -> Reply {
    let headers: Vec<_> =
        signed.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.send(signed.method, signed.path, &headers, &signed.body).await
}

const ME: (&str, &str) = ("GET", "/api/v1/me");
const ACCOUNTS: (&str, &str) = ("POST", "/api/v1/accounts");

#[tokio::test]
async fn a_machine_signs_each_request_once_with_its_body() {
    let house = House::new();
    let clock = TestClock::default();
    house.agree(vec![machine(&clock, &[], &[])]);
    let server = house.serve_at(&clock).await;
    let (browser, key) = (Browser::new(&server), seeded(77));
    let signed = sign(&browser, &clock, &key, ME, Value::Null, "nonce-0000000001");
    let me = send(&browser, &signed).await.good();
    assert_eq!((&me["via"], &me["person"]), (&json!("machine"), &json!(ID)));
    // The same bytes again, also after a restart.
    send(&browser, &signed).await.is_problem(401, "request-signature");
    let body = json!({ "asset": "litecoin-regtest/ltc" });
    let mut open = sign(&browser, &clock, &key, ACCOUNTS, body, "nonce-0000000002");
    let reply = send(&browser, &open).await;
    assert!(reply.status < 300, "{}", reply.body);
    // Its body or its idempotency key changed on the way; a body that nobody signed.
    let mut changed = sign(&browser, &clock, &key, ACCOUNTS, open.body.clone(), "nonce-0000000003");
    changed.body = json!({ "asset": "litecoin-regtest/ltc", "client": ID });
    send(&browser, &changed).await.is_problem(401, "request-signature");
    let mut other = sign(&browser, &clock, &key, ACCOUNTS, open.body.clone(), "nonce-0000000004");
    other.headers[1].1 = "another".to_owned();
    send(&browser, &other).await.is_problem(401, "request-signature");
    let mut added =
        sign(&browser, &clock, &key, ("GET", ACCOUNTS.1), Value::Null, "nonce-0000000005");
    added.body = open.body.take();
    send(&browser, &added).await.is_problem(401, "request-signature");
    let stranger = sign(&browser, &clock, &seeded(78), ME, Value::Null, "nonce-0000000006");
    send(&browser, &stranger).await.is_problem(401, "request-signature");
    let expired = sign(&browser, &clock, &key, ME, Value::Null, "nonce-0000000007");
    clock.pass(31);
    send(&browser, &expired).await.is_problem(401, "request-signature");
    server.stop().await;
}

#[tokio::test]
async fn a_replay_is_refused_after_a_restart_too() {
    let house = House::new();
    let clock = TestClock::default();
    house.agree(vec![machine(&clock, &[], &[])]);
    let server = house.serve_at(&clock).await;
    let browser = Browser::new(&server);
    let signed = sign(&browser, &clock, &seeded(77), ME, Value::Null, "nonce-0000000001");
    send(&browser, &signed).await.good();
    server.stop().await;
    let server = house.serve_at(&clock).await;
    let browser = Browser::new(&server);
    let replay = send(&browser, &signed).await;
    replay.is_problem(401, "request-signature");
    assert!(replay.body["detail"].as_str().unwrap().contains("nonce"), "{}", replay.body);
    server.stop().await;
}

#[tokio::test]
async fn a_machine_is_held_to_its_networks_its_scopes_and_its_time() {
    let house = House::new();
    let clock = TestClock::default();
    house.agree(vec![machine(&clock, &["read-me"], &["192.0.2.0/24"])]);
    let server = house.serve_at(&clock).await;
    let (mut browser, key) = (Browser::new(&server), seeded(77));
    let signed = sign(&browser, &clock, &key, ME, Value::Null, "nonce-0000000001");
    browser.address = "198.51.100.9";
    send(&browser, &signed).await.is_problem(401, "request-signature");
    browser.address = "192.0.2.200";
    send(&browser, &signed).await.good();
    let body = json!({ "asset": "litecoin-regtest/ltc" });
    let open = sign(&browser, &clock, &key, ACCOUNTS, body, "nonce-0000000002");
    assert_eq!(send(&browser, &open).await.status, 403);
    // No machine steps up, or has sessions.
    let step_up =
        sign(&browser, &clock, &key, ("GET", "/api/v1/session"), Value::Null, "nonce-0000000003");
    assert_eq!(send(&browser, &step_up).await.status, 403);
    clock.pass(3601);
    let late = sign(&browser, &clock, &key, ME, Value::Null, "nonce-0000000004");
    send(&browser, &late).await.is_problem(401, "request-signature");
    server.stop().await;
}

#[tokio::test]
async fn a_stolen_token_is_nothing_from_another_address() {
    let house = House::new();
    let (data, out) = (house.path("data"), house.path("bound.token"));
    let (data, file) = (data.to_str().unwrap(), out.to_str().unwrap());
    let (_, ian, _) = PEOPLE.iter().find(|(name, ..)| *name == "ian").unwrap();
    let issue = ["token", "issue", "--data", data, "--person", ian, "--out", file];
    let bound = ["--role", "initiator", "--network", "192.0.2.0/24"];
    say(&[&issue[..], &bound].concat()).unwrap();
    let token = std::fs::read_to_string(&out).unwrap().trim().to_owned();
    let server = house.serve_at(&TestClock::default()).await;
    let mut browser = Browser::new(&server);
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let me = browser.send("GET", "/api/v1/me", &headers, &Value::Null).await.good();
    assert_eq!(me["via"], "token");
    browser.address = "198.51.100.9";
    let stolen = browser.send("GET", "/api/v1/me", &headers, &Value::Null).await;
    stolen.is_problem(401, "unauthenticated");
    // A token has no session, and nobody to step up.
    browser.address = "192.0.2.7";
    let reply = browser.send("GET", "/api/v1/session", &headers, &Value::Null).await;
    assert_eq!(reply.status, 403);
    server.stop().await;
    // Without a proxy of ours, what a thief writes there is only written there.
    let server = house.serve().await;
    let spoofed = [headers[0], ("x-forwarded-for", "192.0.2.7")];
    let reply = server.send("GET", "/api/v1/me", &spoofed, "").await;
    reply.is_problem(401, "unauthenticated");
    server.stop().await;
}
