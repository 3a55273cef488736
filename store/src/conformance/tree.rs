//! What every backend must do about the tree, and durable ones after they were closed. Never takes
//! the backend's word: the tree is built again from the entries.

use std::collections::BTreeMap;

use strongroom_ledger::tree::verify_consistency;
use strongroom_ledger::tree::verify_inclusion;
use strongroom_ledger::{Frontier, Hash, Tile, TreeHead};

use super::{append_to, keyed, position, verify};
use crate::append::{Append, AppendError};
use crate::log::{AppendLog, ReadLog};
use crate::proof::{consistency, inclusion, tree_head};
use crate::read::ReadError;

/// Sizes at which tiles begin and end.
const SIZES: [u64; 10] = [0, 1, 2, 7, 255, 256, 257, 511, 512, 600];

/// One event to each of `count` new streams.
fn batch(prefix: &str, count: usize) -> Append {
    let names: Vec<String> = (0..count).map(|number| format!("{prefix}:{number}")).collect();
    append_to(&names.iter().map(|name| (name.as_str(), 0)).collect::<Vec<_>>())
}

/// The leaves of the whole log, which is verified on the way.
async fn leaves(log: &(impl ReadLog + ?Sized)) -> Vec<Hash> {
    verify(log).await.iter().map(crate::read::Record::leaf).collect()
}

/// The tree at every size, as the entries say.
fn trees(leaves: &[Hash]) -> Vec<TreeHead> {
    let mut tree = Frontier::new();
    let mut heads = vec![tree.head()];
    for leaf in leaves {
        tree.push(*leaf, |_, _, _| ());
        heads.push(tree.head());
    }
    heads
}

/// At every size where a tile begins or ends, and far from it; also where batches cross it.
pub async fn the_tree_is_that_of_the_entries(log: &impl AppendLog) {
    for (stream, count) in [("a", 1_u64), ("b", 1), ("c", 5)] {
        for sequence in 0..count {
            log.append(append_to(&[(stream, sequence)])).await.unwrap();
        }
    }
    // 7 are there: 250 more end behind the first tile, 343 more in the midst of the third.
    for (prefix, count) in [("few", 250), ("many", 343)] {
        log.append(batch(prefix, count)).await.unwrap();
    }
    let leaves = leaves(log).await;
    assert_eq!(leaves.len(), 600);
    let trees = trees(&leaves);
    for size in SIZES {
        let found = tree_head(log, size).await.unwrap();
        assert_eq!(found, trees[usize::try_from(size).unwrap()], "the tree of {size} entries");
    }
    proofs_hold(log, &leaves, &trees).await;
}

async fn proofs_hold(log: &impl AppendLog, leaves: &[Hash], trees: &[TreeHead]) {
    for (place, new) in SIZES.into_iter().enumerate() {
        let head = trees[usize::try_from(new).unwrap()];
        for old in SIZES.into_iter().take(place + 1) {
            let proof = consistency(log, old, new).await.unwrap();
            let before = trees[usize::try_from(old).unwrap()];
            verify_consistency(before, head, &proof).unwrap();
        }
        // The edges of tiles and some within; all of them would say no more.
        let edges = SIZES.into_iter().flat_map(|size| [size.saturating_sub(1), size]);
        for index in edges.chain((0..new).step_by(41)).filter(|index| *index < new) {
            let path = inclusion(log, position(index + 1), new).await.unwrap();
            verify_inclusion(leaves[usize::try_from(index).unwrap()], index, head, &path).unwrap();
        }
    }
}

