//! A cosigner's key in a PKCS#11 token. It can't derive, so it is the same in every address, and tokens
//! don't sign as BIP 340 says: P2WSH only. Never makes a key that can leave the token.

use strongroom_chains::{
    TokenPublic,
    bitcoin::multisig::{Descriptor, KeyExpression, Partial, Shape, UnsignedTx},
};
use uuid::Uuid;

use super::OfflineError;
use crate::pkcs11::{KeyKind, Token, TokenKey};

/// A token with one of its keys. It should be a token of its own: whoever holds the PIN of a signer's
/// could sign with that signer's keys too.
pub struct TokenCosigner {
    token: Token,
    key: TokenKey,
}

impl TokenCosigner {
    /// Makes a key in the token, with an id that nobody has. A crash before the answer is shown leaves a
    /// key that nobody uses.
    pub fn make(token: Token) -> Result<Self, OfflineError> {
        let id = Uuid::new_v4();
        let key = token.generate(KeyKind::Secp256k1, id, &format!("cosigner-{id}"))?;
        Ok(Self { token, key })
    }

    /// The key with this id.
    pub fn open(token: Token, id: Uuid) -> Result<Self, OfflineError> {
        let key = token.public_key(KeyKind::Secp256k1, id)?;
        Ok(Self { token, key })
    }

    /// Its id in the token.
    pub const fn id(&self) -> Uuid {
        self.key.id
    }

    /// What a wallet's plan names this cosigner by.
    pub fn expression(&self) -> Result<KeyExpression, OfflineError> {
        let TokenPublic::Secp256k1(key) = &self.key.public else {
            return Err(OfflineError::NotInWallet { id: self.key.id });
        };
        let parsed = bitcoin::secp256k1::PublicKey::from_slice(key);
        parsed.map(KeyExpression::Fixed).map_err(|_| OfflineError::NotInWallet { id: self.key.id })
    }

    /// Its place among the cosigners of a descriptor that it can sign for.
    pub fn place(&self, descriptor: &Descriptor) -> Result<usize, OfflineError> {
        match descriptor.shape() {
            Shape::P2tr => Err(OfflineError::Schnorr),
            Shape::P2wsh => {
                let own = self.expression()?;
                let place = descriptor.keys().iter().position(|key| *key == own);
                place.ok_or(OfflineError::NotInWallet { id: self.key.id })
            }
        }
    }

    /// One signature of each input. Call it after a person agreed to [`super::Review`].
    pub fn sign(&self, unsigned: &UnsignedTx) -> Result<Partial, OfflineError> {
        let place = self.place(unsigned.descriptor())?;
        let refuse = || OfflineError::NotInWallet { id: self.key.id };
        let payloads = unsigned.payloads(place);
        // With low s, and verified, before it is given (`Token::sign`).
        let signatures = payloads.iter().map(|payload| {
            let signature = self.token.sign(&self.key, &payload.digest)?;
            <[u8; 64]>::try_from(signature).map_err(|_| refuse())
        });
        Ok(Partial { place, signatures: signatures.collect::<Result<_, _>>()? })
    }

    /// Its part of a spend proof. Call it after a person read the statement.
    pub fn prove(
        &self,
        descriptor: &Descriptor,
        digest: [u8; 32],
    ) -> Result<[u8; 64], OfflineError> {
        self.place(descriptor)?;
        let refuse = || OfflineError::NotInWallet { id: self.key.id };
        let signature = self.token.sign(&self.key, &digest)?;
        <[u8; 64]>::try_from(signature).map_err(|_| refuse())
    }
}
