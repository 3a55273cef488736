//! `docs/policy-rules.md` against the code, both ways. Nothing here is part of the product.

use super::{world::*, *};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of the page: a kind's name and its other columns.
fn rows() -> BTreeMap<String, Vec<String>> {
    let page = read("../docs/policy-rules.md");
    let mut rows = BTreeMap::new();
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [kind, rest @ ..] = cells.as_slice() else { panic!("{line}") };
        let rest: Vec<_> = rest.iter().map(|&cell| cell.to_owned()).collect();
        assert_eq!(rest.len(), 4, "{line}");
        assert!(rest.iter().all(|cell| !cell.is_empty()), "{line}");
        let twice = rows.insert(kind.trim_matches('`').to_owned(), rest);
        assert!(twice.is_none(), "two rows for {kind}");
    }
    rows
}

#[test]
fn every_kind_of_rule_has_a_row_and_every_row_is_a_kind() {
    let rows: BTreeSet<_> = rows().into_keys().collect();
    let kinds: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.id().to_owned()).collect();
    assert_eq!(rows, kinds);
}

#[test]
fn every_kind_of_rule_has_a_test_of_its_name_and_every_such_test_runs() {
    let tests = ["mod", "limits", "calls"]
        .map(|name| read(&format!("src/policy/evaluate/tests/{name}.rs")))
        .concat();
    for kind in Kind::ALL {
        let named = format!("#[test]\nfn {}_", kind.id().replace('-', "_"));
        assert!(tests.contains(&named), "no test begins with the name of {kind}");
    }
}

#[test]
fn every_example_of_the_page_is_a_rule_that_a_policy_may_have() {
    for (kind, cells) in rows() {
        let example = cells[3].trim_matches('`');
        let demand: Demand =
            serde_json::from_str(example).unwrap_or_else(|error| panic!("{example}: {error}"));
        assert_eq!(demand.kind().id(), kind);
        assert_eq!(serde_json::to_string(&demand).expect("JSON"), example, "as the log writes it");
        let mut policy = policy([rule("x-example", demand)]);
        policy.prices = None;
        assert_eq!(policy.check(), Ok(()), "{kind}");
    }
}

#[test]
fn the_names_of_kinds_are_labels_and_are_read_back() {
    for kind in Kind::ALL {
        assert!(Label::try_from(kind.id().to_owned()).is_ok());
        assert_eq!(kind.id().parse(), Ok(*kind));
        let json = format!("\"{}\"", kind.id());
        assert_eq!(serde_json::to_string(kind).expect("JSON"), json);
    }
    assert!("teleport".parse::<Kind>().is_err());
}

#[test]
fn what_the_page_says_of_limits_is_what_the_code_has() {
    let rows = rows();
    for (kind, limit) in [
        ("allowlist", LONGEST_WAIT_S),
        ("tiers", LONGEST_WAIT_S),
        ("velocity", LONGEST_WINDOW_S),
        ("delay", LONGEST_WAIT_S),
        ("screening", LONGEST_SCREENING_S),
    ] {
        assert!(rows[kind][1].contains(&limit.to_string()), "{kind} has the limit {limit}");
    }
    for kind in ["tiers", "contract-call", "contract-admin"] {
        assert!(rows[kind][1].contains(&format!("1 to {MOST_PARTS}")), "{kind}");
    }
}
