//! A client of the REST interface, for one person. It waits; it never repeats a request under
//! another idempotency key.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use uuid::Uuid;

/// What the server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; null where it is no JSON.
    pub body: Value,
}

impl Answer {
    /// The body of a success; a panic with the problem otherwise.
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{}: {}", self.status, self.body);
        self.body
    }

    /// The rule of a refusal; a panic where it was none.
    pub fn refused(&self) -> &str {
        let rule = self.body["rule"].as_str();
        rule.unwrap_or_else(|| panic!("not refused: {} {}", self.status, self.body))
    }
}

/// Speaks for the owner of a token.
pub struct Client {
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    base: String,
    token: String,
}

impl Client {
    /// A client of the server at `base`.
    pub fn new(base: &str, token_file: &Path) -> Self {
        let token = std::fs::read_to_string(token_file).expect("a token").trim().to_owned();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let http = reqwest::Client::builder().timeout(Duration::from_mins(1)).no_proxy().build();
        Self {
            http: http.expect("a client"),
            runtime: runtime.expect("a runtime"),
            base: base.to_owned(),
            token,
        }
    }

    fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        self.runtime.block_on(async {
            let response = request.bearer_auth(&self.token).send().await?;
            let status = response.status().as_u16();
            let text = response.text().await?;
            Ok(Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::Null) })
        })
    }

    /// Reads.
    pub fn get(&self, path: &str) -> Answer {
        self.try_get(path).unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// Reads, if the server is there.
    pub fn try_get(&self, path: &str) -> Result<Answer, reqwest::Error> {
        self.send(self.http.get(format!("{}/api/v1{path}", self.base)))
    }

    /// Reads what is text and no JSON; a panic with what was said where it is not given.
    pub fn text(&self, path: &str) -> String {
        let request = self.http.get(format!("{}/api/v1{path}", self.base));
        let (status, text) = self.runtime.block_on(async {
            let sent = request.bearer_auth(&self.token).send().await;
            let response = sent.unwrap_or_else(|error| panic!("GET {path}: {error}"));
            (response.status().as_u16(), response.text().await.expect("text"))
        });
        assert_eq!(status, 200, "GET {path}: {text}");
        text
    }

    /// Asks, under a fresh idempotency key.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_as(path, body, &Uuid::now_v7().to_string())
    }

    /// Asks, under the caller's idempotency key.
    pub fn post_as(&self, path: &str, body: &Value, key: &str) -> Answer {
        let request = self.http.post(format!("{}/api/v1{path}", self.base));
        let request = request.header("Idempotency-Key", key).json(body);
        self.send(request).unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

    /// Reads until `done`, for at most `within`; a panic with the last answer after that. Says what
    /// the server says that it is waiting for, each time that this changes.
    pub fn wait(&self, path: &str, within: Duration, done: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        let (mut last, mut waiting) = (None, Value::Null);
        while started.elapsed() < within {
            match self.try_get(path) {
                Ok(answer) if answer.status == 200 && done(&answer.body) => return answer.body,
                Ok(answer) => {
                    let reason = &answer.body["waiting"];
                    if reason.is_string() && *reason != waiting {
                        println!("   waiting   {}", reason.as_str().unwrap_or_default());
                        waiting = reason.clone();
                    }
                    last = Some(format!("{} {}", answer.status, answer.body));
                }
                Err(error) => last = Some(error.to_string()),
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{path} did not come to what was waited for within {within:?}: {last:?}");
    }
}
