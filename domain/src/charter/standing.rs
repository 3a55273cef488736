//! What stands right after a founding, whatever its version. Never makes up what a version lacks.

use super::{
    CharterText, Enrolled, Enrolment, FoundedV1, FoundedV2, Governing, Standing, since_ever,
};
use crate::policy::InForce;
use std::collections::BTreeMap;

fn enrolled(signers: &[Enrolment]) -> impl Iterator<Item = Enrolled> {
    signers.iter().map(|signer| Enrolled {
        id: signer.id,
        identity_key: signer.identity_key.clone(),
        sealing_key: signer.sealing_key.clone(),
        tls_certificate_sha256: signer.tls_certificate_sha256,
        witness_key: Some(signer.witness_key.clone()),
    })
}

impl From<&CharterText> for Standing {
    fn from(charter: &CharterText) -> Self {
        Self {
            log: charter.log,
            log_key: charter.log_key.clone(),
            log_key_ml_dsa_44: Some(charter.log_key_ml_dsa_44.clone()),
            people: charter.people.iter().map(|person| (person.id, person.clone())).collect(),
            machines: BTreeMap::new(),
            signers: enrolled(&charter.signers).map(|signer| (signer.id, signer)).collect(),
            governance: Governing::V2(charter.governance.clone()),
            destinations_since: since_ever(&charter.policy.destinations),
            policy: InForce::V2(charter.policy.clone()),
            witnessing: Some(charter.witnessing.clone()),
            resumptions: 0,
        }
    }
}

impl From<&FoundedV2> for Standing {
    fn from(FoundedV2 { charter, .. }: &FoundedV2) -> Self {
        Self {
            log: charter.log,
            log_key: charter.log_key.clone(),
            log_key_ml_dsa_44: Some(charter.log_key_ml_dsa_44.clone()),
            people: charter.people.iter().map(|person| (person.id, person.into())).collect(),
            machines: BTreeMap::new(),
            signers: enrolled(&charter.signers).map(|signer| (signer.id, signer)).collect(),
            governance: Governing::V1(charter.governance.clone()),
            destinations_since: since_ever(&charter.policy.destinations),
            policy: InForce::V1(charter.policy.clone()),
            witnessing: Some(charter.witnessing.clone()),
            resumptions: 0,
        }
    }
}

impl From<&FoundedV1> for Standing {
    fn from(FoundedV1 { charter, .. }: &FoundedV1) -> Self {
        let signers = charter.signers.iter().map(|signer| Enrolled {
            id: signer.id,
            identity_key: signer.identity_key.clone(),
            sealing_key: signer.sealing_key.clone(),
            tls_certificate_sha256: signer.tls_certificate_sha256,
            witness_key: None,
        });
        Self {
            log: charter.log,
            log_key: charter.log_key.clone(),
            log_key_ml_dsa_44: None,
            people: charter.people.iter().map(|person| (person.id, person.into())).collect(),
            machines: BTreeMap::new(),
            signers: signers.map(|signer| (signer.id, signer)).collect(),
            governance: Governing::V1(charter.governance.clone()),
            destinations_since: since_ever(&charter.policy.destinations),
            policy: InForce::V1(charter.policy.clone()),
            witnessing: None,
            resumptions: 0,
        }
    }
}
