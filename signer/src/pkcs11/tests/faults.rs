//! What goes wrong with a token, caused on SoftHSM as the field does it, and that an honest signature
//! follows. Nothing here stands in for the token.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::{PermissionsExt, chown},
    process::{Child, Stdio},
    sync::Arc,
    time::Duration,
};

use super::*;
use crate::pkcs11::TimedToken;

#[test]
fn a_destroyed_key_is_missing_and_the_others_go_on() {
    with_token("faults::a_destroyed_key_is_missing_and_the_others_go_on", |home| {
        let token = open(home);
        let kept = token.generate(KeyKind::Secp256k1, Uuid::from_u128(2), "kept").unwrap();
        let before = objects(home);
        let key = token.generate(KeyKind::Secp256k1, ID, "k").unwrap();
        assert_signs(&token, &key);
        for file in objects(home).difference(&before) {
            fs::remove_file(file).unwrap();
        }
        for _ in 0..2 {
            let refusal = token.sign(&key, &[1; 32]);
            assert!(matches!(refusal, Err(TokenError::KeyMissing { id: ID })), "{refusal:?}");
            assert_signs(&token, &kept);
        }
    });
}

#[test]
fn a_key_that_was_brought_back_is_used_without_a_restart() {
    with_token("faults::a_key_that_was_brought_back_is_used_without_a_restart", |home| {
        let token = open(home);
        let before = objects(home);
        let key = token.generate(KeyKind::Secp256k1, ID, "k").unwrap();
        let files: Vec<_> = objects(home).difference(&before).cloned().collect();
        let whole: Vec<_> = files.iter().map(|path| fs::read(path).unwrap()).collect();
        for path in &files {
            fs::remove_file(path).unwrap();
        }
        // The library has looked, and takes the key for destroyed.
        let look = |_: &Connection, session: &_| keys::public_key(session, ID, key.kind());
        assert!(token.attempt(&look).is_err());
        for (path, bytes) in files.iter().zip(&whole) {
            fs::write(path, bytes).unwrap();
        }
        assert!(token.attempt(&look).is_err());
        assert_signs(&token, &key);
    });
}

#[test]
fn a_token_that_was_away_signs_again_without_a_restart() {
    with_token("faults::a_token_that_was_away_signs_again_without_a_restart", |home| {
        let token = open(home);
        let key = token.generate(KeyKind::Secp256k1, ID, "k").unwrap();
        let (there, away) = (token_directory(home), home.join("away"));
        for _ in 0..2 {
            fs::rename(&there, &away).unwrap();
            for _ in 0..2 {
                let refusal = token.sign(&key, &[1; 32]);
                assert!(matches!(refusal, Err(TokenError::TokenUnavailable { .. })), "{refusal:?}");
            }
            assert!(token.probe().is_err());
            fs::rename(&away, &there).unwrap();
            assert_signs(&token, &key);
            token.probe().unwrap();
        }
    });
}

#[test]
fn a_logout_or_finalize_by_another_part_of_the_process_is_mended() {
    with_token("faults::a_logout_or_finalize_by_another_part_of_the_process_is_mended", |home| {
        let token = open(home);
        let key = token.generate(KeyKind::Secp256k1, ID, "k").unwrap();
        let session =
            with_connection(&token, |up| token.module.open_ro_session(up.slot()).unwrap());
        session.logout().unwrap();
        drop(session);
        assert_signs(&token, &key);
        token.module.clone().finalize().unwrap();
        assert_signs(&token, &key);
        // All threads see the loss at once; the connection is made anew once for all of them.
        token.module.clone().finalize().unwrap();
        thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| assert_signs(&token, &key));
            }
        });
    });
}

#[test]
fn a_damaged_key_file_is_that_key_alone() {
    with_token("faults::a_damaged_key_file_is_that_key_alone", |home| {
        let token = open(home);
        let kept = token.generate(KeyKind::Secp256k1, Uuid::from_u128(2), "kept").unwrap();
        let before = objects(home);
        let key = token.generate(KeyKind::P256, ID, "k").unwrap();
        drop(token);
        let whole: Vec<_> = objects(home)
            .difference(&before)
            .filter(|path| path.extension().is_some_and(|extension| extension == "object"))
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        assert_eq!(whole.len(), 2);
        for (path, bytes) in &whole {
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }
        let token = open(home);
        for _ in 0..2 {
            assert!(token.sign(&key, &[1; 32]).is_err());
            assert_signs(&token, &kept);
        }
        for (path, bytes) in &whole {
            fs::write(path, bytes).unwrap();
        }
        drop(token);
        assert_signs(&open(home), &key);
    });
}

/// Nobody, of every Debian.
const NOBODY: u32 = 65534;

