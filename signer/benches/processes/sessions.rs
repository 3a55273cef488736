//! Ceremonies, changes and signatures, as a server leads them: every round asks all who have a part
//! in it at once.

use strongroom_chains::UnsignedTx;
use strongroom_chains::frost::{ByHolder, GroupPublic};
use strongroom_domain::key::{CeremonyPlan, KeyChange, RoundOnePublished, RoundPublished};
use strongroom_domain::protocol::{Committed, Order, Reply, Sealed, Spoken, Work};
use strongroom_domain::{Bytes, Command, KeyId, ProposalId, SignerId, TransferId, planned_change};
use uuid::Uuid;

use super::transactions::{Custody, DEPOSIT};
use super::world::World;
use super::{Kind, Size};

impl World {
    fn letters_to(&self, signer: usize, all: &[Sealed]) -> Vec<Sealed> {
        let id = self.ids[signer];
        all.iter().filter(|letter| letter.receiver == id).cloned().collect()
    }

    fn place(&self, signer: SignerId) -> usize {
        self.ids.iter().position(|id| *id == signer).unwrap()
    }

    /// Has a quorum ask for a key of all signers, and all of them know it.
    pub(crate) fn ask_for_key(&mut self, kind: Kind, (threshold, _): Size) -> KeyId {
        let (key, proposal) = (KeyId(Uuid::now_v7()), ProposalId(Uuid::now_v7()));
        let participants = self.ids.clone();
        let plan = CeremonyPlan { key, protocol: kind.protocol(), threshold, participants };
        let (maker, expires_at) = (self.forge.people.maker, self.forge.time.plus_seconds(86_400));
        self.forge.run(Command::RequestCeremony { proposal, plan, maker, expires_at });
        self.forge.agree(proposal);
        self.share();
        key
    }

    /// The ceremony itself.
    pub(crate) fn make(&mut self, kind: Kind, key: KeyId) {
        match kind {
            Kind::Frost => self.make_frost(key),
            Kind::Ecdsa => self.rounds(Work::Ceremony { key }),
        }
    }

    fn make_frost(&mut self, key: KeyId) {
        let begun = self.ask_all(&Order::BeginCeremony { key });
        for (signer, reply) in self.ids.clone().into_iter().zip(begun) {
            let Reply::RoundOne { package } = reply else { panic!("{reply:?}") };
            let published = RoundOnePublished { signer, package };
            self.forge.run(Command::PublishRoundOne { key, published });
        }
        self.share();
        let mut letters = Vec::new();
        for reply in self.ask_all(&Order::ContinueCeremony { key }) {
            let Reply::RoundTwo { sealed } = reply else { panic!("{reply:?}") };
            letters.extend(sealed);
        }
        let finish = |signer| {
            let sealed = self.letters_to(signer, &letters);
            (signer, Order::FinishCeremony { key, sealed })
        };
        let orders = (0..self.ids.len()).map(finish).collect();
        for reply in self.ask(orders) {
            let Reply::Confirmed { confirmed } = reply else { panic!("{reply:?}") };
            self.forge.run(Command::ConfirmKey { key, confirmed });
        }
    }

    /// Has a quorum agree to new shares for the same holders, and all of them know it.
    pub(crate) fn ask_for_refresh(&mut self, key: KeyId) -> u32 {
        let none = std::collections::BTreeSet::new();
        let planned: KeyChange = planned_change(&self.forge.state, key, none, None).unwrap();
        let proposal = ProposalId(Uuid::now_v7());
        let (maker, expires_at) = (self.forge.people.maker, self.forge.time.plus_seconds(86_400));
        let asked = Command::RequestKeyChange { proposal, change: planned, maker, expires_at };
        self.forge.run(asked);
        self.forge.agree(proposal);
        self.share();
        let active = self.forge.state.keys[&key].existing().unwrap();
        active.change.as_ref().unwrap().epoch
    }

    /// The change itself.
    pub(crate) fn refresh(&mut self, key: KeyId, epoch: u32) {
        self.rounds(Work::Change { key, epoch });
    }

    /// Rounds whose broadcasts the log carries, until all have confirmed.
    fn rounds(&mut self, work: Work) {
        let (Work::Ceremony { key } | Work::Change { key, .. }) = work else { panic!() };
        let epoch = if let Work::Change { epoch, .. } = work { epoch } else { 1 };
        let mut before: Vec<Sealed> = Vec::new();
        for round in 1.. {
            let order = |signer| {
                let letters = self.letters_to(signer, &before);
                let session = Bytes::default();
                (signer, Order::Step { work, session, round, spoken: Vec::new(), letters })
            };
            let orders = (0..self.ids.len()).map(order).collect();
            let (mut letters, mut published, mut ended) = (Vec::new(), false, 0);
            for (signer, reply) in self.ids.clone().into_iter().zip(self.ask(orders)) {
                match reply {
                    Reply::Spoke { message: package, letters: sealed } => {
                        letters.extend(sealed);
                        if !package.as_slice().is_empty() {
                            let said = RoundPublished { signer, epoch, round, package };
                            self.forge.run(Command::PublishRound { key, published: said });
                            published = true;
                        }
                    }
                    Reply::Confirmed { confirmed } => {
                        self.forge.run(Command::ConfirmKey { key, confirmed });
                        ended += 1;
                    }
                    Reply::EpochConfirmed { confirmed } => {
                        self.forge.run(Command::ConfirmEpoch { key, confirmed });
                        ended += 1;
                    }
                    other => panic!("round {round}: {other:?}"),
                }
            }
            if ended == self.ids.len() {
                return;
            }
            if published {
                self.share();
            }
            before = letters;
        }
    }

