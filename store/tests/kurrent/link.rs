//! The network between a log and the stand-in: real TCP that can be cut. Never changes a byte.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A port that leads to another one, for as long as nobody cuts it.
#[derive(Clone)]
pub(crate) struct Link {
    pub port: u16,
    cuts: Arc<watch::Sender<u64>>,
    down: Arc<AtomicBool>,
}

impl Link {
    pub(crate) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let link = Self { port, cuts: Arc::default(), down: Arc::default() };
        let (cuts, down) = (Arc::clone(&link.cuts), Arc::clone(&link.down));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if down.load(Ordering::SeqCst) {
                    continue;
                }
                let mut cut = cuts.subscribe();
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect(("127.0.0.1", server)).await else {
                        return;
                    };
                    far.set_nodelay(true).unwrap();
                    tokio::select! {
                        _ = carry(near, far) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        link
    }

    /// Drops every connection that there is; new ones can be made.
    pub(crate) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// From now on nobody gets through.
    pub(crate) fn take_down(&self) {
        self.down.store(true, Ordering::SeqCst);
        self.cut();
    }

    /// New connections can be made again.
    pub(crate) fn put_up(&self) {
        self.down.store(false, Ordering::SeqCst);
    }
}

/// Both ways, until one side closes. The server's client leaves Nagle's algorithm on and then waits
/// 40 ms for each call's first packet to be acknowledged: here it is, at once.
async fn carry(near: TcpStream, far: TcpStream) -> std::io::Result<()> {
    near.set_nodelay(true)?;
    let socket = Arc::new(near);
    let (mut from_far, mut to_far) = far.into_split();
    let there = async {
        let mut bytes = vec![0; 64 * 1024];
        loop {
            socket.set_quickack(true)?;
            socket.readable().await?;
            match socket.try_read(&mut bytes) {
                Ok(0) => return Ok(()),
                Ok(count) => to_far.write_all(bytes.get(..count).unwrap_or_default()).await?,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    };
    let back = async {
        let mut bytes = vec![0; 64 * 1024];
        loop {
            let count = from_far.read(&mut bytes).await?;
            let mut rest = bytes.get(..count).unwrap_or_default();
            if rest.is_empty() {
                return Ok(());
            }
            while !rest.is_empty() {
                socket.writable().await?;
                match socket.try_write(rest) {
                    Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
        }
    };
    tokio::select! { ended = there => ended, ended = back => ended }
}