#[test]
fn on_a_full_disk_a_token_signs_and_makes_no_key() {
    with_token("faults::on_a_full_disk_a_token_signs_and_makes_no_key", |home| {
        let program = env::current_exe().unwrap();
        let inside = env::var_os("STRONGROOM_TEST_TOKEN_INSIDE").is_some();
        if !inside {
            let token = open(home);
            token.generate(KeyKind::Secp256k1, ID, "k").unwrap();
            drop(token);
            // A directory that cannot be written to stands for a disk that has no room: root ignores
            // modes, so the rest is done as somebody else.
            let there = token_directory(home);
            let mut all: Vec<_> = objects(home).into_iter().collect();
            all.extend([there.clone(), home.join("tokens"), home.to_owned(), home.join("pin")]);
            for path in all {
                chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
            fs::set_permissions(&there, fs::Permissions::from_mode(0o500)).unwrap();
            // It has to be able to run this program, which lies in nobody's reach perhaps.
            let copy = home.join("program");
            fs::copy(&program, &copy).unwrap();
            let name = "faults::on_a_full_disk_a_token_signs_and_makes_no_key";
            let ran = Command::new("setpriv")
                .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
                .arg(copy)
                .args([&format!("pkcs11::tests::{name}"), "--exact", "--nocapture"])
                .env("STRONGROOM_TEST_TOKEN_INSIDE", "1")
                .output()
                .expect("setpriv must be installed (Debian: util-linux)");
            let told = String::from_utf8_lossy(&ran.stdout);
            assert!(ran.status.success(), "{told}\n{}", String::from_utf8_lossy(&ran.stderr));
            fs::set_permissions(&there, fs::Permissions::from_mode(0o700)).unwrap();
            let token = open(home);
            token.generate(KeyKind::Secp256k1, Uuid::from_u128(2), "there is room").unwrap();
            return;
        }
        let token = open(home);
        let key = token.public_key(KeyKind::Secp256k1, ID).unwrap();
        for _ in 0..2 {
            let refusal = token.generate(KeyKind::Secp256k1, Uuid::from_u128(2), "no room");
            assert!(
                matches!(
                    refusal,
                    Err(TokenError::Token { .. } | TokenError::TokenUnavailable { .. })
                ),
                "{refusal:?}"
            );
            assert_signs(&token, &key);
        }
    });
}

#[test]
fn a_refused_pin_is_tried_again_when_its_file_is_written_anew_and_not_before() {
    let name = "faults::a_refused_pin_is_tried_again_when_its_file_is_written_anew_and_not_before";
    with_token(name, |home| {
        let token = open(home);
        let key = token.generate(KeyKind::Secp256k1, ID, "k").unwrap();
        drop(token);
        fs::write(home.join("pin"), "111111").unwrap();
        let refusal = Token::open(settings(home)).err();
        assert!(matches!(refusal, Some(TokenError::PinRefused)), "{refusal:?}");

        let (token, problem) = Token::attach(settings(home)).unwrap();
        assert!(matches!(problem, Some(TokenError::PinRefused)), "{problem:?}");
        // SoftHSM never locks, so that it is not tried shows here: it would be taken now.
        reset_pin(home, "111111");
        for _ in 0..5 {
            let refusal = token.sign(&key, &[1; 32]);
            assert!(matches!(refusal, Err(TokenError::PinRefused)), "{refusal:?}");
            assert!(token.probe().is_err());
        }
        // Written anew, and nobody can read it: the refused one is not tried in its place.
        write_pin(home, "222222");
        fs::set_permissions(home.join("pin"), fs::Permissions::from_mode(0o644)).unwrap();
        for _ in 0..5 {
            let refusal = token.sign(&key, &[1; 32]);
            assert!(matches!(refusal, Err(TokenError::PinRefused)), "{refusal:?}");
            assert!(token.probe().is_err());
        }
        fs::set_permissions(home.join("pin"), fs::Permissions::from_mode(0o600)).unwrap();
        reset_pin(home, "222222");
        write_pin(home, "333333");
        for _ in 0..2 {
            let refusal = token.sign(&key, &[1; 32]);
            assert!(matches!(refusal, Err(TokenError::PinRefused)), "{refusal:?}");
        }
        write_pin(home, "222222");
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_signs(&token, &key));
            }
        });
        // It is changed while the token is up: the new one is read when it is needed.
        reset_pin(home, "444444");
        write_pin(home, "444444");
        token.module.clone().finalize().unwrap();
        assert_signs(&token, &key);
    });
}

