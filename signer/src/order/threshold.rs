//! Signatures made in several rounds: of attempts (threshold ECDSA), and spend proofs. An attempt is
//! checked and consumed on disk before round 1 is answered, and checked again in each round after it.
//! A session lives in memory only and is begun once; what it drew is used in it or never.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{MutexGuard, PoisonError},
};

use strongroom_domain::{
    Bytes, KeyId, Refusal, Rule, SignerId, TransferId,
    key::{Active, Protocol},
    protocol::{Reply, Sealed, Spoken, Work},
};
use strongroom_secrets::Secret;

use super::{
    Signer, Trouble,
    letters::{Post, session_of},
    making::package,
    refuse,
};
use crate::{
    check::Checked,
    consumption::Banned,
    frost::ShareName,
    threshold::{
        ByHolder, Heard, Machine, Message, RoundError, Said, Session, Step,
        any::{AnyShare, AnySigning},
    },
};

/// Random bytes that name a session.
const SESSION: usize = 16;

/// Sessions of a transfer or key that are remembered, so that none is begun twice. Each draws secrets
/// of its own: what is forgotten costs nothing but a round.
const REMEMBERED: usize = 256;

/// What sessions are held of: the latest of each, so that nobody can ask for more than was agreed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Transfer(TransferId),
    Key(KeyId),
}

/// Sessions, by what they are of; and the shares that they use.
#[derive(Default)]
pub(super) struct Rounds {
    sessions: BTreeMap<Subject, Known>,
    shares: BTreeMap<KeyId, AnyShare>,
}

#[derive(Default)]
struct Known {
    begun: VecDeque<Bytes>,
    waiting: Option<Waiting>,
}

struct Waiting {
    session: Bytes,
    work: Work,
    /// The round whose messages it waits for.
    said: u16,
    /// Of an attempt: what was consumed.
    checked: Option<Checked>,
    /// The key as it was when the session began.
    active: Active,
    /// Who takes part.
    signers: BTreeSet<SignerId>,
    machine: AnySigning,
}

/// What came of a round.
pub(super) enum Went {
    /// There is another.
    On(Reply),
    /// It was the last. Verified one by one.
    Signed(Vec<[u8; 64]>),
}

impl Rounds {
    /// These transfers are over.
    pub(super) fn forget(&mut self, transfers: &[TransferId]) {
        for transfer in transfers {
            self.sessions.remove(&Subject::Transfer(*transfer));
        }
    }

    fn seen(&self, subject: Subject, session: &Bytes) -> bool {
        self.sessions.get(&subject).is_some_and(|known| known.begun.contains(session))
    }

    fn begin(&mut self, subject: Subject, waiting: Waiting) -> Result<(), Trouble> {
        // Two orders at once: the first one has it.
        if self.seen(subject, &waiting.session) {
            return refuse(Rule::SignerProtocol, "this session was begun before");
        }
        let known = self.sessions.entry(subject).or_default();
        if known.begun.len() >= REMEMBERED {
            known.begun.pop_front();
        }
        known.begun.push_back(waiting.session.clone());
        known.waiting = Some(waiting);
        Ok(())
    }

    /// By value: whoever takes it has what it drew, and nobody else ever will.
    fn take(&mut self, work: Work, session: &Bytes, round: u16) -> Option<Waiting> {
        self.sessions.get_mut(&subject(work))?.waiting.take_if(|of| {
            of.session == *session && of.work == work && of.said.checked_add(1) == Some(round)
        })
    }

    /// A newer session is not displaced.
    fn wait_on(&mut self, waiting: Waiting) {
        let known = self.sessions.entry(subject(waiting.work)).or_default();
        if known.begun.back() == Some(&waiting.session) {
            known.waiting = Some(waiting);
        }
    }
}

fn subject(work: Work) -> Subject {
    match work {
        Work::Ceremony { key } | Work::Change { key, .. } | Work::Proof { key, .. } => {
            Subject::Key(key)
        }
        Work::Attempt { transfer, .. } => Subject::Transfer(transfer),
    }
}

fn post<'a>(work: Work, session: &'a Bytes, active: &'a Active) -> Post<'a> {
    Post { work, session, protocol: active.plan.protocol, holders: &active.holders }
}

