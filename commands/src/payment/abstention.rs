//! What it takes to let a transfer fail that signers have heard of: the word of so many holders
//! that the others can't sign it. Never takes silence for a word.

use super::saga::Saga;
use futures::future::join_all;
use std::collections::BTreeSet;
use strongroom_domain::{
    SignerId, TransferId,
    protocol::Order,
    protocol::Reply,
    statement,
    transfer::{Abstention, Attempts},
};

/// How many of a key's holders must swear off: with them gone, too few are left to sign.
pub(super) const fn abstainers(holders: usize, threshold: usize) -> usize {
    holders.saturating_sub(threshold).saturating_add(1)
}

impl Saga {
    /// Asks every holder, of each epoch whose shares may have signed it, to swear the transfer off. Those who have consumed an attempt refuse, and
    /// still give their part of it: either enough swear, or enough can sign.
    ///
    /// A crash here leaves words at signers that nobody recorded: asked again, they say the same.
    pub(super) async fn abstentions(
        &self,
        transfer: TransferId,
        epochs: &[Vec<SignerId>],
        threshold: usize,
    ) -> Result<Vec<Abstention>, String> {
        let at_least = self.bus.log().head().position.get();
        self.checkpoints.cover(at_least).await.map_err(|error| error.to_string())?;
        let holders: BTreeSet<SignerId> = epochs.iter().flatten().copied().collect();
        let asking = holders.iter().map(|signer| async move {
            let asked = self.signers.order(*signer, &Order::Abstain { transfer }, at_least).await;
            let Ok(Reply::Abstained { signature }) = asked else {
                tracing::info!(%transfer, %signer, ?asked, "a holder did not swear it off");
                return None;
            };
            let word = Abstention { signer: *signer, signature };
            self.is_genuine(transfer, &word).then_some(word)
        });
        let words: Vec<_> = join_all(asking).await.into_iter().flatten().collect();
        for holders in epochs {
            let sworn = words.iter().filter(|word| holders.contains(&word.signer)).count();
            let needed = abstainers(holders.len(), threshold);
            if sworn < needed {
                return Err(format!(
                    "{sworn} of the {needed} holders that it takes have sworn it off: the others \
                     may have signed it, or can't be reached"
                ));
            }
        }
        // Of one set of holders no more words than it takes.
        let most =
            if let [holders] = epochs { abstainers(holders.len(), threshold) } else { words.len() };
        Ok(words.into_iter().take(most).collect())
    }

    /// Whether the approval's time has run out, by this server's clock.
    pub(super) fn is_over(&self, attempts: &Attempts) -> bool {
        let now = self.bus.now();
        self.bus.read(|state| {
            let asked_in = attempts.asked.proposal.and_then(|id| state.proposals.get(&id));
            let answers = asked_in.and_then(|proposal| proposal.answers());
            answers.is_none_or(|answers| now >= answers.opened.ends_at())
        })
    }

    fn is_genuine(&self, transfer: TransferId, word: &Abstention) -> bool {
        self.bus.read(|state| {
            state.charter.standing().is_ok_and(|standing| {
                let text = statement::abstention(standing.log, transfer, word.signer);
                let enrolled = standing.signers.get(&word.signer);
                enrolled
                    .is_some_and(|of| statement::verify(&of.identity_key, &text, &word.signature))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_the_abstainers_gone_too_few_are_left_to_sign() {
        for (holders, threshold, needed) in [(1, 1, 1), (3, 2, 2), (5, 3, 3), (10, 7, 4)] {
            assert_eq!(abstainers(holders, threshold), needed);
            assert!(holders - needed < threshold);
        }
    }
}
