//! How others are told what happens: the feed with a cursor, and webhooks.

use crate::house::{House, write_private};
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::sync::mpsc;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

type Came = (HeaderMap, Value);

/// Receives, and verifies with somebody else's code.
async fn receiver() -> (String, mpsc::UnboundedReceiver<Came>) {
    let (sender, came) = mpsc::unbounded_channel();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let take = |State(sender): State<mpsc::UnboundedSender<Came>>,
                headers: HeaderMap,
                body: Bytes| async move {
        Webhook::new(SECRET).unwrap().verify(&body, &headers).unwrap();
        sender.send((headers, serde_json::from_slice(&body).unwrap())).unwrap();
    };
    let router = Router::new().route("/hook", post(take)).with_state(sender);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, came)
}

#[tokio::test]
async fn a_webhook_is_told_what_happened_and_to_what_and_nothing_more() {
    let house = House::new();
    let (url, mut came) = receiver().await;
    write_private(&house.path("erp.secret"), SECRET);
    let config = format!(
        "[[webhooks]]\nid = \"erp\"\nurl = \"{url}\"\nsecret_file = \"erp.secret\"\n\
         events = [\"account.*\"]\nallow_private = true\n"
    );
    let server = house.serve_with(&config).await;
    let (ian, eve) = (house.token("ian"), house.token("eve"));
    let body = json!({ "asset": "litecoin-regtest/ltc" });
    let opened = server.post(&ian, "/accounts", "k", &body).await;
    let (headers, told) = came.recv().await.unwrap();
    assert_eq!(told["type"], "account.opened");
    assert_eq!(told["data"]["position"], opened.body["position"]);
    let ids = json!({ "account": opened.body["account"], "asset": "litecoin-regtest/ltc" });
    assert_eq!(told["data"]["ids"], ids);
    assert!(!told.to_string().contains(&opened.text("client")), "{told}");
    let id = headers["webhook-id"].to_str().unwrap();
    // Who looks after it sees how far it is; who does not is told nothing.
    let message = loop {
        let page = server.get(&eve, "/webhooks/erp/messages").await;
        let message = page.body["items"][0].clone();
        if message["state"] == "delivered" {
            break message;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((message["message"].as_str(), message["last"].as_str()), (Some(id), Some("200")));
    let all = server.get(&eve, "/webhooks").await;
    assert_eq!(all.body[0]["webhook"], "erp");
    assert_eq!(all.body[0]["origin"], url.trim_end_matches("/hook"));
    assert!(!all.body.to_string().contains("whsec"));
    server.get(&eve, "/webhooks/other/messages").await.is_problem(404, "not-found");
    server.get(&ian, "/webhooks").await.is_problem(403, "refused/role-missing");
    let resend = format!("/webhooks/erp/messages/{id}/resend");
    server.post(&eve, &resend, "r", &json!({})).await.is_problem(403, "refused/role-missing");
    // What happens while the server is away is told when it is back.
    server.stop().await;
    let server = house.serve().await;
    let away = server.post(&ian, "/accounts", "away", &body).await;
    server.stop().await;
    let server = house.serve_with(&config).await;
    let (_, told) = came.recv().await.unwrap();
    assert_eq!(told["data"]["ids"]["account"], away.body["account"]);
    server.stop().await;
}

#[tokio::test]
async fn a_webhook_that_could_not_be_served_stops_the_start() {
    let house = House::new();
    write_private(&house.path("erp.secret"), SECRET);
    write_private(&house.path("bad.secret"), "not a secret of this form");
    let config = |url: &str, secret: &str| {
        format!("[[webhooks]]\nid = \"erp\"\nurl = \"{url}\"\nsecret_file = \"{secret}\"\n")
    };
    for (url, secret, because) in [
        ("http://example.com/x", "erp.secret", "https"),
        ("https://10.0.0.1/x", "erp.secret", "private"),
        ("https://example.com/x", "bad.secret", "whsec_"),
        ("https://example.com/x", "missing.secret", "missing.secret"),
    ] {
        let refused = house.refused_with(&config(url, secret)).await;
        assert!(refused.contains(because), "{url}: {refused}");
        assert!(!refused.contains("not a secret"), "{refused}");
    }
}

#[tokio::test]
async fn a_reader_of_the_feed_waits_for_what_comes_and_misses_nothing() {
    let house = House::new();
    let server = house.serve().await;
    let (ian, eve) = (house.token("ian"), house.token("eve"));
    let mut cursor = 0;
    loop {
        let page = server.get(&eve, &format!("/events?after={cursor}&limit=7")).await.body;
        let items = page["items"].as_array().unwrap();
        for (item, position) in items.iter().zip(cursor + 1..) {
            assert_eq!(item["position"], position);
        }
        cursor = page["cursor"].as_u64().unwrap();
        if page["next"].is_null() {
            break;
        }
    }
    assert_eq!(server.get(&eve, "/log/head").await.body["position"], cursor);
    // There is nothing yet: the answer is empty, and the cursor stays.
    let empty = server.get(&eve, &format!("/events?after={cursor}")).await.body;
    assert_eq!((&empty["items"], &empty["cursor"]), (&json!([]), &json!(cursor)));
    let path = format!("/events?after={cursor}&wait_s=20");
    let body = json!({ "asset": "litecoin-regtest/ltc" });
    let (waited, _) =
        tokio::join!(server.get(&eve, &path), server.post(&ian, "/accounts", "k", &body));
    assert_eq!(waited.body["items"][0]["kind"], "account.opened", "{waited:?}");
    server.get(&eve, "/events?wait_s=21").await.is_problem(400, "malformed");
    server.get(&eve, "/events?newest_first=true").await.is_problem(400, "malformed");
    server.stop().await;
}
