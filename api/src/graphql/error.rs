//! Failures as GraphQL errors: the same words and types as REST's problem documents.

use async_graphql::{Error, ErrorExtensions as _};

use crate::{application::Failure, rest::ProblemDocument};

/// A failure as a GraphQL error.
pub(super) fn error(failure: &Failure) -> Error {
    let document = ProblemDocument::of(failure);
    Error::new(document.detail).extend_with(|_, extensions| {
        extensions.set("type", document.kind);
        extensions.set("status", document.status);
        if let Some(rule) = document.rule {
            extensions.set("rule", rule);
        }
        if let Some(transaction) = document.transaction {
            extensions.set("transaction", transaction);
        }
    })
}

/// An argument as what it should be.
pub(super) fn parse<T>(text: &str) -> async_graphql::Result<T>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let malformed = |reason: T::Err| error(&Failure::Malformed(reason.to_string()));
    text.parse().map_err(malformed)
}
