//! A limit over a day, and eight who ask at once: what was let through never passes it.

use super::{
    assert_replays,
    institution::{ALLOWED, FEE_CAP, Institution, NETWORK, majority, new_key, sign},
    memory, sqlite,
};
use futures::future::join_all;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use strongroom_domain::{
    Amount, Bytes, Command, Digest, PersonId,
    approval_key::ApprovalKey,
    charter::{
        CharterText, Enrolment, Founded, FoundingSignature, Governance, ML_DSA_44_KEY, Person, Role,
    },
    policy::{Demand, Destination, Label, Most, Per, Policy, PolicyRule, Requirement, Scope},
    statement,
};
use strongroom_store::AppendLog;
use uuid::Uuid;

fn label(text: &str) -> Label {
    text.to_owned().try_into().unwrap()
}

fn two_of_the_desk() -> Vec<Requirement> {
    vec![Requirement { approvals: 2, group: label("desk") }]
}

fn policy(a_day: u128) -> Policy {
    let asset = NETWORK.native_asset();
    let rule = |id, demand| PolicyRule { id: label(id), scope: Scope::default(), demand };
    let most = Most::Amount { asset, units: Amount::new(a_day) };
    Policy {
        version: 1,
        destinations: vec![Destination {
            network: NETWORK,
            address: ALLOWED.parse().unwrap(),
            label: label("exchange"),
        }],
        rules: vec![
            rule("a-day", Demand::Velocity { window_s: 86_400, per: Per::All, most }),
            rule("any", Demand::Permit),
            rule("fee", Demand::FeeCap { asset, most: Amount::new(FEE_CAP) }),
            rule("two", Demand::Approvals { require: two_of_the_desk() }),
        ],
        confirmations: BTreeMap::from([(NETWORK, 1)]),
        proposal_lifetime_s: 3600,
        prices: None,
    }
}

/// The institution's people and signers, founded with groups and a limit.
pub(super) fn founded(institution: &Institution, a_day: u128) -> Command {
    let person = |id, roles: &[Role], keys: Vec<ApprovalKey>| Person {
        id,
        roles: roles.iter().copied().collect(),
        groups: if keys.is_empty() { BTreeSet::new() } else { BTreeSet::from([label("desk")]) },
        approval_keys: keys,
        invitation: None,
    };
    let mut people: Vec<_> = institution
        .approvers
        .iter()
        .map(|(id, _, key)| {
            person(*id, &[Role::Approver], vec![ApprovalKey::Ed25519 { key: key.clone() }])
        })
        .collect();
    people.push(person(institution.maker, &[Role::Initiator], Vec::new()));
    people.push(person(PersonId(Uuid::now_v7()), &[Role::Administrator], Vec::new()));
    let enrolled = institution.signers.iter().map(|(id, _, public)| Enrolment {
        id: *id,
        identity_key: public.clone(),
        sealing_key: Bytes(vec![7; 32]),
        tls_certificate_sha256: Digest::default(),
        witness_key: new_key().1,
    });
    let charter = CharterText {
        log: institution.log_id,
        name: label("bus"),
        log_key: new_key().1,
        log_key_ml_dsa_44: Bytes(vec![7; ML_DSA_44_KEY]),
        people,
        signers: enrolled.collect(),
        witnessing: majority(institution.signers.len()),
        governance: Governance {
            policy: two_of_the_desk(),
            people: two_of_the_desk(),
            keys: two_of_the_desk(),
            release: two_of_the_desk(),
            policy_delay_s: 0,
        },
        policy: policy(a_day),
    };
    let text = statement::founding(&charter);
    let signed = institution.approvers.iter().map(|(person, key, public)| FoundingSignature {
        person: *person,
        key: public.clone(),
        signature: sign(key, &text),
    });
    let signatures = signed.collect();
    Command::Found(Founded { charter, signatures })
}

async fn race(log: Arc<dyn AppendLog>) {
    let institution = Arc::new(Institution::with(log, 1_000_000, Some(350)).await);
    let asked = (0..8).map(|_| {
        let institution = Arc::clone(&institution);
        tokio::spawn(async move { institution.bus.execute(institution.transfer(100)).await })
    });
    let outcomes: Vec<_> = join_all(asked).await.into_iter().map(|one| one.unwrap()).collect();
    let passed = outcomes.iter().filter(|one| one.as_ref().unwrap().has("proposal.opened"));
    assert_eq!(passed.count(), 3, "three of 100 fit in 350");
    // The others were answered, and their refusals are in the log.
    let refused = outcomes.iter().filter(|one| one.as_ref().unwrap().has("transfer.refused"));
    assert_eq!(refused.count(), 5);
    assert_replays(&institution).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_who_ask_at_once_never_pass_a_limit_together() {
    race(memory()).await;
    let (_folder, log) = sqlite();
    race(log).await;
}
