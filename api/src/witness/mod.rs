//! An outside witness, asked by the C2SP tlog-witness protocol (`add-checkpoint`). Never follows a
//! redirect, never reads a long answer, and speaks plain HTTP only to this machine.

use std::{fmt::Write as _, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{StatusCode, Url, header::CONTENT_TYPE};
use strongroom_commands::checkpoints::{Answer, Submission, Witness};
use strongroom_store::BoxFuture;

/// For the connection.
const CONNECT: Duration = Duration::from_secs(3);
/// For the whole answer.
const ANSWER: Duration = Duration::from_secs(10);
/// The longest answer, in bytes: room for a few signature lines of the largest kind.
const LONGEST: usize = 64 * 1024;
/// Characters of what a witness says that are told on.
const QUOTED: usize = 200;
/// A conflict's answer (C2SP tlog-witness, add-checkpoint).
const SIZE: &str = "text/x.tlog.size";

/// A witness with an HTTP interface.
pub struct HttpWitness {
    name: String,
    url: Url,
    client: reqwest::Client,
}

/// Why a witness can't be asked there.
#[derive(Debug, thiserror::Error)]
pub enum WitnessUrlError {
    /// Not a URL of the kind that is wanted.
    #[error("the URL must be https://…, or http:// on loopback, without user and password")]
    Url,
    /// TLS can't be set up.
    #[error("no client: {0}")]
    Client(#[from] reqwest::Error),
}

impl HttpWitness {
    /// The witness `name` at its submission prefix. HTTPS trusts the public certificate authorities
    /// only; a cosignature is verified all the same, so that plain HTTP on loopback loses nothing.
    pub fn new(name: String, prefix: &str) -> Result<Self, WitnessUrlError> {
        let prefix = prefix.trim_end_matches('/');
        let url: Url = format!("{prefix}/add-checkpoint").parse().map_err(|_| {
            // What was written is not repeated: it may hold a password.
            WitnessUrlError::Url
        })?;
        let here = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
        let good = url.scheme() == "https" || (url.scheme() == "http" && here);
        if !good || !url.username().is_empty() || url.password().is_some() {
            return Err(WitnessUrlError::Url);
        }
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { name, url, client })
    }

    async fn ask(&self, submission: &Submission) -> Answer {
        let sent = self.client.post(self.url.clone()).body(body(submission)).send().await;
        let response = match sent {
            Ok(response) => response,
            Err(error) => return Answer::Unavailable(error.without_url().to_string()),
        };
        let status = response.status();
        let kind = response.headers().get(CONTENT_TYPE).cloned();
        let text = match read(response).await {
            Ok(text) => text,
            Err(because) => return Answer::Unavailable(because),
        };
        let is_size = kind.is_some_and(|kind| kind.as_bytes().starts_with(SIZE.as_bytes()));
        judge(status, is_size, text)
    }
}

/// An `add-checkpoint` request.
fn body(submission: &Submission) -> String {
    let mut body = format!("old {}\n", submission.old);
    for hash in &submission.proof {
        // Writing to a String does not fail.
        let _ = writeln!(body, "{}", STANDARD.encode(hash.as_bytes()));
    }
    body.push('\n');
    body.push_str(&submission.checkpoint);
    body
}

async fn read(mut response: reqwest::Response) -> Result<String, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) =
        response.chunk().await.map_err(|error| error.without_url().to_string())?
    {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LONGEST {
            return Err(format!("an answer of more than {LONGEST} bytes"));
        }
    }
    String::from_utf8(bytes).map_err(|_binary| "an answer that is not text".to_owned())
}

fn judge(status: StatusCode, is_size: bool, text: String) -> Answer {
    let said = || {
        let words: String = text.trim().escape_debug().take(QUOTED).collect();
        format!("{status}: {words}")
    };
    match status {
        StatusCode::OK => Answer::Cosigned(text),
        StatusCode::CONFLICT if is_size => match text.trim_end().parse() {
            Ok(size) => Answer::Conflict { size },
            Err(_) => Answer::Refused(said()),
        },
        // The proof holds, as far as we can tell: what it has seen is another log under this name.
        StatusCode::UNPROCESSABLE_ENTITY => Answer::Fork(said()),
        StatusCode::NOT_FOUND => Answer::Refused(format!("it does not know this log ({})", said())),
        StatusCode::FORBIDDEN => {
            Answer::Refused(format!("it knows this log by other keys ({})", said()))
        }
        StatusCode::TOO_MANY_REQUESTS => Answer::Unavailable(said()),
        other if other.is_server_error() => Answer::Unavailable(said()),
        _ => Answer::Refused(said()),
    }
}

impl Witness for HttpWitness {
    fn name(&self) -> &str {
        &self.name
    }

    fn cosign<'a>(&'a self, submission: &'a Submission) -> BoxFuture<'a, Answer> {
        Box::pin(self.ask(submission))
    }
}

#[cfg(test)]
mod tests;
