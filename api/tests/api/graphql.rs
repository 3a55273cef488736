//! GraphQL: the same reads and refusals as REST, limits, and events as they happen.

use crate::house::{House, payment, say};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

#[tokio::test]
async fn reads_and_mutations_are_those_of_rest() {
    let house = House::new();
    let server = house.serve().await;
    let (ian, eve) = (house.token("ian"), house.token("eve"));
    let query = format!(
        "{{ me {{ roles }} wallet(id: \"{}\") {{ wallet {{ network }} addresses {{ path }} }}
            account(id: \"{}\") {{ account {{ available }} }} balances {{ balanced }}
            charter {{ genesis }} policy {{ version }} logHead {{ position }}
            keys(limit: 5) {{ items {{ state }} }} approvals {{ items {{ proposal }} }} }}",
        house.wallet, house.account
    );
    let answer = server.graphql(&eve, &query).await;
    assert!(answer["errors"].is_null(), "{answer}");
    assert_eq!(answer["data"]["account"]["account"]["available"], "100000000");
    assert_eq!(answer["data"]["charter"]["genesis"], house.genesis);
    assert_eq!(answer["data"]["keys"]["items"].as_array().unwrap().len(), 3);
    let pay = |to| {
        let asked = payment(house.account, house.wallet, 5000, to);
        format!(
            "mutation {{ requestTransaction(idempotencyKey: \"{to}\", input: {{ account: {}, \
             wallet: {}, asset: {}, amount: {}, destination: {}, feeCap: {} }}) \
             {{ transaction proposal }} }}",
            asked["account"],
            asked["wallet"],
            asked["asset"],
            asked["amount"],
            asked["destination"],
            asked["fee_cap"]
        )
    };
    let asked = server.graphql(&ian, &pay(&house.allowed)).await;
    assert!(asked["errors"].is_null(), "{asked}");
    assert_eq!(server.graphql(&ian, &pay(&house.allowed)).await, asked);
    let refused = server.graphql(&ian, &pay(&house.stranger)).await;
    let extensions = &refused["errors"][0]["extensions"];
    assert_eq!(extensions["rule"], "destination-allowlist", "{refused}");
    assert_eq!(extensions["status"], 422);
    let wrong = server.graphql(&eve, &pay(&house.allowed)).await;
    assert_eq!(wrong["errors"][0]["extensions"]["rule"], "role-missing", "{wrong}");
    let proposal = asked["data"]["requestTransaction"]["proposal"].as_str().unwrap();
    let signed = server.signed(&house, "bob", proposal).await;
    let answer = format!(
        "mutation {{ answerProposal(idempotencyKey: \"a\", input: {{ proposal: \"{proposal}\", \
         answer: \"approve\", key: {}, signature: {} }}) {{ quorumReached }} }}",
        signed["key"], signed["signature"]
    );
    let answered = server.graphql(&house.token("bob"), &answer).await;
    assert_eq!(answered["data"]["answerProposal"]["quorumReached"], false, "{answered}");
    let create = format!(
        "mutation {{ createWallet(idempotencyKey: \"w\", input: {{ network: \
         \"litecoin-regtest\", key: \"{}\" }}) {{ wallet }} }}",
        house.free_key
    );
    let created = server.graphql(&ian, &create).await;
    assert!(created["data"]["createWallet"]["wallet"].is_string(), "{created}");
    server.stop().await;
}

#[tokio::test]
async fn queries_that_are_too_deep_or_too_wide_are_refused() {
    let house = House::new();
    let limits = "[limits]\ngraphql_depth = 3\ngraphql_complexity = 50\n";
    let server = house.serve_with(limits).await;
    let eve = house.token("eve");
    let deep = "{ transactions(limit: 1) { items { maker } } }";
    assert!(server.graphql(&eve, deep).await["errors"].is_null());
    let deeper = "{ wallets(limit: 1) { items { custody { debits } } } }";
    let refused = server.graphql(&eve, deeper).await;
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("deep"), "{refused}");
    let wide = "{ wallets(limit: 500) { items { wallet } } }";
    let refused = server.graphql(&eve, wide).await;
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("complex"), "{refused}");
    server.stop().await;
}

