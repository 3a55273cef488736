//! Protocols of several rounds (threshold ECDSA) with anything but the messages that belong to a
//! round. A session begins once and makes one signature or none, whatever a hostile server sends.

use std::collections::BTreeMap;

use strongroom_chains::UnsignedTx;
use strongroom_domain::key::{Protocol, RoundPublished};
use strongroom_domain::protocol::{Order, Reply, Sealed, Spoken, Work};
use strongroom_domain::{Bytes, Command, KeyId, Network, TransferId};

use super::catalogue::answers;
use super::forge::clock;
use super::link::Link;
use super::world::World;

const HOLDERS: [usize; 3] = [0, 1, 2];
const SIGNERS: [usize; 2] = [0, 1];

/// What the signers of a session, or the holders of a ceremony, said in a round.
#[derive(Clone, Default)]
pub(super) struct Said {
    pub(super) spoken: Vec<Spoken>,
    pub(super) letters: Vec<Sealed>,
}

pub(super) fn step(link: &mut Link, work: Work, session: &Bytes, round: u16, said: Said) -> Reply {
    let Said { spoken, letters } = said;
    link.ask(&Order::Step { work, session: session.clone(), round, spoken, letters })
}

impl World {
    /// The letters of `said` for one signer, with all that was spoken.
    pub(super) fn for_one(&self, signer: usize, said: &Said) -> Said {
        let id = self.id(signer);
        let letters = said.letters.iter().filter(|letter| letter.receiver == id).cloned().collect();
        Said { spoken: said.spoken.clone(), letters }
    }

    /// A round, by all of these: what they said, unless it was the last.
    pub(super) fn round(
        &self,
        who: &[usize],
        work: Work,
        session: &Bytes,
        (round, before): (u16, &Said),
    ) -> (Said, Vec<(usize, Reply)>) {
        let (mut after, mut others) = (Said::default(), Vec::new());
        for signer in who.iter().copied() {
            let mut link = self.reader(signer);
            match step(&mut link, work, session, round, self.for_one(signer, before)) {
                Reply::Spoke { message, letters } => {
                    after.spoken.push(Spoken { signer: self.id(signer), message });
                    after.letters.extend(letters);
                }
                other => others.push((signer, other)),
            }
        }
        // Only what is not empty is spoken to all.
        after.spoken.retain(|spoken| !spoken.message.as_slice().is_empty());
        (after, others)
    }

    pub(super) fn publish(&mut self, key: KeyId, round: u16, said: &Said) {
        for Spoken { signer, message } in said.spoken.clone() {
            let published = RoundPublished { signer, epoch: 1, round, package: message };
            self.forge.run(Command::PublishRound { key, published });
        }
    }

    /// An honest ceremony; what a hostile server tries before each round is refused.
    pub(super) fn make_in_rounds(&mut self, holders: &[usize]) -> KeyId {
        let key = self.request_key(Protocol::Dkls23Secp256k1, holders, true);
        let (work, none) = (Work::Ceremony { key }, Bytes::default());
        let mut before = Said::default();
        let mut ended = Vec::new();
        for round in 1..=4 {
            if round > 1 {
                self.bent_rounds_are_refused(work, round, &before);
            }
            let (said, others) = self.round(holders, work, &none, (round, &before));
            // Asked again, perhaps after a lost answer, everybody says the same.
            if round < 4 {
                let (again, _) = self.round(holders, work, &none, (round, &Said::default()));
                assert_eq!(again.spoken, said.spoken);
                assert_eq!(again.letters, said.letters);
            }
            if round == 2 {
                // The next round begins when the log shows all of this one.
                let mut link = self.reader(0);
                let early = step(&mut link, work, &none, 3, self.for_one(0, &said));
                answers("ecdsa-round-that-log-does-not-show", &early);
                self.goes_on();
            }
            self.publish(key, round, &said);
            before = said;
            ended = others;
        }
        for (_, reply) in ended {
            let Reply::Confirmed { confirmed } = reply else { panic!("{reply:?}") };
            self.forge.run(Command::ConfirmKey { key, confirmed });
        }
        key
    }

    fn bent_rounds_are_refused(&mut self, work: Work, round: u16, before: &Said) {
        let mut link = self.reader(0);
        let honest = self.for_one(0, before);
        for (name, letters) in bent_letters(&honest.letters, self) {
            let said = Said { spoken: Vec::new(), letters };
            let reply = step(&mut link, work, &Bytes::default(), round, said);
            answers(name, &reply);
            self.goes_on();
        }
        let ahead = step(&mut link, work, &Bytes::default(), round + 1, honest);
        answers("ecdsa-round-too-far", &ahead);
        self.goes_on();
    }

