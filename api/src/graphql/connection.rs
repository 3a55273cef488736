//! A WebSocket's way to the schema: each message counts as a request of its token, and is refused
//! when the token has been revoked since. Never more than a few streams at once.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_graphql::{Executor, Request, Response, ServerError};
use futures::{StreamExt as _, stream, stream::BoxStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::Strongroom;
use crate::{
    application::{Application, Caller, Failure, Presented},
    rest::{ProblemDocument, RateLimits},
};

/// Streams of one connection at once.
const STREAMS: usize = 16;
/// For a connection to present its token.
pub(super) const INTRODUCTION: Duration = Duration::from_secs(10);

/// One connection.
#[derive(Clone)]
pub(super) struct Connection(Arc<Parts>);

struct Parts {
    schema: Strongroom,
    application: Application,
    rates: Arc<RateLimits>,
    from: IpAddr,
    token: OnceLock<Presented>,
    /// Among all that follow the log.
    place: OnceLock<OwnedSemaphorePermit>,
    introduced: Notify,
    places: Arc<Semaphore>,
}

impl Connection {
    pub(super) fn new(
        schema: Strongroom,
        application: Application,
        rates: Arc<RateLimits>,
        from: IpAddr,
    ) -> Self {
        Self(Arc::new(Parts {
            schema,
            application,
            rates,
            from,
            token: OnceLock::new(),
            place: OnceLock::new(),
            introduced: Notify::new(),
            places: Arc::new(Semaphore::new(STREAMS)),
        }))
    }

    /// Takes the token of `connection_init`: `{"token": "sr1_…"}`, or `{"Authorization": "Bearer
    /// sr1_…"}`, and a place among those that follow the log.
    pub(super) fn introduce(
        &self,
        payload: &serde_json::Value,
        places: &Arc<Semaphore>,
    ) -> Result<(), Failure> {
        let text = |name: &str| payload.get(name).and_then(serde_json::Value::as_str);
        let header = || text("Authorization").or_else(|| text("authorization"));
        let token = text("token").or_else(|| header()?.strip_prefix("Bearer "));
        let token = token.ok_or(Failure::Unauthenticated)?;
        let presented = Presented::new(token.to_owned(), self.0.from);
        self.0.application.caller(&presented)?;
        let full = |_| Failure::Unavailable("too many subscriptions are open".to_owned());
        let place = Arc::clone(places).try_acquire_owned().map_err(full)?;
        let _ = self.0.place.set(place);
        let _ = self.0.token.set(presented);
        self.0.introduced.notify_one();
        Ok(())
    }

    /// Ends when the time to present a token is over without one.
    pub(super) async fn stranger(&self) {
        let introduced = self.0.introduced.notified();
        if tokio::time::timeout(INTRODUCTION, introduced).await.is_ok() {
            std::future::pending::<()>().await;
        }
    }

    fn admit(&self) -> Result<(Caller, Presented, OwnedSemaphorePermit), Failure> {
        let presented = self.0.token.get().ok_or(Failure::Unauthenticated)?.clone();
        let caller = self.0.application.caller(&presented)?;
        self.0.rates.take(&caller)?;
        let place = Arc::clone(&self.0.places).try_acquire_owned().map_err(|_| {
            Failure::Unavailable(format!("{STREAMS} streams are open on this connection"))
        })?;
        Ok((caller, presented, place))
    }
}

impl Executor for Connection {
    async fn execute(&self, request: Request) -> Response {
        match self.admit() {
            Ok((caller, _, _place)) => self.0.schema.execute(request.data(caller)).await,
            Err(failure) => refused(&failure),
        }
    }

    fn execute_stream(
        &self,
        request: Request,
        _session: Option<Arc<async_graphql::Data>>,
    ) -> BoxStream<'static, Response> {
        match self.admit() {
            Ok((caller, token, place)) => {
                let answers = self.0.schema.execute_stream(request.data(caller).data(token));
                // Its place is free when the stream ends.
                answers
                    .inspect(move |_| {
                        let _held = &place;
                    })
                    .boxed()
            }
            Err(failure) => stream::iter([refused(&failure)]).boxed(),
        }
    }
}

fn refused(failure: &Failure) -> Response {
    let detail = ProblemDocument::of(failure).detail;
    Response::from_errors(vec![ServerError::new(detail, None)])
}
