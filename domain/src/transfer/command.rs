//! What can be asked of a transfer. Nothing here decides.

use super::{
    Abandoned, AbandonmentApproved, Abstention, AttemptAuthorised, AttemptFound, AttemptRefused,
    AttemptSigned, Confirmed, FeeCapRaised, PartiallySigned, Requested, ReturnAuthorised, Stopped,
    SweepRequested,
};
use crate::{Amount, Intent, PersonId, ProposalId, policy::PolicyDecisionV1};

/// A request to change a transfer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Ask. The policy has spoken; its refusal is recorded too.
    Request {
        /// What should happen.
        intent: Intent,
        /// Who asks.
        maker: PersonId,
        /// The question, if the policy lets it be asked.
        proposal: ProposalId,
        /// What each rule said.
        decision: PolicyDecisionV1,
    },
    /// Ask, under a policy of the second form.
    Ask {
        /// The question, if the policy lets it be asked.
        proposal: ProposalId,
        /// All of it, as if the policy let it be asked.
        requested: Box<Requested>,
    },
    /// Move what a rotated wallet holds. That it may was checked by the caller.
    Sweep(SweepRequested),
    /// The quorum was reached.
    Approve,
    /// The quorum said no.
    Reject,
    /// The maker takes it back.
    Cancel {
        /// Who.
        by: PersonId,
    },
    /// Its proposal's time ran out.
    Expire,
    /// An officer stops it. That they are one was checked by the caller.
    Stop(Stopped),
    /// A transaction was built.
    Authorise(AttemptAuthorised),
    /// A transaction was built that pays nobody. `gap`: others wait for its account nonce, so it
    /// may be cancelled without a quorum.
    Return {
        /// It, and what it is for.
        returned: ReturnAuthorised,
        /// Whether the wallet says so.
        gap: bool,
    },
    /// Its quorum lets it cost more.
    RaiseFeeCap(FeeCapRaised),
    /// Its quorum wants it cancelled on its chain.
    ApproveAbandonment(AbandonmentApproved),
    /// A cancellation is final.
    Abandon(Abandoned),
    /// A signer refused.
    RecordRefusal(AttemptRefused),
    /// One cosigner signed. That the key has such a place was checked by the caller.
    RecordPartial(PartiallySigned),
    /// The signed transaction exists.
    RecordSigned(AttemptSigned),
    /// The network has an earlier attempt that the log had not complete.
    RecordFound(AttemptFound),
    /// A node took it.
    RecordBroadcast {
        /// Which attempt.
        attempt: u32,
    },
    /// It is final.
    Confirm(Confirmed),
    /// It comes to nothing. Only while no complete signature can exist: where signers have heard
    /// of it, the caller has verified enough abstentions.
    Fail {
        /// Why.
        because: String,
        /// The holders' words.
        abstentions: Vec<Abstention>,
    },
    /// Its transaction is on the chain, failed there, and cost `fee`.
    FailOnChain {
        /// Which attempt.
        attempt: u32,
        /// What the network took.
        fee: Amount,
        /// Why.
        because: String,
    },
}
