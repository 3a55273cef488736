//! The cable between the server and a signer: bytes as they come, unless it is cut or silent. It reads
//! nothing: TLS goes through it from end to end.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::regtest::process::free_port;

/// How a cable is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    /// It carries.
    Whole,
    /// Connections end, and new ones end at once.
    Cut,
    /// Nothing arrives; what was sent arrives when it is whole again.
    Silent,
}

/// A cable to a port of loopback. It is gone when this is.
pub(super) struct Cable {
    /// The end that the server connects to.
    pub(super) port: u16,
    mode: watch::Sender<Mode>,
    _runtime: Runtime,
}

impl Cable {
    /// A whole one.
    pub(super) fn lay(to: u16) -> Self {
        let (port, mode) = (free_port(), watch::Sender::new(Mode::Whole));
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", port)));
        let listener = listener.expect("a free port");
        let told = mode.subscribe();
        runtime.spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, to, told.clone()));
            }
        });
        Self { port, mode, _runtime: runtime }
    }

    /// Cuts it, silences it, mends it.
    pub(super) fn is_now(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

async fn carry(near: TcpStream, to: u16, mode: watch::Receiver<Mode>) {
    if *mode.borrow() == Mode::Cut {
        return;
    }
    let Ok(far) = TcpStream::connect(("127.0.0.1", to)).await else { return };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = one_way(near_in, far_out, mode.clone()) => {}
        () = one_way(far_in, near_out, mode) => {}
    }
}

/// Returns when either side has ended, or it was cut.
async fn one_way(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut mode: watch::Receiver<Mode>,
) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            read = from.read(&mut bytes) => read,
            changed = mode.changed() => match changed {
                Ok(()) if *mode.borrow() != Mode::Cut => continue,
                _ => return,
            },
        };
        let Ok(count @ 1..) = read else { return };
        // What was read in the last moment of silence waits for its end.
        let heard = mode.wait_for(|mode| *mode != Mode::Silent).await;
        if heard.map_or(true, |mode| *mode == Mode::Cut) {
            return;
        }
        let Some(read) = bytes.get(..count) else { return };
        if to.write_all(read).await.is_err() {
            return;
        }
    }
}
