//! The network between a log and the stand-in: real TCP that can be cut. Never changes a byte.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::copy_bidirectional;
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
            while let Ok((mut near, _)) = listener.accept().await {
                if down.load(Ordering::SeqCst) {
                    continue;
                }
                let mut cut = cuts.subscribe();
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(("127.0.0.1", server)).await else {
                        return;
                    };
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
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
