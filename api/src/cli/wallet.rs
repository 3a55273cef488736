//! `strongroom wallet`: asks a quorum to give wallets up, one or all that a signer has a part in.
//! Never answers: approving is `strongroom approve`'s part.

use std::{collections::BTreeMap, path::PathBuf};

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strongroom_domain::{AccountId, Amount, SignerId, WalletId};

use super::{
    Asking, CliError, Say, WalletDescriptor,
    asking::{Asker, ask},
};

/// What can be done with wallets.
#[derive(Subcommand)]
pub enum WalletCommand {
    /// Ask the quorum of keys to give a wallet up: everything in it goes to its successor.
    Rotate(WalletRotate),
    /// The same for every wallet that a signer has a part in.
    RotateAll(RotateAll),
    /// The descriptor of a multisig wallet, for software that is to watch or recover it.
    Descriptor(WalletDescriptor),
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
    at: Asking,
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
    at: Asking,
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
        match self {
            Self::Rotate(of) => ask(of.ask(say)),
            Self::RotateAll(of) => ask(of.ask(say)),
            Self::Descriptor(of) => of.run(say),
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
        say.json(&planned.rotate(&self.at.open()?).await?)
    }
}

impl RotateAll {
    async fn ask(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let wrong = |reason: String| CliError::Read { path: self.plan.clone(), reason };
        let text = std::fs::read(&self.plan).map_err(|error| wrong(error.to_string()))?;
        let planned: Vec<Planned> =
            serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        let planned: BTreeMap<_, _> = planned.into_iter().map(|of| (of.wallet, of)).collect();
        let server = self.at.open()?;
        let wanted = wallets_of(&server, self.signer).await?;
        let missing: Vec<_> = wanted.iter().filter(|id| !planned.contains_key(*id)).collect();
        if !missing.is_empty() {
            let names: Vec<_> = missing.iter().map(ToString::to_string).collect();
            let because = format!("the plan leaves out wallets {}", names.join(", "));
            return Err(CliError::Rotation(because));
        }
        if wanted.is_empty() {
            return say.json(&json!({ "wallets": wanted }));
        }
        // One that is refused keeps none of the others: all are asked for, then it is said.
        let mut refused = 0_usize;
        for of in wanted.iter().filter_map(|wallet| planned.get(wallet)) {
            let wallet = of.wallet;
            match of.rotate(&server).await {
                Ok(told) => say.json(&json!({ "wallet": wallet, "asked": told }))?,
                Err(error) => {
                    refused = refused.saturating_add(1);
                    say.json(&json!({ "wallet": wallet, "not_asked": error.to_string() }))?;
                }
            }
        }
        if refused == 0 {
            return Ok(());
        }
        let because = format!(
            "for {refused} of {} wallets, as said above. The same command asks again for what is \
             not given up yet",
            wanted.len()
        );
        Err(CliError::Rotation(because))
    }
}

impl Planned {
    async fn rotate(&self, asker: &Asker) -> Result<Value, CliError> {
        let Self { wallet, successor, fees_from, fee_cap } = self;
        let body = json!({
            "successor": successor, "fees_from": fees_from, "fee_cap": fee_cap,
        });
        asker.post(&format!("/wallets/{wallet}/rotation"), &body).await
    }
}

/// Wallets that were not given up yet and whose key the signer holds, or has a share of.
async fn wallets_of(asker: &Asker, signer: SignerId) -> Result<Vec<WalletId>, CliError> {
    let (signer, mut found, mut path) = (signer.to_string(), Vec::new(), "/keys".to_owned());
    loop {
        let page = asker.get(&path).await?;
        let keys = page.get("items").and_then(Value::as_array);
        for key in keys.into_iter().flatten() {
            let held = key.get("participants").and_then(Value::as_array);
            let held = held.is_some_and(|all| all.iter().any(|of| *of == signer.as_str()));
            let retired = key.get("state").and_then(Value::as_str) == Some("retired");
            let wallet = key.get("wallet").and_then(Value::as_str);
            if let (true, false, Some(wallet)) = (held, retired, wallet)
                && !is_given_up(asker, wallet).await?
            {
                let wallet = wallet.parse().map_err(|error| {
                    CliError::Rotation(format!("the server sent no wallet's id: {error}"))
                })?;
                found.push(wallet);
            }
        }
        match page.get("next").and_then(Value::as_u64) {
            Some(next) => path = format!("/keys?after={next}"),
            None => return Ok(found),
        }
    }
}

/// Whether a quorum agreed to its rotation, so that the server empties it by itself.
async fn is_given_up(asker: &Asker, wallet: &str) -> Result<bool, CliError> {
    let detail = asker.get(&format!("/wallets/{wallet}")).await?;
    Ok(detail.pointer("/wallet/successor").is_some_and(Value::is_string))
}
