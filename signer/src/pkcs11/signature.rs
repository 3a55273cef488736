//! A token's raw ECDSA result made fit for chains: low-S (BIP 146, EIP-2), with its recovery id.
//! Never returns one that does not verify.

use k256::ecdsa::{RecoveryId, Signature, VerifyingKey, signature::hazmat::PrehashVerifier};

/// An ECDSA signature on secp256k1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EcdsaSignature {
    /// r ‖ s, 32 bytes each, big-endian; s is in the lower half.
    pub compact: [u8; 64],
    /// 0 or 1: whether R's Y is odd (2 and 3, R's X above the group order, do not occur by chance).
    pub recovery: u8,
}

impl EcdsaSignature {
    /// Half of all tokens' results are high-S: flips those, finds the recovery id by trying.
    pub(super) fn checked(raw: &[u8], public: &[u8; 33], digest: &[u8; 32]) -> Option<Self> {
        let key = VerifyingKey::from_sec1_bytes(public).ok()?;
        let signature = Signature::from_slice(raw).ok()?;
        let signature = signature.normalize_s().unwrap_or(signature);
        key.verify_prehash(digest, &signature).ok()?;
        let recovery = (0..4).filter_map(RecoveryId::from_byte).find(|id| {
            VerifyingKey::recover_from_prehash(digest, &signature, *id)
                .is_ok_and(|found| found == key)
        })?;
        Some(Self { compact: signature.to_bytes().into(), recovery: recovery.to_byte() })
    }
}
