//! The rules of authorisation, as tests; and the table of `docs/authorisation.md`, which they write.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use strongroom_domain::{ClientId, PersonId, TransferId};
use uuid::Uuid;

use super::{
    Authorisation, Principal, Resource, Settings, Via,
    operations::{TABLE, of_field, of_route},
};
use crate::{access::role_of, application::Failure};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/authorisation.md");
const BEGIN: &str =
    "<!-- The table: written and checked by `cargo test -p strongroom-api authorisation` -->\n";
const END: &str = "<!-- End of the table -->\n";

/// Every role that there is.
const ROLES: [&str; 9] = [
    "viewer",
    "initiator",
    "approver",
    "officer",
    "key-custodian",
    "compliance",
    "auditor",
    "regulator",
    "administrator",
];

fn open() -> Authorisation {
    Authorisation::open(Settings::default()).unwrap()
}

fn person(number: u128) -> PersonId {
    PersonId(Uuid::from_u128(number))
}

fn principal(via: Via, stepped_up: bool) -> Principal {
    let (roles, scopes) = (BTreeSet::new(), BTreeSet::new());
    Principal { id: person(1), roles, via, stepped_up, scopes, clients: None }
}

fn with(roles: &[&str]) -> Principal {
    let roles = roles.iter().map(|role| role_of(role).unwrap()).collect();
    Principal { roles, ..principal(Via::Token, false) }
}

/// Who of this role may do this: `s` in a session, `S` only in one that stepped up, `t` by token,
/// `m` by machine.
fn cell(authorisation: &Authorisation, role: &str, operation: &str) -> String {
    let may = |via, stepped_up| {
        let who = principal(via, stepped_up).presented_as([role].into_iter());
        authorisation.permits_presented(who, operation, &Resource::System)
    };
    let session = match (may(Via::Session, false), may(Via::Session, true)) {
        (true, true) => "s",
        (false, true) => "S",
        (false, false) => "",
        (true, false) => panic!("{operation}: stepping up takes something away"),
    };
    let token = if may(Via::Token, false) { "t" } else { "" };
    let machine = if may(Via::Machine, false) { "m" } else { "" };
    let all = format!("{session}{token}{machine}");
    if all.is_empty() { "·".to_owned() } else { all }
}

fn table() -> String {
    let authorisation = open();
    let mut text = format!("| Operation | Where | anybody | {} |\n", ROLES.join(" | "));
    text.push_str("|---|---|---|");
    text.push_str(&"---|".repeat(ROLES.len()));
    text.push('\n');
    for operation in TABLE {
        let routes = operation.routes.iter().map(|(method, path)| format!("`{method} {path}`"));
        let fields = operation.fields.iter().map(|(kind, name)| format!("`{kind}.{name}`"));
        let places: Vec<_> = routes.chain(fields).collect();
        let anybody = if authorisation.permits_anybody(operation.name) { "yes" } else { "·" };
        let cells = ROLES.map(|role| cell(&authorisation, role, operation.name));
        let (name, places) = (operation.name, places.join(", "));
        let _ = writeln!(text, "| `{name}` | {places} | {anybody} | {} |", cells.join(" | "));
    }
    text
}

#[test]
fn the_document_says_what_the_policy_decides_for_every_operation_role_and_way() {
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let (head, rest) = document.split_once(BEGIN).unwrap();
    let (known, tail) = rest.split_once(END).unwrap();
    let now = table();
    if known == now {
        return;
    }
    if std::env::var_os("STRONGROOM_NEW_GOLDEN").is_some() {
        std::fs::write(DOCUMENT, format!("{head}{BEGIN}{now}{END}{tail}")).unwrap();
        return;
    }
    for (was, is) in known.lines().zip(now.lines()).filter(|(was, is)| was != is).take(5) {
        eprintln!("- {was}\n+ {is}");
    }
    panic!("who may do what has changed: read the difference, then STRONGROOM_NEW_GOLDEN=1");
}

