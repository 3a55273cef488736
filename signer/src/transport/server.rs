//! The listening side: accepts connections up to a number, hands their requests to a few workers,
//! sends the answers back as they come. Never queues without bound: when all workers are busy and the
//! queue is full, it stops reading.

use std::{
    collections::BTreeMap,
    io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use rustls::ServerConfig;

use super::{
    connection::{Connection, Incoming},
    frame::{Frame, Inbox},
};

/// Between two looks for new connections or the order to stop. Waiting in `accept` would need a
/// connection to ourselves to wake up, and a signer opens none. Connections live long: it adds
/// nothing to a request.
const PAUSE: Duration = Duration::from_millis(10);

/// Bounds on what peers can use up.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at the same time, those that still shake hands among them.
    pub connections: usize,
    /// Requests worked on at the same time.
    pub workers: usize,
    /// Requests that wait for a worker.
    pub waiting: usize,
    /// For a whole handshake.
    pub handshake: Duration,
    /// For a whole frame, once its first byte came; and for sending an answer.
    pub frame: Duration,
    /// Without any request.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16,
            workers: 4,
            waiting: 16,
            handshake: Duration::from_secs(10),
            frame: Duration::from_secs(30),
            idle: Duration::from_mins(10),
        }
    }
}

/// A listening server. `run` does the work.
pub struct Server {
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    limits: Limits,
    open: Arc<Open>,
}

/// Ends a [`Server::run`] from another thread.
#[derive(Clone)]
pub struct Stopper(Arc<Open>);

#[derive(Default)]
struct Open {
    stopping: AtomicBool,
    sockets: Mutex<(u64, BTreeMap<u64, TcpStream>)>,
}

/// A request with where its answer goes.
struct Job {
    connection: Arc<Connection>,
    frame: Frame,
}

impl Server {
    /// Listens on `address`.
    pub fn bind(
        address: impl ToSocketAddrs,
        tls: Arc<ServerConfig>,
        limits: Limits,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, tls, limits, open: Arc::default() })
    }

    /// Where it listens, with the port that the system chose for port 0.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// A handle to stop it.
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.open))
    }

    /// Serves until stopped. `handler` turns a request's body into its answer's, on several threads
    /// at once; if it panics, the request's connection is closed.
    pub fn run(&self, handler: &(dyn Fn(&[u8]) -> Vec<u8> + Sync)) {
        let (jobs, queue) = sync_channel(self.limits.waiting);
        let queue = Mutex::new(queue);
        thread::scope(|scope| {
            for _ in 0..self.limits.workers {
                scope.spawn(|| work(&queue, handler));
            }
            while !self.open.stopping.load(Ordering::SeqCst) {
                match self.listener.accept().and_then(|(socket, _)| self.admit(socket)) {
                    Ok(Some((number, socket))) => {
                        let jobs = jobs.clone();
                        scope.spawn(move || {
                            self.serve(socket, &jobs);
                            self.open.forget(number);
                        });
                    }
                    Ok(None) => tracing::warn!("too many connections, one was turned away"),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(PAUSE),
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
                        thread::sleep(PAUSE);
                    }
                }
            }
            drop(jobs);
            self.open.shut();
        });
    }

    fn admit(&self, socket: TcpStream) -> io::Result<Option<(u64, TcpStream)>> {
        socket.set_nonblocking(false)?;
        let mut sockets = self.open.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, known) = &mut *sockets;
        if known.len() >= self.limits.connections {
            return Ok(None);
        }
        let number = *next;
        *next = next.saturating_add(1);
        known.insert(number, socket.try_clone()?);
        Ok(Some((number, socket)))
    }

    fn serve(&self, socket: TcpStream, jobs: &SyncSender<Job>) {
        let connection = match Connection::accept(socket, Arc::clone(&self.tls), self.limits) {
            Ok(connection) => Arc::new(connection),
            Err(error) => {
                tracing::warn!(%error, "a handshake failed");
                return;
            }
        };
        let mut inbox = Inbox::default();
        loop {
            match connection.receive(&mut inbox) {
                Ok(Incoming::Frames(frames)) => {
                    for frame in frames {
                        let job = Job { connection: Arc::clone(&connection), frame };
                        if jobs.send(job).is_err() {
                            return;
                        }
                    }
                }
                Ok(Incoming::End) => break,
                Err(error) => {
                    tracing::warn!(%error, "a connection was given up");
                    break;
                }
            }
        }
        connection.close();
    }
}

impl Stopper {
    /// Closes every connection and ends `run`, after the requests that are being worked on.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::SeqCst);
    }
}

impl Open {
    fn forget(&self, number: u64) {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner).1.remove(&number);
    }

    fn shut(&self) {
        let sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        for socket in sockets.1.values() {
            // One that closed by itself meanwhile needs no more.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

fn work(queue: &Mutex<Receiver<Job>>, handler: &(dyn Fn(&[u8]) -> Vec<u8> + Sync)) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { connection, frame }) = next else { return };
        let answer = catch_unwind(AssertUnwindSafe(|| handler(&frame.body)));
        let sent = match answer {
            Ok(body) => connection.send(frame.id, &body),
            Err(_panic) => Err(io::Error::other("the handler panicked: a bug")),
        };
        if let Err(error) = sent {
            tracing::warn!(%error, "an answer was not sent, its connection is closed");
            connection.close();
        }
    }
}
