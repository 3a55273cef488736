//! `/api/v1/wallets`. Thin.

use axum::{Json, extract::State, http::StatusCode};
use strongroom_domain::WalletId;

use super::{
    Problem, Problems,
    body::{Asked, Asking, Id},
};
use crate::application::{
    Application, Caller, CreateWallet, DeriveAddress, Paging, RotateWallet, views,
};

/// Let an active key hold funds on a network.
#[utoipa::path(post, path = "/api/v1/wallets", tag = "wallets", request_body = CreateWallet,
    params(("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 201, description = "It exists", body = views::WalletCreated), Problems))]
pub(super) async fn create(
    State(application): State<Application>,
    caller: Caller,
    Asked { body, once }: Asked<CreateWallet>,
) -> Result<(StatusCode, Json<views::WalletCreated>), Problem> {
    let created = application.create_wallet(&caller, once, body).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Wallets.
#[utoipa::path(get, path = "/api/v1/wallets", tag = "wallets", params(Paging),
    responses((status = 200, description = "A page", body = views::WalletPage), Problems))]
pub(super) async fn list(
    State(application): State<Application>,
    Asking(paging): Asking<Paging>,
) -> Result<Json<views::WalletPage>, Problem> {
    Ok(Json(application.wallets(paging).await?))
}

/// A wallet with its addresses.
#[utoipa::path(get, path = "/api/v1/wallets/{id}", tag = "wallets",
    params(("id" = uuid::Uuid, Path, description = "The wallet")),
    responses((status = 200, description = "It", body = views::WalletDetail), Problems))]
pub(super) async fn one(
    State(application): State<Application>,
    Id(id): Id<WalletId>,
) -> Result<Json<views::WalletDetail>, Problem> {
    Ok(Json(application.wallet(id).await?))
}

/// Give an account the wallet's next deposit address.
#[utoipa::path(post, path = "/api/v1/wallets/{id}/addresses", tag = "wallets",
    request_body = DeriveAddress,
    params(("id" = uuid::Uuid, Path, description = "The wallet"),
        ("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 201, description = "Derived", body = views::AddressGiven), Problems))]
pub(super) async fn derive(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<WalletId>,
    Asked { body, once }: Asked<DeriveAddress>,
) -> Result<(StatusCode, Json<views::AddressGiven>), Problem> {
    let given = application.derive_address(&caller, once, id, body).await?;
    Ok((StatusCode::CREATED, Json(given)))
}

/// Ask a quorum to give a wallet up: everything in it goes to its successor, and its key is retired.
#[utoipa::path(post, path = "/api/v1/wallets/{id}/rotation", tag = "wallets",
    request_body = RotateWallet,
    params(("id" = uuid::Uuid, Path, description = "The wallet that is given up"),
        ("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 202, description = "Asked", body = views::ReleaseProposed), Problems))]
pub(super) async fn rotate(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<WalletId>,
    Asked { body, once }: Asked<RotateWallet>,
) -> Result<(StatusCode, Json<views::ReleaseProposed>), Problem> {
    let asked = application.rotate_wallet(&caller, once, (id, body)).await?;
    Ok((StatusCode::ACCEPTED, Json(asked)))
}

/// The descriptor of a multisig wallet, for any software that is to watch or recover it.
#[utoipa::path(get, path = "/api/v1/wallets/{id}/descriptor", tag = "wallets",
    params(("id" = uuid::Uuid, Path, description = "The wallet")),
    responses((status = 200, description = "It", body = views::WalletDescriptor), Problems))]
pub(super) async fn descriptor(
    State(application): State<Application>,
    Id(id): Id<WalletId>,
) -> Result<Json<views::WalletDescriptor>, Problem> {
    Ok(Json(application.descriptor(id)?))
}
