//! A proxy that changes what a server says: the stolen server of a test. It changes texts for others
//! of the same length, and nothing else.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Texts and what they become.
type Changes = Arc<Mutex<Vec<(Vec<u8>, Vec<u8>)>>>;

/// A running proxy; it listens until the test's process ends.
pub struct Meddler {
    /// Where it listens, on loopback.
    pub port: u16,
    changes: Changes,
}

impl Meddler {
    /// One that passes all on to a server on a port of loopback.
    pub fn before(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let changes = Changes::default();
        let known = Arc::clone(&changes);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let known = Arc::clone(&known);
                // A browser that goes away in the middle is no failure.
                std::thread::spawn(move || drop(pass(client, server, &known)));
            }
        });
        Self { port, changes }
    }

    /// From now on it says the second of each where the server says the first, and changes nothing
    /// else.
    pub fn change(&self, changes: &[(&str, &str)]) {
        let bytes = |(from, to): &(&str, &str)| {
            assert_eq!(from.len(), to.len(), "a body's length is said before it");
            (from.as_bytes().to_vec(), to.as_bytes().to_vec())
        };
        *self.changes.lock().unwrap_or_else(PoisonError::into_inner) =
            changes.iter().map(bytes).collect();
    }
}

/// One request and its answer.
fn pass(mut client: TcpStream, server: u16, changes: &Changes) -> std::io::Result<()> {
    client.set_read_timeout(Some(Duration::from_mins(1)))?;
    let request = request(&mut client)?;
    let mut server = TcpStream::connect(("127.0.0.1", server))?;
    server.write_all(&request)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    for (from, to) in changes.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        let places: Vec<_> =
            (0..answer.len()).filter(|at| answer[*at..].starts_with(from)).collect();
        for at in places {
            answer[at..at + to.len()].copy_from_slice(to);
        }
    }
    client.write_all(&answer)
}

/// A request whole, as a server wants it: its path alone, and one request for a connection.
fn request(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let (mut bytes, mut part) = (Vec::new(), [0; 16 * 1024]);
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        match client.read(&mut part)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => bytes.extend_from_slice(&part[..read]),
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let named = |line: &str, name: &str| line.to_ascii_lowercase().starts_with(name);
    let length = head.lines().find(|line| named(line, "content-length:"));
    let length = length.and_then(|line| line[15..].trim().parse().ok()).unwrap_or(0_usize);
    while bytes.len() < end + 4 + length {
        match client.read(&mut part)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => bytes.extend_from_slice(&part[..read]),
        }
    }
    let first = head.lines().next().unwrap_or_default();
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = target.splitn(4, '/').nth(3).unwrap_or_default();
    let mut whole = format!("{method} /{path} HTTP/1.1\r\nConnection: close\r\n").into_bytes();
    for line in head.lines().skip(1) {
        if !named(line, "connection:") && !named(line, "proxy-connection:") {
            whole.extend_from_slice(line.as_bytes());
            whole.extend_from_slice(b"\r\n");
        }
    }
    whole.extend_from_slice(b"\r\n");
    whole.extend_from_slice(&bytes[end + 4..end + 4 + length]);
    Ok(whole)
}
