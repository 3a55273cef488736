//! Rounds of protocols that have several, by what they are for. Never carries a message from one work,
//! session or round to another.

use strongroom_domain::{
    Bytes,
    protocol::{Reply, Sealed, Spoken, Work},
};

use super::{Signer, Trouble};

impl Signer {
    pub(super) fn step(
        &self,
        work: Work,
        session: &Bytes,
        round: u16,
        spoken: &[Spoken],
        letters: &[Sealed],
    ) -> Result<Reply, Trouble> {
        match work {
            Work::Ceremony { key } if self.is_multisig(key) => self.make_multisig(key, round),
            Work::Ceremony { key } => self.make(key, round, letters),
            Work::Change { key, epoch } => self.change((key, epoch), round, letters),
            Work::Proof { key, epoch } => {
                self.prove((key, epoch), session, round, (spoken, letters))
            }
            Work::Attempt { transfer, attempt } => {
                self.sign_in_rounds((transfer, attempt), session, round, (spoken, letters))
            }
        }
    }
}
