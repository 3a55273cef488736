//! `/api/v1/transactions/{id}/psbt`. Thin.

use axum::{
    Json,
    extract::{DefaultBodyLimit, State},
};
use strongroom_domain::TransferId;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Problem, Problems, Shared,
    body::{Asked, Id},
};
use crate::application::{Application, Caller, ImportPsbt, views};

/// A PSBT carries the whole of each transaction that made a coin: more than other bodies may have.
const LONGEST: usize = 8 * 1024 * 1024;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(export, import)).layer(DefaultBodyLimit::max(LONGEST))
}

/// The attempt of a multisig wallet that is being signed, with the signatures so far.
#[utoipa::path(get, path = "/api/v1/transactions/{id}/psbt", tag = "transactions",
    params(("id" = uuid::Uuid, Path, description = "The payment")),
    responses((status = 200, description = "It", body = views::UnfinishedPsbt), Problems))]
pub(super) async fn export(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<TransferId>,
) -> Result<Json<views::UnfinishedPsbt>, Problem> {
    Ok(Json(application.export_psbt(&caller, id).await?))
}

/// Bring the signatures of cosigners who are no signers.
#[utoipa::path(post, path = "/api/v1/transactions/{id}/psbt", tag = "transactions",
    request_body = ImportPsbt,
    params(("id" = uuid::Uuid, Path, description = "The payment"),
        ("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 200, description = "Recorded", body = views::PsbtImported), Problems))]
pub(super) async fn import(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<TransferId>,
    Asked { body, once }: Asked<ImportPsbt>,
) -> Result<Json<views::PsbtImported>, Problem> {
    Ok(Json(application.import_psbt(&caller, once, (id, body)).await?))
}
