//! Every operation by name: which route and which GraphQL field it is. One table, and never a second
//! name for one thing. A route or a field without a row is served to nobody.
//!
//! To add a route or a field: a row here, its name in `strongroom.cedar`, and
//! `STRONGROOM_NEW_GOLDEN=1 cargo test -p strongroom-api authorisation`, which rewrites the table of
//! `docs/authorisation.md` for the reviewer to read.

use std::{collections::HashMap, sync::LazyLock};

/// Something that can be asked of the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Operation {
    /// Verb and noun, kebab-case: the action's name in `strongroom.cedar`, and a machine's scope.
    pub name: &'static str,
    /// Method and path of its routes.
    pub routes: &'static [(&'static str, &'static str)],
    /// Type and name of its GraphQL fields.
    pub fields: &'static [(&'static str, &'static str)],
}

type Pair = (&'static str, &'static str);

const fn of(name: &'static str, routes: &'static [Pair], fields: &'static [Pair]) -> Operation {
    Operation { name, routes, fields }
}

/// All of them.
pub const TABLE: &[Operation] = &[
    // What says nothing about custody.
    of("read-health", &[("GET", "/healthz")], &[]),
    of("read-readiness", &[("GET", "/readyz")], &[]),
    of("read-metrics", &[("GET", "/metrics")], &[]),
    of("read-openapi", &[("GET", "/api/v1/openapi.json")], &[]),
    of(
        "open-page",
        &[("GET", "/"), ("GET", "/sign-in"), ("GET", "/enrol"), ("GET", "/static/{name}")],
        &[],
    ),
    of("open-graphql-socket", &[("GET", "/graphql")], &[]),
    of("read-checkpoint-note", &[("GET", "/checkpoint")], &[]),
    of("read-tile", &[("GET", "/tile/{level}/{*index}")], &[]),
    // Signing in: whoever asks is nobody yet.
    of("enrol", &[("POST", "/api/v1/enrolment"), ("POST", "/api/v1/enrolment/finish")], &[]),
    of(
        "sign-in",
        &[
            ("POST", "/api/v1/sign-in/passkey"),
            ("POST", "/api/v1/sign-in/passkey/finish"),
            ("POST", "/api/v1/sign-in/password"),
            ("POST", "/api/v1/sign-in/recovery-code"),
        ],
        &[],
    ),
    // A person's own sessions, and what they are proven with.
    of("read-session", &[("GET", "/api/v1/session")], &[]),
    of("end-session", &[("DELETE", "/api/v1/session")], &[]),
    of(
        "step-up",
        &[("POST", "/api/v1/session/step-up"), ("POST", "/api/v1/session/step-up/finish")],
        &[],
    ),
    of("read-sessions", &[("GET", "/api/v1/sessions")], &[]),
    of("end-sessions", &[("DELETE", "/api/v1/sessions"), ("DELETE", "/api/v1/sessions/{id}")], &[]),
    of(
        "add-passkey",
        &[("GET", "/passkey"), ("POST", "/api/v1/passkeys"), ("POST", "/api/v1/passkeys/finish")],
        &[],
    ),
    of("replace-recovery-codes", &[("POST", "/api/v1/recovery-codes")], &[]),
    // About the caller.
    of("read-me", &[("GET", "/api/v1/me")], &[("Query", "me")]),
    of("ask-graphql", &[("POST", "/graphql")], &[]),
    // The log.
    of("read-entry-bundle", &[("GET", "/tile/entries/{*index}")], &[]),
    of("read-events", &[("GET", "/api/v1/events")], &[("Query", "events"), ("Events", "events")]),
    of("read-log-head", &[("GET", "/api/v1/log/head")], &[("Query", "logHead")]),
    of("read-checkpoint", &[("GET", "/api/v1/log/checkpoint")], &[("Query", "logCheckpoint")]),
    of("read-witness-policy", &[("GET", "/api/v1/log/policy")], &[]),
    of("read-receipt", &[("GET", "/api/v1/receipts/{position}")], &[("Query", "receipt")]),
    of("read-charter", &[("GET", "/api/v1/charter")], &[("Query", "charter")]),
    of("read-policy", &[("GET", "/api/v1/policy")], &[("Query", "policy")]),
    of("read-signers", &[("GET", "/api/v1/signers")], &[("Query", "signers")]),
    // Custody.
    of("read-balances", &[("GET", "/api/v1/balances")], &[("Query", "balances")]),
    of("read-accounts", &[("GET", "/api/v1/accounts")], &[("Query", "accounts")]),
    of("read-account", &[("GET", "/api/v1/accounts/{id}")], &[("Query", "account")]),
    of("open-account", &[("POST", "/api/v1/accounts")], &[]),
    of("read-deposits", &[("GET", "/api/v1/deposits")], &[("Query", "deposits")]),
    of("read-keys", &[("GET", "/api/v1/keys")], &[("Query", "keys")]),
    of("read-key", &[("GET", "/api/v1/keys/{id}")], &[("Query", "key")]),
    of("request-key", &[("POST", "/api/v1/keys")], &[]),
    of("change-key", &[("POST", "/api/v1/keys/{id}/changes")], &[]),
    of("propose-signers", &[("POST", "/api/v1/signers/changes")], &[]),
    // Two words that signers sign, carried by hand.
    of(
        "record-backup",
        &[("POST", "/api/v1/keys/{id}/backups"), ("POST", "/api/v1/keys/{id}/drills")],
        &[],
    ),
    // Of multisig keys: what cosigners show, carried by hand.
    of("read-key-proof", &[("GET", "/api/v1/keys/{id}/proof")], &[]),
    of("prove-cosigner", &[("POST", "/api/v1/keys/{id}/proof")], &[]),
    of("read-descriptor", &[("GET", "/api/v1/wallets/{id}/descriptor")], &[]),
    of("read-wallets", &[("GET", "/api/v1/wallets")], &[("Query", "wallets")]),
    of("read-wallet", &[("GET", "/api/v1/wallets/{id}")], &[("Query", "wallet")]),
    of("create-wallet", &[("POST", "/api/v1/wallets")], &[("Mutation", "createWallet")]),
    of("rotate-wallet", &[("POST", "/api/v1/wallets/{id}/rotation")], &[]),
    of("derive-address", &[("POST", "/api/v1/wallets/{id}/addresses")], &[]),
    // Payments and what quorums are asked.
    of("read-transfers", &[("GET", "/api/v1/transactions")], &[("Query", "transactions")]),
    of("read-transfer", &[("GET", "/api/v1/transactions/{id}")], &[("Query", "transaction")]),
    of(
        "request-transfer",
        &[("POST", "/api/v1/transactions")],
        &[("Mutation", "requestTransaction")],
    ),
    of("report-signing", &[("POST", "/api/v1/transactions/{id}/sign")], &[]),
    // A multisig wallet's payment, carried by hand to cosigners without a network and back.
    of("export-psbt", &[("GET", "/api/v1/transactions/{id}/psbt")], &[]),
    of("import-psbt", &[("POST", "/api/v1/transactions/{id}/psbt")], &[]),
    of("cancel-transfer", &[("POST", "/api/v1/transactions/{id}/cancel")], &[]),
    of(
        "read-proposals",
        &[("GET", "/api/v1/approvals"), ("GET", "/approvals")],
        &[("Query", "approvals")],
    ),
    of(
        "read-proposal",
        &[("GET", "/api/v1/approvals/{proposal}"), ("GET", "/approvals/{proposal}")],
        &[("Query", "approval")],
    ),
    of("read-queue", &[("GET", "/queue")], &[]),
    of(
        "answer-proposal",
        &[("POST", "/api/v1/approvals/{proposal}")],
        &[("Mutation", "answerProposal")],
    ),
    of("propose-policy", &[("POST", "/api/v1/policies")], &[]),
    of("propose-remedy", &[("POST", "/api/v1/transactions/{id}/remedies")], &[]),
    of("veto-proposal", &[("POST", "/api/v1/approvals/{proposal}/veto")], &[]),
    of("tighten-policy", &[("POST", "/api/v1/policy/tighten")], &[]),
    of("cancel-proposal", &[("POST", "/api/v1/approvals/{proposal}/cancel")], &[]),
    // People.
    of("read-people", &[("GET", "/api/v1/people")], &[]),
    of("propose-people", &[("POST", "/api/v1/people/changes")], &[]),
    // What is stopped, waits, or is stuck.
    of("freeze", &[("POST", "/api/v1/freezes")], &[]),
    of("read-freezes", &[("GET", "/api/v1/freezes")], &[]),
    of("propose-unfreeze", &[("POST", "/api/v1/freezes/{id}/release")], &[]),
    of("stop-transfer", &[("POST", "/api/v1/transactions/{id}/stop")], &[]),
    of("quarantine-key", &[("POST", "/api/v1/keys/{id}/quarantine")], &[]),
    of("propose-key-release", &[("POST", "/api/v1/keys/{id}/release")], &[]),
    of("quarantine-signer", &[("POST", "/api/v1/signers/{id}/quarantine")], &[]),
    of("propose-signer-release", &[("POST", "/api/v1/signers/{id}/release")], &[]),
    // Facts from outside, and how they compare.
    of(
        "record-screening",
        &[("POST", "/api/v1/screenings"), ("GET", "/api/v1/screenings/statement")],
        &[],
    ),
    of("read-screenings", &[("GET", "/api/v1/screenings")], &[]),
    of("quote-price", &[("POST", "/api/v1/prices")], &[]),
    of("read-prices", &[("GET", "/api/v1/prices")], &[]),
    of(
        "read-differences",
        &[("GET", "/api/v1/differences"), ("GET", "/api/v1/reconciliation")],
        &[],
    ),
    of("resolve-difference", &[("POST", "/api/v1/differences/{id}/resolve")], &[]),
    // Running the system.
    of(
        "read-webhooks",
        &[("GET", "/api/v1/webhooks"), ("GET", "/api/v1/webhooks/{id}/messages")],
        &[],
    ),
    of("resend-webhook", &[("POST", "/api/v1/webhooks/{id}/messages/{message}/resend")], &[]),
];

fn index(pairs: fn(&'static Operation) -> &'static [Pair]) -> HashMap<Pair, &'static str> {
    let all = TABLE.iter();
    all.flat_map(|operation| pairs(operation).iter().map(|pair| (*pair, operation.name))).collect()
}

/// The operation of a route, as axum spells its path; `None` for one that is not in the table.
pub fn of_route(method: &str, path: &str) -> Option<&'static str> {
    static INDEX: LazyLock<HashMap<Pair, &str>> = LazyLock::new(|| index(|one| one.routes));
    // Axum answers HEAD by GET.
    let method = if method == "HEAD" { "GET" } else { method };
    INDEX.get(&(method, path)).copied()
}

/// The operation of a GraphQL field, whatever alias it was asked under.
pub fn of_field(kind: &str, field: &str) -> Option<&'static str> {
    static INDEX: LazyLock<HashMap<Pair, &str>> = LazyLock::new(|| index(|one| one.fields));
    INDEX.get(&(kind, field)).copied()
}