impl Signer {
    pub(super) fn rounds(&self) -> MutexGuard<'_, Rounds> {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A round of an attempt.
    pub(super) fn sign_in_rounds(
        &self,
        (transfer, attempt): (TransferId, u32),
        session: &Bytes,
        round: u16,
        (spoken, letters): (&[Spoken], &[Sealed]),
    ) -> Result<Reply, Trouble> {
        let work = Work::Attempt { transfer, attempt };
        if round == 1 {
            self.demand_new(work, session, letters)?;
            let checked = self.consume(transfer, attempt, Protocol::Dkls23Secp256k1)?;
            // An account's key, or a wallet's one address: never a child.
            let messages = checked.payloads.iter();
            let messages = messages.map(|of| Message { digest: of.digest, path: None }).collect();
            let signers = checked.signers.iter().copied().collect();
            let active = checked.active.clone();
            return self.begin_rounds((work, session), active, Some(checked), (signers, messages));
        }
        let waiting = self.waiting(work, session, round)?;
        let now = self.checked(&self.follower(), transfer, attempt)?;
        let same = |of: &Checked| of.bytes == now.bytes && of.active == now.active;
        if !waiting.checked.as_ref().is_some_and(same) {
            return refuse(Rule::SignerProtocol, "the session is another attempt's");
        }
        match self.go_on(waiting, round, (spoken, letters))? {
            Went::On(reply) => Ok(reply),
            Went::Signed(signatures) => complete(&now, &signatures),
        }
    }

    /// A round of a spend proof: `message` is what this signer's own log says that it signs.
    pub(super) fn prove_in_rounds(
        &self,
        active: &Active,
        session: &Bytes,
        round: u16,
        message: Message,
        (spoken, letters): (&[Spoken], &[Sealed]),
    ) -> Result<Went, Trouble> {
        let work = Work::Proof { key: active.plan.key, epoch: active.epoch };
        if round == 1 {
            self.demand_new(work, session, letters)?;
            let signers: BTreeSet<_> = spoken.iter().map(|of| of.signer).collect();
            if signers.len() != spoken.len() {
                return refuse(Rule::SignerProtocol, "a signer is named twice");
            }
            let begun = (signers, vec![message]);
            return self.begin_rounds((work, session), active.clone(), None, begun).map(Went::On);
        }
        let waiting = self.waiting(work, session, round)?;
        if waiting.active.public_package != active.public_package {
            return refuse(Rule::SignerProtocol, "the session is of other shares");
        }
        self.go_on(waiting, round, (spoken, letters))
    }

    fn demand_new(&self, work: Work, session: &Bytes, letters: &[Sealed]) -> Result<(), Trouble> {
        if session.as_slice().len() != SESSION {
            return refuse(Rule::SignerProtocol, "a session has 16 bytes");
        }
        if !letters.is_empty() {
            return refuse(Rule::SignerProtocol, "nothing was written before round 1");
        }
        if self.rounds().seen(subject(work), session) {
            return refuse(Rule::SignerProtocol, "this session was begun before");
        }
        Ok(())
    }

    fn waiting(&self, work: Work, session: &Bytes, round: u16) -> Result<Waiting, Trouble> {
        match self.rounds().take(work, session, round) {
            Some(waiting) => Ok(waiting),
            None => refuse(Rule::SignerProtocol, "no such round of a session: begin another"),
        }
    }

    fn begin_rounds(
        &self,
        (work, session): (Work, &Bytes),
        active: Active,
        checked: Option<Checked>,
        (signers, messages): (BTreeSet<SignerId>, Vec<Message>),
    ) -> Result<Reply, Trouble> {
        self.consumptions.demand_unbanned((active.plan.key, active.epoch), &signers)?;
        let share = self.share_in_rounds(&active)?;
        let post = post(work, session, &active);
        let numbers: Option<BTreeSet<u16>> =
            signers.iter().map(|signer| post.number(*signer)).collect();
        let Some(numbers) = numbers else {
            return refuse(Rule::SignerProtocol, "a signer is named that holds no share");
        };
        let named = Session { id: session_of(work, session), signers: numbers, messages };
        let begun = share.sign(named).map_err(|error| aborted(&error, &post));
        let (machine, Said { spoken, letters }) = begun?;
        let letters = self.seal_letters(&post, 1, &letters)?;
        let session = session.clone();
        let waiting = Waiting { session, work, said: 1, checked, active, signers, machine };
        self.rounds().begin(subject(work), waiting)?;
        Ok(Reply::Spoke { message: Bytes(spoken), letters })
    }

    fn go_on(
        &self,
        waiting: Waiting,
        round: u16,
        (spoken, letters): (&[Spoken], &[Sealed]),
    ) -> Result<Went, Trouble> {
        // Also of a session that was begun before somebody was caught.
        let shares = (waiting.active.plan.key, waiting.active.epoch);
        self.consumptions.demand_unbanned(shares, &waiting.signers)?;
        let (spoken, letters) = match self.heard_of(&waiting, spoken, letters) {
            Ok(heard) => heard,
            // A message that is not this round's changes nothing: the session waits on.
            Err(trouble) => {
                self.rounds().wait_on(waiting);
                return Err(trouble);
            }
        };
        let Waiting { session, work, checked, active, signers, machine, .. } = waiting;
        let post = post(work, &session, &active);
        let stepped = machine.step(&Heard { spoken: &spoken, letters: &letters });
        let stepped = match stepped {
            Ok(stepped) => stepped,
            Err(error) => return Err(self.caught(aborted(&error, &post), shares)),
        };
        match stepped {
            Step::Said(machine, Said { spoken, letters }) => {
                let letters = self.seal_letters(&post, round, &letters)?;
                let on = Waiting { session, work, said: round, checked, active, signers, machine };
                self.rounds().wait_on(on);
                Ok(Went::On(Reply::Spoke { message: Bytes(spoken), letters }))
            }
            Step::Done(signatures) => Ok(Went::Signed(signatures)),
        }
    }

