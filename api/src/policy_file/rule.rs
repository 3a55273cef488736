//! One rule as a risk officer writes it, and as the log keeps it. Exactly one demand stands in a
//! rule; nothing is ever filled in that the file does not say.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strongroom_domain::{
    Asset, ClientId, Network, PersonId, WalletId,
    policy::{Allowance, Demand, Label, Most, OnCompromise, PolicyRule, Scope, Threshold},
    wallet::Tier,
};

use super::{
    demand::{
        AllowlistText, CeilingText, ContractAdminText, ContractCallText, FeeCapText, HoursText,
        ScreeningText, TiersText, TokenApprovalText, UNLIMITED, VelocityText, asked, of, of_asset,
        requirements, value, wrong,
    },
    duration::Span,
    hour::Minute,
    quantity::{QuantityError, Unit, quantity},
};

/// `[[rule]]`.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct RuleText {
    id: Option<Label>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    assets: BTreeSet<Asset>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    networks: BTreeSet<Network>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    wallets: BTreeSet<WalletId>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    wallet_tiers: BTreeSet<Tier>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    clients: BTreeSet<ClientId>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    destinations: BTreeSet<Label>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    initiators: BTreeSet<PersonId>,
    over: Option<String>,
    permit: Option<bool>,
    forbid: Option<bool>,
    maker_not_checker: Option<bool>,
    allowlist: Option<AllowlistText>,
    tiers: Option<TiersText>,
    approvals: Option<Vec<String>>,
    velocity: Option<VelocityText>,
    hours: Option<HoursText>,
    delay: Option<Span>,
    fee_cap: Option<FeeCapText>,
    wallet_ceiling: Option<CeilingText>,
    screening: Option<ScreeningText>,
    contract_call: Option<ContractCallText>,
    token_approval: Option<TokenApprovalText>,
    contract_admin: Option<ContractAdminText>,
    on_compromise: Option<OnCompromise>,
}

/// What is wrong with a rule.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RuleTextError {
    /// It has no name.
    #[error("a rule has no `id`: decisions and statements name it")]
    Nameless,
    /// No demand, or several.
    #[error(
        "rule `{0}` must have exactly one demand, such as `permit = true` or `velocity = {{ … }}`"
    )]
    Demands(Label),
    /// A switch that is off says nothing.
    #[error("rule `{rule}`: `{switch} = false` says nothing; leave the rule away")]
    Off {
        /// Which rule.
        rule: Label,
        /// Its switch.
        switch: &'static str,
    },
    /// A quantity.
    #[error("rule `{rule}`: {reason}")]
    Quantity {
        /// Which rule.
        rule: Label,
        /// What is wrong.
        reason: QuantityError,
    },
    /// A quantity of something else than is meant there.
    #[error("rule `{rule}`: `{text}` is not {wanted}")]
    Unit {
        /// Which rule.
        rule: Label,
        /// What was found.
        text: String,
        /// What would be right.
        wanted: &'static str,
    },
}

impl RuleText {
    /// As the log keeps it.
    pub(super) fn rule(self) -> Result<PolicyRule, RuleTextError> {
        let Some(id) = self.id.clone() else { return Err(RuleTextError::Nameless) };
        let over = self.over.as_deref().map(|text| threshold(&id, text)).transpose()?;
        let scope = Scope {
            assets: self.assets.clone(),
            networks: self.networks.clone(),
            wallets: self.wallets.clone(),
            wallet_tiers: self.wallet_tiers.clone(),
            clients: self.clients.clone(),
            destinations: self.destinations.clone(),
            initiators: self.initiators.clone(),
            over,
        };
        let mut demands = self.demands(&id)?;
        match (demands.pop(), demands.is_empty()) {
            (Some(demand), true) => Ok(PolicyRule { id, scope, demand }),
            _ => Err(RuleTextError::Demands(id)),
        }
    }

