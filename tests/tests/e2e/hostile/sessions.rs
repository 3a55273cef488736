//! FROST's second round with anything but the first round that belongs to it. A signing nonce makes
//! one share or none, whatever a hostile server sends.

use strongroom_domain::protocol::{Committed, Order, Reply};
use strongroom_domain::{Bytes, Network, SignerId, TransferId, transfer::Abstention};

use super::catalogue::answers;
use super::forge::clock;
use super::link::Link;
use super::transactions::FEE;
use super::world::{World, commit_all};

/// A first round of both signers, and what the second should be.
struct Round {
    transfer: TransferId,
    session: Bytes,
    other_session: Bytes,
    committed: Vec<Committed>,
    /// Who has no part in it.
    stranger: SignerId,
}

/// What is sent in place of the second round.
type Bent = fn(&Round) -> (Bytes, Vec<Committed>);

fn second_rounds() -> Vec<(&'static str, Bent)> {
    vec![
        ("round-session-that-never-was", |round| (Bytes(vec![1; 16]), round.committed.clone())),
        ("round-no-session", |round| (Bytes::default(), round.committed.clone())),
        ("round-other-signers-session", |round| {
            (round.other_session.clone(), round.committed.clone())
        }),
        ("round-strangers-commitments", |round| {
            let mut committed = round.committed.clone();
            committed[1].signer = round.stranger;
            (round.session.clone(), committed)
        }),
        ("round-strangers-commitments-besides", |round| {
            let mut committed = round.committed.clone();
            committed.push(Committed { signer: round.stranger, ..committed[1].clone() });
            (round.session.clone(), committed)
        }),
        ("round-own-commitments-alone", |round| {
            (round.session.clone(), round.committed[..1].to_vec())
        }),
        ("round-own-commitments-twice", |round| {
            let one = round.committed[0].clone();
            (round.session.clone(), vec![one.clone(), one])
        }),
        ("round-own-commitments-altered", |round| {
            let mut committed = round.committed.clone();
            committed[0].commitments = committed[1].commitments.clone();
            (round.session.clone(), committed)
        }),
        ("round-own-commitments-missing", |round| {
            (round.session.clone(), round.committed[1..].to_vec())
        }),
        ("round-commitment-too-many", |round| {
            let mut committed = round.committed.clone();
            let one = committed[1].commitments[0].clone();
            committed[1].commitments.push(one);
            (round.session.clone(), committed)
        }),
        ("round-commitment-too-few", |round| {
            let mut committed = round.committed.clone();
            committed[1].commitments.clear();
            (round.session.clone(), committed)
        }),
        ("round-commitments-that-are-no-points", |round| {
            let mut committed = round.committed.clone();
            committed[1].commitments[0].0.fill(0xff);
            (round.session.clone(), committed)
        }),
        ("round-commitments-to-nothing", |round| {
            let mut committed = round.committed.clone();
            committed[1].commitments[0].0.fill(0);
            (round.session.clone(), committed)
        }),
        ("round-commitments-cut-short", |round| {
            let mut committed = round.committed.clone();
            committed[1].commitments[0].0.truncate(20);
            (round.session.clone(), committed)
        }),
    ]
}

fn sign(
    link: &mut Link,
    transfer: TransferId,
    attempt: u32,
    round: (Bytes, Vec<Committed>),
) -> Reply {
    let (session, commitments) = round;
    link.ask(&Order::Sign { transfer, attempt, session, commitments })
}

#[test]
fn a_second_round_follows_its_own_first_round_or_none() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::LitecoinRegtest);
    let ids = [world.id(0), world.id(1)];
    let transfer = custody.honest(&mut world.forge).intent.transfer;
    let other = custody.honest(&mut world.forge).intent.transfer;
    let mut links = [world.reader(0), world.reader(1)];
    let stranger = world.id(2);
    let begin = |links: &mut [Link], transfer| {
        let (sessions, committed) = commit_all(links, transfer, &ids);
        let (session, other_session) = (sessions[0].clone(), sessions[1].clone());
        Round { transfer, session, other_session, committed, stranger }
    };
    for (name, bent) in second_rounds() {
        let round = begin(&mut links, transfer);
        let reply = sign(&mut links[0], round.transfer, 1, bent(&round));
        answers(name, &reply);
        world.pays(&custody);
    }

    let (one, two) = (begin(&mut links, transfer), begin(&mut links, other));
    let crossed = (two.session.clone(), two.committed.clone());
    let reply = sign(&mut links[0], transfer, 1, crossed);
    answers("sign-another-transfers-session", &reply);
    world.pays(&custody);
    let mixed = (one.session.clone(), vec![one.committed[0].clone(), two.committed[1].clone()]);
    // Of the right signer, for another digest: a share that helps nobody, and the nonce is gone.
    assert!(matches!(sign(&mut links[0], transfer, 1, mixed.clone()), Reply::Shares { .. }));
    answers("sign-session-twice", &sign(&mut links[0], transfer, 1, mixed));
    world.pays(&custody);
    let honest = (one.session, one.committed);
    let reply = sign(&mut links[0], transfer, 1, honest);
    answers("sign-session-twice-with-other-commitments", &reply);
    world.pays(&custody);

    let (first, second) = (begin(&mut links, transfer), begin(&mut links, transfer));
    let reply = sign(&mut links[0], transfer, 1, (first.session, first.committed));
    answers("sign-session-that-another-took-place-of", &reply);
    world.pays(&custody);
    world.restart(0);
    let reply = sign(&mut world.reader(0), transfer, 1, (second.session, second.committed));
    answers("sign-session-from-before-restart", &reply);
    world.pays(&custody);

    world.pays(&custody);
}

