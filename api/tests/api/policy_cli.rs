//! `strongroom policy`: what a risk officer does before a quorum votes.

use std::{fs, path::Path};

use crate::house::{House, payment, say};

const POLICY: &str = include_str!("../../src/policy_file/tests/full.toml");
const EXAMPLES: &str = include_str!("../../src/policy_file/tests/full.examples.toml");

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn folder() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    fs::write(&policy, POLICY).unwrap();
    fs::write(folder.path().join("policy.examples.toml"), EXAMPLES).unwrap();
    let policy = text(&policy);
    (folder, policy)
}

#[test]
fn examples_beside_a_policy_are_run_and_a_policy_that_breaks_one_is_not_silent() {
    let (folder, policy) = folder();
    let said = say(&["policy", "test", &policy]).unwrap();
    assert!(said.as_str().unwrap().contains("all met"), "{said}");
    fs::write(&policy, POLICY.replace("up-to = \"5\"", "up-to = \"4\"")).unwrap();
    let error = say(&["policy", "test", &policy]).unwrap_err().to_string();
    assert!(error.contains("examples are not met"), "{error}");
    fs::remove_file(folder.path().join("policy.examples.toml")).unwrap();
    let error = say(&["policy", "test", &policy]).unwrap_err().to_string();
    assert!(error.contains("policy.examples.toml"), "{error}");
}

#[test]
fn the_linter_finds_a_rule_that_can_never_fire() {
    let (_folder, policy) = folder();
    let lint = ["policy", "lint", &policy, "--group", "treasury=3", "--group", "board=3"];
    let before = say(&lint).map_or_else(
        |error| error.to_string().split(' ').next().unwrap().parse::<usize>().unwrap(),
        |_| 0,
    );
    let never = "[[rule]]\nid = \"of-nobody\"\nassets = [\"litecoin/ltc\"]\ndelay = \"1h\"\n";
    fs::write(&policy, format!("{POLICY}\n{never}")).unwrap();
    let error = say(&lint).unwrap_err().to_string();
    assert_eq!(error.split(' ').next().unwrap().parse::<usize>().unwrap(), before + 1, "{error}");
}

#[tokio::test]
async fn a_proposed_policy_is_asked_about_everything_that_was_ever_requested() {
    let house = House::new();
    let server = house.serve().await;
    let ian = house.token("ian");
    let good = payment(house.account, house.wallet, 1_000_000, &house.allowed);
    assert_eq!(server.post(&ian, "/transactions", "a", &good).await.status, 202);
    let refused = payment(house.account, house.wallet, 5_000, &house.stranger);
    assert_eq!(server.post(&ian, "/transactions", "b", &refused).await.status, 422);
    let policy = house.path("proposed.toml");
    let proposed = "schema = 1\nproposals-stay-open = \"1h\"\n[confirmations]\nlitecoin-regtest = 6\n\
                    [[rule]]\nid = \"nothing-large\"\npermit = true\n\
                    [[rule]]\nid = \"small\"\nover = \"0.005 litecoin-regtest/ltc\"\nforbid = true\n\
                    [[rule]]\nid = \"desk\"\napprovals = [\"2 of desk\"]\n\
                    [[rule]]\nid = \"fees\"\nfee-cap = { most = \"0.001 litecoin-regtest/ltc\" }\n";
    fs::write(&policy, proposed).unwrap();
    let (policy, data) = (text(&policy), text(&house.path("data")));
    // While the server runs.
    let said = say(&["policy", "dry-run", &policy, "--data", &data, "--json"]).unwrap();
    assert_eq!(said["requests"], 2, "{said}");
    let differ = said["differ"].as_array().unwrap();
    assert_eq!(differ.len(), 1, "{said}");
    assert_eq!(differ[0]["differences"][0]["difference"], "refused");
    assert!(differ[0]["differences"][0]["because"].to_string().contains("small"), "{said}");
    let said = say(&["policy", "dry-run", &policy, "--data", &data]).unwrap();
    let said = said.as_str().unwrap();
    assert!(said.contains("1 of 2 requests"), "{said}");
    assert!(said.contains("0.01000000 LTC"), "{said}");
    server.stop().await;
}
