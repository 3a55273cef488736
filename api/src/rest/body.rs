//! Bodies, queries and ids of requests. Never lenient: an unknown field or a second spelling is
//! refused with what would be right.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE, request::Parts},
};
use serde::de::DeserializeOwned;

use super::Problem;
use crate::application::{Failure, Once};

/// The header that makes a request repeatable.
const KEY: &str = "idempotency-key";

/// A body, with the idempotency key that it came with.
pub(crate) struct Asked<T> {
    /// What was asked.
    pub(crate) body: T,
    /// The key, bound to method, path and body.
    pub(crate) once: Once,
}

/// No body, with an idempotency key.
pub(crate) struct Repeatable(pub(crate) Once);

/// Parameters of a query.
pub(crate) struct Asking<T>(pub(crate) T);

/// An id in the path.
pub(crate) struct Id<T>(pub(crate) T);

/// The body's bytes, within the limit. A body that says it is something else than JSON is not read;
/// one that says nothing is taken for JSON.
pub(crate) async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    if !says_json(request.headers()) {
        return Err(Problem(Failure::MediaType));
    }
    Bytes::from_request(request, state).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Problem(Failure::TooLarge);
        }
        Problem(Failure::Malformed(rejection.body_text()))
    })
}

fn says_json(headers: &HeaderMap) -> bool {
    let Some(stated) = headers.get(CONTENT_TYPE) else { return true };
    let media = stated.to_str().ok().and_then(|stated| stated.split(';').next());
    media.is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
}

/// JSON of one form.
pub(crate) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes)
        .map_err(|error| Problem(Failure::Malformed(format!("the body: {error}"))))
}

async fn once_of<S: Send + Sync>(request: Request, state: &S) -> Result<(Once, Bytes), Problem> {
    let key = request.headers().get(KEY).ok_or(Problem(Failure::KeyMissing))?;
    let key = key.to_str().map_err(|_| Problem(Failure::KeyMalformed))?.to_owned();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let bytes = bytes(request, state).await?;
    let once = Once::new(&key, &[method.as_str().as_bytes(), path.as_bytes(), &bytes])?;
    Ok((once, bytes))
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (once, bytes) = once_of(request, state).await?;
        Ok(Self { body: json(&bytes)?, once })
    }
}

impl<S: Send + Sync> FromRequest<S> for Repeatable {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (once, bytes) = once_of(request, state).await?;
        // Clients that always send JSON send this.
        if bytes.is_empty() || bytes.as_ref() == b"{}" {
            return Ok(Self(once));
        }
        Err(Problem(Failure::Malformed("this takes no body, or `{}`".to_owned())))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asking<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        let query = query.map_err(|error| Problem(Failure::Malformed(error.body_text())))?;
        Ok(Self(query.0))
    }
}

impl<T: std::str::FromStr<Err: std::fmt::Display>, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let malformed = |because: String| Problem(Failure::Malformed(because));
        let path = Path::<String>::from_request_parts(parts, state).await;
        let path = path.map_err(|error| malformed(error.body_text()))?;
        path.0.parse().map(Self).map_err(|error: T::Err| malformed(error.to_string()))
    }
}
