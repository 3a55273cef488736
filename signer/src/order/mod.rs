//! What a signer does with an order. Orders name things; everything else is looked up in the log
//! that this signer verified itself. No order makes it sign bytes that somebody hands it.

mod ceremony;
mod change;
mod cosigning;
mod letters;
mod making;
mod multisig;
mod old_shares;
mod proof;
mod remaking;
mod restoring;
mod signing;
mod step;
mod threshold;
mod token;
mod vault;
mod witness;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{SystemTime, UNIX_EPOCH},
};

use strongroom_domain::{
    Refusal, Rule, SignerId, State, Timestamp,
    charter::Standing,
    protocol::{LogEntry, Order, Reply},
    transfer::Transfer,
};
use strongroom_ledger::{Hash, TreeHead};
use strongroom_secrets::Sealer;
use strongroom_vault::Vault;

use crate::{
    consumption::{AbstainError, Consumptions},
    follower::{FollowError, Follower, Pinned, Remembered},
    frost::ShareError,
    identity::Identity,
    journal::JournalError,
    log_copy::LogCopyError,
    pkcs11::{TimedToken, TokenError},
    resumption,
};
use ceremony::Ceremonies;
use signing::Sessions;

/// Characters of what is wrong with something that is no order.
const LONGEST_COMPLAINT: usize = 200;

/// Why an order was not carried out.
#[derive(Debug)]
enum Trouble {
    Refused(Refusal),
    Unavailable(String),
    Corrupt(String, Option<SignerId>),
}

/// Everything a running signer has.
pub struct Signer {
    identity: Identity,
    id: SignerId,
    genesis: strongroom_domain::Digest,
    directory: PathBuf,
    sealer: Sealer,
    token: Option<TimedToken>,
    vault: Option<Arc<Vault>>,
    follower: RwLock<Follower>,
    consumptions: Consumptions,
    ceremonies: Mutex<Ceremonies>,
    sessions: Mutex<Sessions>,
    makings: Mutex<making::Makings>,
    changes: Mutex<change::Changes>,
    rounds: Mutex<threshold::Rounds>,
    shares: Mutex<signing::Shares>,
    proofs: Mutex<proof::Proofs>,
}

/// What a signer is made of.
pub struct Parts {
    /// Its identity, opened.
    pub identity: Identity,
    /// For its key shares.
    pub sealer: Sealer,
    /// Where it keeps everything.
    pub directory: PathBuf,
    /// Its token, if it has one.
    pub token: Option<TimedToken>,
    /// Its Vault, if it has one.
    pub vault: Option<Arc<Vault>>,
    /// The leaf of entry 1 that its operator pinned.
    pub genesis: strongroom_domain::Digest,
}

