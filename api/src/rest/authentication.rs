//! Before every route: is the token good, may it be used for this, is it not too much. Never says
//! which part of a token was wrong.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State},
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use strongroom_domain::{Refusal, Rule};

use super::{Access, Problem, Shared, roles};
use crate::application::{Caller, Failure};

/// The check. Passes the caller on.
pub(super) async fn check(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    route: MatchedPath,
    mut request: Request,
    next: Next,
) -> Response {
    let access = roles::access(request.method(), route.as_str());
    let role = match access {
        Some(Access::Anybody | Access::Within) => return next.run(request).await,
        Some(Access::Entries(_)) if shared.public_entries => return next.run(request).await,
        Some(Access::Token) => None,
        Some(Access::Role(role) | Access::Entries(role)) => Some(role),
        None => {
            let because = "nobody may ask this";
            return Problem(Refusal::new(Rule::RoleMissing, because).into()).into_response();
        }
    };
    let caller = match bearer(request.headers()) {
        Some(token) => shared.application.caller(token),
        None => Err(Failure::Unauthenticated),
    };
    let allowed = caller.and_then(|caller| {
        shared.rates.take(&caller.token)?;
        role.map_or(Ok(()), |role| caller.demand(role))?;
        Ok(caller)
    });
    match allowed {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(Failure::Unauthenticated) => {
            let failure = shared.rates.failed(peer.ip()).err();
            Problem(failure.unwrap_or(Failure::Unauthenticated)).into_response()
        }
        Err(failure) => Problem(failure).into_response(),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or(Problem(Failure::Unauthenticated))
    }
}
