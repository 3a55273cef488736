//! What a caller may take.

use crate::house::House;

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let house = House::new();
    let server = house.serve_with("[limits]\nbody_bytes = 1000\n").await;
    let bearer = format!("Bearer {}", house.token("ian"));
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k")];
    let long = " ".repeat(1001);
    for path in ["/api/v1/accounts", "/graphql"] {
        let answer = server.send("POST", path, &headers, long.clone()).await;
        answer.is_problem(413, "too-large");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_token_and_an_address_that_ask_too_much_are_told_to_wait() {
    let house = House::new();
    let limits = "[limits]\nrequests_per_second = 1\nfailures_per_minute = 2\n";
    let server = house.serve_with(limits).await;
    let (ian, eve) = (house.token("ian"), house.token("eve"));
    // The second of two within a second; a slow machine may need a few.
    let mut last = server.get(&ian, "/me").await;
    for _ in 0..50 {
        if last.status == 429 {
            break;
        }
        last = server.get(&ian, "/me").await;
    }
    last.is_problem(429, "too-many");
    assert_eq!(last.retry_after.as_deref(), Some("1"));
    // Others are not held back.
    assert_eq!(server.get(&eve, "/me").await.status, 200);
    server.get("wrong", "/me").await.is_problem(401, "unauthenticated");
    server.get("wrong", "/me").await.is_problem(401, "unauthenticated");
    server.get("wrong", "/me").await.is_problem(429, "too-many");
    server.stop().await;
}

#[tokio::test]
async fn subscriptions_over_the_limit_are_refused_with_a_time_to_come_back() {
    let house = House::new();
    let server = house.serve_with("[limits]\nsubscriptions = 0\n").await;
    let headers = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", "graphql-transport-ws"),
    ];
    let answer = server.send("GET", "/graphql", &headers, "").await;
    answer.is_problem(503, "unavailable");
    assert_eq!(answer.retry_after.as_deref(), Some("1"));
    server.stop().await;
}

#[tokio::test]
async fn overload_is_answered_at_once() {
    let house = House::new();
    let server = house.serve_with("[limits]\nin_flight = 0\n").await;
    let answer = server.get(&house.token("ian"), "/me").await;
    answer.is_problem(503, "unavailable");
    assert_eq!(answer.retry_after.as_deref(), Some("1"));
    server.stop().await;
}
