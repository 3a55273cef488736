//! What needs no node: the trail and the cursor. The rest is tested on real nodes, in
//! `tests/tests/e2e/deposits.rs`.

use super::{Cursor, CursorFolder, Cursors, DEPTH, trail::Trail};
use strongroom_domain::{Digest, Head, Network, deposit::BlockRef};
use strongroom_nodes::BlockHash;

fn hash(number: u8) -> BlockHash {
    BlockHash::from_printed_bytes([number; 32])
}

#[test]
fn a_trail_steps_back_to_the_block_before_and_at_last_to_the_birth_height() {
    let mut trail = Trail::from_birth(5);
    assert_eq!(trail.next(), 5);
    trail.push(300, hash(1));
    trail.push(301, hash(2));
    trail.push(400, hash(3));
    assert_eq!((trail.next(), trail.last()), (401, Some((400, hash(3)))));
    trail.step_back();
    assert_eq!(trail.next(), 302, "what was passed over is looked at again");
    trail.step_back();
    assert_eq!(trail.next(), 301);
    trail.step_back();
    assert_eq!((trail.next(), trail.last()), (5, None));
}

#[test]
fn a_trail_forgets_what_is_deeper_than_a_reorganisation_may_go() {
    let mut trail = Trail::from_birth(0);
    for height in 0..500 {
        trail.push(height, hash(0));
    }
    assert_eq!(u64::try_from(trail.blocks().len()).unwrap(), DEPTH);
    assert_eq!(trail.blocks()[0].height, 500 - DEPTH);
}

#[test]
fn a_trail_resumes_as_it_was_written_down_or_not_at_all() {
    let mut trail = Trail::from_birth(0);
    trail.push(3, hash(1));
    trail.push(4, hash(2));
    let written = trail.blocks();
    assert_eq!(Trail::resume(0, &written).unwrap().blocks(), written);
    assert_eq!(Trail::resume(9, &written).unwrap().next(), 9, "never below the birth height");
    let mut twisted = written.clone();
    twisted.reverse();
    assert!(Trail::resume(0, &twisted).is_none());
    let mut unreadable = written;
    unreadable[1].hash = "no hash".to_owned();
    assert!(Trail::resume(0, &unreadable).is_none());
}

#[test]
fn a_block_goes_on_from_its_parent_only() {
    let mut trail = Trail::from_birth(7);
    assert!(trail.continues(7, Some(hash(9))), "nothing is known of the block below");
    trail.push(7, hash(1));
    assert!(trail.continues(8, Some(hash(1))));
    assert!(!trail.continues(8, Some(hash(2))));
    assert!(!trail.continues(8, None));
}

#[test]
fn a_cursor_that_is_missing_or_torn_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let cursors = CursorFolder::new(folder.path().to_owned());
    let network = Network::LitecoinRegtest;
    assert_eq!(cursors.load(network), None);
    let log = Head { position: 3, leaf: Digest([4; 32]) };
    let blocks = vec![BlockRef { height: 12, hash: hash(5).to_string() }];
    let cursor = Cursor { blocks, log };
    cursors.save(network, &cursor);
    assert_eq!(cursors.load(network), Some(cursor));
    assert_eq!(cursors.load(Network::Litecoin), None);
    let file = folder.path().join("deposits-litecoin-regtest.cursor");
    std::fs::write(&file, &std::fs::read(&file).unwrap()[..20]).unwrap();
    assert_eq!(cursors.load(network), None);
}

#[test]
fn a_cursor_that_cannot_be_kept_is_no_fault() {
    let cursors = CursorFolder::new("/nonexistent".into());
    let cursor = Cursor { blocks: Vec::new(), log: Head::default() };
    cursors.save(Network::Ethereum, &cursor);
    assert_eq!(cursors.load(Network::Ethereum), None);
}
