//! What reaches a signer before any order: strangers, and bytes that are no order. Strangers get no
//! answer at all; whoever has the server's key gets a refusal or a closed connection, and the signer
//! goes on.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use strongroom_domain::Network;
use strongroom_domain::protocol::Reply;
use strongroom_tests::deployment::{Captives, Programs};

use super::catalogue::{answers, silent};
use super::forge::clock;
use super::link::Link;
use super::world::World;

const STATUS: &[u8] = br#"{"ask":"status"}"#;

#[test]
fn whoever_is_not_the_pinned_server_gets_no_answer() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let other = Captives::server_identity(&Programs::built(), &root.path().join("other"));
    let custody = world.custody(Network::LitecoinRegtest);
    let answered = Link::open(&world.signers[0], None).exchange(STATUS);
    silent("wire-nobodys-certificate", answered.is_err());
    world.pays(&custody);
    let answered = Link::open(&world.signers[0], Some(&other)).exchange(STATUS);
    silent("wire-strangers-certificate", answered.is_err());
    world.pays(&custody);
    let mut plain = TcpStream::connect(("127.0.0.1", world.signers[0].port)).unwrap();
    plain.write_all(STATUS).unwrap();
    let mut told = Vec::new();
    // An alert or a reset.
    let _ = plain.read_to_end(&mut told);
    silent("wire-no-tls", !told.windows(6).any(|window| window == b"answer"));
    world.pays(&custody);
}

#[test]
fn what_is_no_order_is_refused_and_what_is_no_frame_ends_the_connection() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::LitecoinRegtest);
    let deep = "[".repeat(100_000);
    let bodies: [(&str, &str); 9] = [
        ("wire-nothing", ""),
        ("wire-no-json", "please"),
        ("wire-half-of-order", r#"{"ask":"stat"#),
        ("wire-order-that-there-is-not", r#"{"ask":"sign-digest","digest":"00"}"#),
        ("wire-order-with-field-more", r#"{"ask":"extend","entries":[],"really":true}"#),
        ("wire-order-without-its-fields", r#"{"ask":"commit"}"#),
        ("wire-id-that-is-none", r#"{"ask":"begin-ceremony","key":"../../etc"}"#),
        ("wire-list", "[]"),
        ("wire-deep-nest", &deep),
    ];
    let mut link = world.link(0);
    for (name, body) in bodies {
        let answer = link.exchange(body.as_bytes()).unwrap();
        answers(name, &serde_json::from_slice::<Reply>(&answer).unwrap());
        world.pays(&custody);
    }
    let long = format!(r#"{{"ask":"{}"}}"#, "x\\n".repeat(1_000_000));
    let answer = link.exchange(long.as_bytes()).unwrap();
    assert!(answer.len() < 1000, "a refusal of {} bytes", answer.len());
    let not_text = link.exchange(&[0xff; 64]).unwrap();
    answers("wire-bytes-that-are-no-text", &serde_json::from_slice(&not_text).unwrap());
    world.pays(&custody);
    let frames = [("wire-frame-too-long", 16 * 1024 * 1024 + 1), ("wire-frame-of-4-gib", u32::MAX)];
    for (name, length) in frames {
        let mut link = world.link(0);
        link.send(&[length.to_be_bytes().as_slice(), &[0; 8]].concat()).unwrap();
        silent(name, link.receive().is_err());
        world.pays(&custody);
    }
    // As long as a frame may be, and nothing in it.
    let blanks = vec![b' '; 16 * 1024 * 1024];
    let answer = world.link(0).exchange(&blanks).unwrap();
    answers("wire-longest-frame-of-blanks", &serde_json::from_slice(&answer).unwrap());
    world.pays(&custody);
}
