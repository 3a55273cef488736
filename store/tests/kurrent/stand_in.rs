//! `ProtocolStandIn`: a gRPC server in this process that speaks what a log needs of KurrentDB's
//! protocol: append with expected revisions and idempotent ids, read, subscribe, stream metadata,
//! server features and gossip. Never taken for the real server: it is written from the protocol's
//! description, keeps everything in memory, and proves nothing about a server's durability.

#![expect(
    clippy::result_large_err,
    clippy::needless_pass_by_value,
    reason = "a gRPC handler gives tonic's Status, and takes apart the message that it was given"
)]

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};

use futures::{Stream, StreamExt, TryStreamExt, stream};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::codec::ProstCodec;
use tonic::metadata::MetadataMap;
use tonic::server::Grpc;
use tonic::{Code, Request, Response, Status, Streaming};
use tower::service_fn;

use crate::link::Link;
use crate::wire::{
    AppendContent, AppendReq, AppendResp, AppendResult, ClusterInfo, Confirmation, Count, Empty,
    Endpoint, Expected, From, Member, NotFound, Proposed, ReadContent, ReadEvent, ReadReq,
    ReadResp, Recorded, StreamIdentifier, Success, SuccessPosition, SuccessRevision,
    SupportedMethod, SupportedMethods, Wrong, WrongCurrent, WrongExpected,
};

type Answers = Pin<Box<dyn Stream<Item = Result<ReadResp, Status>> + Send>>;

/// What goes wrong with the next append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is written, and the connection breaks before the answer.
    AnswerLost,
    /// It is written, and no answer ever comes on a connection that stays.
    AnswerNever,
    /// The connection breaks before anything is written.
    CutBefore,
    /// Nothing is written, and the server says that it cannot now.
    Busy,
}

/// A server on a port of this machine; gone with the runtime that it was started in.
#[derive(Clone)]
pub(crate) struct ProtocolStandIn {
    pub link: Link,
    state: Arc<Mutex<State>>,
    changes: Arc<watch::Sender<u64>>,
}

#[derive(Default)]
struct State {
    streams: HashMap<String, Held>,
    faults: VecDeque<Fault>,
    /// Appends that reached the server, answered or not.
    appends: usize,
    /// 0: any.
    most_bytes: usize,
    not_of_the_leader: usize,
    /// The port of the leader, where this is a follower.
    leader: Option<u16>,
    /// What `authorization` has to say.
    login: Option<String>,
}

#[derive(Default)]
struct Held {
    events: Vec<Recorded>,
    next: u64,
    tombstone: bool,
}

