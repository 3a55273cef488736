//! `/api/v1/accounts`. Thin.

use axum::{Json, extract::State, http::StatusCode};
use strongroom_domain::AccountId;

use super::{
    Problem, Problems,
    body::{Asked, Asking, Id},
};
use crate::application::{AccountFilter, Application, Caller, OpenAccount, views};

/// Open an account: a client's claim in an asset.
#[utoipa::path(post, path = "/api/v1/accounts", tag = "accounts", request_body = OpenAccount,
    params(("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 201, description = "It is open", body = views::AccountOpened), Problems))]
pub(super) async fn open(
    State(application): State<Application>,
    caller: Caller,
    Asked { body, once }: Asked<OpenAccount>,
) -> Result<(StatusCode, Json<views::AccountOpened>), Problem> {
    let opened = application.open_account(&caller, once, body).await?;
    Ok((StatusCode::CREATED, Json(opened)))
}

/// Accounts with their balances.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "accounts", params(AccountFilter),
    responses((status = 200, description = "A page", body = views::AccountPage), Problems))]
pub(super) async fn list(
    State(application): State<Application>,
    caller: Caller,
    Asking(filter): Asking<AccountFilter>,
) -> Result<Json<views::AccountPage>, Problem> {
    Ok(Json(application.accounts(&caller, filter).await?))
}

/// An account with its balance, holds and addresses.
#[utoipa::path(get, path = "/api/v1/accounts/{id}", tag = "accounts",
    params(("id" = uuid::Uuid, Path, description = "The account")),
    responses((status = 200, description = "It", body = views::AccountDetail), Problems))]
pub(super) async fn one(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<AccountId>,
) -> Result<Json<views::AccountDetail>, Problem> {
    Ok(Json(application.account(&caller, id).await?))
}
