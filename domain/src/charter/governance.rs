//! Who must agree to what changes the institution itself. Never who approves payments: that is the
//! policy's.

use crate::{
    policy::{Groups, Quorum, Quorums, Requirement},
    proposal::Subject,
};
use serde::{Deserialize, Serialize};

/// Who must agree to what, by groups. All of a list's requirements must be met, by distinct people.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Governance {
    /// To another policy. No less than the policy's own strictest requirement.
    pub policy: Vec<Requirement>,
    /// To changes of people, machines, signers, rights and of this.
    pub people: Vec<Requirement>,
    /// To key ceremonies, changes of shares and wallets that are given up.
    pub keys: Vec<Requirement>,
    /// To letting go on what an officer stopped: freezes, quarantined keys and signers.
    pub release: Vec<Requirement>,
    /// How long any officer can veto another policy before it comes into force, in seconds.
    pub policy_delay_s: u64,
}

/// The longest that a policy can be made to wait: 30 days, in seconds.
pub(super) const LONGEST_DELAY_S: u64 = 30 * 86_400;

/// Governance as it stands, in whichever form the log wrote it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Governing {
    /// One quorum, of people by their ids, for everything.
    V1(Quorum),
    /// By groups.
    V2(Governance),
}

impl Governance {
    /// Every list, and what it is about.
    pub(super) const fn lists(&self) -> [(&'static str, &Vec<Requirement>); 4] {
        [
            ("the policy", &self.policy),
            ("people", &self.people),
            ("keys", &self.keys),
            ("releases", &self.release),
        ]
    }
}

impl Governing {
    /// Who of today must agree to `subject`. `None` where the charter does not say: payments, and
    /// what follows from one.
    pub fn quorums(&self, subject: &Subject, groups: &Groups) -> Option<Quorums> {
        let list = match (self, subject) {
            (
                _,
                Subject::Transfer { .. }
                | Subject::Payment { .. }
                | Subject::RaiseFeeCap { .. }
                | Subject::Abandon { .. },
            ) => return None,
            (Self::V1(quorum), _) => return Some(Quorums(vec![quorum.clone()])),
            (Self::V2(governance), Subject::PolicyChange(_) | Subject::PolicyForm2(_)) => {
                &governance.policy
            }
            (Self::V2(governance), Subject::People(_) | Subject::Signers(_)) => &governance.people,
            (
                Self::V2(governance),
                Subject::KeyCeremony(_)
                | Subject::MultisigKey { .. }
                | Subject::ChangeKey(_)
                | Subject::Rotate(_),
            ) => &governance.keys,
            (
                Self::V2(governance),
                Subject::Unfreeze { .. }
                | Subject::ReleaseKey { .. }
                | Subject::ReleaseSigner { .. },
            ) => &governance.release,
        };
        Some(Quorums::resolve(list, groups))
    }

    /// Who of today must agree that the log goes on from an earlier entry: who agrees to policies,
    /// which is the strictest that there is.
    pub fn resumption(&self, groups: &Groups) -> Quorums {
        match self {
            Self::V1(quorum) => Quorums(vec![quorum.clone()]),
            Self::V2(governance) => Quorums::resolve(&governance.policy, groups),
        }
    }

    /// How long another policy waits once it is approved, in seconds.
    pub const fn policy_delay_s(&self) -> u64 {
        match self {
            Self::V1(_) => 0,
            Self::V2(governance) => governance.policy_delay_s,
        }
    }
}
