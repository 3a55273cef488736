//! Reads that are about the log as a whole. Thin.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Problem, Problems, body::Asking};
use crate::application::{Application, Caller, DepositFilter, Paging, views};

/// Which entries of the log.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Feed {
    /// At most so many: 1 to 500, default 100.
    limit: Option<u32>,
    /// Those behind this position: `cursor` of the answer before. Default 0: from the beginning.
    after: Option<u64>,
    /// Where there are none yet, wait for one, so many seconds: at most 20. Default 0.
    wait_s: Option<u64>,
}

/// Entries of the log, byte by byte as they are stored: a feed with a cursor. Each is given once to
/// who asks for those behind the `cursor` of the answer before; nothing is left out.
#[utoipa::path(get, path = "/api/v1/events", tag = "log", params(Feed),
    responses((status = 200, description = "A page", body = views::EventPage), Problems))]
pub(super) async fn events(
    State(application): State<Application>,
    Asking(feed): Asking<Feed>,
) -> Result<Json<views::EventPage>, Problem> {
    let Feed { limit, after, wait_s } = feed;
    let paging = Paging { limit, after, newest_first: None };
    Ok(Json(application.events(paging, wait_s).await?))
}

/// The log's last durable entry.
#[utoipa::path(get, path = "/api/v1/log/head", tag = "log",
    responses((status = 200, description = "It", body = views::LogHead), Problems))]
pub(super) async fn head(State(application): State<Application>) -> Json<views::LogHead> {
    Json(application.log_head())
}

/// The charter, as it was founded.
#[utoipa::path(get, path = "/api/v1/charter", tag = "log",
    responses((status = 200, description = "It", body = views::Charter), Problems))]
pub(super) async fn charter(
    State(application): State<Application>,
) -> Result<Json<views::Charter>, Problem> {
    Ok(Json(application.charter().await?))
}

/// Signers, and how the server last found them.
#[utoipa::path(get, path = "/api/v1/signers", tag = "log", params(Paging),
    responses((status = 200, description = "A page", body = views::SignerPage), Problems))]
pub(super) async fn signers(
    State(application): State<Application>,
    Asking(paging): Asking<Paging>,
) -> Result<Json<views::SignerPage>, Problem> {
    Ok(Json(application.signers(paging).await?))
}

/// Deposits.
#[utoipa::path(get, path = "/api/v1/deposits", tag = "accounts", params(DepositFilter),
    responses((status = 200, description = "A page", body = views::DepositPage), Problems))]
pub(super) async fn deposits(
    State(application): State<Application>,
    caller: Caller,
    Asking(filter): Asking<DepositFilter>,
) -> Result<Json<views::DepositPage>, Problem> {
    Ok(Json(application.deposits(&caller, filter).await?))
}

/// The trial balance: debits and credits by asset.
#[utoipa::path(get, path = "/api/v1/balances", tag = "accounts",
    responses((status = 200, description = "By asset", body = Vec<views::TrialBalance>), Problems))]
pub(super) async fn balances(
    State(application): State<Application>,
) -> Result<Json<Vec<views::TrialBalance>>, Problem> {
    Ok(Json(application.balances().await?))
}

/// Who the token says is asking.
#[utoipa::path(get, path = "/api/v1/me", tag = "system",
    responses((status = 200, description = "You", body = views::Me), Problems))]
pub(super) async fn me(caller: Caller) -> Json<views::Me> {
    Json(caller.view())
}
