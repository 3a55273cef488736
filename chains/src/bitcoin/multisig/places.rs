//! Who signs at which place of a descriptor. Never takes a place from anybody's word: each is where the
//! cosigner's own key stands.

use super::{Descriptor, DescriptorError, KeyExpression, KeyExpressionError, Shape};
use std::collections::BTreeMap;
use strongroom_domain::{
    Bytes, SignerId,
    key::{Active, CeremonyPlan, Cosigner, Protocol},
    policy::Label,
};

/// A multisig key's descriptor, and whose keys stand in it. Places count from 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Places {
    /// The wallet, all of it.
    pub descriptor: Descriptor,
    /// Where each signer's key stands.
    pub signers: BTreeMap<SignerId, usize>,
    /// Where the key of each cosigner stands that no signer process holds.
    pub cosigners: BTreeMap<Label, usize>,
}

/// Why a key has no descriptor, or another than the log says.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PlacesError {
    /// Of one key, or of shares.
    #[error("a {} key has no cosigners", protocol.name())]
    Protocol {
        /// Which.
        protocol: Protocol,
    },
    /// What a signer published is no key.
    #[error("signer {signer} published no key expression: {because}")]
    Signer {
        /// Which.
        signer: SignerId,
        /// Why.
        because: String,
    },
    /// A cosigner's key is none.
    #[error("the key of cosigner {name}: {because}")]
    Cosigner {
        /// Whose.
        name: Label,
        /// Why.
        because: KeyExpressionError,
    },
    /// The same key, spelt otherwise than the log spells it.
    #[error("the key of cosigner {name} is not in its canonical spelling: write {right}")]
    NotCanonical {
        /// Whose.
        name: Label,
        /// The one spelling.
        right: Box<KeyExpression>,
    },
    /// Together they are no wallet.
    #[error(transparent)]
    Descriptor(#[from] DescriptorError),
    /// The log has another one.
    #[error("the log's descriptor is not that of the key's cosigners")]
    Another,
}

/// Where signatures of such a key are counted.
pub const fn shape_of(protocol: Protocol) -> Option<Shape> {
    match protocol {
        Protocol::MultisigP2wsh => Some(Shape::P2wsh),
        Protocol::MultisigP2tr => Some(Shape::P2tr),
        Protocol::FrostSecp256k1Tr
        | Protocol::FrostEd25519
        | Protocol::Dkls23Secp256k1
        | Protocol::Pkcs11Secp256k1
        | Protocol::Pkcs11P256
        | Protocol::Pkcs11Ed25519
        | Protocol::Pkcs11Rsa2048
        | Protocol::VaultEd25519 => None,
    }
}

impl Places {
    /// Of a ceremony: what each participant published, and the cosigners that were asked for.
    pub fn of(
        plan: &CeremonyPlan,
        published: &BTreeMap<SignerId, Bytes>,
        cosigners: &[Cosigner],
    ) -> Result<Self, PlacesError> {
        let protocol = plan.protocol;
        let shape = shape_of(protocol).ok_or(PlacesError::Protocol { protocol })?;
        let held = plan.participants.iter().map(|signer| {
            let text = published.get(signer).map(|text| std::str::from_utf8(text.as_slice()));
            let refuse = |because: String| PlacesError::Signer { signer: *signer, because };
            let text = text.ok_or_else(|| refuse("nothing yet".to_owned()))?;
            let text = text.map_err(|error| refuse(error.to_string()))?;
            let key: KeyExpression =
                text.parse().map_err(|error: KeyExpressionError| refuse(error.to_string()))?;
            if key.to_string() != text {
                return Err(refuse("not in its canonical spelling".to_owned()));
            }
            Ok((*signer, key))
        });
        let held = held.collect::<Result<Vec<_>, _>>()?;
        let named =
            cosigners.iter().map(|cosigner| Ok((cosigner.name.clone(), expression(cosigner)?)));
        let named = named.collect::<Result<Vec<_>, PlacesError>>()?;
        let keys = held.iter().map(|(_, key)| key).chain(named.iter().map(|(_, key)| key));
        let descriptor = Descriptor::new(shape, plan.threshold.into(), keys.cloned().collect())?;
        let place = |key: &KeyExpression| descriptor.keys().iter().position(|other| other == key);
        let signers =
            held.iter().filter_map(|(signer, key)| Some((*signer, place(key)?))).collect();
        let cosigners =
            named.iter().filter_map(|(name, key)| Some((name.clone(), place(key)?))).collect();
        Ok(Self { descriptor, signers, cosigners })
    }

    /// Of a key that exists: made again from what was asked and published, and what the log says.
    pub fn of_key(active: &Active) -> Result<Self, PlacesError> {
        let made = Self::of(&active.plan, &active.expressions, &active.cosigners)?;
        if made.descriptor.to_string().as_bytes() == active.public_package.as_slice() {
            Ok(made)
        } else {
            Err(PlacesError::Another)
        }
    }

    /// What people call the cosigner at a place, where no signer holds its key.
    pub fn name(&self, place: usize) -> Option<&Label> {
        self.cosigners.iter().find(|(_, at)| **at == place).map(|(name, _)| name)
    }

    /// The signer at a place.
    pub fn signer(&self, place: usize) -> Option<SignerId> {
        self.signers.iter().find(|(_, at)| **at == place).map(|(signer, _)| *signer)
    }
}

/// A cosigner's key, in the one spelling that the log has.
pub fn expression(cosigner: &Cosigner) -> Result<KeyExpression, PlacesError> {
    let name = || cosigner.name.clone();
    let refuse = |because| PlacesError::Cosigner { name: name(), because };
    let right: KeyExpression = cosigner.key.parse().map_err(refuse)?;
    if right.to_string() == cosigner.key {
        Ok(right)
    } else {
        Err(PlacesError::NotCanonical { name: name(), right: Box::new(right) })
    }
}
