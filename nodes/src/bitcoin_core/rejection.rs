//! What a node's no to a transaction means. Never takes an unknown kind of fault for a verdict: those
//! stay errors, and the caller tries again.

use super::BitcoinNode;
use crate::{NodeError, Rejection, RejectionReason, Submission, TransactionId, TransactionStatus};

/// Core's `rpc/protocol.h`; btcd uses the same numbers.
const DESERIALIZATION: i64 = -22;
const VERIFY_ERROR: i64 = -25;
const VERIFY_REJECTED: i64 = -26;
const ALREADY_IN_CHAIN: i64 = -27;

pub(super) async fn understand(
    node: &BitcoinNode,
    error: NodeError,
    id: TransactionId,
    since: u64,
) -> Result<Submission, NodeError> {
    let NodeError::Rejected { code, message, .. } = &error else { return Err(error) };
    let verdicts = [DESERIALIZATION, VERIFY_ERROR, VERIFY_REJECTED, ALREADY_IN_CHAIN];
    if !verdicts.contains(code) {
        return Err(error);
    }
    if is_known(*code, message) {
        return Ok(Submission::AlreadyKnown);
    }
    let reason = reason(*code, message);
    // A confirmed transaction whose outputs are spent again looks like any whose inputs are gone.
    if reason == RejectionReason::Superseded
        && node.transaction_status(id, since).await? != TransactionStatus::Unknown
    {
        return Ok(Submission::AlreadyKnown);
    }
    Ok(Submission::Rejected(Rejection { reason, message: message.clone() }))
}

fn is_known(code: i64, message: &str) -> bool {
    // btcd uses -27 for the memory pool as well.
    code == ALREADY_IN_CHAIN
        || [
            "txn-already-in-mempool",
            "txn-already-known",
            // The same txid with another witness: what it does is the same.
            "txn-same-nonwitness-data-in-mempool",
            // btcd
            "already have transaction",
        ]
        .iter()
        .any(|words| message.contains(words))
}

fn reason(code: i64, message: &str) -> RejectionReason {
    const SUPERSEDED: [&str; 4] = [
        "missingorspent",
        "missing-inputs",
        "Missing inputs",
        // btcd
        "orphan transaction",
    ];
    // The second is btcd's.
    const CONFLICTING: [&str; 2] = ["txn-mempool-conflict", "already spent in mempool"];
    const TOO_CHEAP: [&str; 9] = [
        "min relay fee not met",
        "mempool min fee not met",
        "insufficient fee",
        "mempool full",
        // btcd
        "under the required",
        "insufficient priority",
        "insufficient absolute fee",
        "insufficient fee rate",
        "rate limiter due to low fees",
    ];
    if code == DESERIALIZATION {
        return RejectionReason::Invalid;
    }
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    if says(&SUPERSEDED) {
        RejectionReason::Superseded
    } else if says(&CONFLICTING) {
        RejectionReason::Conflicting
    } else if says(&TOO_CHEAP) {
        RejectionReason::FeeTooLow
    } else {
        RejectionReason::Invalid
    }
}
