//! Attempts that are signed in rounds (threshold ECDSA). The server carries sealed letters and public
//! sums; it never sees what makes a signature before all signers have said their part of it.

use super::{Task, Troubles, Unsigned};
use crate::payment::{
    saga::Saga,
    step::{Trouble, trouble},
};
use std::collections::BTreeMap;
use strongroom_chains::SignedTx;
use strongroom_domain::{
    Bytes, SignerId,
    protocol::{Order, Reply, Sealed, Spoken, Work},
};
use uuid::Uuid;

/// Rounds in which signers speak to one another. In the one behind them they answer with signatures.
const ROUNDS: u16 = 3;

/// What the signers of a session said in a round.
#[derive(Default)]
struct Round {
    spoken: Vec<Spoken>,
    letters: BTreeMap<SignerId, Vec<Sealed>>,
}

impl Task {
    /// A session of its own: what fails in it is tried again in another.
    pub(super) async fn in_rounds(&self, saga: &Saga) -> Result<SignedTx, Unsigned> {
        let session = Bytes(Uuid::new_v4().as_bytes().to_vec());
        let mut before = Round::default();
        for round in 1..=ROUNDS {
            before = self.round(saga, &session, round, before).await.map_err(Unsigned::Troubles)?;
        }
        // All have given their part: a signature exists for whoever puts it together.
        let last = ROUNDS.saturating_add(1);
        let given = self.signatures(saga, &session, last, before).await;
        let signatures = given.map_err(Unsigned::Unfinished)?;
        self.assemble(&signatures).map_err(|because| Unsigned::Abort { because, culprit: None })
    }

    fn order(&self, session: &Bytes, round: u16, before: &Round, signer: SignerId) -> Order {
        let Self { transfer, attempt, .. } = *self;
        Order::Step {
            work: Work::Attempt { transfer, attempt },
            session: session.clone(),
            round,
            spoken: before.spoken.clone(),
            letters: before.letters.get(&signer).cloned().unwrap_or_default(),
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "`trouble` judges every other answer")]
    async fn round(
        &self,
        saga: &Saga,
        session: &Bytes,
        round: u16,
        before: Round,
    ) -> Result<Round, Troubles> {
        let said = self
            .each(|signer| {
                let order = self.order(session, round, &before, signer);
                async move {
                    match self.ask(saga, signer, order).await? {
                        Reply::Spoke { message, letters } => Ok((message, letters)),
                        other => Err(trouble(signer, other)),
                    }
                }
            })
            .await?;
        let mut next = Round::default();
        for (signer, (message, letters)) in said {
            // Only the sums of the last round are for all.
            if round == ROUNDS {
                next.spoken.push(Spoken { signer, message });
            }
            // A letter in another's name is left out: its receiver will miss one and say so.
            for letter in letters.into_iter().filter(|letter| letter.sender == signer) {
                next.letters.entry(letter.receiver).or_default().push(letter);
            }
        }
        Ok(next)
    }

    /// One signer's answer is enough: it has verified it, and so do we.
    #[expect(clippy::wildcard_enum_match_arm, reason = "`trouble` judges every other answer")]
    async fn signatures(
        &self,
        saga: &Saga,
        session: &Bytes,
        round: u16,
        before: Round,
    ) -> Result<Vec<[u8; 64]>, Troubles> {
        let mut troubles = Troubles::new();
        for signer in self.signers.iter().copied() {
            let order = self.order(session, round, &before, signer);
            let told = self.ask(saga, signer, order).await.and_then(|reply| match reply {
                Reply::Signatures { signatures } => {
                    let whole: Option<Vec<[u8; 64]>> =
                        signatures.iter().map(Bytes::array).collect();
                    let unfit = || Trouble::Away(format!("signer {signer} gave no signatures"));
                    whole.filter(|all| all.len() == self.payloads.len()).ok_or_else(unfit)
                }
                other => Err(trouble(signer, other)),
            });
            match told {
                Ok(signatures) if self.assemble(&signatures).is_ok() => return Ok(signatures),
                Ok(_) => {
                    let because = format!("signer {signer} gave a signature that is none");
                    troubles.insert(signer, Trouble::Away(because));
                }
                Err(trouble) => drop(troubles.insert(signer, trouble)),
            }
        }
        Err(troubles)
    }
}
