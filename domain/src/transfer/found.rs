//! Attempts that cosigners completed besides the server: another followed each before the log had it
//! signed, and then the network had it. Never takes one that was not authorised.

use super::{
    AttemptAuthorised, AttemptFound, AttemptSigned, Attempts, Returns, SignedAttempt, Transfer,
    TransferEvent,
};
use crate::{Refusal, Rule};
use serde::Serialize;

/// An attempt that another followed before it was signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Superseded {
    /// What it is for, if it pays nobody.
    pub returns: Option<Returns>,
    /// As it was authorised.
    pub authorised: AttemptAuthorised,
}

impl Transfer {
    /// Records that the network has one. `false` where the log is damaged.
    pub(super) fn found(&mut self, found: &AttemptFound) -> bool {
        match self {
            Self::Signing(attempts) | Self::Signed(attempts) | Self::Broadcast(attempts) => {
                attempts.found(found)
            }
            Self::Unknown | Self::AwaitingApproval(_) | Self::Approved(_) | Self::Closed(_) => {
                false
            }
        }
    }
}

impl Attempts {
    fn found(&mut self, found: &AttemptFound) -> bool {
        let AttemptFound { attempt, raw, transaction } = found.clone();
        let Some(Superseded { returns, authorised }) = self.superseded.remove(&attempt) else {
            return false;
        };
        let signed = AttemptSigned { attempt, raw, transaction };
        let complete = SignedAttempt { returns, authorised, signed, found: true };
        self.complete.insert(attempt, complete).is_none()
    }

    /// What the network has of an earlier attempt. That it is exactly that was checked by the caller.
    pub(super) fn find(&self, found: AttemptFound) -> Result<Vec<TransferEvent>, Refusal> {
        // The saga repeats its steps.
        if self.complete.contains_key(&found.attempt) {
            return Ok(Vec::new());
        }
        if self.superseded.contains_key(&found.attempt) {
            return Ok(vec![found.into()]);
        }
        let because = format!("attempt {} is none that another followed unsigned", found.attempt);
        Err(Refusal::new(Rule::AttemptState, because))
    }
}
