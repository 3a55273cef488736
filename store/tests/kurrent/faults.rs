//! Calls that go wrong. Never asserts a time.

use strongroom_store::conformance::{append_to, verify};
use strongroom_store::{
    AppendError, AppendLog, KurrentLog, NewEvent, OpenError, Options, ReadError, ReadLog,
};

use crate::stand_in::{Fault, ProtocolStandIn};
use crate::{keyed, open};

fn stopped(result: &Result<strongroom_store::Appended, AppendError>) -> &str {
    let Err(AppendError::Stopped { reason }) = result else { panic!("{result:?}") };
    reason
}

#[tokio::test]
async fn an_append_whose_answer_is_lost_is_written_once_and_answered() {
    for fault in [Fault::AnswerLost, Fault::AnswerNever, Fault::CutBefore, Fault::Busy] {
        let server = ProtocolStandIn::start().await;
        let url = server.url("ledger").replace("defaultDeadline=2000", "defaultDeadline=300");
        let log = KurrentLog::open(&url, &Options::default()).await.unwrap();
        log.append(append_to(&[("a", 0)])).await.unwrap();
        let before = server.appends();
        server.fail_next(&[fault, fault]);
        let appended = log.append(append_to(&[("a", 1), ("b", 0)])).await.unwrap();
        assert!(server.appends() - before >= 3, "{fault:?}: the same call, until it is answered");
        assert_eq!(appended.head, log.head());
        assert_eq!(verify(&log).await.len(), 3, "{fault:?}");
        log.append(append_to(&[("a", 2)])).await.unwrap();
        assert_eq!(verify(&open(&server, "ledger").await).await.len(), 4, "{fault:?}");
    }
}

#[tokio::test]
async fn a_refusal_whose_answer_is_lost_is_kept_once() {
    let server = ProtocolStandIn::start().await;
    let log = open(&server, "ledger").await;
    server.fail_next(&[Fault::AnswerLost]);
    log.append(keyed(append_to(&[]), "k")).await.unwrap();
    let repeated = log.append(keyed(append_to(&[]), "k")).await;
    assert!(matches!(repeated, Err(AppendError::KeyUsed(_))), "{repeated:?}");
    let reopened = open(&server, "ledger").await;
    assert_eq!(reopened.outcome("tester", "k").await.unwrap().unwrap().outcome, b"k");
    assert_eq!(server.events("ledger"), []);
}

/// The writer is gone between the write and its answer: the next one finds events and outcome.
#[tokio::test]
async fn an_append_that_nobody_was_told_of_is_there_with_its_outcome() {
    let server = ProtocolStandIn::start().await;
    let log = open(&server, "ledger").await;
    server.fail_next(&[Fault::AnswerNever]);
    let waiting = tokio::spawn(log.append(keyed(append_to(&[("a", 0)]), "k")));
    while server.events("ledger").is_empty() {
        tokio::task::yield_now().await;
    }
    waiting.abort();
    let next = open(&server, "ledger").await;
    let repeated = next.append(keyed(append_to(&[("a", 0)]), "k")).await;
    let Err(AppendError::KeyUsed(stored)) = repeated else { panic!("{repeated:?}") };
    assert_eq!(stored.positions.unwrap().last.get(), 1);
    assert_eq!(verify(&next).await.len(), 1);
}

#[tokio::test]
async fn a_server_that_is_gone_for_good_stops_the_log_and_is_unavailable_at_open() {
    let server = ProtocolStandIn::start().await;
    let log = open(&server, "ledger").await;
    log.append(append_to(&[("a", 0)])).await.unwrap();
    let mut subscription = log.subscribe(strongroom_store::Position::FIRST);
    subscription.next_batch().await.unwrap();
    server.link.take_down();
    let unread = log.read_from(strongroom_store::Position::FIRST, 1).await;
    assert!(matches!(unread, Err(ReadError::Unavailable { .. })), "{unread:?}");
    assert_eq!(log.stop_reason(), None);
    let reason = stopped(&log.append(append_to(&[("a", 1)])).await).to_owned();
    assert!(reason.contains("no answer to 5 calls"), "{reason}");
    assert_eq!(log.stop_reason(), Some(reason.clone()));
    assert_eq!(stopped(&log.append(append_to(&[("b", 0)])).await), reason);
    let refused = KurrentLog::open(&server.url("ledger"), &Options::default()).await.map(|_| ());
    assert!(matches!(refused, Err(OpenError::Unavailable(_))), "{refused:?}");
    server.link.put_up();
    // Stopped is for good: only opening again tells what is there.
    stopped(&log.append(append_to(&[("a", 1)])).await);
    assert!(matches!(subscription.next_batch().await, Err(ReadError::Closed)));
    assert_eq!(verify(&open(&server, "ledger").await).await.len(), 1);
}

