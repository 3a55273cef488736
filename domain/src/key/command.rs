//! What can be asked of a key. Decides nothing.

use super::{
    Asked, Assigned, BackedUp, ChangeCommand, Confirmed, CosignerProven, Proven, Quarantined,
    QuarantinedBy, RecoveryDrilled, RoundOnePublished, RoundPublished,
};
use crate::{PersonId, ProposalId};

/// A request to change a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Ask a quorum for it.
    Request {
        /// What to make, and whether it must prove itself.
        asked: Asked,
        /// Who asks.
        maker: PersonId,
    },
    /// The quorum agreed.
    Approve,
    /// Record a participant's first message.
    PublishRoundOne(RoundOnePublished),
    /// Record a participant's message of a round.
    PublishRound(RoundPublished),
    /// Record that it can sign. The signatures were verified by the caller.
    Prove(Proven),
    /// Record that one of its cosigners can sign. The signature was verified by the caller.
    ProveCosigner(CosignerProven),
    /// About a change of its shares.
    Change(ChangeCommand),
    /// Record that a share was split among officers. Its signature was verified by the caller.
    BackUp(BackedUp),
    /// Record that officers restored it for practice. Its signature was verified by the caller.
    Drill(RecoveryDrilled),
    /// Record a participant's result. Its signature was verified by the caller.
    Confirm(Confirmed),
    /// Bind it to a wallet.
    Assign(Assigned),
    /// Give up.
    Fail {
        /// Why.
        because: String,
    },
    /// Stop using it.
    Quarantine(Quarantined),
    /// An officer takes it out of use. That they are one was checked by the caller.
    Halt(QuarantinedBy),
    /// Its wallet was rotated and is empty, as the caller has checked.
    Retire,
    /// The quorum lets it be used again.
    Release {
        /// Whose quorum.
        proposal: ProposalId,
    },
}
