//! The OpenAPI document: made from the routes themselves. Never written by hand.

use axum::Json;
use utoipa::{
    OpenApi,
    openapi::{
        OpenApi as Document,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

/// What is not about one route.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Strongroom",
        description = "A custody ledger. Amounts are base units as decimal strings. Every POST \
                       that changes something in the log needs an Idempotency-Key; the same key \
                       with the same body is answered as the first time, refusals included. \
                       Errors are \
                       RFC 9457 problem documents with a stable type."
    ),
    modifiers(&Bearer),
    security(("token" = []))
)]
struct Frame;

struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "An API token, `sr1_<id>_<secret>`, made by `strongroom token issue`",
            ))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

pub(super) fn frame() -> Document {
    Frame::openapi()
}

/// The document of all routes.
pub fn document() -> Document {
    super::documented().into_openapi()
}

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "system", security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(super) async fn serve() -> Json<Document> {
    static DOCUMENT: std::sync::OnceLock<Document> = std::sync::OnceLock::new();
    Json(DOCUMENT.get_or_init(document).clone())
}
