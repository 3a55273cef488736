//! Before every route: has it a name, who asks by which way in, may they do this, is it not too much.
//! Never says which part of a token was wrong, and never takes a cookie's word for something unsafe.

use std::net::SocketAddr;

use axum::{
    body::Body,
    extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State},
    http::{Method, header::AUTHORIZATION, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use strongroom_domain::{Refusal, Rule};

use super::{Problem, Shared};
use crate::{
    application::{Caller, Failure, Presented},
    authorisation::{Principal, Resource, operations},
    sign_in::{
        Current, Peer,
        request_signature::{CONTENT_DIGEST, SIGNATURE_INPUT, check_digest},
    },
};

/// The check. Passes the caller on.
pub(super) async fn check(
    State(shared): State<Shared>,
    ConnectInfo(socket): ConnectInfo<SocketAddr>,
    route: MatchedPath,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(operation) = operations::of_route(request.method().as_str(), route.as_str()) else {
        // Deny by default: nobody has decided about it.
        let because = "nobody may ask this";
        return Problem(Refusal::new(Rule::RoleMissing, because).into()).into_response();
    };
    let peer = shared.application.sign_in().peer(socket, request.headers());
    request.extensions_mut().insert(peer);
    let authorisation = shared.application.authorisation();
    if authorisation.permits_anybody(operation) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let allowed = match identify(&shared, peer, &mut parts, body).await {
        Ok((caller, body)) => shared
            .rates
            .take(&caller)
            .and_then(|()| {
                authorisation.demand(&Principal::from(&caller), operation, &Resource::System)
            })
            .map(|()| (caller, body)),
        Err(failure) => Err(failure),
    };
    match allowed {
        Ok((caller, body)) => {
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(failure @ (Failure::Unauthenticated | Failure::RequestSignature(_))) => {
            let too_many = shared.rates.failed(peer.0).err();
            Problem(too_many.unwrap_or(failure)).into_response()
        }
        Err(failure) => Problem(failure).into_response(),
    }
}

/// Who asks, by the first way in that the request says: a token, a signature, a cookie.
async fn identify(
    shared: &Shared,
    peer: Peer,
    parts: &mut Parts,
    body: Body,
) -> Result<(Caller, Body), Failure> {
    if let Some(said) = parts.headers.get(AUTHORIZATION) {
        let token = said.to_str().ok().and_then(|said| said.strip_prefix("Bearer "));
        let token = token.ok_or(Failure::Unauthenticated)?;
        let caller = shared.application.caller(&Presented::new(token.to_owned(), peer.0))?;
        return Ok((caller, body));
    }
    let sign_in = shared.application.sign_in();
    if parts.headers.contains_key(SIGNATURE_INPUT) {
        let caller = sign_in.machine(parts, peer.0)?;
        return Ok((caller, signed_body(shared, parts, body).await?));
    }
    let found = sign_in.session(&parts.headers, peer.0)?;
    let (current, caller) = found.ok_or(Failure::Unauthenticated)?;
    if ![Method::GET, Method::HEAD, Method::OPTIONS].contains(&parts.method) {
        sign_in.site().demand_own_page(&parts.headers, &current.secret)?;
    }
    parts.extensions.insert(current);
    Ok((caller, body))
}

/// The body of a request whose signature is good: the one whose digest was signed.
async fn signed_body(shared: &Shared, parts: &Parts, body: Body) -> Result<Body, Failure> {
    let body = axum::body::to_bytes(body, shared.body_bytes).await;
    let body = body.map_err(|_too_long| Failure::TooLarge)?;
    if parts.headers.contains_key(CONTENT_DIGEST) {
        check_digest(&parts.headers, &body).map_err(Failure::RequestSignature)?;
    } else if !body.is_empty() {
        return Err(Failure::RequestSignature("a body needs a Content-Digest that is signed"));
    }
    Ok(Body::from(body))
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or(Problem(Failure::Unauthenticated))
    }
}

impl<S: Sync> FromRequestParts<S> for Current {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let current = parts.extensions.get::<Self>().cloned();
        current.ok_or(Problem(Failure::Unauthenticated))
    }
}
