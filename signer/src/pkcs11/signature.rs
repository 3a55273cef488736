//! A token's raw ECDSA result made fit for chains: low-S (BIP 146, EIP-2), with its recovery id.
//! Never returns one that does not verify.

use std::sync::LazyLock;

use bitcoin::secp256k1::{
    Message, PublicKey, Secp256k1, VerifyOnly,
    ecdsa::{RecoverableSignature, RecoveryId, Signature},
};

static SECP: LazyLock<Secp256k1<VerifyOnly>> = LazyLock::new(Secp256k1::verification_only);

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
    ///
    /// libsecp256k1 rather than k256: a third of the time, and beside a token's 0.3 ms it shows.
    pub(super) fn checked(raw: &[u8], public: &[u8; 33], digest: &[u8; 32]) -> Option<Self> {
        let key = PublicKey::from_slice(public).ok()?;
        let message = Message::from_digest(*digest);
        let mut signature = Signature::from_compact(raw).ok()?;
        signature.normalize_s();
        SECP.verify_ecdsa(&message, &signature, &key).ok()?;
        let compact = signature.serialize_compact();
        let recovery = (0..4_u8).find(|number| {
            let id = RecoveryId::from_i32(i32::from(*number));
            id.and_then(|id| RecoverableSignature::from_compact(&compact, id))
                .and_then(|signature| SECP.recover_ecdsa(&message, &signature))
                .is_ok_and(|found| found == key)
        })?;
        Some(Self { compact, recovery })
    }
}
