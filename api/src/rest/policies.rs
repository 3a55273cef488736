//! `/api/v1/policies` and `/api/v1/policy`. Thin.

use axum::{Json, extract::State, http::StatusCode};

use super::{Problem, Problems, body::Asked};
use crate::application::{Application, Caller, ProposePolicy, views};

/// Ask the governing quorum for another policy.
#[utoipa::path(post, path = "/api/v1/policies", tag = "policy", request_body = ProposePolicy,
    params(("Idempotency-Key" = String, Header, description = "Makes a repeat harmless")),
    responses((status = 202, description = "Asked", body = views::PolicyProposed), Problems))]
pub(super) async fn propose(
    State(application): State<Application>,
    caller: Caller,
    Asked { body, once }: Asked<ProposePolicy>,
) -> Result<(StatusCode, Json<views::PolicyProposed>), Problem> {
    let proposed = application.propose_policy(&caller, once, body).await?;
    Ok((StatusCode::ACCEPTED, Json(proposed)))
}

/// The policy in force.
#[utoipa::path(get, path = "/api/v1/policy", tag = "policy",
    responses((status = 200, description = "It", body = views::PolicyInForce), Problems))]
pub(super) async fn in_force(
    State(application): State<Application>,
) -> Result<Json<views::PolicyInForce>, Problem> {
    Ok(Json(application.policy().await?))
}
