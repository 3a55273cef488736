//! Officers' words: of a piece that fits there is one spelling of its words.

use std::sync::LazyLock;

use strongroom_domain::key::Protocol;
use strongroom_secrets::{Secret, SecretText, hd::Words};
use strongroom_signer::backup::{Pieces, Split, check, rebuild, split};

const PROTOCOL: Protocol = Protocol::FrostSecp256k1Tr;

static SPLIT: LazyLock<Split> =
    LazyLock::new(|| split(PROTOCOL, &Secret::new(vec![7; 32]), 3, 2).unwrap());

/// A text, or with a first byte below 32, changes to a piece that fits.
pub(super) fn read(bytes: &[u8]) -> bool {
    let Some((how, rest)) = bytes.split_first() else { return false };
    let right = SPLIT.pieces[0].to_text();
    let bytes =
        if *how < 32 { super::patched(right.expose().as_bytes(), rest) } else { bytes.to_vec() };
    let Ok(text) = String::from_utf8(bytes) else { return false };
    let text = SecretText::new(text);
    let Ok(words) = Words::parse(&text) else { return false };
    let spelt = words.to_text();
    assert_eq!(Words::parse(&spelt).ok().unwrap().entropy().expose(), words.entropy().expose());
    if *how < 32 {
        let same = spelt.expose() == right.expose();
        assert_eq!(check(PROTOCOL, &SPLIT.commitment, 1, &text).is_ok(), same);
        let pieces = Pieces::from([(1, text), (2, SPLIT.pieces[1].to_text())]);
        assert_eq!(rebuild(PROTOCOL, &SPLIT.commitment, &pieces).is_ok(), same);
    }
    true
}
