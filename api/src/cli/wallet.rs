//! `strongroom wallet`: asks a quorum to give wallets up, one or all that a signer has a part in.
//! Never answers: approving is `strongroom approve`'s part.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strongroom_domain::{AccountId, Amount, SignerId, WalletId};
use strongroom_secrets::{SecretText, read_secret_text};
use uuid::Uuid;

use super::{CliError, Say};

/// What can be done with wallets.
#[derive(Subcommand)]
pub enum WalletCommand {
    /// Ask the quorum of keys to give a wallet up: everything in it goes to its successor.
    Rotate(WalletRotate),
    /// The same for every wallet that a signer has a part in.
    RotateAll(RotateAll),
}

/// Where, and as whom.
#[derive(Args)]
pub(super) struct AtServer {
    /// The server.
    #[arg(long, default_value = "http://127.0.0.1:3008")]
    pub server: String,
    /// File with the API token of who asks; mode 0600.
    #[arg(long)]
    pub token_file: PathBuf,
}

/// What `strongroom wallet rotate` needs.
#[derive(Args)]
pub struct WalletRotate {
    /// The wallet that is given up.
    pub wallet: WalletId,
    /// The wallet that takes its place.
    #[arg(long)]
    pub successor: WalletId,
    /// The account that bears the network's fees.
    #[arg(long)]
    pub fees_from: AccountId,
    /// The most that one sweep may cost, in base units.
    #[arg(long)]
    pub fee_cap: Amount,
    #[command(flatten)]
    at: AtServer,
}

/// What `strongroom wallet rotate-all` needs.
#[derive(Args)]
pub struct RotateAll {
    /// The signer: every wallet whose key it holds, or has a share of, must be in the plan.
    #[arg(long)]
    pub signer: SignerId,
    /// A JSON list of `{"wallet", "successor", "fees_from", "fee_cap"}`.
    #[arg(long)]
    pub plan: PathBuf,
    #[command(flatten)]
    at: AtServer,
}

/// One rotation of a plan.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Planned {
    wallet: WalletId,
    successor: WalletId,
    fees_from: AccountId,
    fee_cap: Amount,
}

impl WalletCommand {
    /// Does it.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(CliError::Runtime)?;
        match self {
            Self::Rotate(of) => runtime.block_on(of.ask(say)),
            Self::RotateAll(of) => runtime.block_on(of.ask(say)),
        }
    }
}

impl WalletRotate {
    async fn ask(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let planned = Planned {
            wallet: self.wallet,
            successor: self.successor,
            fees_from: self.fees_from,
            fee_cap: self.fee_cap,
        };
        let server = Server::open(&self.at)?;
        say.json(&server.rotate(&planned).await?)
    }
}

impl RotateAll {
    async fn ask(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let text = std::fs::read(&self.plan)
            .map_err(|source| CliError::Rotation(format!("{}: {source}", self.plan.display())))?;
        let planned: Vec<Planned> = serde_json::from_slice(&text)?;
        let planned: BTreeMap<_, _> = planned.into_iter().map(|of| (of.wallet, of)).collect();
        let server = Server::open(&self.at)?;
        let wanted = server.wallets_of(self.signer).await?;
        let missing: Vec<_> = wanted.iter().filter(|id| !planned.contains_key(*id)).collect();
        if !missing.is_empty() {
            let names: Vec<_> = missing.iter().map(ToString::to_string).collect();
            let because = format!("the plan leaves out wallets {}", names.join(", "));
            return Err(CliError::Rotation(because));
        }
        for wallet in wanted {
            if let Some(of) = planned.get(&wallet) {
                let asked = server.rotate(of).await?;
                say.json(&json!({ "wallet": wallet, "asked": asked }))?;
            }
        }
        Ok(())
    }
}

struct Server {
    client: reqwest::Client,
    base: String,
    token: SecretText,
}

impl Server {
    fn open(at: &AtServer) -> Result<Self, CliError> {
        let token = read_secret_text(&at.token_file)?;
        // The token goes to this server alone: through no proxy, and behind no redirect.
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_mins(1))
            .build()
            .map_err(|error| CliError::Rotation(error.to_string()))?;
        Ok(Self { client, base: at.server.trim_end_matches('/').to_owned(), token })
    }

    async fn rotate(&self, planned: &Planned) -> Result<Value, CliError> {
        let Planned { wallet, successor, fees_from, fee_cap } = planned;
        let url = format!("{}/api/v1/wallets/{wallet}/rotation", self.base);
        let body = json!({
            "successor": successor, "fees_from": fees_from, "fee_cap": fee_cap,
        });
        let once = Uuid::now_v7().to_string();
        self.send(self.client.post(url).header("idempotency-key", once).json(&body)).await
    }

    /// Wallets that were not given up yet and whose key the signer holds, or has a share of.
    async fn wallets_of(&self, signer: SignerId) -> Result<Vec<WalletId>, CliError> {
        let (signer, mut found, mut after) = (signer.to_string(), Vec::new(), None);
        loop {
            let mut asked = self.client.get(format!("{}/api/v1/keys", self.base));
            if let Some(after) = after {
                asked = asked.query(&[("after", after)]);
            }
            let page = self.send(asked).await?;
            let keys = page.get("items").and_then(Value::as_array);
            for key in keys.into_iter().flatten() {
                let held = key.get("participants").and_then(Value::as_array);
                let held = held.is_some_and(|all| all.iter().any(|of| *of == signer.as_str()));
                let retired = key.get("state").and_then(Value::as_str) == Some("retired");
                let wallet = key.get("wallet").and_then(Value::as_str);
                if let (true, false, Some(wallet)) = (held, retired, wallet) {
                    let wallet = wallet.parse().map_err(|error| {
                        CliError::Rotation(format!("the server sent no wallet's id: {error}"))
                    })?;
                    found.push(wallet);
                }
            }
            after = page.get("next").and_then(Value::as_u64);
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value, CliError> {
        let failed = |error: reqwest::Error| CliError::Rotation(error.without_url().to_string());
        let request = request.bearer_auth(self.token.expose());
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        let body: Value = answer.json().await.map_err(failed)?;
        if status.is_success() {
            return Ok(body);
        }
        let field = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        Err(CliError::Rotation(format!("{status}, {}: {}", field("rule"), field("detail"))))
    }
}
