//! Spend proofs that a hostile server asks for: of another key, epoch or session, by others than who
//! holds it, or to get a signature over something else. Each is refused, and an honest one is made.

use strongroom_chains::frost::{ByHolder, GroupPublic};
use strongroom_chains::spend_proof::{digest, path, verify_proof};
use strongroom_domain::key::{
    CeremonyPlan, Proof, Protocol, Proven, QuarantinedBy, RoundOnePublished,
};
use strongroom_domain::protocol::{Order, Reply, Spoken, Work};
use strongroom_domain::{
    Bytes, Command, KeyId, Network, ProposalId, SignerId, TransferId, statement,
};
use uuid::Uuid;

use super::catalogue::answers;
use super::forge::clock;
use super::world::World;

const HOLDERS: [usize; 3] = [0, 1, 2];

/// A key that has to prove itself, made by three.
pub(super) fn unproven(world: &mut World) -> KeyId {
    let (key, proposal) = (KeyId(Uuid::now_v7()), ProposalId(Uuid::now_v7()));
    let participants = HOLDERS.map(|of| world.id(of)).to_vec();
    let protocol = Protocol::FrostSecp256k1Tr;
    let plan = CeremonyPlan { key, protocol, threshold: 2, participants };
    let (maker, expires_at) = (world.forge.people.maker, world.forge.time.plus_seconds(86_400));
    let cosigners = Vec::new();
    world.forge.run(Command::RequestKey { proposal, plan, cosigners, maker, expires_at });
    world.forge.agree(proposal);
    for of in HOLDERS {
        let Reply::RoundOne { package } = world.reader(of).begin(key) else { panic!("no round") };
        let published = RoundOnePublished { signer: world.id(of), package };
        world.forge.run(Command::PublishRoundOne { key, published });
    }
    let mut letters = Vec::new();
    for of in HOLDERS {
        match world.reader(of).ask(&Order::ContinueCeremony { key }) {
            Reply::RoundTwo { sealed } => letters.extend(sealed),
            other => panic!("{other:?}"),
        }
    }
    for of in HOLDERS {
        let id = world.id(of);
        let sealed = letters.iter().filter(|letter| letter.receiver == id).cloned().collect();
        match world.reader(of).ask(&Order::FinishCeremony { key, sealed }) {
            Reply::Confirmed { confirmed } => {
                world.forge.run(Command::ConfirmKey { key, confirmed });
            }
            other => panic!("{other:?}"),
        }
    }
    key
}

fn named(signers: &[SignerId]) -> Vec<Spoken> {
    let empty = |signer: &SignerId| Spoken { signer: *signer, message: Bytes::default() };
    signers.iter().map(empty).collect()
}

fn step((key, epoch): (KeyId, u32), session: &Bytes, round: u16, spoken: Vec<Spoken>) -> Order {
    let (work, session) = (Work::Proof { key, epoch }, session.clone());
    Order::Step { work, session, round, spoken, letters: Vec::new() }
}

pub(super) fn session(n: u8) -> Bytes {
    Bytes(vec![n; 16])
}

fn message(reply: Reply) -> Bytes {
    match reply {
        Reply::Spoke { message, .. } => message,
        other => panic!("{other:?}"),
    }
}

/// What both first holders say in round one.
pub(super) fn committed(world: &World, key: KeyId, name: &Bytes) -> Vec<Spoken> {
    let ids = [world.id(0), world.id(1)];
    let say = |of: usize| {
        let message = message(world.reader(of).ask(&step((key, 1), name, 1, named(&ids))));
        Spoken { signer: world.id(of), message }
    };
    vec![say(0), say(1)]
}

