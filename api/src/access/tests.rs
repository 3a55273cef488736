//! The rules of tokens, as tests.

use super::{AccessRegister, Bounds, TokenParts};
use std::collections::BTreeSet;
use strongroom_domain::{PersonId, Timestamp, charter::Role};

fn register() -> (tempfile::TempDir, AccessRegister) {
    let directory = tempfile::tempdir().unwrap();
    let register = AccessRegister::open(&directory.path().join("access.db")).unwrap();
    (directory, register)
}

fn person() -> PersonId {
    "0193a5b0-0000-4000-8000-000000000001".parse().unwrap()
}

const NOW: u64 = 1_795_367_880_000_000;

#[test]
fn a_token_stands_for_its_person_and_roles_until_it_is_revoked() {
    let (_directory, register) = register();
    let roles = BTreeSet::from([Role::Initiator, Role::Auditor]);
    let now = Timestamp::from_micros(NOW);
    let (text, id) = register.issue(person(), &roles, &Bounds::default(), now).unwrap();
    let presented = TokenParts::read(text.expose()).unwrap();
    let grant = register.find(&presented).unwrap().unwrap();
    assert_eq!((grant.person, grant.roles, grant.token.as_str()), (person(), roles, id.as_str()));
    register.revoke(id.as_str(), now).unwrap();
    assert!(register.find(&presented).unwrap().is_none());
    assert!(register.revoke(id.as_str(), now).is_err());
}

#[test]
fn what_another_process_revokes_is_refused_at_once() {
    let (directory, register) = register();
    let other = AccessRegister::open(&directory.path().join("access.db")).unwrap();
    let roles = BTreeSet::from([Role::Auditor]);
    let (text, id) =
        other.issue(person(), &roles, &Bounds::default(), Timestamp::from_micros(NOW)).unwrap();
    let presented = TokenParts::read(text.expose()).unwrap();
    assert!(register.find(&presented).unwrap().is_some());
    other.revoke(id.as_str(), Timestamp::from_micros(NOW)).unwrap();
    assert!(register.find(&presented).unwrap().is_none());
}

#[test]
fn a_wrong_secret_under_a_known_id_is_refused_and_the_secret_is_not_stored() {
    let (directory, register) = register();
    let roles = BTreeSet::from([Role::Auditor]);
    let (text, id) =
        register.issue(person(), &roles, &Bounds::default(), Timestamp::from_micros(NOW)).unwrap();
    let forged = format!("sr1_{id}_{}", "0".repeat(64));
    assert!(register.find(&TokenParts::read(&forged).unwrap()).unwrap().is_none());
    for text in ["", "sr1_", "sr2_0011223344556677_00", "sr1_XX_00"] {
        assert!(TokenParts::read(text).is_none(), "{text}");
    }
    drop(register);
    let secret = text.expose().rsplit('_').next().unwrap().to_owned();
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()));
    }
}
