//! Rounds of protocols that have several, by what they are for. Never carries a message from one work,
//! session or round to another.

use strongroom_domain::{
    Bytes, Rule,
    protocol::{Reply, Sealed, Spoken, Work},
};

use super::{Signer, Trouble, refuse};

impl Signer {
    pub(super) fn step(
        &self,
        work: Work,
        _session: &Bytes,
        _round: u16,
        _spoken: &[Spoken],
        _letters: &[Sealed],
    ) -> Result<Reply, Trouble> {
        match work {
            Work::Ceremony { .. } => refuse(Rule::SignerProtocol, "no such ceremony"),
            Work::Change { .. } => refuse(Rule::SignerProtocol, "no such change"),
            Work::Proof { .. } => refuse(Rule::SignerProtocol, "no such proof"),
            Work::Attempt { .. } => refuse(Rule::SignerProtocol, "no such attempt"),
        }
    }
}
