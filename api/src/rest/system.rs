//! Health, metrics, and what stands around every answer. Never anything about
//! custody: these need no token.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{Problem, ProblemDocument, Shared};
use crate::application::{Application, Failure};

/// Whether the process runs.
#[utoipa::path(get, path = "/healthz", tag = "system", security(()),
    responses((status = 200, description = "It runs", body = String)))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether the server serves: the log takes commands and the read model has come as far. Says, too,
/// where no checkpoint counts: then nothing is signed, and all else goes on.
#[utoipa::path(get, path = "/readyz", tag = "system", security(()), responses(
    (status = 200, description = "It serves", body = String),
    (status = 503, description = "It does not, and why", body = ProblemDocument,
     content_type = "application/problem+json")))]
pub(super) async fn readyz(State(application): State<Application>) -> Result<String, Problem> {
    Ok(application.ready().await?)
}

/// Counters in Prometheus's text format.
#[utoipa::path(get, path = "/metrics", tag = "system", security(()),
    responses((status = 200, description = "Counters", body = String)))]
pub(super) async fn metrics(State(application): State<Application>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], application.metrics_text())
}

pub(super) async fn nowhere(request: Request) -> Problem {
    let id = request.uri().path().to_owned();
    Problem(Failure::NotFound { what: "route", id })
}

pub(super) async fn not_this_method() -> Problem {
    Problem(Failure::Method)
}

/// Counts answers and adds what browsers should know.
pub(super) async fn headers(
    State(shared): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let status = response.status();
    shared.application.metrics().answer(status.as_u16());
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return response;
    }
    let headers = response.headers_mut();
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Only what says otherwise by itself is kept by anybody.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
