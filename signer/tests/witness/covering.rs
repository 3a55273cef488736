//! Nothing is done on the strength of an entry that only this signer may have seen.

use strongroom_domain::{
    Rule,
    protocol::{Order, Reply},
};

use crate::world::*;

/// Its key would be made in a token, which is missing here: the order got past the log's rules.
#[track_caller]
fn goes_ahead(reply: &Reply) {
    assert!(matches!(reply, Reply::Unavailable { .. }), "{reply:?}");
}

#[test]
fn an_order_waits_for_a_checkpoint_that_covers_its_entry() {
    let mut world = World::founded();
    let early = world.log.witnessed(2);
    let key = world.log.request_key(world.me);
    let signer = world.reader();
    let order = Order::BeginCeremony { key };
    refused(&ask(&signer, &order), Rule::SignerNotCovered);
    let covered = ask(&signer, &Order::Checkpoint { checkpoint: early.clone() });
    assert!(matches!(covered, Reply::Covered { size: 2 }), "{covered:?}");
    refused(&ask(&signer, &order), Rule::SignerNotCovered);
    let (checkpoint, size) = (world.log.witnessed(2), world.log.size());
    assert_eq!(ask(&signer, &Order::Checkpoint { checkpoint }), Reply::Covered { size });
    goes_ahead(&ask(&signer, &order));
    // An older one takes nothing back.
    assert_eq!(ask(&signer, &Order::Checkpoint { checkpoint: early }), Reply::Covered { size });
    // What stands behind it needs another.
    let later = world.log.request_key(world.me);
    follow(&signer, &world.log);
    refused(&ask(&signer, &Order::BeginCeremony { key: later }), Rule::SignerNotCovered);
    goes_ahead(&ask(&signer, &order));
}

#[test]
fn a_restarted_signer_is_told_again() {
    let mut world = World::founded();
    let key = world.log.request_key(world.me);
    let (order, checkpoint) = (Order::BeginCeremony { key }, world.log.witnessed(2));
    let signer = world.reader();
    let cover = Order::Checkpoint { checkpoint };
    ask(&signer, &cover);
    goes_ahead(&ask(&signer, &order));
    drop(signer);
    let signer = world.reader();
    refused(&ask(&signer, &order), Rule::SignerNotCovered);
    ask(&signer, &cover);
    goes_ahead(&ask(&signer, &order));
}

#[test]
fn a_checkpoint_counts_with_enough_witnesses_only() {
    let mut world = World::founded();
    let key = world.log.request_key(world.me);
    let signer = world.reader();
    for witnesses in [0, 1] {
        let checkpoint = world.log.witnessed(witnesses);
        refused(&ask(&signer, &Order::Checkpoint { checkpoint }), Rule::SignerCheckpoint);
    }
    // The signer's own cosignature is one of them; twice the same is one.
    let own = match ask(&signer, &world.log.cosign(0)) {
        Reply::Cosigned { signature } => signature,
        other => panic!("{other:?}"),
    };
    let again = match ask(&signer, &world.log.cosign(world.log.size())) {
        Reply::Cosigned { signature } => signature,
        other => panic!("{other:?}"),
    };
    let bare = world.log.signed().note().to_string();
    let twice = Order::Checkpoint { checkpoint: format!("{bare}{own}{again}") };
    refused(&ask(&signer, &twice), Rule::SignerCheckpoint);
    refused(&ask(&signer, &Order::BeginCeremony { key }), Rule::SignerNotCovered);
    let enough = Order::Checkpoint { checkpoint: format!("{}{own}", world.log.witnessed(1)) };
    assert_eq!(ask(&signer, &enough), Reply::Covered { size: world.log.size() });
}

#[test]
fn a_checkpoint_ahead_of_the_own_log_covers_nothing() {
    let mut world = World::founded();
    let key = world.log.request_key(world.me);
    let signer = world.reader();
    world.log.grow(2);
    let checkpoint = world.log.witnessed(2);
    refused(&ask(&signer, &Order::Checkpoint { checkpoint }), Rule::SignerLogBehind);
    refused(&ask(&signer, &Order::BeginCeremony { key }), Rule::SignerNotCovered);
}

#[test]
fn a_signer_stops_when_the_witnesses_saw_another_history() {
    let mut world = World::founded();
    let mut other = world.log.clone();
    world.log.grow(2);
    other.grow(2);
    let signer = world.reader();
    let checkpoint = other.witnessed(2);
    corrupt(&ask(&signer, &Order::Checkpoint { checkpoint }), "fork");
    corrupt(&ask(&signer, &world.log.cosign(0)), "fork");
    world.log.grow(1);
    corrupt(&push(&signer, &world.log), "fork");
}
