//! One holder's share of an ECDSA key, in memory and sealed on disk. Never replaces a share file, and
//! never opens one under another key, signer or epoch than it was sealed for.

use std::path::Path;

use dkls23_secp256k1::{Party, PublicKeyPackage};
use k256_of_dkls23::{ProjectivePoint, Scalar, elliptic_curve::PrimeField};
use strongroom_chains::frost::{GroupKey, KeyPath};
use strongroom_secrets::{Existing, Sealer, Secret};
use zeroize::Zeroize;

use super::{
    public::{DklsPublic, compressed, index},
    wire::{decode, encode_secret},
};
use crate::{
    frost::{ShareError, ShareName},
    threshold::RoundError,
};

/// A share with the public package of its key. Its memory is cleared when it goes.
pub struct DklsShare {
    name: ShareName,
    party: Party,
    public: DklsPublic,
}

impl DklsShare {
    /// Whoever makes it has checked nothing yet.
    pub(super) fn new(
        name: ShareName,
        party: Party,
        package: PublicKeyPackage,
    ) -> Result<Self, RoundError> {
        let share = Self { name, party, public: DklsPublic::new(package) };
        if share.fits() {
            Ok(share)
        } else {
            Err(RoundError::Own("the share is not the key's".to_owned()))
        }
    }

    /// Which share this is.
    pub const fn name(&self) -> ShareName {
        self.name
    }

    /// This holder's number, from 1.
    pub fn holder(&self) -> u16 {
        self.party.party_index.as_u8().into()
    }

    /// What the ceremony publishes: the same for all holders.
    pub const fn public(&self) -> &DklsPublic {
        &self.public
    }

    pub(super) const fn party(&self) -> &Party {
        &self.party
    }

    /// The party whose key is the child at `path`: the share moved by the child's distance. None: the
    /// key itself.
    pub(super) fn party_at(&self, path: Option<KeyPath>) -> Result<Party, RoundError> {
        let mut party = self.party.clone();
        let Some(path) = path else { return Ok(party) };
        let child = GroupKey::from_bytes(&self.public.key())?.child(path)?;
        let distance: Option<Scalar> = Scalar::from_repr(child.distance().into()).into();
        let distance = distance.ok_or_else(|| RoundError::Failed("no such child".to_owned()))?;
        party.poly_point += distance;
        party.derivation_data.poly_point = party.poly_point;
        let point = ProjectivePoint::from(party.pk) + ProjectivePoint::GENERATOR * distance;
        party.pk = point.to_affine();
        party.derivation_data.pk = party.pk;
        // The library refuses to repair what is not a root.
        party.derivation_data.depth = 2;
        party.derivation_data.child_number = path.index;
        if compressed(&party.pk) == child.to_bytes() {
            Ok(party)
        } else {
            Err(RoundError::Own("two derivations of one child differ".to_owned()))
        }
    }

    /// The share is its holder's, of this key, and whole.
    fn fits(&self) -> bool {
        let (party, package) = (&self.party, self.public.package());
        let mut own = ProjectivePoint::GENERATOR * party.poly_point;
        let whole =
            (1..=self.public.holders()).filter(|other| *other != self.holder()).all(|other| {
                index(other).is_ok_and(|other| {
                    party.mul_senders.get(&other).is_some_and(|state| state.check_state().is_ok())
                        && party
                            .mul_receivers
                            .get(&other)
                            .is_some_and(|state| state.check_state(None).is_ok())
                        && party
                            .zero_share
                            .seeds
                            .iter()
                            .any(|pair| pair.index_counterparty == other)
                })
            });
        let fits = whole
            && party.parameters.threshold == package.threshold()
            && party.parameters.share_count == package.share_count()
            && party.pk == *package.verifying_key()
            && party.derivation_data.depth == 0
            && party.derivation_data.pk == party.pk
            && party.derivation_data.poly_point == party.poly_point
            && package.verify_share(party.party_index, &own.to_affine());
        own.zeroize();
        fits
    }

    /// Seals the share into `directory`; durable when it returns.
    ///
    /// A crash before this leaves no share: the holder never reports the key, the ceremony fails.
    pub fn store(&self, sealer: &Sealer, directory: &Path) -> Result<(), ShareError> {
        let path = self.name.path(directory);
        let bytes = self.to_secret().map_err(|_| ShareError::Malformed { path: path.clone() })?;
        Ok(sealer.seal_file(&path, &context(self.name), bytes.expose(), Existing::Keep)?)
    }

    /// Opens what [`DklsShare::store`] wrote.
    pub fn load(sealer: &Sealer, directory: &Path, name: ShareName) -> Result<Self, ShareError> {
        let path = name.path(directory);
        let bytes = sealer.open_file(&path, &context(name))?;
        Self::from_secret(name, &bytes).map_err(|_| ShareError::Malformed { path })
    }

    /// The share's bytes: for its sealed file, and for a backup.
    pub fn to_secret(&self) -> Result<Secret, RoundError> {
        encode_secret(&(&self.party, self.public.package()))
    }

    /// Reads what [`DklsShare::to_secret`] wrote: whole, and of its own holder.
    pub fn from_secret(name: ShareName, bytes: &Secret) -> Result<Self, RoundError> {
        let (party, package) = decode::<(Party, PublicKeyPackage)>(bytes.expose(), 0)?;
        Self::new(name, party, package)
    }
}

fn context(name: ShareName) -> String {
    let ShareName { key, signer, epoch } = name;
    format!("strongroom/dkls23-share/v1 key:{key} signer:{signer} epoch:{epoch}")
}
