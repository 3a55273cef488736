//! Sealed letters: nothing opens but what was sealed under this letterhead.

use strongroom_secrets::Secret;
use strongroom_signer::sealing::{Letterhead, SealingKey, SealingPublic};
use uuid::Uuid;

/// What the seeds say.
const MESSAGE: &[u8] = b"a share of a key";

fn keys() -> [SealingKey; 2] {
    [[1; 32], [2; 32]].map(|bytes| SealingKey::from_bytes(&bytes).unwrap())
}

fn head() -> Letterhead<'static> {
    Letterhead {
        protocol: "ceremony/dkls23-secp256k1/1",
        session: Uuid::from_u128(3),
        round: 2,
        sender: Uuid::from_u128(1),
        receiver: Uuid::from_u128(2),
    }
}

/// A seed.
pub fn seal() -> Vec<u8> {
    let [from, to] = keys();
    from.seal(&to.public(), &head(), &Secret::new(MESSAGE.to_vec())).unwrap()
}

pub(super) fn open(bytes: &[u8]) -> bool {
    let [from, to] = keys();
    if let Ok(public) = SealingPublic::from_bytes(bytes) {
        assert_eq!(public.to_bytes(), bytes);
    }
    match to.open(&from.public(), &head(), bytes) {
        Ok(opened) => {
            assert_eq!(opened.expose(), MESSAGE, "nobody sealed this");
            let other = Letterhead { round: 3, ..head() };
            assert!(to.open(&from.public(), &other, bytes).is_err());
            true
        }
        Err(_) => false,
    }
}
