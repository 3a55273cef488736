//! GraphQL: the same reads, the three main mutations, and log events as they become durable. Thin:
//! nothing here decides.

mod breadth;
mod connection;
mod error;
mod guard;
pub mod mutation;
pub mod query;
pub mod subscription;

use std::sync::Arc;

use async_graphql::Schema;
use async_graphql_axum::{GraphQLProtocol, GraphQLWebSocket};
use axum::{
    Json,
    extract::{Request, State, WebSocketUpgrade},
    response::{IntoResponse, Response},
};
use tokio::sync::Semaphore;

use crate::{
    application::{Application, Caller, Failure},
    config::Limits,
    rest::{Problem, RateLimits, bytes, json},
    sign_in::Peer,
};
use connection::Connection;
use mutation::Mutation;
use query::Query;
use subscription::Events;

/// The schema.
pub(crate) type Strongroom = Schema<Query, Mutation, Events>;

/// The schema, and how many may follow the log.
#[derive(Clone)]
pub struct Graph {
    schema: Strongroom,
    application: Application,
    rates: Arc<RateLimits>,
    places: Arc<Semaphore>,
    /// Connections that have not shown a token yet: they take nobody's place who has.
    strangers: Arc<Semaphore>,
}

/// Of those, at once.
const STRANGERS: usize = 256;

/// The schema over an application.
pub(crate) fn schema(application: Application, limits: &Limits, rates: Arc<RateLimits>) -> Graph {
    let schema = Schema::build(Query, Mutation, Events)
        .data(application.clone())
        .limit_depth(limits.graphql_depth)
        .limit_complexity(limits.graphql_complexity)
        // A directive is repeated cheaply and checked dearly.
        .limit_directives(16)
        .extension(breadth::Breadth)
        .finish();
    let places = Arc::new(Semaphore::new(limits.subscriptions));
    Graph { schema, application, rates, places, strangers: Arc::new(Semaphore::new(STRANGERS)) }
}

/// `POST /graphql`.
pub(crate) async fn query(
    State(graph): State<Graph>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let body = bytes(request, &()).await?;
    let request: async_graphql::Request = json(&body)?;
    let response = graph.schema.execute(request.data(caller)).await;
    Ok(Json(response).into_response())
}

/// `GET /graphql`: a WebSocket of the protocol graphql-transport-ws. The token comes in
/// `connection_init` as `{"token": "sr1_…"}`; without one in ten seconds the connection ends.
pub(crate) async fn subscribe(
    State(graph): State<Graph>,
    Peer(from): Peer,
    protocol: GraphQLProtocol,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    let full = || Problem(Failure::Unavailable("too many subscriptions are open".to_owned()));
    // A place is taken with the token; where there is none, nobody need show one.
    if graph.places.available_permits() == 0 {
        return Err(full());
    }
    let stranger = Arc::clone(&graph.strangers).try_acquire_owned().map_err(|_| full())?;
    let upgrade =
        upgrade.max_message_size(64 * 1024).protocols(async_graphql::http::ALL_WEBSOCKET_PROTOCOLS);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let Graph { schema, application, rates, places, .. } = graph;
        let connection = Connection::new(schema, application, rates, from);
        let introduced = connection.clone();
        let serving = GraphQLWebSocket::new(socket, connection.clone(), protocol)
            .on_connection_init(move |payload| async move {
                introduced
                    .introduce(&payload, &places)
                    .map_err(|failure| error::error(&failure))?;
                drop(stranger);
                Ok(async_graphql::Data::default())
            })
            .serve();
        tokio::select! {
            () = serving => {}
            () = connection.stranger() => {}
        }
    }))
}

/// The schema without anything behind it: what there is to ask.
#[cfg(test)]
pub(crate) fn bare() -> Strongroom {
    Schema::new(Query, Mutation, Events)
}
