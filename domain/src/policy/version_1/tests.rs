//! What the policy says to an intent, rule by rule.

use super::*;
use crate::{AccountId, TransferId, WalletId};
use uuid::Uuid;

const LTC: Asset = Network::LitecoinRegtest.native_asset();

fn quorum(approvals: u8) -> Quorum {
    Quorum { approvals, group: (1..=3).map(|n| PersonId(Uuid::from_u128(n))).collect() }
}

fn tier(up_to: u128, approvals: u8) -> TierV1 {
    TierV1 { asset: LTC, up_to: Amount::new(up_to), quorum: quorum(approvals) }
}

fn policy() -> PolicyV1 {
    PolicyV1 {
        version: 7,
        destinations: vec![Destination {
            network: Network::LitecoinRegtest,
            address: "rltc1qexchange".parse().expect("an address"),
            label: Label::try_from("exchange".to_owned()).expect("a label"),
        }],
        // Out of order: the lowest that fits counts, wherever it stands.
        tiers: vec![tier(1_000, 3), tier(100, 2)],
        fee_caps: BTreeMap::from([(LTC, Amount::new(10))]),
        confirmations: BTreeMap::new(),
        proposal_lifetime_s: 60,
    }
}

fn intent(change: impl FnOnce(&mut Intent)) -> Intent {
    let mut intent = Intent {
        transfer: TransferId(Uuid::from_u128(1)),
        account: AccountId(Uuid::from_u128(2)),
        wallet: WalletId(Uuid::from_u128(3)),
        asset: LTC,
        amount: Amount::new(100),
        destination: "rltc1qexchange".parse().expect("an address"),
        fee_cap: Amount::new(10),
    };
    change(&mut intent);
    intent
}

fn refused(intent: &Intent) -> Vec<Rule> {
    let decision = policy().evaluate(intent);
    let denied = decision.verdicts.iter().filter(|verdict| !verdict.passed);
    let rules: Vec<_> = denied.map(|verdict| verdict.rule).collect();
    assert_eq!(decision.allowed().is_ok(), rules.is_empty());
    assert_eq!(decision.quorum.is_some(), rules.is_empty());
    rules
}

#[test]
fn all_rules_must_pass_and_each_says_why() {
    let decision = policy().evaluate(&intent(|_| ()));
    assert_eq!(decision.policy_version, 7);
    assert_eq!(decision.verdicts.len(), 3);
    assert_eq!(decision.allowed(), Ok(&quorum(2)));
}

#[test]
fn the_allowlist_knows_an_address_on_its_network() {
    let elsewhere = intent(|i| i.destination = "rltc1qthief".parse().expect("an address"));
    assert_eq!(refused(&elsewhere), [Rule::DestinationAllowlist]);
    let other = intent(|i| i.asset = Network::Litecoin.native_asset());
    assert_eq!(refused(&other), [Rule::DestinationAllowlist, Rule::AmountTier, Rule::FeeCap]);
}

#[test]
fn the_lowest_tier_that_fits_counts() {
    for (amount, approvals) in [(1, 2), (100, 2), (101, 3), (1_000, 3)] {
        let decision = policy().evaluate(&intent(|i| i.amount = Amount::new(amount)));
        assert_eq!(decision.allowed(), Ok(&quorum(approvals)), "{amount}");
    }
    assert_eq!(refused(&intent(|i| i.amount = Amount::new(1_001))), [Rule::AmountTier]);
}

#[test]
fn the_fee_cap_is_the_assets() {
    assert_eq!(refused(&intent(|i| i.fee_cap = Amount::new(11))), [Rule::FeeCap]);
}

#[test]
fn a_quorum_is_two_to_ten_people_of_whom_two_agree() {
    for (approvals, people, sound) in
        [(2, 2, true), (10, 10, true), (1, 2, false), (3, 2, false), (2, 11, false), (0, 0, false)]
    {
        let group = (0..people).map(|n| PersonId(Uuid::from_u128(n))).collect();
        assert_eq!(Quorum { approvals, group }.check().is_ok(), sound, "{approvals} of {people}");
    }
}

#[test]
fn a_label_names_no_person() {
    for right in ["a", "exchange-1", &"x".repeat(40)] {
        assert!(Label::try_from(right.to_owned()).is_ok(), "{right}");
    }
    for wrong in ["", "Ann", "ann smith", "a\nb", "ä", &"x".repeat(41)] {
        assert!(Label::try_from(wrong.to_owned()).is_err(), "{wrong}");
    }
}
