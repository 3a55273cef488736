//! A holder that stays silent for good while shares are made anew: the change fails after its time,
//! says who is missing and what to do, and payments never wait for it.

use super::House;
use serde_json::json;
use std::io::Write as _;
use strongroom_tests::journey::text;

#[test]
fn a_change_that_a_holder_is_silent_in_fails_says_who_and_holds_nobody_up() {
    let mut house = House::furnished();
    // A minute is for machines that restart: here nobody does.
    let settings = house.strongroom.server.folder.join("strongroom.toml");
    let mut settings = std::fs::OpenOptions::new().append(true).open(settings).unwrap();
    settings.write_all(b"\n[pace]\nchange_patience_ms = 4000\n").unwrap();
    house.strongroom.server.stop();
    house.strongroom.server.start();

    let silent = house.strongroom.signers[2].id.clone();
    house.strongroom.signers[2].signal("STOP");
    let proposal = house.ask(&json!({}));
    house.strongroom.desk.approve(&proposal);
    assert!(!house.pay().contains(&silent), "payments need two, and two are there");
    assert_eq!(house.changed(), 1, "the shares of before stay");
    let because = text(&house.key(), "change_because");
    for part in ["after 4 s of waiting", silent.as_str(), "ask for a change without it"] {
        assert!(because.contains(part), "no {part} in {because}");
    }
    assert_eq!(house.events("key.change-failed"), 1);

    // One that somebody else is to help with: nobody helps who is silent, in either place.
    house.strongroom.signers[1].signal("STOP");
    let proposal = house.ask(&json!({}));
    house.strongroom.desk.approve(&proposal);
    assert_eq!(house.changed(), 1);
    let because = text(&house.key(), "change_because");
    for missing in [&house.strongroom.signers[1].id, &silent] {
        assert!(because.contains(missing.as_str()), "all who are missing are named: {because}");
    }
    house.strongroom.signers[1].signal("CONT");

    // As it was told: without the silent one. When it is back it holds nothing, and nobody minds.
    assert!(house.change(&json!({"dropped": [silent.clone()]})) > 1);
    assert!(!house.holders().contains(&silent));
    house.pay();
    house.strongroom.signers[2].signal("CONT");
    assert!(house.change(&json!({"joining": silent.clone()})) > 1);
    assert!(house.holders().contains(&silent), "it joins again, with a share of now");
    house.strongroom.signers[0].signal("STOP");
    assert!(house.pay().contains(&silent));
    house.strongroom.signers[0].signal("CONT");
    crate::spine::the_audit_agrees(&house.strongroom);
    house.strongroom.stop();
}
