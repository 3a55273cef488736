//! Share files that a thief copied from disk, after a refresh: with a file of now they give no key, and
//! a signer that finds one in the place of its own signs nothing with it.

use super::House;
use crate::spine::{Opened, shares};
use k256::elliptic_curve::{PrimeField as _, sec1::ToEncodedPoint as _};
use k256::{ProjectivePoint, Scalar};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use strongroom_tests::deployment::SignerProcess;
use strongroom_tests::journey::{FINAL, PATIENCE, text};

/// x of the public key that these shares give: what they sign under (Shamir, at 0).
fn key_of(shares: [&Opened; 2]) -> Vec<u8> {
    let number = |of: &Opened| Scalar::from(u64::from(of.holder));
    let share = |of: &Opened| {
        let bytes: [u8; 32] = of.share.as_slice().try_into().unwrap();
        Scalar::from_repr(bytes.into()).unwrap()
    };
    let [one, other] = shares;
    let (x1, x2) = (number(one), number(other));
    let (l1, l2) = (x2 * (x2 - x1).invert().unwrap(), x1 * (x1 - x2).invert().unwrap());
    let secret = share(one) * l1 + share(other) * l2;
    let point = (ProjectivePoint::GENERATOR * secret).to_affine().to_encoded_point(true);
    point.as_bytes()[1..].to_vec()
}

fn path(signer: &SignerProcess, key: &str, epoch: u64) -> PathBuf {
    signer.data.join(format!("share-{key}-{epoch}.sealed"))
}

/// The share that a signer has of an epoch, opened with its own passphrase.
fn opened(signer: &SignerProcess, file: &Path) -> Opened {
    let found = shares(signer).into_iter().find(|share| share.file == file);
    found.unwrap_or_else(|| panic!("no {}", file.display()))
}

#[test]
fn a_copied_share_file_of_before_a_refresh_gives_no_key_and_signs_nothing() {
    let mut house = House::furnished();
    let key = house.custody.key.clone();
    let public = hex::decode(text(&house.key(), "public_key")).unwrap()[1..].to_vec();
    let old: Vec<Vec<u8>> = (0..3)
        .map(|signer| fs::read(path(&house.strongroom.signers[signer], &key, 1)).unwrap())
        .collect();
    // Before the refresh two files are the key: a thief of both needs no more.
    let of = |house: &House, signer: usize, epoch: u64| {
        let signer = &house.strongroom.signers[signer];
        opened(signer, &path(signer, &key, epoch))
    };
    let first = of(&house, 0, 1);
    assert_eq!(key_of([&first, &of(&house, 1, 1)]), public);

    let thief = house.strongroom.signers[0].id.clone();
    let officer = house.strongroom.desk.client(&house.strongroom.desk.institution.officer);
    let because = json!({"because": "its disk was copied"});
    officer.post(&format!("/signers/{thief}/quarantine"), &because).ok();
    assert_eq!(house.change(&json!({"dropped": [thief]})), 2);
    house.pay();
    old_shares_are_destroyed(&house);
    let (second, third) = (of(&house, 1, 2), of(&house, 2, 2));
    assert_eq!(key_of([&second, &third]), public, "the shares of now are the key");
    for current in [&second, &third] {
        assert_ne!(key_of([&first, current]), public, "t shares, one of them of before");
    }

    // Old files are put back, at the dropped one and at one that stays: nobody signs with them.
    let now = fs::read(path(&house.strongroom.signers[1], &key, 2)).unwrap();
    for signer in [0, 1] {
        house.strongroom.signers[signer].kill();
        fs::write(path(&house.strongroom.signers[signer], &key, 1), &old[signer]).unwrap();
    }
    fs::write(path(&house.strongroom.signers[1], &key, 2), &old[1]).unwrap();
    house.strongroom.signers[0].start();
    house.strongroom.signers[1].start();
    let (transfer, proposal) = house.strongroom.desk.ask(&house.payment());
    house.strongroom.desk.approve(&proposal);
    let story = format!("/transactions/{transfer}");
    let holder = house.strongroom.signers[1].id.clone();
    let waiting = house.strongroom.desk.initiator().wait(&story, PATIENCE, |story| {
        story["waiting"].as_str().is_some_and(|waiting| waiting.contains(&holder))
    });
    assert!(text(&waiting, "waiting").contains("key share can't be used"), "{waiting}");
    let attempts = waiting["attempts"].as_array().unwrap();
    assert!(attempts.iter().all(|attempt| attempt["raw"].is_null()), "{waiting}");

    // With its own file it signs, and what was put back is destroyed.
    house.strongroom.signers[1].kill();
    fs::write(path(&house.strongroom.signers[1], &key, 2), now).unwrap();
    house.strongroom.signers[1].start();
    house.strongroom.desk.wait_for(&transfer, &["broadcast", "confirmed"]);
    house.strongroom.networks.mine(house.custody.network, FINAL);
    house.strongroom.desk.wait_for(&transfer, &["confirmed"]);
    old_shares_are_destroyed(&house);
    crate::spine::the_audit_agrees(&house.strongroom);
    house.strongroom.stop();
}

/// Waits until nobody has a file of before.
fn old_shares_are_destroyed(house: &House) {
    let started = Instant::now();
    let have = || (0..3).map(|signer| house.shares(signer)).collect::<Vec<_>>();
    while have() != [vec![], vec![2], vec![2]] {
        assert!(started.elapsed() < PATIENCE, "{:?}", have());
        std::thread::sleep(Duration::from_millis(100));
    }
}