impl ProtocolStandIn {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let link = Link::to(listener.local_addr().unwrap().port()).await;
        let server = Self { link, state: Arc::default(), changes: Arc::default() };
        let serving = server.clone();
        let service = service_fn(move |request: http::Request<Body>| {
            let server = serving.clone();
            async move { Ok::<_, Infallible>(server.route(request).await) }
        });
        let incoming =
            TcpListenerStream::new(listener).inspect_ok(|stream| stream.set_nodelay(true).unwrap());
        tokio::spawn(tonic::transport::Server::builder().serve_with_incoming(service, incoming));
        server
    }

    /// A URL of a log here, impatient so that tests are quick.
    pub(crate) fn url(&self, stream: &str) -> String {
        format!(
            "kurrentdb://127.0.0.1:{}?tls=false&stream={stream}&discoveryInterval=1\
             &defaultDeadline=2000&retries=4",
            self.link.port
        )
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The next appends to any stream meet these, one each.
    pub(crate) fn fail_next(&self, faults: &[Fault]) {
        self.state().faults.extend(faults);
    }

    /// Appends that reached the server.
    pub(crate) fn appends(&self) -> usize {
        self.state().appends
    }

    /// Calls that a follower might have answered.
    pub(crate) fn not_of_the_leader(&self) -> usize {
        self.state().not_of_the_leader
    }

    /// From now on every call has to come with this `authorization`.
    pub(crate) fn demand_login(&self, login: &str) {
        self.state().login = Some(login.to_owned());
    }

    /// From now on every call for the leader is sent to another server.
    pub(crate) fn follow_leader(&self, leader: &Self) {
        self.state().leader = Some(leader.link.port);
    }

    /// Takes all streams from another server, as one of the same cluster has them.
    pub(crate) fn take_over(&self, other: &Self) {
        self.state().streams = std::mem::take(&mut other.state().streams);
    }

    fn check_leader(&self) -> Result<(), Status> {
        let Some(port) = self.state().leader else { return Ok(()) };
        let mut status = named(Code::NotFound, "Leader info available", "not-leader");
        status.metadata_mut().insert("leader-endpoint-host", "127.0.0.1".parse().unwrap());
        status.metadata_mut().insert("leader-endpoint-port", port.into());
        Err(status)
    }

    /// What the server's `MaxAppendSize` does.
    pub(crate) fn limit_appends(&self, bytes: usize) {
        self.state().most_bytes = bytes;
    }

    /// Bytes of the events as they are stored.
    pub(crate) fn events(&self, stream: &str) -> Vec<Recorded> {
        self.state().streams.get(stream).map(|held| held.events.clone()).unwrap_or_default()
    }

    /// What somebody with the server's files can do.
    pub(crate) fn tamper(&self, stream: &str, change: impl FnOnce(&mut Vec<Recorded>)) {
        change(&mut self.state().streams.get_mut(stream).unwrap().events);
    }

    /// Deletes a stream for good.
    pub(crate) fn tombstone(&self, stream: &str) {
        self.state().streams.entry(stream.to_owned()).or_default().tombstone = true;
    }

    /// Writes a stream's metadata, as an administrator may.
    pub(crate) fn set_metadata(&self, stream: &str, json: &str) {
        self.write_as_another(&format!("$${stream}"), "$metadata", json.as_bytes());
    }

    /// Writes as another program would, without an expected revision.
    pub(crate) fn write_as_another(&self, stream: &str, r#type: &str, data: &[u8]) {
        let mut state = self.state();
        let held = state.streams.entry(stream.to_owned()).or_default();
        let metadata = HashMap::from([("type".to_owned(), r#type.to_owned())]);
        let proposed = Proposed { metadata, data: data.to_vec(), ..Proposed::default() };
        held.push(stream, Proposed { id: Some(crate::wire::Id::default()), ..proposed });
    }

    async fn route(&self, request: http::Request<Body>) -> http::Response<Body> {
        let server = self.clone();
        let leads = request.headers().get("requires-leader").is_some_and(|it| it == "true");
        let login = request.headers().get("authorization").and_then(|it| it.to_str().ok());
        let denied = self.state().login.as_deref().is_some_and(|demanded| login != Some(demanded));
        match request.uri().path() {
            "/event_store.client.streams.Streams/Append"
            | "/event_store.client.streams.Streams/Read"
                if denied =>
            {
                Status::unauthenticated("Unauthenticated").into_http()
            }
            "/event_store.client.streams.Streams/Append" => {
                self.state().not_of_the_leader += usize::from(!leads);
                let append = service_fn(move |request: Request<Streaming<AppendReq>>| {
                    let server = server.clone();
                    async move { server.append(request.into_inner()).await.map(Response::new) }
                });
                let codec = ProstCodec::<AppendResp, AppendReq>::default();
                Grpc::new(codec).client_streaming(append, request).await
            }
            "/event_store.client.streams.Streams/Read" => {
                self.state().not_of_the_leader += usize::from(!leads);
                let read = service_fn(move |request: Request<ReadReq>| {
                    let server = server.clone();
                    async move { server.read(request.into_inner()).map(Response::new) }
                });
                let codec = ProstCodec::<ReadResp, ReadReq>::default();
                Grpc::new(codec).server_streaming(read, request).await
            }
            "/event_store.client.server_features.ServerFeatures/GetSupportedMethods" => {
                let features = service_fn(|_: Request<Empty>| async {
                    let method = |method: &str| SupportedMethod {
                        method: method.to_owned(),
                        service: "event_store.client.streams.streams".to_owned(),
                    };
                    let server_version = "20.6.1".to_owned();
                    let methods = vec![method("append"), method("read")];
                    Ok(Response::new(SupportedMethods { methods, server_version }))
                });
                let codec = ProstCodec::<SupportedMethods, Empty>::default();
                Grpc::new(codec).unary(features, request).await
            }
            "/event_store.client.gossip.Gossip/Read" => {
                let port = u32::from(self.link.port);
                let gossip = service_fn(move |_: Request<Empty>| async move {
                    let endpoint = Some(Endpoint { address: "127.0.0.1".to_owned(), port });
                    let members = vec![Member { state: 8, alive: true, endpoint }];
                    Ok(Response::new(ClusterInfo { members }))
                });
                let codec = ProstCodec::<ClusterInfo, Empty>::default();
                Grpc::new(codec).unary(gossip, request).await
            }
            other => Status::unimplemented(other.to_owned()).into_http(),
        }
    }

    async fn append(&self, mut asked: Streaming<AppendReq>) -> Result<AppendResp, Status> {
        self.check_leader()?;
        let Some(AppendContent::Options(options)) =
            asked.message().await?.and_then(|it| it.content)
        else {
            return Err(Status::invalid_argument("an append begins with its options"));
        };
        let mut events = Vec::new();
        while let Some(AppendReq { content }) = asked.message().await? {
            let Some(AppendContent::Proposed(event)) = content else {
                return Err(Status::invalid_argument("options come once"));
            };
            events.push(event);
        }
        let stream = name(options.stream)?;
        let fault = {
            let mut state = self.state();
            state.appends += 1;
            state.faults.pop_front()
        };
        match fault {
            Some(Fault::CutBefore) => {
                self.link.cut();
                std::future::pending().await
            }
            Some(Fault::Busy) => Err(Status::unavailable("the server is not ready")),
            Some(Fault::AnswerLost) => {
                self.state().write(&stream, options.expected, events)?;
                self.link.cut();
                std::future::pending().await
            }
            Some(Fault::AnswerNever) => {
                self.state().write(&stream, options.expected, events)?;
                std::future::pending().await
            }
            None => {
                let result = self.state().write(&stream, options.expected, events)?;
                self.changes.send_modify(|changes| *changes += 1);
                Ok(AppendResp { result: Some(result) })
            }
        }
    }

    fn read(&self, asked: ReadReq) -> Result<Answers, Status> {
        self.check_leader()?;
        let options = asked.options.ok_or_else(|| Status::invalid_argument("no options"))?;
        let of = options.stream.ok_or_else(|| Status::unimplemented("only streams are read"))?;
        let stream = name(of.stream)?;
        match options.count {
            Some(Count::Count(count)) => {
                let found = self.state().page(&stream, of.from, options.direction == 1, count)?;
                Ok(Box::pin(stream::iter(found.into_iter().map(Ok))))
            }
            Some(Count::Subscription(_)) => Ok(self.follow(stream, of.from)),
            None => Err(Status::invalid_argument("neither a count nor a subscription")),
        }
    }

    /// Events behind a revision, and then those to come.
    fn follow(&self, stream: String, from: Option<From>) -> Answers {
        let next = match from {
            Some(From::Revision(after)) => after + 1,
            Some(From::End(_)) => self.state().streams.get(&stream).map_or(0, |held| held.next),
            Some(From::Start(_)) | None => 0,
        };
        let confirmation = Confirmation { subscription: "1".to_owned() };
        let confirmation = ReadContent::Confirmation(confirmation);
        let live = (self.clone(), self.changes.subscribe(), stream, next);
        let events = stream::unfold(live, |(server, mut changes, stream, next)| async move {
            loop {
                changes.borrow_and_update();
                let from = Some(From::Revision(next));
                let found = server.state().page(&stream, from, false, 1);
                match found {
                    Err(status) => return Some((Err(status), (server, changes, stream, next))),
                    Ok(found) => {
                        if let Some(event) = found.into_iter().find(is_event) {
                            return Some((Ok(event), (server, changes, stream, next + 1)));
                        }
                    }
                }
                changes.changed().await.ok()?;
            }
        });
        Box::pin(stream::iter([Ok(answer(confirmation))]).chain(events))
    }
}

impl State {
    /// What the server does: the exact revision, or the same ids again from there on.
    fn write(
        &mut self,
        stream: &str,
        expected: Option<Expected>,
        events: Vec<Proposed>,
    ) -> Result<AppendResult, Status> {
        let bytes: usize =
            events.iter().map(|event| event.data.len() + event.custom_metadata.len()).sum();
        if self.most_bytes > 0 && bytes > self.most_bytes {
            let words = format!("Maximum Append Size of {} Exceeded.", self.most_bytes);
            return Err(named(Code::InvalidArgument, &words, "maximum-append-size-exceeded"));
        }
        let held = self.streams.entry(stream.to_owned()).or_default();
        held.check_tombstone(stream)?;
        let at = match &expected {
            Some(Expected::NoStream(_)) => 0,
            Some(Expected::Revision(revision)) => revision + 1,
            Some(Expected::Any(_) | Expected::Exists(_)) | None => held.next,
        };
        let wrong = Ok(AppendResult::Wrong(Wrong {
            current: Some(match held.next.checked_sub(1) {
                Some(last) => WrongCurrent::Revision(last),
                None => WrongCurrent::NoStream(Empty {}),
            }),
            expected: Some(match expected {
                Some(Expected::Revision(revision)) => WrongExpected::Revision(revision),
                Some(Expected::NoStream(_)) => WrongExpected::NoStream(Empty {}),
                Some(Expected::Exists(_)) => WrongExpected::Exists(Empty {}),
                Some(Expected::Any(_)) | None => WrongExpected::Any(Empty {}),
            }),
        }));
        if at > held.next {
            return wrong;
        }
        let count = u64::try_from(events.len()).unwrap();
        if at < held.next {
            let there =
                held.events.iter().filter(|event| (at..at + count).contains(&event.revision));
            let same = there.map(|event| &event.id).eq(events.iter().map(|event| &event.id));
            if !same {
                return wrong;
            }
        } else {
            for event in events {
                held.push(stream, event);
            }
        }
        Ok(AppendResult::Success(Success {
            revision: Some(SuccessRevision::Current(at + count - 1)),
            position: Some(SuccessPosition::NoPosition(Empty {})),
        }))
    }

    fn page(
        &self,
        stream: &str,
        from: Option<From>,
        backwards: bool,
        count: u64,
    ) -> Result<Vec<ReadResp>, Status> {
        if let Some(held) = self.streams.get(stream) {
            held.check_tombstone(stream)?;
        }
        let visible = self.visible(stream);
        if visible.is_empty() {
            let stream = Some(StreamIdentifier { name: stream.as_bytes().to_vec() });
            return Ok(vec![answer(ReadContent::NotFound(NotFound { stream }))]);
        }
        let last = visible.last().map_or(0, |event| event.revision);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let picked: Vec<_> = if backwards {
            let most = match from {
                Some(From::Revision(revision)) => revision,
                Some(From::Start(_)) => 0,
                Some(From::End(_)) | None => u64::MAX,
            };
            let from_end = visible.into_iter().rev().filter(|event| event.revision <= most);
            from_end.take(count).collect()
        } else {
            let lowest = match from {
                Some(From::Revision(revision)) => revision,
                Some(From::End(_)) => u64::MAX,
                Some(From::Start(_)) | None => 0,
            };
            visible.into_iter().filter(|event| event.revision >= lowest).take(count).collect()
        };
        let event = |event: &Recorded| {
            answer(ReadContent::Event(ReadEvent { event: Some(event.clone()), commit: Some(1) }))
        };
        let mut answers: Vec<_> = picked.into_iter().map(event).collect();
        answers.push(answer(ReadContent::LastStreamPosition(last)));
        Ok(answers)
    }

    /// What the stream's metadata leaves.
    fn visible(&self, stream: &str) -> Vec<&Recorded> {
        let Some(held) = self.streams.get(stream) else { return Vec::new() };
        let metadata = self.streams.get(&format!("$${stream}")).and_then(|of| of.events.last());
        let metadata: serde_json::Value =
            metadata.and_then(|event| serde_json::from_slice(&event.data).ok()).unwrap_or_default();
        let before = metadata.get("$tb").and_then(serde_json::Value::as_u64).unwrap_or(0);
        let most = metadata.get("$maxCount").and_then(serde_json::Value::as_u64);
        let first = most.map_or(0, |most| held.next.saturating_sub(most)).max(before);
        held.events.iter().filter(|event| event.revision >= first).collect()
    }
}

impl Held {
    fn push(&mut self, stream: &str, event: Proposed) {
        let mut metadata = event.metadata;
        metadata.insert("created".to_owned(), "0".to_owned());
        self.events.push(Recorded {
            id: event.id,
            stream: Some(StreamIdentifier { name: stream.as_bytes().to_vec() }),
            revision: self.next,
            prepare: 1,
            commit: 1,
            metadata,
            custom_metadata: event.custom_metadata,
            data: event.data,
        });
        self.next += 1;
    }

    fn check_tombstone(&self, stream: &str) -> Result<(), Status> {
        if !self.tombstone {
            return Ok(());
        }
        let words = format!("Event stream '{stream}' is deleted.");
        Err(named(Code::FailedPrecondition, &words, "stream-deleted"))
    }
}

fn answer(content: ReadContent) -> ReadResp {
    ReadResp { content: Some(content) }
}

fn is_event(answer: &ReadResp) -> bool {
    matches!(answer.content, Some(ReadContent::Event(_)))
}

fn name(stream: Option<StreamIdentifier>) -> Result<String, Status> {
    let name = stream.map(|stream| stream.name).unwrap_or_default();
    String::from_utf8(name).map_err(|_| Status::invalid_argument("the stream has no name"))
}

/// An error as the server makes them: the client reads the name in the trailer.
fn named(code: Code, words: &str, exception: &str) -> Status {
    let mut metadata = MetadataMap::new();
    metadata.insert("exception", exception.parse().unwrap());
    Status::with_metadata(code, words, metadata)
}
