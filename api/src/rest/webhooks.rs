//! `/api/v1/webhooks`: for who runs the system. Thin.

use axum::{
    Json,
    extract::{Path, State},
};

use super::{Problem, Problems, body::Asking};
use crate::application::{Application, MessageFilter, views};

/// Every configured webhook, and how far it is.
#[utoipa::path(get, path = "/api/v1/webhooks", tag = "webhooks",
    responses((status = 200, description = "All", body = Vec<views::Webhook>), Problems))]
pub(super) async fn list(
    State(application): State<Application>,
) -> Result<Json<Vec<views::Webhook>>, Problem> {
    Ok(Json(application.webhooks()?))
}

/// Messages of a webhook.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/messages", tag = "webhooks",
    params(("id" = String, Path, description = "The webhook"), MessageFilter),
    responses((status = 200, description = "A page", body = views::WebhookMessagePage), Problems))]
pub(super) async fn messages(
    State(application): State<Application>,
    Path(webhook): Path<String>,
    Asking(filter): Asking<MessageFilter>,
) -> Result<Json<views::WebhookMessagePage>, Problem> {
    Ok(Json(application.webhook_messages(&webhook, &filter)?))
}

/// Send a message once more, under the id that it had. Changes nothing in the log, and twice is as
/// good as once: so it needs no Idempotency-Key.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/messages/{message}/resend", tag = "webhooks",
    params(("id" = String, Path, description = "The webhook"),
        ("message" = String, Path, description = "The message")),
    responses((status = 202, description = "It waits", body = views::WebhookMessage), Problems))]
pub(super) async fn resend(
    State(application): State<Application>,
    Path((webhook, message)): Path<(String, String)>,
) -> Result<(axum::http::StatusCode, Json<views::WebhookMessage>), Problem> {
    let waits = application.resend_webhook_message(&webhook, &message)?;
    Ok((axum::http::StatusCode::ACCEPTED, Json(waits)))
}
