//! `strongroom key refresh|replace|add` and `strongroom signer …`: who holds a key's shares, and who
//! may. All but a quarantine are questions to a quorum, and never answered here.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use strongroom_domain::{KeyId, SignerId};
use strongroom_secrets::read_secret_text;
use uuid::Uuid;

use super::{CliError, Say};

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

/// What `strongroom key refresh` needs.
#[derive(Args)]
pub struct KeyRefresh {
    /// The key.
    pub key: KeyId,
    /// A holder that is left out from now on. May be given several times.
    #[arg(long = "without", value_name = "SIGNER")]
    pub without: Vec<SignerId>,
    #[command(flatten)]
    at: Asking,
}

/// What `strongroom key replace` needs.
#[derive(Args)]
pub struct KeyReplace {
    /// The key.
    pub key: KeyId,
    /// Who holds it no more.
    #[arg(long)]
    pub old: SignerId,
    /// Who holds it instead: a signer that is enrolled.
    #[arg(long)]
    pub new: SignerId,
    #[command(flatten)]
    at: Asking,
}

/// What `strongroom key add` needs.
#[derive(Args)]
pub struct KeyAdd {
    /// The key.
    pub key: KeyId,
    /// Who holds it too: a signer that is enrolled.
    #[arg(long)]
    pub signer: SignerId,
    #[command(flatten)]
    at: Asking,
}

/// What can be done about signers.
#[derive(Subcommand)]
pub enum SignerCommand {
    /// Trust a signer no more, at once: no other works with it. For officers.
    Quarantine {
        /// Which.
        signer: SignerId,
        /// Why. Never personal data: the log is for ever.
        #[arg(long)]
        because: String,
        /// The server, and as whom.
        #[command(flatten)]
        at: Asking,
    },
    /// Ask a quorum to trust a quarantined signer again.
    Release {
        /// Which.
        signer: SignerId,
        /// The server, and as whom.
        #[command(flatten)]
        at: Asking,
    },
    /// Ask a quorum to enrol a signer.
    Enrol {
        /// Its `enrolment.json`, as `strongroom-signer init` made it.
        enrolment: PathBuf,
        /// The server, and as whom.
        #[command(flatten)]
        at: Asking,
    },
    /// Ask a quorum to retire a signer that holds no key any more.
    Retire {
        /// Which.
        signer: SignerId,
        /// The server, and as whom.
        #[command(flatten)]
        at: Asking,
    },
}

impl KeyRefresh {
    /// Asks.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        self.at.post(&changes(self.key), &json!({"dropped": self.without}), say)
    }
}

impl KeyReplace {
    /// Asks.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let body = json!({"dropped": [self.old], "joining": self.new});
        self.at.post(&changes(self.key), &body, say)
    }
}

impl KeyAdd {
    /// Asks.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        self.at.post(&changes(self.key), &json!({"joining": self.signer}), say)
    }
}

fn changes(key: KeyId) -> String {
    format!("/keys/{key}/changes")
}

impl SignerCommand {
    /// Asks.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        match self {
            Self::Quarantine { signer, because, at } => {
                let body = json!({"because": because});
                at.post(&format!("/signers/{signer}/quarantine"), &body, say)
            }
            Self::Release { signer, at } => {
                at.post(&format!("/signers/{signer}/release"), &json!({}), say)
            }
            Self::Retire { signer, at } => {
                at.post("/signers/changes", &json!({"change": {"retire": signer}}), say)
            }
            Self::Enrol { enrolment, at } => {
                let wrong = |reason: String| CliError::Server {
                    url: at.server.clone(),
                    reason: format!("{}: {reason}", enrolment.display()),
                };
                let text = std::fs::read(enrolment).map_err(|error| wrong(error.to_string()))?;
                let of: Value =
                    serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
                let field = |name: &str| of.get(name).cloned().unwrap_or_default();
                let enrol = json!({
                    "id": field("signer"),
                    "identity_key": field("identity_key"),
                    "sealing_key": field("sealing_key"),
                    "tls_certificate_sha256": field("tls_certificate_sha256"),
                    "witness_key": field("witness_key"),
                });
                at.post("/signers/changes", &json!({"change": {"enrol": enrol}}), say)
            }
        }
    }
}

impl Asking {
    fn post(&self, path: &str, body: &Value, say: &mut Say<'_>) -> Result<(), CliError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let answer = runtime.map_err(CliError::Runtime)?.block_on(self.send(path, body))?;
        say.json(&answer)
    }

    async fn send(&self, path: &str, body: &Value) -> Result<Value, CliError> {
        let failed = |reason: String| CliError::Server { url: self.server.clone(), reason };
        let token = read_secret_text(&self.token_file)?;
        // The token goes to this server alone: through no proxy, and behind no redirect.
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_mins(1))
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let url = format!("{}/api/v1{path}", self.server.trim_end_matches('/'));
        let once = Uuid::now_v7().to_string();
        let request = client.post(url).header("idempotency-key", once).json(body);
        let lost = |error: reqwest::Error| failed(error.without_url().to_string());
        let answer = request.bearer_auth(token.expose()).send().await.map_err(lost)?;
        let status = answer.status();
        let answered: Value = answer.json().await.map_err(lost)?;
        if status.is_success() {
            return Ok(answered);
        }
        let field = |name: &str| answered.get(name).and_then(Value::as_str).unwrap_or_default();
        Err(failed(format!("{status}, rule {}: {}", field("rule"), field("detail"))))
    }
}
