//! A small blocking JSON-RPC client, apart from the one under test. Never used by the product.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};

/// Mining hundreds of blocks is one call.
const PATIENCE: Duration = Duration::from_mins(2);

/// Why a call gave no result.
#[derive(Debug, Clone)]
pub enum RpcFault {
    /// No connection, or no HTTP.
    Transport(String),
    /// The node's own words: its error object.
    Node(Value),
}

/// One call over HTTP/1.0: it is answered in one piece and ends with the connection.
pub(super) fn call(
    port: u16,
    login: Option<&str>,
    method: &str,
    params: &Value,
) -> Result<Value, RpcFault> {
    let lost = |error: std::io::Error| RpcFault::Transport(error.to_string());
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let authorization = login.map_or(String::new(), |login| {
        let login = base64::engine::general_purpose::STANDARD.encode(login);
        format!("Authorization: Basic {login}\r\n")
    });
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(lost)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(lost)?;
    write!(
        stream,
        "POST / HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
         {authorization}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .map_err(lost)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(lost)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or_else(|| RpcFault::Transport(format!("no HTTP: {answer}")))?;
    let mut reply: Value = serde_json::from_str(body)
        .map_err(|error| RpcFault::Transport(format!("{error} in: {head}\n{body}")))?;
    match reply.get_mut("error").map(Value::take) {
        Some(error) if !error.is_null() => Err(RpcFault::Node(error)),
        _ => Ok(reply.get_mut("result").map(Value::take).unwrap_or_default()),
    }
}
