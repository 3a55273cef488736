//! Signing in and out, sessions and what they are proven with. Thin: `sign_in` does it. Never a
//! secret in an answer that was not made for it: a session's own is in its cookie alone.

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header::SET_COOKIE},
    response::{AppendHeaders, IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use strongroom_secrets::SecretText;
use utoipa::ToSchema;
use webauthn_rs::prelude::{
    CreationChallengeResponse, PublicKeyCredential, RegisterPublicKeyCredential,
    RequestChallengeResponse,
};

use super::{Problem, Problems, Shared, bytes, json};
use crate::{
    access::{IDLE_S, LONGEST_S, Session},
    application::Failure,
    sign_in::{Current, Peer, Proof, SignedIn, csrf_token},
};

/// A session, as its person sees it.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionView {
    /// Its id: not a secret.
    session: String,
    /// Whose.
    person: String,
    /// How it began: `passkey`, `password` or `recovery-code`.
    method: &'static str,
    /// What unsafe requests send as `X-CSRF-Token`; only of the session that asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf: Option<String>,
    /// From where it began, or was last stepped up.
    address: String,
    /// When it began.
    began_at: String,
    /// When it was last used.
    seen_at: String,
    /// When it ends if it is not used.
    ends_at: String,
    /// When its person last proved who they are, from where they are now.
    stepped_up_at: Option<String>,
}

/// Sessions of a person.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionList {
    /// Newest first.
    items: Vec<SessionView>,
}

/// A passkey that is asked for.
#[derive(Serialize, ToSchema)]
pub(super) struct Asked {
    /// To be sent back; good once, for five minutes. Nothing: the person has no passkey, send a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    ceremony: Option<String>,
    /// For `navigator.credentials.get`.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    passkey: Option<RequestChallengeResponse>,
}

/// A passkey that is to be made.
#[derive(Serialize, ToSchema)]
pub(super) struct AskedNew {
    /// To be sent back; good once, for five minutes.
    ceremony: String,
    /// For `navigator.credentials.create`.
    #[schema(value_type = Object)]
    passkey: CreationChallengeResponse,
}

/// Recovery codes: shown once.
#[derive(Serialize, ToSchema)]
pub(super) struct RecoveryCodes {
    /// Each works once.
    recovery_codes: Vec<String>,
}

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    /// The sign-in name.
    name: String,
}

/// A passkey that was shown.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Shown {
    /// Which was asked for.
    ceremony: String,
    /// What `navigator.credentials.get` gave.
    #[schema(value_type = Object)]
    credential: PublicKeyCredential,
}

/// A passkey that was made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Made {
    /// Which was asked for.
    ceremony: String,
    /// What `navigator.credentials.create` gave.
    #[schema(value_type = Object)]
    credential: RegisterPublicKeyCredential,
}

/// Password and code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ByPassword {
    /// The sign-in name.
    name: String,
    /// The password.
    password: String,
    /// Six digits of the app.
    code: String,
}

/// A recovery code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ByRecoveryCode {
    /// The sign-in name.
    name: String,
    /// One of the ten.
    recovery_code: String,
    /// The password, where the person has one.
    password: Option<String>,
}

/// A passkey that was shown, or a code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, untagged)]
pub(super) enum Proven {
    /// A passkey.
    Passkey {
        /// Which was asked for.
        ceremony: String,
        /// What `navigator.credentials.get` gave.
        #[schema(value_type = Object)]
        credential: Box<PublicKeyCredential>,
    },
    /// A code.
    Code {
        /// Six digits of the app.
        code: String,
    },
}

impl SessionView {
    pub(super) fn of(session: &Session, csrf: Option<String>) -> Self {
        let idle = session.seen_at.plus_seconds(IDLE_S);
        Self {
            session: session.id.to_string(),
            person: session.person.to_string(),
            method: session.method.name(),
            csrf,
            address: session.address.to_string(),
            began_at: session.began_at.to_string(),
            seen_at: session.seen_at.to_string(),
            ends_at: idle.min(session.began_at.plus_seconds(LONGEST_S)).to_string(),
            stepped_up_at: session.stepped_up_at.map(|at| at.to_string()),
        }
    }

    pub(super) fn fresh(signed_in: &SignedIn) -> Self {
        Self::of(&signed_in.session, Some(csrf_token(&signed_in.secret)))
    }
}

