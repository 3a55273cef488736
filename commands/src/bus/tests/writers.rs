//! Many writers, too many writers, and one writer too much.

use super::*;
use futures::future::join_all;
use strongroom_store::{Expected, NewEvent};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn no_order_of_requests_overdraws_an_account() {
    for (_folder, log) in [(None, memory()), {
        let (folder, log) = sqlite();
        (Some(folder), log)
    }] {
        let institution = Institution::with_funds(log, 10 * (50 + FEE_CAP) + 1).await;
        let racing = (0..64).map(|_| {
            let (bus, request) = (institution.bus.clone(), institution.transfer(50));
            tokio::spawn(async move { bus.execute(request).await })
        });
        let mut granted = 0;
        for answer in join_all(racing).await {
            match answer.unwrap() {
                Ok(_) => granted += 1,
                Err(error) => assert_eq!(refused_by(&error), "account-overdraw"),
            }
        }
        assert_eq!((granted, institution.available(&institution.bus)), (10, 1));
        assert_replays(&institution).await;
    }
}

#[tokio::test]
async fn an_answer_is_given_only_when_it_is_durable() {
    let (_folder, log) = sqlite();
    let institution = Institution::with_funds(log, 100_000).await;
    let bus = &institution.bus;
    let answers = join_all((0..32).map(|_| async {
        let outcome = bus.execute(institution.transfer(50)).await.unwrap();
        let (_, last) = outcome.positions.unwrap();
        assert!(institution.log.head().position.get() >= last);
        last
    }));
    let lasts = answers.await;
    assert!(lasts.is_sorted(), "the order of decisions is the order of appends: {lasts:?}");
}

#[tokio::test]
async fn a_dropped_command_happens_all_the_same() {
    let (_folder, log) = sqlite();
    let institution = Institution::with_funds(log, 100_000).await;
    let mut gone = Box::pin(institution.bus.execute(institution.transfer(50)));
    assert!(futures::poll!(&mut gone).is_pending());
    drop(gone);
    institution.bus.execute(institution.transfer(60)).await.unwrap();
    assert_eq!(institution.available(&institution.bus), 100_000 - 50 - 60 - 2 * FEE_CAP);
    assert_replays(&institution).await;
}

/// On one thread, so that nothing is settled between two polls.
#[tokio::test]
async fn too_many_commands_are_told_to_come_later_and_those_taken_are_kept() {
    let institution = Institution::with_funds(memory(), 100_000_000).await;
    let mut taken = Vec::new();
    for _ in 0..ON_THEIR_WAY {
        let mut one = Box::pin(institution.bus.execute(institution.transfer(1)));
        assert!(futures::poll!(&mut one).is_pending());
        taken.push(one);
    }
    let refused = institution.bus.execute(institution.transfer(1)).await.unwrap_err();
    assert!(matches!(refused, CommandError::Unavailable { .. }), "{refused}");
    // Callers who go away make no room: what is on its way still is.
    taken.truncate(ON_THEIR_WAY / 2);
    let refused = institution.bus.execute(institution.transfer(1)).await.unwrap_err();
    assert!(matches!(refused, CommandError::Unavailable { .. }), "{refused}");
    for one in join_all(taken).await {
        one.unwrap();
    }
    institution.bus.execute(institution.transfer(1)).await.unwrap();
    let spent = (u128::try_from(ON_THEIR_WAY).unwrap() + 1) * (1 + FEE_CAP);
    assert_eq!(institution.available(&institution.bus), 100_000_000 - spent);
    assert_replays(&institution).await;
}

