//! FROST on edwards25519 (RFC 9591 §6.1): making a share together with others, keeping it sealed,
//! signing with it. What comes out is a plain Ed25519 signature (RFC 8032). Never lets a share or a
//! signing nonce out, and never derives a child: such keys have none.

mod backed_up;
mod ceremony;
mod change;
mod share;
mod signing;

pub use ceremony::Generation;
pub use change::Ed25519Change;
pub use share::Ed25519Share;
pub use signing::Signing;

use std::sync::Arc;

use frost_ed25519::Identifier;
use strongroom_domain::key::Protocol;

use crate::{
    frost::{ChangePlan, ShareName},
    threshold::{Change, Held, Place, Refreshing, RoundError, Said, Session, ThresholdProtocol},
};

#[cfg(test)]
mod tests;

/// `frost-ed25519/1`.
pub struct FrostEd25519;

impl ThresholdProtocol for FrostEd25519 {
    const PROTOCOL: Protocol = Protocol::FrostEd25519;
    type Share = Ed25519Share;
    type Generation = Generation;
    type Signing = Signing;

    fn generate(name: ShareName, place: Place) -> Result<(Generation, Said), RoundError> {
        Generation::begin(name, place)
    }

    fn sign(share: Arc<Ed25519Share>, session: Session) -> Result<(Signing, Said), RoundError> {
        Signing::begin(share, session)
    }
}

impl Refreshing for FrostEd25519 {
    type Change = Ed25519Change;

    fn change(
        held: Held<'_, Ed25519Share>,
        name: ShareName,
        change: &Change,
    ) -> Result<(Ed25519Change, Said), RoundError> {
        let Change { place, joiner, helpers } = change;
        let (holder, holders) = (place.holder, place.all());
        // Who has its secret again takes part like everyone else.
        let joiner = joiner.filter(|_| !helpers.is_empty());
        let plan = ChangePlan { holder, holders, joiner, helpers: helpers.clone() };
        match held {
            Held::Share(share) => {
                Ed25519Change::begin(name, plan, &share.public_package()?, Some(share))
            }
            Held::Nothing { package } => Ed25519Change::begin(name, plan, package, None),
            Held::Restored { package, scalar } => {
                let own = Ed25519Share::from_backup(name, holder, scalar, package)?;
                Ed25519Change::begin(name, plan, package, Some(&own))
            }
        }
    }
}

fn identifier(holder: u16) -> Result<Identifier, RoundError> {
    let none = |_zero| RoundError::Own("holders count from 1".to_owned());
    Identifier::try_from(holder).map_err(none)
}

/// Who the library proves wrong, if anybody.
fn explain(mut holders: impl Iterator<Item = u16>, error: &frost_ed25519::Error) -> RoundError {
    let culprits = error.culprits();
    let named = holders.find(|holder| identifier(*holder).is_ok_and(|of| culprits.contains(&of)));
    let because = error.to_string();
    match named {
        Some(culprit) => RoundError::Culprit { culprit, because },
        None => RoundError::Failed(because),
    }
}
