//! Threshold ECDSA on secp256k1 (Doerner, Kondi, Lee, shelat 2023): making a share together with
//! others, signing with it, replacing it. Never signs in fewer rounds than the protocol has: nothing
//! is signed half in advance, and no nonce outlives its session. Never derives a key in the library's
//! own way: children are those of [`strongroom_chains::frost::GroupKey`].
//!
//! The mathematics is `dkls23-core`'s; what is ours is what may be said when, by whom and how often
//! (docs/decisions/0029-threshold-ecdsa.md). The library computes with `k256` 0.14 and the rest of us
//! with 0.13: only bytes cross.

mod abort;
mod backed_up;
mod change;
mod dealing;
mod openings;
mod public;
mod share;
mod signing;
mod wire;

pub(crate) use backed_up::scalar_of;
pub use dealing::Dealing;
pub use public::DklsPublic;
pub use share::DklsShare;
pub use signing::Signing;

use std::sync::Arc;

use strongroom_domain::key::Protocol;

use crate::{
    frost::ShareName,
    threshold::{Change, Held, Place, Refreshing, RoundError, Said, Session, ThresholdProtocol},
};

#[cfg(test)]
mod tests;

/// `dkls23-secp256k1/1`.
pub struct Dkls23;

impl ThresholdProtocol for Dkls23 {
    const PROTOCOL: Protocol = Protocol::Dkls23Secp256k1;
    type Share = DklsShare;
    type Generation = Dealing;
    type Signing = Signing;

    fn generate(name: ShareName, place: Place) -> Result<(Dealing, Said), RoundError> {
        Dealing::generate(name, place)
    }

    fn sign(share: Arc<DklsShare>, session: Session) -> Result<(Signing, Said), RoundError> {
        Signing::begin(&share, session)
    }
}

impl Refreshing for Dkls23 {
    type Change = Dealing;

    fn change(
        held: Held<'_, DklsShare>,
        name: ShareName,
        change: &Change,
    ) -> Result<(Dealing, Said), RoundError> {
        Dealing::change(&held, name, change)
    }
}
