//! What reaches a signer before any order: strangers, and bytes that are no order. Strangers get no
//! answer at all; whoever has the server's key gets a refusal or a closed connection, and the signer
//! goes on.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use strongroom_domain::protocol::Reply;
use strongroom_domain::{Network, Rule};
use strongroom_tests::deployment::{Captives, Programs};

use super::forge::clock;
use super::link::{Link, refused};
use super::world::World;

const STATUS: &[u8] = br#"{"ask":"status"}"#;

#[test]
fn whoever_is_not_the_pinned_server_gets_no_answer() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let other = Captives::server_identity(&Programs::built(), &root.path().join("other"));
    assert!(Link::open(&world.signers[0], None).exchange(STATUS).is_err());
    assert!(Link::open(&world.signers[0], Some(&other)).exchange(STATUS).is_err());
    let mut plain = TcpStream::connect(("127.0.0.1", world.signers[0].port)).unwrap();
    plain.write_all(STATUS).unwrap();
    let mut told = Vec::new();
    // An alert or a reset.
    let _ = plain.read_to_end(&mut told);
    assert!(!told.windows(6).any(|window| window == b"answer"), "{told:?}");
    let custody = world.custody(Network::LitecoinRegtest);
    world.pays(&custody);
}

#[test]
fn what_is_no_order_is_refused_and_what_is_no_frame_ends_the_connection() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let deep = "[".repeat(100_000);
    let bodies: [(&str, &str); 9] = [
        ("nothing", ""),
        ("no JSON", "please"),
        ("half of an order", r#"{"ask":"stat"#),
        ("an order that there is not", r#"{"ask":"sign-digest","digest":"00"}"#),
        ("an order with a field more", r#"{"ask":"extend","entries":[],"really":true}"#),
        ("an order without its fields", r#"{"ask":"commit"}"#),
        ("an id that is none", r#"{"ask":"begin-ceremony","key":"../../etc"}"#),
        ("a list", "[]"),
        ("a deep nest", &deep),
    ];
    let mut link = world.link(0);
    for (name, body) in bodies {
        let answer = link.exchange(body.as_bytes()).unwrap();
        refused(name, &serde_json::from_slice::<Reply>(&answer).unwrap(), Rule::SignerProtocol);
    }
    let long = format!(r#"{{"ask":"{}"}}"#, "x\\n".repeat(1_000_000));
    let answer = link.exchange(long.as_bytes()).unwrap();
    assert!(answer.len() < 1000, "a refusal of {} bytes", answer.len());
    let not_text = link.exchange(&[0xff; 64]).unwrap();
    refused("no text", &serde_json::from_slice(&not_text).unwrap(), Rule::SignerProtocol);
    for length in [16 * 1024 * 1024 + 1, u32::MAX] {
        let mut link = world.link(0);
        link.send(&[length.to_be_bytes().as_slice(), &[0; 8]].concat()).unwrap();
        assert!(link.receive().is_err(), "a frame of {length} bytes");
    }
    // As long as a frame may be, and nothing in it.
    let blanks = vec![b' '; 16 * 1024 * 1024];
    let answer = world.link(0).exchange(&blanks).unwrap();
    refused("blanks", &serde_json::from_slice(&answer).unwrap(), Rule::SignerProtocol);
    let custody = world.custody(Network::LitecoinRegtest);
    world.pays(&custody);
}
