//! Why a signer could not be asked. A signer's refusal is an answer, never an error.

use strongroom_domain::SignerId;

/// An order has no answer. Unless it says otherwise, the signer may have done what it was asked:
/// repeat it, or exclude it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OrderError {
    /// Nobody configured an address for it. It was not asked.
    #[error("signer {signer} has no address in the server's configuration")]
    Unknown {
        /// Which.
        signer: SignerId,
    },
    /// It could not be reached, or has not taken in the log far enough yet. It was not asked.
    #[error("signer {signer} is not reachable: {because}")]
    Unreachable {
        /// Which.
        signer: SignerId,
        /// What the server saw.
        because: String,
    },
    /// It was asked, and the answer did not come.
    #[error("signer {signer} did not answer: {because}")]
    Lost {
        /// Which.
        signer: SignerId,
        /// What the server saw.
        because: String,
    },
    /// It answered what our protocol does not have.
    #[error("signer {signer} gave an answer that can't be read: {because}")]
    Malformed {
        /// Which.
        signer: SignerId,
        /// What is wrong with it.
        because: String,
    },
    /// It holds another log, or refuses ours: a person must look. It was not asked.
    #[error("signer {signer} holds another log: {because}")]
    OtherLog {
        /// Which.
        signer: SignerId,
        /// How that shows.
        because: String,
    },
}