#[test]
fn a_proof_is_made_once_for_a_key_that_has_to_prove_itself() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let old = world.custody(Network::LitecoinRegtest);
    let key = unproven(&mut world);
    let ids = [world.id(0), world.id(1)];
    let (me, other, stranger) = (ids[0], ids[1], world.id(3));
    let first: Vec<(&str, Order)> = vec![
        ("proof-of-no-key", step((KeyId(Uuid::now_v7()), 1), &session(1), 1, named(&ids))),
        ("proof-of-a-key-of-the-first-form", step((old.key, 1), &session(1), 1, named(&ids))),
        ("proof-of-another-epoch", step((key, 2), &session(1), 1, named(&ids))),
        ("proof-of-no-epoch", step((key, 0), &session(1), 1, named(&ids))),
        ("proof-in-a-session-without-a-name", step((key, 1), &Bytes::default(), 1, named(&ids))),
        ("proof-by-one", step((key, 1), &session(1), 1, named(&[me]))),
        ("proof-by-one-twice", step((key, 1), &session(1), 1, named(&[me, me]))),
        ("proof-without-this-signer", step((key, 1), &session(1), 1, named(&[other, world.id(2)]))),
        ("proof-with-a-stranger", step((key, 1), &session(1), 1, named(&[me, stranger]))),
        ("proof-by-all", step((key, 1), &session(1), 1, named(&[me, other, world.id(2)]))),
        ("proof-round-two-first", step((key, 1), &session(1), 2, named(&ids))),
        ("proof-round-three", step((key, 1), &session(1), 3, named(&ids))),
        ("proof-round-none", step((key, 1), &session(1), 0, named(&ids))),
    ];
    for (name, order) in first {
        answers(name, &world.reader(0).ask(&order));
        world.pays(&old);
    }
    let spoken = committed(&world, key, &session(2));
    let again = step((key, 1), &session(2), 1, named(&ids));
    answers("proof-session-again", &world.reader(0).ask(&again));
    world.pays(&old);
    let mut swapped = spoken.clone();
    swapped[0].message = spoken[1].message.clone();
    let bent: Vec<(&str, Vec<Spoken>)> = vec![
        ("proof-own-commitment-altered", swapped),
        ("proof-own-commitment-alone", spoken[..1].to_vec()),
        ("proof-others-commitment-alone", spoken[1..].to_vec()),
        (
            "proof-commitment-of-a-stranger",
            vec![
                spoken[0].clone(),
                Spoken { signer: stranger, message: spoken[1].message.clone() },
            ],
        ),
    ];
    for (number, (name, bent)) in (10..).zip(bent) {
        let spoken = committed(&world, key, &session(number));
        let mut bent = bent;
        for said in &mut bent {
            // The session's own words, where the lie is another.
            if let Some(now) = spoken.iter().find(|now| now.signer == said.signer)
                && name != "proof-own-commitment-altered"
            {
                said.message = now.message.clone();
            }
        }
        let order = step((key, 1), &session(number), 2, bent);
        answers(name, &world.reader(0).ask(&order));
        world.pays(&old);
        let right = step((key, 1), &session(number), 2, spoken);
        answers("proof-nonce-again", &world.reader(0).ask(&right));
        world.pays(&old);
    }
    // Its words are of no use for a transaction.
    let spoken = committed(&world, key, &session(30));
    let sign = Order::Sign {
        transfer: TransferId(Uuid::now_v7()),
        attempt: 1,
        session: session(30),
        commitments: Vec::new(),
    };
    answers("proof-session-for-a-payment", &world.reader(0).ask(&sign));
    world.pays(&old);
    proves(&mut world, key, &session(30), &spoken);
    answers(
        "proof-of-shares-that-have-proven-themselves",
        &world.reader(0).ask(&step((key, 1), &session(40), 1, named(&ids))),
    );
    world.pays(&old);
}

/// Both give their part, and the log takes what comes out.
pub(super) fn proves(world: &mut World, key: KeyId, name: &Bytes, spoken: &[Spoken]) {
    let active = world.forge.state.keys[&key].active().unwrap().clone();
    let (mut commitments, mut shares) = (ByHolder::new(), ByHolder::new());
    for (holder, of) in [(1, 0), (2, 1)] {
        let order = step((key, 1), name, 2, spoken.to_vec());
        shares.insert(holder, message(world.reader(of).ask(&order)).0);
        commitments.insert(holder, spoken[of].message.0.clone());
    }
    let log = world.forge.state.charter.standing().unwrap().log;
    let text = statement::spend_proof(log, key, 1, &active.public_key);
    let group = GroupPublic::from_bytes(active.public_package.as_slice()).unwrap();
    let signature = group.combine(path(1), &digest(&text), &commitments, &shares).unwrap();
    let signatures = vec![Bytes(signature.to_vec())];
    verify_proof(&active, 1, &text, &signatures).unwrap();
    world.forge.run(Command::ProveKey { key, proven: Proven { epoch: 1, signatures } });
    let now = world.forge.state.keys[&key].active().unwrap();
    assert_eq!(now.proof, Proof::Given { epoch: 1 });
}

#[test]
fn a_quarantined_key_proves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let old = world.custody(Network::LitecoinRegtest);
    let key = unproven(&mut world);
    let ids = [world.id(0), world.id(1)];
    let halted = QuarantinedBy { by: world.forge.people.officer, because: "theft".to_owned() };
    world.forge.run(Command::HaltKey { key, halted });
    let order = step((key, 1), &session(1), 1, named(&ids));
    answers("proof-of-a-quarantined-key", &world.reader(0).ask(&order));
    world.pays(&old);
}