#[test]
fn every_operation_has_one_name_and_every_place_one_operation() {
    let names: BTreeSet<_> = TABLE.iter().map(|one| one.name).collect();
    assert_eq!(names.len(), TABLE.len());
    let mut places = BTreeSet::new();
    for operation in TABLE {
        assert!(operation.name.split('-').all(|word| !word.is_empty()), "{operation:?}");
        assert!(!operation.routes.is_empty() || !operation.fields.is_empty(), "{operation:?}");
        for place in operation.routes.iter().chain(operation.fields) {
            assert!(places.insert(*place), "{place:?} has two operations");
        }
    }
}

#[test]
fn every_documented_route_has_an_operation_and_no_operation_a_route_that_is_not_there() {
    let document = serde_json::to_value(crate::rest::document()).unwrap();
    let mut documented = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let method = method.to_uppercase();
            assert!(of_route(&method, path).is_some(), "{method} {path}: no operation");
            documented.insert((method, path.clone()));
        }
    }
    // Pages for people and GraphQL are no part of the OpenAPI document.
    let machine = |path: &str| path.starts_with("/api/") || path.starts_with("/tile/");
    for (method, path) in TABLE.iter().flat_map(|one| one.routes) {
        let known = documented.contains(&((*method).to_owned(), (*path).to_owned()));
        assert!(known || !machine(path), "{method} {path}: no such route");
    }
}

#[tokio::test]
async fn every_graphql_field_has_an_operation_and_no_operation_a_field_that_is_not_there() {
    let query = "{ __schema { types { name fields { name } } } }";
    let answer = crate::graphql::bare().execute(query).await.into_result().unwrap();
    let answer = answer.data.into_json().unwrap();
    let mut fields = BTreeSet::new();
    for kind in answer["__schema"]["types"].as_array().unwrap() {
        let name = kind["name"].as_str().unwrap();
        if !["Query", "Mutation", "Events"].contains(&name) {
            continue;
        }
        for field in kind["fields"].as_array().unwrap() {
            let field = field["name"].as_str().unwrap();
            assert!(of_field(name, field).is_some(), "{name}.{field}: no operation");
            fields.insert((name.to_owned(), field.to_owned()));
        }
    }
    for (kind, field) in TABLE.iter().flat_map(|one| one.fields) {
        assert!(fields.contains(&((*kind).to_owned(), (*field).to_owned())), "{kind}.{field}");
    }
}

#[test]
fn whoever_has_no_role_may_do_nothing_but_ask_who_they_are() {
    let (authorisation, nobody) = (open(), principal(Via::Session, true));
    for operation in TABLE {
        let may = authorisation.permits(&nobody, operation.name, &Resource::System);
        let always = authorisation.permits_anybody(operation.name);
        let oneself = ["read-me", "ask-graphql"].contains(&operation.name);
        // In a session, what is about the session.
        let mine = ["session", "sessions", "passkey", "up", "codes"];
        let own = mine.iter().any(|word| operation.name.ends_with(&format!("-{word}")));
        assert_eq!(may, always || oneself || own, "{}", operation.name);
    }
    assert!(!authorisation.permits(&with(&["initiator"]), "no-such-operation", &Resource::System));
}

#[test]
fn a_policy_with_a_name_that_there_is_not_is_refused() {
    for wrong in [
        "permit (principal, action == Action::\"read-everything\", resource);",
        "permit (principal is Robot, action, resource);",
        "permit (principal is Caller, action, resource) when { principal.rank > 3 };",
        "permit (principal",
    ] {
        assert!(Authorisation::compile(wrong, Settings::default()).is_err(), "{wrong}");
    }
    // Without a rule, nobody may do anything.
    let empty = Authorisation::compile("", Settings::default()).unwrap();
    assert!(TABLE.iter().all(|one| !empty.permits_anybody(one.name)));
    let everything = with(&["initiator", "approver", "auditor"]);
    let may = |name| empty.permits(&everything, name, &Resource::System);
    assert!(TABLE.iter().all(|one| !may(one.name)));
}

