//! A policy that asks for no witness (`quorum none`). Never makes a checkpoint count: what it checks
//! is what the log says, and a log can say different things to different people.

use std::str::FromStr;

use crate::log_keys::{LogVerifier, SignedCheckpoint};
use crate::note::Note;
use crate::policy::text::{Parsed, PolicyTextError};
use crate::policy::{CountError, verify_log};

/// The logs that are known, for whoever says in so many words that the log's own signatures do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnwitnessedPolicy {
    logs: Vec<LogVerifier>,
}

impl UnwitnessedPolicy {
    /// Checks that both keys of a known log signed the checkpoint, and nothing else.
    pub fn verify(&self, note: &Note) -> Result<SignedCheckpoint, CountError> {
        verify_log(&self.logs, note)
    }
}

impl FromStr for UnwitnessedPolicy {
    type Err = PolicyTextError;

    /// Reads a C2SP tlog-policy whose quorum is `none`; refuses any other.
    fn from_str(text: &str) -> Result<Self, PolicyTextError> {
        let parsed = Parsed::read(text)?;
        if parsed.quorum.is_some() {
            return Err(PolicyTextError::Witnessed);
        }
        Ok(Self { logs: parsed.logs })
    }
}
