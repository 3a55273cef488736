//! `/api/v1/transactions`. Thin.

use axum::{Json, extract::State, http::StatusCode};
use strongroom_domain::TransferId;

use super::{
    Problem, Problems,
    body::{Asked, Asking, Id, Repeatable},
};
use crate::application::{
    Application, Caller, ProposeRemedy, RequestTransaction, TransactionFilter, views,
};

/// Ask for a payment. What the policy forbids is recorded and answered with the rule.
#[utoipa::path(post, path = "/api/v1/transactions", tag = "transactions",
    request_body = RequestTransaction,
    params(("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 202, description = "A quorum is asked", body = views::TransactionRequested),
        Problems))]
pub(super) async fn request(
    State(application): State<Application>,
    caller: Caller,
    Asked { body, once }: Asked<RequestTransaction>,
) -> Result<(StatusCode, Json<views::TransactionRequested>), Problem> {
    let requested = application.request_transaction(&caller, once, body).await?;
    Ok((StatusCode::ACCEPTED, Json(requested)))
}

/// Payments.
#[utoipa::path(get, path = "/api/v1/transactions", tag = "transactions",
    params(TransactionFilter),
    responses((status = 200, description = "A page", body = views::TransactionPage), Problems))]
pub(super) async fn list(
    State(application): State<Application>,
    caller: Caller,
    Asking(filter): Asking<TransactionFilter>,
) -> Result<Json<views::TransactionPage>, Problem> {
    Ok(Json(application.transactions(&caller, filter).await?))
}

/// A payment and everything that was said about it.
#[utoipa::path(get, path = "/api/v1/transactions/{id}", tag = "transactions",
    params(("id" = uuid::Uuid, Path, description = "The payment")),
    responses((status = 200, description = "It", body = views::TransactionStory), Problems))]
pub(super) async fn one(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<TransferId>,
) -> Result<Json<views::TransactionStory>, Problem> {
    Ok(Json(application.transaction(&caller, id).await?))
}

/// How far signing is. It starts by itself when the quorum is in the log; before, this is refused.
/// Changes nothing, so it needs no Idempotency-Key.
#[utoipa::path(post, path = "/api/v1/transactions/{id}/sign", tag = "transactions",
    params(("id" = uuid::Uuid, Path, description = "The payment")),
    responses((status = 200, description = "How far", body = views::Signing), Problems))]
pub(super) async fn sign(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<TransferId>,
) -> Result<Json<views::Signing>, Problem> {
    Ok(Json(application.report_signing(&caller, id).await?))
}

/// Ask who agreed to a payment that is stuck to let it cost more, or to make it impossible.
#[utoipa::path(post, path = "/api/v1/transactions/{id}/remedies", tag = "transactions",
    request_body = ProposeRemedy,
    params(("id" = uuid::Uuid, Path, description = "The payment"),
        ("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 202, description = "A quorum is asked", body = views::ReleaseProposed),
        Problems))]
pub(super) async fn propose_remedy(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<TransferId>,
    Asked { body, once }: Asked<ProposeRemedy>,
) -> Result<(StatusCode, Json<views::ReleaseProposed>), Problem> {
    let proposed = application.propose_remedy(&caller, once, (id, body)).await?;
    Ok((StatusCode::ACCEPTED, Json(proposed)))
}

/// Take a payment back, while its proposal is open.
#[utoipa::path(post, path = "/api/v1/transactions/{id}/cancel", tag = "transactions",
    params(("id" = uuid::Uuid, Path, description = "The payment"),
        ("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 200, description = "Taken back", body = views::TransactionCancelled),
        Problems))]
pub(super) async fn cancel(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<TransferId>,
    Repeatable(once): Repeatable,
) -> Result<Json<views::TransactionCancelled>, Problem> {
    Ok(Json(application.cancel_transaction(&caller, once, id).await?))
}
