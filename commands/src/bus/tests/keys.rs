//! Idempotency keys: a request that is repeated happens once, and is answered as the first time.

use super::*;
use futures::future::join_all;

fn idempotency(request: &Request) -> IdempotencyKey {
    request.idempotency.clone().unwrap()
}

#[tokio::test]
async fn the_same_key_and_body_give_the_first_answer_again_also_after_a_restart() {
    let (_folder, log) = sqlite();
    let institution = Institution::with_funds(log, 5000).await;
    let first = institution.bus.execute(institution.keyed(700, "k", "body")).await.unwrap();
    let head = institution.log.head();
    // The repeat brings ids of its own, which must not be used.
    let again = institution.bus.execute(institution.keyed(700, "k", "body")).await.unwrap();
    assert_eq!(first, again);
    let reopened = institution.reopened().await;
    let late = reopened.execute(institution.keyed(700, "k", "body")).await.unwrap();
    assert_eq!(first, late);
    assert_eq!(institution.log.head(), head);
    assert_eq!(institution.available(&reopened), 5000 - 700 - FEE_CAP);
}

#[tokio::test]
async fn a_refusal_is_repeated_even_where_it_would_be_granted_now() {
    let institution = Institution::with_funds(memory(), 1000).await;
    let blocking = institution.transfer(800);
    institution.bus.execute(blocking.clone()).await.unwrap();
    let refused = institution.bus.execute(institution.keyed(500, "k", "body")).await.unwrap_err();
    assert_eq!(refused_by(&refused), "account-overdraw");
    let (proposal, by) = (proposal_of(&blocking), institution.maker);
    institution.run(strongroom_domain::Command::CancelProposal { proposal, by }).await;
    let again = institution.bus.execute(institution.keyed(500, "k", "body")).await.unwrap_err();
    assert_eq!(refused, again);
    let reopened = institution.reopened().await;
    assert_eq!(reopened.execute(institution.keyed(500, "k", "body")).await.unwrap_err(), refused);
    reopened.execute(institution.keyed(500, "another", "body")).await.unwrap();
}

#[tokio::test]
async fn a_key_is_refused_for_another_body() {
    let institution = Institution::with_funds(memory(), 5000).await;
    institution.bus.execute(institution.keyed(700, "k", "body")).await.unwrap();
    let head = institution.log.head();
    let reused = institution.bus.execute(institution.keyed(701, "k", "other")).await.unwrap_err();
    assert_eq!(reused, CommandError::KeyReused { key: "k".to_owned() });
    assert_eq!(institution.log.head(), head);
    let mut anothers = institution.keyed(701, "k", "other");
    anothers.idempotency =
        Some(IdempotencyKey { caller: "another".to_owned(), ..idempotency(&anothers) });
    institution.bus.execute(anothers).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_requests_with_one_key_one_happens() {
    let (_folder, log) = sqlite();
    let institution = Institution::with_funds(log, 100_000).await;
    let racing = (0..64).map(|_| {
        let (bus, request) = (institution.bus.clone(), institution.keyed(700, "k", "body"));
        tokio::spawn(async move { bus.execute(request).await })
    });
    let mut answers = Vec::new();
    for answer in join_all(racing).await {
        match answer.unwrap() {
            Ok(outcome) => answers.push(outcome),
            Err(CommandError::Conflict { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    let settled = institution.bus.execute(institution.keyed(700, "k", "body")).await.unwrap();
    assert!(answers.iter().all(|answer| *answer == settled));
    assert_eq!(institution.available(&institution.bus), 100_000 - 700 - FEE_CAP);
    assert_replays(&institution).await;
}

/// As where a client hangs up and sends its request again.
#[tokio::test]
async fn a_caller_who_goes_away_and_comes_back_does_not_happen_twice() {
    let (_folder, log) = sqlite();
    let institution = Institution::with_funds(log, 100_000).await;
    let request = || institution.keyed(700, "k", "body");
    for _ in 0..8 {
        let mut gone = Box::pin(institution.bus.execute(request()));
        // On its way, or told that it is: in no case is it waited for.
        if futures::poll!(&mut gone).is_pending() {
            drop(gone);
        }
    }
    let answer = loop {
        match institution.bus.execute(request()).await {
            Err(CommandError::Conflict { .. }) => tokio::task::yield_now().await,
            answer => break answer.unwrap(),
        }
    };
    assert_eq!(institution.bus.execute(request()).await.unwrap(), answer);
    assert_eq!(institution.available(&institution.bus), 100_000 - 700 - FEE_CAP);
    assert_replays(&institution).await;
}
