//! `strongroom price`: signs what an asset is worth, for a server's price source to read. Never
//! looks a price up: that is for whoever runs the source.

use clap::{Args, Subcommand};
use strongroom_domain::{
    Amount, Asset, Timestamp,
    policy::{Label, LabelError},
    price::{Quote, Quoted},
    statement,
};

use super::{CliError, KeyPlace, Say};
use crate::clock;

/// What can be done with prices.
#[derive(Subcommand)]
pub enum PriceCommand {
    /// Sign a price. Prints one line, to be put into the file that the server reads.
    Sign(PriceSign),
}

/// What `strongroom price sign` needs.
#[derive(Args)]
pub struct PriceSign {
    /// Of which asset, such as `litecoin-regtest/ltc`.
    #[arg(long)]
    pub asset: Asset,
    /// In what: the policy's reference, such as `usd`.
    #[arg(long, value_parser = label)]
    pub reference: Label,
    /// Minor units (cents) of the reference for one whole unit of the asset.
    #[arg(long)]
    pub minor_units: Amount,
    /// When it was worth that. Default: now, by this machine's clock.
    #[arg(long)]
    pub at: Option<Timestamp>,
    /// The source's Ed25519 key: the policy names its public half.
    #[command(flatten)]
    pub key: KeyPlace,
}

fn label(text: &str) -> Result<Label, LabelError> {
    Label::try_from(text.to_owned())
}

impl PriceCommand {
    /// Does it.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        match self {
            Self::Sign(sign) => sign.run(say),
        }
    }
}

impl PriceSign {
    fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let quote = Quote {
            asset: self.asset,
            reference: self.reference.clone(),
            minor_units: self.minor_units,
            at: self.at.unwrap_or_else(clock::now),
        };
        let signature = self.key.open()?.sign(&statement::price(&quote))?;
        let Quote { asset, reference, minor_units, at } = quote;
        let line = serde_json::to_string(&Quoted { asset, reference, minor_units, at, signature })?;
        say.text(&format!("{line}\n"))
    }
}
