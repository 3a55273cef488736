//! Signers, and the shares that they hold. Thin.

use axum::{Json, extract::State, http::StatusCode};
use strongroom_domain::{KeyId, SignerId};

use super::{
    Problem, Problems,
    body::{Asked, Id},
};
use crate::application::{
    Application, Caller, ProposeRelease, ProposeSigners, RequestChange, StopIt, views,
};

/// Ask the governing quorum whether the shares of a key may change hands.
#[utoipa::path(post, path = "/api/v1/keys/{id}/changes", tag = "keys",
    request_body = RequestChange,
    params(("id" = uuid::Uuid, Path, description = "The key"),
        ("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 202, description = "Asked", body = views::KeyChangeRequested), Problems))]
pub(super) async fn change(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<KeyId>,
    Asked { body, once }: Asked<RequestChange>,
) -> Result<(StatusCode, Json<views::KeyChangeRequested>), Problem> {
    let requested = application.request_change(&caller, once, (id, body)).await?;
    Ok((StatusCode::ACCEPTED, Json(requested)))
}

/// Trust a signer no more, at once: no other signer works with it.
#[utoipa::path(post, path = "/api/v1/signers/{id}/quarantine", tag = "officers",
    request_body = StopIt,
    params(("id" = uuid::Uuid, Path, description = "The signer"),
        ("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 200, description = "Quarantined", body = views::SignerQuarantined), Problems))]
pub(super) async fn quarantine(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<SignerId>,
    Asked { body, once }: Asked<StopIt>,
) -> Result<Json<views::SignerQuarantined>, Problem> {
    Ok(Json(application.quarantine_signer(&caller, once, (id, body)).await?))
}

/// Ask a quorum to trust a quarantined signer again.
#[utoipa::path(post, path = "/api/v1/signers/{id}/release", tag = "officers",
    request_body = ProposeRelease,
    params(("id" = uuid::Uuid, Path, description = "The signer"),
        ("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 202, description = "Asked", body = views::ReleaseProposed), Problems))]
pub(super) async fn release(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<SignerId>,
    Asked { body, once }: Asked<ProposeRelease>,
) -> Result<(StatusCode, Json<views::ReleaseProposed>), Problem> {
    let asked = application.propose_signer_release(&caller, once, (id, body)).await?;
    Ok((StatusCode::ACCEPTED, Json(asked)))
}

/// Ask the governing quorum to enrol or retire a signer.
#[utoipa::path(post, path = "/api/v1/signers/changes", tag = "keys",
    request_body = ProposeSigners,
    params(("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 202, description = "Asked", body = views::ReleaseProposed), Problems))]
pub(super) async fn propose(
    State(application): State<Application>,
    caller: Caller,
    Asked { body, once }: Asked<ProposeSigners>,
) -> Result<(StatusCode, Json<views::ReleaseProposed>), Problem> {
    let asked = application.propose_signers(&caller, once, body).await?;
    Ok((StatusCode::ACCEPTED, Json(asked)))
}
