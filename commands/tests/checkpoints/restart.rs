//! What was kept, before and after a restart.

use crate::world::{World, on_demand};
use std::sync::Arc;
use strongroom_commands::checkpoints::{Board, KeptError, recall};
use strongroom_ledger::{Note, NoteSignature};

#[tokio::test]
async fn what_is_told_outside_is_kept_first() {
    let world = World::found().await;
    let publisher = world.publish(on_demand());
    *world.shelf.broken.lock().unwrap() = Some("the disk is full".to_owned());
    let position = world.append().await;
    // Signers are told all the same: they keep what they cosigned themselves.
    publisher.cover(position).await.unwrap();
    assert_eq!(publisher.published(), None);
    while publisher.health().trouble.is_none() {
        tokio::task::yield_now().await;
    }
    assert!(publisher.health().trouble.unwrap().contains("the disk is full"));
    *world.shelf.broken.lock().unwrap() = None;
    let shown = publisher.publish(position).await.unwrap();
    assert!(shown.head.size >= position);
    let kept = world.shelf.kept().unwrap();
    assert!(kept.contains(&format!("\n{}\n", shown.head.size)), "{kept}");
}

#[tokio::test]
async fn the_kept_checkpoint_is_held_against_the_log() {
    let world = World::found().await;
    let publisher = world.publish(on_demand());
    let start = world.append().await;
    let end = world.append().await;
    let shown = publisher.publish(end).await.unwrap();
    drop(publisher);
    let kept = world.shelf.kept().unwrap();
    let recalled = recall(&world.bus, &kept).await.unwrap().unwrap();
    assert_eq!((recalled.head, &recalled.origin), (shown.head, &shown.origin));

    // A copy from before.
    let older = world.twin().await;
    assert_eq!(world.append_to(&older).await, start);
    let error = recall(&older, &kept).await.unwrap_err();
    let KeptError::Older { end: ends, cosigned } = error else { panic!("{error}") };
    assert_eq!((ends, cosigned), (start, end));
    assert!(error.to_string().contains("strongroom ledger recover"), "{error}");

    // A copy from before a resumption, whatever its length: witnesses know it by another name now.
    let resumed = kept.replacen('\n', "/3\n", 1);
    let error = recall(&world.bus, &resumed).await.unwrap_err();
    assert!(matches!(error, KeptError::BeforeResumption { known: 0, cosigned: 3 }), "{error}");

    // As long as it, and something else.
    world.append_to(&older).await;
    let error = recall(&older, &kept).await.unwrap_err();
    assert!(matches!(error, KeptError::Other(size) if size == end), "{error}");
}

#[tokio::test]
async fn a_kept_checkpoint_that_was_altered_is_refused() {
    let world = World::found().await;
    let publisher = world.publish(on_demand());
    publisher.publish(1).await.unwrap();
    let kept = world.shelf.kept().unwrap();
    let note: Note = kept.parse().unwrap();
    let fewer = note.signatures().iter().take(3).map(NoteSignature::to_string);
    let short = format!("{}\n{}", note.text(), fewer.collect::<String>());
    let (size, other) = (world.board.size(), world.board.size() + 1);
    let larger = kept.replace(&format!("\n{size}\n"), &format!("\n{other}\n"));
    for bad in [short, larger, String::new(), "text\n".to_owned()] {
        let error = recall(&world.bus, &bad).await.unwrap_err();
        assert!(matches!(error, KeptError::Damaged(_)), "{bad}: {error}");
    }
}

#[tokio::test]
async fn a_restarted_publisher_goes_on_from_what_was_kept() {
    let mut world = World::found().await;
    let publisher = world.publish(on_demand());
    publisher.publish(1).await.unwrap();
    drop(publisher);
    let kept = recall(&world.bus, &world.shelf.kept().unwrap()).await.unwrap();
    world.board = Board::new(kept.map(Arc::new));
    let publisher = world.publish(on_demand());
    let signed = world.keys.signed();
    publisher.cover(1).await.unwrap();
    assert!(publisher.published().is_some());
    assert_eq!(world.keys.signed(), signed, "it is covered already");
    let position = world.append().await;
    publisher.cover(position).await.unwrap();
    assert_eq!(world.board.size(), position);
}
