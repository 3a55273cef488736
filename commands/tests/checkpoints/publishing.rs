//! What counts, who waits for it, and what witnesses can do to it.

use crate::witness::Mood;
use crate::world::{World, on_demand};
use std::time::Duration;
use strongroom_commands::checkpoints::Settings;
use strongroom_ledger::{Hash, TreeHead};
use strongroom_store::tree_head;

#[tokio::test]
async fn a_majority_of_the_witnesses_is_enough_and_fewer_are_not() {
    let world = World::found().await;
    let publisher = world.publish(Settings { patience: Duration::from_millis(200), ..on_demand() });
    world.witnesses[0].is(Mood::Away);
    let position = world.append().await;
    publisher.cover(position).await.unwrap();
    let shown = world.board.newest().unwrap();
    assert_eq!((shown.head.size, shown.cosigned_by.len()), (position, 2));
    world.witnesses[1].is(Mood::Away);
    let next = world.append().await;
    let uncovered = publisher.cover(next).await.unwrap_err().to_string();
    assert!(uncovered.contains("1 of 2 cosignatures that it takes"), "{uncovered}");
    assert!(uncovered.contains("away"), "{uncovered}");
    assert_eq!(world.board.size(), position, "what counted before still does");
    let health = publisher.health();
    assert!(health.failed > 0 && health.trouble.is_some(), "{health:?}");
    assert_eq!(health.silent.len(), 2);
    // The publisher tries again by itself.
    world.witnesses[1].is(Mood::Willing);
    world.changes.send_modify(|count| *count += 1);
    world.shows(|shown| shown.head.size == next).await;
    publisher.cover(next).await.unwrap();
    while publisher.health().trouble.is_some() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn all_who_wait_share_a_round() {
    let world = World::found().await;
    let publisher = world.publish(on_demand());
    for witness in &world.witnesses {
        witness.open(false);
    }
    let mut waiting = Vec::new();
    for _ in 0..50 {
        let (publisher, position) = (publisher.clone(), world.append().await);
        waiting.push(tokio::spawn(async move { publisher.cover(position).await }));
    }
    for witness in &world.witnesses {
        witness.open(true);
    }
    for one in waiting {
        one.await.unwrap().unwrap();
    }
    // The round that was under way when they came, and the one that they share.
    assert!(world.keys.signed() <= 3, "{} rounds", world.keys.signed());
}

#[tokio::test]
async fn checkpoints_come_by_time_and_by_number_of_entries() {
    let world = World::found().await;
    let publisher = world.publish(Settings { every: Duration::from_millis(20), ..on_demand() });
    let position = world.append().await;
    world.shows(|shown| shown.head.size == position).await;
    drop(publisher);
    let every = Duration::from_millis(100) * 1000;
    let _publisher = world.publish(Settings { entries: 3, every, ..on_demand() });
    for _ in 0..2 {
        world.append().await;
    }
    let third = world.append().await;
    tokio::time::pause();
    world.shows(|shown| shown.head.size == third).await;
}

#[tokio::test]
async fn a_witness_that_stands_elsewhere_is_asked_again_from_there() {
    let world = World::found().await;
    let log = world.bus.log();
    let early = tree_head(log.as_ref(), 1).await.unwrap();
    for witness in &world.witnesses {
        witness.has_cosigned(early);
    }
    let position = world.append().await;
    let publisher = world.publish(on_demand());
    publisher.cover(position).await.unwrap();
    let head = tree_head(log.as_ref(), position).await.unwrap();
    world.shows(|shown| shown.cosigned_by.len() == 3).await;
    for witness in &world.witnesses {
        assert_eq!((witness.last(), witness.asked()), (Some(head), 2));
    }
    // From then on its size is known.
    publisher.cover(world.append().await).await.unwrap();
    world.shows(|shown| shown.head.size == position + 1 && shown.cosigned_by.len() == 3).await;
    assert!(world.witnesses.iter().all(|witness| witness.asked() == 3));
}

#[tokio::test]
async fn a_witness_that_saw_more_than_the_log_has_is_an_alarm() {
    let world = World::found().await;
    let publisher = world.publish(on_demand());
    let further = TreeHead { size: 1000, root: Hash::new([9; 32]) };
    world.witnesses[2].has_cosigned(further);
    publisher.cover(world.append().await).await.unwrap();
    let name = loop {
        if let Some((name, because)) = publisher.health().silent.into_iter().next() {
            assert!(because.starts_with("ALARM: ") && because.contains("older copy"), "{because}");
            break name;
        }
        tokio::task::yield_now().await;
    };
    let shown = world.board.newest().unwrap();
    assert!(!shown.cosigned_by.contains(&name), "the others are enough");
}

#[tokio::test]
async fn a_false_cosignature_does_not_count() {
    let world = World::found().await;
    let publisher = world.publish(Settings { patience: Duration::from_millis(200), ..on_demand() });
    world.witnesses[0].is(Mood::False);
    world.witnesses[1].is(Mood::Away);
    let position = world.append().await;
    publisher.cover(position).await.unwrap_err();
    assert_eq!(world.board.size(), 0);
    world.witnesses[1].is(Mood::Willing);
    publisher.cover(position).await.unwrap();
    let shown = world.board.newest().unwrap();
    assert_eq!(shown.cosigned_by.len(), 2, "and it does not spoil the others'");
}

#[tokio::test]
async fn what_a_slow_witness_says_is_added_and_nobody_waits_for_it() {
    let world = World::found().await;
    let publisher = world.publish(on_demand());
    world.witnesses[0].open(false);
    let first = world.append().await;
    publisher.cover(first).await.unwrap();
    assert_eq!(world.board.newest().unwrap().cosigned_by.len(), 2);
    world.witnesses[0].open(true);
    let shown = world.shows(|shown| shown.cosigned_by.len() == 3).await;
    assert_eq!(shown.head.size, first);
    // Rounds that it missed are not made up for: it is asked for the newest.
    world.witnesses[0].open(false);
    let mut last = first;
    for _ in 0..5 {
        last = world.append().await;
        publisher.cover(last).await.unwrap();
    }
    let before = world.witnesses[0].asked();
    world.witnesses[0].open(true);
    world.shows(|shown| shown.head.size == last && shown.cosigned_by.len() == 3).await;
    assert!(world.witnesses[0].asked() <= before + 2, "{}", world.witnesses[0].asked());
}

#[tokio::test]
async fn an_entry_that_is_not_there_is_not_waited_for() {
    let world = World::found().await;
    let publisher = world.publish(on_demand());
    let position = world.append().await;
    let because = publisher.cover(position + 1).await.unwrap_err().because;
    assert_eq!(because, format!("the log ends at {position}"));
}

#[tokio::test]
async fn one_witness_does_not_take_the_room_of_the_others() {
    let world = World::found().await;
    let publisher = world.publish(Settings { patience: Duration::from_secs(5), ..on_demand() });
    world.witnesses[0].is(Mood::Chatty);
    for slow in &world.witnesses[1..] {
        slow.open(false);
    }
    let position = world.append().await;
    let (waiting, first) = (publisher.clone(), world.witnesses[0].clone());
    let covered = tokio::spawn(async move { waiting.cover(position).await });
    while first.last().is_none_or(|last| last.size < position) {
        tokio::task::yield_now().await;
    }
    for slow in &world.witnesses[1..] {
        slow.open(true);
    }
    covered.await.unwrap().unwrap();
    let shown = world.shows(|shown| shown.cosigned_by.len() == 3).await;
    assert_eq!(shown.text.matches('\u{2014}').count(), 2 + 3, "{}", shown.text);
}
