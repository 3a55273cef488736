//! The house's charter and policy.

use super::{APPROVERS, ETH, LOG, LTC, MAKER, OFFICER, Side, World, key_of, public, sign, signer};
use ed25519_dalek::SigningKey;
use std::collections::BTreeMap;
use strongroom_domain::{
    Amount, Bytes, Command, Digest, PersonId,
    charter::{CharterTextV2, Enrolment, FoundedV2, FoundingSignature, PersonV1, Role, Witnessing},
    policy::{Destination, Label, PolicyV1, Quorum, TierV1},
    statement,
};
use strongroom_store::ledger::{KeyName, LogKeys};

/// The keys of the house's log.
pub(crate) fn log_keys() -> LogKeys {
    let origin = KeyName::new(&format!("strongroom/{LOG}")).unwrap();
    LogKeys::from_seeds(&origin, &key_of(LOG.0).to_bytes(), &[4; 32]).unwrap()
}

/// What the signer with this number cosigns with.
pub(crate) fn witness_key(n: u8) -> SigningKey {
    key_of(uuid::Uuid::from_u128(0xa000 + u128::from(n)))
}

fn label(text: &str) -> Label {
    Label::try_from(text.to_owned()).unwrap()
}

fn quorum() -> Quorum {
    Quorum { approvals: 2, group: APPROVERS.into_iter().collect() }
}

impl World {
    pub(crate) async fn found(&mut self) {
        let charter = self.charter();
        let text = statement::founding_v2(&charter);
        let signatures = APPROVERS.map(|person| {
            let key = key_of(person.0);
            FoundingSignature { person, key: public(&key), signature: sign(&key, &text) }
        });
        let founded = FoundedV2 { charter, signatures: signatures.into() };
        self.act(Command::FoundCharter(founded)).await.unwrap();
    }

    fn charter(&self) -> CharterTextV2 {
        let person = |id: PersonId, role: Role, approval_keys| PersonV1 {
            id,
            roles: [role].into(),
            approval_keys,
        };
        let mut people = vec![
            person(MAKER, Role::Initiator, Vec::new()),
            person(OFFICER, Role::Officer, Vec::new()),
        ];
        people.extend(APPROVERS.map(|id| person(id, Role::Approver, vec![public(&key_of(id.0))])));
        let enrolment = |n: u8| Enrolment {
            id: signer(n),
            identity_key: public(&key_of(signer(n).0)),
            sealing_key: Bytes(vec![n; 32]),
            tls_certificate_sha256: Digest([n; 32]),
            witness_key: public(&witness_key(n)),
        };
        CharterTextV2 {
            log: LOG,
            name: label("test-house"),
            log_key: public(&key_of(LOG.0)),
            log_key_ml_dsa_44: Bytes(log_keys().verifier().keys()[1].bytes().to_vec()),
            people,
            signers: (1..=4).map(enrolment).collect(),
            witnessing: Witnessing { threshold: 3, outside: Vec::new() },
            governance: quorum(),
            policy: self.policy(1),
        }
    }

    pub(crate) fn policy(&self, version: u32) -> PolicyV1 {
        let to = |side: Side, name: &str| Destination {
            network: side.network,
            address: self.facts(side).destination.clone(),
            label: label(name),
        };
        let tier = |side: Side, up_to| TierV1 {
            asset: side.asset(),
            up_to: Amount::new(up_to),
            quorum: quorum(),
        };
        let both = |amount| [LTC, ETH].map(|side| (side.asset(), Amount::new(amount)));
        PolicyV1 {
            version,
            destinations: vec![to(LTC, "exchange-ltc"), to(ETH, "exchange-eth")],
            tiers: vec![tier(LTC, 1_000_000), tier(ETH, 10_u128.pow(18))],
            fee_caps: BTreeMap::from(both(10_u128.pow(17))),
            confirmations: BTreeMap::from([LTC, ETH].map(|side| (side.network, 2))),
            proposal_lifetime_s: 86_400,
        }
    }
}
