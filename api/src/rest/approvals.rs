//! `/api/v1/approvals`. Thin.

use axum::{Json, extract::State};
use serde::Deserialize;
use strongroom_domain::{PersonId, ProposalId, statement::Answer};
use utoipa::IntoParams;

use super::{
    Problem, Problems,
    body::{Asked, Asking, Id},
};
use crate::application::{AnswerApproval, Application, ApprovalFilter, Caller, views};

/// Whose statement.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Whose {
    /// Who would sign it. Default: the token's person.
    #[param(value_type = Option<uuid::Uuid>)]
    approver: Option<PersonId>,
    /// `approve` (default) or `decline`.
    #[param(value_type = Option<String>)]
    answer: Option<Answer>,
}

/// Proposals: those that wait for answers, unless another state is asked for.
#[utoipa::path(get, path = "/api/v1/approvals", tag = "approvals", params(ApprovalFilter),
    responses((status = 200, description = "A page", body = views::ProposalPage), Problems))]
pub(super) async fn list(
    State(application): State<Application>,
    Asking(filter): Asking<ApprovalFilter>,
) -> Result<Json<views::ProposalPage>, Problem> {
    Ok(Json(application.approvals(filter).await?))
}

/// A proposal, and the statement to sign.
#[utoipa::path(get, path = "/api/v1/approvals/{proposal}", tag = "approvals",
    params(("proposal" = uuid::Uuid, Path, description = "The proposal"), Whose),
    responses((status = 200, description = "It", body = views::Approval), Problems))]
pub(super) async fn one(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<ProposalId>,
    Asking(whose): Asking<Whose>,
) -> Result<Json<views::Approval>, Problem> {
    Ok(Json(application.approval(&caller, id, whose.approver, whose.answer).await?))
}

/// Answer a proposal as the token's person, with a signature over the statement.
#[utoipa::path(post, path = "/api/v1/approvals/{proposal}", tag = "approvals",
    request_body = AnswerApproval,
    params(("proposal" = uuid::Uuid, Path, description = "The proposal"),
        ("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 200, description = "It is in the log", body = views::Answered), Problems))]
pub(super) async fn answer(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<ProposalId>,
    Asked { body, once }: Asked<AnswerApproval>,
) -> Result<Json<views::Answered>, Problem> {
    Ok(Json(application.answer_approval(&caller, once, id, body).await?))
}
