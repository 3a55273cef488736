//! REST: routes, and what stands before and behind all of them. Thin: nothing here decides.

mod accounts;
mod approvals;
mod authentication;
mod body;
mod cosigners;
mod document;
mod enrolment;
mod keys;
mod limits;
mod log;
mod officers;
mod policies;
mod problem;
mod proofs;
mod questions;
mod sessions;
mod signers;
mod system;
mod transactions;
mod wallets;
mod webhooks;

pub(crate) use body::{Id, bytes, json};
pub use document::document;
pub use limits::RateLimits;
pub use problem::{Problem, ProblemDocument, Problems};

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef},
    middleware,
    routing::get,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    application::Application,
    config::Limits,
    graphql::{self, Graph},
    pages,
};

/// What every handler can ask for.
#[derive(Clone)]
pub struct Shared {
    /// The application.
    pub application: Application,
    /// The GraphQL schema.
    pub graph: Graph,
    /// The rate limits.
    pub rates: Arc<RateLimits>,
    /// The longest time for an answer.
    pub time: Duration,
    /// The longest body, in bytes.
    pub body_bytes: usize,
}

impl FromRef<Shared> for Application {
    fn from_ref(shared: &Shared) -> Self {
        shared.application.clone()
    }
}

impl FromRef<Shared> for Graph {
    fn from_ref(shared: &Shared) -> Self {
        shared.graph.clone()
    }
}

/// Keys, and who holds them.
fn of_keys() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(keys::request, keys::list))
        .routes(routes!(keys::one))
        .routes(routes!(keys::proof, keys::prove))
        .routes(routes!(keys::back_up))
        .routes(routes!(keys::drill))
        .routes(routes!(signers::change))
        .routes(routes!(signers::quarantine))
        .routes(routes!(signers::release))
        .routes(routes!(signers::propose))
}

/// Every documented route.
fn documented() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(document::frame())
        .merge(of_keys())
        .merge(cosigners::routes())
        .routes(routes!(accounts::open, accounts::list))
        .routes(routes!(accounts::one))
        .routes(routes!(wallets::create, wallets::list))
        .routes(routes!(wallets::one))
        .routes(routes!(wallets::derive))
        .routes(routes!(wallets::rotate))
        .routes(routes!(wallets::descriptor))
        .routes(routes!(transactions::request, transactions::list))
        .routes(routes!(transactions::one))
        .routes(routes!(transactions::sign))
        .routes(routes!(transactions::cancel))
        .routes(routes!(transactions::propose_remedy))
        .routes(routes!(approvals::list))
        .routes(routes!(approvals::one, approvals::answer))
        .routes(routes!(policies::propose))
        .routes(routes!(policies::in_force))
        .routes(routes!(log::events))
        .routes(routes!(log::head))
        .routes(routes!(proofs::checkpoint))
        .routes(routes!(proofs::tile))
        .routes(routes!(proofs::entries))
        .routes(routes!(proofs::receipt))
        .routes(routes!(proofs::policy))
        .routes(routes!(proofs::checkpoint_view))
        .routes(routes!(log::charter))
        .routes(routes!(log::signers))
        .routes(routes!(log::deposits))
        .routes(routes!(log::balances))
        .routes(routes!(log::me))
        .routes(routes!(enrolment::begin))
        .routes(routes!(enrolment::finish))
        .routes(routes!(sessions::begin_passkey))
        .routes(routes!(sessions::finish_passkey))
        .routes(routes!(sessions::by_password))
        .routes(routes!(sessions::by_recovery_code))
        .routes(routes!(sessions::current, sessions::sign_out))
        .routes(routes!(sessions::begin_step_up))
        .routes(routes!(sessions::finish_step_up))
        .routes(routes!(sessions::list, sessions::sign_out_everywhere))
        .routes(routes!(sessions::end))
        .routes(routes!(sessions::begin_passkey_more))
        .routes(routes!(sessions::finish_passkey_more))
        .routes(routes!(sessions::new_recovery_codes))
        .routes(routes!(officers::freeze, officers::freezes))
        .routes(routes!(officers::unfreeze))
        .routes(routes!(officers::stop))
        .routes(routes!(officers::quarantine))
        .routes(routes!(officers::release_key))
        .routes(routes!(officers::veto))
        .routes(routes!(officers::tighten))
        .routes(routes!(officers::screen, officers::screenings))
        .routes(routes!(officers::screening_statement))
        .routes(routes!(officers::quote, officers::prices))
        .routes(routes!(officers::differences))
        .routes(routes!(officers::reconciliation))
        .routes(routes!(officers::resolve))
        .routes(routes!(questions::people))
        .routes(routes!(questions::change_people))
        .routes(routes!(questions::cancel))
        .routes(routes!(webhooks::list))
        .routes(routes!(webhooks::messages))
        .routes(routes!(webhooks::resend))
        .routes(routes!(document::serve))
        .routes(routes!(system::healthz))
        .routes(routes!(system::readyz))
        .routes(routes!(system::metrics))
}

/// The whole of what is served.
pub fn router(application: Application, limits: &Limits) -> Router {
    let rates = Arc::new(RateLimits::new(limits));
    let shared = Shared {
        graph: graphql::schema(application.clone(), limits, Arc::clone(&rates)),
        application,
        rates,
        time: Duration::from_secs(limits.request_seconds),
        body_bytes: limits.body_bytes,
    };
    let (documented, _) = documented().split_for_parts();
    documented
        .merge(pages::routes())
        .route("/graphql", get(graphql::subscribe).post(graphql::query))
        // Innermost first: the route is known, then who asks, then how long it may take.
        .route_layer(middleware::from_fn_with_state(shared.clone(), authentication::check))
        .fallback(system::nowhere)
        .method_not_allowed_fallback(system::not_this_method)
        .layer(DefaultBodyLimit::max(limits.body_bytes))
        .layer(middleware::from_fn_with_state(shared.clone(), limits::time))
        .layer(middleware::from_fn(pages::dress))
        .layer(middleware::from_fn_with_state(shared.clone(), system::headers))
        .with_state(shared)
}
