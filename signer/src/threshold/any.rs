//! The protocols whose rounds orders drive alike, behind one share and one machine each. Adds nothing
//! to any of them, and never takes a share of one for a share of another.

use std::{path::Path, sync::Arc};

use strongroom_domain::key::Protocol;
use strongroom_secrets::Sealer;

use super::{
    Awaited, Heard, Machine, Place, RoundError, Said, Session, Step, ThresholdProtocol as _,
};
use crate::{
    dkls::{Dealing, Dkls23, DklsShare, Signing as DklsSigning},
    frost::{ShareError, ShareName},
    frost_ed25519::{
        Ed25519Change, Ed25519Share, FrostEd25519, Generation, Signing as Ed25519Signing,
    },
};

/// A share of a key that is made and used in rounds.
#[derive(Clone)]
pub enum AnyShare {
    /// `dkls23-secp256k1/1`.
    Dkls(Arc<DklsShare>),
    /// `frost-ed25519/1`.
    Ed25519(Arc<Ed25519Share>),
}

/// What makes a share: a ceremony, or a change of shares.
pub enum AnyMaking {
    /// Either, of `dkls23-secp256k1/1`.
    Dkls(Dealing),
    /// A ceremony of `frost-ed25519/1`.
    Ed25519(Generation),
    /// A change of `frost-ed25519/1`.
    Ed25519Change(Box<Ed25519Change>),
}

/// What signs with a share.
pub enum AnySigning {
    /// `dkls23-secp256k1/1`.
    Dkls(DklsSigning),
    /// `frost-ed25519/1`.
    Ed25519(Ed25519Signing),
}

/// No other protocol goes through here.
fn not_in_rounds(protocol: Protocol) -> RoundError {
    RoundError::Own(format!("a {} key is not made in such rounds", protocol.name()))
}

impl AnyShare {
    /// Opens a share of `protocol`.
    pub fn load(
        protocol: Protocol,
        (sealer, directory): (&Sealer, &Path),
        name: ShareName,
    ) -> Result<Self, ShareError> {
        match protocol {
            Protocol::Dkls23Secp256k1 => {
                DklsShare::load(sealer, directory, name).map(Arc::new).map(Self::Dkls)
            }
            Protocol::FrostEd25519 => {
                Ed25519Share::load(sealer, directory, name).map(Arc::new).map(Self::Ed25519)
            }
            Protocol::FrostSecp256k1Tr
            | Protocol::Pkcs11Secp256k1
            | Protocol::Pkcs11P256
            | Protocol::Pkcs11Ed25519
            | Protocol::Pkcs11Rsa2048
            | Protocol::VaultEd25519
            | Protocol::MultisigP2wsh
            | Protocol::MultisigP2tr => Err(ShareError::Malformed { path: name.path(directory) }),
        }
    }

    /// Seals it into `directory`; durable when it returns.
    pub fn store(&self, sealer: &Sealer, directory: &Path) -> Result<(), ShareError> {
        match self {
            Self::Dkls(share) => share.store(sealer, directory),
            Self::Ed25519(share) => share.store(sealer, directory),
        }
    }

    /// Which share this is.
    pub fn name(&self) -> ShareName {
        match self {
            Self::Dkls(share) => share.name(),
            Self::Ed25519(share) => share.name(),
        }
    }

    /// Its holder's number, from 1.
    pub fn holder(&self) -> u16 {
        match self {
            Self::Dkls(share) => share.holder(),
            Self::Ed25519(share) => share.holder(),
        }
    }

    /// The key, as its protocol writes it.
    pub fn key(&self) -> Result<Vec<u8>, RoundError> {
        match self {
            Self::Dkls(share) => Ok(share.public().key().to_vec()),
            Self::Ed25519(share) => share.key().map(|key| key.to_vec()),
        }
    }

    /// The public package as the log has it.
    pub fn package(&self) -> Result<Vec<u8>, RoundError> {
        match self {
            Self::Dkls(share) => share.public().to_bytes(),
            Self::Ed25519(share) => share.public_package(),
        }
    }

    /// Round 1 of signing with it.
    pub fn sign(&self, session: Session) -> Result<(AnySigning, Said), RoundError> {
        match self {
            Self::Dkls(share) => Dkls23::sign(Arc::clone(share), session)
                .map(|(machine, said)| (AnySigning::Dkls(machine), said)),
            Self::Ed25519(share) => FrostEd25519::sign(Arc::clone(share), session)
                .map(|(machine, said)| (AnySigning::Ed25519(machine), said)),
        }
    }
}

impl AnyMaking {
    /// Round 1 of a key of `protocol`.
    pub fn generate(
        protocol: Protocol,
        name: ShareName,
        place: Place,
    ) -> Result<(Self, Said), RoundError> {
        match protocol {
            Protocol::Dkls23Secp256k1 => {
                Dkls23::generate(name, place).map(|(machine, said)| (Self::Dkls(machine), said))
            }
            Protocol::FrostEd25519 => FrostEd25519::generate(name, place)
                .map(|(machine, said)| (Self::Ed25519(machine), said)),
            Protocol::FrostSecp256k1Tr
            | Protocol::Pkcs11Secp256k1
            | Protocol::Pkcs11P256
            | Protocol::Pkcs11Ed25519
            | Protocol::Pkcs11Rsa2048
            | Protocol::VaultEd25519
            | Protocol::MultisigP2wsh
            | Protocol::MultisigP2tr => Err(not_in_rounds(protocol)),
        }
    }
}

/// A step of one of them as a step of all.
fn as_any<M: Machine, N: Machine>(
    step: Step<M>,
    machine: impl FnOnce(M) -> N,
    output: impl FnOnce(M::Output) -> N::Output,
) -> Step<N> {
    match step {
        Step::Said(next, said) => Step::Said(machine(next), said),
        Step::Done(done) => Step::Done(output(done)),
    }
}

impl Machine for AnyMaking {
    type Output = AnyShare;

    fn awaits(&self) -> Awaited {
        match self {
            Self::Dkls(machine) => machine.awaits(),
            Self::Ed25519(machine) => machine.awaits(),
            Self::Ed25519Change(machine) => machine.awaits(),
        }
    }

    fn step(self, heard: &Heard<'_>) -> Result<Step<Self>, RoundError> {
        let ed25519 = |share| AnyShare::Ed25519(Arc::new(share));
        match self {
            Self::Dkls(machine) => {
                let dkls = |share| AnyShare::Dkls(Arc::new(share));
                Ok(as_any(machine.step(heard)?, Self::Dkls, dkls))
            }
            Self::Ed25519(machine) => Ok(as_any(machine.step(heard)?, Self::Ed25519, ed25519)),
            Self::Ed25519Change(machine) => {
                let next = |machine| Self::Ed25519Change(Box::new(machine));
                Ok(as_any(machine.step(heard)?, next, ed25519))
            }
        }
    }
}

impl Machine for AnySigning {
    type Output = Vec<[u8; 64]>;

    fn awaits(&self) -> Awaited {
        match self {
            Self::Dkls(machine) => machine.awaits(),
            Self::Ed25519(machine) => machine.awaits(),
        }
    }

    fn step(self, heard: &Heard<'_>) -> Result<Step<Self>, RoundError> {
        match self {
            Self::Dkls(machine) => Ok(as_any(machine.step(heard)?, Self::Dkls, |signed| signed)),
            Self::Ed25519(machine) => {
                Ok(as_any(machine.step(heard)?, Self::Ed25519, |signed| signed))
            }
        }
    }
}