/// Why a signer can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The log copy, before it was read.
    #[error(transparent)]
    Copy(#[from] LogCopyError),
    /// The log copy.
    #[error(transparent)]
    Follow(#[from] FollowError),
}

impl Signer {
    /// Reads the journal, then the log copy up to where the journal says it must reach.
    pub fn open(parts: Parts) -> Result<Self, StartError> {
        let Parts { identity, sealer, directory, token, vault, genesis } = parts;
        let id = SignerId(identity.signer());
        let mut consumptions = Consumptions::open(&directory.join("journal"))?;
        let identity_key = identity.confirming_key();
        let witness_key = identity.witness_key();
        let pinned = Pinned { genesis, signer: id, identity_key, witness_key };
        let copy = directory.join("log.jsonl");
        if let Some(certificate) = consumptions.resumed() {
            resumption::finish(&copy, certificate, consumptions.acknowledged())?;
        }
        let cosigned = consumptions.cosigned().clone();
        let known = Remembered {
            acknowledged: consumptions.acknowledged(),
            cosigned: cosigned.map(|of| TreeHead { size: of.size, root: Hash::new(of.root.0) }),
            resumed: consumptions.resumed().cloned(),
            sights: consumptions.known(),
        };
        let opened_at = now();
        let mut follower = Follower::open(&copy, known, pinned, opened_at)?;
        consumptions.read(opened_at);
        consumptions.keep_sights(follower.unwritten_sights())?;
        let transfers = &follower.audited()?.state().transfers;
        consumptions.retain(|id| !matches!(transfers.get(&id), Some(Transfer::Closed(_))));
        Ok(Self {
            identity,
            id,
            genesis,
            directory,
            sealer,
            token,
            vault,
            follower: RwLock::new(follower),
            consumptions,
            ceremonies: Mutex::default(),
            sessions: Mutex::default(),
            makings: Mutex::default(),
            changes: Mutex::default(),
            rounds: Mutex::default(),
            shares: Mutex::default(),
            proofs: Mutex::default(),
        })
    }

    /// Carries out an order, given and answered as JSON.
    pub fn answer(&self, body: &[u8]) -> Vec<u8> {
        let reply = match serde_json::from_slice::<Order>(body) {
            Ok(order) => self.carry_out(order),
            Err(error) => {
                // It quotes what was sent: as much of it as a line of a log should hold.
                let why: String =
                    error.to_string().escape_debug().take(LONGEST_COMPLAINT).collect();
                let because = format!("not an order: {why}");
                Reply::Refused(Refusal::new(Rule::SignerProtocol, because))
            }
        };
        serde_json::to_vec(&reply).unwrap_or_default()
    }

    fn carry_out(&self, order: Order) -> Reply {
        let done = match order {
            Order::Status => Ok(self.status()),
            Order::Extend { entries } => self.extend(&entries),
            Order::BeginCeremony { key } => self.begin_ceremony(key),
            Order::ContinueCeremony { key } => self.continue_ceremony(key),
            Order::FinishCeremony { key, sealed } => self.finish_ceremony(key, &sealed),
            Order::Commit { transfer, attempt } => self.commit(transfer, attempt),
            Order::Sign { transfer, attempt, session, commitments } => {
                self.sign(transfer, attempt, &session, &commitments)
            }
            Order::Abstain { transfer } => self.abstain(transfer),
            Order::SignAlone { transfer, attempt } => self.sign_by_itself(transfer, attempt),
            Order::Probe { key } => self.probe(key),
            Order::Step { work, session, round, spoken, letters } => {
                self.step(work, &session, round, &spoken, &letters)
            }
            Order::Cosign { old, proof, checkpoint } => self.cosign(old, &proof, &checkpoint),
            Order::Checkpoint { checkpoint } => self.cover(&checkpoint),
        };
        match done {
            Ok(reply) => reply,
            Err(Trouble::Refused(refusal)) => {
                tracing::warn!(rule = %refusal.rule, because = %refusal.because, "refused");
                Reply::Refused(refusal)
            }
            Err(Trouble::Unavailable(because)) => {
                tracing::warn!(%because, "unavailable");
                Reply::Unavailable { because }
            }
            Err(Trouble::Corrupt(because, culprit)) => {
                tracing::error!(%because, ?culprit, "stop and tell a person");
                Reply::Corrupt { because, culprit }
            }
        }
    }

    fn status(&self) -> Reply {
        let head = self.follower().head();
        Reply::Status { signer: self.id, genesis: Some(self.genesis), head }
    }

    fn extend(&self, entries: &[LogEntry]) -> Result<Reply, Trouble> {
        let mut follower = self.follower_mut();
        let read_at = now();
        let ended = follower.extend(entries, read_at);
        // Before anybody can put the new head in the journal.
        self.consumptions.read(read_at);
        let sights = follower.unwritten_sights();
        drop(follower);
        self.consumptions.keep_sights(sights)?;
        let ended = ended?;
        self.sessions().forget(&ended);
        self.rounds().forget(&ended);
        self.consumptions.forget(ended);
        Ok(self.status())
    }

    /// Whether a share could be sealed now. Asked before what a share is made of is taken from memory:
    /// with the key away it would be lost.
    fn ready_to_seal(&self) -> Result<(), Trouble> {
        let tried = self.sealer.seal("strongroom/probe", b"");
        tried.map(drop).map_err(|error| Trouble::Unavailable(error.to_string()))
    }

    fn follower(&self) -> RwLockReadGuard<'_, Follower> {
        self.follower.read().unwrap_or_else(|_poisoned| {
            drop(self.follower_mut());
            self.follower.read().unwrap_or_else(PoisonError::into_inner)
        })
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follower_mut(&self) -> RwLockWriteGuard<'_, Follower> {
        self.follower.write().unwrap_or_else(|poisoned| {
            // A panic left it half changed, perhaps with an entry that no rule has seen yet.
            let mut follower = poisoned.into_inner();
            follower.stop("a panic while it took in an entry");
            follower
        })
    }

    /// Puts what was verified on disk and in the journal: the last thing before the process ends.
    pub fn close(&self) -> Result<(), StartError> {
        let head = self.follower_mut().commit()?;
        if head != self.consumptions.acknowledged() {
            self.consumptions.acknowledge(head)?;
        }
        Ok(())
    }
}

