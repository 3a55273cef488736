//! What one officer stops at once, and what compliance and a price source say. Thin.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use strongroom_domain::{Asset, DifferenceId, FreezeId, KeyId, ProposalId, TransferId};
use utoipa::IntoParams;

use super::{
    Problem, Problems,
    body::{Asked, Asking, Id, Repeatable},
};
use crate::application::{
    Application, Caller, Paging, ProposeRelease, QuotePrice, RecordScreening, ScreeningAsked,
    SetFreeze, StopIt, TightenPolicy, views,
};

/// Stop payments of a wallet, of a client, to a destination, or all: at once, by one officer.
#[utoipa::path(post, path = "/api/v1/freezes", tag = "officers", request_body = SetFreeze,
    params(("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 201, description = "It stands", body = views::FreezeSet), Problems))]
pub(super) async fn freeze(
    State(application): State<Application>,
    caller: Caller,
    Asked { body, once }: Asked<SetFreeze>,
) -> Result<(StatusCode, Json<views::FreezeSet>), Problem> {
    Ok((StatusCode::CREATED, Json(application.freeze(&caller, once, body).await?)))
}

/// Freezes, also those that were lifted.
#[utoipa::path(get, path = "/api/v1/freezes", tag = "officers", params(Paging),
    responses((status = 200, description = "A page", body = views::FreezePage), Problems))]
pub(super) async fn freezes(
    State(application): State<Application>,
    caller: Caller,
    Asking(paging): Asking<Paging>,
) -> Result<Json<views::FreezePage>, Problem> {
    Ok(Json(application.freezes(&caller, paging).await?))
}

