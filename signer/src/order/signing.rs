//! Signing: an attempt is checked, consumed on disk, and only then does a key touch it. A result
//! that does not verify never leaves, and a signing nonce is used once or never.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLockWriteGuard},
};

use rand::{RngCore, rngs::OsRng};
use strongroom_chains::{Realisation, UnsignedTx, frost::ByHolder};
use strongroom_domain::{
    Bytes, KeyId, Rule, SignerId, TransferId,
    audit::Authorised,
    key::{Active, Protocol},
    policy::Policy,
    protocol::{Committed, Reply},
    statement,
    transfer::{Attempts, Returns, Transfer},
};

use super::{Signer, Trouble, demand_witnesses, now, refuse, restoring::demand_not_restoring};
use crate::{
    check::{Checked, check, key_path},
    consumption::Consumed,
    follower::Follower,
    frost::{KeyShare, ShareName, SignError, SigningNonces},
};

/// Shares that were opened, by key.
pub(super) type Shares = BTreeMap<KeyId, Arc<KeyShare>>;

/// Sessions that wait for round two: the latest of each transfer, so that nobody can ask for more
/// than people approved. In memory only: a restart loses the nonces, never reuses one.
#[derive(Default)]
pub(super) struct Sessions(BTreeMap<TransferId, Waiting>);

struct Waiting {
    session: Bytes,
    checked: Checked,
    share: Arc<KeyShare>,
    nonces: Vec<SigningNonces>,
    commitments: Vec<Bytes>,
}

impl Sessions {
    fn put(&mut self, transfer: TransferId, waiting: Waiting) {
        self.0.insert(transfer, waiting);
    }

    /// By value: whoever takes it has the nonces, and nobody else ever will.
    fn take(&mut self, transfer: TransferId, session: &Bytes) -> Option<Waiting> {
        if self.0.get(&transfer)?.session == *session { self.0.remove(&transfer) } else { None }
    }

    /// These transfers are over.
    pub(super) fn forget(&mut self, transfers: &[TransferId]) {
        for transfer in transfers {
            self.0.remove(transfer);
        }
    }
}

impl Signer {
    /// All checks, then the consumption on disk.
    pub(super) fn consume(
        &self,
        transfer: TransferId,
        attempt: u32,
        protocol: Protocol,
    ) -> Result<Checked, Trouble> {
        let mut follower = self.follower_mut();
        let head = follower.commit()?;
        // From here until the attempt is noted the log can't move on: what is checked is what is
        // on disk, and a transfer that ends now is not forgotten before it is noted.
        let follower = RwLockWriteGuard::downgrade(follower);
        let checked = self.checked(&follower, transfer, attempt)?;
        if checked.active.plan.protocol != protocol {
            let because = format!("the key is a {} key", checked.active.plan.protocol.name());
            return refuse(Rule::SignerProtocol, because);
        }
        let consumed = Consumed {
            transfer,
            attempt,
            network: checked.network,
            unsigned: checked.bytes.clone(),
            parent: checked.parent.as_ref().map(UnsignedTx::to_bytes),
        };
        let new = Realisation { transaction: &checked.unsigned, parent: checked.parent.as_ref() };
        let noted = self.consumptions.note(consumed, &new, head)?;
        drop(follower);
        self.consumptions.settle(noted)?;
        Ok(checked)
    }

    pub(super) fn checked(
        &self,
        follower: &Follower,
        transfer: TransferId,
        attempt: u32,
    ) -> Result<Checked, Trouble> {
        let audited = follower.audited()?;
        if !audited.state().transfers.contains_key(&transfer) {
            return refuse(Rule::SignerLogBehind, "this signer has not read of that transfer");
        }
        demand_witnesses(audited.state())?;
        follower.demand_covered(follower.grounds().of_transfer(transfer))?;
        let attempts = audited.state().transfers.get(&transfer).and_then(Transfer::attempts);
        let again = attempts.is_some_and(|known| self.is_in_time(transfer, known));
        let authorised = if again {
            audited.authorised_again(transfer, attempt, now())?
        } else {
            audited.authorised(transfer, attempt, now())?
        };
        let as_seen_s = if again { 0 } else { demand_own_time(follower, &authorised)? };
        let delay_s = authorised.delay_s().max(as_seen_s);
        follower.sights().demand_waited(transfer, delay_s, now())?;
        demand_not_restoring(authorised.key(), self.id)?;
        Ok(check(&authorised, self.id)?)
    }

