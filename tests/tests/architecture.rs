//! The architecture, as tests: which crate may use which, and how files read. Nothing here runs
//! the product.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy takes helpers of an integration test for product code"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// DESIGN.md section 3, with the edges that `docs/decisions/` adds.
const ALLOWED: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("ledger", &[]),
    ("secrets", &[]),
    ("chains", &["domain"]),
    ("store", &["domain", "ledger"]),
    ("nodes", &["domain", "chains"]),
    ("commands", &["domain", "ledger", "chains", "store", "nodes"]),
    ("projections", &["domain", "ledger", "store"]),
    ("vault", &["secrets"]),
    ("signer", &["domain", "ledger", "chains", "secrets", "vault"]),
    ("replay", &["domain", "ledger", "chains", "secrets", "store", "projections"]),
    (
        "api",
        &["domain", "ledger", "secrets", "chains", "store", "nodes", "commands", "projections"],
    ),
];

/// What a crate must never link, however indirectly.
const NEVER_LINKS: &[(&str, &[&str])] = &[
    ("domain", &["tokio", "rand", "reqwest", "rusqlite"]),
    ("ledger", &["tokio", "rand", "reqwest", "rusqlite"]),
    ("chains", &["tokio", "reqwest", "rusqlite"]),
    (
        "signer",
        &[
            "rusqlite",
            "sqlx",
            "axum",
            "tonic",
            "strongroom-store",
            "strongroom-nodes",
            "strongroom-commands",
            "strongroom-projections",
            "strongroom-api",
        ],
    ),
    ("secrets", CONNECTS),
    ("commands", &["axum", "cryptoki"]),
    ("api", &["strongroom-signer"]),
    ("replay", &["strongroom-commands", "strongroom-nodes", "strongroom-signer", "axum"]),
];

/// What opens connections, or runs them.
const CONNECTS: &[&str] = &["tokio", "reqwest", "hyper", "ureq", "rustify", "vaultrs"];

/// The one crate linked into a signer that may connect: to the Vault that `signer.toml` names
/// (decision 0033).
const VAULT: &str = "strongroom-vault";

/// How a connection is opened without a library.
const OPENS: &[&str] =
    &["TcpStream::connect", "UnixStream::connect", "UdpSocket", "connect_timeout", "TcpSocket"];

/// Files over 400 lines: to be taken off, never to be added to. One enum of all that can be asked stays
/// in one place.
const LONG_FILES: &[&str] = &["domain/src/command.rs"];

const FILE_LINES: usize = 400;
/// What a library is built with although nothing here uses it, and no feature leaves it out: the
/// client of KurrentDB speaks gRPC by a library that has a server's router too (decision 0012).
const UNUSED: &[(&str, &str)] = &[("tonic", "axum")];
const FORBIDDEN_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "misc", "types", "common"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Package name → names of its normal (not dev) dependencies, by resolved id.
fn normal_edges(metadata: &serde_json::Value) -> BTreeMap<String, BTreeSet<String>> {
    let names: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (package["id"].as_str().unwrap(), package["name"].as_str().unwrap()))
        .collect();
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().unwrap() {
        let from = names[node["id"].as_str().unwrap()];
        for dependency in node["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            if kinds.iter().any(|kind| kind["kind"].is_null()) {
                let to = names[dependency["pkg"].as_str().unwrap()];
                edges.entry(from.to_owned()).or_default().insert(to.to_owned());
            }
        }
    }
    edges
}

fn links(edges: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut next = vec![from.to_owned()];
    while let Some(name) = next.pop() {
        for to in edges.get(&name).into_iter().flatten() {
            let unused = UNUSED.contains(&(name.as_str(), to.as_str()));
            if !unused && seen.insert(to.clone()) {
                next.push(to.clone());
            }
        }
    }
    seen
}

#[test]
fn a_crate_uses_only_what_the_design_allows() {
    let edges = normal_edges(&metadata());
    let mut wrong = Vec::new();
    for (name, allowed) in ALLOWED {
        let package = format!("strongroom-{name}");
        for to in edges.get(&package).into_iter().flatten() {
            if let Some(ours) = to.strip_prefix("strongroom-")
                && !allowed.contains(&ours)
            {
                wrong.push(format!("{name} -> {ours}"));
            }
        }
    }
    assert!(wrong.is_empty(), "edges that the design does not allow: {wrong:?}");
}