/// Nothing is cut short: a tile is whole, or it is refused; the same for sizes and positions.
pub async fn what_lies_beyond_the_head_is_refused(log: &impl AppendLog) {
    assert_eq!(tree_head(log, 0).await.unwrap(), TreeHead::EMPTY);
    log.append(batch("s", 258)).await.unwrap();
    let leaves = leaves(log).await;
    let tile = |level, index, width| Tile { level, index, width };
    for (given, expected) in [
        (tile(0, 0, 256), &leaves[..256]),
        (tile(0, 0, 7), &leaves[..7]),
        (tile(0, 1, 2), &leaves[256..]),
        (tile(0, 1, 1), &leaves[256..257]),
    ] {
        assert_eq!(log.tiles(&[given]).await.unwrap(), [expected]);
    }
    let both = [tile(0, 1, 1), tile(0, 0, 1)];
    assert_eq!(log.tiles(&both).await.unwrap(), [[leaves[256]], [leaves[0]]]);
    assert_eq!(log.tiles(&[tile(1, 0, 1)]).await.unwrap()[0], [trees(&leaves)[256].root]);
    assert_eq!(log.tiles(&[]).await.unwrap(), Vec::<Vec<Hash>>::new());
    for beyond in [tile(0, 1, 3), tile(0, 2, 1), tile(1, 0, 2), tile(2, 0, 1), tile(0, 0, 0)] {
        let refused = log.tiles(&[tile(0, 0, 1), beyond]).await;
        assert!(matches!(refused, Err(ReadError::Unavailable { .. })), "{beyond:?}: {refused:?}");
    }
    let refused = [
        tree_head(log, 259).await.map(|_| ()),
        inclusion(log, position(259), 258).await.map(|_| ()),
        inclusion(log, position(0), 258).await.map(|_| ()),
        inclusion(log, position(1), 259).await.map(|_| ()),
        consistency(log, 1, 259).await.map(|_| ()),
        consistency(log, 2, 1).await.map(|_| ()),
    ];
    for refused in refused {
        assert!(matches!(refused, Err(ReadError::Unavailable { .. })), "{refused:?}");
    }
}

/// Closed and opened again at sizes where a tile begins or ends, the log goes on as if it had not
/// been closed: the same entries, the same tree, the same streams and keys.
pub async fn a_reopened_log_goes_on_as_the_same<L: AppendLog>(open: impl AsyncFn(&str) -> L) {
    let mut seen: BTreeMap<u64, TreeHead> = BTreeMap::new();
    let mut sequence = 0;
    for size in [1, 255, 256, 257, 258, 511, 512, 600] {
        let log = open("reopened").await;
        let head = log.head();
        assert_eq!(head.position.get(), seen.keys().next_back().copied().unwrap_or(0));
        for (size, tree) in &seen {
            assert_eq!(tree_head(&log, *size).await.unwrap(), *tree);
        }
        let mut append = append_to(&[("a", sequence)]);
        let one = append.events[0].clone();
        let more = size - head.position.get();
        append.events = vec![one; usize::try_from(more).unwrap()];
        let append = keyed(append, &size.to_string(), b"body", b"answer");
        let appended = log.append(append.clone()).await.unwrap();
        assert_eq!(appended.head, log.head());
        sequence += more;
        let Err(AppendError::KeyUsed(stored)) = log.append(append).await else {
            panic!("a key that was used is known");
        };
        assert_eq!(stored.positions, appended.positions);
        seen.insert(size, tree_head(&log, size).await.unwrap());
        assert_eq!(log.stop_reason(), None);
    }
    let log = open("reopened").await;
    let leaves = leaves(&log).await;
    let trees = trees(&leaves);
    assert!(seen.into_iter().all(|(size, tree)| trees[usize::try_from(size).unwrap()] == tree));
    assert_eq!(log.stream_sequence("a").await.unwrap(), 600);
    for size in [1_u64, 255, 256, 257, 258, 511, 512, 600] {
        assert!(log.outcome("tester", &size.to_string()).await.unwrap().is_some());
    }
    let again = log.append(append_to(&[("a", 0)])).await;
    assert!(matches!(again, Err(AppendError::Conflict { found: 600, .. })), "{again:?}");
}

/// An empty log that is opened again is empty, and two logs do not know of each other.
pub async fn a_reopened_empty_log_is_empty<L: AppendLog>(open: impl AsyncFn(&str) -> L) {
    drop(open("empty").await);
    let log = open("empty").await;
    assert_eq!(log.head(), strongroom_ledger::Head::EMPTY);
    assert_eq!(tree_head(&log, 0).await.unwrap(), TreeHead::EMPTY);
    log.append(append_to(&[("a", 0)])).await.unwrap();
    assert_eq!(open("another").await.head(), strongroom_ledger::Head::EMPTY);
}