impl Shared {
    /// An answer that carries a new session's cookie.
    pub(super) fn with_cookie(&self, signed_in: &SignedIn, body: impl Serialize) -> Response {
        let cookie = self.application.sign_in().site().cookie(Some(&signed_in.secret));
        (AppendHeaders([(SET_COOKIE, cookie)]), Json(body)).into_response()
    }

    fn without_cookie(&self) -> Response {
        let cookie = self.application.sign_in().site().cookie(None);
        (StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, cookie)])).into_response()
    }

    /// The body of a request by somebody who is nobody yet: never from another site's page (who
    /// would sign a person in as somebody else), and not too often from one address.
    pub(super) async fn stranger<T: serde::de::DeserializeOwned>(
        &self,
        from: Peer,
        request: axum::extract::Request,
    ) -> Result<T, Problem> {
        self.application.sign_in().site().demand_not_foreign(request.headers())?;
        self.rates.failed(from.0)?;
        json(&bytes(request, &()).await?)
    }
}

/// Ask for a passkey of a name. A name that nobody has is answered alike.
#[utoipa::path(post, path = "/api/v1/sign-in/passkey", tag = "sign-in", security(()),
    request_body = Named,
    responses((status = 200, description = "What to show", body = Asked), Problems))]
pub(super) async fn begin_passkey(
    State(shared): State<Shared>,
    from: Peer,
    request: axum::extract::Request,
) -> Result<Json<Asked>, Problem> {
    let asked: Named = shared.stranger(from, request).await?;
    let (ceremony, passkey) = shared.application.sign_in().begin_passkey(&asked.name)?;
    Ok(Json(Asked { ceremony: Some(ceremony), passkey: Some(passkey) }))
}

/// Sign in with the passkey.
#[utoipa::path(post, path = "/api/v1/sign-in/passkey/finish", tag = "sign-in", security(()),
    request_body = Shown,
    responses((status = 200, description = "Signed in", body = SessionView), Problems))]
pub(super) async fn finish_passkey(
    State(shared): State<Shared>,
    from: Peer,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    let Shown { ceremony, credential } = shared.stranger(from, request).await?;
    let signed_in = shared.application.sign_in().finish_passkey(&ceremony, &credential, from.0)?;
    Ok(shared.with_cookie(&signed_in, SessionView::fresh(&signed_in)))
}

/// Sign in with a password and a code.
#[utoipa::path(post, path = "/api/v1/sign-in/password", tag = "sign-in", security(()),
    request_body = ByPassword,
    responses((status = 200, description = "Signed in", body = SessionView), Problems))]
pub(super) async fn by_password(
    State(shared): State<Shared>,
    from: Peer,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    let ByPassword { name, password, code } = shared.stranger(from, request).await?;
    let sign_in = shared.application.sign_in();
    let signed_in = sign_in.by_password(&name, SecretText::new(password), &code, from.0).await?;
    Ok(shared.with_cookie(&signed_in, SessionView::fresh(&signed_in)))
}

/// Sign in with a recovery code: to make a new passkey, and for nothing that needs a step-up.
#[utoipa::path(post, path = "/api/v1/sign-in/recovery-code", tag = "sign-in", security(()),
    request_body = ByRecoveryCode,
    responses((status = 200, description = "Signed in", body = SessionView), Problems))]
pub(super) async fn by_recovery_code(
    State(shared): State<Shared>,
    from: Peer,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    let asked: ByRecoveryCode = shared.stranger(from, request).await?;
    let password = asked.password.map(SecretText::new);
    let sign_in = shared.application.sign_in();
    let signed_in =
        sign_in.by_recovery_code(&asked.name, password, &asked.recovery_code, from.0).await?;
    Ok(shared.with_cookie(&signed_in, SessionView::fresh(&signed_in)))
}

/// The session, and what its pages send with unsafe requests.
#[utoipa::path(get, path = "/api/v1/session", tag = "sign-in",
    responses((status = 200, description = "It", body = SessionView), Problems))]
pub(super) async fn current(current: Current) -> Json<SessionView> {
    Json(SessionView::of(&current.session, Some(csrf_token(&current.secret))))
}

/// Sign out.
#[utoipa::path(delete, path = "/api/v1/session", tag = "sign-in",
    responses((status = 204, description = "Signed out"), Problems))]
pub(super) async fn sign_out(
    State(shared): State<Shared>,
    current: Current,
) -> Result<Response, Problem> {
    shared.application.sign_in().access().end_session(&current.secret).map_err(Failure::from)?;
    Ok(shared.without_cookie())
}

