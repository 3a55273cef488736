//! What founding approvers sign: the whole charter in words, by its version.

use super::version_1::policy;
use crate::{
    Digest,
    charter::{CharterTextV1, CharterTextV2, PersonV1, WitnessAlgorithm, Witnessing},
    policy::{PolicyV1, Quorum},
};
use std::fmt::Write as _;

/// What every founding approver signs.
pub fn founding(charter: &CharterTextV2) -> String {
    let mut text = format!(
        "Strongroom founding statement, version 2\n\n\
         I agree to found the log {} ({}) with keys\n  ed25519 {}\n  ml-dsa-44 SHA-256 {}\n\n",
        charter.log,
        charter.name,
        charter.log_key,
        Digest::of(charter.log_key_ml_dsa_44.as_slice())
    );
    people(&mut text, &charter.people);
    for signer in &charter.signers {
        let _ = writeln!(
            text,
            "signer {}\n  identity {}\n  sealing {}\n  certificate {}\n  witness {}",
            signer.id,
            signer.identity_key,
            signer.sealing_key,
            signer.tls_certificate_sha256,
            signer.witness_key
        );
    }
    let Witnessing { threshold, outside } = &charter.witnessing;
    let _ = writeln!(text, "checkpoints need {threshold} cosignatures of:\n  every signer");
    for witness in outside {
        let name = &witness.name;
        let _ = match witness.algorithm {
            WitnessAlgorithm::Ed25519 => {
                writeln!(text, "  outside witness {name} with ed25519 {}", witness.key)
            }
            WitnessAlgorithm::MlDsa44 => {
                let key = Digest::of(witness.key.as_slice());
                writeln!(text, "  outside witness {name} with ml-dsa-44 SHA-256 {key}")
            }
        };
    }
    rules(&mut text, &charter.governance, &charter.policy);
    text
}

/// What every founding approver signed under version 1.
pub fn founding_v1(charter: &CharterTextV1) -> String {
    let mut text = format!(
        "Strongroom founding statement, version 1\n\n\
         I agree to found the log {} ({}) with key {}.\n\n",
        charter.log, charter.name, charter.log_key
    );
    people(&mut text, &charter.people);
    for signer in &charter.signers {
        let _ = writeln!(
            text,
            "signer {}\n  identity {}\n  sealing {}\n  certificate {}",
            signer.id, signer.identity_key, signer.sealing_key, signer.tls_certificate_sha256
        );
    }
    rules(&mut text, &charter.governance, &charter.policy);
    text
}

fn people(text: &mut String, people: &[PersonV1]) {
    for person in people {
        let _ = writeln!(text, "person {}", person.id);
        for role in &person.roles {
            let _ = writeln!(text, "  role {role:?}");
        }
        for key in &person.approval_keys {
            let _ = writeln!(text, "  approves with {key}");
        }
    }
}

fn rules(text: &mut String, governance: &Quorum, first: &PolicyV1) {
    let _ = writeln!(text, "keys and policies need {} of:", governance.approvals);
    for person in &governance.group {
        let _ = writeln!(text, "  approver {person}");
    }
    let _ = write!(text, "policy:\n{}", policy(first));
}
