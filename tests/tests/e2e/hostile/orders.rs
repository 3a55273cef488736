//! The same order many times, two servers at once, a disk from yesterday, a log without witnesses.
//! Whatever the order they come in, one thing is signed.

use std::collections::BTreeSet;
use std::path::Path;
use strongroom_domain::protocol::{Order, Reply};
use strongroom_domain::{Network, Spends};

use super::catalogue::{answers, nothing_more};
use super::forge::{Forge, clock};
use super::transactions::FEE;
use super::world::{HSM, World, commit_all};

/// How many orders at once.
const AT_ONCE: usize = 8;

/// How many different attempts were consumed: orders at the same time may each write the same one down.
fn consumed(world: &World, signer: usize) -> usize {
    let journal = std::fs::read_to_string(world.signers[signer].data.join("journal")).unwrap();
    let records = journal.lines().filter_map(|line| line.splitn(5, ' ').nth(4));
    records.filter(|record| record.contains("consumed")).collect::<BTreeSet<_>>().len()
}

#[test]
fn eight_identical_orders_at_once_consume_one_attempt() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let account = world.custody(Network::EthereumDev);
    let coins = world.custody(Network::LitecoinRegtest);
    let transfer = account.honest(&mut world.forge).intent.transfer;
    drop(world.reader(HSM));
    let before = consumed(&world, HSM);
    let signed: BTreeSet<_> = at_once(&world, HSM, &Order::SignAlone { transfer, attempt: 1 })
        .into_iter()
        .map(|reply| match reply {
            Reply::Signatures { signatures } => signatures,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(!signed.is_empty());
    nothing_more("sign-eight-orders-to-token", consumed(&world, HSM) == before + 1);
    world.pays(&account);

    let transfer = coins.honest(&mut world.forge).intent.transfer;
    drop(world.reader(0));
    let before = consumed(&world, 0);
    for reply in at_once(&world, 0, &Order::Commit { transfer, attempt: 1 }) {
        assert!(matches!(reply, Reply::Committed { .. }), "{reply:?}");
    }
    nothing_more("sign-eight-orders-to-share", consumed(&world, 0) == before + 1);
    world.pays(&coins);
}

fn at_once(world: &World, signer: usize, order: &Order) -> Vec<Reply> {
    let links: Vec<_> = (0..AT_ONCE).map(|_| world.link(signer)).collect();
    std::thread::scope(|scope| {
        let asked: Vec<_> =
            links.into_iter().map(|mut link| scope.spawn(move || link.ask(order))).collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

#[test]
fn of_two_servers_at_once_one_gets_the_shares() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::LitecoinRegtest);
    let transfer = custody.honest(&mut world.forge).intent.transfer;
    let ids = [world.id(0), world.id(1)];
    let (mut one, mut two) =
        ([world.reader(0), world.reader(1)], [world.reader(0), world.reader(1)]);
    let first = commit_all(&mut one, transfer, &ids);
    let second = commit_all(&mut two, transfer, &ids);
    let order = |session: &_, committed: &Vec<_>| Order::Sign {
        transfer,
        attempt: 1,
        session: Clone::clone(session),
        commitments: committed.clone(),
    };
    for place in 0..2 {
        let reply = one[place].ask(&order(&first.0[place], &first.1));
        answers("sign-two-servers", &reply);
        // One server's session with what the other one's was committed to.
        let reply = two[place].ask(&order(&second.0[place], &first.1));
        answers("sign-two-servers-mixed", &reply);
    }
    world.pays(&custody);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        assert!(file.file_type().unwrap().is_file(), "{:?}", file.path());
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// It has forgotten what it consumed since. What the others have seen it still signs for alone.
#[test]
fn a_signer_from_an_old_disk_image_signs_no_other_history() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::LitecoinRegtest);
    world.pays(&custody);
    let image = root.path().join("image");
    world.signers[0].kill();
    copy(&world.signers[0].data, &image);
    world.signers[0].start();
    let (common, coin) = (world.forge.clone(), custody.fund(&mut world.forge));
    let asked = custody.ask_and_approve(&mut world.forge);
    custody.authorise_honestly(&mut world.forge, &asked, &coin);
    let transfer = asked.intent.transfer;
    assert!(matches!(world.reader(0).commit(transfer, 1), Reply::Committed { .. }));
    world.signers[0].kill();
    let data = world.signers[0].data.clone();
    std::fs::remove_dir_all(&data).unwrap();
    copy(&image, &data);
    world.signers[0].start();

    let mut other = common;
    let stolen = custody.honest(&mut other).intent.transfer;
    let mut link = world.link(0);
    let head = link.head();
    link.follow(other.after(head.position));
    answers("time-old-disk-image-other-history", &link.commit(stolen, 1));
    let few = other.witnessed(0..4).to_string();
    let reply = link.ask(&Order::Checkpoint { checkpoint: few });
    answers("time-old-disk-image-few-witnesses", &reply);
    // The image itself followed a lie: its operator takes the image once more.
    world.signers[0].kill();
    std::fs::remove_dir_all(&data).unwrap();
    copy(&image, &data);
    world.signers[0].start();
    // The same attempt again is the same transaction.
    assert!(matches!(world.reader(0).commit(transfer, 1), Reply::Committed { .. }));
    let mut attempt = custody.attempt(custody.psbt(&asked.intent, &coin, 2 * FEE), 2 * FEE);
    attempt.attempt = 2;
    let spends = Spends::Coins(vec![coin.outpoint.clone()]);
    custody.authorise(&mut world.forge, &asked, attempt, spends);
    answers("time-old-disk-image-replaced-attempt", &world.reader(0).commit(transfer, 1));
    world.pays(&custody);
}

#[test]
fn without_witnesses_a_signer_acts_on_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let old = Forge::found_v1(&world.enrolments(), clock());
    let pinned = world.signers[0].data.join("genesis");
    let mine = std::fs::read(&pinned).unwrap();
    std::fs::write(&pinned, format!("{}\n", old.genesis())).unwrap();
    world.restart(0);
    world.link(0).follow(&old.entries);
    let checkpoint = old.counting();
    let reply = world.link(0).ask(&Order::Checkpoint { checkpoint });
    answers("witness-charter-without-witnesses", &reply);
    // Pinned again to its own log, with nothing read yet.
    world.signers[0].kill();
    for file in ["log.jsonl", "journal"] {
        std::fs::write(world.signers[0].data.join(file), "").unwrap();
    }
    std::fs::write(&pinned, mine).unwrap();
    world.signers[0].start();
    let custody = world.custody(Network::LitecoinRegtest);
    world.pays(&custody);
}
