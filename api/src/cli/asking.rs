//! A running server that a command asks something of, in its user's name. Never repeats a request: who
//! lost an answer looks first what came of it.

use std::{error::Error, path::PathBuf, time::Duration};

use clap::Args;
use serde_json::Value;
use strongroom_secrets::{SecretText, read_secret_text};
use uuid::Uuid;

use super::CliError;

/// The server, and as whom.
#[derive(Args)]
pub struct Asking {
    /// The server.
    #[arg(long, default_value = "http://127.0.0.1:3008")]
    pub server: String,
    /// File with the API token of who asks; mode 0600.
    #[arg(long)]
    pub token_file: PathBuf,
}

/// Asks in the name of a token's owner.
pub(super) struct Asker {
    client: reqwest::Client,
    server: String,
    token: SecretText,
}

impl Asking {
    /// Reads the token. Nothing is sent yet.
    pub(super) fn open(&self) -> Result<Asker, CliError> {
        let token = read_secret_text(&self.token_file)?;
        let server = self.server.trim_end_matches('/').to_owned();
        // The token goes to this server alone: through no proxy, and behind no redirect.
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_mins(1))
            .build()
            .map_err(|error| failed(&server, &error))?;
        Ok(Asker { client, server, token })
    }
}

/// Runs what asks.
pub(super) fn ask<T>(asked: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(CliError::Runtime)?.block_on(asked)
}

impl Asker {
    /// Reads; `path` begins below `/api/v1`.
    pub(super) async fn get(&self, path: &str) -> Result<Value, CliError> {
        self.send(self.client.get(format!("{}/api/v1{path}", self.server))).await
    }

    /// Asks, under an idempotency key of its own.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, CliError> {
        let once = Uuid::now_v7().to_string();
        let request = self.client.post(format!("{}/api/v1{path}", self.server));
        self.send(request.header("idempotency-key", once).json(body)).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value, CliError> {
        let lost = |error: reqwest::Error| failed(&self.server, &error);
        let answer = request.bearer_auth(self.token.expose()).send().await.map_err(lost)?;
        let status = answer.status();
        let text = answer.text().await.map_err(lost)?;
        // Whoever answers in a server's place (a proxy) may not speak JSON.
        let body: Option<Value> = serde_json::from_str(&text).ok();
        match body {
            Some(body) if status.is_success() => Ok(body),
            body => {
                let reason = said(&status.to_string(), body.as_ref());
                Err(CliError::Server { url: self.server.clone(), reason })
            }
        }
    }
}

/// A problem in one line.
fn said(status: &str, problem: Option<&Value>) -> String {
    let field = |name: &str| problem.and_then(|of| of.get(name)).and_then(Value::as_str);
    let detail = field("detail").or(field("title")).unwrap_or("it is no answer of a strongroom");
    match field("rule") {
        Some(rule) => format!("{status}, rule {rule}: {detail}"),
        None => format!("{status}: {detail}"),
    }
}

/// With all causes: that a connection was refused is the last of them.
fn failed(server: &str, error: &reqwest::Error) -> CliError {
    let mut reason = String::new();
    let mut cause: Option<&dyn Error> = error.source();
    while let Some(why) = cause {
        reason = why.to_string();
        cause = why.source();
    }
    if reason.is_empty() {
        reason = error.to_string();
    }
    if error.is_timeout() {
        "no answer came in time: look whether it was asked before asking again"
            .clone_into(&mut reason);
    }
    CliError::Server { url: server.to_owned(), reason }
}
