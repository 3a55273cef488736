//! What fails, how it is mended, and who pays meanwhile.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use strongroom_tests::deployment::Hang;
use strongroom_tests::journey::PATIENCE;

use super::pool::{COPY, MAKER, Pool, token};

/// Files of a token that hold keys.
fn objects(token: &Path) -> Vec<PathBuf> {
    let mut all: Vec<_> = token
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension().is_some_and(|extension| extension == "object")
                && !path.ends_with("token.object")
        })
        .collect();
    all.sort();
    all
}

#[test]
fn whatever_fails_at_one_member_of_a_pool_the_other_pays() {
    let mut pool = Pool::found();
    pool.pays_by(MAKER);

    // Which keys a signer can't use is shown for as long as it can't.
    let shows = |pool: &Pool, some: bool| {
        let client = pool.strongroom.desk.initiator();
        client.wait("/signers", PATIENCE, |page| {
            let mut signers = page["items"].as_array().unwrap().iter();
            let maker = pool.strongroom.desk.signers[MAKER].as_str();
            let maker = signers.find(|signer| signer["signer"] == maker).unwrap();
            let unusable = maker["unusable"].as_array().unwrap();
            let ours = |one: &Value| one["key"] == pool.payment.custody.key.as_str();
            unusable.iter().any(ours) == some
        });
    };
    shows(&pool, false);
    let (there, away) =
        (token(&pool.strongroom, MAKER), pool.strongroom.signers[MAKER].folder.join("away"));
    fs::rename(&there, &away).unwrap();
    pool.pays_by(COPY);
    shows(&pool, true);
    fs::rename(&away, &there).unwrap();
    shows(&pool, false);

    // Unplugged, and plugged in again: one, then the other, so that both must have come back.
    for (failing, paying) in [(COPY, MAKER), (MAKER, COPY)] {
        let there = token(&pool.strongroom, failing);
        let away = pool.strongroom.signers[failing].folder.join("away");
        fs::rename(&there, &away).unwrap();
        pool.pays_by(paying);
        fs::rename(&away, &there).unwrap();
    }

    // The key's files destroyed, then cut in half; the token itself answers.
    for damage in [false, true] {
        let there = token(&pool.strongroom, COPY);
        let whole: Vec<_> = objects(&there)
            .into_iter()
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        assert!(!whole.is_empty());
        let maker = token(&pool.strongroom, MAKER);
        let away = pool.strongroom.signers[MAKER].folder.join("away");
        for (path, bytes) in &whole {
            if damage {
                fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
            } else {
                fs::remove_file(path).unwrap();
            }
        }
        pool.pays_by(MAKER);
        for (path, bytes) in &whole {
            fs::write(path, bytes).unwrap();
        }
        fs::rename(&maker, &away).unwrap();
        pool.pays_by(COPY);
        fs::rename(&away, &maker).unwrap();
    }

    // A call inside the library that does not return.
    let hang = Hang::begin(&token(&pool.strongroom, MAKER));
    pool.pays_by(COPY);
    drop(hang);

    // A signer starts while they do not: it is up, and signs when they return.
    let hang = Hang::begin(&token(&pool.strongroom, MAKER));
    pool.strongroom.signers[MAKER].kill();
    pool.strongroom.signers[MAKER].start();
    pool.pays_by(COPY);
    drop(hang);
    pool.strongroom.signers[COPY].kill();
    pool.pays_by(MAKER);
    pool.strongroom.signers[COPY].start();

    // The process that has the token stops, goes on, and dies.
    pool.strongroom.signers[COPY].signal("STOP");
    pool.pays_by(MAKER);
    pool.strongroom.signers[COPY].signal("CONT");
    pool.strongroom.signers[MAKER].kill();
    pool.pays_by(COPY);
    pool.strongroom.signers[MAKER].start();
    super::super::spine::the_audit_agrees(&pool.strongroom);
}

#[test]
fn no_payment_of_a_row_is_lost_while_members_fail_in_turn() {
    let pool = Pool::found();
    let desk = &pool.strongroom.desk;
    let mut transfers = Vec::new();
    let faults = [None, Some(MAKER), None, Some(COPY), Some(MAKER), None];
    for failing in faults {
        let moved = failing.map(|failing| {
            let there = token(&pool.strongroom, failing);
            let away = pool.strongroom.signers[failing].folder.join("away");
            (there, away)
        });
        // Some are on their way when the token goes, some when it comes back.
        let (first, proposal) = desk.ask(&pool.payment);
        desk.approve(&proposal);
        if let Some((there, away)) = &moved {
            fs::rename(there, away).unwrap();
        }
        let (second, proposal) = desk.ask(&pool.payment);
        desk.approve(&proposal);
        desk.wait_for(&first, &["broadcast", "confirmed"]);
        if let Some((there, away)) = &moved {
            fs::rename(away, there).unwrap();
        }
        transfers.extend([first, second]);
    }
    for transfer in &transfers {
        pool.strongroom.settle(super::pool::NETWORK, transfer);
    }
    super::super::spine::the_audit_agrees(&pool.strongroom);
}