    /// Whoever is proven to have cheated is signed with no more, and that is on disk before anybody hears of
    /// it: the server could keep the log from saying so, and begin again and again.
    fn caught(&self, trouble: Trouble, (key, epoch): (KeyId, u32)) -> Trouble {
        let Trouble::Corrupt(_, Some(holder)) = &trouble else { return trouble };
        match self.consumptions.ban(Banned { key, epoch, holder: *holder }) {
            Ok(()) => trouble,
            Err(error) => error.into(),
        }
    }

    /// What the machine awaits, from whom it awaits it.
    fn heard_of(
        &self,
        waiting: &Waiting,
        said: &[Spoken],
        letters: &[Sealed],
    ) -> Result<(ByHolder<Vec<u8>>, ByHolder<Secret>), Trouble> {
        let post = post(waiting.work, &waiting.session, &waiting.active);
        let awaited = waiting.machine.awaits();
        let mut spoken = ByHolder::new();
        // In most rounds there is nothing for all.
        for Spoken { signer, message } in said.iter().filter(|_| !awaited.spoken.is_empty()) {
            let Some(number) = post.number(*signer) else {
                return refuse(Rule::SignerProtocol, "a stranger's message");
            };
            if spoken.insert(number, message.0.clone()).is_some() {
                return refuse(Rule::SignerProtocol, "two messages of one signer");
            }
        }
        let letters = self.open_letters(&post, waiting.said, letters)?;
        match awaited.check(&Heard { spoken: &spoken, letters: &letters }) {
            Ok(()) => Ok((spoken, letters)),
            Err(error) => refuse(Rule::SignerProtocol, error.to_string()),
        }
    }

    /// The share of a key that is in use, opened once.
    pub(super) fn share_in_rounds(&self, active: &Active) -> Result<AnyShare, Trouble> {
        let protocol = active.plan.protocol;
        if !matches!(protocol, Protocol::Dkls23Secp256k1 | Protocol::FrostEd25519) {
            return refuse(Rule::SignerProtocol, "this key has no such shares");
        }
        let (key, epoch) = (active.plan.key, active.epoch);
        let mut rounds = self.rounds();
        if let Some(share) = rounds.shares.get(&key).filter(|of| of.name().epoch == epoch) {
            return Ok(share.clone());
        }
        let name = ShareName { key: key.0, signer: self.id.0, epoch };
        let unusable = |because: String| {
            Trouble::Corrupt(format!("this signer's key share can't be used: {because}"), None)
        };
        let place = (&self.sealer, self.directory.as_path());
        let share = match AnyShare::load(protocol, place, name) {
            Ok(share) => share,
            Err(error) => return Err(self.unopened(name, error)),
        };
        if package(&share)? != active.public_package.as_slice()
            || active.index_of(self.id) != Some(share.holder())
        {
            return Err(unusable("it is of another key than the log's".to_owned()));
        }
        // Of one key the shares in use alone are kept open.
        rounds.shares.insert(key, share.clone());
        Ok(share)
    }
}

/// The whole transaction, once more, before anything leaves.
fn complete(checked: &Checked, signatures: &[[u8; 64]]) -> Result<Reply, Trouble> {
    let wrong = |what: String| Trouble::Corrupt(format!("own signature: {what}"), None);
    let public = checked.active.public_key.array::<33>();
    let public = public.ok_or_else(|| wrong("its key has not 33 bytes".to_owned()))?;
    if let Err(error) = checked.unsigned.assemble(&public, signatures) {
        return Err(wrong(error.to_string()));
    }
    let signatures = signatures.iter().map(|bytes| Bytes(bytes.to_vec())).collect();
    Ok(Reply::Signatures { signatures })
}

/// What proves nothing against anybody is settled by another session.
fn aborted(error: &RoundError, post: &Post<'_>) -> Trouble {
    if error.is_recoverable() || matches!(error, RoundError::Session { .. }) {
        return Trouble::Refused(Refusal::new(Rule::SignerProtocol, error.to_string()));
    }
    if post.protocol == Protocol::FrostEd25519 && error.culprit().is_some() {
        // All of it was spoken, and for what is spoken in a session only the carrier vouches: nobody is
        // to blame, and another session may do.
        return Trouble::Refused(Refusal::new(Rule::SignerProtocol, error.to_string()));
    }
    let culprit = error.culprit().and_then(|number| post.signer(number));
    Trouble::Corrupt(error.to_string(), culprit)
}
