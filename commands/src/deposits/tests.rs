//! What needs no node: the trail and the cursor. The rest is tested on real nodes, in
//! `tests/tests/e2e/deposits.rs`.

use super::{Cursor, CursorFolder, Cursors, DEPTH, trail::Trail};
use strongroom_domain::{Digest, Head, Network};
use strongroom_nodes::BlockHash;

fn hash(number: u8) -> BlockHash {
    BlockHash::from_printed_bytes([number; 32])
}

#[test]
fn a_trail_steps_back_block_by_block_and_then_by_its_whole_depth() {
    let mut trail = Trail::after(5, 300, hash(1));
    trail.push(301, hash(2));
    assert_eq!((trail.next(), trail.last()), (302, Some((301, hash(2)))));
    trail.step_back();
    assert_eq!((trail.next(), trail.last()), (301, Some((300, hash(1)))));
    trail.step_back();
    assert_eq!((trail.next(), trail.last()), (300 - DEPTH, None));
}

#[test]
fn a_trail_never_goes_below_the_birth_height() {
    let mut trail = Trail::after(250, 300, hash(1));
    trail.step_back();
    assert_eq!(trail.next(), 250);
}

#[test]
fn a_trail_forgets_what_is_deeper_than_a_reorganisation_may_go() {
    let mut trail = Trail::from_birth(0);
    for height in 0..500 {
        trail.push(height, hash(0));
    }
    let mut left = 0;
    while trail.last().is_some() {
        trail.step_back();
        left += 1;
    }
    assert_eq!((left, trail.next()), (DEPTH, 400 - DEPTH));
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
    let cursor = Cursor { height: 12, hash: hash(5).to_string(), log };
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
    let cursor = Cursor { height: 1, hash: hash(5).to_string(), log: Head::default() };
    cursors.save(Network::Ethereum, &cursor);
    assert_eq!(cursors.load(Network::Ethereum), None);
}
