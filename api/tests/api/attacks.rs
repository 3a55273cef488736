//! What somebody with a token tries in order to have more than it gives: other roles, other clients,
//! fields that are not for callers, and floods within one request.

use std::fmt::Write as _;

use crate::house::{House, Running, payment, say};
use serde_json::{Value, json};

const ID: &str = "00000000-0000-7000-8000-00000000ffff";

/// Every mutation of the schema, asked properly.
fn mutations(house: &House) -> Vec<(&'static str, String)> {
    let pay = payment(house.account, house.wallet, 5000, &house.allowed);
    let pay = format!(
        "requestTransaction(idempotencyKey: \"k\", input: {{ account: {}, wallet: {}, asset: {}, \
         amount: {}, destination: {}, feeCap: {} }}) {{ transaction }}",
        pay["account"],
        pay["wallet"],
        pay["asset"],
        pay["amount"],
        pay["destination"],
        pay["fee_cap"]
    );
    let answer = format!(
        "answerProposal(idempotencyKey: \"k\", input: {{ proposal: \"{ID}\", answer: \"approve\", \
         key: \"00\", signature: \"00\" }}) {{ proposal }}"
    );
    let wallet = format!(
        "createWallet(idempotencyKey: \"k\", input: {{ network: \"litecoin-regtest\", \
         key: \"{}\" }}) {{ wallet }}",
        house.free_key
    );
    vec![("requestTransaction", pay), ("answerProposal", answer), ("createWallet", wallet)]
}

