//! Sealed files and records: nothing opens but what was sealed, for its own context.

use std::sync::LazyLock;

use strongroom_secrets::{Sealer, Secret};

const CONTEXT: &str = "strongroom/frost-share/v1 key:1 signer:1 epoch:1";

struct Fixture {
    sealer: Sealer,
    sealed: Vec<u8>,
}

/// One derivation by Argon2 for all runs.
static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let home = tempfile::tempdir().unwrap();
    let sealer = Sealer::create(home.path(), &Secret::new(b"passphrase".to_vec())).unwrap();
    let sealed = sealer.seal(CONTEXT, b"a share").unwrap();
    Fixture { sealer, sealed }
});

/// With an even first byte, what follows is a file; with an odd one, changes to one that opens.
pub(super) fn open(bytes: &[u8]) -> bool {
    let Some((how, rest)) = bytes.split_first() else { return false };
    let Fixture { sealer, sealed } = &*FIXTURE;
    let file = if how % 2 == 0 { rest.to_vec() } else { super::patched(sealed, rest) };
    match sealer.open_sealed(CONTEXT, &file) {
        Ok(secret) => {
            assert_eq!(secret.expose(), b"a share");
            assert_eq!(file, *sealed, "a second file that opens");
            assert!(sealer.open_sealed("another", &file).is_err());
            true
        }
        Err(_) => false,
    }
}
