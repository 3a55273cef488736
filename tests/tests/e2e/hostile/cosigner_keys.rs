//! Multisig keys of a stolen server: ceremonies whose cosigners it would like to be others, and logs that
//! say what nobody approved. Whose keys they are is what people signed, and each signer looks for its own.

use strongroom_domain::key::{
    CeremonyPlan, ChangeRequested, CosignerProven, KeyChange, KeyEvent, Protocol,
};
use strongroom_domain::protocol::Reply;
use strongroom_domain::wallet::{Created, Tier, WalletEvent};
use strongroom_domain::{Bytes, Command, Event, KeyId, ProposalId, SignerId, Stream, WalletId};
use uuid::Uuid;

use super::catalogue::{answers, nothing_more};
use super::cosigners::{HOLDERS, NETWORK, Shared, account, asked};
use super::forge::{Forge, clock};
use super::rounds::Said;
use super::world::World;

/// What the log says that the second signer published.
type Lie = fn(&Said) -> Bytes;

#[test]
fn cosigners_are_those_whom_people_approved_and_who_published_their_own_keys() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let mut shared = world.shared(Protocol::MultisigP2wsh);
    let (key, proposal) = asked(&mut world, Protocol::MultisigP2wsh, account(2).1);
    answers("cosigners-ceremony-without-a-quorum", &world.descriptor_round(0, key, 1));
    world.pays_together(&mut shared);
    world.forge.agree(proposal);
    answers("cosigners-descriptor-before-the-keys", &world.descriptor_round(0, key, 2));
    world.pays_together(&mut shared);
    answers("cosigners-third-round", &world.descriptor_round(0, key, 3));
    world.pays_together(&mut shared);
    answers("cosigners-ceremony-begun-as-another-protocols", &world.reader(0).begin(key));
    world.pays_together(&mut shared);
    answers("cosigners-ceremony-of-others", &world.descriptor_round(2, key, 1));
    world.pays_together(&mut shared);

    let said = world.expressions(key);
    let again = world.expressions(key);
    nothing_more("cosigners-key-asked-for-twice", again.spoken == said.spoken);
    world.pays_together(&mut shared);
    // A ceremony for each lie: the log that the signers follow goes on, and never back.
    let lies: Vec<(&str, Lie)> = vec![
        ("cosigners-one-key-of-two-signers", |said| said.spoken[0].message.clone()),
        ("cosigners-key-of-a-cosigner-as-a-signers", |_| Bytes(account(2).1.key.into_bytes())),
        ("cosigners-key-that-is-none", |_| Bytes(b"xpub".to_vec())),
        ("cosigners-key-in-another-spelling", |said| {
            let text = String::from_utf8(said.spoken[1].message.0.clone()).unwrap();
            Bytes(text.replace('h', "'").into_bytes())
        }),
    ];
    for (name, lie) in lies {
        let (key, proposal) = asked(&mut world, Protocol::MultisigP2wsh, account(2).1);
        world.forge.agree(proposal);
        let mut said = world.expressions(key);
        said.spoken[1].message = lie(&said);
        world.publish(key, 1, &said);
        answers(name, &world.descriptor_round(0, key, 2));
        world.pays_together(&mut shared);
    }
    let (key, proposal) = asked(&mut world, Protocol::MultisigP2wsh, account(2).1);
    world.forge.agree(proposal);
    let mut said = world.expressions(key);
    said.spoken[0].message = Bytes(account(66).1.key.into_bytes());
    world.publish(key, 1, &said);
    answers("cosigners-another-key-for-the-signers-own", &world.descriptor_round(0, key, 2));
    world.restart(0);
    world.pays_together(&mut shared);
    // The other one is lied to as well, and does not see it: without the first there is no key.
    let Reply::Confirmed { confirmed } = world.descriptor_round(1, key, 2) else { panic!() };
    stops(
        &mut world,
        &mut shared,
        "cosigners-descriptor-without-its-signers-word",
        |forge, ids| {
            let mut forged = confirmed.clone();
            forge.run(Command::ConfirmKey { key, confirmed });
            forged.signer = ids[0];
            forge.write(Stream::Key(key), KeyEvent::from(forged));
        },
    );
}

#[test]
fn a_log_that_swaps_cosigners_or_changes_what_they_have_not_stops_the_signer() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let mut shared = world.shared(Protocol::MultisigP2tr);
    let participants = HOLDERS.map(|of| world.id(of)).to_vec();
    stops(&mut world, &mut shared, "cosigners-swapped-after-the-approval", |forge, _| {
        let (key, proposal) = (KeyId(Uuid::now_v7()), ProposalId(Uuid::now_v7()));
        let plan =
            CeremonyPlan { key, protocol: Protocol::MultisigP2wsh, threshold: 2, participants };
        let (maker, expires_at) = (forge.people.maker, forge.time.plus_seconds(86_400));
        let request = |cosigner| Command::RequestKey {
            proposal,
            plan: plan.clone(),
            cosigners: vec![cosigner],
            maker,
            expires_at,
        };
        // What people were shown, and what the log says that they were.
        let mut shown = forge.clone();
        shown.run(request(account(2).1));
        forge.run(request(account(66).1));
        let before = shown.head().position;
        shown.agree(proposal);
        let signed = shown.after(before).to_vec();
        for entry in signed {
            let read: serde_json::Value = serde_json::from_str(&entry.entry).unwrap();
            let stream: Stream = read["stream"].as_str().unwrap().parse().unwrap();
            let (kind, version) = (read["type"].as_str().unwrap(), read["version"].as_u64());
            let version = version.unwrap().try_into().unwrap();
            let event = Event::decode(kind, version, entry.payload.as_bytes()).unwrap();
            forge.write(stream, event);
        }
    });
    let key = shared.custody.key;
    stops(&mut world, &mut shared, "cosigners-proof-of-a-place-that-is-none", |forge, _| {
        let signature = Bytes(vec![7; 64]);
        let proven = CosignerProven { epoch: 1, place: 4, signature };
        forge.write(Stream::Key(key), KeyEvent::from(proven));
    });
    stops(&mut world, &mut shared, "cosigners-change-of-shares-that-are-none", |forge, ids| {
        let change =
            KeyChange { key, dropped: [ids[1]].into(), joining: None, helpers: ids.to_vec() };
        let (proposal, maker) = (ProposalId(Uuid::now_v7()), forge.people.maker);
        let requested = ChangeRequested { change, epoch: 2, proposal, maker };
        forge.write(Stream::Key(key), KeyEvent::from(requested));
    });
    let unproven = world.unproven(Protocol::MultisigP2tr).0;
    stops(&mut world, &mut shared, "cosigners-wallet-before-each-has-proven-itself", |forge, _| {
        let wallet = WalletId(Uuid::now_v7());
        let (network, tier) = (NETWORK, Tier::Hot);
        let created = Created { network, key: unproven, tier };
        forge.write(Stream::Wallet(wallet), WalletEvent::from(created));
    });
}

/// A log in which it stands. The signer stops, and names the rule.
#[track_caller]
fn stops(
    world: &mut World,
    shared: &mut Shared,
    name: &str,
    lie: impl FnOnce(&mut Forge, [SignerId; 2]),
) {
    let mut forge = world.forge.clone();
    let before = forge.head().position;
    lie(&mut forge, HOLDERS.map(|of| world.id(of)));
    let reply = world.reader(0).push(forge.after(before));
    answers(name, &reply);
    world.restart(0);
    world.pays_together(shared);
}