#[test]
fn a_second_round_of_an_attempt_that_was_replaced_or_failed_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::LitecoinRegtest);
    let coin = custody.fund(&mut world.forge);
    let asked = custody.ask_and_approve(&mut world.forge);
    custody.authorise_honestly(&mut world.forge, &asked, &coin);
    let transfer = asked.intent.transfer;
    let ids = [world.id(0), world.id(1)];
    let (sessions, committed) = commit_all(&mut [world.reader(0), world.reader(1)], transfer, &ids);
    let round = (sessions[0].clone(), committed);

    let (mut attempt, spends) = custody.honest_attempt(&world.forge, &asked, &coin);
    attempt.attempt = 2;
    attempt.unsigned = custody.psbt(&asked.intent, &coin, 2 * FEE);
    attempt.fee = strongroom_domain::Amount::new(2 * FEE);
    custody.authorise(&mut world.forge, &asked, attempt, spends);
    let reply = sign(&mut world.reader(0), transfer, 1, round.clone());
    answers("sign-round-two-of-attempt-that-was-replaced", &reply);
    world.pays(&custody);
    let reply = sign(&mut world.reader(0), transfer, 2, round);
    answers("sign-first-attempts-session-under-seconds-number", &reply);
    world.pays(&custody);

    let asked = custody.honest(&mut world.forge);
    let (ids, transfer) = ([world.id(0)], asked.intent.transfer);
    let mut link = world.reader(0);
    let Reply::Committed { session, commitments } = link.commit(transfer, 1) else { panic!() };
    let abstentions = vec![abstain(&mut world, 1, transfer), abstain(&mut world, 2, transfer)];
    let because = "for the test".to_owned();
    world.forge.run(strongroom_domain::Command::FailTransfer { transfer, because, abstentions });
    let committed = vec![Committed { signer: ids[0], commitments }];
    let reply = sign(&mut world.reader(0), transfer, 1, (session, committed));
    answers("sign-round-two-after-transfer-failed", &reply);
    world.pays(&custody);
    world.pays(&custody);
}

fn abstain(world: &mut World, signer: usize, transfer: TransferId) -> Abstention {
    match world.reader(signer).ask(&Order::Abstain { transfer }) {
        Reply::Abstained { signature } => Abstention { signer: world.id(signer), signature },
        other => panic!("signer {signer} did not swear it off: {other:?}"),
    }
}

#[test]
fn who_has_consumed_does_not_swear_it_off_and_who_has_sworn_does_not_consume() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::LitecoinRegtest);
    let transfer = custody.honest(&mut world.forge).intent.transfer;
    let Reply::Committed { .. } = world.reader(0).commit(transfer, 1) else { panic!() };
    for restarted in [false, true] {
        if restarted {
            world.restart(0);
            world.restart(1);
        }
        let reply = world.reader(0).ask(&Order::Abstain { transfer });
        answers("sign-sworn-off-after-it-was-consumed", &reply);
        world.pays(&custody);
        let first = abstain(&mut world, 1, transfer);
        assert_eq!(first, abstain(&mut world, 1, transfer), "the same word each time");
        let reply = world.reader(1).commit(transfer, 1);
        answers("sign-consumed-after-it-was-sworn-off", &reply);
        world.pays(&custody);
    }
    let unknown = TransferId(uuid::Uuid::now_v7());
    let reply = world.reader(0).ask(&Order::Abstain { transfer: unknown });
    answers("sign-swearing-off-what-nobody-asked-for", &reply);
    world.pays(&custody);
    world.pays(&custody);
}

#[test]
fn a_key_signs_by_its_own_protocol_and_with_its_own_holders() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let coins = world.custody(Network::LitecoinRegtest);
    let account = world.custody(Network::EthereumDev);
    let by_shares = coins.honest(&mut world.forge).intent.transfer;
    let by_token = account.honest(&mut world.forge).intent.transfer;
    let hsm = super::world::HSM;
    let reply = world.reader(0).sign_alone(by_shares, 1);
    answers("sign-share-asked-to-sign-alone", &reply);
    world.pays(&coins);
    let reply = world.reader(hsm).commit(by_token, 1);
    answers("sign-token-asked-for-round-one", &reply);
    world.pays(&account);
    answers("sign-holder-that-is-not-of-attempt", &world.reader(2).commit(by_shares, 1));
    world.pays(&coins);
    answers("sign-signer-that-holds-no-share", &world.reader(hsm).commit(by_shares, 1));
    world.pays(&coins);
    world.pays(&coins);
    answers("sign-signer-that-holds-no-share", &world.reader(0).sign_alone(by_token, 1));
    let order = Order::Sign {
        transfer: by_token,
        attempt: 1,
        session: Bytes(vec![0; 16]),
        commitments: Vec::new(),
    };
    answers("sign-token-asked-for-round-two", &world.reader(hsm).ask(&order));
    world.pays(&account);
    world.pays(&coins);
    world.pays(&account);
}
