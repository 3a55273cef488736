//! What a caller may take: requests per second, failures per minute, time per answer. Overload is
//! answered before memory grows.

use std::net::IpAddr;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use tokio::sync::Semaphore;

use super::{Problem, Shared};
use crate::{
    application::{Caller, Failure},
    config::Limits,
};

/// Callers or addresses that are kept before those that are idle are forgotten.
const KEPT: usize = 10_000;

/// The counters of all callers.
pub struct RateLimits {
    callers: DefaultKeyedRateLimiter<String>,
    peers: DefaultKeyedRateLimiter<IpAddr>,
    places: Semaphore,
}

impl RateLimits {
    /// With nothing counted yet.
    pub fn new(limits: &Limits) -> Self {
        Self {
            callers: RateLimiter::keyed(Quota::per_second(limits.requests_per_second)),
            peers: RateLimiter::keyed(Quota::per_minute(limits.failures_per_minute)),
            places: Semaphore::new(limits.in_flight),
        }
    }

    /// Counts a request of a caller.
    pub fn take(&self, caller: &Caller) -> Result<(), Failure> {
        if self.callers.len() > KEPT {
            self.callers.retain_recent();
        }
        self.callers.check_key(&caller.counted_as()).map_err(|_| Failure::TooMany)
    }

    /// Counts a request without a good token. Only failures are held back: behind one address
    /// there may be many callers.
    pub fn failed(&self, peer: IpAddr) -> Result<(), Failure> {
        if self.peers.len() > KEPT {
            self.peers.retain_recent();
        }
        self.peers.check_key(&peer).map_err(|_| Failure::TooMany)
    }
}

/// Answers in time, or says that the answer is not known; at once where too much is under way.
///
/// Whether the process lives is answered always: a server that is restarted because it has much to
/// do has more to do.
pub(super) async fn time(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    if request.uri().path() == "/healthz" {
        return next.run(request).await;
    }
    let Ok(_place) = shared.rates.places.try_acquire() else {
        let because = "too many requests are under way: nothing was done";
        return Problem(Failure::Unavailable(because.to_owned())).into_response();
    };
    let answer = tokio::time::timeout(shared.time, next.run(request)).await;
    answer.unwrap_or_else(|_late| {
        let because = "this took too long, and may be done nonetheless: repeat it with the same \
                       Idempotency-Key";
        Problem(Failure::Unavailable(because.to_owned())).into_response()
    })
}
