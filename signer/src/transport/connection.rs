//! One TLS connection, read by its own thread and written to by the workers. Never waits for the
//! socket's bytes while it holds the TLS state, so that answers can leave meanwhile.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustls::{ServerConfig, ServerConnection};

use super::{
    frame::{Frame, Inbox, encode},
    server::Limits,
};

/// Read from the socket at once, in bytes; about one TLS record.
const CHUNK: usize = 16 * 1024;

pub(super) struct Connection {
    socket: TcpStream,
    tls: Mutex<ServerConnection>,
    limits: Limits,
}

/// What reading on gave.
pub(super) enum Incoming {
    Frames(Vec<Frame>),
    /// The peer has closed, properly or not.
    End,
}

impl Connection {
    /// Shakes hands, within the limit for it.
    pub(super) fn accept(
        socket: TcpStream,
        config: Arc<ServerConfig>,
        limits: Limits,
    ) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(limits.frame))?;
        let mut tls = ServerConnection::new(config).map_err(io::Error::other)?;
        let end = deadline(limits.handshake)?;
        while tls.is_handshaking() {
            if tls.wants_write() {
                flush(&mut tls, &socket)?;
                continue;
            }
            wait_until(&socket, end)?;
            match tls.read_tls(&mut &socket) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if is_interrupted(&error) => continue,
                Err(error) => return Err(error),
            }
            process(&mut tls, &socket)?;
        }
        flush(&mut tls, &socket)?;
        Ok(Self { socket, tls: Mutex::new(tls), limits })
    }

    /// Waits for the next frames: for the first byte as long as the idle limit, for the rest of a
    /// frame as long as the frame limit.
    pub(super) fn receive(&self, inbox: &mut Inbox) -> io::Result<Incoming> {
        let mut end = deadline(self.limits.idle)?;
        let mut partial = false;
        let mut chunk = [0; CHUNK];
        loop {
            let open = self.decrypt(inbox)?;
            let frames = inbox
                .frames()
                .map_err(|long| io::Error::other(format!("a frame of {} bytes", long.0)))?;
            if !frames.is_empty() {
                return Ok(Incoming::Frames(frames));
            }
            if !open {
                return Ok(Incoming::End);
            }
            if !partial && !inbox.is_empty() {
                partial = true;
                end = deadline(self.limits.frame)?;
            }
            wait_until(&self.socket, end)?;
            let count = match (&self.socket).read(&mut chunk) {
                Ok(0) => return Ok(Incoming::End),
                Ok(count) => count,
                Err(error) if is_interrupted(&error) => continue,
                Err(error) => return Err(error),
            };
            self.feed(chunk.get(..count).unwrap_or_default(), inbox)?;
        }
    }

    /// Sends an answer, whole.
    pub(super) fn send(&self, id: u64, body: &[u8]) -> io::Result<()> {
        let frame = encode(id, body)
            .ok_or_else(|| io::Error::other(format!("an answer of {} bytes", body.len())))?;
        let end = deadline(self.limits.frame)?;
        let mut rest = frame.as_slice();
        let mut tls = self.lock();
        while !rest.is_empty() {
            if Instant::now() > end {
                return Err(ErrorKind::TimedOut.into());
            }
            let count = tls.writer().write(rest)?;
            rest = rest.get(count..).unwrap_or_default();
            flush(&mut tls, &self.socket)?;
        }
        Ok(())
    }

    /// Says goodbye and closes; the reading thread ends by it.
    pub(super) fn close(&self) {
        if let Ok(mut tls) = self.tls.try_lock() {
            tls.send_close_notify();
            // The peer may be gone already.
            let _ = flush(&mut tls, &self.socket);
        }
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    fn feed(&self, mut bytes: &[u8], inbox: &mut Inbox) -> io::Result<()> {
        while !bytes.is_empty() {
            let mut tls = self.lock();
            tls.read_tls(&mut bytes)?;
            process(&mut tls, &self.socket)?;
            drop(tls);
            self.decrypt(inbox)?;
        }
        Ok(())
    }

    /// Moves what is decrypted into the inbox; false once the peer has closed.
    fn decrypt(&self, inbox: &mut Inbox) -> io::Result<bool> {
        let mut tls = self.lock();
        let open = match tls.reader().read_to_end(inbox.buffer()) {
            Ok(_) => false,
            Err(error) if error.kind() == ErrorKind::WouldBlock => true,
            Err(error) => return Err(error),
        };
        flush(&mut tls, &self.socket)?;
        Ok(open)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ServerConnection> {
        self.tls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn process(tls: &mut ServerConnection, socket: &TcpStream) -> io::Result<()> {
    if let Err(error) = tls.process_new_packets() {
        // The alert tells the peer why; that it arrives is not certain.
        let _ = flush(tls, socket);
        return Err(io::Error::new(ErrorKind::InvalidData, error));
    }
    Ok(())
}

fn flush(tls: &mut ServerConnection, mut socket: &TcpStream) -> io::Result<()> {
    while tls.wants_write() {
        match tls.write_tls(&mut socket) {
            Ok(_) => {}
            Err(error) if is_interrupted(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A process that was stopped and goes on finds its waiting calls so, those on sockets with a time
/// limit without any handler (signal(7)): no reason to give a connection up.
fn is_interrupted(error: &io::Error) -> bool {
    error.kind() == ErrorKind::Interrupted
}

fn deadline(limit: Duration) -> io::Result<Instant> {
    Instant::now().checked_add(limit).ok_or_else(|| io::Error::other("a limit beyond all time"))
}

/// Bounds the next read of the socket by what is left until `end`.
fn wait_until(socket: &TcpStream, end: Instant) -> io::Result<()> {
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(ErrorKind::TimedOut.into());
    }
    socket.set_read_timeout(Some(left))
}
