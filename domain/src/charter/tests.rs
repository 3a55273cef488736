//! The charter's rules once it stands. Its founding is tested in `tests/ledger`, with signatures.

use super::*;
use crate::{policy::Label, scenario::given};
use uuid::Uuid;

const ANN: PersonId = PersonId(Uuid::from_u128(1));
const BEN: PersonId = PersonId(Uuid::from_u128(2));

fn policy(version: u32) -> Policy {
    Policy {
        version,
        destinations: Vec::new(),
        tiers: Vec::new(),
        fee_caps: BTreeMap::new(),
        confirmations: BTreeMap::new(),
        proposal_lifetime_s: 60,
    }
}

fn founded() -> Founded {
    let person = |id, role| Person { id, roles: [role].into(), approval_keys: Vec::new() };
    Founded {
        charter: CharterText {
            log: LogId(Uuid::from_u128(3)),
            name: Label::try_from("house".to_owned()).expect("a label"),
            log_key: Bytes::default(),
            people: vec![person(ANN, Role::Approver), person(BEN, Role::Auditor)],
            signers: Vec::new(),
            governance: Quorum { approvals: 2, group: [ANN].into() },
            policy: policy(1),
        },
        signatures: Vec::new(),
    }
}

fn changed(policy: Policy) -> PolicyChanged {
    PolicyChanged { proposal: ProposalId(Uuid::from_u128(4)), policy }
}

fn change(policy: Policy) -> Command {
    Command::ChangePolicy { proposal: ProposalId(Uuid::from_u128(4)), policy }
}

#[test]
fn policies_follow_one_another_by_version() {
    let charter = || given::<Charter>([founded().into()]);
    let after = charter().when(change(policy(2))).then([changed(policy(2)).into()]);
    assert_eq!(after.standing().map(|standing| standing.policy.version), Ok(2));
    for version in [0, 1, 3] {
        charter().when(change(policy(version))).then_refused(Rule::PolicyInvalid);
    }
    let last = founded_with(policy(u32::MAX));
    given::<Charter>([last.into()]).when(change(policy(0))).then_refused(Rule::PolicyInvalid);
}

fn founded_with(policy: Policy) -> Founded {
    let mut founded = founded();
    founded.charter.policy = policy;
    founded
}

#[test]
fn a_policy_asks_only_approvers() {
    let quorum = Quorum { approvals: 2, group: [ANN, BEN].into() };
    let asset = crate::Network::Bitcoin.native_asset();
    let tier = crate::policy::Tier { asset, up_to: crate::Amount::new(1), quorum };
    let next = Policy { tiers: vec![tier], ..policy(2) };
    given::<Charter>([founded().into()]).when(change(next)).then_refused(Rule::RoleMissing);
}

#[test]
fn a_charter_stands_once_and_before_all_else() {
    let found = || Command::Found(founded());
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
