//! Whether the catalogue is whole: enough cases, every rule of a signer, no case that no test tries,
//! and a document that says the same. Never changes the document unless it is asked to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use strongroom_domain::Rule;

use super::{Expected, cases, groups};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn told(answer: Expected) -> String {
    match answer {
        Expected::Refused(rule) => format!("refused: `{rule}`"),
        Expected::Stops(rule) => format!("stops: `{rule}`"),
        Expected::Corrupt => "stops: corrupt".to_owned(),
        Expected::Silent => "no answer".to_owned(),
        Expected::NothingMore => "nothing that it did not give before".to_owned(),
    }
}

fn document() -> String {
    let mut text = format!(
        "# What a stolen server tries\n\n\
         Written by `STRONGROOM_NEW_HOSTILE=1 cargo test -p strongroom-tests --test e2e catalogue`; the same\n\
         test fails where this page and the tests disagree.\n\n\
         {} cases. Each is tried on real signer processes by somebody who has the server's TLS key and\n\
         writes any log, and who never has a person's key or a signer's (`tests/tests/e2e/hostile`). After\n\
         each an honest payment is signed by the same signers; one that stopped is started again first, and\n\
         where one stops for good the others pay.\n\n\
         - *refused*: the signer answers with this rule and goes on.\n\
         - *stops*: it names the rule and carries out no order any more, until its operator starts it again.\n\
         - *no answer*: the connection is closed, or the signer does not start.\n",
        cases().count()
    );
    for group in groups() {
        let _ = write!(text, "\n## {}\n\n| id | what | answer |\n|---|---|---|\n", group.title);
        for case in group.cases {
            let _ = writeln!(text, "| `{}` | {} | {} |", case.id, case.tried, told(case.answer));
        }
    }
    text
}

/// Every quoted text of the tests beside the catalogue, and how often it is there.
fn quoted() -> BTreeMap<String, usize> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/hostile");
    let mut found = BTreeMap::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            for part in std::fs::read_to_string(path).unwrap().split('"') {
                *found.entry(part.to_owned()).or_default() += 1;
            }
        }
    }
    found
}

#[test]
fn the_catalogue_names_each_case_once_and_has_at_least_a_hundred() {
    let mut names = BTreeSet::new();
    for group in groups() {
        for case in group.cases {
            assert!(case.id.starts_with(&format!("{}-", group.prefix)), "{}", case.id);
            assert!(names.insert(case.id), "{} is there twice", case.id);
        }
    }
    assert!(names.len() >= 100, "{} cases", names.len());
}

#[test]
fn each_case_of_the_catalogue_is_tried() {
    let quoted = quoted();
    let untried: Vec<_> =
        cases().map(|case| case.id).filter(|id| !quoted.contains_key(*id)).collect();
    assert!(untried.is_empty(), "nobody tries {untried:?}");
}

#[test]
fn the_catalogue_provokes_each_rule_of_a_signer() {
    let provoked = |rule: &Rule| {
        cases().any(|case| {
            matches!(case.answer, Expected::Refused(of) | Expected::Stops(of) if of == *rule)
        })
    };
    let rules = Rule::ALL.iter().filter(|rule| rule.id().starts_with("signer-"));
    let missing: Vec<_> = rules.filter(|rule| !provoked(rule)).collect();
    assert!(missing.is_empty(), "no case provokes {missing:?}");
}

#[test]
fn the_document_is_the_catalogue() {
    let (path, text) = (root().join("docs/hostile.md"), document());
    if std::env::var_os("STRONGROOM_NEW_HOSTILE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "docs/hostile.md is not the catalogue: see its second line");
}