    /// What was consumed in time may be signed: giving the same bytes again, after a lost answer,
    /// adds nothing to that, and without it the transfer could neither complete nor fail. Nor does
    /// another transaction of the same kind add anything, which excludes what was consumed.
    fn is_in_time(&self, transfer: TransferId, attempts: &Attempts) -> bool {
        let is_held = |unsigned| self.consumptions.holds(transfer, unsigned);
        let cancels = |returns| matches!(returns, Some(Returns::Cancellation));
        let mut alike = attempts.complete.values();
        is_held(&attempts.current.unsigned)
            || alike.any(|signed| {
                cancels(signed.returns) == cancels(attempts.returns)
                    && is_held(&signed.authorised.unsigned)
            })
    }

    /// Says that no signature of a transfer will ever come from here, where none can have come.
    pub(super) fn abstain(&self, transfer: TransferId) -> Result<Reply, Trouble> {
        let follower = self.follower();
        let state = follower.audited()?.state();
        let Some(known) = state.transfers.get(&transfer) else {
            return refuse(Rule::SignerLogBehind, "this signer has not read of that transfer");
        };
        // Its consumptions are forgotten, and its end may stand in this signer's log alone: a word
        // given now could be shown where the transfer lives.
        if known.asked().is_none() {
            return Ok(known.not_now()?);
        }
        demand_witnesses(state)?;
        follower.demand_covered(follower.grounds().of_transfer(transfer))?;
        let log = state.charter.standing()?.log;
        // With the log held still: an end that is pushed meanwhile would make what was consumed be
        // forgotten before it is looked for.
        self.consumptions.abstain(transfer)?;
        drop(follower);
        let text = statement::abstention(log, transfer, self.id);
        Ok(Reply::Abstained { signature: Bytes(self.identity.confirm(text.as_bytes()).to_vec()) })
    }

    pub(super) fn sign_alone(&self, transfer: TransferId, attempt: u32) -> Result<Reply, Trouble> {
        let checked = self.consume(transfer, attempt, Protocol::Pkcs11Secp256k1)?;
        let digests = checked.payloads.iter().map(|payload| payload.digest).collect();
        let signatures = self.sign_in_token(checked.key, &checked.active, digests)?;
        // The whole transaction, once more, before anything leaves.
        let wrong = |what: String| Trouble::Corrupt(format!("own signature: {what}"), None);
        let whole: Option<Vec<[u8; 64]>> = signatures.iter().map(Bytes::array).collect();
        let whole = whole.ok_or_else(|| wrong("it has not 64 bytes".to_owned()))?;
        let public = checked.active.public_key.array::<33>();
        let public = public.ok_or_else(|| wrong("its key has not 33 bytes".to_owned()))?;
        if let Err(error) = checked.unsigned.assemble(&public, &whole) {
            return Err(wrong(error.to_string()));
        }
        Ok(Reply::Signatures { signatures })
    }

    pub(super) fn commit(&self, transfer: TransferId, attempt: u32) -> Result<Reply, Trouble> {
        let checked = self.consume(transfer, attempt, Protocol::FrostSecp256k1Tr)?;
        let share = self.share(checked.key, &checked.active)?;
        let count = u16::try_from(checked.payloads.len()).map_err(|_| {
            Trouble::Corrupt("a transaction with more than 65535 inputs".to_owned(), None)
        })?;
        let drawn = share.commit(count).map_err(|error| aborted(&error))?;
        let (nonces, commitments): (Vec<_>, Vec<_>) =
            drawn.into_iter().map(|(nonce, bytes)| (nonce, Bytes(bytes))).unzip();
        let mut name = vec![0; 16];
        OsRng.fill_bytes(&mut name);
        let session = Bytes(name);
        let waiting = Waiting {
            session: session.clone(),
            checked,
            share,
            nonces,
            commitments: commitments.clone(),
        };
        self.sessions().put(transfer, waiting);
        Ok(Reply::Committed { session, commitments })
    }

    pub(super) fn sign(
        &self,
        transfer: TransferId,
        attempt: u32,
        session: &Bytes,
        committed: &[Committed],
    ) -> Result<Reply, Trouble> {
        let taken = self.sessions().take(transfer, session);
        let Some(waiting) = taken else {
            return refuse(Rule::SignerProtocol, "no such session: commit again");
        };
        let (before, now) = (&waiting.checked, self.checked(&self.follower(), transfer, attempt)?);
        if before.attempt != attempt || before.bytes != now.bytes {
            return refuse(Rule::SignerProtocol, "the session is another attempt's");
        }
        // Shares of two epochs make no signature, and those of before are to sign nothing any more.
        if before.active.epoch != now.active.epoch {
            return refuse(Rule::SignerProtocol, "the session is of shares that were replaced");
        }
        let commitments = by_input(&waiting, committed, self.id)?;
        let Waiting { checked, share, nonces, .. } = waiting;
        let mut shares = Vec::with_capacity(nonces.len());
        for ((nonce, payload), commitments) in
            nonces.into_iter().zip(&checked.payloads).zip(&commitments)
        {
            let Some(path) = payload.path else {
                return refuse(Rule::SignerProtocol, "a threshold key signs for derived addresses");
            };
            let signed = share.sign(nonce, commitments, &payload.digest, key_path(path));
            shares.push(Bytes(signed.map_err(|error| aborted(&error))?));
        }
        Ok(Reply::Shares { shares })
    }

