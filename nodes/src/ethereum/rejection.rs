//! What a node's no to a transaction means. Never takes an unknown kind of fault for a verdict: those
//! stay errors, and the caller tries again.

use super::EthereumNode;
use crate::{NodeError, Rejection, RejectionReason, Submission, TransactionId, TransactionStatus};

/// EIP-1474: "server error" of geth and most others for whatever its pool refuses.
const SERVER_ERROR: i64 = -32000;
/// EIP-1474: "transaction rejected"; reth and anvil.
const TRANSACTION_REJECTED: i64 = -32003;
/// JSON-RPC 2.0: the bytes are no transaction.
const INVALID_PARAMS: i64 = -32602;

pub(super) async fn understand(
    node: &EthereumNode,
    error: NodeError,
    id: TransactionId,
) -> Result<Submission, NodeError> {
    let NodeError::Rejected { code, message, .. } = &error else { return Err(error) };
    let Some(verdict) = verdict(*code, message) else { return Err(error) };
    match verdict {
        Verdict::Known => Ok(Submission::AlreadyKnown),
        Verdict::No(reason) => {
            // A confirmed transaction has used its account nonce itself.
            if reason == RejectionReason::Superseded
                && node.transaction_status(id).await? != TransactionStatus::Unknown
            {
                return Ok(Submission::AlreadyKnown);
            }
            Ok(Submission::Rejected(Rejection { reason, message: message.clone() }))
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Known,
    No(RejectionReason),
}

/// By the node's words: the codes say little. Wording of geth, reth, nethermind, besu and anvil.
fn verdict(code: i64, message: &str) -> Option<Verdict> {
    if code == INVALID_PARAMS {
        return Some(Verdict::No(RejectionReason::Invalid));
    }
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    if says(&["already known", "already imported", "alreadyknown", "known transaction"]) {
        return Some(Verdict::Known);
    }
    if says(&["nonce too low", "oldnonce", "nonce is too low"]) {
        return Some(Verdict::No(RejectionReason::Superseded));
    }
    if says(&[
        "underpriced",
        "max fee per gas less than block base fee",
        "fee cap less than block base fee",
        "feetoolow",
        "gas price too low",
        "gas price below",
    ]) {
        return Some(Verdict::No(RejectionReason::FeeTooLow));
    }
    if says(&["insufficient funds", "insufficientfunds", "upfront cost exceeds"]) {
        return Some(Verdict::No(RejectionReason::InsufficientFunds));
    }
    // geth's -32000 stands for its own troubles as well: only words about the bytes are a verdict.
    let about_the_bytes = says(&[
        "invalid sender",
        "invalid chain",
        "invalid signature",
        "intrinsic gas",
        "exceeds block gas limit",
        "oversized data",
        "rlp",
        "not supported",
    ]);
    match code {
        TRANSACTION_REJECTED => Some(Verdict::No(RejectionReason::Invalid)),
        SERVER_ERROR if about_the_bytes => Some(Verdict::No(RejectionReason::Invalid)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Verdict, verdict};
    use crate::RejectionReason::{FeeTooLow, InsufficientFunds, Invalid, Superseded};

    #[test]
    fn a_refusal_is_understood_by_its_words_and_an_unknown_one_is_no_verdict() {
        for (code, message, expected) in [
            (-32000, "already known", Some(Verdict::Known)),
            (-32003, "transaction already imported", Some(Verdict::Known)),
            (-32000, "nonce too low: next nonce 5, tx nonce 4", Some(Verdict::No(Superseded))),
            (-32010, "OldNonce, Current nonce: 1", Some(Verdict::No(Superseded))),
            (-32000, "replacement transaction underpriced", Some(Verdict::No(FeeTooLow))),
            (
                -32000,
                "insufficient funds for gas * price + value",
                Some(Verdict::No(InsufficientFunds)),
            ),
            (-32003, "whatever else", Some(Verdict::No(Invalid))),
            (-32602, "Failed to decode transaction", Some(Verdict::No(Invalid))),
            (-32000, "header not found", None),
            (-32603, "internal error", None),
        ] {
            assert_eq!(verdict(code, message), expected, "{message}");
        }
    }
}
