//! A small world to ask policies about, for tests: two people groups, a wallet, a price and a
//! history. Nothing here stands in for our own code.

use super::*;
use crate::{
    AccountId, Aggregate as _, Amount, Asset, Bytes, ClientId, Intent, KeyId, PersonId, Timestamp,
    TransferId, WalletId,
    approval_key::Evidence,
    price::{PriceEvent, Prices, Quoted},
    screening::{Recorded, ScreeningEvent, Screenings, Verdict},
    usage::{Requested, Usage},
    wallet::{Tier, Wallet},
};
use std::collections::BTreeMap;
use uuid::Uuid;

pub(super) const LTC: Asset = Network::LitecoinRegtest.native_asset();
pub(super) const ETH: Asset = Network::EthereumDev.native_asset();
pub(super) const DAY: u64 = 86_400;
pub(super) const MAKER: u128 = 9;

pub(super) fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// So many seconds after Monday, 2026-11-23, 00:00 UTC.
pub(super) fn at(seconds: u64) -> Timestamp {
    let monday: Timestamp = "2026-11-23T00:00:00.000000Z".parse().expect("a time");
    monday.plus_seconds(seconds)
}

pub(super) fn label(text: &str) -> Label {
    Label::try_from(text.to_owned()).expect("a label")
}

pub(super) fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

pub(super) fn ask(approvals: u8, group: &str) -> Requirement {
    Requirement { approvals, group: label(group) }
}

pub(super) fn rule(id: &str, demand: Demand) -> PolicyRule {
    PolicyRule { id: label(id), scope: Scope::default(), demand }
}

pub(super) fn scoped(id: &str, scope: Scope, demand: Demand) -> PolicyRule {
    PolicyRule { id: label(id), scope, demand }
}

pub(super) fn fee_cap(id: &str, asset: Asset, most: u128) -> PolicyRule {
    rule(id, Demand::FeeCap { asset, most: Amount::new(most) })
}

/// Permits everything, asks 2 of the desk, limits fees to 10.
pub(super) fn policy(more: impl IntoIterator<Item = PolicyRule>) -> Policy {
    let known = |network, text: &str, name: &str| Destination {
        network,
        address: address(text),
        label: label(name),
    };
    let rules = [
        rule("a-permit", Demand::Permit),
        rule("b-desk", Demand::Approvals { require: vec![ask(2, "desk")] }),
        fee_cap("c-fee", LTC, 10),
        fee_cap("d-gas", ETH, 10),
    ];
    Policy {
        version: 3,
        destinations: vec![
            known(Network::LitecoinRegtest, "rltc1qexchange", "exchange"),
            known(Network::LitecoinRegtest, "rltc1qbank", "bank"),
            known(Network::EthereumDev, "0xexchange", "exchange"),
        ],
        rules: rules.into_iter().chain(more).collect(),
        confirmations: BTreeMap::from([(Network::LitecoinRegtest, 6), (Network::EthereumDev, 12)]),
        proposal_lifetime_s: 7 * DAY,
        prices: Some(PriceSource {
            key: Bytes(vec![7; 32]),
            reference: label("usd"),
            max_age_s: 600,
        }),
    }
}

/// What the log knows, and a transfer that is asked for.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) intent: Intent,
    pub(super) maker: PersonId,
    pub(super) at: Timestamp,
    pub(super) priced: Option<Priced>,
    pub(super) call: Option<Call>,
    pub(super) groups: Groups,
    pub(super) since: Since,
    pub(super) usage: Usage,
    pub(super) prices: Prices,
    pub(super) screenings: Screenings,
    pub(super) wallets: BTreeMap<WalletId, Wallet>,
}

impl World {
    /// 100 of LTC, worth nothing known, to the exchange, on Monday at noon.
    pub(super) fn new() -> Self {
        let people = |ids: std::ops::RangeInclusive<u128>| ids.map(|n| PersonId(id(n))).collect();
        let mut world = Self {
            intent: Intent {
                transfer: TransferId(id(1)),
                account: AccountId(id(2)),
                wallet: WalletId(id(3)),
                asset: LTC,
                amount: Amount::new(100),
                destination: address("rltc1qexchange"),
                fee_cap: Amount::new(10),
            },
            maker: PersonId(id(MAKER)),
            at: at(12 * 3_600),
            priced: None,
            call: None,
            groups: Groups::from([(label("desk"), people(1..=4)), (label("board"), people(4..=8))]),
            since: Since::new(),
            usage: Usage::default(),
            prices: Prices::default(),
            screenings: Screenings::default(),
            wallets: BTreeMap::new(),
        };
        for (network, text) in [
            (Network::LitecoinRegtest, "rltc1qexchange"),
            (Network::LitecoinRegtest, "rltc1qbank"),
            (Network::EthereumDev, "0xexchange"),
        ] {
            world.on_the_list(network, text, Timestamp::default());
        }
        world
    }