/// Ask a quorum to lift a freeze.
#[utoipa::path(post, path = "/api/v1/freezes/{id}/release", tag = "officers",
    request_body = ProposeRelease,
    params(("id" = uuid::Uuid, Path, description = "The freeze"),
        ("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 202, description = "Asked", body = views::ReleaseProposed), Problems))]
pub(super) async fn unfreeze(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<FreezeId>,
    Asked { body, once }: Asked<ProposeRelease>,
) -> Result<(StatusCode, Json<views::ReleaseProposed>), Problem> {
    let asked = application.propose_unfreeze(&caller, once, (id, body)).await?;
    Ok((StatusCode::ACCEPTED, Json(asked)))
}

/// Stop a payment that no signer has heard of.
#[utoipa::path(post, path = "/api/v1/transactions/{id}/stop", tag = "officers",
    request_body = StopIt,
    params(("id" = uuid::Uuid, Path, description = "The payment"),
        ("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 200, description = "Stopped", body = views::TransactionStopped), Problems))]
pub(super) async fn stop(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<TransferId>,
    Asked { body, once }: Asked<StopIt>,
) -> Result<Json<views::TransactionStopped>, Problem> {
    Ok(Json(application.stop_transaction(&caller, once, (id, body)).await?))
}

/// Take a key out of use, at once.
#[utoipa::path(post, path = "/api/v1/keys/{id}/quarantine", tag = "officers",
    request_body = StopIt,
    params(("id" = uuid::Uuid, Path, description = "The key"),
        ("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 200, description = "Out of use", body = views::KeyQuarantined), Problems))]
pub(super) async fn quarantine(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<KeyId>,
    Asked { body, once }: Asked<StopIt>,
) -> Result<Json<views::KeyQuarantined>, Problem> {
    Ok(Json(application.quarantine_key(&caller, once, (id, body)).await?))
}

/// Ask a quorum to let a quarantined key sign again.
#[utoipa::path(post, path = "/api/v1/keys/{id}/release", tag = "officers",
    request_body = ProposeRelease,
    params(("id" = uuid::Uuid, Path, description = "The key"),
        ("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 202, description = "Asked", body = views::ReleaseProposed), Problems))]
pub(super) async fn release_key(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<KeyId>,
    Asked { body, once }: Asked<ProposeRelease>,
) -> Result<(StatusCode, Json<views::ReleaseProposed>), Problem> {
    let asked = application.propose_key_release(&caller, once, (id, body)).await?;
    Ok((StatusCode::ACCEPTED, Json(asked)))
}

/// Stop a policy that was approved and is not in force yet.
#[utoipa::path(post, path = "/api/v1/approvals/{proposal}/veto", tag = "officers",
    params(("proposal" = uuid::Uuid, Path, description = "The proposal"),
        ("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 200, description = "Vetoed", body = views::ProposalVetoed), Problems))]
pub(super) async fn veto(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<ProposalId>,
    Repeatable(once): Repeatable,
) -> Result<Json<views::ProposalVetoed>, Problem> {
    Ok(Json(application.veto_proposal(&caller, once, id).await?))
}

/// Put a policy in force that stops more than the one before, and lets nothing more through.
#[utoipa::path(post, path = "/api/v1/policy/tighten", tag = "officers",
    request_body = TightenPolicy,
    params(("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 200, description = "In force", body = views::PolicyTightened), Problems))]
pub(super) async fn tighten(
    State(application): State<Application>,
    caller: Caller,
    Asked { body, once }: Asked<TightenPolicy>,
) -> Result<Json<views::PolicyTightened>, Problem> {
    Ok(Json(application.tighten_policy(&caller, once, body).await?))
}

/// Record what compliance found about a destination, and signed.
#[utoipa::path(post, path = "/api/v1/screenings", tag = "compliance",
    request_body = RecordScreening,
    params(("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 201, description = "Recorded", body = views::ScreeningRecorded), Problems))]
pub(super) async fn screen(
    State(application): State<Application>,
    caller: Caller,
    Asked { body, once }: Asked<RecordScreening>,
) -> Result<(StatusCode, Json<views::ScreeningRecorded>), Problem> {
    Ok((StatusCode::CREATED, Json(application.record_screening(&caller, once, body).await?)))
}

/// Screenings, the old ones too.
#[utoipa::path(get, path = "/api/v1/screenings", tag = "compliance", params(Paging),
    responses((status = 200, description = "A page", body = views::ScreeningPage), Problems))]
pub(super) async fn screenings(
    State(application): State<Application>,
    caller: Caller,
    Asking(paging): Asking<Paging>,
) -> Result<Json<views::ScreeningPage>, Problem> {
    Ok(Json(application.screenings(&caller, paging).await?))
}

/// The text that a person of compliance signs.
#[utoipa::path(get, path = "/api/v1/screenings/statement", tag = "compliance",
    params(ScreeningAsked),
    responses((status = 200, description = "It", body = String, content_type = "text/plain"),
        Problems))]
pub(super) async fn screening_statement(
    State(application): State<Application>,
    caller: Caller,
    Asking(asked): Asking<ScreeningAsked>,
) -> Result<String, Problem> {
    Ok(application.screening_statement(&caller, &asked)?)
}

/// Which prices.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PriceFilter {
    /// Of which asset.
    #[param(value_type = Option<String>)]
    asset: Option<Asset>,
    /// At most so many: 1 to 500, default 100.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<u64>,
    /// From the newest to the oldest.
    newest_first: Option<bool>,
}

/// Record a reference price that the policy's source signed.
#[utoipa::path(post, path = "/api/v1/prices", tag = "compliance", request_body = QuotePrice,
    params(("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 201, description = "Recorded", body = views::PriceQuoted), Problems))]
pub(super) async fn quote(
    State(application): State<Application>,
    caller: Caller,
    Asked { body, once }: Asked<QuotePrice>,
) -> Result<(StatusCode, Json<views::PriceQuoted>), Problem> {
    Ok((StatusCode::CREATED, Json(application.quote_price(&caller, once, body).await?)))
}

/// Reference prices, the old ones too.
#[utoipa::path(get, path = "/api/v1/prices", tag = "compliance", params(PriceFilter),
    responses((status = 200, description = "A page", body = views::PricePage), Problems))]
pub(super) async fn prices(
    State(application): State<Application>,
    caller: Caller,
    Asking(filter): Asking<PriceFilter>,
) -> Result<Json<views::PricePage>, Problem> {
    let PriceFilter { asset, limit, after, newest_first } = filter;
    let paging = Paging { limit, after, newest_first };
    Ok(Json(application.prices(&caller, (asset, paging)).await?))
}

/// Differences between ledger, chains and read models, also those that were explained.
#[utoipa::path(get, path = "/api/v1/differences", tag = "reconciliation", params(Paging),
    responses((status = 200, description = "A page", body = views::DifferencePage), Problems))]
pub(super) async fn differences(
    State(application): State<Application>,
    caller: Caller,
    Asking(paging): Asking<Paging>,
) -> Result<Json<views::DifferencePage>, Problem> {
    Ok(Json(application.differences(&caller, paging).await?))
}

/// How the last comparison went.
#[utoipa::path(get, path = "/api/v1/reconciliation", tag = "reconciliation",
    responses((status = 200, description = "It", body = views::ReconciliationStatus), Problems))]
pub(super) async fn reconciliation(
    State(application): State<Application>,
    caller: Caller,
) -> Result<Json<views::ReconciliationStatus>, Problem> {
    Ok(Json(application.reconciliation_status(&caller)?))
}

/// Say what became of a difference: its owner, or an officer.
#[utoipa::path(post, path = "/api/v1/differences/{id}/resolve", tag = "reconciliation",
    request_body = StopIt,
    params(("id" = uuid::Uuid, Path, description = "The difference"),
        ("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 200, description = "Said", body = views::DifferenceResolved), Problems))]
pub(super) async fn resolve(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<DifferenceId>,
    Asked { body, once }: Asked<StopIt>,
) -> Result<Json<views::DifferenceResolved>, Problem> {
    Ok(Json(application.resolve_difference(&caller, once, (id, body)).await?))
}