    /// The signatures of an attempt by as many as sign, combined and verified.
    pub(crate) fn sign(&mut self, kind: Kind, custody: &Custody, transfer: TransferId) {
        let attempt = self.forge.state.transfers[&transfer].attempts().unwrap();
        let unsigned = UnsignedTx::parse(custody.network, &attempt.current.unsigned).unwrap();
        let signatures = match kind {
            Kind::Frost => self.sign_frost(custody, transfer, &unsigned),
            Kind::Ecdsa => self.sign_ecdsa(custody, transfer),
        };
        unsigned.assemble(&custody.public_key, &signatures).unwrap();
    }

    fn sign_frost(
        &mut self,
        custody: &Custody,
        transfer: TransferId,
        unsigned: &UnsignedTx,
    ) -> Vec<[u8; 64]> {
        let owns = |address: &_| (custody.deposit == *address).then_some(DEPOSIT);
        let payload = unsigned.signing_payloads(&owns).unwrap()[0];
        let signers = custody.signers.clone();
        let places: Vec<usize> = signers.iter().map(|signer| self.place(*signer)).collect();
        let attempt = 1;
        let commit = Order::Commit { transfer, attempt };
        let orders = places.iter().map(|place| (*place, commit.clone())).collect();
        let (mut sessions, mut committed) = (Vec::new(), Vec::new());
        for (signer, reply) in signers.iter().copied().zip(self.ask(orders)) {
            let Reply::Committed { session, commitments } = reply else { panic!("{reply:?}") };
            sessions.push(session);
            committed.push(Committed { signer, commitments });
        }
        let order = |(place, session): (&usize, Bytes)| {
            let commitments = committed.clone();
            (*place, Order::Sign { transfer, attempt, session, commitments })
        };
        let orders = places.iter().zip(sessions).map(order).collect();
        let (mut shares, mut commitments) = (ByHolder::new(), ByHolder::new());
        for ((place, reply), said) in places.iter().zip(self.ask(orders)).zip(&committed) {
            let Reply::Shares { shares: mine } = reply else { panic!("{reply:?}") };
            let holder = u16::try_from(*place).unwrap() + 1;
            shares.insert(holder, mine[0].0.clone());
            commitments.insert(holder, said.commitments[0].0.clone());
        }
        let public = GroupPublic::from_bytes(custody.package.as_slice()).unwrap();
        vec![public.combine(DEPOSIT.into(), &payload.digest, &commitments, &shares).unwrap()]
    }

    fn sign_ecdsa(&mut self, custody: &Custody, transfer: TransferId) -> Vec<[u8; 64]> {
        let work = Work::Attempt { transfer, attempt: 1 };
        let session = Bytes(Uuid::new_v4().as_bytes().to_vec());
        let signers = custody.signers.clone();
        let places: Vec<usize> = signers.iter().map(|signer| self.place(*signer)).collect();
        let (mut said, mut before) = (Vec::<Spoken>::new(), Vec::<Sealed>::new());
        for round in 1.. {
            let order = |place: &usize| {
                let letters = self.letters_to(*place, &before);
                let (session, spoken) = (session.clone(), said.clone());
                (*place, Order::Step { work, session, round, spoken, letters })
            };
            let orders = places.iter().map(order).collect();
            let (mut spoken, mut next) = (Vec::new(), Vec::new());
            for (signer, reply) in signers.iter().copied().zip(self.ask(orders)) {
                match reply {
                    Reply::Spoke { message, letters } => {
                        next.extend(letters);
                        if !message.as_slice().is_empty() {
                            spoken.push(Spoken { signer, message });
                        }
                    }
                    Reply::Signatures { signatures } => {
                        return signatures.iter().map(|one| one.array().unwrap()).collect();
                    }
                    other => panic!("round {round}: {other:?}"),
                }
            }
            (said, before) = (spoken, next);
        }
        unreachable!("it has an end")
    }
}

/// FROST's second round for the first of two signers, from what both answered to the first.
pub(crate) fn second_round(
    ids: &[SignerId],
    transfer: TransferId,
    first: Vec<Reply>,
    second: Vec<Reply>,
) -> Order {
    let (mut sessions, mut commitments) = (Vec::new(), Vec::new());
    for (signer, reply) in ids.iter().copied().zip(first.into_iter().chain(second)) {
        let Reply::Committed { session, commitments: said } = reply else { panic!("{reply:?}") };
        sessions.push(session);
        commitments.push(Committed { signer, commitments: said });
    }
    Order::Sign { transfer, attempt: 1, session: sessions.swap_remove(0), commitments }
}
