//! A token's raw result made fit to leave: one form for each kind, ECDSA with s in the lower half
//! (BIP 146, EIP-2). Never returns one that does not verify.

use bitcoin::secp256k1::ecdsa;
use strongroom_chains::TokenPublic;

/// Half of all tokens' ECDSA results are high-S: those are flipped. Then it is verified.
pub(super) fn checked(public: &TokenPublic, digest: &[u8; 32], raw: Vec<u8>) -> Option<Vec<u8>> {
    let fit = match public {
        TokenPublic::Secp256k1(_) => {
            let mut signature = ecdsa::Signature::from_compact(&raw).ok()?;
            signature.normalize_s();
            signature.serialize_compact().to_vec()
        }
        TokenPublic::P256(_) => {
            let signature = p256::ecdsa::Signature::from_slice(&raw).ok()?;
            signature.normalize_s().unwrap_or(signature).to_bytes().to_vec()
        }
        TokenPublic::Ed25519(_) | TokenPublic::Rsa2048(_) => raw,
    };
    public.verifies(digest, &fit).then_some(fit)
}
