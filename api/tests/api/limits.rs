//! What a caller may take.

use crate::house::{House, Running};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

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
    // Whoever watches over the process must not end it for having much to do.
    assert_eq!(server.send("GET", "/healthz", &[], "").await.status, 200);
    server.stop().await;
}

/// A connection that has sent this and no more.
async fn half(server: &Running, sent: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn a_connection_that_sends_half_a_request_or_nothing_is_closed() {
    let house = House::new();
    let server = house.serve_with("[limits]\nheader_seconds = 1\n").await;
    let answered = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let half_line = "GET /healthz HT";
    let half_headers = "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ";
    for sent in ["", half_line, half_headers, answered, &[answered, half_line].concat()] {
        let mut stream = half(&server, sent).await;
        let mut said = String::new();
        // Ends only when the server closes.
        stream.read_to_string(&mut said).await.unwrap();
        assert_eq!(said.contains("200 OK"), sent.starts_with(answered), "{sent:?}: {said}");
    }
    server.stop().await;
}

#[tokio::test]
async fn whoever_comes_when_all_connections_are_taken_is_answered_when_one_is_free() {
    let house = House::new();
    let server = house.serve_with("[limits]\nconnections = 2\nheader_seconds = 60\n").await;
    let one = half(&server, "GET /healthz HT").await;
    let other = half(&server, "GET /healthz HT").await;
    let mut third =
        half(&server, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    let mut said = String::new();
    let waited = std::time::Duration::from_millis(300);
    let early = tokio::time::timeout(waited, third.read_to_string(&mut said)).await;
    assert!(early.is_err(), "there was no place: {said}");
    drop(one);
    third.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 200 OK"), "{said}");
    drop(other);
    server.stop().await;
}

#[tokio::test]
async fn a_request_under_way_is_answered_although_the_server_stops() {
    let house = House::new();
    let server = house.serve().await;
    let body = r#"{"query":"{ me { person } }"}"#;
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\
         Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n",
        house.token("ian"),
        body.len()
    );
    let mut stream = half(&server, &head).await;
    // It wants the body: so the request is under way.
    let mut wanted = [0; 25];
    stream.read_exact(&mut wanted).await.unwrap();
    assert_eq!(&wanted, b"HTTP/1.1 100 Continue\r\n\r\n");
    let stopping = tokio::spawn(server.stop());
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 200 OK"), "{said}");
    assert!(said.contains("person"), "{said}");
    stopping.await.unwrap();
}
