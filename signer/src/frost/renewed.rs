//! A change of shares of a Taproot key: from this signer's share, or from nothing, to the next one.
//! Never writes a share: who carries it out does, before it says that it has one.

use frost_secp256k1_tr::{Secp256K1Sha256TR, keys::PublicKeyPackage};
use strongroom_chains::frost::GroupPublic;

use super::{ChangePlan, Changing, KeyShare, ShareName};
use crate::threshold::{Awaited, Heard, Machine, RoundError, Said, Step};

/// A change under way.
pub struct ShareChange {
    name: ShareName,
    holder: u16,
    changing: Changing<Secp256K1Sha256TR>,
}

impl ShareChange {
    /// Round one. `public` is the key's public package as the log has it; `name` is what the new
    /// share will be called.
    pub fn begin(
        name: ShareName,
        plan: ChangePlan,
        public: &GroupPublic,
        own: Option<&KeyShare>,
    ) -> Result<(Self, Said), RoundError> {
        let holder = plan.holder;
        if own.is_some_and(|own| own.holder() != holder || own.public() != public) {
            return Err(RoundError::Own("its share is of another key or epoch".to_owned()));
        }
        let damaged = |error: frost_secp256k1_tr::Error| RoundError::Own(error.to_string());
        let public = PublicKeyPackage::deserialize(&public.to_bytes()?).map_err(damaged)?;
        let own = own.map(|own| own.package().clone());
        let (changing, said) = Changing::begin(plan, public, own)?;
        Ok((Self { name, holder, changing }, said))
    }
}

impl Machine for ShareChange {
    type Output = KeyShare;

    fn awaits(&self) -> Awaited {
        self.changing.awaits()
    }

    fn step(self, heard: &Heard<'_>) -> Result<Step<Self>, RoundError> {
        let Self { name, holder, changing } = self;
        match changing.step(heard)? {
            Step::Said(changing, said) => Ok(Step::Said(Self { name, holder, changing }, said)),
            Step::Done((package, public)) => {
                let damaged = |error: frost_secp256k1_tr::Error| RoundError::Own(error.to_string());
                let public = GroupPublic::from_bytes(&public.serialize().map_err(damaged)?)?;
                Ok(Step::Done(KeyShare::new(name, holder, package, public)))
            }
        }
    }
}