    pub(super) fn signs(&self, transfer: TransferId, session: &Bytes) -> Vec<[u8; 64]> {
        let work = Work::Attempt { transfer, attempt: 1 };
        let mut before = Said::default();
        for round in 1..=3 {
            let (said, others) = self.round(&SIGNERS, work, session, (round, &before));
            assert!(others.is_empty(), "round {round}: {others:?}");
            before = said;
        }
        let (_, mut ended) = self.round(&SIGNERS, work, session, (4, &before));
        let all: BTreeMap<usize, Vec<Bytes>> = ended
            .drain(..)
            .map(|(signer, reply)| match reply {
                Reply::Signatures { signatures } => (signer, signatures),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(all[&0], all[&1]);
        all[&0].iter().map(|bytes| bytes.array().unwrap()).collect()
    }
}

/// Letters of a round, and none of them as it was sealed.
fn bent_letters(honest: &[Sealed], world: &World) -> Vec<(&'static str, Vec<Sealed>)> {
    let changed = |change: fn(&mut Sealed)| {
        let mut letters = honest.to_vec();
        change(&mut letters[0]);
        letters
    };
    let mut from_another = honest.to_vec();
    from_another[0].sender = world.id(super::world::HSM);
    let mut for_another = honest.to_vec();
    for_another[0].receiver = world.id(2);
    let mut own = honest.to_vec();
    own[0].sender = world.id(0);
    let doubled = [honest, &honest[..1]].concat();
    vec![
        ("ecdsa-no-letters", Vec::new()),
        ("ecdsa-letter-missing", honest[1..].to_vec()),
        ("ecdsa-letter-twice", doubled),
        ("ecdsa-letter-changed", changed(|letter| *letter.sealed.0.last_mut().unwrap() ^= 1)),
        ("ecdsa-letter-cut-short", changed(|letter| letter.sealed.0.truncate(40))),
        ("ecdsa-letter-empty", changed(|letter| letter.sealed.0.clear())),
        ("ecdsa-letter-of-stranger", from_another),
        ("ecdsa-letter-for-another", for_another),
        ("ecdsa-letter-of-its-own", own),
    ]
}

#[test]
fn a_round_follows_its_own_session_or_none_and_the_honest_payment_is_signed() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let network = Network::EthereumDev;
    world.payer = Some(world.custody(Network::LitecoinRegtest));
    let custody = world.custody_of(network, Protocol::Dkls23Secp256k1, (&HOLDERS, &SIGNERS));
    let transfer = custody.honest(&mut world.forge).intent.transfer;
    let work = Work::Attempt { transfer, attempt: 1 };
    let (first, second) = (Bytes(vec![1; 16]), Bytes(vec![2; 16]));

    let nothing = Said::default;
    for (name, session) in [("ecdsa-no-session", vec![]), ("ecdsa-short-session", vec![3; 15])] {
        let reply = step(&mut world.reader(0), work, &Bytes(session), 1, nothing());
        answers(name, &reply);
        world.goes_on();
    }
    let (old, _) = world.round(&SIGNERS, work, &first, (1, &nothing()));
    let (said, _) = world.round(&SIGNERS, work, &second, (1, &nothing()));
    let again = step(&mut world.reader(0), work, &second, 1, nothing());
    answers("ecdsa-session-begun-twice", &again);
    world.goes_on();
    let displaced = step(&mut world.reader(0), work, &first, 2, world.for_one(0, &old));
    answers("ecdsa-session-before-last", &displaced);
    world.goes_on();

    let honest = world.for_one(0, &said);
    let mut cases = bent_letters(&honest.letters, &world);
    cases.push(("ecdsa-letter-of-another-session", world.for_one(0, &old).letters));
    for (name, letters) in cases {
        let bent = Said { letters, ..honest.clone() };
        let reply = step(&mut world.reader(0), work, &second, 2, bent);
        answers(name, &reply);
        world.goes_on();
    }
    let ahead = step(&mut world.reader(0), work, &second, 3, honest.clone());
    answers("ecdsa-round-too-far", &ahead);
    world.goes_on();
    for other in
        [Work::Attempt { transfer, attempt: 2 }, Work::Change { key: custody.key, epoch: 2 }]
    {
        let reply = step(&mut world.reader(0), other, &second, 2, honest.clone());
        assert!(matches!(reply, Reply::Refused(_)), "{reply:?}");
    }

    // The session has waited: its own letters take it further, and those of round 1 no more.
    let (next, others) = world.round(&SIGNERS, work, &second, (2, &said));
    assert!(others.is_empty(), "{others:?}");
    let replayed = step(&mut world.reader(0), work, &second, 2, honest.clone());
    answers("ecdsa-round-twice", &replayed);
    world.goes_on();
    let stale = step(&mut world.reader(0), work, &second, 3, honest);
    answers("ecdsa-letters-of-round-before", &stale);
    world.goes_on();
    let (mut sums, others) = world.round(&SIGNERS, work, &second, (3, &next));
    assert!(others.is_empty(), "{others:?}");
    // A sum that was changed on the way: no signature, and nobody is blamed.
    *sums.spoken[1].message.0.last_mut().unwrap() ^= 1;
    let (_, others) = world.round(&SIGNERS[..1], work, &second, (4, &sums));
    answers("ecdsa-changed-sum", &others[0].1);
    world.goes_on();

    // A restart forgets the session, and another is signed.
    world.restart(1);
    let forgotten = step(&mut world.reader(1), work, &second, 4, sums);
    answers("ecdsa-session-from-before-restart", &forgotten);
    world.goes_on();
    let signatures = world.signs(transfer, &Bytes(vec![4; 16]));
    let attempt = world.forge.state.transfers[&transfer].attempts().unwrap().current.clone();
    let unsigned = UnsignedTx::parse(network, &attempt.unsigned).unwrap();
    unsigned.assemble(&custody.public_key, &signatures).unwrap();
}
