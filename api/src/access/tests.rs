//! The rules of tokens, as tests.

use super::{
    AccessRegister, Bounds, Enrolment, Method, PasskeyRow, Subject, TokenParts, TokenText, allows,
    network,
};
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

#[test]
fn a_file_from_before_sign_in_keeps_its_tokens_and_takes_sessions() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.db");
    let (text, parts) = TokenText::generate();
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(
        "CREATE TABLE tokens (
            id TEXT PRIMARY KEY,
            hash BLOB NOT NULL CHECK (length(hash) = 32),
            person TEXT NOT NULL,
            roles TEXT NOT NULL,
            issued_at TEXT NOT NULL,
            revoked_at TEXT
        ) STRICT;",
    )
    .unwrap();
    let token = "INSERT INTO tokens VALUES (?1, ?2, ?3, 'auditor', '2026-11-22T00:00:00Z', NULL)";
    old.execute(token, (parts.id.as_str(), parts.hash(), person().to_string())).unwrap();
    drop(old);
    // Twice: what was prepared once is left alone.
    for n in 0..2 {
        let register = AccessRegister::open(&path).unwrap();
        let presented = TokenParts::read(text.expose()).unwrap();
        let grant = register.find(&presented).unwrap().unwrap();
        assert_eq!((grant.person, grant.bounds), (person(), Bounds::default()));
        let (now, from) = (Timestamp::from_micros(NOW), "192.0.2.1".parse().unwrap());
        let now = now.plus_seconds(n);
        register.enrol(&enrolment(u8::try_from(n).unwrap()), now).unwrap().unwrap();
        let begun = register.begin_session((person(), now), Method::Passkey, from, now).unwrap();
        let (secret, _) = begun.unwrap();
        assert!(register.session(&secret, now).unwrap().is_some());
    }
}

/// With the invitation, the passkey and the recovery code of number `n`.
fn enrolment(n: u8) -> Enrolment {
    Enrolment {
        invitation: [n; 32],
        person: person(),
        name: "ada".to_owned(),
        passkey: Some(passkey(n)),
        password: None,
        recovery_codes: vec![[n; 32]],
    }
}

fn passkey(n: u8) -> PasskeyRow {
    PasskeyRow { credential: vec![n], passkey: format!("passkey {n}") }
}

/// A stolen phone is answered with a new invitation: nothing that was under way with it goes on.
#[test]
fn a_new_enrolment_ends_everything_that_was_begun_with_the_old_one() {
    let (_directory, register) = register();
    let (now, from) = (Timestamp::from_micros(NOW), "192.0.2.1".parse().unwrap());
    let later = now.plus_seconds(1);
    let begin = |account| register.begin_session(account, Method::Passkey, from, later).unwrap();
    let roles = BTreeSet::from([Role::Initiator]);
    // A token that is older than the first enrolment is not what it replaces.
    let (text, _) = register.issue(person(), &roles, &Bounds::default(), now).unwrap();
    let token = TokenParts::read(text.expose()).unwrap();
    register.enrol(&enrolment(1), now).unwrap().unwrap();
    assert!(register.find(&token).unwrap().is_some());
    let (secret, _) = begin((person(), now)).unwrap();
    assert_eq!(register.add_passkey(&secret, &passkey(3), later).unwrap(), Some(true));
    assert_eq!(register.add_passkey(&secret, &passkey(3), later).unwrap(), Some(false));
    register.enrol(&enrolment(2), later).unwrap().unwrap();
    assert!(begin((person(), now)).is_none(), "what was shown was replaced");
    assert_eq!(register.add_passkey(&secret, &passkey(4), later).unwrap(), None);
    assert!(!register.replace_recovery_codes(&secret, &[[9; 32]]).unwrap());
    assert!(!register.passkey_used(person(), &passkey(1), later).unwrap());
    assert!(register.find(&token).unwrap().is_none(), "its tokens too");
    assert!(register.step_up(&secret, from, later).unwrap().is_none());
    assert!(begin((person(), later)).is_some());
}

#[test]
fn a_network_has_one_spelling_and_an_address_one_family() {
    assert_eq!(network("10.0.0.0/8").unwrap().to_string(), "10.0.0.0/8");
    assert_eq!(network("192.0.2.7").unwrap().to_string(), "192.0.2.7/32");
    for wrong in ["", "10.0.0.1/8", "10.0.0.0/33", "example", "10.0.0.0/8/8"] {
        assert!(network(wrong).is_err(), "{wrong}");
    }
    let ours = [network("10.0.0.0/8").unwrap()];
    for (address, inside) in [("10.1.2.3", true), ("::ffff:10.1.2.3", true), ("11.0.0.1", false)] {
        assert_eq!(allows(&ours, address.parse().unwrap()), inside, "{address}");
    }
    assert!(allows(&[], "11.0.0.1".parse().unwrap()));
}

#[test]
fn many_guesses_at_once_are_not_more_than_one_after_the_other() {
    let (_directory, register) = register();
    let now = Timestamp::from_micros(NOW);
    let account = [Subject::account("ada")];
    let counted: usize = std::thread::scope(|scope| {
        let guess = || register.attempt(&account, now).unwrap().is_ok();
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(guess)).collect();
        threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
    });
    assert_eq!(counted, 5);
    let week = now.plus_seconds(7 * 24 * 3600);
    assert!(register.attempt(&account, week).unwrap().is_ok(), "forgotten by then");
}
