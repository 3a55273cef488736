//! What an abort of the library means for us: who is proven to have cheated, if anybody. Never blames
//! a holder for what only the carrier of messages can have done.

use dkls23_secp256k1::protocols::{Abort, AbortKind, AbortReason, repair::RepairError};

use crate::threshold::RoundError;

/// What an abort of a holder means to itself.
pub(super) fn explain(me: u16, abort: &Abort) -> RoundError {
    let because = abort.description();
    let culprit = match &abort.kind {
        AbortKind::BanCounterparty(party) => Some(u16::from(party.as_u8())),
        AbortKind::Recoverable => proven(&abort.reason),
    };
    match (culprit, &abort.reason) {
        (Some(culprit), _) if culprit != me => RoundError::Culprit { culprit, because },
        (Some(_), _) | (None, AbortReason::InvalidLocalState { .. }) => RoundError::Own(because),
        (None, _) => RoundError::Failed(because),
    }
}

/// Letters are sealed by their sender for one round of one session: whoever's does not hold is to
/// blame. What the library calls recoverable is so for its secrets, not for our trust.
#[expect(clippy::wildcard_enum_match_arm, reason = "an enum of the library that may grow")]
pub(super) fn proven(reason: &AbortReason) -> Option<u16> {
    let party = match reason {
        AbortReason::ProofVerificationFailed { counterparty }
        | AbortReason::CommitmentMismatch { counterparty }
        | AbortReason::TrivialInstancePoint { counterparty }
        | AbortReason::OtConsistencyCheckFailed { counterparty }
        | AbortReason::MultiplicationVerificationFailed { counterparty, .. }
        | AbortReason::GammaUInconsistency { counterparty }
        | AbortReason::ZeroShareDecommitFailed { counterparty } => counterparty,
        AbortReason::ChainCodeCommitmentFailed { party } => party,
        _ => return None,
    };
    Some(u16::from(party.as_u8()))
}

/// A repair that came to nothing names nobody: only all terms together say whether they fit.
#[expect(clippy::needless_pass_by_value, reason = "an error to be mapped comes by value")]
pub(super) fn explain_repair(error: RepairError) -> RoundError {
    RoundError::Failed(error.to_string())
}