fn rules(answer: &Value) -> Vec<&str> {
    let errors = answer["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    errors.iter().filter_map(|error| error["extensions"]["rule"].as_str()).collect()
}

#[tokio::test]
async fn no_mutation_gives_a_role_that_a_token_has_not() {
    let house = House::new();
    let server = house.serve().await;
    let schema = "{ __schema { mutationType { fields { name } } } }";
    let schema = server.graphql(&house.token("eve"), schema).await;
    let fields = schema["data"]["__schema"]["mutationType"]["fields"].as_array().unwrap().clone();
    let tried = mutations(&house);
    for field in &fields {
        let known = tried.iter().any(|(name, _)| field["name"] == *name);
        assert!(known, "{field}: a mutation that nobody attacks");
    }
    let head = server.get(&house.token("eve"), "/log/head").await.body;
    for (name, mutation) in &tried {
        // The auditor reads; the approver does not ask, the initiator does not answer.
        let other = if *name == "answerProposal" { "ian" } else { "bob" };
        for person in ["eve", other] {
            let token = house.token(person);
            let once = server.graphql(&token, &format!("mutation {{ {mutation} }}")).await;
            assert_eq!(rules(&once), ["role-missing"], "{person} {name}: {once}");
            // Under names that sound like something else, and several at once.
            let aliased = format!("mutation {{ me: {mutation} logHead: {mutation} }}");
            let aliased = server.graphql(&token, &aliased).await;
            assert!(rules(&aliased).iter().all(|rule| *rule == "role-missing"), "{aliased}");
            assert!(!rules(&aliased).is_empty() && aliased["data"].is_null(), "{aliased}");
            // Through a fragment, and as one of several operations.
            let inside = format!("mutation M {{ ...F }} fragment F on Mutation {{ {mutation} }}");
            let inside = server.graphql(&token, &inside).await;
            assert_eq!(rules(&inside), ["role-missing"], "{inside}");
        }
    }
    assert_eq!(server.get(&house.token("eve"), "/log/head").await.body, head);
    server.stop().await;
}

#[tokio::test]
async fn a_field_that_is_refused_is_refused_under_every_alias_and_spares_the_others() {
    let house = House::new();
    let server = house.serve().await;
    let (token, _) = limited(&house, &server).await;
    let query = "{ me { person } a: balances { asset } b: balances { asset } }";
    let answer = server.graphql(&token, query).await;
    assert_eq!(rules(&answer), ["role-missing", "role-missing"], "{answer}");
    let data = &answer["data"];
    assert!(data["me"]["person"].is_string(), "{answer}");
    assert!(data["a"].is_null() && data["b"].is_null(), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn batches_and_floods_of_aliases_are_refused() {
    let house = House::new();
    let server = house.serve().await;
    let bearer = format!("Bearer {}", house.token("eve"));
    let headers = [("authorization", bearer.as_str())];
    let batch = json!([{ "query": "{ me { person } }" }, { "query": "{ me { person } }" }]);
    let answer = server.send("POST", "/graphql", &headers, batch.to_string()).await;
    answer.is_problem(400, "malformed");
    let flood = |field: &str, count: usize| {
        let fields: Vec<_> = (0..count).map(|n| format!("a{n}: {field}")).collect();
        format!("{{ {} }}", fields.join(" "))
    };
    let few = server.graphql(&house.token("eve"), &flood("logHead { position }", 8)).await;
    assert!(few["errors"].is_null(), "{few}");
    for (field, count) in [("logHead { position }", 33), ("__typename", 600)] {
        let many = server.graphql(&house.token("eve"), &flood(field, count)).await;
        let message = many["errors"][0]["message"].as_str().unwrap().to_owned();
        assert!(message.contains("at most"), "{many}");
    }
    // Hidden in fragments that name each other.
    let mut bomb = "{ ...F0 }".to_owned();
    for n in 0..12 {
        let next = n + 1;
        let _ = write!(bomb, " fragment F{n} on Query {{ ...F{next} ...F{next} }}");
    }
    bomb.push_str(" fragment F12 on Query { a: logHead { position } b: logHead { position } }");
    let answer = server.graphql(&house.token("eve"), &bomb).await;
    assert!(answer["errors"].is_array(), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn fields_that_are_not_for_callers_are_refused_and_not_ignored() {
    let house = House::new();
    let server = house.serve().await;
    let ian = house.token("ian");
    let mut pay = payment(house.account, house.wallet, 5000, &house.allowed);
    let extra = [
        ("maker", json!("00000000-0000-4000-8000-000000000001")),
        ("proposal", json!(ID)),
        ("state", json!("approved")),
        ("quorum", json!([])),
    ];
    for (field, value) in extra {
        pay[field] = value;
        server.post(&ian, "/transactions", "k", &pay).await.is_problem(400, "malformed");
        pay.as_object_mut().unwrap().remove(field);
    }
    let account = json!({ "asset": "litecoin-regtest/ltc", "total": "1" });
    server.post(&ian, "/accounts", "k", &account).await.is_problem(400, "malformed");
    let page = server.get(&ian, "/accounts?client_limit=none").await;
    page.is_problem(400, "malformed");
    let unknown = format!(
        "mutation {{ createWallet(idempotencyKey: \"k\", input: {{ network: \
         \"litecoin-regtest\", key: \"{}\", by: \"{ID}\" }}) {{ wallet }} }}",
        house.free_key
    );
    let answer = server.graphql(&ian, &unknown).await;
    assert!(answer["errors"].is_array() && answer["data"].is_null(), "{answer}");
    server.stop().await;
}

/// A token of the initiator for one client, who has one account; its account.
async fn limited(house: &House, server: &Running) -> (String, String) {
    let body = json!({ "asset": "litecoin-regtest/ltc" });
    let opened = server.post(&house.token("ian"), "/accounts", "of-another", &body).await;
    let (client, account) = (opened.text("client"), opened.text("account"));
    let (data, out) = (house.path("data"), house.path("limited.token"));
    let ian = "00000000-0000-4000-8000-000000000004";
    let (data, out) = (data.to_str().unwrap(), out.to_str().unwrap());
    say(&[
        "token",
        "issue",
        "--data",
        data,
        "--person",
        ian,
        "--role",
        "initiator",
        "--client",
        &client,
        "--out",
        out,
    ])
    .unwrap();
    (std::fs::read_to_string(out).unwrap().trim().to_owned(), account)
}

#[tokio::test]
async fn a_token_for_one_client_finds_nothing_of_another() {
    let house = House::new();
    let server = house.serve().await;
    let (token, own) = limited(&house, &server).await;
    let ian = house.token("ian");
    // A payment of the other client.
    let pay = payment(house.account, house.wallet, 5000, &house.allowed);
    let asked = server.post(&ian, "/transactions", "p", &pay).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    let (other, transaction) = (house.account.to_string(), asked.text("transaction"));
    // Its own is there, and nothing else in any list.
    assert_eq!(server.get(&token, &format!("/accounts/{own}")).await.status, 200);
    let listed = server.get(&token, "/accounts").await.body["items"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed[0]["account"], own);
    for path in ["/transactions", "/deposits", &format!("/transactions?account={other}")] {
        let listed = server.get(&token, path).await;
        assert_eq!(listed.body["items"], json!([]), "{path}: {listed:?}");
        let all = server.get(&ian, path).await;
        assert_ne!(all.body["items"], json!([]), "{path}: there is something to find");
    }
    // By id, another's thing is as a thing that never was.
    for path in [format!("/accounts/{other}"), format!("/transactions/{transaction}")] {
        let found = server.get(&token, &path).await;
        let never = format!("{}/{ID}", path.rsplit_once('/').unwrap().0);
        let never = server.get(&token, &never).await;
        found.is_problem(404, "not-found");
        let detail = |body: &Value| {
            let id = path.rsplit_once('/').unwrap().1;
            body["detail"].as_str().unwrap().replace(id, "").replace(ID, "")
        };
        assert_eq!(detail(&found.body), detail(&never.body));
    }
    // Nor can anything be done with it.
    let sign = format!("/transactions/{transaction}/sign");
    server.post(&token, &sign, "s", &json!({})).await.is_problem(404, "not-found");
    let cancel = format!("/transactions/{transaction}/cancel");
    server.post(&token, &cancel, "c", &json!({})).await.is_problem(404, "not-found");
    server.post(&token, "/transactions", "q", &pay).await.is_problem(404, "not-found");
    // With the key under which the other's payment was asked for, too.
    server.post(&token, "/transactions", "p", &pay).await.is_problem(404, "not-found");
    let derive = format!("/wallets/{}/addresses", house.wallet);
    let body = json!({ "account": other });
    server.post(&token, &derive, "d", &body).await.is_problem(404, "not-found");
    let open = json!({ "asset": "litecoin-regtest/ltc" });
    server.post(&token, "/accounts", "o", &open).await.is_problem(403, "refused/role-missing");
    // What is of all clients is not for it, by REST or GraphQL.
    for path in ["/events", "/balances", "/wallets", "/approvals", "/receipts/1", "/keys"] {
        server.get(&token, path).await.is_problem(403, "refused/role-missing");
    }
    let query = format!("{{ account(id: \"{other}\") {{ account {{ total }} }} }}");
    let answer = server.graphql(&token, &query).await;
    assert_eq!(answer["errors"][0]["extensions"]["status"], 404, "{answer}");
    for query in [
        "{ balances { asset } }",
        "{ events { items { payload } } }",
        "{ approvals { items { proposal } } }",
        "{ wallets { items { wallet } } }",
    ] {
        let answer = server.graphql(&token, query).await;
        assert_eq!(rules(&answer), ["role-missing"], "{query}: {answer}");
    }
    let listed = server.graphql(&token, "{ accounts { items { account } } }").await;
    assert_eq!(listed["data"]["accounts"]["items"], json!([{ "account": own }]), "{listed}");
    server.stop().await;
}
