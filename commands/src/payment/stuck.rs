//! Gets a transfer going again that its chain does not take. Each remedy is an attempt like the first:
//! recorded before signers hear of it, signed, handed to a node. Never withdraws anything that was
//! signed: any of a transfer's signed transactions may be the one that the chain takes.

use super::{
    first_signers,
    planning::{active, holding, trusted},
    remedy::{Case, Remade, Remedy},
    saga::{Progress, Recorded, Saga, Stopped},
};
use strongroom_domain::{
    Actor, Command, Refusal, Rule, SignerId, Spends, State, TransferId,
    key::Custody,
    transfer::{AttemptAuthorised, Attempts, ReturnAuthorised, Returns},
    wallet::Funds,
};
use strongroom_nodes::TransactionStatus;

/// Whether the payment is to be made impossible: by its quorum, or because others wait.
pub(super) fn is_to_be_cancelled(state: &State, id: TransferId, attempts: &Attempts) -> bool {
    let holding = holding(state, attempts.asked.intent.wallet);
    attempts.is_abandoned() || holding.is_ok_and(|holding| holding.funds.is_gap(id))
}

/// What is set aside for the transfer already.
pub(super) fn spent(state: &State, attempts: &Attempts, id: TransferId) -> Result<Spends, Refusal> {
    let nothing = || Refusal::new(Rule::WalletReserved, "nothing is set aside for this transfer");
    match &holding(state, attempts.asked.intent.wallet)?.funds {
        Funds::Coins(coins) => {
            let mine = coins.reserved.get(&id).ok_or_else(nothing)?;
            Ok(Spends::Coins(mine.keys().cloned().collect()))
        }
        Funds::Balance(balance) => {
            let mine = balance.reserved.get(&id).ok_or_else(nothing)?;
            Ok(Spends::AccountNonce(mine.account_nonce))
        }
    }
}

impl Saga {
    /// Authorises the transaction that `remedy` takes. A crash here leaves nothing, or the attempt.
    pub(super) async fn remedy(
        &self,
        id: TransferId,
        attempts: &Attempts,
        remedy: Remedy,
    ) -> Result<Progress, Stopped> {
        let offer = match self.offer(attempts.asked.intent.network()).await {
            Ok(offer) => offer,
            Err(none) => return Ok(Progress::Wait(none.to_string())),
        };
        let planned = self.bus.read(|state| {
            let holding = holding(state, attempts.asked.intent.wallet)?;
            let active = active(state, holding.key)?;
            let case = Case { attempts, holding, public_key: &active.public_key };
            let threshold = usize::from(active.plan.threshold);
            let signers = match active.plan.protocol.custody() {
                // Any that it takes will do, and cosigners make up for signers that are away.
                Custody::Cosigners => Some(trusted(state, active)),
                Custody::Shares | Custody::Whole => {
                    self.again(attempts, (&trusted(state, active), threshold))
                }
            };
            Ok::<_, Refusal>((case.remade(remedy, offer), signers))
        });
        let (remade, signers) = match planned {
            Ok((Ok(remade), Some(signers))) => (remade, signers),
            Ok((Ok(_), None)) => {
                return Ok(Progress::Wait("too few signers can be reached".to_owned()));
            }
            Ok((Err(none), _)) => return Ok(Progress::Wait(format!("stuck: {none}"))),
            // The key is quarantined: a quorum decides.
            Err(refusal) => return Ok(Progress::Wait(refusal.to_string())),
        };
        let Remade { returns, unsigned, fee } = remade;
        let attempt = AttemptAuthorised {
            attempt: attempts.current.attempt.saturating_add(1),
            unsigned,
            fee,
            key: attempts.current.key,
            signers,
        };
        tracing::info!(transfer = %id, attempt = attempt.attempt, ?remedy, %fee, "a remedy");
        let command = match returns {
            Some(returns) => {
                let returned = ReturnAuthorised { returns, attempt };
                Command::AuthoriseReturn { transfer: id, returned }
            }
            None => match self.bus.read(|state| spent(state, attempts, id)) {
                Ok(spends) => Command::AuthoriseAttempt { transfer: id, attempt, spends },
                Err(refusal) => return Ok(Progress::Wait(refusal.to_string())),
            },
        };
        Ok(match self.execute(id, command, Actor::Saga).await? {
            Recorded::Done(outcome) => {
                outcome.positions.map_or(Progress::On, |(_, last)| Progress::Authorised(last))
            }
            Recorded::Refused(refusal) => Progress::Wait(refusal.to_string()),
        })
    }

