//! Attempts of multisig wallets that cosigners completed and broadcast besides us, with software of their
//! own. Never takes a node's word for one: it is the authorised transaction with enough signatures of the
//! wallet's own keys, or it is not recorded.

use super::{
    saga::{Progress, Recorded, Saga, Stopped},
    submit::SEARCH_DEPTH,
};
use std::sync::PoisonError;
use strongroom_chains::{
    SignedTx,
    bitcoin::{Chain, multisig::UnsignedTx},
};
use strongroom_domain::{
    Actor, Bytes, Command, Network, TransferId,
    transfer::{AttemptAuthorised, AttemptFound, AttemptSigned, Attempts, Transfer},
    wallet::OutPoint,
};
use strongroom_nodes::{BitcoinNode, NodeError, bitcoin_core::Outpoint};
use tokio::time::Instant;

/// Looks now and then at a transfer that is being signed or handed in. Also while it is frozen: others
/// can send it at any moment.
pub(super) async fn look(
    saga: &Saga,
    id: TransferId,
    transfer: &Transfer,
    looked: &mut Option<Instant>,
) -> Result<Option<Progress>, Stopped> {
    let (Transfer::Signing(attempts) | Transfer::Signed(attempts)) = transfer else {
        return Ok(None);
    };
    if looked.is_some_and(|at| at.elapsed() < saga.settings.look_every) {
        return Ok(None);
    }
    *looked = Some(Instant::now());
    saga.besides(id, attempts).await
}

impl Saga {
    /// Records the first such attempt that the node has: `None` where it has none, or does not answer.
    /// A crash here leaves nothing, and the next look finds it again.
    pub(super) async fn besides(
        &self,
        id: TransferId,
        attempts: &Attempts,
    ) -> Result<Option<Progress>, Stopped> {
        let network = attempts.asked.intent.network();
        let (Some(node), Some(tip)) = (self.nodes.bitcoin(network), self.tips.height(network))
        else {
            return Ok(None);
        };
        let since = tip.saturating_sub(SEARCH_DEPTH);
        let current = attempts.signed.is_none().then_some(&attempts.current);
        let earlier = attempts.superseded.values().map(|before| &before.authorised);
        let mut unfit = None;
        for authorised in current.into_iter().chain(earlier) {
            let Some(unsigned) = read(network, authorised) else { continue };
            let place = (id, authorised.attempt);
            let searched = self.searched(place).unwrap_or_default();
            let raw = match at_node(node, &unsigned, since.max(searched)).await {
                Ok(Some(raw)) => Bytes(raw),
                Ok(None) => {
                    self.note_searched(place, tip);
                    continue;
                }
                Err(error) => {
                    tracing::debug!(transfer = %id, %error, "whether others sent it is not known");
                    return Ok(None);
                }
            };
            let attempt = authorised.attempt;
            let signed = match unsigned.check_signed(&raw) {
                Ok(signed) => signed,
                Err(error) => {
                    let told =
                        format!("a node has attempt {attempt}, sent by others, but: {error}");
                    tracing::error!(transfer = %id, told, "ALARM: it can't be recorded");
                    unfit = Some(Progress::Wait(told));
                    continue;
                }
            };
            tracing::warn!(transfer = %id, attempt, transaction = %signed.id, "others sent it");
            let command = recording(id, attempt, attempts, signed);
            return Ok(Some(match self.execute(id, command, Actor::Saga).await? {
                Recorded::Done(_) => Progress::On,
                Recorded::Refused(refusal) => Progress::Wait(refusal.to_string()),
            }));
        }
        Ok(unfit)
    }

    /// Up to which height an attempt was not found: nodes without an index are not searched below it again.
    fn searched(&self, place: (TransferId, u32)) -> Option<u64> {
        self.searched.lock().unwrap_or_else(PoisonError::into_inner).get(&place).copied()
    }

    fn note_searched(&self, place: (TransferId, u32), tip: u64) {
        self.searched.lock().unwrap_or_else(PoisonError::into_inner).insert(place, tip);
    }
}

fn recording(id: TransferId, attempt: u32, attempts: &Attempts, signed: SignedTx) -> Command {
    let (raw, transaction) = (signed.raw, signed.id.to_string());
    if attempt == attempts.current.attempt {
        let signed = AttemptSigned { attempt, raw, transaction };
        Command::RecordSigned { transfer: id, signed }
    } else {
        let found = AttemptFound { attempt, raw, transaction };
        Command::RecordFound { transfer: id, found }
    }
}

/// `None` for what only our own signers could have completed.
fn read(network: Network, authorised: &AttemptAuthorised) -> Option<UnsignedTx> {
    let bytes = authorised.unsigned.as_slice();
    let chain = Chain::of(network).ok().filter(|_| UnsignedTx::is_one(bytes))?;
    UnsignedTx::parse(chain, bytes).ok()
}

/// The transaction with its signatures, where the node has it. One call while its coins are unspent.
async fn at_node(
    node: &BitcoinNode,
    unsigned: &UnsignedTx,
    since: u64,
) -> Result<Option<Vec<u8>>, NodeError> {
    let Some(OutPoint { txid, vout }) = unsigned.spends().next() else { return Ok(None) };
    let Ok(transaction) = txid.parse() else { return Ok(None) };
    if node.is_unspent(&Outpoint { transaction, index: vout }).await? {
        return Ok(None);
    }
    let Ok(id) = unsigned.id().to_string().parse() else { return Ok(None) };
    node.transaction(id, since).await
}