    pub(super) fn on_the_list(&mut self, network: Network, text: &str, since: Timestamp) {
        self.since.entry(network).or_default().insert(address(text), since);
    }

    /// A price, in cents for a whole unit.
    pub(super) fn quote(&mut self, asset: Asset, cents: u128, at: Timestamp) {
        let quoted = Quoted {
            asset,
            reference: label("usd"),
            minor_units: Amount::new(cents),
            at,
            signature: Bytes::default(),
        };
        self.prices.evolve(&PriceEvent::Quoted(quoted)).expect("a newer price");
    }

    pub(super) fn screen(&mut self, verdict: Verdict, at: Timestamp) {
        let recorded = Recorded {
            network: Network::LitecoinRegtest,
            address: address("rltc1qexchange"),
            verdict,
            at,
            by: PersonId(id(8)),
            key: Bytes::default(),
            evidence: Evidence::Signature { signature: Bytes::default() },
        };
        self.screenings.evolve(&ScreeningEvent::Recorded(recorded)).expect("a newer screening");
    }

    /// What was asked for before, out of the same wallet and so on.
    pub(super) fn before(&mut self, n: u128, time: Timestamp, amount: u128, value: Option<u128>) {
        self.usage.count(self.usual(n, time, amount, value));
    }

    pub(super) fn usual(
        &self,
        n: u128,
        time: Timestamp,
        amount: u128,
        value: Option<u128>,
    ) -> Requested {
        Requested {
            transfer: TransferId(id(n)),
            time,
            wallet: self.intent.wallet,
            client: ClientId(id(5)),
            destination: self.intent.destination.clone(),
            initiator: self.maker,
            asset: self.intent.asset,
            amount: Amount::new(amount),
            value: value.map(Amount::new),
        }
    }

    /// Another wallet of ours, with one address.
    pub(super) fn own(&mut self, n: u128, text: &str) {
        use crate::{
            AddressPath, Branch,
            wallet::{AddressDerived, Created, WalletEvent},
        };
        let mut wallet = Wallet::default();
        let created = Created { network: LTC.network(), key: KeyId(id(n)), tier: Tier::Hot };
        let path = AddressPath { branch: Branch::Change, index: 0 };
        let derived = AddressDerived { address: address(text), path, account: None };
        for event in [WalletEvent::Created(created), WalletEvent::AddressDerived(derived)] {
            wallet.evolve(&event).expect("a history that can have happened");
        }
        self.wallets.insert(WalletId(id(n)), wallet);
    }

    pub(super) fn ask(&self, policy: &Policy) -> PolicyDecision {
        policy.evaluate(&Case {
            intent: &self.intent,
            maker: self.maker,
            client: ClientId(id(5)),
            wallet_tier: Tier::Hot,
            at: self.at,
            priced: self.priced.as_ref(),
            call: self.call.as_ref(),
            facts: Facts {
                groups: &self.groups,
                destinations_since: &self.since,
                usage: &self.usage,
                late: None,
                prices: &self.prices,
                screenings: &self.screenings,
                wallets: &self.wallets,
            },
        })
    }

    /// The rules that refuse it, by name.
    pub(super) fn refused(&self, policy: &Policy) -> Vec<String> {
        let decision = self.ask(policy);
        let denied = decision.verdicts.iter().filter(|verdict| !verdict.passed);
        let names: Vec<_> = denied.map(|verdict| verdict.rule.to_string()).collect();
        assert_eq!(decision.allowed().is_ok(), names.is_empty());
        assert_eq!(decision.quorums.0.is_empty(), !names.is_empty());
        names
    }

    #[track_caller]
    pub(super) fn passes(&self, policy: &Policy) {
        assert_eq!(self.refused(policy), Vec::<String>::new());
    }

    #[track_caller]
    pub(super) fn is_refused(&self, policy: &Policy, rule: &str) {
        assert_eq!(self.refused(policy), [rule]);
    }
}
