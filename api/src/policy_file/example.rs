//! Examples that stand beside a policy: a transfer, and what the policy must say to it. They are
//! run against the policy alone; no log and no server is ever asked.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use strongroom_domain::{
    AccountId, Address, Amount, Asset, ClientId, Intent, PersonId, Timestamp, TransferId, WalletId,
    policy::{Case, Facts, Groups, Label, Policy, PolicyDecision, Quorums, Requirement, Since},
    price::{Prices, Quote},
    screening::{Screening, Screenings, Verdict},
    usage::{Requested, Usage},
    wallet::Tier,
};
use uuid::Uuid;

use super::{
    duration::Span,
    quantity::{CENTS, QuantityError, decimal, requirement},
};

/// `policy.examples.toml`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Examples {
    schema: u32,
    /// How many people each group has.
    #[serde(default)]
    groups: BTreeMap<Label, u8>,
    #[serde(default, rename = "example")]
    all: Vec<Example>,
}

/// A transfer, and what must be said to it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Example {
    name: String,
    asset: Asset,
    amount: String,
    fee_cap: Option<String>,
    /// A label of the policy, or an address.
    to: String,
    wallet: Option<WalletId>,
    wallet_tier: Option<Tier>,
    client: Option<ClientId>,
    initiator: Option<PersonId>,
    /// Default: Monday, 2026-11-23, at noon.
    at: Option<Timestamp>,
    /// How long the destination has been on the allowlist. Default: since the founding.
    listed_for: Option<Span>,
    price: Option<String>,
    price_age: Option<Span>,
    screened: Option<Screened>,
    /// Earlier transfers of the same wallet, client, initiator, asset and destination.
    #[serde(default)]
    before: Vec<Earlier>,
    expect: Expected,
    /// The rules of the policy that refuse it, all of them. What holds always need not be named.
    #[serde(default)]
    by: BTreeSet<Label>,
    /// Who must agree.
    #[serde(default)]
    needs: Vec<String>,
    delay: Option<Span>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Screened {
    verdict: Verdict,
    ago: Span,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Earlier {
    ago: Span,
    amount: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Expected {
    Allowed,
    Refused,
}

/// Why examples can't be run.
#[derive(Debug, thiserror::Error)]
pub enum ExamplesError {
    /// Not the TOML that is expected.
    #[error("the examples: {0}")]
    Toml(#[from] toml::de::Error),
    /// Another form of file.
    #[error("the examples have schema {0}; this program reads schema 1")]
    Schema(u32),
    /// An example that can't be understood.
    #[error("the example `{name}`: {reason}")]
    Example {
        /// Which.
        name: String,
        /// What is wrong.
        reason: String,
    },
}

/// What came of one example.
#[derive(Debug)]
pub struct Ran {
    /// Its name.
    pub name: String,
    /// What the policy said otherwise than expected; empty where it said what was expected.
    pub differs: Vec<String>,
    /// Every rule's word, for a person who wants to know why.
    pub verdicts: Vec<String>,
}

/// Monday, 2026-11-23T12:00:00Z.
const NOON_US: u64 = 1_795_435_200_000_000;

impl Examples {
    /// Reads a file of examples.
    pub fn read(text: &str) -> Result<Self, ExamplesError> {
        let file: Self = toml::from_str(text)?;
        if file.schema != super::SCHEMA {
            return Err(ExamplesError::Schema(file.schema));
        }
        Ok(file)
    }

    /// Asks the policy about each.
    pub fn run(&self, policy: &Policy) -> Result<Vec<Ran>, ExamplesError> {
        let groups = self.people();
        self.all.iter().map(|example| example.run(policy, &groups)).collect()
    }

    /// So many different people for each group, the same at every run.
    fn people(&self) -> Groups {
        let mut next = 1_u128;
        let mut group = |size: u8| {
            let person = |_| {
                next = next.saturating_add(1);
                PersonId(Uuid::from_u128(next))
            };
            (0..size).map(person).collect()
        };
        self.groups.iter().map(|(name, size)| (name.clone(), group(*size))).collect()
    }
}

impl Example {
    fn run(&self, policy: &Policy, groups: &Groups) -> Result<Ran, ExamplesError> {
        let said = self.ask(policy, groups).map_err(|reason| self.wrong(&reason))?;
        let expected = self.expected_quorums(groups).map_err(|reason| self.wrong(&reason))?;
        let verdicts = said.verdicts.iter().map(|verdict| {
            let word = if verdict.passed { "passed" } else { "refused" };
            format!("{} ({}) {word}: {}", verdict.rule, verdict.kind, verdict.because)
        });
        Ok(Ran {
            name: self.name.clone(),
            differs: self.differences(policy, &said, &expected),
            verdicts: verdicts.collect(),
        })
    }

    fn wrong(&self, reason: &impl ToString) -> ExamplesError {
        ExamplesError::Example { name: self.name.clone(), reason: reason.to_string() }
    }

    fn differences(
        &self,
        policy: &Policy,
        said: &PolicyDecision,
        expected: &Quorums,
    ) -> Vec<String> {
        let mut differs = Vec::new();
        let refusing: BTreeSet<Label> = said
            .verdicts
            .iter()
            .filter(|verdict| !verdict.passed)
            .map(|verdict| verdict.rule.clone())
            .collect();
        let names = |rules: &BTreeSet<Label>| {
            rules.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        match (self.expect, refusing.is_empty()) {
            (Expected::Allowed, false) => {
                differs.push(format!("expected allowed, refused by {}", names(&refusing)));
            }
            (Expected::Refused, true) => differs.push("expected refused, allowed".to_owned()),
            (Expected::Refused, false) if self.told(policy, &refusing) != self.by => {
                let (found, wanted) = (names(&refusing), names(&self.by));
                differs.push(format!("expected refused by {wanted}; refused by {found}"));
            }
            (Expected::Refused, false) => {}
            (Expected::Allowed, true) => {
                if said.quorums != *expected {
                    let found = said.quorums.approvals();
                    let wanted = self.needs.join(", ");
                    differs.push(format!(
                        "expected {wanted} to be asked; asked are {found} approvals of other groups \
                         or in other numbers"
                    ));
                }
                let delay = self.delay.map_or(0, |span| span.0);
                if said.delay_s != delay {
                    let (found, wanted) = (Span(said.delay_s), Span(delay));
                    differs.push(format!("expected a time lock of {wanted}, not {found}"));
                }
            }
        }
        differs
    }

    /// Without what only follows: where no tier fits, nobody is asked, and that is refused too.
    fn told(&self, policy: &Policy, refusing: &BTreeSet<Label>) -> BTreeSet<Label> {
        let written = |id: &Label| policy.rules.iter().any(|rule| rule.id == *id);
        refusing.iter().filter(|id| written(id) || self.by.contains(*id)).cloned().collect()
    }

    fn expected_quorums(&self, groups: &Groups) -> Result<Quorums, QuantityError> {
        let needs: Vec<Requirement> =
            self.needs.iter().map(|text| requirement(text)).collect::<Result<_, _>>()?;
        Ok(Quorums::resolve(&needs, groups))
    }

    fn ask(&self, policy: &Policy, groups: &Groups) -> Result<PolicyDecision, Misread> {
        let at = self.at.unwrap_or(Timestamp::from_micros(NOON_US));
        let ago = |span: Span| {
            let micros = span.0.saturating_mul(1_000_000);
            Timestamp::from_micros(at.micros().saturating_sub(micros))
        };
        let intent = self.intent(policy)?;
        let network = intent.network();
        let listed = self.listed_for.map_or(Timestamp::from_micros(0), ago);
        let since =
            Since::from([(network, BTreeMap::from([(intent.destination.clone(), listed)]))]);
        let (prices, screenings) = (self.prices(policy, &ago)?, self.screenings(&intent, &ago));
        let usage = self.usage(&intent, &ago)?;
        let case = Case {
            intent: &intent,
            maker: self.maker(),
            client: self.client(),
            wallet_tier: self.wallet_tier.unwrap_or(Tier::Hot),
            at,
            priced: None,
            call: None,
            facts: Facts {
                groups,
                destinations_since: &since,
                usage: &usage,
                late: None,
                prices: &prices,
                screenings: &screenings,
                wallets: &BTreeMap::new(),
            },
        };
        Ok(policy.evaluate(&case))
    }

    fn maker(&self) -> PersonId {
        self.initiator.unwrap_or(PersonId(Uuid::nil()))
    }

    fn client(&self) -> ClientId {
        self.client.unwrap_or(ClientId(Uuid::nil()))
    }

    fn intent(&self, policy: &Policy) -> Result<Intent, Misread> {
        let network = self.asset.network();
        let labelled = policy
            .destinations
            .iter()
            .find(|known| known.network == network && known.label.to_string() == self.to);
        let destination: Address = match labelled {
            Some(known) => known.address.clone(),
            None => strongroom_chains::parse_address(network, &self.to)
                .map_err(|_| Misread::Destination(self.to.clone()))?,
        };
        let cap = self.fee_cap.as_deref().unwrap_or("0");
        Ok(Intent {
            transfer: TransferId(Uuid::nil()),
            account: AccountId(Uuid::nil()),
            wallet: self.wallet.unwrap_or(WalletId(Uuid::nil())),
            asset: self.asset,
            amount: decimal(&self.amount, self.asset.decimals())?,
            destination,
            fee_cap: decimal(cap, network.native_asset().decimals())?,
        })
    }

    fn prices(&self, policy: &Policy, ago: &impl Fn(Span) -> Timestamp) -> Result<Prices, Misread> {
        let Some(price) = &self.price else { return Ok(Prices::default()) };
        let source = policy.prices.as_ref().ok_or(Misread::NoPrices)?;
        let quote = Quote {
            asset: self.asset,
            reference: source.reference.clone(),
            minor_units: decimal(price, CENTS)?,
            at: ago(self.price_age.unwrap_or(Span(0))),
        };
        Ok([quote].into_iter().collect())
    }

    fn screenings(&self, intent: &Intent, ago: &impl Fn(Span) -> Timestamp) -> Screenings {
        let found = self.screened.as_ref().map(|of| {
            let screening =
                Screening { verdict: of.verdict, at: ago(of.ago), by: PersonId(Uuid::nil()) };
            (intent.network(), intent.destination.clone(), screening)
        });
        found.into_iter().collect()
    }

    fn usage(&self, intent: &Intent, ago: &impl Fn(Span) -> Timestamp) -> Result<Usage, Misread> {
        let mut earlier = Vec::with_capacity(self.before.len());
        for (number, before) in (1_u128..).zip(&self.before) {
            let amount = decimal(&before.amount, self.asset.decimals())?;
            earlier.push((ago(before.ago), TransferId(Uuid::from_u128(number)), amount));
        }
        // As the log would have them.
        earlier.sort();
        let mut usage = Usage::default();
        for (time, transfer, amount) in earlier {
            usage.count(Requested {
                transfer,
                time,
                wallet: intent.wallet,
                client: self.client(),
                destination: intent.destination.clone(),
                initiator: self.maker(),
                asset: self.asset,
                amount,
                value: self.worth(amount)?,
            });
        }
        Ok(usage)
    }

    /// Earlier transfers are valued at the example's own price.
    fn worth(&self, amount: Amount) -> Result<Option<Amount>, Misread> {
        let Some(price) = &self.price else { return Ok(None) };
        let whole = 10_u128.checked_pow(u32::from(self.asset.decimals()));
        let price = decimal(price, CENTS)?.units();
        let value = amount.units().checked_mul(price).zip(whole);
        let value = value.map(|(value, whole)| Amount::new(value.div_ceil(whole)));
        value.map(Some).ok_or(Misread::TooMuch)
    }
}

/// Why an example can't be understood.
#[derive(Debug, thiserror::Error)]
enum Misread {
    #[error(transparent)]
    Quantity(#[from] QuantityError),
    #[error("`{0}` is no label of the policy and no address on the asset's network")]
    Destination(String),
    #[error("it names a price, and the policy has no source of prices")]
    NoPrices,
    #[error("an earlier transfer is worth more than can be counted")]
    TooMuch,
}
