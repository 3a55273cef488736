//! Pages for people: sign in, see what waits, read a question in full, answer it with a passkey,
//! stop what must not happen. They show and they carry; they never decide, and the text that a
//! person signs is the log's own.

mod approval;
mod approvals;
mod assets;
mod dress;
mod enrol;
mod frame;
mod html;
mod passkey;
mod queue;
mod said;
mod sign_in;
mod start;
mod summary;

pub(crate) use dress::dress;

use axum::{Router, routing::get};

use crate::rest::Shared;

/// The pages. Who may open which is decided where it is for every route.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/", get(start::page))
        .route("/sign-in", get(sign_in::page))
        .route("/enrol", get(enrol::page))
        .route("/approvals", get(approvals::page))
        .route("/approvals/{proposal}", get(approval::page))
        .route("/queue", get(queue::page))
        .route("/passkey", get(passkey::page))
        .route("/static/{name}", get(assets::serve))
}
