//! `/api/v1/keys`. Thin.

use axum::{Json, extract::State, http::StatusCode};
use strongroom_domain::KeyId;

use super::{
    Problem, Problems,
    body::{Asked, Asking, Id},
};
use crate::application::{Application, Caller, Paging, RequestKey, views};

/// Ask the governing quorum for a key.
#[utoipa::path(post, path = "/api/v1/keys", tag = "keys", request_body = RequestKey,
    params(("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 202, description = "Asked", body = views::KeyRequested), Problems))]
pub(super) async fn request(
    State(application): State<Application>,
    caller: Caller,
    Asked { body, once }: Asked<RequestKey>,
) -> Result<(StatusCode, Json<views::KeyRequested>), Problem> {
    let requested = application.request_key(&caller, once, body).await?;
    Ok((StatusCode::ACCEPTED, Json(requested)))
}

/// Keys and how far their ceremonies are.
#[utoipa::path(get, path = "/api/v1/keys", tag = "keys", params(Paging),
    responses((status = 200, description = "A page", body = views::KeyPage), Problems))]
pub(super) async fn list(
    State(application): State<Application>,
    Asking(paging): Asking<Paging>,
) -> Result<Json<views::KeyPage>, Problem> {
    Ok(Json(application.keys(paging).await?))
}

/// A key.
#[utoipa::path(get, path = "/api/v1/keys/{id}", tag = "keys",
    params(("id" = uuid::Uuid, Path, description = "The key")),
    responses((status = 200, description = "It", body = views::Key), Problems))]
pub(super) async fn one(
    State(application): State<Application>,
    Id(id): Id<KeyId>,
) -> Result<Json<views::Key>, Problem> {
    Ok(Json(application.key(id).await?))
}
