//! Checkpoints, tiles and receipts over HTTP, with outside witnesses that are really asked. What is
//! served is checked here as a stranger would: with the ledger's code and the policy alone.

use std::fs;

use strongroom_api::{
    config::Config,
    data_directory::DataDirectory,
    serve::{ServeError, Server},
};
use strongroom_commands::checkpoints::KeptError;
use strongroom_ledger::{
    KeyName, LogVerifier, Note, Receipt, Tiles, WitnessPolicy, leaf_hash,
    tree::{Tile, root, root_tiles},
};

use crate::house::{House, Running, Witnesses};

/// The log's keys, as its witnesses were told them.
fn log_of(house: &House, origin: &str) -> LogVerifier {
    let identity = DataDirectory::open(&house.path("data")).unwrap().identity().unwrap();
    let bytes = |text: &str| hex::decode(text).unwrap();
    let name = KeyName::new(origin).unwrap();
    LogVerifier::new(&name, &bytes(&identity.log_key), &bytes(&identity.log_key_ml_dsa_44)).unwrap()
}

/// The origin, from the draft that was founded.
fn origin(house: &House) -> String {
    let draft: serde_json::Value =
        serde_json::from_slice(&fs::read(house.path("draft.json")).unwrap()).unwrap();
    format!("strongroom/{}", draft["log"].as_str().unwrap())
}

async fn witnessed(house: &House, more: &str) -> (Running, Witnesses) {
    let witnesses = Witnesses::start(log_of(house, &origin(house))).await;
    let server = house.serve_with(&format!("{}{more}", witnesses.configuration())).await;
    (server, witnesses)
}

async fn policy(server: &Running, house: &House) -> WitnessPolicy {
    let told = server.raw("/api/v1/log/policy", Some(&house.token("eve"))).await;
    assert_eq!((told.status, told.kind.as_str()), (200, "text/plain; charset=utf-8"));
    told.text().parse().unwrap()
}

/// The newest checkpoint, verified, once it covers the whole log.
async fn covered(server: &Running, house: &House, policy: &WitnessPolicy) -> (u64, Note) {
    let end = server.get(&house.token("eve"), "/log/head").await.body["position"].as_u64().unwrap();
    // A receipt is answered when its entry is covered.
    server.raw(&format!("/api/v1/receipts/{end}"), Some(&house.token("eve"))).await;
    let told = server.raw("/checkpoint", None).await;
    assert_eq!((told.status, told.kind.as_str()), (200, "text/plain; charset=utf-8"));
    assert_eq!(told.cache, "no-cache");
    let note: Note = told.text().parse().unwrap();
    let size = policy.counts(&note).unwrap().head().size;
    assert!(size >= end);
    (size, note)
}

#[tokio::test]
async fn every_entrys_receipt_is_checked_with_the_policy_alone() {
    let house = House::new();
    let (server, witnesses) = witnessed(&house, "").await;
    let policy = policy(&server, &house).await;
    let bob = house.token("bob");
    let (size, _) = covered(&server, &house, &policy).await;
    let page = server.get(&bob, "/events?limit=100").await;
    for event in page.body["items"].as_array().unwrap() {
        let position = event["position"].as_u64().unwrap();
        let told = server.raw(&format!("/api/v1/receipts/{position}"), Some(&bob)).await;
        assert_eq!((told.status, told.kind.as_str()), (200, "text/plain; charset=utf-8"));
        let receipt: Receipt = told.text().parse().unwrap();
        let checked = receipt.verify(&policy).unwrap();
        assert_eq!(checked.position().get(), position);
        assert_eq!(checked.entry().stream, event["stream"].as_str().unwrap());
        assert_eq!(checked.payload(), event["payload"].as_str().unwrap().as_bytes());
        assert!(checked.checkpoint().cosigners().len() >= 3);
    }
    assert!(witnesses.sizes().iter().all(|seen| *seen >= size), "{:?}", witnesses.sizes());
    server.stop().await;
}

