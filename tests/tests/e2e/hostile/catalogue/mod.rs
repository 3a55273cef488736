//! Every case of a stolen server: what is tried, and what the signer must answer. The tests look the
//! answer up here, so that nothing is expected that is not written down. Never runs a case itself.

mod bytes;
mod keys;
mod quorum;
mod rounds;
mod story;
mod tests;

use strongroom_domain::Rule;
use strongroom_domain::protocol::Reply;

/// What a signer must answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Expected {
    /// It refuses by this rule and goes on.
    Refused(Rule),
    /// It names this rule and does nothing more until it is started again.
    Stops(Rule),
    /// It says that what it has or was sent is damaged.
    Corrupt,
    /// It closes the connection, or does not start.
    Silent,
    /// It gives what it gave before, and nothing more.
    NothingMore,
}

/// A case.
pub(super) struct Case {
    /// Its name for good.
    pub(super) id: &'static str,
    pub(super) tried: &'static str,
    pub(super) answer: Expected,
}

/// Cases that try the same thing in different ways.
pub(super) struct Group {
    /// What the names of its cases begin with.
    pub(super) prefix: &'static str,
    pub(super) title: &'static str,
    pub(super) cases: &'static [Case],
}

macro_rules! group {
    ($prefix:literal, $title:literal: $($id:literal => $how:ident $(($rule:ident))?, $tried:literal;)*) => {
        Group {
            prefix: $prefix,
            title: $title,
            cases: &[$(Case {
                id: $id,
                tried: $tried,
                answer: super::Expected::$how $((strongroom_domain::Rule::$rule))?,
            }),*],
        }
    };
}
use group;

/// All groups, as they stand in the document.
fn groups() -> impl Iterator<Item = &'static Group> {
    [story::GROUPS, quorum::GROUPS, bytes::GROUPS, rounds::GROUPS, keys::GROUPS]
        .into_iter()
        .flatten()
}

fn cases() -> impl Iterator<Item = &'static Case> {
    groups().flat_map(|group| group.cases)
}

/// The answer that the catalogue gives for a case.
#[track_caller]
pub(super) fn expected(id: &str) -> Expected {
    let found = cases().find(|case| case.id == id);
    found.unwrap_or_else(|| panic!("no case is called {id}")).answer
}

/// Whether the answer is the one of the catalogue.
#[track_caller]
pub(super) fn answers(id: &str, reply: &Reply) {
    let fits = match (expected(id), reply) {
        (Expected::Refused(rule), Reply::Refused(refusal)) => refusal.rule == rule,
        (Expected::Stops(rule), Reply::Corrupt { because, .. }) => because.contains(rule.id()),
        (Expected::Corrupt, Reply::Corrupt { .. }) => true,
        _ => false,
    };
    assert!(fits, "{id}: expected {:?}, found {reply:?}", expected(id));
}

/// Whether a signer said nothing at all where the catalogue says so.
#[track_caller]
pub(super) fn silent(id: &str, is_silent: bool) {
    assert_eq!(expected(id), Expected::Silent, "{id}");
    assert!(is_silent, "{id}");
}

/// Whether a signer gave nothing that it had not given before where the catalogue says so.
#[track_caller]
pub(super) fn nothing_more(id: &str, is_the_same: bool) {
    assert_eq!(expected(id), Expected::NothingMore, "{id}");
    assert!(is_the_same, "{id}");
}