    fn demands(self, id: &Label) -> Result<Vec<Demand>, RuleTextError> {
        let on = |switch: &'static str, set: Option<bool>, demand: Demand| match set {
            Some(false) => Err(RuleTextError::Off { rule: id.clone(), switch }),
            Some(true) => Ok(Some(demand)),
            None => Ok(None),
        };
        let mut all = vec![
            on("permit", self.permit, Demand::Permit)?,
            on("forbid", self.forbid, Demand::Forbid)?,
            on("maker-not-checker", self.maker_not_checker, Demand::MakerNotChecker)?,
            self.allowlist.map(|text| Demand::Allowlist { cooling_off_s: text.cooling_off.0 }),
            self.tiers.map(|text| text.demand(id)).transpose()?,
            self.velocity.map(|text| text.demand(id)).transpose()?,
            self.delay.map(|Span(seconds)| Demand::Delay { seconds }),
            self.screening.map(|text| Demand::Screening { max_age_s: text.max_age.0 }),
        ];
        if let Some(texts) = self.approvals {
            all.push(Some(Demand::Approvals { require: requirements(id, &texts)? }));
        }
        all.push(self.hours.map(|text| Demand::Hours {
            days: text.days,
            from_minute: text.from.0,
            to_minute: text.to.0,
        }));
        if let Some(text) = self.fee_cap {
            let (asset, most) = of_asset(id, &text.most)?;
            all.push(Some(Demand::FeeCap { asset, most }));
        }
        if let Some(text) = self.wallet_ceiling {
            let (asset, most) = of_asset(id, &text.most)?;
            all.push(Some(Demand::WalletCeiling { asset, most, sweep_to: text.sweep_to }));
        }
        all.push(self.contract_call.map(|text| Demand::ContractCall {
            contract: text.contract,
            selectors: text.selectors,
        }));
        all.push(self.token_approval.map(|text| text.demand(id)).transpose()?);
        all.push(self.contract_admin.map(|text| Demand::ContractAdmin {
            contract: text.contract,
            selectors: text.selectors,
            delegatecall: text.delegatecall,
        }));
        all.push(self.on_compromise.map(|answer| Demand::Compromise { answer }));
        Ok(all.into_iter().flatten().collect())
    }

    /// As a person reads it.
    pub(super) fn of(rule: &PolicyRule) -> Self {
        let Scope {
            assets,
            networks,
            wallets,
            wallet_tiers,
            clients,
            destinations,
            initiators,
            over,
        } = rule.scope.clone();
        let mut text = Self {
            id: Some(rule.id.clone()),
            assets,
            networks,
            wallets,
            wallet_tiers,
            clients,
            destinations,
            initiators,
            over: over.map(|over| match over {
                Threshold::Amount { asset, units } => of(units, asset),
                Threshold::Value { minor_units } => value(minor_units),
            }),
            ..Self::default()
        };
        text.write(&rule.demand);
        text
    }

    fn write(&mut self, demand: &Demand) {
        match demand.clone() {
            Demand::Permit => self.permit = Some(true),
            Demand::Forbid => self.forbid = Some(true),
            Demand::MakerNotChecker => self.maker_not_checker = Some(true),
            Demand::Allowlist { cooling_off_s } => {
                self.allowlist = Some(AllowlistText { cooling_off: Span(cooling_off_s) });
            }
            Demand::Tiers { by, steps } => self.tiers = Some(TiersText::of(by, &steps)),
            Demand::Approvals { require } => self.approvals = Some(asked(&require)),
            Demand::Velocity { window_s, per, most } => {
                let most = match most {
                    Most::Amount { asset, units } => of(units, asset),
                    Most::Value { minor_units } => value(minor_units),
                    Most::Count { transfers } => format!("{transfers} transfers"),
                };
                self.velocity = Some(VelocityText { window: Span(window_s), per, most });
            }
            Demand::Hours { days, from_minute, to_minute } => {
                let (from, to) = (Minute(from_minute), Minute(to_minute));
                self.hours = Some(HoursText { days, from, to });
            }
            Demand::Delay { seconds } => self.delay = Some(Span(seconds)),
            Demand::FeeCap { asset, most } => {
                self.fee_cap = Some(FeeCapText { most: of(most, asset) });
            }
            Demand::WalletCeiling { asset, most, sweep_to } => {
                self.wallet_ceiling = Some(CeilingText { most: of(most, asset), sweep_to });
            }
            Demand::Screening { max_age_s } => {
                self.screening = Some(ScreeningText { max_age: Span(max_age_s) });
            }
            Demand::ContractCall { contract, selectors } => {
                self.contract_call = Some(ContractCallText { contract, selectors });
            }
            Demand::TokenApproval { token, spender, most } => {
                let most = match most {
                    Allowance::UpTo(units) => units.to_string(),
                    Allowance::Unlimited => UNLIMITED.to_owned(),
                };
                self.token_approval = Some(TokenApprovalText { token, spender, most });
            }
            Demand::ContractAdmin { contract, selectors, delegatecall } => {
                self.contract_admin = Some(ContractAdminText { contract, selectors, delegatecall });
            }
            Demand::Compromise { answer } => self.on_compromise = Some(answer),
        }
    }
}

fn threshold(id: &Label, text: &str) -> Result<Threshold, RuleTextError> {
    let (amount, unit) = quantity(text).map_err(|reason| wrong(id, reason))?;
    match unit {
        Unit::Asset(asset) => Ok(Threshold::Amount { asset, units: amount }),
        Unit::Reference(_) => Ok(Threshold::Value { minor_units: amount }),
        Unit::Transfers => Err(RuleTextError::Unit {
            rule: id.clone(),
            text: text.to_owned(),
            wanted: "an amount or a value",
        }),
    }
}
