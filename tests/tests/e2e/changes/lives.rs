//! A key's life: its shares are made anew, a dead signer is replaced, a signer that nobody trusts any
//! more is left out.

use super::House;
use serde_json::json;
use std::time::{Duration, Instant};
use strongroom_tests::journey::{PATIENCE, text};

#[test]
fn a_key_is_refreshed_and_then_handed_from_a_dead_signer_to_a_new_one() {
    let mut house = House::furnished();
    let path = format!("/wallets/{}", house.custody.wallet);
    let addresses =
        |house: &House| house.strongroom.desk.initiator().get(&path).ok()["addresses"].clone();
    // The first payment gives the wallet its address for change.
    house.pay();
    let before = addresses(&house);
    assert_eq!(house.change(&json!({})), 2);
    house.pay();
    for signer in 0..3 {
        assert!(house.shares(signer).contains(&2), "{:?}", house.shares(signer));
    }

    // Nobody waits for the dead one, and who comes holds what it held.
    house.strongroom.signers[1].kill();
    let new = house.enrol(5);
    let (dead, joins) =
        (house.strongroom.signers[1].id.clone(), house.strongroom.signers[new].id.clone());
    let epoch = house.change(&json!({"dropped": [dead.clone()], "joining": joins.clone()}));
    assert_eq!(house.shares(new), [epoch]);
    let holders = house.holders();
    assert!(holders.contains(&joins) && !holders.contains(&dead), "{holders:?}");
    // With one of the others away, it must sign itself.
    house.strongroom.signers[0].kill();
    assert!(house.pay().contains(&joins));
    house.strongroom.signers[0].start();
    assert_eq!(addresses(&house), before, "the address stays");

    // Retired: it holds nothing, and cosigns no more.
    let retire = json!({"change": {"retire": dead}});
    let asked = house.strongroom.desk.initiator().post("/signers/changes", &retire).ok();
    house.strongroom.desk.approve(&text(&asked, "proposal"));
    house.pay();
    let log = house.strongroom.log_file().display().to_string();
    let (code, told) =
        house.strongroom.desk.replay(&["explain", &format!("key-{}", house.custody.key), &log]);
    assert_eq!(code, 0, "{told}");
    for told_of in [dead.as_str(), joins.as_str(), "epoch 2", "no longer holds", "joins"] {
        assert!(told.contains(told_of), "no {told_of} in {told}");
    }
    crate::spine::the_audit_agrees(&house.strongroom);
    house.strongroom.stop();
}

#[test]
fn a_quarantined_signer_is_left_out_at_once_and_its_share_is_of_no_use_after_a_refresh() {
    let mut house = House::furnished();
    let thief = house.strongroom.signers[0].id.clone();
    let officer = house.strongroom.desk.client(&house.strongroom.desk.institution.officer);
    let because = json!({"because": "its machine was stolen"});
    // Only an officer does it alone.
    let path = format!("/signers/{thief}/quarantine");
    house.strongroom.desk.initiator().post(&path, &because).refused();
    officer.post(&path, &because).ok();
    let signers = house.strongroom.desk.initiator().get("/signers").ok();
    let shown =
        signers["items"].as_array().unwrap().iter().find(|of| of["signer"] == thief.as_str());
    let shown = shown.unwrap();
    assert_eq!(text(shown, "quarantined_because"), "its machine was stolen");
    assert_eq!(text(shown, "quarantined_by"), house.strongroom.desk.institution.officer.id);
    assert_eq!(shown["keys"], json!([house.custody.key]));
    // It answers, and nobody asks it.
    assert!(!house.pay().contains(&thief));
    // Nothing is made with it.
    let keys = json!({"protocol": "frost-secp256k1-tr/1", "threshold": 2,
        "participants": house.strongroom.desk.signers.iter().take(3).collect::<Vec<_>>()});
    let refused = house.strongroom.desk.initiator().post("/keys", &keys);
    assert_eq!(refused.refused(), "signer-quarantined");
    let path = format!("/keys/{}/changes", house.custody.key);
    let refused = house.strongroom.desk.initiator().post(&path, &json!({}));
    assert_eq!(refused.refused(), "signer-quarantined");

    house.change(&json!({"dropped": [thief.clone()]}));
    assert_eq!(house.holders().len(), 2);
    house.pay();
    // Honest as it is, the signer itself destroys what it had, once a checkpoint says so.
    let started = Instant::now();
    while !house.shares(0).is_empty() {
        assert!(started.elapsed() < PATIENCE, "{:?}", house.shares(0));
        std::thread::sleep(Duration::from_millis(100));
    }
    let log = house.strongroom.log_file().display().to_string();
    let (code, told) = house.strongroom.desk.replay(&["explain", &format!("signer-{thief}"), &log]);
    assert_eq!(code, 0, "{told}");
    for told_of in ["its machine was stolen", "quarantined", &house.custody.key] {
        assert!(told.contains(told_of), "no {told_of} in {told}");
    }
    crate::spine::the_audit_agrees(&house.strongroom);
    house.strongroom.stop();
}
