//! `/api/v1/keys`. Thin.

use axum::{Json, extract::State, http::StatusCode};
use strongroom_domain::KeyId;

use super::{
    Problem, Problems,
    body::{Asked, Asking, Id},
};
use crate::application::{
    Application, Caller, Paging, ProveCosigner, RecordBackup, RecordDrill, RequestKey, views,
};

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

/// Record a signer's word that it split its share among officers.
#[utoipa::path(post, path = "/api/v1/keys/{id}/backups", tag = "keys",
    request_body = RecordBackup,
    params(("id" = uuid::Uuid, Path, description = "The key"),
        ("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 201, description = "Recorded", body = views::WordRecorded), Problems))]
pub(super) async fn back_up(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<KeyId>,
    Asked { body, once }: Asked<RecordBackup>,
) -> Result<(StatusCode, Json<views::WordRecorded>), Problem> {
    let recorded = application.record_backup(&caller, once, (id, body)).await?;
    Ok((StatusCode::CREATED, Json(recorded)))
}

/// Record a signer's word that officers' pieces gave its share.
#[utoipa::path(post, path = "/api/v1/keys/{id}/drills", tag = "keys",
    request_body = RecordDrill,
    params(("id" = uuid::Uuid, Path, description = "The key"),
        ("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 201, description = "Recorded", body = views::WordRecorded), Problems))]
pub(super) async fn drill(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<KeyId>,
    Asked { body, once }: Asked<RecordDrill>,
) -> Result<(StatusCode, Json<views::WordRecorded>), Problem> {
    let recorded = application.record_drill(&caller, once, (id, body)).await?;
    Ok((StatusCode::CREATED, Json(recorded)))
}

/// What a multisig key's cosigners sign to show that they can, and who has.
#[utoipa::path(get, path = "/api/v1/keys/{id}/proof", tag = "keys",
    params(("id" = uuid::Uuid, Path, description = "The key")),
    responses((status = 200, description = "It", body = views::KeyProof), Problems))]
pub(super) async fn proof(
    State(application): State<Application>,
    Id(id): Id<KeyId>,
) -> Result<Json<views::KeyProof>, Problem> {
    Ok(Json(application.key_proof(id)?))
}

/// Bring a cosigner's part of a multisig key's proof.
#[utoipa::path(post, path = "/api/v1/keys/{id}/proof", tag = "keys",
    request_body = ProveCosigner,
    params(("id" = uuid::Uuid, Path, description = "The key"),
        ("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 201, description = "Recorded", body = views::CosignerRecorded), Problems))]
pub(super) async fn prove(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<KeyId>,
    Asked { body, once }: Asked<ProveCosigner>,
) -> Result<(StatusCode, Json<views::CosignerRecorded>), Problem> {
    let recorded = application.prove_cosigner(&caller, once, (id, body)).await?;
    Ok((StatusCode::CREATED, Json(recorded)))
}