    /// The share of a key, opened once.
    pub(super) fn share(&self, key: KeyId, active: &Active) -> Result<Arc<KeyShare>, Trouble> {
        if active.plan.protocol != Protocol::FrostSecp256k1Tr {
            return refuse(Rule::SignerProtocol, "this key has no shares");
        }
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        let current = |share: &&Arc<KeyShare>| share.name().epoch == active.epoch;
        if let Some(share) = shares.get(&key).filter(current) {
            return Ok(Arc::clone(share));
        }
        let name = ShareName { key: key.0, signer: self.id.0, epoch: active.epoch };
        let share = KeyShare::load(&self.sealer, &self.directory, name)
            .map_err(|error| self.unopened(name, error))?;
        let public = share.public().to_bytes().map_err(|error| corrupt(&error))?;
        if public != active.public_package.as_slice() {
            let because = "the share on disk is of another key than the log's".to_owned();
            return Err(Trouble::Corrupt(because, None));
        }
        let share = Arc::new(share);
        shares.insert(key, Arc::clone(&share));
        Ok(share)
    }
}

/// What the dates of the log allow must be allowed by this signer's own clock too. Returns how long the
/// payment waits by that, from its approval on.
fn demand_own_time(follower: &Follower, authorised: &Authorised<'_>) -> Result<u64, Trouble> {
    let (audited, sights) = (follower.audited()?, follower.sights());
    let (state, intent) = (audited.state(), authorised.intent());
    let policy = state.charter.standing()?.policy.v2();
    let cooling_off_s = policy.map_or(0, Policy::cooling_off_s);
    sights.demand_cooled((intent.network(), &intent.destination), cooling_off_s, now())?;
    let late = sights.late();
    let delay_s = audited.demand_as_seen(intent.transfer, late.from(intent.transfer), late)?;
    // An approval that came promptly, and had nothing to wait for by its date, is not among the sights.
    let approved_at = state.transfers.get(&intent.transfer).and_then(Transfer::asked);
    let until = approved_at.and_then(|asked| asked.approved_at).map(|at| at.plus_seconds(delay_s));
    match until.filter(|until| now() < *until) {
        None => Ok(delay_s),
        Some(until) => {
            let because = format!("by this signer's own clock its time lock ends at {until}");
            refuse(Rule::TimeLock, because)
        }
    }
}

/// Everyone's commitments, input by input: exactly the attempt's signers, and this one's own
/// unchanged.
fn by_input(
    waiting: &Waiting,
    committed: &[Committed],
    me: SignerId,
) -> Result<Vec<ByHolder>, Trouble> {
    let checked = &waiting.checked;
    let mut named: Vec<_> = committed.iter().map(|of| of.signer).collect();
    named.sort_unstable();
    let mut wanted = checked.signers.clone();
    wanted.sort_unstable();
    let inputs = checked.payloads.len();
    if named != wanted || committed.iter().any(|of| of.commitments.len() != inputs) {
        return refuse(Rule::SignerProtocol, "commitments must come from the attempt's signers");
    }
    let mine = committed.iter().find(|of| of.signer == me);
    if mine.is_none_or(|of| of.commitments != waiting.commitments) {
        return refuse(Rule::SignerProtocol, "these are not this signer's commitments");
    }
    let mut all = vec![ByHolder::new(); inputs];
    for of in committed {
        let Some(holder) = checked.active.index_of(of.signer) else {
            return refuse(Rule::SignerProtocol, "a stranger's commitments");
        };
        for (input, commitment) in all.iter_mut().zip(&of.commitments) {
            input.insert(holder, commitment.0.clone());
        }
    }
    Ok(all)
}

fn corrupt(error: &impl std::fmt::Display) -> Trouble {
    Trouble::Corrupt(error.to_string(), None)
}

pub(super) fn aborted(error: &SignError) -> Trouble {
    match error {
        // The server mixed something up, or lied: a new session settles it.
        SignError::OtherRound(_) | SignError::Public(_) => Trouble::Refused(
            strongroom_domain::Refusal::new(Rule::SignerProtocol, error.to_string()),
        ),
        SignError::Failed(_) | SignError::Damaged | SignError::OwnShare(_) => corrupt(error),
    }
}
