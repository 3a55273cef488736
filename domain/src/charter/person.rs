//! A person and their rights as they stand, whatever version of the charter gave them. Never a name.

use super::{PersonV1, Role};
use crate::{Bytes, Digest, PersonId, approval_key::ApprovalKey, policy::Label};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A person, known by a random id: names are never in the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Random.
    pub id: PersonId,
    /// What they may do.
    pub roles: BTreeSet<Role>,
    /// As whom an approver counts: requirements name groups.
    pub groups: BTreeSet<Label>,
    /// What they approve with.
    pub approval_keys: Vec<ApprovalKey>,
    /// SHA-256 of a one-time secret. Who knows the secret may enrol this person's first sign-in
    /// credential.
    pub invitation: Option<Digest>,
}

impl Person {
    /// Their key with these public bytes.
    pub fn approval_key(&self, public: &Bytes) -> Option<&ApprovalKey> {
        self.approval_keys.iter().find(|key| key.public() == public)
    }
}

/// As it stands under a charter from before there were groups.
impl From<&PersonV1> for Person {
    fn from(PersonV1 { id, roles, approval_keys }: &PersonV1) -> Self {
        let keys = approval_keys.iter().map(|key| ApprovalKey::Ed25519 { key: key.clone() });
        Self {
            id: *id,
            roles: roles.clone(),
            groups: BTreeSet::new(),
            approval_keys: keys.collect(),
            invitation: None,
        }
    }
}
