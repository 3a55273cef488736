//! What stands around every page: what a browser may do with it, and failures as people read them.
//! Never lets a page load anything from elsewhere.

use axum::{
    body::to_bytes,
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;

use super::{
    frame::{Page, Place},
    html::Html,
};

/// Everything that a page may load, and from where.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Passkeys, and nothing else that a device has.
const PERMISSIONS: &str = "publickey-credentials-get=(self), publickey-credentials-create=(self), \
    camera=(), microphone=(), geolocation=(), clipboard-read=(), display-capture=(), usb=(), \
    serial=(), hid=(), payment=()";

/// The longest problem document that is read.
const LONGEST: usize = 64 * 1024;

/// What is told of a problem (RFC 9457).
#[derive(Deserialize)]
struct Told {
    title: String,
    detail: String,
}

fn is_page(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default();
    ["", "sign-in", "enrol", "approvals", "queue", "passkey", "static"].contains(&first)
}

/// Puts it around.
pub(crate) async fn dress(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    if !is_page(&path) {
        return response;
    }
    let mut response = if response.status().is_client_error() || response.status().is_server_error()
    {
        failed(response).await
    } else {
        response
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Who has not signed in is asked to; everything else is said.
async fn failed(response: Response) -> Response {
    let status = response.status();
    if status == StatusCode::UNAUTHORIZED {
        return Redirect::to("/sign-in").into_response();
    }
    let body = to_bytes(response.into_body(), LONGEST).await.unwrap_or_default();
    let told = serde_json::from_slice::<Told>(&body).unwrap_or_else(|_| Told {
        title: "This cannot be shown".to_owned(),
        detail: status.to_string(),
    });
    let main = Html::new()
        .raw("<p class=\"alarm\">")
        .text(&told.detail)
        .raw("</p>\n<p><a href=\"/approvals\">Approvals</a></p>");
    let page = Page { title: told.title, place: Place::Start, script: "none", main };
    (status, page).into_response()
}
