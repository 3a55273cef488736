//! Who may ask what: one table, and nothing that is not in it. A route without a row is served to
//! nobody.

use axum::http::Method;
use strongroom_domain::charter::Role;

/// Who may ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Anybody: nothing about custody is said.
    Anybody,
    /// Anybody with a token.
    Token,
    /// Who has a token with this role.
    Role(Role),
    /// Who has a token with this role; anybody, where the configuration makes entries public.
    Entries(Role),
    /// Checked by the protocol that the route switches to.
    Within,
}

const READ: Access = Access::Token;
const INITIATE: Access = Access::Role(Role::Initiator);

/// Method and path of every route, and who may ask it.
pub const TABLE: &[(&str, &str, Access)] = &[
    ("POST", "/api/v1/accounts", INITIATE),
    ("GET", "/api/v1/accounts", READ),
    ("GET", "/api/v1/accounts/{id}", READ),
    ("POST", "/api/v1/keys", INITIATE),
    ("GET", "/api/v1/keys", READ),
    ("GET", "/api/v1/keys/{id}", READ),
    ("POST", "/api/v1/wallets", INITIATE),
    ("GET", "/api/v1/wallets", READ),
    ("GET", "/api/v1/wallets/{id}", READ),
    ("POST", "/api/v1/wallets/{id}/addresses", INITIATE),
    ("POST", "/api/v1/transactions", INITIATE),
    ("GET", "/api/v1/transactions", READ),
    ("GET", "/api/v1/transactions/{id}", READ),
    ("POST", "/api/v1/transactions/{id}/sign", INITIATE),
    ("POST", "/api/v1/transactions/{id}/cancel", INITIATE),
    ("GET", "/api/v1/approvals", READ),
    ("GET", "/api/v1/approvals/{proposal}", READ),
    ("POST", "/api/v1/approvals/{proposal}", Access::Role(Role::Approver)),
    ("POST", "/api/v1/policies", INITIATE),
    ("GET", "/api/v1/policy", READ),
    ("GET", "/api/v1/events", READ),
    ("GET", "/api/v1/log/head", READ),
    ("GET", "/api/v1/log/checkpoint", READ),
    ("GET", "/api/v1/log/policy", READ),
    ("GET", "/api/v1/receipts/{position}", READ),
    // Hashes say nothing about custody.
    ("GET", "/checkpoint", Access::Anybody),
    ("GET", "/tile/{level}/{*index}", Access::Anybody),
    ("GET", "/tile/entries/{*index}", Access::Entries(Role::Auditor)),
    ("GET", "/api/v1/charter", READ),
    ("GET", "/api/v1/signers", READ),
    ("GET", "/api/v1/deposits", READ),
    ("GET", "/api/v1/balances", READ),
    ("GET", "/api/v1/me", READ),
    ("GET", "/api/v1/openapi.json", Access::Anybody),
    ("GET", "/healthz", Access::Anybody),
    ("GET", "/readyz", Access::Anybody),
    ("GET", "/metrics", Access::Anybody),
    ("GET", "/", Access::Anybody),
    // Mutations ask for their roles themselves.
    ("POST", "/graphql", READ),
    // The token comes in connection_init.
    ("GET", "/graphql", Access::Within),
    ("GET", "/graphiql", Access::Anybody),
];

/// Who may ask this route; `None` for one that is not in the table.
pub(super) fn access(method: &Method, path: &str) -> Option<Access> {
    // Axum answers HEAD by GET.
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    let row = TABLE.iter().find(|(verb, route, _)| *verb == method && *route == path);
    row.map(|(_, _, access)| *access)
}
