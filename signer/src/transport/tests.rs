//! The transport's rules over real sockets, with rustls's own client at the other end.

use std::{
    collections::BTreeMap,
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
};
use strongroom_secrets::Secret;

use super::{HEADER, LONGEST_BODY, Limits, Server, encode, frame, server_config};
use crate::identity::{Identity, TLS_NAME};

/// A party's self-signed certificate and key.
struct Party {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl Party {
    fn new() -> Self {
        Self::with_key(KeyPair::generate().unwrap())
    }

    fn with_key(key: KeyPair) -> Self {
        let params = CertificateParams::new(vec!["strongroom".into()]).unwrap();
        Self { certificate: params.self_signed(&key).unwrap().der().clone(), key }
    }
}

type Client = StreamOwned<ClientConnection, TcpStream>;

struct Setting {
    identity: Identity,
    party: Party,
    address: SocketAddr,
}

impl Setting {
    fn client(&self) -> Client {
        self.client_as(Some(&self.party), &TLS13)
    }

    fn client_as(
        &self,
        party: Option<&Party>,
        version: &'static SupportedProtocolVersion,
    ) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(self.identity.certificate().clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots);
        let config = match party {
            Some(party) => {
                // Not `with_client_auth_cert`, which checks that key and certificate belong together.
                let key = PrivatePkcs8KeyDer::from(party.key.serialize_der()).into();
                let key = ring::sign::any_supported_type(&key).unwrap();
                let pair = CertifiedKey::new(vec![party.certificate.clone()], key);
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(pair)))
            }
            None => builder.with_no_client_auth(),
        };
        let name = TLS_NAME.try_into().unwrap();
        let socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), socket)
    }
}

fn quick() -> Limits {
    Limits { frame: Duration::from_secs(10), idle: Duration::from_secs(10), ..Limits::default() }
}

/// Runs `body` against a server with `handler`, then stops the server and waits for its end.
fn with_server(
    limits: Limits,
    handler: impl Fn(&[u8]) -> Vec<u8> + Sync,
    body: impl FnOnce(&Setting),
) {
    let home = tempfile::tempdir().unwrap();
    let passphrase = Secret::new(b"p".to_vec());
    Identity::create(home.path(), "signer", &passphrase).unwrap();
    let (identity, _) = Identity::open(home.path(), &passphrase).unwrap();
    let party = Party::new();
    let tls = server_config(&identity, party.certificate.clone()).unwrap();
    let server = Server::bind("127.0.0.1:0", tls, limits).unwrap();
    let setting = Setting { identity, party, address: server.address().unwrap() };
    let stopper = server.stopper();
    thread::scope(|scope| {
        scope.spawn(|| server.run(&handler));
        // Stops the server when the body panics too, or the scope would wait for ever.
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| body(&setting)));
        stopper.stop();
        if let Err(panic) = ended {
            std::panic::resume_unwind(panic);
        }
    });
}

fn ask(client: &mut Client, id: u64, body: &[u8]) -> std::io::Result<()> {
    client.write_all(&encode(id, body).unwrap())?;
    client.flush()
}

fn answer(client: &mut Client) -> std::io::Result<(u64, Vec<u8>)> {
    let mut header = [0; HEADER];
    client.read_exact(&mut header)?;
    let length = u32::from_be_bytes(header[..4].try_into().unwrap());
    let mut body = vec![0; length.try_into().unwrap()];
    client.read_exact(&mut body)?;
    Ok((u64::from_be_bytes(header[4..].try_into().unwrap()), body))
}

fn echo(body: &[u8]) -> Vec<u8> {
    body.to_vec()
}

/// Whether a connection is of no use: neither a request nor its answer comes through.
fn is_refused(mut client: Client) -> bool {
    ask(&mut client, 1, b"{}").and_then(|()| answer(&mut client)).is_err()
}

#[test]
fn the_pinned_server_gets_its_answers_under_their_requests_ids() {
    with_server(quick(), echo, |setting| {
        let mut client = setting.client();
        for id in 0..50_u64 {
            ask(&mut client, id, format!("{{\"n\":{id}}}").as_bytes()).unwrap();
        }
        let answers: BTreeMap<_, _> = (0..50).map(|_| answer(&mut client).unwrap()).collect();
        for id in 0..50_u64 {
            assert_eq!(answers[&id], format!("{{\"n\":{id}}}").as_bytes());
        }
    });
}

#[test]
fn a_slow_request_does_not_hold_up_those_behind_it() {
    let (gate, opened) = (Mutex::new(false), Condvar::new());
    let handler = |body: &[u8]| {
        if body == b"slow" {
            drop(opened.wait_while(gate.lock().unwrap(), |open| !*open).unwrap());
        }
        body.to_vec()
    };
    with_server(quick(), handler, |setting| {
        let mut client = setting.client();
        ask(&mut client, 1, b"slow").unwrap();
        ask(&mut client, 2, b"quick").unwrap();
        assert_eq!(answer(&mut client).unwrap(), (2, b"quick".to_vec()));
        *gate.lock().unwrap() = true;
        opened.notify_all();
        assert_eq!(answer(&mut client).unwrap(), (1, b"slow".to_vec()));
    });
}

