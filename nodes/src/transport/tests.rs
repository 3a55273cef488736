//! A server that answers what no node should. Never a stand-in for a node: real ones run in `tests/`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{BODY_LIMIT, Repeat, Transport};
use crate::{Credentials, Endpoint, NodeError};

/// Answers every request with the same bytes, each on a connection of its own; `None` never answers.
async fn serve(answer: impl Into<Option<String>>) -> (Transport, Arc<AtomicUsize>) {
    let answer = answer.into();
    let limit = if answer.is_some() { 60_000 } else { 300 };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_request(&mut stream).await;
            count.fetch_add(1, Ordering::SeqCst);
            match &answer {
                // A client that has seen enough closes first.
                Some(answer) => drop(stream.write_all(answer.as_bytes()).await),
                None => std::future::pending().await,
            }
        }
    });
    let endpoint = Endpoint::new(&url, Credentials::None).unwrap();
    let endpoint = endpoint.with_time_limit(Duration::from_millis(limit));
    (Transport::new(endpoint, "2.0").unwrap(), asked)
}

async fn read_request(stream: &mut TcpStream) {
    let mut request = Vec::new();
    // The requests of these tests end with the object's last brace.
    while !request.ends_with(b"}") {
        stream.read_buf(&mut request).await.unwrap();
    }
}

fn http(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
}

async fn ask(transport: &Transport, repeat: Repeat) -> Result<Value, NodeError> {
    transport.call("method", json!([]), repeat).await
}

#[tokio::test]
async fn an_answer_is_taken_whatever_the_http_status() {
    for status in ["200 OK", "500 Internal Server Error"] {
        let (transport, _) = serve(http(status, r#"{"id":1,"result":[1],"error":null}"#)).await;
        assert_eq!(ask(&transport, Repeat::Idempotent).await, Ok(json!([1])));
    }
    let (transport, _) = serve(http("200 OK", r#"{"id":1,"result":null}"#)).await;
    assert_eq!(ask(&transport, Repeat::Idempotent).await, Ok(Value::Null));
}

#[tokio::test]
async fn a_refusal_is_passed_on_cut_short_and_not_repeated() {
    let words = "x".repeat(1_000);
    let body = format!(r#"{{"id":1,"result":-1,"error":{{"code":-26,"message":"{words}"}}}}"#);
    let (transport, asked) = serve(http("500 Internal Server Error", &body)).await;
    let refusal = ask(&transport, Repeat::Idempotent).await.unwrap_err();
    let NodeError::Rejected { code, message, .. } = refusal else { panic!("{refusal:?}") };
    assert_eq!((code, message.len()), (-26, 300));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_outage_is_retried_three_times_and_only_where_that_is_harmless() {
    let warming_up = r#"{"id":1,"result":null,"error":{"code":-28,"message":"Loading"}}"#;
    for answer in [
        http("503 Service Unavailable", "Work queue depth exceeded"),
        http("500 Internal Server Error", "out of order"),
        http("429 Too Many Requests", ""),
        http("500 Internal Server Error", warming_up),
        String::new(),
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{".to_owned(),
    ] {
        for (repeat, attempts) in [(Repeat::Idempotent, 3), (Repeat::Never, 1)] {
            let (transport, asked) = serve(answer.clone()).await;
            let error = ask(&transport, repeat).await.unwrap_err();
            assert!(error.is_unavailable(), "{error:?} after {answer:?}");
            assert_eq!(asked.load(Ordering::SeqCst), attempts, "{answer:?}");
        }
    }
}

#[tokio::test]
async fn a_node_that_never_answers_is_unavailable() {
    let (transport, _) = serve(None).await;
    assert!(ask(&transport, Repeat::Never).await.unwrap_err().is_unavailable());
}

#[tokio::test]
async fn refused_credentials_are_an_outage_of_the_configuration() {
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let (transport, _) = serve(http(status, "")).await;
        let error = ask(&transport, Repeat::Never).await.unwrap_err();
        assert!(error.is_unavailable() && error.to_string().contains("credentials"), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_answer_to_the_question_is_malformed_and_not_repeated() {
    for answer in [
        http("200 OK", "<html>"),
        http("200 OK", r#"{"id":2,"result":1}"#),
        http("200 OK", r#"{"result":1}"#),
        http("200 OK", "[]"),
        http("404 Not Found", "nothing here"),
        http("302 Found\r\nLocation: http://127.0.0.1:1/", ""),
        http("200 OK", &format!(r#"{{"id":1,"result":{}1{}}}"#, "[".repeat(200), "]".repeat(200))),
    ] {
        let (transport, asked) = serve(answer.clone()).await;
        let error = ask(&transport, Repeat::Idempotent).await.unwrap_err();
        assert!(matches!(error, NodeError::Malformed { .. }), "{error:?} after {answer:?}");
        assert_eq!(asked.load(Ordering::SeqCst), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_not_read_to_its_end() {
    let body = format!(r#"{{"id":1,"result":"{}"}}"#, "x".repeat(BODY_LIMIT));
    let (transport, _) = serve(http("200 OK", &body)).await;
    let error = ask(&transport, Repeat::Never).await.unwrap_err();
    let NodeError::Malformed { reason, .. } = error else { panic!("{error:?}") };
    assert!(reason.contains("64 MiB"), "{reason}");
}
