//! The rules of secrets, each tried on real files. Never prints a secret.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use tempfile::tempdir;

use crate::{
    DurableFileError, Existing, KeySource, Reseal, ResealError, Resealed, SealError, Sealer,
    Secret, SecretFileError, SecretText, read_secret, read_secret_text, write_durably,
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

/// `strongroom-seal1` of "the share" for "signer:1/key:1/epoch:1" and its mark, under the passphrase
/// "correct horse": written by the program as it was before there was a version 2.
const VERSION_1: [(&str, &str); 2] = [
    ("seal", include_str!("../tests/version-1/seal.hex")),
    ("share-1-1.sealed", include_str!("../tests/version-1/share.hex")),
];
const SHARE: &str = "signer:1/key:1/epoch:1";

fn of_version_1(directory: &Path) {
    for (name, text) in VERSION_1 {
        put(&directory.join(name), &hex::decode(text.trim()).unwrap(), 0o600);
    }
}

#[test]
fn a_file_of_version_1_still_opens() {
    let home = tempdir().unwrap();
    of_version_1(home.path());
    let sealer = Sealer::open(home.path(), &secret("correct horse")).unwrap();
    let path = home.path().join("share-1-1.sealed");
    assert!(sealer.open_file(&path, SHARE).unwrap() == secret("the share"));
    let other = sealer.open_file(&path, "signer:1/key:1/epoch:2");
    assert!(matches!(other, Err(SealError::Refused { .. })));
    let wrong = Sealer::open(home.path(), &secret("correct hors"));
    assert!(matches!(wrong, Err(SealError::Refused { .. })));
    // Its neighbours are of version 2 from now on.
    let new = home.path().join("share-2-1.sealed");
    sealer.seal_file(&new, "signer:1/key:2/epoch:1", b"another", Existing::Keep).unwrap();
    assert!(fs::read(&new).unwrap().starts_with(b"strongroom-seal2"));
}

#[test]
fn every_bit_of_a_sealed_file_counts() {
    let home = tempdir().unwrap();
    let path = home.path().join("share");
    let sealer = Sealer::create(home.path(), &secret("p")).unwrap();
    sealer.seal_file(&path, "context", b"s", Existing::Keep).unwrap();
    let bytes = fs::read(&path).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(sealer.open_sealed("context", &changed).is_err(), "bit {bit}");
    }
}

/// What `passphrase` opens in `home`, of the files of these tests; `None` if not all.
fn opens(home: &Path, passphrase: &str) -> Option<()> {
    let sealer = Sealer::open(home, &secret(passphrase)).ok()?;
    let share = sealer.open_file(&home.join("share-1-1.sealed"), SHARE).ok()?;
    let other = sealer.open_file(&home.join("other.sealed"), "other").ok()?;
    (share == secret("the share") && other == secret("the other")).then_some(())
}

fn purposes(name: &str) -> Option<String> {
    (name == "share-1-1.sealed").then(|| SHARE.to_owned())
}

#[test]
fn a_reseal_that_is_killed_at_any_step_leaves_every_file_openable() {
    let (old, new) = ("correct horse", "battery staple");
    let (from, to) = (KeySource::passphrase(&secret(old)), KeySource::passphrase(&secret(new)));
    for killed_after in 0.. {
        let home = tempdir().unwrap();
        of_version_1(home.path());
        let sealer = Sealer::open(home.path(), &secret(old)).unwrap();
        let other = home.path().join("other.sealed");
        sealer.seal_file(&other, "other", b"the other", Existing::Keep).unwrap();
        // Half a file, as a crash in the middle of a write leaves it.
        put(&home.path().join(".other.sealed.0000000000000000.draft"), b"half", 0o600);

        let mut under_new = false;
        let mut done = false;
        let mut reseal = Reseal::begin(home.path(), &from, &to, &purposes).unwrap();
        for _ in 0..killed_after {
            match reseal.step() {
                Some(step) => under_new |= matches!(step.unwrap(), Resealed::UnderNew(_)),
                None => done = true,
            }
        }
        drop(reseal);
        let opener = if under_new { new } else { old };
        assert!(opens(home.path(), opener).is_some(), "after {killed_after} steps");

        let files = Reseal::begin(home.path(), &from, &to, &purposes).unwrap().finish().unwrap();
        assert_eq!(files, 3);
        assert!(opens(home.path(), new).is_some());
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 3, "the draft is gone");
        if done {
            assert!(opens(home.path(), old).is_none());
            break;
        }
    }
}

#[test]
fn a_reseal_starts_only_when_every_file_opens() {
    let home = tempdir().unwrap();
    of_version_1(home.path());
    let from = KeySource::passphrase(&secret("correct horse"));
    let to = KeySource::passphrase(&secret("battery staple"));
    let before = fs::read(home.path().join("share-1-1.sealed")).unwrap();

    let unknown = Reseal::begin(home.path(), &from, &to, &|_| None);
    assert!(matches!(unknown, Err(ResealError::Unknown { .. })));
    let neither = KeySource::passphrase(&secret("neither"));
    let refused = Reseal::begin(home.path(), &neither, &to, &purposes);
    assert!(matches!(refused, Err(ResealError::Seal(SealError::Refused { .. }))));
    put(&home.path().join("x.sealed"), b"not sealed", 0o600);
    let malformed = Reseal::begin(home.path(), &from, &to, &purposes);
    assert!(matches!(malformed, Err(ResealError::Seal(SealError::Malformed { .. }))));
    assert_eq!(fs::read(home.path().join("share-1-1.sealed")).unwrap(), before);
}