#[tokio::test]
async fn of_two_servers_on_one_log_the_one_that_opened_first_stops() {
    let server = ProtocolStandIn::start().await;
    let old = open(&server, "ledger").await;
    old.append(append_to(&[("a", 0)])).await.unwrap();
    let new = open(&server, "ledger").await;
    let refusal = old.append(keyed(append_to(&[]), "k")).await;
    assert!(stopped(&refusal).contains("another program wrote to it"), "{refusal:?}");
    let old = open(&server, "ledger").await;
    let newest = open(&server, "ledger").await;
    newest.append(append_to(&[("a", 1)])).await.unwrap();
    for behind in [old, new] {
        let fenced = behind.append(append_to(&[("a", 1)])).await;
        assert!(stopped(&fenced).contains("another program wrote to it"), "{fenced:?}");
    }
    newest.append(append_to(&[("a", 2)])).await.unwrap();
    assert_eq!(verify(&newest).await.len(), 3);
}

#[tokio::test]
async fn an_append_larger_than_the_server_takes_leaves_nothing_and_the_log_goes_on() {
    let server = ProtocolStandIn::start().await;
    let log = open(&server, "ledger").await;
    log.append(append_to(&[("a", 0)])).await.unwrap();
    server.limit_appends(100_000);
    let large = |bytes: usize| {
        let mut append = append_to(&[("a", 1)]);
        append.events[0] = NewEvent { payload: vec![b'x'; bytes], ..append.events[0].clone() };
        keyed(append, "large")
    };
    let refused = log.append(large(200_000)).await;
    let Err(AppendError::Unavailable { reason }) = refused else { panic!("{refused:?}") };
    assert!(reason.contains("Maximum Append Size of 100000"), "{reason}");
    assert_eq!(log.outcome("tester", "large").await.unwrap(), None);
    log.append(large(50_000)).await.unwrap();
    let records = verify(&log).await;
    assert_eq!(records.len(), 2);
    // The tree was wound back too.
    let tree = strongroom_store::tree_head(&log, 2).await.unwrap();
    let reopened = open(&server, "ledger").await;
    assert_eq!(strongroom_store::tree_head(&reopened, 2).await.unwrap(), tree);
    log.append(append_to(&[("b", 0)])).await.unwrap();
}

#[tokio::test]
async fn what_no_server_takes_in_one_call_is_invalid() {
    let server = ProtocolStandIn::start().await;
    let log = open(&server, "ledger").await;
    let mut append = append_to(&[("a", 0)]);
    append.events[0].payload = vec![b'x'; 1024 * 1024];
    append.events = vec![append.events[0].clone(); 16];
    let refused = log.append(append.clone()).await;
    assert!(matches!(refused, Err(AppendError::Invalid { .. })), "{refused:?}");
    append.events.truncate(2);
    log.append(append).await.unwrap();
    assert_eq!(verify(&log).await.len(), 2);
}

#[tokio::test]
async fn a_follower_sends_the_log_to_the_leader() {
    let (leader, follower) = (ProtocolStandIn::start().await, ProtocolStandIn::start().await);
    follower.follow_leader(&leader);
    let log = open(&follower, "ledger").await;
    log.append(append_to(&[("a", 0)])).await.unwrap();
    assert_eq!(verify(&log).await.len(), 1);
    assert_eq!((leader.events("ledger").len(), follower.events("ledger").len()), (1, 0));
    // Another server is elected while the log is open.
    let successor = ProtocolStandIn::start().await;
    successor.take_over(&leader);
    leader.follow_leader(&successor);
    log.append(append_to(&[("a", 1)])).await.unwrap();
    assert_eq!(verify(&log).await.len(), 2);
    assert_eq!(successor.events("ledger").len(), 2);
}
