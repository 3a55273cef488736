//! Rounds of FROST on edwards25519 with anything but the messages that belong to them: a ceremony, and the
//! spend proof of its key. What is spoken in a session blames nobody: only its carrier vouches for it.

use strongroom_chains::spend_proof::verify_proof;
use strongroom_domain::key::{CeremonyPlan, Protocol, Proven};
use strongroom_domain::protocol::{Order, Reply, Sealed, Spoken, Work};
use strongroom_domain::{Bytes, Command, KeyId, Network, ProposalId, TransferId, statement};
use uuid::Uuid;

use super::catalogue::answers;
use super::forge::clock;
use super::rounds::{Said, step};
use super::world::{HSM, World};

/// A case, and how it bends what was spoken.
type Bent<'a> = (&'a str, Box<dyn Fn(&mut Vec<Spoken>)>);

const HOLDERS: [usize; 3] = [0, 1, 2];
const SIGNERS: [usize; 2] = [0, 1];

/// A key of the second form: it has to prove itself.
fn asked(world: &mut World) -> KeyId {
    let (key, proposal) = (KeyId(Uuid::now_v7()), ProposalId(Uuid::now_v7()));
    let participants = HOLDERS.map(|of| world.id(of)).to_vec();
    let plan = CeremonyPlan { key, protocol: Protocol::FrostEd25519, threshold: 2, participants };
    let (maker, expires_at) = (world.forge.people.maker, world.forge.time.plus_seconds(86_400));
    let cosigners = Vec::new();
    world.forge.run(Command::RequestKey { proposal, plan, cosigners, maker, expires_at });
    world.forge.agree(proposal);
    key
}

/// Letters of a ceremony, and none of them as it was sealed.
fn bent(honest: &[Sealed], others: &[Sealed], world: &World) -> Vec<(&'static str, Vec<Sealed>)> {
    let changed = |change: fn(&mut Sealed)| {
        let mut letters = honest.to_vec();
        change(&mut letters[0]);
        letters
    };
    let mut from_another = honest.to_vec();
    from_another[0].sender = world.id(HSM);
    let mut for_another = honest.to_vec();
    for_another[0].receiver = world.id(2);
    vec![
        ("ed25519-no-letters", Vec::new()),
        ("ed25519-letter-missing", honest[1..].to_vec()),
        ("ed25519-letter-twice", [honest, &honest[..1]].concat()),
        ("ed25519-letter-changed", changed(|letter| *letter.sealed.0.last_mut().unwrap() ^= 1)),
        ("ed25519-letter-cut-short", changed(|letter| letter.sealed.0.truncate(40))),
        ("ed25519-letter-of-stranger", from_another),
        ("ed25519-letter-for-another", for_another),
        ("ed25519-letter-of-another-ceremony", others.to_vec()),
    ]
}

impl World {
    /// The first two rounds: everyone's letters.
    fn dealt(&mut self, key: KeyId, tries: bool) -> Said {
        let (work, none) = (Work::Ceremony { key }, Bytes::default());
        let (said, _) = self.round(&HOLDERS, work, &none, (1, &Said::default()));
        if tries {
            let early = step(&mut self.reader(0), work, &none, 2, Said::default());
            answers("ed25519-round-that-log-does-not-show", &early);
            self.goes_on();
            let begun = self.reader(0).begin(key);
            answers("ed25519-ceremony-begun-as-another-protocols", &begun);
            self.goes_on();
        }
        self.publish(key, 1, &said);
        let (letters, _) = self.round(&HOLDERS, work, &none, (2, &said));
        letters
    }
}

fn made(world: &mut World) -> KeyId {
    let (other, key) = (asked(world), asked(world));
    let others = world.dealt(other, false);
    let said = world.dealt(key, true);
    let (work, none) = (Work::Ceremony { key }, Bytes::default());
    let (honest, strange) = (world.for_one(0, &said), world.for_one(0, &others));
    for (name, letters) in bent(&honest.letters, &strange.letters, world) {
        let reply = step(&mut world.reader(0), work, &none, 3, Said { letters, ..Said::default() });
        answers(name, &reply);
        world.goes_on();
    }
    let ahead = step(&mut world.reader(0), work, &none, 4, honest);
    answers("ed25519-round-too-far", &ahead);
    world.goes_on();
    let (_, ended) = world.round(&HOLDERS, work, &none, (3, &said));
    for (_, reply) in ended {
        let Reply::Confirmed { confirmed } = reply else { panic!("{reply:?}") };
        world.forge.run(Command::ConfirmKey { key, confirmed });
    }
    key
}