#[test]
fn nobody_but_the_pinned_certificate_gets_an_answer() {
    with_server(quick(), echo, |setting| {
        assert!(is_refused(setting.client_as(None, &TLS13)));
        assert!(is_refused(setting.client_as(Some(&Party::new()), &TLS13)));
        // The same key in another certificate: what is pinned is the certificate.
        let der = setting.party.key.serialize_der();
        let again = Party::with_key(KeyPair::try_from(der).unwrap());
        assert!(is_refused(setting.client_as(Some(&again), &TLS13)));
        // The pinned certificate, which is public, without its key.
        let thief = Party { certificate: setting.party.certificate.clone(), ..Party::new() };
        assert!(is_refused(setting.client_as(Some(&thief), &TLS13)));
        assert!(!is_refused(setting.client()));
    });
}

#[test]
fn tls_1_2_and_plain_text_are_refused() {
    with_server(quick(), echo, |setting| {
        assert!(is_refused(setting.client_as(Some(&setting.party), &TLS12)));
        let mut plain = TcpStream::connect(setting.address).unwrap();
        plain.write_all(&encode(1, b"{}").unwrap()).unwrap();
        let mut told = Vec::new();
        // A TLS alert, or a reset: no answer in any case.
        let _ = plain.read_to_end(&mut told);
        assert!(!told.windows(2).any(|window| window == b"{}"));
    });
}

#[test]
fn the_longest_body_goes_through_and_a_longer_one_ends_the_connection() {
    with_server(quick(), echo, |setting| {
        let mut client = setting.client();
        let longest = vec![b'x'; LONGEST_BODY];
        ask(&mut client, 1, &longest).unwrap();
        assert_eq!(answer(&mut client).unwrap(), (1, longest));
        let length = u32::try_from(LONGEST_BODY + 1).unwrap().to_be_bytes();
        client.write_all(&[length.as_slice(), &[0; 8]].concat()).unwrap();
        assert!(answer(&mut client).is_err());
    });
    assert!(encode(1, &vec![0; LONGEST_BODY + 1]).is_none());
}

#[test]
fn half_a_frame_and_silence_are_not_waited_for_without_end() {
    let brief = Duration::from_millis(200);
    let long = Duration::from_hours(1);
    // The server closes; the client's own limit would be `WouldBlock`.
    let closed = |mut client: Client| {
        assert_eq!(answer(&mut client).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    };
    with_server(Limits { frame: brief, idle: long, ..quick() }, echo, |setting| {
        for length in [1, HEADER + 1] {
            let mut client = setting.client();
            client.write_all(&encode(1, b"{}").unwrap()[..length]).unwrap();
            closed(client);
            // The second frame of two, too.
            let mut client = setting.client();
            ask(&mut client, 1, b"{}").unwrap();
            answer(&mut client).unwrap();
            client.write_all(&encode(1, b"{}").unwrap()[..length]).unwrap();
            closed(client);
        }
    });
    with_server(Limits { idle: brief, frame: long, ..quick() }, echo, |setting| {
        closed(setting.client());
    });
    with_server(Limits { handshake: brief, ..quick() }, echo, |setting| {
        let mut mute = TcpStream::connect(setting.address).unwrap();
        assert_eq!(mute.read(&mut [0; 1]).unwrap_or(0), 0);
    });
}

#[test]
fn one_connection_too_many_is_turned_away_until_another_ends() {
    with_server(Limits { connections: 2, ..quick() }, echo, |setting| {
        let mut open = [setting.client(), setting.client()];
        for client in &mut open {
            ask(client, 1, b"{}").unwrap();
            answer(client).unwrap();
        }
        assert!(is_refused(setting.client()));
        let [first, mut second] = open;
        drop(first);
        while is_refused(setting.client()) {
            ask(&mut second, 2, b"{}").unwrap();
            answer(&mut second).unwrap();
        }
    });
}

#[test]
fn a_panic_in_the_handler_ends_its_connection_alone() {
    let handler = |body: &[u8]| {
        assert_ne!(body, b"bad", "on purpose");
        body.to_vec()
    };
    with_server(quick(), handler, |setting| {
        let (mut good, mut bad) = (setting.client(), setting.client());
        for _ in 0..=quick().workers {
            ask(&mut bad, 1, b"bad").unwrap();
            assert!(answer(&mut bad).is_err());
            bad = setting.client();
            ask(&mut good, 1, b"good").unwrap();
            answer(&mut good).unwrap();
        }
    });
}

#[test]
fn stopping_closes_open_connections_and_ends() {
    let mut kept = None;
    with_server(quick(), echo, |setting| {
        let mut client = setting.client();
        ask(&mut client, 1, b"{}").unwrap();
        answer(&mut client).unwrap();
        kept = Some(client);
    });
    assert!(answer(&mut kept.unwrap()).is_err());
}

#[test]
fn frames_come_out_whole_however_they_come_in() {
    let bytes = [encode(1, b"one"), encode(2, b""), encode(u64::MAX, b"three")]
        .map(Option::unwrap)
        .concat();
    for size in 1..bytes.len() {
        let mut inbox = frame::Inbox::default();
        let mut frames = Vec::new();
        for chunk in bytes.chunks(size) {
            inbox.buffer().extend_from_slice(chunk);
            frames.extend(inbox.frames().unwrap());
        }
        assert!(inbox.is_empty());
        let found: Vec<_> = frames.iter().map(|frame| (frame.id, frame.body.as_slice())).collect();
        assert_eq!(found, [(1, b"one".as_slice()), (2, b""), (u64::MAX, b"three")]);
    }
}
