//! The policy as a risk officer writes it: TOML with whole units, times of day and group names,
//! checked on the way in, and written back out of the log. It never says more than the log's form.

mod demand;
mod duration;
mod example;
mod hour;
mod quantity;
mod rule;

pub use example::{Examples, ExamplesError, Ran};
pub use quantity::QuantityError;
pub use rule::RuleTextError;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strongroom_domain::{
    Bytes, Network, Refusal,
    policy::{Destination, Label, Policy, PriceSource},
};

use duration::Span;
use rule::RuleText;

/// The version of this form of file.
const SCHEMA: u32 = 1;

/// How values are written where the file does not say of what.
const REFERENCE: &str = "usd";

/// `policy.toml`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct PolicyText {
    schema: u32,
    proposals_stay_open: Span,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    confirmations: BTreeMap<Network, u32>,
    prices: Option<PricesText>,
    #[serde(default, rename = "destination", skip_serializing_if = "Vec::is_empty")]
    destinations: Vec<DestinationText>,
    #[serde(default, rename = "rule", skip_serializing_if = "Vec::is_empty")]
    rules: Vec<RuleText>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct PricesText {
    /// Ed25519 public key of the source, hex.
    key: Bytes,
    reference: Label,
    max_age: Span,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct DestinationText {
    label: Label,
    network: Network,
    address: String,
}

/// Why a file is no policy.
#[derive(Debug, thiserror::Error)]
pub enum PolicyFileError {
    /// Not the TOML that is expected.
    #[error("the policy file: {0}")]
    Toml(#[from] toml::de::Error),
    /// Another form of file.
    #[error("the policy file has schema {0}; this program reads schema {SCHEMA}")]
    Schema(u32),
    /// A destination.
    #[error("the destination {label}: {reason}")]
    Destination {
        /// Which.
        label: Label,
        /// What is wrong with its address.
        reason: strongroom_chains::AddressError,
    },
    /// A rule.
    #[error(transparent)]
    Rule(#[from] RuleTextError),
    /// It could be read, and can't be applied.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It can't be written: a bug.
    #[error("the policy can't be written: {0}")]
    Write(#[from] toml::ser::Error),
}

/// Reads a policy file. `version` is the one that the policy will have in the log.
pub fn read(text: &str, version: u32) -> Result<Policy, PolicyFileError> {
    let file: PolicyText = toml::from_str(text)?;
    if file.schema != SCHEMA {
        return Err(PolicyFileError::Schema(file.schema));
    }
    let destination = |text: DestinationText| {
        let address = strongroom_chains::parse_address(text.network, &text.address);
        let label = text.label.clone();
        let address = address.map_err(|reason| PolicyFileError::Destination { label, reason })?;
        Ok(Destination { network: text.network, address, label: text.label })
    };
    let destinations = file.destinations.into_iter().map(destination);
    let policy = Policy {
        version,
        destinations: destinations.collect::<Result<_, PolicyFileError>>()?,
        rules: file.rules.into_iter().map(RuleText::rule).collect::<Result<_, _>>()?,
        confirmations: file.confirmations,
        proposal_lifetime_s: file.proposals_stay_open.0,
        prices: file.prices.map(|text| PriceSource {
            key: text.key,
            reference: text.reference,
            max_age_s: text.max_age.0,
        }),
    };
    policy.check()?;
    Ok(policy)
}

/// Writes a policy of the log as a file that [`read`] reads back to the same.
pub fn write(policy: &Policy) -> Result<String, PolicyFileError> {
    let destination = |known: &Destination| DestinationText {
        label: known.label.clone(),
        network: known.network,
        address: known.address.to_string(),
    };
    let text = PolicyText {
        schema: SCHEMA,
        proposals_stay_open: Span(policy.proposal_lifetime_s),
        confirmations: policy.confirmations.clone(),
        prices: policy.prices.as_ref().map(|source| PricesText {
            key: source.key.clone(),
            reference: source.reference.clone(),
            max_age: Span(source.max_age_s),
        }),
        destinations: policy.destinations.iter().map(destination).collect(),
        rules: policy.rules.iter().map(RuleText::of).collect(),
    };
    Ok(toml::to_string_pretty(&text)?)
}

#[cfg(test)]
mod tests;