#[test]
fn a_session_steps_up_before_what_matters_and_is_told_so() {
    let authorisation = open();
    let session = Principal { via: Via::Session, ..with(&["initiator"]) };
    let refused =
        authorisation.demand(&session, "request-transfer", &Resource::System).unwrap_err();
    assert_eq!(refused, Failure::StepUpNeeded);
    let fresh = Principal { stepped_up: true, ..session.clone() };
    authorisation.demand(&fresh, "request-transfer", &Resource::System).unwrap();
    // Stepping up would not help: so it is not asked for.
    let refused = authorisation.demand(&session, "answer-proposal", &Resource::System);
    assert!(matches!(refused, Err(Failure::Refused(_))), "{refused:?}");
    // A token cannot say that it did; where tokens may not act, it is refused.
    let strict = Settings { tokens_act: false, ..Settings::default() };
    let strict = Authorisation::open(strict).unwrap();
    let token = Principal { stepped_up: true, ..with(&["initiator"]) };
    assert!(!strict.permits(&token, "request-transfer", &Resource::System));
    assert!(strict.permits(&token, "read-accounts", &Resource::System));
}

#[test]
fn a_machines_scopes_take_away_and_never_give() {
    let authorisation = open();
    let scopes = BTreeSet::from(["read-accounts".to_owned(), "answer-proposal".to_owned()]);
    let machine = Principal { via: Via::Machine, scopes, ..with(&["initiator"]) };
    let may = |name| authorisation.permits(&machine, name, &Resource::System);
    assert!(may("read-accounts"));
    assert!(!may("read-transfers") && !may("request-transfer"));
    assert!(!may("answer-proposal"), "an initiator does not answer, whatever its scopes say");
}

#[test]
fn a_credential_for_one_client_reaches_no_other_and_nothing_that_is_of_all() {
    let authorisation = open();
    let (own, other) = (ClientId(Uuid::from_u128(7)), ClientId(Uuid::from_u128(8)));
    let clients = Some(BTreeSet::from([own]));
    let limited = Principal { clients, ..with(&["initiator", "approver", "auditor"]) };
    let free = Principal { clients: None, ..limited.clone() };
    let mut kept = BTreeMap::new();
    for operation in TABLE {
        let may = |who, resource| authorisation.permits(who, operation.name, &resource);
        let reaches = may(&limited, Resource::System);
        if authorisation.permits_anybody(operation.name) {
            continue;
        }
        assert!(!reaches || may(&free, Resource::System), "{}", operation.name);
        assert!(!may(&limited, Resource::Client(other)), "{}", operation.name);
        assert_eq!(may(&limited, Resource::Client(own)), reaches, "{}", operation.name);
        kept.insert(operation.name, reaches);
    }
    let reached: Vec<_> =
        kept.iter().filter(|(_, reaches)| **reaches).map(|(name, _)| *name).collect();
    assert_eq!(
        reached,
        [
            "ask-graphql",
            "cancel-transfer",
            "derive-address",
            "open-account",
            "read-account",
            "read-accounts",
            "read-deposits",
            "read-me",
            "read-transfer",
            "read-transfers",
            "report-signing",
            "request-transfer",
        ]
    );
}

#[test]
fn a_payment_is_taken_back_by_who_asked_for_it() {
    let (authorisation, ian) = (open(), with(&["initiator"]));
    let asked_by = |number| {
        let transfer = TransferId(Uuid::from_u128(9));
        Resource::Transfer { transfer, maker: person(number) }
    };
    assert!(authorisation.permits(&ian, "cancel-transfer", &asked_by(1)));
    assert!(!authorisation.permits(&ian, "cancel-transfer", &asked_by(2)));
}