#[tokio::test]
async fn events_are_pushed_as_they_become_durable_to_who_has_a_token() {
    let house = House::new();
    let server = house.serve().await;
    let ian = house.token("ian");
    let url = format!("{}/graphql", server.url.replace("http", "ws"));
    let connect = async || {
        let mut request = url.as_str().into_client_request().unwrap();
        let protocol = "graphql-transport-ws".parse().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        connect_async(request).await.unwrap().0
    };
    let text = |value: Value| Message::text(value.to_string());
    let mut stranger = connect().await;
    stranger.send(text(json!({ "type": "connection_init" }))).await.unwrap();
    let refused = stranger.next().await.unwrap().unwrap();
    assert!(!refused.to_string().contains("connection_ack"), "{refused}");
    let mut socket = connect().await;
    let init = json!({ "type": "connection_init", "payload": { "token": ian } });
    socket.send(text(init)).await.unwrap();
    let next = async |socket: &mut tokio_tungstenite::WebSocketStream<_>| -> Value {
        let message = socket.next().await.unwrap().unwrap();
        serde_json::from_str(message.to_text().unwrap()).unwrap()
    };
    assert_eq!(next(&mut socket).await["type"], "connection_ack");
    let head = server.get(&ian, "/log/head").await.body["position"].as_u64().unwrap();
    let after = head - 1;
    let query = format!("subscription {{ events(after: {after}) {{ position kind }} }}");
    let subscribe = json!({ "id": "1", "type": "subscribe", "payload": { "query": query } });
    socket.send(text(subscribe)).await.unwrap();
    let first = next(&mut socket).await;
    assert_eq!(first["payload"]["data"]["events"]["position"], head, "{first}");
    let body = json!({ "asset": "litecoin-regtest/ltc" });
    server.post(&ian, "/accounts", "k", &body).await;
    let second = next(&mut socket).await;
    assert_eq!(second["payload"]["data"]["events"]["kind"], "account.opened", "{second}");
    // Revoked: what comes after is not shown, and nothing more can be asked.
    let me = server.get(&ian, "/me").await;
    let data = house.path("data");
    say(&["token", "revoke", "--data", data.to_str().unwrap(), &me.text("token")]).unwrap();
    server.post(&house.token("cyd"), "/accounts", "k", &body).await;
    let third = next(&mut socket).await;
    assert!(third["payload"]["data"].is_null(), "{third}");
    drop(socket);
    drop(stranger);
    server.stop().await;
}

#[tokio::test]
async fn no_page_loads_a_script_of_others() {
    let house = House::new();
    let server = house.serve().await;
    assert_eq!(reqwest::get(format!("{}/graphiql", server.url)).await.unwrap().status(), 404);
    for path in ["/", "/sign-in", "/enrol"] {
        let page = reqwest::get(format!("{}{path}", server.url)).await.unwrap();
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{path}: {policy}");
        assert!(!page.text().await.unwrap().contains("src=\"http"), "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_schema_can_be_read_with_the_default_limits() {
    let house = House::new();
    let server = house.serve().await;
    // As deep as tools ask.
    let kind = "ofType { kind name ".repeat(9) + &"}".repeat(9);
    let query = format!(
        "{{ __schema {{ queryType {{ name }} types {{ name fields(includeDeprecated: true) {{ name \
         args {{ name type {{ kind name {kind} }} }} type {{ kind name {kind} }} }} }} }} }}"
    );
    let answer = server.graphql(&house.token("eve"), &query).await;
    assert!(answer["errors"].is_null(), "{answer}");
    server.stop().await;
}
