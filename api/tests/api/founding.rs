//! From an empty folder to a log that is served.

use crate::house::{House, say};
use strongroom_api::{config::Config, serve::Server};

#[tokio::test]
async fn what_founding_prints_is_what_the_log_begins_with() {
    let house = House::new();
    let server = house.serve().await;
    let charter = server.get(&house.token("eve"), "/charter").await;
    assert_eq!(charter.text("genesis"), house.genesis);
    assert_eq!(charter.body["charter"]["name"], "test-house");
    assert_eq!(charter.body["charter"]["people"].as_array().unwrap().len(), 5);
    // Names of people stay in the specification.
    assert!(!charter.body.to_string().contains("\"ada\""));
    server.stop().await;
}

#[test]
fn a_log_is_founded_once() {
    let house = House::new();
    let path = |name: &str| house.path(name).to_str().unwrap().to_owned();
    let signatures = ["ada.signature", "bob.signature", "cyd.signature"].map(path);
    let (data, draft) = (path("data"), path("draft.json"));
    let found = ["charter", "found", "--data", &data, "--draft", &draft, "--signature"];
    let signatures: Vec<_> = signatures.iter().map(String::as_str).collect();
    let refused = say(&[&found[..], &signatures].concat()).unwrap_err();
    assert!(refused.to_string().contains("charter-state"), "{refused}");
}

#[test]
fn the_founding_statement_is_shown_before_it_is_signed_and_only_its_people_sign() {
    let house = House::new();
    let path = |name: &str| house.path(name).to_str().unwrap().to_owned();
    let shown = say(&["charter", "show", &path("draft.json")]).unwrap();
    let shown = shown.as_str().unwrap();
    assert!(shown.starts_with("Strongroom founding statement, version 2\n"));
    assert!(shown.contains("keys and policies need 2 of:"));
    let public = say(&["key", "show", &path("ada.key")]).unwrap();
    assert!(shown.contains(public["public_key"].as_str().unwrap()));
    let refused = say(&[
        "charter",
        "sign",
        "--draft",
        &path("draft.json"),
        "--person",
        "00000000-0000-4000-8000-000000000002",
        "--key",
        &path("ada.key"),
        "--passphrase-file",
        &path("ada.passphrase"),
        "--out",
        &path("forged"),
    ]);
    assert!(refused.unwrap_err().to_string().contains("approval-key-unknown"));
}

#[test]
fn a_passphrase_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = House::new();
    let file = house.path("passphrase");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (data, file) = (house.path("other"), file.to_str().unwrap().to_owned());
    let data = data.to_str().unwrap();
    let refused = say(&["init", "--data", data, "--passphrase-file", &file]).unwrap_err();
    assert!(refused.to_string().contains("chmod 600"), "{refused}");
}

#[test]
fn a_token_gives_no_role_that_the_charter_does_not_give() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = House::new();
    let path = |name: &str| house.path(name).to_str().unwrap().to_owned();
    let data = path("data");
    let issue = |person: &str, role: &str, out: &str| {
        let out = path(out);
        say(&["token", "issue", "--data", &data, "--person", person, "--role", role, "--out", &out])
    };
    let ian = "00000000-0000-4000-8000-000000000004";
    let refused = issue(ian, "approver", "a").unwrap_err();
    assert!(refused.to_string().contains("role-missing"), "{refused}");
    assert!(issue("00000000-0000-4000-8000-00000000ffff", "auditor", "b").is_err());
    issue(ian, "initiator", "c").unwrap();
    let mode = std::fs::metadata(path("c")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Never over another file; and what nobody has is not left in force.
    assert!(issue(ian, "initiator", "c").is_err());
    let listed = say(&["token", "list", "--data", &data]).unwrap();
    let listed = listed.as_array().unwrap();
    let in_force = listed.iter().filter(|one| one["revoked_at"].is_null()).count();
    assert_eq!((listed.len(), in_force), (7, 6));
}

#[tokio::test]
async fn a_server_does_not_start_without_its_charter_or_with_an_unknown_setting() {
    let house = House::new();
    std::fs::remove_file(house.path("data/log.db")).unwrap();
    for leftover in ["data/log.db-wal", "data/log.db-shm"] {
        let _ = std::fs::remove_file(house.path(leftover));
    }
    let file = house.path("strongroom.toml");
    let text = "listen = \"127.0.0.1:0\"\ndata = \"data\"\npassphrase_file = \"passphrase\"\n";
    std::fs::write(&file, text).unwrap();
    let refused = Server::open(Config::read(&file).unwrap()).await.err().unwrap();
    assert!(refused.to_string().contains("no charter yet"), "{refused}");
    std::fs::write(&file, format!("{text}colour = \"red\"\n")).unwrap();
    assert!(Config::read(&file).unwrap_err().to_string().contains("unknown field `colour`"));
}
