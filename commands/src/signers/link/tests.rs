//! The connection's rules, with bytes written by hand at the other end.

use super::*;
use std::time::Duration;
use strongroom_domain::{Refusal, Rule};
use tokio::io::{DuplexStream, duplex};

fn limits() -> Limits {
    Limits { answer: Duration::from_mins(1), silence: Duration::from_secs(10), ..Limits::default() }
}

fn pair() -> (Link, DuplexStream) {
    let (ours, theirs) = duplex(1 << 20);
    (Link::open(ours, limits()), theirs)
}

/// Reads `count` requests at the other end and gives their ids.
async fn requests(peer: &mut DuplexStream, count: usize) -> Vec<u64> {
    let (mut inbox, mut ids) = (Inbox::default(), Vec::new());
    while ids.len() < count {
        assert_ne!(peer.read_buf(inbox.buffer()).await.unwrap(), 0);
        ids.extend(inbox.frames().unwrap().into_iter().map(|(id, _)| id));
    }
    ids
}

async fn answer(peer: &mut DuplexStream, id: u64, reply: &Reply) {
    let body = serde_json::to_vec(reply).unwrap();
    peer.write_all(&encode(id, &body).unwrap()).await.unwrap();
}

fn refused(because: &str) -> Reply {
    Reply::Refused(Refusal::new(Rule::SignerProtocol, because))
}

#[tokio::test]
async fn answers_find_their_requests_in_any_order() {
    let (link, mut peer) = pair();
    let (first, second, ()) =
        tokio::join!(link.ask(&Order::Status), link.ask(&Order::Status), async {
            let ids = requests(&mut peer, 2).await;
            for id in ids.into_iter().rev() {
                answer(&mut peer, id, &refused(&id.to_string())).await;
            }
        });
    assert_eq!(first, Ok(refused("1")));
    assert_eq!(second, Ok(refused("2")));
}

#[tokio::test]
async fn an_answer_to_nothing_is_passed_over() {
    let (link, mut peer) = pair();
    let (told, ()) = tokio::join!(link.ask(&Order::Status), async {
        requests(&mut peer, 1).await;
        answer(&mut peer, 77, &refused("stranger")).await;
        answer(&mut peer, 1, &refused("mine")).await;
    });
    assert_eq!(told, Ok(refused("mine")));
}

#[tokio::test]
async fn all_that_wait_are_told_when_the_connection_ends() {
    let (link, mut peer) = pair();
    let (first, second, ()) =
        tokio::join!(link.ask(&Order::Status), link.ask(&Order::Status), async {
            requests(&mut peer, 2).await;
            drop(peer);
        });
    let over = LinkError::Closed("the signer closed it".to_owned());
    assert_eq!((first, second), (Err(over.clone()), Err(over)));
    assert_eq!(link.closed().await, "the signer closed it");
}

#[tokio::test]
async fn what_is_no_reply_is_malformed_and_does_not_end_the_connection() {
    let (link, mut peer) = pair();
    let (told, again, ()) =
        tokio::join!(link.ask(&Order::Status), link.ask(&Order::Status), async {
            requests(&mut peer, 2).await;
            peer.write_all(&encode(1, b"{\"answer\":\"yes\"}").unwrap()).await.unwrap();
            answer(&mut peer, 2, &refused("well")).await;
        });
    assert!(matches!(told, Err(LinkError::Malformed(_))), "{told:?}");
    assert_eq!(again, Ok(refused("well")));
}

#[tokio::test]
async fn a_frame_too_long_ends_the_connection() {
    let (link, mut peer) = pair();
    let (told, ()) = tokio::join!(link.ask(&Order::Status), async {
        peer.write_all(&[0xff; 12]).await.unwrap();
    });
    assert!(matches!(told, Err(LinkError::Closed(_))), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_signer_is_given_up_only_while_something_was_asked() {
    let (link, mut peer) = pair();
    tokio::time::sleep(limits().silence * 20).await;
    let (told, ()) = tokio::join!(link.ask(&Order::Status), async {
        requests(&mut peer, 1).await;
        answer(&mut peer, 1, &refused("here")).await;
    });
    assert_eq!(told, Ok(refused("here")));
    let told = link.ask(&Order::Status).await;
    assert_eq!(told, Err(LinkError::Closed("the signer does not answer".to_owned())));
}

#[tokio::test]
async fn a_closed_connection_takes_no_request() {
    let (link, _peer) = pair();
    link.close("enough");
    let told = link.ask(&Order::Status).await;
    assert_eq!(told, Err(LinkError::Closed("enough".to_owned())));
}

#[tokio::test]
async fn what_a_library_tells_programmers_is_not_told_to_people() {
    let (link, _peer) = pair();
    link.close("peer closed connection: https://docs.rs/rustls/latest/rustls/manual");
    assert_eq!(link.closed().await, "peer closed connection");
}
