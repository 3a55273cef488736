//! Whatever bytes come, reading never panics, and what it takes is what was signed.

use super::{SHAPES, Shape, TestWallet};
use crate::bitcoin::multisig::{Descriptor, KeyExpression, Offered, Partial, UnsignedTx};
use proptest::prelude::*;
use std::sync::LazyLock;
use strongroom_domain::{Bytes, Network};

struct Ready {
    wallet: TestWallet,
    unsigned: UnsignedTx,
    part: Partial,
    signed: Bytes,
}

static READY: LazyLock<[Ready; 2]> = LazyLock::new(|| {
    SHAPES.map(|shape| {
        let wallet = TestWallet::new(Network::LitecoinRegtest, shape, 2, 3);
        let unsigned = wallet.example();
        let part = wallet.sign(&unsigned, 0);
        let signed = unsigned.psbt_with(std::slice::from_ref(&part)).unwrap();
        Ready { wallet, unsigned, part, signed }
    })
});

fn ready(taproot: bool) -> &'static Ready {
    &READY[usize::from(taproot)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    /// One byte of a PSBT changed, cut or doubled: refused, or it brings the same signatures.
    #[test]
    fn a_damaged_psbt_changes_nothing(
        taproot: bool, at: prop::sample::Index, how in 0..3, byte: u8,
    ) {
        let ready = ready(taproot);
        let mut bytes = ready.signed.as_slice().to_vec();
        let at = at.index(bytes.len());
        match how {
            0 => bytes[at] = byte,
            1 => bytes.truncate(at),
            _ => bytes.insert(at, byte),
        }
        if let Ok(parts) = ready.unsigned.partials(&bytes) {
            prop_assert_eq!(parts, vec![ready.part.clone()]);
        }
        let _ = UnsignedTx::parse(ready.wallet.chain, &bytes);
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let framed = [b"psbt\xff".as_slice(), &bytes].concat();
        for ready in &*READY {
            for bytes in [&bytes, &framed] {
                prop_assert!(ready.unsigned.partials(bytes).is_err());
                let read = Offered::read(ready.wallet.chain, &ready.wallet.descriptor, bytes);
                prop_assert!(read.is_err());
            }
            prop_assert!(ready.unsigned.check_signed(&bytes.clone().into()).is_err());
        }
    }

    /// What is not its own descriptor's text is refused, or is a descriptor with one text.
    #[test]
    fn any_text_is_read_without_harm(
        taproot: bool, at: prop::sample::Index, with in "[0-9a-z(),/<>;*#h'\\[\\]]{0,3}",
    ) {
        let text = ready(taproot).wallet.descriptor.to_string();
        let at = at.index(text.len());
        let changed = format!("{}{with}{}", &text[..at], &text[at + 1..]);
        if let Ok(found) = changed.parse::<Descriptor>() {
            prop_assert_eq!(found.to_string().parse::<Descriptor>().unwrap(), found);
        }
        let _ = changed.parse::<KeyExpression>();
        let _ = Descriptor::import(&changed);
    }

    /// A part with any other bytes in it is nobody's.
    #[test]
    fn a_changed_signature_is_refused(taproot: bool, at in 0..64usize, flip in 1..=255u8) {
        let ready = ready(taproot);
        let mut part = ready.part.clone();
        part.signatures[0][at] ^= flip;
        prop_assert!(ready.unsigned.check_partial(&part).is_err());
        let mut place = ready.part.clone();
        place.place = 1;
        prop_assert!(ready.unsigned.check_partial(&place).is_err());
    }
}

/// The other of ECDSA's two signatures is refused: nodes don't relay it.
#[test]
fn high_s_is_refused() {
    let ready = ready(false);
    assert_eq!(ready.wallet.descriptor.shape(), Shape::P2wsh);
    let mut part = ready.part.clone();
    let s = part.signatures[0][32..].to_vec();
    let s = bitcoin::secp256k1::SecretKey::from_slice(&s).unwrap().negate();
    part.signatures[0][32..].copy_from_slice(&s.secret_bytes());
    assert!(ready.unsigned.check_partial(&part).is_err());
}
