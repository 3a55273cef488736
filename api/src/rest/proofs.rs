//! The log's proofs over HTTP: checkpoint and tiles as C2SP tlog-tiles has them, receipts as C2SP
//! tlog-proof. Thin.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderName, HeaderValue, header},
    response::IntoResponse,
};

use super::{Problem, Problems, body::Id};
use crate::application::{Application, views};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");
/// A checkpoint is replaced all the time.
const A_MOMENT: HeaderValue = HeaderValue::from_static("no-cache");
/// A tile never changes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// An entry never changes either, and not everybody may see it.
const FOR_EVER_HERE: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");

type Headers = [(HeaderName, HeaderValue); 2];

const fn headers(kind: HeaderValue, cache: HeaderValue) -> Headers {
    [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)]
}

/// The newest checkpoint with enough cosignatures (C2SP tlog-checkpoint).
#[utoipa::path(get, path = "/checkpoint", tag = "proofs", security(()), responses(
    (status = 200, description = "The signed note", body = String, content_type = "text/plain"),
    Problems))]
pub(super) async fn checkpoint(
    State(application): State<Application>,
) -> Result<impl IntoResponse, Problem> {
    let text = application.checkpoint()?.text.clone();
    Ok((headers(TEXT, A_MOMENT), text))
}

/// Hashes of the log's tree (C2SP tlog-tiles). The index is written in groups of three digits
/// (`x001/x234/067`), a partial tile ends with `.p/` and its width.
#[utoipa::path(get, path = "/tile/{level}/{*index}", tag = "proofs", security(()),
    params(("level" = u8, Path, description = "0 to 7"),
           ("index" = String, Path, description = "As tlog-tiles spells it")),
    responses((status = 200, description = "32 bytes for each hash", body = [u8],
               content_type = "application/octet-stream"), Problems))]
pub(super) async fn tile(
    State(application): State<Application>,
    Path((level, index)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    let bytes = application.tile(&format!("{level}/{index}")).await?;
    Ok((headers(BYTES, FOR_EVER), bytes))
}

/// Entries of the log, as they are hashed (C2SP tlog-tiles): each after its length in two bytes.
/// For auditors, unless the configuration makes entries public.
#[utoipa::path(get, path = "/tile/entries/{*index}", tag = "proofs",
    params(("index" = String, Path, description = "As tlog-tiles spells it")),
    responses((status = 200, description = "The entries", body = [u8],
               content_type = "application/octet-stream"), Problems))]
pub(super) async fn entries(
    State(application): State<Application>,
    Path(index): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let bytes = application.entry_bundle(&index).await?;
    Ok((headers(BYTES, FOR_EVER_HERE), bytes))
}

/// An entry's receipt (C2SP tlog-proof): the entry and its payload, its audit path, and a checkpoint
/// with enough cosignatures. Waits a few seconds for an entry that is not covered yet.
#[utoipa::path(get, path = "/api/v1/receipts/{position}", tag = "proofs",
    params(("position" = u64, Path, description = "The entry's place, from 1")),
    responses((status = 200, description = "It", body = String, content_type = "text/plain"),
    Problems))]
pub(super) async fn receipt(
    State(application): State<Application>,
    Id(position): Id<u64>,
) -> Result<impl IntoResponse, Problem> {
    let text = application.receipt(position).await?;
    Ok(([(header::CONTENT_TYPE, TEXT)], text))
}

/// Whose signatures make a checkpoint of this log count (C2SP tlog-policy).
#[utoipa::path(get, path = "/api/v1/log/policy", tag = "proofs",
    responses((status = 200, description = "It", body = String, content_type = "text/plain"),
    Problems))]
pub(super) async fn policy(
    State(application): State<Application>,
) -> Result<impl IntoResponse, Problem> {
    Ok(([(header::CONTENT_TYPE, TEXT)], application.witness_policy()?))
}

/// The newest checkpoint in JSON, and which witnesses are silent.
#[utoipa::path(get, path = "/api/v1/log/checkpoint", tag = "proofs",
    responses((status = 200, description = "It", body = views::Checkpoint), Problems))]
pub(super) async fn checkpoint_view(
    State(application): State<Application>,
) -> Result<Json<views::Checkpoint>, Problem> {
    Ok(Json(application.checkpoint_view()?))
}