#[test]
fn every_top_level_crate_is_in_the_table() {
    let metadata = metadata();
    let known: BTreeSet<_> = ALLOWED.iter().map(|(name, _)| format!("strongroom-{name}")).collect();
    for member in metadata["workspace_members"].as_array().unwrap() {
        let id = member.as_str().unwrap();
        let package = metadata["packages"]
            .as_array()
            .unwrap()
            .iter()
            .find(|package| package["id"] == id)
            .unwrap();
        let name = package["name"].as_str().unwrap();
        assert!(known.contains(name) || name == "strongroom-tests", "{name} is in no table");
    }
}

#[test]
fn what_a_crate_must_never_link_is_not_linked() {
    let edges = normal_edges(&metadata());
    let mut wrong = Vec::new();
    for (name, never) in NEVER_LINKS {
        let linked = links(&edges, &format!("strongroom-{name}"));
        wrong.extend(never.iter().filter(|it| linked.contains(**it)).map(|it| (name, it)));
    }
    assert!(wrong.is_empty(), "linked although the design forbids it: {wrong:?}");
}

#[test]
fn a_signer_connects_to_a_vault_and_to_nothing_else() {
    let mut edges = normal_edges(&metadata());
    edges.remove(VAULT);
    let linked = links(&edges, "strongroom-signer");
    let found: Vec<_> = CONNECTS.iter().filter(|it| linked.contains(**it)).collect();
    assert!(found.is_empty(), "a signer links {found:?} otherwise than through {VAULT}");

    let product = |path: &&PathBuf| {
        let name = shown(path);
        let of_signer =
            ["signer/src/", "secrets/src/", "ledger/src/", "domain/src/", "chains/src/"]
                .iter()
                .any(|folder| name.starts_with(folder));
        of_signer && !name.ends_with("tests.rs") && !name.contains("/tests/")
    };
    for path in rust_files().iter().filter(product) {
        let text = std::fs::read_to_string(path).unwrap();
        let opened = OPENS.iter().find(|word| text.contains(**word));
        assert!(opened.is_none(), "{} has {}", shown(path), opened.unwrap());
    }
}

fn rust_files() -> Vec<PathBuf> {
    let output =
        Command::new("git").args(["ls-files", "*.rs"]).current_dir(root()).output().unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    listed.lines().map(|line| root().join(line)).filter(|path| path.exists()).collect()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

#[test]
fn every_file_opens_by_saying_what_it_is() {
    let silent: Vec<_> = rust_files()
        .iter()
        .filter(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            let opens = text.lines().find(|line| !line.starts_with("#!["));
            !opens.is_some_and(|line| line.starts_with("//!"))
        })
        .map(|path| shown(path))
        .collect();
    assert!(silent.is_empty(), "without `//!` at the top: {silent:?}");
}

#[test]
fn a_file_is_one_noun_and_not_long() {
    let mut wrong = Vec::new();
    for path in rust_files() {
        let name = shown(&path);
        let stem = path.file_stem().unwrap().to_str().unwrap();
        if FORBIDDEN_NAMES.contains(&stem) {
            wrong.push(format!("{name}: a name without a subject"));
        }
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        let is_test = name.contains("/tests/") || name.ends_with("tests.rs");
        if lines > FILE_LINES && !is_test && !LONG_FILES.contains(&name.as_str()) {
            wrong.push(format!("{name}: {lines} lines"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_secret_type_can_print_or_be_serialised() {
    for path in rust_files().iter().filter(|path| {
        let name = shown(path);
        ["secrets/src", "signer/src", "vault/src"].iter().any(|folder| name.starts_with(folder))
    }) {
        let text = std::fs::read_to_string(path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let declares = line.contains("struct ") && {
                let name = line.split("struct ").nth(1).unwrap_or_default();
                ["Secret", "SecretText", "SigningNonces", "KeyShare", "Pin"].iter().any(|secret| {
                    name.starts_with(&format!("{secret}("))
                        || name.starts_with(&format!("{secret} "))
                })
            };
            if declares {
                let before: Vec<_> = text.lines().take(number).collect();
                let derives = before.iter().rev().take_while(|line| {
                    line.trim_start().starts_with('#') || line.trim_start().starts_with("///")
                });
                for derive in derives {
                    let prints = derive.contains("Debug") || derive.contains("Serialize");
                    assert!(!prints, "{}:{}: {derive}", shown(path), number);
                }
            }
        }
    }
}
