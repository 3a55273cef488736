//! The demands of rules as a risk officer writes them. Never holds a rule's name or scope.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strongroom_domain::{
    Address, Amount, Asset, WalletId,
    policy::{Allowance, Day, Demand, Label, Measure, Most, Per, Requirement, Selector, Step},
};

use super::{
    duration::Span,
    hour::Minute,
    quantity::{CENTS, QuantityError, Unit, decimal, plain, quantity, requirement},
    rule::RuleTextError,
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct AllowlistText {
    pub(super) cooling_off: Span,
}

/// By amounts of an asset, or by value.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct TiersText {
    pub(super) asset: Option<Asset>,
    pub(super) by_value: Option<bool>,
    pub(super) steps: Vec<StepText>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct StepText {
    pub(super) up_to: String,
    pub(super) require: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) delay: Option<Span>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct VelocityText {
    pub(super) window: Span,
    pub(super) per: Per,
    pub(super) most: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct HoursText {
    pub(super) days: BTreeSet<Day>,
    pub(super) from: Minute,
    pub(super) to: Minute,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct FeeCapText {
    pub(super) most: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct CeilingText {
    pub(super) most: String,
    pub(super) sweep_to: WalletId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ScreeningText {
    pub(super) max_age: Span,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ContractCallText {
    pub(super) contract: Address,
    pub(super) selectors: BTreeSet<Selector>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct TokenApprovalText {
    pub(super) token: Address,
    pub(super) spender: Address,
    /// Base units of the token, or `unlimited`.
    pub(super) most: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ContractAdminText {
    pub(super) contract: Address,
    pub(super) selectors: BTreeSet<Selector>,
    pub(super) delegatecall: bool,
}

/// What gives everything away, for ever.
pub(super) const UNLIMITED: &str = "unlimited";

impl TiersText {
    pub(super) fn demand(self, id: &Label) -> Result<Demand, RuleTextError> {
        let (by, places) = match (self.asset, self.by_value) {
            (Some(asset), None) => (Measure::AssetAmount(asset), asset.decimals()),
            (None, Some(true)) => (Measure::ReferenceValue, CENTS),
            _ => {
                return Err(RuleTextError::Unit {
                    rule: id.clone(),
                    text: "tiers".to_owned(),
                    wanted: "measured: write either `asset = \"…\"` or `by-value = true`",
                });
            }
        };
        let step = |text: StepText| {
            let up_to = decimal(&text.up_to, places).map_err(|reason| wrong(id, reason))?;
            let require = requirements(id, &text.require)?;
            Ok(Step { up_to, require, delay_s: text.delay.map_or(0, |span| span.0) })
        };
        let steps = self.steps.into_iter().map(step).collect::<Result<_, _>>()?;
        Ok(Demand::Tiers { by, steps })
    }

    pub(super) fn of(by: Measure, steps: &[Step]) -> Self {
        let (asset, by_value, places) = match by {
            Measure::AssetAmount(asset) => (Some(asset), None, asset.decimals()),
            Measure::ReferenceValue => (None, Some(true), CENTS),
        };
        let step = |step: &Step| StepText {
            up_to: plain(step.up_to, places),
            require: asked(&step.require),
            delay: Some(Span(step.delay_s)).filter(|span| span.0 > 0),
        };
        Self { asset, by_value, steps: steps.iter().map(step).collect() }
    }
}

impl VelocityText {
    pub(super) fn demand(self, id: &Label) -> Result<Demand, RuleTextError> {
        let (amount, unit) = quantity(&self.most).map_err(|reason| wrong(id, reason))?;
        let most = match unit {
            Unit::Asset(asset) => Most::Amount { asset, units: amount },
            Unit::Reference(_) => Most::Value { minor_units: amount },
            Unit::Transfers => {
                let transfers = u32::try_from(amount.units());
                let transfers = transfers.map_err(|_| RuleTextError::Unit {
                    rule: id.clone(),
                    text: self.most.clone(),
                    wanted: "a number of transfers below 2^32",
                })?;
                Most::Count { transfers }
            }
        };
        Ok(Demand::Velocity { window_s: self.window.0, per: self.per, most })
    }
}

impl TokenApprovalText {
    pub(super) fn demand(self, id: &Label) -> Result<Demand, RuleTextError> {
        let most = if self.most == UNLIMITED {
            Allowance::Unlimited
        } else {
            Allowance::UpTo(decimal(&self.most, 0).map_err(|reason| wrong(id, reason))?)
        };
        Ok(Demand::TokenApproval { token: self.token, spender: self.spender, most })
    }
}

pub(super) fn wrong(rule: &Label, reason: QuantityError) -> RuleTextError {
    RuleTextError::Quantity { rule: rule.clone(), reason }
}

pub(super) fn of_asset(id: &Label, text: &str) -> Result<(Asset, Amount), RuleTextError> {
    match quantity(text).map_err(|reason| wrong(id, reason))? {
        (amount, Unit::Asset(asset)) => Ok((asset, amount)),
        (_, Unit::Reference(_) | Unit::Transfers) => Err(RuleTextError::Unit {
            rule: id.clone(),
            text: text.to_owned(),
            wanted: "an amount of an asset",
        }),
    }
}

pub(super) fn requirements(
    id: &Label,
    texts: &[String],
) -> Result<Vec<Requirement>, RuleTextError> {
    texts.iter().map(|text| requirement(text).map_err(|reason| wrong(id, reason))).collect()
}

pub(super) fn asked(require: &[Requirement]) -> Vec<String> {
    require.iter().map(|asked| format!("{} of {}", asked.approvals, asked.group)).collect()
}

pub(super) fn of(units: Amount, asset: Asset) -> String {
    format!("{} {asset}", plain(units, asset.decimals()))
}

/// The file's own reference has one name; any other would be read the same.
pub(super) fn value(minor_units: Amount) -> String {
    format!("{} {}", minor_units.with_decimals(CENTS), super::REFERENCE)
}
