//! The rules of secrets, each tried on real files. Never prints a secret.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use tempfile::tempdir;

use crate::{
    DurableFileError, Existing, SealError, Sealer, Secret, SecretFileError, SecretText,
    read_secret, read_secret_text, write_durably,
};

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

fn put(path: &Path, bytes: &[u8], mode: u32) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn secrets_are_equal_only_when_every_byte_is() {
    assert!(secret("abc") == secret("abc"));
    assert!(secret("abc") != secret("abd"));
    assert!(secret("abc") != secret("abcd"));
    assert!(SecretText::new("pin".into()) == SecretText::new("pin".into()));
    assert!(SecretText::new("pin".into()) != SecretText::new("pim".into()));
}

#[test]
fn a_secret_file_gives_its_line_without_the_line_end() {
    let home = tempdir().unwrap();
    let path = home.path().join("pin");
    for (bytes, wanted) in
        [("1234", "1234"), ("1234\n", "1234"), ("1234\r\n", "1234"), (" 12\n\n", " 12\n")]
    {
        put(&path, bytes.as_bytes(), 0o600);
        assert!(read_secret_text(&path).is_ok_and(|text| text.expose() == wanted));
    }
}

#[test]
fn a_secret_file_that_others_may_touch_is_refused() {
    let home = tempdir().unwrap();
    let path = home.path().join("pin");
    for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666] {
        put(&path, b"1234\n", mode);
        let refusal = read_secret(&path).err().unwrap();
        assert!(matches!(refusal, SecretFileError::Exposed { mode: found, .. } if found == mode));
        assert!(refusal.to_string().contains("chmod 600"));
        assert!(!refusal.to_string().contains("1234"));
    }
}

#[test]
fn the_mode_that_counts_is_the_one_behind_a_link() {
    let home = tempdir().unwrap();
    let (path, link) = (home.path().join("pin"), home.path().join("link"));
    put(&path, b"1234\n", 0o644);
    symlink(&path, &link).unwrap();
    assert!(matches!(read_secret(&link), Err(SecretFileError::Exposed { .. })));
}

#[test]
fn empty_large_binary_and_missing_secret_files_are_told_apart() {
    let home = tempdir().unwrap();
    let path = home.path().join("pin");
    assert!(matches!(read_secret(&path), Err(SecretFileError::Io { .. })));
    put(&path, b"\n", 0o600);
    assert!(matches!(read_secret(&path), Err(SecretFileError::Empty { .. })));
    put(&path, &vec![b'x'; 64 * 1024 + 1], 0o600);
    assert!(matches!(read_secret(&path), Err(SecretFileError::TooLarge { .. })));
    put(&path, &[0xff, 0xfe], 0o600);
    assert!(matches!(read_secret_text(&path), Err(SecretFileError::NotText { .. })));
    assert!(read_secret(&path).is_ok());
    assert!(matches!(read_secret(home.path()), Err(SecretFileError::NotAFile { .. })));
}

#[test]
fn a_sealed_file_opens_for_its_passphrase_and_context_alone() {
    let home = tempdir().unwrap();
    let path = home.path().join("share");
    let sealer = Sealer::create(home.path(), &secret("correct horse")).unwrap();
    sealer.seal_file(&path, "key:1/epoch:1", b"share bytes", Existing::Keep).unwrap();
    assert!(!fs::read(&path).unwrap().windows(5).any(|window| window == b"share"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let again = Sealer::open(home.path(), &secret("correct horse")).unwrap();
    assert!(again.open_file(&path, "key:1/epoch:1").unwrap() == secret("share bytes"));
    for context in ["key:1/epoch:2", "key:1/epoch:", "", "key:1/epoch:1 "] {
        assert!(matches!(again.open_file(&path, context), Err(SealError::Refused { .. })));
    }
    let wrong = Sealer::open(home.path(), &secret("correct hors"));
    assert!(matches!(wrong, Err(SealError::Refused { .. })));
}

#[test]
fn a_sealed_record_opens_for_its_context_alone() {
    let home = tempdir().unwrap();
    let sealer = Sealer::create(home.path(), &secret("p")).unwrap();
    let record = sealer.seal("person:1/password", b"the secret").unwrap();
    assert!(!record.windows(6).any(|window| window == b"secret"));
    assert!(sealer.open_sealed("person:1/password", &record).unwrap() == secret("the secret"));
    for context in ["person:2/password", "person:1/totp", ""] {
        let refused = sealer.open_sealed(context, &record);
        assert!(matches!(refused, Err(SealError::Refused { .. })));
    }
    assert!(sealer.open_sealed("person:1/password", &record[1..]).is_err());
}

#[test]
fn a_sealed_file_with_any_byte_changed_does_not_open() {
    let home = tempdir().unwrap();
    let path = home.path().join("share");
    let sealer = Sealer::create(home.path(), &secret("p")).unwrap();
    sealer.seal_file(&path, "context", b"s", Existing::Keep).unwrap();
    let bytes = fs::read(&path).unwrap();
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        fs::write(&path, &changed).unwrap();
        assert!(sealer.open_file(&path, "context").is_err(), "byte {place}");
    }
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        assert!(sealer.open_file(&path, "context").is_err(), "length {length}");
    }
    fs::write(&path, [bytes.as_slice(), b"0"].concat()).unwrap();
    assert!(sealer.open_file(&path, "context").is_err());
}

#[test]
fn a_directory_is_sealed_once_and_its_files_do_not_travel() {
    let (home, other) = (tempdir().unwrap(), tempdir().unwrap());
    let sealer = Sealer::create(home.path(), &secret("p")).unwrap();
    assert!(matches!(
        Sealer::create(home.path(), &secret("p")),
        Err(SealError::Write(DurableFileError::Exists { .. }))
    ));
    let elsewhere = Sealer::create(other.path(), &secret("p")).unwrap();
    let path = home.path().join("share");
    sealer.seal_file(&path, "c", b"s", Existing::Keep).unwrap();
    assert!(matches!(elsewhere.open_file(&path, "c"), Err(SealError::Foreign { .. })));
}

#[test]
fn a_durable_write_replaces_only_when_told_to_and_leaves_no_draft() {
    let home = tempdir().unwrap();
    let path = home.path().join("state");
    write_durably(&path, b"one", Existing::Keep).unwrap();
    assert!(matches!(
        write_durably(&path, b"two", Existing::Keep),
        Err(DurableFileError::Exists { .. })
    ));
    assert_eq!(fs::read(&path).unwrap(), b"one");
    write_durably(&path, b"two", Existing::Replace).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}
