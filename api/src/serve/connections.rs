//! Accepted connections: so many at once, and each must say in time what it asks. Never keeps a
//! connection that sends half a request, or nothing.

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    response::Response,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tower::ServiceExt as _;

use crate::config::Limits;

/// How long to wait when the system gives no more connections: it lacks descriptors or memory.
const EXHAUSTED: Duration = Duration::from_secs(1);

/// Serves HTTP/1.1 until `stop` says so, then until every connection has had its last answer. A
/// connection that became a WebSocket counts no more: subscriptions have a limit of their own.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    let count = limits.connections.get();
    let places = Arc::new(Semaphore::new(usize::try_from(count).unwrap_or(Semaphore::MAX_PERMITS)));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(limits.header_seconds));
    loop {
        // Over the limit the system's own queue holds who wants in.
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await.ok()?;
            accept(&listener).await.map(|(stream, peer)| (place, stream, peer))
        };
        let told = async { stop.wait_for(|stop| *stop).await.is_ok() };
        let accepted = tokio::select! {
            _ = told => break,
            accepted = accepted => accepted,
        };
        if let Some((place, stream, peer)) = accepted {
            let (http, router, stop) = (http.clone(), router.clone(), stop.clone());
            tokio::spawn(connection(http, stream, peer, router, place, stop));
        }
    }
    drop(listener);
    // All places are free when all connections are gone.
    let _ = places.acquire_many(count).await;
}

async fn accept(listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    match listener.accept().await {
        Ok(accepted) => Some(accepted),
        Err(error) => {
            let gone = [
                io::ErrorKind::ConnectionRefused,
                io::ErrorKind::ConnectionAborted,
                io::ErrorKind::ConnectionReset,
            ];
            if !gone.contains(&error.kind()) {
                tracing::error!(%error, "no connection can be accepted");
                tokio::time::sleep(EXHAUSTED).await;
            }
            None
        }
    }
}

async fn connection(
    http: http1::Builder,
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    place: OwnedSemaphorePermit,
    mut stop: watch::Receiver<bool>,
) {
    let service = service_fn(move |request| answer(router.clone(), peer, request));
    let served = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut served = pin!(served);
    let told = async { stop.wait_for(|stop| *stop).await.is_ok() };
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        _ = told => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection ended");
    }
    drop(place);
}

async fn answer(
    router: Router,
    peer: SocketAddr,
    request: hyper::Request<Incoming>,
) -> Result<Response, Infallible> {
    let mut request: Request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    router.oneshot(request).await
}