    /// Who signs a remedy: who signed before, if they are there. They still may after the approval
    /// has expired.
    fn again(
        &self,
        attempts: &Attempts,
        (holders, threshold): (&[SignerId], usize),
    ) -> Option<Vec<SignerId>> {
        let live = self.signers.fit(attempts.current.key);
        let before = &attempts.current.signers;
        if before.len() == threshold && before.iter().all(|id| live.contains(id)) {
            return Some(before.clone());
        }
        first_signers(holders, threshold, &live)
    }

    /// Later transactions wait for the account nonce of a transfer that can't go on. Says so in the
    /// log; the next step cancels it on its chain.
    pub(super) async fn find_gap(&self, id: TransferId) -> Result<Progress, Stopped> {
        tracing::warn!(transfer = %id, "others wait for its account nonce: it will be cancelled");
        let command = Command::FindNonceGap { transfer: id };
        Ok(match self.execute(id, command, Actor::Saga).await? {
            Recorded::Done(_) => Progress::On,
            Recorded::Refused(refusal) => Progress::Wait(refusal.to_string()),
        })
    }

    /// Whether later transactions wait for what this transfer has set aside.
    pub(super) fn leaves_gap(&self, id: TransferId, attempts: &Attempts) -> bool {
        self.bus.read(|state| {
            let holding = holding(state, attempts.asked.intent.wallet);
            holding.is_ok_and(|holding| holding.funds.leaves_gap(id))
        })
    }

    /// The node found the current attempt too cheap.
    pub(super) async fn outbid(
        &self,
        id: TransferId,
        attempts: &Attempts,
    ) -> Result<Progress, Stopped> {
        match attempts.returns {
            None => self.remedy(id, attempts, Remedy::Replace).await,
            Some(Returns::Cancellation) => self.remedy(id, attempts, Remedy::Cancel).await,
            Some(Returns::Child { parent }) => {
                self.remedy(id, attempts, Remedy::Child(parent)).await
            }
        }
    }

    /// The node replaces nothing: what it has is pulled along instead.
    pub(super) async fn pull_along(
        &self,
        id: TransferId,
        attempts: &Attempts,
        because: String,
    ) -> Result<Progress, Stopped> {
        let network = attempts.asked.intent.network();
        let Some(node) = self.nodes.node(network) else { return Ok(Progress::Wait(because)) };
        if attempts.returns.is_some() {
            return Ok(Progress::Wait(because));
        }
        for (number, earlier) in attempts.complete.iter().rev() {
            let is_current = *number == attempts.current.attempt;
            if is_current || earlier.returns.is_some() || attempts.children(*number).count() > 0 {
                continue;
            }
            let subject = match self.subject(network, &earlier.signed, true) {
                Ok(subject) => subject,
                Err(because) => return Ok(Progress::Wait(because)),
            };
            match node.transaction_status(subject.id, subject.since).await {
                Ok(TransactionStatus::InMempool) => {
                    return self.remedy(id, attempts, Remedy::Child(*number)).await;
                }
                Ok(TransactionStatus::Unknown | TransactionStatus::InBlock(_)) => {}
                Err(error) => return Ok(Progress::Wait(error.to_string())),
            }
        }
        Ok(Progress::Wait(because))
    }

    /// Whether the fee market has left a broadcast transaction behind.
    pub(super) async fn is_left_behind(&self, attempts: &Attempts) -> bool {
        let Ok(offer) = self.offer(attempts.asked.intent.network()).await else { return false };
        self.bus.read(|state| {
            let Ok(holding) = holding(state, attempts.asked.intent.wallet) else { return false };
            let Ok(active) = active(state, holding.key) else { return false };
            let case = Case { attempts, holding, public_key: &active.public_key };
            case.is_outbid(offer).unwrap_or(false)
        })
    }
}
