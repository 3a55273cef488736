//! An invitation, and the first credential that it is for. Thin: `sign_in` does it. Never answers
//! why an invitation is none.

use axum::{
    Json,
    extract::{Request, State},
    response::Response,
};
use serde::{Deserialize, Serialize};
use strongroom_secrets::SecretText;
use utoipa::ToSchema;
use webauthn_rs::prelude::{CreationChallengeResponse, RegisterPublicKeyCredential};

use super::{Problem, Problems, Shared, sessions::SessionView};
use crate::sign_in::{Brought, Peer};

/// Who was invited, and with what they will sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Invited {
    /// The one-time secret.
    invitation: String,
    /// The sign-in name that the person wants.
    name: String,
    /// With what.
    with: With,
}

/// With what somebody will sign in.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum With {
    /// A passkey.
    Passkey,
    /// A password, and codes of an app.
    Password,
}

/// What is to be made.
#[derive(Serialize, ToSchema)]
pub(super) struct ToMake {
    /// To be sent back; good once, for five minutes.
    ceremony: String,
    /// For `navigator.credentials.create`.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    passkey: Option<CreationChallengeResponse>,
    /// For an authenticator app.
    #[serde(skip_serializing_if = "Option::is_none")]
    totp: Option<AppSecret>,
}

/// The secret of an authenticator app's codes.
#[derive(Serialize, ToSchema)]
struct AppSecret {
    /// For typing: base 32.
    secret: String,
    /// For the app: `otpauth://…`.
    uri: String,
}

/// What was made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, untagged)]
pub(super) enum Made {
    /// A passkey.
    Passkey {
        /// Which was asked for.
        ceremony: String,
        /// What `navigator.credentials.create` gave.
        #[schema(value_type = Object)]
        credential: Box<RegisterPublicKeyCredential>,
    },
    /// A password.
    Password {
        /// Which was asked for.
        ceremony: String,
        /// Twelve characters at least.
        password: String,
        /// Six digits of the app, to see that it has the secret.
        code: String,
    },
}

/// A session, and what is shown once.
#[derive(Serialize, ToSchema)]
pub(super) struct Welcome {
    /// The first session.
    #[serde(flatten)]
    session: SessionView,
    /// To be written down; each works once.
    recovery_codes: Vec<String>,
}

/// Begin with an invitation.
#[utoipa::path(post, path = "/api/v1/enrolment", tag = "sign-in", security(()),
    request_body = Invited,
    responses((status = 200, description = "What to make", body = ToMake), Problems))]
pub(super) async fn begin(
    State(shared): State<Shared>,
    from: Peer,
    request: Request,
) -> Result<Json<ToMake>, Problem> {
    let asked: Invited = shared.stranger(from, request).await?;
    let secret = SecretText::new(asked.invitation);
    let passkey = matches!(asked.with, With::Passkey);
    let begun =
        shared.application.sign_in().begin_enrolment(secret.expose(), &asked.name, passkey)?;
    let totp = begun.totp.map(|(secret, uri)| AppSecret { secret, uri });
    Ok(Json(ToMake { ceremony: begun.ceremony, passkey: begun.passkey, totp }))
}

/// Enrol, and be signed in. Uses the invitation up, and ends what the person had before.
#[utoipa::path(post, path = "/api/v1/enrolment/finish", tag = "sign-in", security(()),
    request_body = Made,
    responses((status = 200, description = "Enrolled and signed in", body = Welcome), Problems))]
pub(super) async fn finish(
    State(shared): State<Shared>,
    from: Peer,
    request: Request,
) -> Result<Response, Problem> {
    let (ceremony, brought) = match shared.stranger(from, request).await? {
        Made::Passkey { ceremony, credential } => (ceremony, Brought::Passkey(credential)),
        Made::Password { ceremony, password, code } => {
            (ceremony, Brought::Password(SecretText::new(password), code))
        }
    };
    let enrolled =
        shared.application.sign_in().finish_enrolment(&ceremony, brought, from.0).await?;
    let session = SessionView::fresh(&enrolled.signed_in);
    let welcome = Welcome { session, recovery_codes: enrolled.recovery_codes };
    Ok(shared.with_cookie(&enrolled.signed_in, welcome))
}