#[test]
fn an_ed25519_round_follows_its_own_session_or_none_and_the_key_proves_itself() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    world.payer = Some(world.custody(Network::LitecoinRegtest));
    let key = made(&mut world);
    let work = Work::Proof { key, epoch: 1 };
    let named = |signers: &[usize]| {
        let ids = signers.iter().map(|of| world.id(*of));
        let spoken = ids.map(|signer| Spoken { signer, message: Bytes::default() }).collect();
        Said { spoken, letters: Vec::new() }
    };
    let (both, one, strange) = (named(&SIGNERS), named(&SIGNERS[..1]), named(&[0, HSM]));
    let session = |n: u8| Bytes(vec![n; 16]);
    for (name, session, said) in [
        ("ed25519-proof-without-session", Bytes::default(), both.clone()),
        ("ed25519-proof-by-one", session(1), one),
        ("ed25519-proof-with-a-stranger", session(1), strange),
    ] {
        let reply = step(&mut world.reader(0), work, &session, 1, said);
        answers(name, &reply);
        world.goes_on();
    }
    let (old, _) = world.round(&SIGNERS, work, &session(2), (1, &both));
    // No nonce serves twice: each bent commitment is tried in a session of its own.
    let bend = |said: &Said, change: &dyn Fn(&mut Vec<Spoken>)| {
        let mut said = said.clone();
        change(&mut said.spoken);
        said
    };
    let stranger = world.id(HSM);
    let cases: Vec<Bent<'_>> = vec![
        ("ed25519-proof-commitment-missing", Box::new(|of| drop(of.pop()))),
        ("ed25519-proof-commitment-twice", Box::new(|of| of.push(of[1].clone()))),
        ("ed25519-proof-commitment-of-stranger", Box::new(move |of| of[1].signer = stranger)),
        ("ed25519-proof-commitment-malformed", Box::new(|of| of[1].message.0.truncate(20))),
        (
            "ed25519-proof-own-commitment-altered",
            Box::new(|of| of[0].message = of[1].message.clone()),
        ),
    ];
    for (number, (name, change)) in (10..).zip(cases) {
        let (said, _) = world.round(&SIGNERS, work, &session(number), (1, &both));
        let reply = step(&mut world.reader(0), work, &session(number), 2, bend(&said, &change));
        answers(name, &reply);
        world.goes_on();
    }
    let again = step(&mut world.reader(0), work, &session(2), 1, both.clone());
    answers("ed25519-proof-session-begun-twice", &again);
    world.goes_on();
    let displaced = step(&mut world.reader(0), work, &session(2), 2, old);
    answers("ed25519-proof-of-another-session", &displaced);
    world.goes_on();
    let (said, _) = world.round(&SIGNERS, work, &session(3), (1, &both));
    let ahead = step(&mut world.reader(0), work, &session(3), 3, said.clone());
    answers("ed25519-proof-round-too-far", &ahead);
    world.goes_on();
    let (shares, others) = world.round(&SIGNERS, work, &session(3), (2, &said));
    assert!(others.is_empty(), "{others:?}");
    let altered = bend(&shares, &|of| of[1].message.0[8] ^= 1);
    let reply = step(&mut world.reader(0), work, &session(3), 3, altered);
    answers("ed25519-proof-share-altered", &reply);
    world.goes_on();
    let payment = Work::Attempt { transfer: TransferId(Uuid::now_v7()), attempt: 1 };
    let reply = step(&mut world.reader(0), payment, &session(4), 1, both.clone());
    answers("ed25519-payment", &reply);
    world.goes_on();

    let mut before = both;
    for round in 1..=2 {
        let (said, others) = world.round(&SIGNERS, work, &session(5), (round, &before));
        assert!(others.is_empty(), "{others:?}");
        before = said;
    }
    let (_, mut ended) = world.round(&SIGNERS, work, &session(5), (3, &before));
    let Some((_, Reply::Signatures { signatures })) = ended.pop() else { panic!("{ended:?}") };
    let active = world.forge.state.keys[&key].active().unwrap().clone();
    let log = world.forge.state.charter.standing().unwrap().log;
    let text = statement::spend_proof(log, key, 1, active.proven_as());
    verify_proof(&active, 1, &text, &signatures).unwrap();
    world.forge.run(Command::ProveKey { key, proven: Proven { epoch: 1, signatures } });
    // What has proven itself signs nothing more.
    let (session, none) = (session(6), Vec::new());
    let order = Order::Step { work, session, round: 1, spoken: none, letters: Vec::new() };
    assert!(matches!(world.reader(0).ask(&order), Reply::Refused(_)));
}
