//! A house of today: founded with groups, governance and a policy made of rules. Its people are the
//! other tests' people, and an officer, somebody of compliance and an administrator besides.

use crate::{book::Book, names::*};
use ed25519_dalek::SigningKey;
use std::collections::BTreeSet;
use strongroom_domain::{
    Amount, Bytes, Command, PersonId,
    approval_key::ApprovalKey,
    charter::{CharterText, Founded, FoundingSignature, Governance, Person, Role},
    policy::{Demand, Policy, PolicyRule, PriceSource, Requirement, Scope, Threshold},
    statement,
};
use uuid::Uuid;

/// Stops things.
pub(crate) const OLA: PersonId = PersonId(Uuid::from_u128(7));
/// Screens destinations.
pub(crate) const COM: PersonId = PersonId(Uuid::from_u128(8));
/// Runs the system.
pub(crate) const ADA: PersonId = PersonId(Uuid::from_u128(9));

/// Above this a payment in LTC waits.
pub(crate) const WAITS_ABOVE: u128 = 100_000;
/// For so long, in seconds.
pub(crate) const WAITS_S: u64 = 600;

/// The policy's price source.
pub(crate) fn price_key() -> SigningKey {
    key_of(Uuid::from_u128(0x70))
}

fn two_of_the_treasury() -> Vec<Requirement> {
    vec![Requirement { approvals: 2, group: label("treasury") }]
}

pub(crate) fn rules() -> Policy {
    let old = policy();
    let rule = |id: &str, demand| PolicyRule { id: label(id), scope: Scope::default(), demand };
    let over = Some(Threshold::Amount { asset: LTC, units: Amount::new(WAITS_ABOVE) });
    let fee = |asset| Demand::FeeCap { asset, most: Amount::new(10_000) };
    Policy {
        version: 1,
        destinations: old.destinations,
        rules: vec![
            rule("permitted", Demand::Permit),
            rule("known", Demand::Allowlist { cooling_off_s: 3_600 }),
            rule("two-agree", Demand::Approvals { require: two_of_the_treasury() }),
            rule("fee-ltc", fee(LTC)),
            rule("fee-eth", fee(ETH)),
            PolicyRule {
                scope: Scope { over, ..Scope::default() },
                ..rule("large-waits", Demand::Delay { seconds: WAITS_S })
            },
        ],
        confirmations: old.confirmations,
        proposal_lifetime_s: old.proposal_lifetime_s,
        prices: Some(PriceSource {
            key: public(&price_key()),
            reference: label("usd"),
            max_age_s: 3_600,
        }),
    }
}

pub(crate) fn house_charter() -> CharterText {
    let old = charter();
    let person = |id: PersonId, roles: &[Role], groups: &[&str], keyed: bool| Person {
        id,
        roles: roles.iter().copied().collect(),
        groups: groups.iter().map(|group| label(group)).collect::<BTreeSet<_>>(),
        approval_keys: if keyed {
            vec![ApprovalKey::Ed25519 { key: public(&key_of(id.0)) }]
        } else {
            Vec::new()
        },
        invitation: None,
    };
    let treasury: &[&str] = &["treasury"];
    CharterText {
        log: old.log,
        name: old.name,
        log_key: old.log_key,
        log_key_ml_dsa_44: old.log_key_ml_dsa_44,
        people: vec![
            person(MAKER, &[Role::Initiator, Role::KeyCustodian], &[], false),
            person(ANN, &[Role::Initiator, Role::Approver], treasury, true),
            person(BEN, &[Role::Approver], treasury, true),
            person(CAT, &[Role::Approver], treasury, true),
            person(DAN, &[Role::Approver], treasury, true),
            person(AUDITOR, &[Role::Auditor], &[], false),
            person(OLA, &[Role::Officer], &[], false),
            person(COM, &[Role::Compliance], &[], true),
            person(ADA, &[Role::Administrator], &[], false),
        ],
        signers: old.signers,
        witnessing: old.witnessing,
        governance: Governance {
            policy: two_of_the_treasury(),
            people: two_of_the_treasury(),
            keys: two_of_the_treasury(),
            release: two_of_the_treasury(),
            policy_delay_s: 0,
        },
        policy: rules(),
    }
}

pub(crate) fn founded_house(charter: CharterText, who: &[PersonId]) -> Founded {
    let text = statement::founding(&charter);
    let signature = |person: &PersonId| {
        let key = key_of(person.0);
        FoundingSignature { person: *person, key: public(&key), signature: sign(&key, &text) }
    };
    Founded { signatures: who.iter().map(signature).collect(), charter }
}

impl Book {
    /// A house of today, with wallets, accounts and money.
    pub(crate) fn house() -> Self {
        let mut book = Self::empty();
        let founded = founded_house(house_charter(), &[ANN, BEN, CAT, DAN]);
        book.put(Command::Found(founded)).unwrap();
        book.furnish().fund()
    }
}

/// What nobody signed.
pub(crate) fn no_signature() -> Bytes {
    Bytes(vec![7; 64])
}
