//! A charter that nobody has signed yet, in the version that its specification can say. Never founds
//! anything by itself.

use serde::{Deserialize, Serialize};
use strongroom_domain::{
    Bytes, Command, LogId, PersonId, Refusal,
    charter::{CharterText, CharterTextV2, Founded, FoundedV2, FoundingSignature},
    statement,
};

/// What founding approvers sign.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Draft {
    /// With groups.
    V3(Box<CharterText>),
    /// Whose quorums name people.
    V2(Box<CharterTextV2>),
}

impl Draft {
    /// The log that it founds.
    pub const fn log(&self) -> LogId {
        match self {
            Self::V3(charter) => charter.log,
            Self::V2(charter) => charter.log,
        }
    }

    /// Whether it holds together.
    pub fn check(&self) -> Result<(), Refusal> {
        match self {
            Self::V3(charter) => charter.check(),
            Self::V2(charter) => charter.check(),
        }
    }

    /// What every approver reads and signs.
    pub fn statement(&self) -> String {
        match self {
            Self::V3(charter) => statement::founding(charter),
            Self::V2(charter) => statement::founding_v2(charter),
        }
    }

    /// Whether the key is this person's.
    pub fn enrols(&self, person: PersonId, key: &Bytes) -> bool {
        match self {
            Self::V3(charter) => charter
                .people
                .iter()
                .any(|known| known.id == person && known.approval_key(key).is_some()),
            Self::V2(charter) => charter
                .people
                .iter()
                .any(|known| known.id == person && known.approval_keys.contains(key)),
        }
    }

    /// What begins the log.
    pub fn found(self, signatures: Vec<FoundingSignature>) -> Command {
        match self {
            Self::V3(charter) => Command::Found(Founded { charter: *charter, signatures }),
            Self::V2(charter) => Command::FoundCharter(FoundedV2 { charter: *charter, signatures }),
        }
    }
}
