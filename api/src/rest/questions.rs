//! Questions about people, and taking a question back. Thin.

use axum::{Json, extract::State, http::StatusCode};
use strongroom_domain::ProposalId;

use super::{
    Problem, Problems,
    body::{Asked, Id, Repeatable},
};
use crate::application::{Application, Caller, ProposePeople, views};

/// Everyone and every machine of the charter in force, with their rights.
#[utoipa::path(get, path = "/api/v1/people", tag = "people",
    responses((status = 200, description = "All", body = views::People), Problems))]
pub(super) async fn people(
    State(application): State<Application>,
    caller: Caller,
) -> Result<Json<views::People>, Problem> {
    Ok(Json(application.people(&caller)?))
}

/// Ask the governing quorum to change something about people, machines or governance.
#[utoipa::path(post, path = "/api/v1/people/changes", tag = "people",
    request_body = ProposePeople,
    params(("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 202, description = "Asked", body = views::ReleaseProposed), Problems))]
pub(super) async fn change_people(
    State(application): State<Application>,
    caller: Caller,
    Asked { body, once }: Asked<ProposePeople>,
) -> Result<(StatusCode, Json<views::ReleaseProposed>), Problem> {
    let asked = application.propose_people(&caller, once, body).await?;
    Ok((StatusCode::ACCEPTED, Json(asked)))
}

/// Take back a question that you asked.
#[utoipa::path(post, path = "/api/v1/approvals/{proposal}/cancel", tag = "approvals",
    params(("proposal" = uuid::Uuid, Path, description = "The proposal"),
        ("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 200, description = "Taken back", body = views::ProposalCancelled),
        Problems))]
pub(super) async fn cancel(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<ProposalId>,
    Repeatable(once): Repeatable,
) -> Result<Json<views::ProposalCancelled>, Problem> {
    Ok(Json(application.cancel_proposal(&caller, once, id).await?))
}
