//! A house of today: founded with groups, governance and a policy made of rules. Its people are the
//! other tests' people, and an officer, somebody of compliance and an administrator besides.

use crate::{book::Book, names::*};
use ed25519_dalek::SigningKey;
use std::collections::BTreeSet;
use strongroom_domain::{
    Amount, Bytes, Command, DifferenceId, FreezeId, Network, PersonId, ProposalId, Timestamp,
    approval_key::{ApprovalKey, Evidence},
    charter::{CharterText, Founded, FoundingSignature, Governance, Person, Role},
    freeze::{self, FreezeScope},
    key::QuarantinedBy,
    policy::{Demand, Policy, PolicyRule, PriceSource, Requirement, Scope, Threshold},
    price::{Quote, Quoted},
    proposal::Subject,
    reconciliation::{DifferenceFound, DifferenceResolved, What},
    screening::{self, Verdict},
    statement,
    transfer::Stopped,
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

/// What officers, compliance, the price source and reconciliation say, once each.
pub(crate) fn stopped_and_released() -> Book {
    let mut book = Book::house();
    let put = |book: &mut Book, command| drop(book.put(command).unwrap());
    let because = || "a report of theft".to_owned();
    let ask = |book: &Book, n: u128, subject| {
        let (proposal, expires_at) = (ProposalId(Uuid::from_u128(n)), book.in_an_hour());
        (proposal, Command::Propose { proposal, subject, maker: MAKER, expires_at })
    };
    let freeze = FreezeId(Uuid::from_u128(0xf1));
    let scope = FreezeScope::Wallet(LTC_WALLET);
    put(&mut book, Command::Freeze(freeze::Set { freeze, scope, by: OLA, because: because() }));
    let halted = QuarantinedBy { by: OLA, because: because() };
    put(&mut book, Command::HaltKey { key: FROST_KEY, halted });
    for (n, subject) in
        [(0xa1, Subject::Unfreeze { freeze }), (0xa2, Subject::ReleaseKey { key: FROST_KEY })]
    {
        let (proposal, ask) = ask(&book, n, subject);
        put(&mut book, ask);
        book.approve(proposal, &[ANN, BEN]);
    }
    book.approved(1, LTC_WALLET, WAITS_ABOVE + 1);
    let stopped = Stopped { by: OLA, because: because() };
    put(&mut book, Command::StopTransfer { transfer: transfer(1), stopped });
    let quoted = quoted(book.now, 9_100);
    put(&mut book, Command::QuotePrice(quoted));
    let screened = screened(book.now, Verdict::Clear, COM);
    put(&mut book, Command::RecordScreening(screened));
    let found = found(1, 15, book.now);
    let difference = found.difference;
    put(&mut book, Command::FindDifference(found));
    let resolved =
        DifferenceResolved { difference, by: OLA, because: "a stray payment".to_owned() };
    put(&mut book, Command::ResolveDifference(resolved));
    book
}

/// A price as the policy's source signs it.
pub(crate) fn quoted(at: Timestamp, minor_units: u128) -> Quoted {
    let minor_units = Amount::new(minor_units);
    let quote = Quote { asset: LTC, reference: label("usd"), minor_units, at };
    let signature = sign(&price_key(), &statement::price(&quote));
    let Quote { asset, reference, minor_units, at } = quote;
    Quoted { asset, reference, minor_units, at, signature }
}

/// What `by` found about the exchange, and signed.
pub(crate) fn screened(at: Timestamp, verdict: Verdict, by: PersonId) -> screening::Recorded {
    let (network, address) = (Network::LitecoinRegtest, address("rltc1qexchange"));
    let text = statement::screening(LOG, (network, &address), verdict, (by, at));
    let key = key_of(by.0);
    let evidence = Evidence::Signature { signature: sign(&key, &text) };
    screening::Recorded { network, address, verdict, at, by, key: public(&key), evidence }
}

/// The chain has `chain` where the ledger has 10.
pub(crate) fn found(n: u128, chain: u128, at: Timestamp) -> DifferenceFound {
    let (ledger, chain) = (Amount::new(10), Amount::new(chain));
    DifferenceFound {
        difference: DifferenceId(Uuid::from_u128(n)),
        what: What::Balance { wallet: LTC_WALLET, ledger, chain },
        owner: OLA,
        at,
    }
}
