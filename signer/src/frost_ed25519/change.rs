//! A change of shares of an Ed25519 key: from this signer's share, or from nothing, to the next one.
//! Never writes a share: who carries it out does, before it says that it has one.

use frost_ed25519::{Ed25519Sha512, keys::PublicKeyPackage};

use super::Ed25519Share;
use crate::{
    frost::{ChangePlan, Changing, ShareName},
    threshold::{Awaited, Heard, Machine, RoundError, Said, Step},
};

/// A change under way.
pub struct Ed25519Change {
    name: ShareName,
    holder: u16,
    changing: Changing<Ed25519Sha512>,
}

impl Ed25519Change {
    /// Round one. `package` is the key's public package as the log has it; `name` is what the new
    /// share will be called.
    pub fn begin(
        name: ShareName,
        plan: ChangePlan,
        package: &[u8],
        own: Option<&Ed25519Share>,
    ) -> Result<(Self, Said), RoundError> {
        let holder = plan.holder;
        let damaged = |error: frost_ed25519::Error| RoundError::Own(error.to_string());
        let public = PublicKeyPackage::deserialize(package).map_err(damaged)?;
        if own.is_some_and(|own| own.holder() != holder || *own.public() != public) {
            return Err(RoundError::Own("its share is of another key or epoch".to_owned()));
        }
        let own = own.map(|own| own.package().clone());
        let (changing, said) = Changing::begin(plan, public, own)?;
        Ok((Self { name, holder, changing }, said))
    }
}

impl Machine for Ed25519Change {
    type Output = Ed25519Share;

    fn awaits(&self) -> Awaited {
        self.changing.awaits()
    }

    fn step(self, heard: &Heard<'_>) -> Result<Step<Self>, RoundError> {
        let Self { name, holder, changing } = self;
        match changing.step(heard)? {
            Step::Said(changing, said) => Ok(Step::Said(Self { name, holder, changing }, said)),
            Step::Done((package, public)) => {
                Ed25519Share::new(name, holder, package, public).map(Step::Done)
            }
        }
    }
}
