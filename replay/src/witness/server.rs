//! The witness over HTTP/1.1. Never holds more connections, longer bodies or longer waits than it
//! has said. TLS is for what stands before it: a cosignature proves itself.

use super::{Watch, WitnessAnswer};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::{Method, Request, Response, header, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use strongroom_ledger::NOTE_LIMIT;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections at a time; one more waits in the system's queue.
const CONNECTIONS: usize = 64;
/// The longest request: a checkpoint, the 63 lines that a proof may have, and the first line.
const BODY_LIMIT: usize = NOTE_LIMIT + 64 * 64;
/// For the next request's head.
const HEAD: Duration = Duration::from_secs(10);
/// For a body.
const BODY: Duration = Duration::from_secs(10);
/// For a connection in all.
const LIFE: Duration = Duration::from_mins(2);

/// Answers until the listener fails for good; it never does so by itself.
pub async fn serve(listener: TcpListener, watch: Arc<Watch>) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let permit = Arc::clone(&room).acquire_owned().await.map_err(io::Error::other)?;
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, Arc::clone(&watch), permit));
            }
            // Too many files, a client that went away: neither is for good.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn connection(stream: TcpStream, watch: Arc<Watch>, permit: OwnedSemaphorePermit) {
    let service = service_fn(move |request| answer(request, Arc::clone(&watch)));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(64 * 1024);
    // Whatever ends it, the client asks again: what was signed is on disk.
    let _ = tokio::time::timeout(LIFE, http.serve_connection(TokioIo::new(stream), service)).await;
    drop(permit);
}

async fn answer(
    request: Request<Incoming>,
    watch: Arc<Watch>,
) -> Result<Response<Whole>, Infallible> {
    let path = request.uri().path().to_owned();
    let said = match (request.method(), path.as_str()) {
        (&Method::POST, "/add-checkpoint") => {
            match tokio::time::timeout(BODY, body(request.into_body())).await {
                Ok(Ok(body)) => {
                    // It writes to a disk, and waits for it.
                    let done = tokio::task::spawn_blocking(move || watch.add_checkpoint(&body));
                    done.await.unwrap_or_else(|_| WitnessAnswer::text(500, "a bug\n"))
                }
                Ok(Err((status, because))) => WitnessAnswer::text(status, because),
                Err(_) => WitnessAnswer::text(408, "the request took too long\n"),
            }
        }
        (&Method::GET, path) => {
            match path.strip_prefix('/').and_then(|it| it.strip_suffix("/checkpoint")) {
                Some(hash) => watch.checkpoint(hash),
                None => WitnessAnswer::text(
                    404,
                    "POST /add-checkpoint, GET /<origin hash>/checkpoint\n",
                ),
            }
        }
        (_, "/add-checkpoint") => WitnessAnswer::text(405, "POST only\n"),
        (_, _) => WitnessAnswer::text(404, "POST /add-checkpoint, GET /<origin hash>/checkpoint\n"),
    };
    let mut response = Response::new(Whole(Some(said.body.into())));
    *response.status_mut() = hyper::StatusCode::from_u16(said.status).unwrap_or_default();
    let kind = header::HeaderValue::from_static(said.kind);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

/// All of a body, or the answer to one that is too long or no text.
async fn body(body: Incoming) -> Result<String, (u16, &'static str)> {
    let mut body = pin!(body);
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let frame = frame.map_err(|_| (400, "the request ended too early\n"))?;
        let data = frame.into_data().unwrap_or_default();
        if bytes.len().saturating_add(data.len()) > BODY_LIMIT {
            return Err((413, "the request is longer than any checkpoint\n"));
        }
        bytes.extend_from_slice(&data);
    }
    String::from_utf8(bytes).map_err(|_| (400, "the request is no text\n"))
}

/// An answer's body: all of it at once.
struct Whole(Option<Bytes>);

impl Body for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.0.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
    }
}
