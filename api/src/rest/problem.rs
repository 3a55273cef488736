//! Failures as problem documents (RFC 9457). Types are stable; details are for people.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use strongroom_domain::{Refusal, Rule};
use utoipa::{IntoResponses, ToSchema};

use crate::application::Failure;

/// A failure, to be answered.
#[derive(Debug)]
pub struct Problem(pub Failure);

/// RFC 9457, with the rule that refused.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProblemDocument {
    /// Stable, a relative reference: `/problems/refused/<rule>`, `/problems/conflict`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong and what would be right.
    pub detail: String,
    /// The rule that refused, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The recorded transaction, where a refusal by the policy was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
}

/// What every route may answer besides its own answer.
#[derive(IntoResponses)]
pub enum Problems {
    /// The request is not what it should be.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(#[to_schema] ProblemDocument),
    /// Nobody who is known.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(#[to_schema] ProblemDocument),
    /// A token without the role, or the maker of what is to be approved.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] ProblemDocument),
    /// There is no such thing.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] ProblemDocument),
    /// Try again now.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(#[to_schema] ProblemDocument),
    /// A body over the limit.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(#[to_schema] ProblemDocument),
    /// A body that is not JSON.
    #[response(status = 415, content_type = "application/problem+json")]
    MediaType(#[to_schema] ProblemDocument),
    /// A rule forbids it.
    #[response(status = 422, content_type = "application/problem+json")]
    Refused(#[to_schema] ProblemDocument),
    /// Too many requests.
    #[response(status = 429, content_type = "application/problem+json")]
    TooMany(#[to_schema] ProblemDocument),
    /// The server stops.
    #[response(status = 500, content_type = "application/problem+json")]
    Corrupt(#[to_schema] ProblemDocument),
    /// Try again later.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] ProblemDocument),
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl ProblemDocument {
    fn new(kind: &str, title: &'static str, status: StatusCode, detail: &Failure) -> Self {
        Self {
            kind: format!("/problems/{kind}"),
            title,
            status: status.as_u16(),
            detail: detail.to_string(),
            rule: None,
            transaction: None,
        }
    }

    fn refused(refusal: &Refusal, detail: &Failure) -> Self {
        let forbidden = matches!(refusal.rule, Rule::RoleMissing | Rule::MakerChecker);
        let status =
            if forbidden { StatusCode::FORBIDDEN } else { StatusCode::UNPROCESSABLE_ENTITY };
        let rule = refusal.rule.id();
        Self {
            detail: refusal.because.clone(),
            rule: Some(rule.to_owned()),
            ..Self::new(&format!("refused/{rule}"), "Refused by a rule", status, detail)
        }
    }

    fn by_rule(rule: &str, detail: &Failure) -> Self {
        let kind = format!("refused/{rule}");
        let refused =
            Self::new(&kind, "Refused by a rule", StatusCode::UNPROCESSABLE_ENTITY, detail);
        Self { rule: Some(rule.to_owned()), ..refused }
    }

    /// A failure's document.
    pub fn of(failure: &Failure) -> Self {
        use StatusCode as S;
        let new = |kind, title, status| Self::new(kind, title, status, failure);
        match failure {
            Failure::Refused(refusal) => Self::refused(refusal, failure),
            Failure::RefusedAndRecorded { refusal, transfer } => {
                let refused = Self::refused(refusal, failure);
                Self { transaction: Some(transfer.to_string()), ..refused }
            }
            Failure::Address(_) => Self::by_rule("address-invalid", failure),
            Failure::KeyReused(_) => Self::by_rule("idempotency-key-reused", failure),
            Failure::Malformed(_) => new("malformed", "Malformed request", S::BAD_REQUEST),
            Failure::KeyMissing => {
                new("idempotency-key-missing", "Idempotency-Key is missing", S::BAD_REQUEST)
            }
            Failure::KeyMalformed => {
                new("idempotency-key-malformed", "Idempotency-Key is malformed", S::BAD_REQUEST)
            }
            Failure::MediaType => new("media-type", "Not JSON", S::UNSUPPORTED_MEDIA_TYPE),
            Failure::NotFound { .. } => new("not-found", "Not found", S::NOT_FOUND),
            Failure::Unauthenticated => {
                new("unauthenticated", "Nobody who is known", S::UNAUTHORIZED)
            }
            Failure::StepUpNeeded => new("step-up-needed", "Prove who you are again", S::FORBIDDEN),
            Failure::CrossSite(_) => new("cross-site", "Not from our own pages", S::FORBIDDEN),
            Failure::SignInRefused => new("sign-in-refused", "Not signed in", S::UNAUTHORIZED),
            Failure::InvitationRefused => {
                new("invitation-refused", "No invitation in force", S::FORBIDDEN)
            }
            Failure::RequestSignature(_) => {
                new("request-signature", "The request's signature", S::UNAUTHORIZED)
            }
            Failure::LockedOut { .. } => new("locked-out", "Wrong too often", S::TOO_MANY_REQUESTS),
            Failure::TooMany => new("too-many", "Too many requests", S::TOO_MANY_REQUESTS),
            Failure::TooLarge => new("too-large", "Body too large", S::PAYLOAD_TOO_LARGE),
            Failure::Method => new("method", "Not this method", S::METHOD_NOT_ALLOWED),
            Failure::Conflict(_) => new("conflict", "Conflict: try again now", S::CONFLICT),
            Failure::Unavailable(_) => {
                new("unavailable", "Unavailable: try again later", S::SERVICE_UNAVAILABLE)
            }
            Failure::Corrupt(_) => new("corrupt", "The server must stop", S::INTERNAL_SERVER_ERROR),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if let Failure::Corrupt(because) = &self.0 {
            tracing::error!(because, "a request met what cannot be");
        }
        let document = ProblemDocument::of(&self.0);
        let status = StatusCode::from_u16(document.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(document)).into_response();
        let headers = response.headers_mut();
        let problem = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, problem);
        if let Failure::LockedOut { seconds } = self.0 {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if matches!(self.0, Failure::Unavailable(_) | Failure::TooMany) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if matches!(self.0, Failure::Unauthenticated) {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, ProblemDocument};

    #[test]
    fn the_four_kinds_are_never_mixed() {
        let text = || "because".to_owned();
        for (failure, status, kind) in [
            (Failure::Address(text()), 422, "/problems/refused/address-invalid"),
            (Failure::Conflict(text()), 409, "/problems/conflict"),
            (Failure::Unavailable(text()), 503, "/problems/unavailable"),
            (Failure::Corrupt(text()), 500, "/problems/corrupt"),
        ] {
            let document = ProblemDocument::of(&failure);
            assert_eq!((document.status, document.kind.as_str()), (status, kind));
        }
    }
}
