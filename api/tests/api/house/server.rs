//! A running server, and a client that speaks for whose token it is given.

use std::{path::Path, sync::Arc};

use ed25519_dalek::Signer as _;
use reqwest::Method;
use serde_json::{Value, json};
use strongroom_api::{
    config::Config,
    serve::{ServeError, Server},
    sign_in::Clock,
};
use strongroom_domain::{AccountId, Address, WalletId};
use tokio::sync::oneshot;

use super::{House, founding::approval_key};

/// A server in this process.
pub(crate) struct Running {
    pub(crate) url: String,
    stop: oneshot::Sender<()>,
    end: oneshot::Receiver<Result<(), ServeError>>,
    client: reqwest::Client,
}

/// What it answered.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: Value,
}

/// What it answered, as bytes.
pub(crate) struct Raw {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) cache: String,
    pub(crate) bytes: Vec<u8>,
}

impl Raw {
    pub(crate) fn text(self) -> String {
        String::from_utf8(self.bytes).unwrap()
    }
}

impl Answer {
    /// Asserts a problem document of this type.
    pub(crate) fn is_problem(&self, status: u16, kind: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.kind, "application/problem+json");
        assert_eq!(self.body["type"], format!("/problems/{kind}"), "{}", self.body);
        assert_eq!(self.body["status"], status);
        assert!(!self.body["detail"].as_str().unwrap().is_empty());
        if let Some(rule) = kind.strip_prefix("refused/") {
            assert_eq!(self.body["rule"], rule);
        }
    }

    pub(crate) fn text(&self, field: &str) -> String {
        self.body[field].as_str().unwrap_or_else(|| panic!("no {field}: {}", self.body)).to_owned()
    }
}

impl Running {
    pub(crate) async fn start(config: &Path) -> Self {
        Self::start_at(config, Arc::new(strongroom_api::clock::now)).await
    }

    /// Starts it with another clock for sessions, codes and signed requests.
    pub(crate) async fn start_at(config: &Path, clock: Clock) -> Self {
        let config = Config::read(config).unwrap();
        let (stop, told) = oneshot::channel();
        let (listens, address) = oneshot::channel();
        let (ended, end) = oneshot::channel();
        // A runtime of its own, as in a process: when it is gone, so is everything of the server.
        std::thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
            let result = runtime.block_on(async {
                let server = Server::open_at(config, clock).await.unwrap();
                listens.send(server.address().unwrap()).unwrap();
                let told = async {
                    let _ = told.await;
                };
                server.run(told).await
            });
            drop(runtime);
            ended.send(result).unwrap();
        });
        let url = format!("http://{}", address.await.unwrap());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { url, stop, end, client }
    }

    /// Stops it in good order.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.end.await.unwrap().unwrap();
    }

    /// Waits until it stops by itself; why.
    pub(crate) async fn stopped(self) -> ServeError {
        let Self { end, stop, .. } = self;
        let because = end.await.unwrap().unwrap_err();
        drop(stop);
        because
    }

    /// One request, as it is given.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method, format!("{}{path}", self.url)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let header = |name: &str| {
            response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        let (kind, retry_after) =
            (header("content-type").unwrap_or_default(), header("retry-after"));
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer { status, kind, retry_after, body }
    }

    /// What is no JSON: status, content type, cache control and bytes.
    pub(crate) async fn raw(&self, path: &str, token: Option<&str>) -> Raw {
        let mut request = self.client.get(format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        let header = |name: &str| {
            let value = response.headers().get(name);
            value.map_or("", |value| value.to_str().unwrap()).to_owned()
        };
        let (kind, cache) = (header("content-type"), header("cache-control"));
        let status = response.status().as_u16();
        Raw { status, kind, cache, bytes: response.bytes().await.unwrap().to_vec() }
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        self.send("GET", &format!("/api/v1{path}"), &[("authorization", &bearer)], "").await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, key: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
        self.send("POST", &format!("/api/v1{path}"), &headers, body.to_string()).await
    }

    pub(crate) async fn graphql(&self, token: &str, query: &str) -> Value {
        let bearer = format!("Bearer {token}");
        let body = json!({ "query": query }).to_string();
        let headers = [("authorization", bearer.as_str())];
        self.send("POST", "/graphql", &headers, body).await.body
    }

    /// The statement of a proposal and an approver's signature over it.
    pub(crate) async fn signed(&self, house: &House, name: &str, proposal: &str) -> Value {
        let asked = self.get(&house.token(name), &format!("/approvals/{proposal}")).await;
        let key = approval_key(name);
        let signature = key.sign(asked.text("statement").as_bytes());
        json!({
            "answer": "approve",
            "key": hex::encode(key.verifying_key().to_bytes()),
            "signature": hex::encode(signature.to_bytes()),
        })
    }
}

/// A payment out of the house's account.
pub(crate) fn payment(
    account: AccountId,
    wallet: WalletId,
    amount: u64,
    destination: &Address,
) -> Value {
    json!({
        "account": account, "wallet": wallet, "asset": "litecoin-regtest/ltc",
        "amount": amount.to_string(), "destination": destination, "fee_cap": "10000",
    })
}
