//! Who may ask what, over HTTP: every route of the table of operations, and tokens that are not in
//! force. What the policy decides for each role is in `docs/authorisation.md`, which has a test.

use crate::house::{House, PEOPLE, say};
use std::collections::BTreeSet;
use strongroom_api::{
    authorisation::{Authorisation, Principal, Resource, Settings, Via, operations::TABLE},
    rest::document,
};
use strongroom_domain::charter::Role;

const ID: &str = "00000000-0000-7000-8000-00000000ffff";

fn concrete(path: &str) -> String {
    let path = path.replace("{id}", ID).replace("{proposal}", ID).replace("{level}", "0");
    let path = path.replace("{message}", "msg_1").replace("{name}", "nothing");
    path.replace("{position}", "999999").replace("{*index}", "999")
}

/// A person of the house, by token, as the policy sees them.
fn principal(name: &str) -> Principal {
    let (_, id, roles) = PEOPLE.iter().find(|(known, _, _)| *known == name).unwrap();
    let role = |name: &&str| match *name {
        "initiator" => Role::Initiator,
        "approver" => Role::Approver,
        _ => Role::Auditor,
    };
    let (via, stepped_up, clients) = (Via::Token, false, None);
    let (roles, scopes) = (roles.iter().map(role).collect(), BTreeSet::new());
    Principal { id: id.parse().unwrap(), roles, via, stepped_up, scopes, clients }
}

#[tokio::test]
async fn every_route_does_what_the_policy_decides() {
    let house = House::new();
    let server = house.serve_with("[limits]\nfailures_per_minute = 10000\n").await;
    let policy = Authorisation::open(Settings::default()).unwrap();
    for operation in TABLE {
        let name = operation.name;
        for (method, path) in operation.routes {
            let ask = async |token: Option<&str>| {
                let bearer = format!("Bearer {}", token.unwrap_or_default());
                let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k")];
                let headers = if token.is_some() { &headers[..] } else { &headers[1..] };
                server.send(method, &concrete(path), headers, "").await
            };
            let stranger = ask(None).await;
            if policy.permits_anybody(name) {
                let refused = stranger.body["rule"] == "role-missing";
                assert!(!refused, "{method} {path}: {stranger:?}");
                continue;
            }
            // A page sends a person to sign in, and says in words what is refused.
            if !path.starts_with("/api/") && !path.starts_with("/tile/") && *path != "/graphql" {
                continue;
            }
            assert_eq!(stranger.status, 401, "{method} {path}: {stranger:?}");
            for person in ["ian", "bob", "eve"] {
                let answer = ask(Some(&house.token(person))).await;
                let refused = answer.body["rule"] == "role-missing";
                let may = policy.permits(&principal(person), name, &Resource::System);
                assert_eq!(refused, !may, "{person}: {method} {path}: {answer:?}");
                assert_ne!(answer.status, 405, "{method} {path}");
                assert_ne!(answer.status, 401, "{method} {path}: {answer:?}");
            }
        }
    }
    server.stop().await;
}

#[test]
fn every_operation_is_documented() {
    let document = serde_json::to_value(document()).unwrap();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path}");
            assert!(!operation["responses"].as_object().unwrap().is_empty(), "{method} {path}");
        }
    }
}

/// What changes nothing in the log, or is as good twice as once.
fn needs_no_key(path: &str) -> bool {
    let parts = ["/sign", "/resend", "/sign-in/", "/enrolment", "/session/", "/passkeys"];
    parts.iter().any(|part| path.contains(part) && !path.contains("/signers"))
        || path.ends_with("/recovery-codes")
}

#[tokio::test]
async fn the_document_says_which_requests_need_an_idempotency_key() {
    let house = House::new();
    let server = house.serve().await;
    let document = server.send("GET", "/api/v1/openapi.json", &[], "").await;
    assert_eq!(document.body["info"]["title"], "Strongroom");
    for (path, methods) in document.body["paths"].as_object().unwrap() {
        let Some(post) = methods.get("post") else { continue };
        let parameters = post["parameters"].as_array().cloned().unwrap_or_default();
        let named = parameters.iter().any(|one| one["name"] == "Idempotency-Key");
        assert_eq!(named, !needs_no_key(path), "{path}");
        let bearer = format!("Bearer {}", house.token("cyd"));
        let headers = [("authorization", bearer.as_str())];
        let answer = server.send("POST", &concrete(path), &headers, "{}").await;
        let missing = answer.body["type"] == "/problems/idempotency-key-missing";
        // Whom it is not for is told nothing else.
        let refused = answer.status == 403;
        assert!(refused || missing == named, "{path}: {answer:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_token_that_is_wrong_or_revoked_is_refused_also_while_the_server_runs() {
    let house = House::new();
    let server = house.serve().await;
    let token = house.token("ian");
    let me = server.get(&token, "/me").await;
    assert_eq!(me.body["person"], "00000000-0000-4000-8000-000000000004");
    assert_eq!(me.body["roles"], serde_json::json!(["initiator"]));
    let mut other = token.clone();
    let last = other.pop().unwrap();
    other.push(if last == '0' { '1' } else { '0' });
    server.get(&other, "/me").await.is_problem(401, "unauthenticated");
    server.get("nonsense", "/me").await.is_problem(401, "unauthenticated");
    let (data, id) = (house.path("data"), me.text("token"));
    say(&["token", "revoke", "--data", data.to_str().unwrap(), &id]).unwrap();
    server.get(&token, "/me").await.is_problem(401, "unauthenticated");
    server.stop().await;
}