/// This signer's own clock.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

fn refuse<T>(rule: Rule, because: impl Into<String>) -> Result<T, Trouble> {
    Err(Trouble::Refused(Refusal::new(rule, because)))
}

/// Without witnesses nothing is ever covered, and this signer acts on nothing that is not.
fn demand_witnesses(state: &State) -> Result<&Standing, Trouble> {
    let standing = state.charter.standing()?;
    if standing.witnessing.is_none() {
        let because = "the charter is of version 1 and enrols no witnesses: found another log";
        return refuse(Rule::SignerCharter, because);
    }
    Ok(standing)
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<FollowError> for Trouble {
    fn from(error: FollowError) -> Self {
        match error {
            FollowError::Refused(refusal) => Self::Refused(refusal),
            FollowError::Copy(error) => Self::Corrupt(error.to_string(), None),
            FollowError::Shorter { .. } => Self::Corrupt(error.to_string(), None),
            FollowError::Halted(because) => Self::Corrupt(because, None),
        }
    }
}

impl From<ShareError> for Trouble {
    fn from(error: ShareError) -> Self {
        let because = format!("this signer's key share can't be used: {error}");
        match error {
            // Its key is away: the share is as good as ever, and opens when the key is back.
            ShareError::Seal(seal) if seal.is_unavailable() => Self::Unavailable(because),
            ShareError::Seal(_) | ShareError::Malformed { .. } | ShareError::Public(_) => {
                Self::Corrupt(because, None)
            }
        }
    }
}

impl From<JournalError> for Trouble {
    fn from(error: JournalError) -> Self {
        // Nothing was signed; but this process writes its journal no more.
        Self::Unavailable(error.to_string())
    }
}

impl From<AbstainError> for Trouble {
    fn from(error: AbstainError) -> Self {
        match error {
            AbstainError::Refused(refusal) => Self::Refused(refusal),
            AbstainError::Journal(error) => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<TokenError> for Trouble {
    fn from(error: TokenError) -> Self {
        let because = error.to_string();
        match error {
            TokenError::KeyMissing { .. }
            | TokenError::SeveralKeys { .. }
            | TokenError::KeyUnfit { .. }
            | TokenError::NoWrappingKey { .. }
            | TokenError::SeveralWrappingKeys { .. }
            | TokenError::Unopened { .. }
            | TokenError::SealedByOther { .. }
            | TokenError::WrongSignature { .. } => Self::Corrupt(because, None),
            TokenError::PinFile(_)
            | TokenError::Module { .. }
            | TokenError::SecondToken
            | TokenError::NoToken { .. }
            | TokenError::SeveralTokens { .. }
            | TokenError::PinRefused
            | TokenError::TokenUnavailable { .. }
            | TokenError::KeyExists { .. }
            | TokenError::WrappingKeyExists { .. }
            | TokenError::Token { .. } => Self::Unavailable(because),
        }
    }
}
