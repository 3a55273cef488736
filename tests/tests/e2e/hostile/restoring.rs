//! A lost share that officers' pieces give back while the server is another's. What a backup has is a secret, not
//! a share: it signs nothing before all shares are new.

use strongroom_chains::UnsignedTx;
use strongroom_domain::key::Protocol;
use strongroom_domain::protocol::Reply;
use strongroom_domain::{Bytes, Command, Network};

use super::desk::{ask_restore, back_up, change, desk, done, officers, refused};
use super::forge::clock;
use super::world::World;

const HOLDERS: [usize; 3] = [0, 1, 2];

#[test]
fn a_lost_ecdsa_share_comes_back_from_officers_pieces_and_the_address_stays() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let network = Network::EthereumDev;
    world.payer = Some(world.custody(Network::LitecoinRegtest));
    let custody = world.custody_of(network, Protocol::Dkls23Secp256k1, (&HOLDERS, &[0, 1]));
    let key = custody.key;
    world.settle(&HOLDERS);
    let officers = officers(&world);
    let pieces = back_up(&mut world, 0, key, &officers);
    let typed = |numbers: [u16; 2]| numbers.map(|number| pieces.line(number)).concat();
    world.settle(&HOLDERS);

    // Its disk is lost; only a quorum's word brings the share back.
    let share = world.signers[0].data.join(format!("share-{key}-1.sealed"));
    world.signers[0].stop();
    std::fs::remove_file(&share).unwrap();
    let key_text = key.to_string();
    let restore = ["restore", "--key", &key_text];
    refused(&desk(&world, 0, &restore, &typed([1, 2])), "no quorum has approved");
    world.signers[0].start();
    let epoch = ask_restore(&mut world, key);
    world.settle(&HOLDERS);
    world.signers[0].stop();
    done(&desk(&world, 0, &restore, &typed([3, 1])));
    assert!(done(&desk(&world, 0, &restore, "")).contains("has that share"));
    world.signers[0].start();
    change(&mut world, &custody, epoch);
    let active = world.forge.state.keys[&key].existing().unwrap();
    assert_eq!((active.epoch, active.public_key.array()), (epoch, Some(custody.public_key)));

    // It signs with its new share, for the address that there was.
    let transfer = custody.honest(&mut world.forge).intent.transfer;
    let signatures = world.signs(transfer, &Bytes(vec![4; 16]));
    let attempt = world.forge.state.transfers[&transfer].attempts().unwrap().current.clone();
    let unsigned = UnsignedTx::parse(network, &attempt.unsigned).unwrap();
    unsigned.assemble(&custody.public_key, &signatures).unwrap();
    // The pieces are of an epoch that is over.
    world.settle(&[0]);
    let said = world.signers[0].folder.join("drill.json");
    let drill = ["drill", "--key", &key_text, "--word", said.to_str().unwrap()];
    refused(&desk(&world, 0, &drill, &typed([1, 2])), "no backup of this signer's share");
}

/// On the machine that lost it lies an older journal, perhaps: what it swore off and forgot, it does not sign because
/// its share is back on paper's word.
#[test]
fn a_restored_share_signs_nothing_although_its_change_failed_and_the_next_one_takes_it() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let mut custody = world.custody(Network::LitecoinRegtest);
    let key = custody.key;
    world.settle(&HOLDERS);
    let officers = officers(&world);
    let pieces = back_up(&mut world, 0, key, &officers);
    world.settle(&HOLDERS);
    let share = world.signers[0].data.join(format!("share-{key}-1.sealed"));
    world.signers[0].stop();
    std::fs::remove_file(&share).unwrap();
    world.signers[0].start();
    let given_up = ask_restore(&mut world, key);
    world.settle(&HOLDERS);
    world.signers[0].stop();
    let key_text = key.to_string();
    let restore = ["restore", "--key", &key_text];
    done(&desk(&world, 0, &restore, &[pieces.line(1), pieces.line(3)].concat()));
    world.signers[0].start();
    let because = "nobody came".to_owned();
    world.forge.run(Command::FailKeyChange { key, because });

    let transfer = custody.honest(&mut world.forge).intent.transfer;
    let reply = world.reader(0).commit(transfer, 1);
    let Reply::Unavailable { because } = reply else { panic!("{reply:?}") };
    assert!(because.contains("from a backup"), "{because}");
    // It is there for the next one: nobody types the pieces again.
    let epoch = ask_restore(&mut world, key);
    world.settle(&HOLDERS);
    assert!(epoch > given_up && share.exists());
    change(&mut world, &custody, epoch);
    let active = world.forge.state.keys[&key].existing().unwrap();
    assert_eq!(active.epoch, epoch);
    custody.package = active.public_package.clone();
    world.pays(&custody);
}