/// Ask for what a step-up needs.
#[utoipa::path(post, path = "/api/v1/session/step-up", tag = "sign-in",
    responses((status = 200, description = "What to show", body = Asked), Problems))]
pub(super) async fn begin_step_up(
    State(shared): State<Shared>,
    current: Current,
) -> Result<Json<Asked>, Problem> {
    let (ceremony, passkey) = shared.application.sign_in().begin_step_up(&current)?.unzip();
    Ok(Json(Asked { ceremony, passkey }))
}

/// Step up: the session goes on under a new cookie.
#[utoipa::path(post, path = "/api/v1/session/step-up/finish", tag = "sign-in",
    request_body = Proven,
    responses((status = 200, description = "Stepped up", body = SessionView), Problems))]
pub(super) async fn finish_step_up(
    State(shared): State<Shared>,
    current: Current,
    from: Peer,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    let proof = match json(&bytes(request, &()).await?)? {
        Proven::Passkey { ceremony, credential } => Proof::Passkey(ceremony, credential),
        Proven::Code { code } => Proof::Code(code),
    };
    let signed_in = shared.application.sign_in().finish_step_up(&current, proof, from.0)?;
    Ok(shared.with_cookie(&signed_in, SessionView::fresh(&signed_in)))
}

/// The person's sessions.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "sign-in",
    responses((status = 200, description = "All that are in force", body = SessionList), Problems))]
pub(super) async fn list(
    State(shared): State<Shared>,
    current: Current,
) -> Result<Json<SessionList>, Problem> {
    let sign_in = shared.application.sign_in();
    let sessions = sign_in.access().sessions(current.session.person, sign_in.now());
    let sessions = sessions.map_err(Failure::from)?;
    let items = sessions.iter().map(|session| SessionView::of(session, None)).collect();
    Ok(Json(SessionList { items }))
}

/// Sign out everywhere.
#[utoipa::path(delete, path = "/api/v1/sessions", tag = "sign-in",
    responses((status = 204, description = "Signed out everywhere"), Problems))]
pub(super) async fn sign_out_everywhere(
    State(shared): State<Shared>,
    current: Current,
) -> Result<Response, Problem> {
    let access = shared.application.sign_in().access();
    let ended = access.end_sessions(current.session.person).map_err(Failure::from)?;
    tracing::info!(person = %current.session.person, ended, "signed out everywhere");
    Ok(shared.without_cookie())
}

/// End one of the person's sessions.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "sign-in",
    params(("id" = String, Path, description = "Of the list")),
    responses((status = 204, description = "It has ended"), Problems))]
pub(super) async fn end(
    State(shared): State<Shared>,
    current: Current,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let access = shared.application.sign_in().access();
    let person = current.session.person;
    if access.end_session_of(person, &id).map_err(Failure::from)? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem(Failure::NotFound { what: "session of yours", id }))
}

/// Begin to make one more passkey.
#[utoipa::path(post, path = "/api/v1/passkeys", tag = "sign-in",
    responses((status = 200, description = "What to make", body = AskedNew), Problems))]
pub(super) async fn begin_passkey_more(
    State(shared): State<Shared>,
    current: Current,
) -> Result<Json<AskedNew>, Problem> {
    let (ceremony, passkey) = shared.application.sign_in().begin_passkey_more(&current)?;
    Ok(Json(AskedNew { ceremony, passkey }))
}

/// Add the passkey.
#[utoipa::path(post, path = "/api/v1/passkeys/finish", tag = "sign-in", request_body = Made,
    responses((status = 204, description = "It can be signed in with"), Problems))]
pub(super) async fn finish_passkey_more(
    State(shared): State<Shared>,
    current: Current,
    request: axum::extract::Request,
) -> Result<StatusCode, Problem> {
    let Made { ceremony, credential } = json(&bytes(request, &()).await?)?;
    shared.application.sign_in().finish_passkey_more(&current, &ceremony, &credential)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ten new recovery codes; the old ones are gone.
#[utoipa::path(post, path = "/api/v1/recovery-codes", tag = "sign-in",
    responses((status = 200, description = "The codes", body = RecoveryCodes), Problems))]
pub(super) async fn new_recovery_codes(
    State(shared): State<Shared>,
    current: Current,
) -> Result<Json<RecoveryCodes>, Problem> {
    let recovery_codes = shared.application.sign_in().new_recovery_codes(&current)?;
    Ok(Json(RecoveryCodes { recovery_codes }))
}
