//! The charter's rules once it stands. Its founding is tested in `tests/ledger`, with signatures.

use super::*;
use crate::{
    policy::{Label, Quorum},
    scenario::given,
};
use uuid::Uuid;

const ANN: PersonId = PersonId(Uuid::from_u128(1));
const BEN: PersonId = PersonId(Uuid::from_u128(2));

fn policy(version: u32) -> PolicyV1 {
    PolicyV1 {
        version,
        destinations: Vec::new(),
        tiers: Vec::new(),
        fee_caps: BTreeMap::new(),
        confirmations: BTreeMap::new(),
        proposal_lifetime_s: 60,
    }
}

fn founded() -> FoundedV2 {
    let person = |id, role| PersonV1 { id, roles: [role].into(), approval_keys: Vec::new() };
    FoundedV2 {
        charter: CharterTextV2 {
            log: LogId(Uuid::from_u128(3)),
            name: Label::try_from("house".to_owned()).expect("a label"),
            log_key: Bytes::default(),
            log_key_ml_dsa_44: Bytes::default(),
            people: vec![person(ANN, Role::Approver), person(BEN, Role::Auditor)],
            signers: Vec::new(),
            witnessing: Witnessing { threshold: 1, outside: Vec::new() },
            governance: Quorum { approvals: 2, group: [ANN].into() },
            policy: policy(1),
        },
        signatures: Vec::new(),
    }
}

fn changed(policy: PolicyV1) -> PolicyChangedV1 {
    PolicyChangedV1 { proposal: ProposalId(Uuid::from_u128(4)), policy }
}

fn change(policy: PolicyV1) -> Command {
    Command::ChangePolicy { proposal: ProposalId(Uuid::from_u128(4)), policy }
}

#[test]
fn policies_follow_one_another_by_version() {
    let charter = || given::<Charter>([founded().into()]);
    let after = charter().when(change(policy(2))).then([changed(policy(2)).into()]);
    assert_eq!(after.standing().map(|standing| standing.policy.version()), Ok(2));
    for version in [0, 1, 3] {
        charter().when(change(policy(version))).then_refused(Rule::PolicyInvalid);
    }
    let last = founded_with(policy(u32::MAX));
    given::<Charter>([last.into()]).when(change(policy(0))).then_refused(Rule::PolicyInvalid);
}

fn founded_with(policy: PolicyV1) -> FoundedV2 {
    let mut founded = founded();
    founded.charter.policy = policy;
    founded
}

#[test]
fn a_policy_asks_only_approvers() {
    let quorum = Quorum { approvals: 2, group: [ANN, BEN].into() };
    let asset = crate::Network::Bitcoin.native_asset();
    let tier = crate::policy::TierV1 { asset, up_to: crate::Amount::new(1), quorum };
    let next = PolicyV1 { tiers: vec![tier], ..policy(2) };
    given::<Charter>([founded().into()]).when(change(next)).then_refused(Rule::RoleMissing);
}

#[test]
fn a_charter_stands_once_and_before_all_else() {
    let found = || Command::FoundV2(founded());
    given::<Charter>([founded().into()]).when(found()).then_refused(Rule::CharterState);
    given::<Charter>([]).when(change(policy(2))).then_refused(Rule::CharterState);
    given::<Charter>([]).cannot_be_followed_by(changed(policy(2)));
    given::<Charter>([founded().into()]).cannot_be_followed_by(founded());
}

#[test]
fn a_role_is_had_or_not() {
    let charter = given::<Charter>([founded().into()]);
    let standing = charter.is().standing().expect("it stands");
    assert!(standing.demand(ANN, Role::Approver).is_ok());
    for (person, role) in [(ANN, Role::Initiator), (BEN, Role::Approver)] {
        let refusal = standing.demand(person, role).expect_err("no such role");
        assert_eq!(refusal.rule, Rule::RoleMissing);
    }
}

fn certificate(number: u32, head: Head) -> LogResumed {
    let (log, from) = (LogId(Uuid::from_u128(3)), head);
    let abandoned = Head { position: head.position.saturating_add(5), leaf: Digest([5; 32]) };
    LogResumed { resumption: Resumption { log, number, abandoned, from }, signatures: Vec::new() }
}

#[test]
fn a_log_has_another_origin_after_each_resumption() {
    let head = Head { position: 7, leaf: Digest([7; 32]) };
    let charter = given::<Charter>([founded().into(), certificate(1, head).into()]);
    let standing = charter.is().standing().expect("it stands");
    let log = standing.log;
    assert_eq!(standing.origin(), format!("strongroom/{log}/1"));
    let signer = SignerId(Uuid::from_u128(9));
    assert_eq!(standing.witness_name(signer), format!("strongroom/{log}/signer/{signer}"));
    let charter = given::<Charter>([founded().into()]);
    let standing = charter.is().standing().expect("it stands");
    assert_eq!(standing.origin(), format!("strongroom/{log}"));
}

#[test]
fn a_resumption_is_the_next_one_at_its_place_and_signed() {
    let head = Head { position: 7, leaf: Digest([7; 32]) };
    let resume = |certificate, head| Command::Resume { certificate, head };
    let refused = |certificate, head| {
        given::<Charter>([founded().into()])
            .when(resume(certificate, head))
            .then_refused(Rule::LogResumption);
    };
    refused(certificate(1, head), head);
    refused(certificate(0, head), head);
    refused(certificate(2, head), head);
    refused(certificate(1, head), Head { position: 8, ..head });
    refused(certificate(1, head), Head { leaf: Digest([8; 32]), ..head });
    let mut pointless = certificate(1, head);
    pointless.resumption.abandoned = head;
    refused(pointless, head);
    given::<Charter>([]).when(resume(certificate(1, head), head)).then_refused(Rule::CharterState);
}
