//! Who may ask what: every row of the table, and tokens that are not in force.

use crate::house::{House, say};
use std::collections::BTreeSet;
use strongroom_api::rest::{Access, TABLE, document};
use strongroom_domain::charter::Role;

const ID: &str = "00000000-0000-7000-8000-00000000ffff";

fn concrete(path: &str) -> String {
    let path = path.replace("{id}", ID).replace("{proposal}", ID).replace("{level}", "0");
    path.replace("{position}", "999999").replace("{*index}", "999")
}

#[tokio::test]
async fn every_route_needs_its_token_and_its_role() {
    let house = House::new();
    let server = house.serve_with("[limits]\nfailures_per_minute = 1000\n").await;
    for (method, path, access) in TABLE {
        let path = concrete(path);
        let ask = async |token: Option<&str>| {
            let bearer = format!("Bearer {}", token.unwrap_or_default());
            let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k")];
            let headers = if token.is_some() { &headers[..] } else { &headers[1..] };
            server.send(method, &path, headers, "").await
        };
        // It exists.
        let right = match access {
            Access::Role(Role::Approver) => "bob",
            Access::Role(Role::Auditor) | Access::Entries(_) | Access::Token => "eve",
            Access::Role(Role::Initiator) | Access::Anybody | Access::Within => "ian",
        };
        let answer = ask(Some(&house.token(right))).await;
        assert!(![401, 403, 405].contains(&answer.status), "{method} {path}: {answer:?}");
        assert!(!answer.body["detail"].to_string().contains("no route"), "{method} {path}");
        let wrong = match access {
            Access::Anybody => {
                assert_eq!(ask(None).await.status, answer.status, "{method} {path}");
                continue;
            }
            Access::Within => continue,
            Access::Token => None,
            Access::Role(Role::Approver) => Some("ian"),
            Access::Role(Role::Initiator | Role::Auditor) | Access::Entries(_) => Some("bob"),
        };
        ask(None).await.is_problem(401, "unauthenticated");
        if let Some(wrong) = wrong {
            ask(Some(&house.token(wrong))).await.is_problem(403, "refused/role-missing");
        }
    }
    server.stop().await;
}

#[test]
fn the_table_and_the_document_name_the_same_routes() {
    let undocumented = ["/", "/graphql", "/graphiql"];
    let table: BTreeSet<_> = TABLE
        .iter()
        .filter(|(_, path, _)| !undocumented.contains(path))
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    assert_eq!(TABLE.len(), table.len() + 4);
    let document = serde_json::to_value(document()).unwrap();
    let mut documented = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            documented.insert(format!("{} {path}", method.to_uppercase()));
            assert!(operation["summary"].is_string(), "{method} {path}");
            assert!(!operation["responses"].as_object().unwrap().is_empty(), "{method} {path}");
        }
    }
    assert_eq!(table, documented);
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
        let bearer = format!("Bearer {}", house.token("cyd"));
        let headers = [("authorization", bearer.as_str())];
        let answer = server.send("POST", &concrete(path), &headers, "{}").await;
        let missing = answer.body["type"] == "/problems/idempotency-key-missing";
        // Only reporting on signing changes nothing.
        assert_eq!((named, missing), (!path.ends_with("/sign"), named), "{path}: {answer:?}");
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
