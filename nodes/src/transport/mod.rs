//! JSON-RPC over HTTP with a time limit, a size limit and bounded retries. Never follows a redirect,
//! never uses a proxy from the environment: both could carry credentials elsewhere.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::Rng as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::endpoint::Endpoint;
use crate::error::NodeError;

/// The largest answer read. A full Bitcoin block with verbosity 2 has about 20 MB.
const BODY_LIMIT: usize = 64 * 1024 * 1024;
const ATTEMPTS: u32 = 3;
/// Bitcoin Core's family cannot shut down while a client keeps an idle connection open (30 seconds by
/// default); and a connection that the node closed first would cost a submission its answer.
const IDLE_CONNECTION: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MESSAGE_LIMIT: usize = 300;

/// Bitcoin Core's `RPC_IN_WARMUP`: the node is still loading its chain.
const IN_WARMUP: i64 = -28;
/// EIP-1474 "limit exceeded": a provider's rate limit.
const LIMIT_EXCEEDED: i64 = -32005;

/// Whether a call may be sent again when its answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    Idempotent,
    Never,
}

/// An error object of JSON-RPC 1.0 or 2.0.
#[derive(Debug, Deserialize)]
struct Fault {
    code: i64,
    message: String,
}

#[derive(Deserialize)]
struct Reply {
    id: Value,
    result: Option<Box<RawValue>>,
    error: Option<Fault>,
}

pub(crate) struct Transport {
    http: reqwest::Client,
    endpoint: Endpoint,
    name: String,
    /// Member `jsonrpc` of requests: Bitcoin Core's family answers "1.0" as it always did.
    version: &'static str,
    next_id: AtomicU64,
}

impl Transport {
    pub(crate) fn new(endpoint: Endpoint, version: &'static str) -> Result<Self, NodeError> {
        let name = endpoint.name();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_idle_timeout(IDLE_CONNECTION)
            .connect_timeout(endpoint.time_limit())
            .build()
            .map_err(|error| NodeError::Unavailable {
                node: name.clone(),
                reason: format!("no HTTP client: {error}"),
            })?;
        Ok(Self { http, endpoint, name, version, next_id: AtomicU64::new(1) })
    }

    /// Host and port, for messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// One call. A JSON `null` as result is `T`'s null: `Option` takes it, `()` too.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
        repeat: Repeat,
    ) -> Result<T, NodeError> {
        let raw = tokio::time::timeout(
            self.endpoint.time_limit(),
            self.call_repeatedly(method, &params, repeat),
        )
        .await
        .unwrap_or_else(|_| {
            let limit = self.endpoint.time_limit();
            Err(self.unavailable(format!("no answer to {method} within {limit:?}")))
        })?;
        let text = raw.as_ref().map_or("null", |raw| raw.get());
        serde_json::from_str(text).map_err(|error| self.malformed(method, &error.to_string()))
    }

    async fn call_repeatedly(
        &self,
        method: &str,
        params: &Value,
        repeat: Repeat,
    ) -> Result<Option<Box<RawValue>>, NodeError> {
        let attempts = match repeat {
            Repeat::Idempotent => ATTEMPTS,
            Repeat::Never => 1,
        };
        let mut pause = FIRST_PAUSE;
        let mut attempt = 1;
        loop {
            match self.call_once(method, params, attempts).await {
                Err(error @ NodeError::Unavailable { .. }) if attempt < attempts => {
                    tracing::debug!(%error, method, attempt, "asking the node again");
                }
                answer => return answer,
            }
            tokio::time::sleep(pause + jitter(pause)).await;
            pause = pause.saturating_mul(4);
            attempt += 1;
        }
    }

    async fn call_once(
        &self,
        method: &str,
        params: &Value,
        attempts: u32,
    ) -> Result<Option<Box<RawValue>>, NodeError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let request = serde_json::json!({
            "jsonrpc": self.version, "id": id, "method": method, "params": params,
        });
        let login = self.endpoint.login().await.map_err(|reason| self.unavailable(reason))?;
        // A share of the whole limit: a connection that died silently leaves time for another.
        let share = self.endpoint.time_limit() / attempts;
        let mut post = self.http.post(self.endpoint.url().clone()).timeout(share).json(&request);
        if let Some(login) = login {
            post = post.basic_auth(login.user, Some(login.password.as_str()));
        }
        let mut response = post.send().await.map_err(|error| self.lost(error))?;
        let status = response.status().as_u16();
        match status {
            401 | 403 => {
                return Err(self.unavailable(format!("it refuses our credentials (HTTP {status})")));
            }
            429 | 502 | 503 | 504 => {
                return Err(self.unavailable(format!("it answers HTTP {status}")));
            }
            _ => {}
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.lost(error))? {
            if body.len().saturating_add(chunk.len()) > BODY_LIMIT {
                return Err(self.malformed(method, "it is larger than 64 MiB"));
            }
            body.extend_from_slice(&chunk);
        }
        self.open(method, id, status, &body)
    }

    /// Bitcoin Core answers faults with HTTP 404 and 500, so the body decides before the status.
    fn open(
        &self,
        method: &str,
        id: u64,
        status: u16,
        body: &[u8],
    ) -> Result<Option<Box<RawValue>>, NodeError> {
        let reply: Reply = match serde_json::from_slice(body) {
            Ok(reply) => reply,
            Err(_) if status >= 500 => {
                return Err(self.unavailable(format!("it answers HTTP {status}")));
            }
            Err(error) => {
                let reason = format!("HTTP {status}, and no JSON-RPC: {error}");
                return Err(self.malformed(method, &reason));
            }
        };
        if let Some(fault) = reply.error {
            return Err(match fault.code {
                IN_WARMUP | LIMIT_EXCEEDED => self.unavailable(shorten(&fault.message)),
                code => NodeError::Rejected {
                    node: self.name.clone(),
                    method: method.to_owned(),
                    code,
                    message: shorten(&fault.message),
                },
            });
        }
        if reply.id != id {
            return Err(self.malformed(method, "it answers another request"));
        }
        Ok(reply.result)
    }

    fn lost(&self, error: reqwest::Error) -> NodeError {
        let kind = if error.is_timeout() { "too slow" } else { "no connection" };
        // Without the URL: it may hold a provider's access key. The cause names what happened.
        let error = error.without_url();
        let cause = std::iter::successors(std::error::Error::source(&error), |e| e.source()).last();
        match cause {
            Some(cause) => self.unavailable(format!("{kind}: {cause}")),
            None => self.unavailable(format!("{kind}: {error}")),
        }
    }

    pub(crate) fn unavailable(&self, reason: impl Into<String>) -> NodeError {
        NodeError::Unavailable { node: self.name.clone(), reason: reason.into() }
    }

    pub(crate) fn malformed(&self, method: &str, reason: &str) -> NodeError {
        NodeError::Malformed {
            node: self.name.clone(),
            method: method.to_owned(),
            reason: shorten(reason),
        }
    }
}

fn shorten(foreign: &str) -> String {
    foreign.chars().take(MESSAGE_LIMIT).collect()
}

/// Up to as much again, so that clients of a node that comes back do not come in step.
fn jitter(pause: Duration) -> Duration {
    let most = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(rand::thread_rng().gen_range(0..=most))
}

#[cfg(test)]
mod tests;
