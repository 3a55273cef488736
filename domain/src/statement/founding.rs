//! What founding approvers sign: the whole charter in words, by its version.

use super::{
    change::{described, governance},
    policy as whole_policy,
    version_1::policy,
};
use crate::{
    Digest,
    charter::{
        CharterText, CharterTextV1, CharterTextV2, Enrolment, PersonV1, WitnessAlgorithm,
        Witnessing,
    },
    policy::{PolicyV1, Quorum},
};
use std::fmt::Write as _;

/// What every founding approver signs.
pub fn founding(charter: &CharterText) -> String {
    let mut text = format!(
        "Strongroom founding statement, version 3\n\n\
         I agree to found the log {} ({}) with keys\n  ed25519 {}\n  ml-dsa-44 SHA-256 {}\n\n",
        charter.log,
        charter.name,
        charter.log_key,
        Digest::of(charter.log_key_ml_dsa_44.as_slice())
    );
    for person in &charter.people {
        text.push_str(&described(person));
    }
    signers(&mut text, &charter.signers);
    witnessing(&mut text, &charter.witnessing);
    let _ = write!(text, "who must agree:\n{}", governance(&charter.governance));
    let _ = write!(
        text,
        "policy with SHA-256 {}:\n{}",
        whole_policy::hash(&charter.policy),
        whole_policy::whole(&charter.policy)
    );
    text
}

/// What every founding approver signed under version 2.
pub fn founding_v2(charter: &CharterTextV2) -> String {
    let mut text = format!(
        "Strongroom founding statement, version 2\n\n\
         I agree to found the log {} ({}) with keys\n  ed25519 {}\n  ml-dsa-44 SHA-256 {}\n\n",
        charter.log,
        charter.name,
        charter.log_key,
        Digest::of(charter.log_key_ml_dsa_44.as_slice())
    );
    people(&mut text, &charter.people);
    signers(&mut text, &charter.signers);
    witnessing(&mut text, &charter.witnessing);
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

fn signers(text: &mut String, signers: &[Enrolment]) {
    for signer in signers {
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
}

fn witnessing(text: &mut String, Witnessing { threshold, outside }: &Witnessing) {
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