/// The security officer gives the token another PIN.
fn reset_pin(home: &Path, pin: &str) {
    let tool = Command::new("pkcs11-tool")
        .args(["--module", "/usr/lib/softhsm/libsofthsm2.so", "--token-label", "strongroom"])
        .args(["--login", "--login-type", "so", "--so-pin", "654321"])
        .args(["--init-pin", "--new-pin", pin])
        .env("SOFTHSM2_CONF", home.join("softhsm2.conf"))
        .output()
        .expect("pkcs11-tool must be installed (Debian: opensc)");
    assert!(tool.status.success(), "{}", String::from_utf8_lossy(&tool.stderr));
}

/// Writes the file so that its time differs: two writes may fall into one tick of the file system.
fn write_pin(home: &Path, pin: &str) {
    let before = fs::metadata(home.join("pin")).unwrap().modified().unwrap();
    let file = fs::File::create(home.join("pin")).unwrap();
    (&file).write_all(pin.as_bytes()).unwrap();
    file.set_modified(before + Duration::from_secs(1)).unwrap();
}

/// Holds the locks of SoftHSM's files: every call that looks at an object waits for them.
struct Locks(Child);

impl Locks {
    fn take(home: &Path) -> Self {
        let program = "import fcntl, glob, sys\n\
            files = [open(path, 'r+') for path in glob.glob(sys.argv[1] + '/*')]\n\
            [fcntl.lockf(file, fcntl.LOCK_EX) for file in files]\n\
            print('held', flush=True)\n\
            sys.stdin.read()\n";
        let mut held = Command::new("python3")
            .args(["-c", program])
            .arg(token_directory(home))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 must be installed");
        let mut line = String::new();
        BufReader::new(held.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        Self(held)
    }

    fn let_go(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

#[test]
fn a_token_that_hangs_is_unavailable_for_all_at_once_and_comes_back() {
    let name = "faults::a_token_that_hangs_is_unavailable_for_all_at_once_and_comes_back";
    with_token(name, |home| {
        let limit = Duration::from_millis(300);
        let token = TimedToken::new(Arc::new(open(home)), limit, Duration::from_millis(20));
        let made = token.run(|token| token.generate(KeyKind::Secp256k1, ID, "k")).unwrap();
        for _ in 0..2 {
            let locks = Locks::take(home);
            // More callers than sessions, none of whom waits for ever.
            thread::scope(|scope| {
                for _ in 0..6 {
                    let (token, key) = (&token, made.clone());
                    scope.spawn(move || {
                        let answer = token.run(move |token| token.sign(&key, &[1; 32]));
                        assert!(
                            matches!(answer, Err(TokenError::TokenUnavailable { .. })),
                            "{answer:?}"
                        );
                    });
                }
            });
            // From here on nobody is even asked to wait.
            let key = made.clone();
            let answer = token.run(move |token| token.sign(&key, &[1; 32]));
            let said = answer.unwrap_err().to_string();
            assert!(said.contains("do not return"), "{said}");
            locks.let_go();
            let key = made.clone();
            let mut again = token.run({
                let key = key.clone();
                move |token| token.sign(&key, &[2; 32])
            });
            // The calls that hung come back one after the other; nothing was restarted.
            for _ in 0..200 {
                if again.is_ok() {
                    break;
                }
                thread::sleep(Duration::from_millis(20));
                let key = key.clone();
                again = token.run(move |token| token.sign(&key, &[2; 32]));
            }
            again.unwrap();
        }
    });
}

#[test]
fn sessions_that_died_in_the_idle_are_let_go_of() {
    with_token("faults::sessions_that_died_in_the_idle_are_let_go_of", |home| {
        let token = open(home);
        let key = token.generate(KeyKind::Secp256k1, ID, "k").unwrap();
        assert_signs(&token, &key);
        // As if the HSM had dropped all of them, and the login with them, while nobody asked.
        token.module.clone().finalize().unwrap();
        token.keep_alive().unwrap();
        assert_eq!(token.line.read().unwrap().generation, 1);
        assert_signs(&token, &key);
        assert_eq!(token.line.read().unwrap().generation, 1);
    });
}

#[test]
fn a_token_that_is_away_at_the_start_is_found_when_it_is_back() {
    with_token("faults::a_token_that_is_away_at_the_start_is_found_when_it_is_back", |home| {
        let token = open(home);
        let key = token.generate(KeyKind::Ed25519, ID, "k").unwrap();
        drop(token);
        let (there, away) = (token_directory(home), home.join("away"));
        fs::rename(&there, &away).unwrap();
        let (token, problem) = Token::attach(settings(home)).unwrap();
        assert!(matches!(problem, Some(TokenError::NoToken { .. })), "{problem:?}");
        for _ in 0..2 {
            let refusal = token.sign(&key, &[1; 32]);
            assert!(matches!(refusal, Err(TokenError::TokenUnavailable { .. })), "{refusal:?}");
        }
        fs::rename(&away, &there).unwrap();
        assert_signs(&token, &key);
    });
}
