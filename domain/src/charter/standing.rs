//! What stands right after a founding, whatever its version. Never makes up what a version lacks.

use super::{Enrolled, FoundedV1, FoundedV2, Standing};

impl From<&FoundedV2> for Standing {
    fn from(FoundedV2 { charter, .. }: &FoundedV2) -> Self {
        let signers = charter.signers.iter().map(|signer| Enrolled {
            id: signer.id,
            identity_key: signer.identity_key.clone(),
            sealing_key: signer.sealing_key.clone(),
            tls_certificate_sha256: signer.tls_certificate_sha256,
            witness_key: Some(signer.witness_key.clone()),
        });
        Self {
            log: charter.log,
            log_key: charter.log_key.clone(),
            log_key_ml_dsa_44: Some(charter.log_key_ml_dsa_44.clone()),
            people: charter.people.iter().map(|p| (p.id, p.into())).collect(),
            signers: signers.map(|signer| (signer.id, signer)).collect(),
            governance: charter.governance.clone(),
            policy: charter.policy.clone(),
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
            people: charter.people.iter().map(|p| (p.id, p.into())).collect(),
            signers: signers.map(|signer| (signer.id, signer)).collect(),
            governance: charter.governance.clone(),
            policy: charter.policy.clone(),
            witnessing: None,
            resumptions: 0,
        }
    }
}
