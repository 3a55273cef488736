//! Each signer and the server are killed at every point of a change that the log shows: all end in
//! one epoch, and pay.

use super::House;
use serde_json::json;
use std::time::{Duration, Instant};
use strongroom_tests::journey::PATIENCE;

/// Where in a change somebody is killed.
const POINTS: [(&str, usize); 4] = [
    ("key.change-approved", 1),
    ("key.round-published", 1),
    ("key.round-published", 3),
    ("key.epoch-confirmed", 1),
];

impl House {
    /// Sets a refresh in motion and waits until the log shows `more` events of a kind, or the end.
    fn begin(&self, (kind, more): (&str, usize)) {
        let proposal = self.ask(&json!({}));
        let (seen, advanced) = (self.events(kind), self.events("key.epoch-advanced"));
        self.strongroom.desk.approve(&proposal);
        let started = Instant::now();
        while self.events(kind) < seen + more && self.events("key.epoch-advanced") == advanced {
            assert!(started.elapsed() < PATIENCE, "no {kind}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn ends_well(&self, before: u64) -> u64 {
        let epoch = self.changed();
        assert!(epoch > before, "the change came to nothing: {}", self.key());
        for signer in 0..3 {
            assert!(self.shares(signer).contains(&epoch), "{signer}: {:?}", self.shares(signer));
        }
        epoch
    }
}

#[test]
fn whichever_signer_is_killed_in_a_change_all_end_in_one_epoch() {
    let mut house = House::furnished();
    let mut epoch = 1;
    for (signer, point) in (0..3).cycle().zip(POINTS.iter().cycle()).take(6) {
        house.begin(*point);
        house.strongroom.signers[signer].kill();
        house.strongroom.signers[signer].start();
        epoch = house.ends_well(epoch);
    }
    house.pay();
    // It hangs while the others speak; then one of those is killed.
    house.strongroom.signers[2].signal("STOP");
    house.begin(("key.round-published", 2));
    house.strongroom.signers[0].kill();
    house.strongroom.signers[0].start();
    house.strongroom.signers[2].signal("CONT");
    house.ends_well(epoch);
    assert!(house.events("key.change-retried") > 0, "who lost its part begins again");
    for signer in 0..3 {
        house.strongroom.signers[signer].kill();
        house.pay();
        house.strongroom.signers[signer].start();
    }
    crate::spine::the_audit_agrees(&house.strongroom);
    house.strongroom.stop();
}

#[test]
fn wherever_the_server_is_killed_in_a_change_all_end_in_one_epoch() {
    let mut house = House::furnished();
    let mut epoch = 1;
    for point in POINTS {
        house.begin(point);
        house.strongroom.server.kill();
        house.strongroom.server.start();
        epoch = house.ends_well(epoch);
        house.pay();
    }
    crate::spine::the_audit_agrees(&house.strongroom);
    house.strongroom.stop();
}