/// What somebody else appends to a log that a bus writes.
async fn append_behind(institution: &Institution, stream: &str, event: (&str, &[u8])) {
    let sequence = institution.log.stream_sequence(stream).await.unwrap();
    let id = Uuid::now_v7();
    let (r#type, payload) = (event.0.to_owned(), event.1.to_vec());
    let append = Append {
        expected: vec![Expected { stream: stream.to_owned(), sequence }],
        events: vec![NewEvent { stream: stream.to_owned(), r#type, version: 1, payload }],
        actor: "stranger".to_owned(),
        command: id,
        correlation: id,
        causation: None,
        idempotency: None,
    };
    institution.log.append(append).await.unwrap();
}

async fn assert_stopped(institution: &Institution, because: &str) {
    for _ in 0..2 {
        let error = institution.bus.execute(institution.transfer(50)).await.unwrap_err();
        let CommandError::Corrupt { because: found } = error else { panic!("{error}") };
        assert!(found.contains(because), "{found}");
    }
}

#[tokio::test]
async fn an_append_of_somebody_else_to_what_is_weighed_stops_the_bus() {
    let institution = Institution::with_funds(memory(), 100_000).await;
    let asked = institution.transfer(10);
    institution.bus.execute(asked.clone()).await.unwrap();
    let strongroom_domain::Command::RequestTransfer { intent, .. } = &asked.command else {
        unreachable!("a transfer's request")
    };
    // The hold is voided behind the bus: the account has more than the bus believes.
    let stream = format!("account-{}", institution.account);
    let payload = format!("{{\"transfer\":\"{}\"}}", intent.transfer);
    append_behind(&institution, &stream, ("account.hold-voided", payload.as_bytes())).await;
    let head = institution.log.head();
    assert_stopped(&institution, &stream).await;
    assert_eq!(institution.log.head(), head, "nothing is appended any more");
    // A restart serves what the log says.
    let reopened = institution.reopened().await;
    assert_eq!(institution.available(&reopened), 100_000);
    reopened.execute(institution.transfer(50)).await.unwrap();
}

#[tokio::test]
async fn an_append_of_somebody_else_anywhere_stops_the_bus() {
    let institution = Institution::with_funds(memory(), 100_000).await;
    let signer = institution.bus.read(|state| *state.signers.keys().next().unwrap());
    append_behind(&institution, &format!("signer-{signer}"), ("signer.reached", b"{}")).await;
    assert_stopped(&institution, "another writer").await;
    institution.reopened().await.execute(institution.transfer(50)).await.unwrap();
}

#[tokio::test]
async fn requests_that_are_under_way_when_the_bus_stops_are_not_answered_as_done() {
    let institution = Institution::with_funds(memory(), 100_000).await;
    let stream = format!("account-{}", institution.account);
    let transfer = Uuid::now_v7();
    let hold = format!("{{\"transfer\":\"{transfer}\",\"amount\":\"1\"}}");
    append_behind(&institution, &stream, ("account.hold-placed", hold.as_bytes())).await;
    let bus = &institution.bus;
    let answers = join_all((0..16).map(|_| bus.execute(institution.transfer(50)))).await;
    for answer in answers {
        // Whether it happened shows after a restart: the sequence of a stream that somebody else
        // moved can be, by chance, the one that a later command expects.
        assert!(matches!(answer, Err(CommandError::Corrupt { .. })), "{answer:?}");
    }
    let head = institution.log.head();
    assert_stopped(&institution, &stream).await;
    assert_eq!(institution.log.head(), head);
}

#[tokio::test]
async fn a_log_that_cannot_be_followed_is_not_served() {
    let institution = Institution::with_funds(memory(), 1000).await;
    let stream = format!("account-{}", institution.account);
    let payload = format!("{{\"transfer\":\"{}\"}}", Uuid::now_v7());
    append_behind(&institution, &stream, ("account.hold-voided", payload.as_bytes())).await;
    let opened = Bus::open(Arc::clone(&institution.log), clock).await.map(drop);
    let Err(LoadError::Unreadable { position, because }) = opened else { panic!("{opened:?}") };
    assert_eq!(position, institution.log.head().position.get());
    assert!(because.contains("the log is damaged"), "{because}");
}

/// An older server on the log of a newer one, as after an update that was taken back.
#[tokio::test]
async fn an_event_of_a_newer_build_is_named_and_not_served() {
    let institution = Institution::with_funds(memory(), 1000).await;
    append_behind(&institution, "charter", ("charter.amended", b"{}")).await;
    let opened = Bus::open(Arc::clone(&institution.log), clock).await.map(drop);
    let Err(LoadError::Unreadable { position, because }) = opened else { panic!("{opened:?}") };
    assert_eq!(position, institution.log.head().position.get());
    let said = "event charter.amended version 1 is unknown to this build: use a newer one";
    assert!(because.contains(said), "{because}");
}
