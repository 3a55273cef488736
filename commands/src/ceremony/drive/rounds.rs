//! Keys that are made in rounds, by orders that name the round. Remembers letters of the round before,
//! and nothing that the log should: after a restart all rounds are asked for again, and whoever spoke
//! in one says the same.

use super::{Shared, Stop, worse};
use crate::ceremony::next::{Trouble, by_receiver, trouble};
use futures::future::join_all;
use std::collections::BTreeMap;
use strongroom_domain::{
    Actor, Bytes, Command, KeyId, SignerId,
    key::RoundPublished,
    protocol::{Order, Reply, Sealed, Work},
};

/// More rounds than any protocol has: a signer that always has another to offer is wrong.
const MOST_ROUNDS: u16 = 8;

impl Shared {
    /// All rounds of a key's ceremony, from the first.
    pub(super) async fn rounds(&self, key: KeyId, signers: Vec<SignerId>) -> Result<(), Stop> {
        let mut letters = BTreeMap::new();
        for round in 1..=MOST_ROUNDS {
            let given = self.round(key, &signers, round, letters).await?;
            if given.is_empty() {
                return Ok(());
            }
            letters = by_receiver(given);
        }
        Err(Stop::Fail(format!("the ceremony has more than {MOST_ROUNDS} rounds")))
    }

    /// One round: what was said to all goes to the log, letters come back. No letters: it was the last.
    async fn round(
        &self,
        key: KeyId,
        signers: &[SignerId],
        round: u16,
        mut letters: BTreeMap<SignerId, Vec<Sealed>>,
    ) -> Result<BTreeMap<SignerId, Vec<Sealed>>, Stop> {
        let asked = signers.iter().map(|signer| {
            let order = Order::Step {
                work: Work::Ceremony { key },
                session: Bytes::default(),
                round,
                spoken: Vec::new(),
                letters: letters.remove(signer).unwrap_or_default(),
            };
            self.ask(*signer, order)
        });
        let answers = join_all(asked).await;
        let (mut given, mut stop) = (BTreeMap::new(), Ok(()));
        for (signer, answer) in signers.iter().copied().zip(answers) {
            match answer {
                Ok(Reply::Spoke { message: package, letters }) => {
                    // In some rounds there are letters alone.
                    if !package.as_slice().is_empty() {
                        let published = RoundPublished { signer, epoch: 1, round, package };
                        let command = Command::PublishRound { key, published };
                        self.execute(key, command, Actor::Signer(signer)).await?;
                    }
                    given.insert(signer, letters);
                }
                Ok(Reply::Confirmed { confirmed }) if confirmed.signer == signer => {
                    self.confirm(key, confirmed).await?;
                }
                Ok(other) => match trouble(signer, other) {
                    // Restarted: what it drew is gone, and nobody can finish without it.
                    Trouble::Forgotten(because) => stop = worse(stop, Stop::Fail(because)),
                    other @ (Trouble::Wait(_) | Trouble::Fail(_)) => {
                        stop = worse(stop, other.into());
                    }
                },
                Err(trouble) => stop = worse(stop, trouble.into()),
            }
        }
        stop.map(|()| given)
    }
}