#[tokio::test]
async fn the_tree_is_rebuilt_from_its_tiles_by_anybody() {
    let house = House::new();
    let (server, _witnesses) = witnessed(&house, "").await;
    let policy = policy(&server, &house).await;
    let (size, note) = covered(&server, &house, &policy).await;
    let mut tiles = Vec::new();
    for tile in root_tiles(size) {
        let told = server.raw(&format!("/tile/{tile}"), None).await;
        assert_eq!((told.status, told.kind.as_str()), (200, "application/octet-stream"));
        assert_eq!(told.cache, "public, max-age=31536000, immutable");
        let hash = |bytes: &[u8]| strongroom_ledger::Hash::new(bytes.try_into().unwrap());
        tiles.push((tile, told.bytes.chunks(32).map(hash).collect::<Vec<_>>()));
    }
    let leaves = tiles.iter().find(|(tile, _)| tile.level == 0).unwrap().clone();
    let head = policy.counts(&note).unwrap().head();
    assert_eq!(root(size, &tiles.into_iter().collect::<Tiles>()).unwrap(), head.root);
    // Entries hash to the leaves.
    let path = leaves.0.to_string();
    let path = format!("/tile/entries/{}", path.strip_prefix("0/").unwrap());
    assert_eq!(server.raw(&path, None).await.status, 401);
    assert_eq!(server.raw(&path, Some(&house.token("bob"))).await.status, 403);
    let told = server.raw(&path, Some(&house.token("eve"))).await;
    assert_eq!(told.cache, "private, max-age=31536000, immutable");
    let (mut rest, mut found) = (told.bytes.as_slice(), Vec::new());
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (entry, after) = after.split_at(usize::from(u16::from_be_bytes(*length)));
        found.push(leaf_hash(entry));
        rest = after;
    }
    assert_eq!(found, leaves.1);
    server.stop().await;
}

#[tokio::test]
async fn tiles_and_receipts_that_are_not_there_are_not_made_up() {
    let house = House::new();
    let (server, _witnesses) = witnessed(&house, "[transparency]\npublic_entries = true\n").await;
    let policy = policy(&server, &house).await;
    let (size, _) = covered(&server, &house, &policy).await;
    let wider = Tile { level: 0, index: 0, width: u16::try_from(size).unwrap() + 1 };
    for path in [format!("/tile/{wider}"), "/tile/1/000".to_owned(), "/tile/0/x001/000".to_owned()]
    {
        assert_eq!(server.raw(&path, None).await.status, 404, "{path}");
    }
    for path in ["/tile/0/0", "/tile/00/000", "/tile/9/000", "/tile/0/000.p/0", "/tile/0/000.p/256"]
    {
        assert_eq!(server.raw(path, None).await.status, 400, "{path}");
    }
    // Public, as configured.
    assert_eq!(server.raw("/tile/entries/000.p/1", None).await.status, 200);
    assert_eq!(server.raw("/tile/entries/x001/000", None).await.status, 404);
    let eve = house.token("eve");
    for position in ["0", "999999"] {
        server.get(&eve, &format!("/receipts/{position}")).await.is_problem(404, "not-found");
    }
    server.get(&eve, "/receipts/first").await.is_problem(400, "malformed");
    let view = server.get(&eve, "/log/checkpoint").await;
    assert_eq!(view.body["cosigned_by"].as_array().unwrap().len(), 3);
    assert!(view.body["size"].as_u64().unwrap() >= size);
    let asked = server.graphql(&eve, "{ logCheckpoint { size cosignedBy } receipt(position: 1) }");
    let asked = asked.await;
    assert_eq!(asked["data"]["logCheckpoint"]["cosignedBy"].as_array().unwrap().len(), 3);
    let receipt: Receipt = asked["data"]["receipt"].as_str().unwrap().parse().unwrap();
    assert_eq!(receipt.verify(&policy).unwrap().position().get(), 1);
    let metrics = server.raw("/metrics", None).await.text();
    assert!(metrics.contains("strongroom_checkpoint_cosignatures 3"), "{metrics}");
    server.stop().await;
}

