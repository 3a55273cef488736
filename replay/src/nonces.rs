//! Signing nonces that were seen, by key. Two different signatures of one key with one nonce give
//! the key to whoever reads both. Never keeps a signature: a few bytes of each are enough.

use crate::finding::{Fault, Finding};
use std::collections::HashMap;
use strongroom_domain::{KeyId, Network};

/// Half of a signature, as far as it must be told from others.
type Half = [u8; 16];

/// Every nonce commitment (`r` of ECDSA, `R` of BIP 340) that each key has used. The keys of a
/// wallet's addresses are derived from one key by what everybody knows, so they count as that key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nonces(HashMap<(KeyId, Half), (Half, u64)>);

impl Nonces {
    /// Notes what an entry's signatures show. `r` and `-r` look the same, as they should.
    pub(crate) fn note(
        &mut self,
        (key, network): (KeyId, Network),
        signatures: &[[u8; 64]],
        position: u64,
    ) -> Result<(), Finding> {
        for signature in signatures {
            // 128 bits: nobody finds two nonces of one key that share them by chance.
            let halves =
                (signature.first_chunk(), signature.get(32..).and_then(<[u8]>::first_chunk));
            let (Some(nonce), Some(rest)) = halves else { continue };
            match self.0.get(&(key, *nonce)) {
                // The same signature once more tells nothing new.
                Some((same, _)) if same == rest => {}
                Some((_, before)) => {
                    let message = format!(
                        "entry {position}: key {key} on {network} signs with the nonce of entry \
                         {before}: whoever has both signatures has the key"
                    );
                    return Err(Finding::at(Fault::NonceReused, position, message));
                }
                None => {
                    self.0.insert((key, *nonce), (*rest, position));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(nonce: u8, rest: u8) -> [u8; 64] {
        let mut both = [nonce; 64];
        both[32..].fill(rest);
        both
    }

    fn key(n: u128) -> (KeyId, Network) {
        (KeyId(uuid::Uuid::from_u128(n)), Network::LitecoinRegtest)
    }

    #[test]
    fn a_nonce_serves_one_signature_of_a_key() {
        let mut nonces = Nonces::default();
        nonces.note(key(1), &[signature(1, 1), signature(2, 1)], 5).unwrap();
        nonces.note(key(1), &[signature(1, 1)], 6).unwrap();
        nonces.note(key(2), &[signature(1, 9)], 7).unwrap();
        let finding = nonces.note(key(1), &[signature(3, 1), signature(2, 2)], 8).unwrap_err();
        assert_eq!((finding.fault, finding.position), (Fault::NonceReused, Some(8)));
        assert!(finding.message.contains("entry 5"), "{finding}");
    }
}