#[tokio::test]
async fn without_witnesses_the_server_serves_and_says_that_nothing_is_covered() {
    let house = House::new();
    let server = house.serve().await;
    let eve = house.token("eve");
    let unavailable = server.get(&eve, "/receipts/1").await;
    unavailable.is_problem(503, "unavailable");
    assert!(unavailable.retry_after.is_some());
    assert!(unavailable.text("detail").contains("0 of 3 cosignatures"), "{unavailable:?}");
    let ready = server.raw("/readyz", None).await;
    assert_eq!(ready.status, 200, "everything else goes on");
    assert!(ready.text().contains("no checkpoint counts: 0 of 3 cosignatures"));
    assert_eq!(server.raw("/checkpoint", None).await.status, 503);
    let body = serde_json::json!({ "asset": "litecoin-regtest/ltc" });
    assert_eq!(server.post(&house.token("ian"), "/accounts", "k", &body).await.status, 201);
    server.stop().await;
}

#[tokio::test]
async fn witnesses_that_a_restarted_server_knows_nothing_of_are_asked_from_where_they_stand() {
    let house = House::new();
    let (server, witnesses) = witnessed(&house, "").await;
    let known = policy(&server, &house).await;
    covered(&server, &house, &known).await;
    server.stop().await;
    let before = witnesses.sizes();
    let server = house.serve_with(&witnesses.configuration()).await;
    let body = serde_json::json!({ "asset": "litecoin-regtest/ltc" });
    assert_eq!(server.post(&house.token("ian"), "/accounts", "k", &body).await.status, 201);
    let (size, _) = covered(&server, &house, &known).await;
    assert!(before.iter().all(|seen| *seen > 0 && *seen < size), "{before:?} {size}");
    server.stop().await;
}

#[tokio::test]
async fn a_restored_older_copy_of_the_log_is_named_and_not_served() {
    let house = House::new();
    let copy = fs::read(house.path("data/log.db")).unwrap();
    let (server, witnesses) = witnessed(&house, "").await;
    let body = serde_json::json!({ "asset": "litecoin-regtest/ltc" });
    server.post(&house.token("ian"), "/accounts", "k", &body).await;
    let known = policy(&server, &house).await;
    let (size, _) = covered(&server, &house, &known).await;
    server.stop().await;
    for name in ["log.db-wal", "log.db-shm", "read.db", "read.db-wal", "read.db-shm"] {
        let _ = fs::remove_file(house.path(&format!("data/{name}")));
    }
    fs::write(house.path("data/log.db"), copy).unwrap();
    let config = Config::read(&house.path("strongroom.toml")).unwrap();
    let refused = Server::open(config).await.err().unwrap();
    let ServeError::Kept(KeptError::Older { end, cosigned }) = &refused else {
        panic!("{refused}")
    };
    assert_eq!(*cosigned, size);
    assert!(end < cosigned);
    assert!(refused.to_string().contains("restored older copy"), "{refused}");
    drop(witnesses);
}

#[tokio::test]
async fn a_witness_that_the_charter_does_not_name_is_refused() {
    let house = House::new();
    let stranger = "[[witnesses]]\nname = \"four.example\"\nurl = \"https://four.example\"\n";
    let refused = house.refused_with(stranger).await;
    assert!(refused.contains("four.example") && refused.contains("charter"), "{refused}");
    let house = House::new();
    let plain = "[[witnesses]]\nname = \"one.example\"\nurl = \"http://one.example\"\n";
    let refused = house.refused_with(plain).await;
    assert!(refused.contains("https://"), "{refused}");
}

#[tokio::test]
async fn the_log_may_be_elsewhere() {
    let house = House::new();
    fs::create_dir(house.path("elsewhere")).unwrap();
    fs::rename(house.path("data/log.db"), house.path("elsewhere/ledger.db")).unwrap();
    let server = house.serve_with("[log_store]\nlocation = \"elsewhere/ledger.db\"\n").await;
    let head = server.get(&house.token("eve"), "/log/head").await;
    assert!(head.body["position"].as_u64().unwrap() > 10);
    server.stop().await;
    let refused = house.refused_with("[log_store]\nlocation = \"postgres://me:pw@host/db\"\n");
    let refused = refused.await;
    assert!(refused.contains("password") && !refused.contains("pw@"), "{refused}");
}
