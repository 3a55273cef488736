//! Keys that a token holds whole: making them, finding the same key in another token of a pool, using
//! them. Never makes a key that the log says another signer makes, and never confirms a copy that is not
//! the key which the log shows.

use rand::{RngCore, rngs::OsRng};
use strongroom_domain::{
    Bytes, KeyId, Rule,
    key::{Active, Ceremony, Protocol},
    protocol::Reply,
};

use super::{Signer, Trouble, refuse};
use crate::pkcs11::{KeyKind, TimedToken, TokenError, TokenKey};
use strongroom_chains::TokenPublic;

impl Signer {
    pub(super) fn token(&self) -> Result<&TimedToken, Trouble> {
        self.token.as_ref().ok_or_else(|| {
            Trouble::Unavailable("this signer was started without a token".to_owned())
        })
    }

    /// The first participant's token makes the key. The others' have the same one, which their
    /// operators bring there by the vendor's means: a key never leaves a token by ours.
    pub(super) fn hold_in_token(
        &self,
        key: KeyId,
        kind: KeyKind,
        ceremony: &Ceremony,
    ) -> Result<Reply, Trouble> {
        let Some(maker) = ceremony.plan.participants.first() else {
            return refuse(Rule::SignerProtocol, "a ceremony of nobody");
        };
        let held = if *maker == self.id {
            self.make_in_token(key, kind)?
        } else {
            let Some(made) = ceremony.confirmed.get(maker) else {
                return refuse(
                    Rule::SignerLogBehind,
                    format!("signer {maker} makes the key, and has not confirmed it yet"),
                );
            };
            let made = made.public_key.clone();
            let found = self.find_in_token(key, kind)?;
            if found.public.to_bytes() != made {
                let because = format!(
                    "the token's key {} has another public key than the one that signer {maker} \
                     made: remove it, and replicate that one",
                    key.0
                );
                return Err(Trouble::Unavailable(because));
            }
            found
        };
        self.confirm(key, held.public.to_bytes(), Bytes::default())
    }

    pub(super) fn make_in_token(&self, key: KeyId, kind: KeyKind) -> Result<TokenKey, Trouble> {
        let label = format!("strongroom-{key}");
        let made = self.token()?.run(move |token| match token.generate(kind, key.0, &label) {
            // Its answer was lost: the key is the one that was made then.
            Err(TokenError::KeyExists { id }) => token.public_key(kind, id),
            other => other,
        });
        Ok(made?)
    }

    fn find_in_token(&self, key: KeyId, kind: KeyKind) -> Result<TokenKey, Trouble> {
        let found = self.token()?.run(move |token| {
            let found = token.public_key(kind, key.0)?;
            // That it has both halves does not say that they belong together.
            token.prove(&found, &[0; 32])?;
            Ok(found)
        });
        match found {
            Err(TokenError::KeyMissing { id }) => Err(Trouble::Unavailable(format!(
                "the token has no private key with the id {id} yet: replicate it from the token that \
                 made it, by the means of the HSM's vendor"
            ))),
            other => Ok(other?),
        }
    }

    /// Signs a challenge of this signer's own, which goes nowhere: whether the token would have signed.
    pub(super) fn probe(&self, key: KeyId) -> Result<Reply, Trouble> {
        let active = {
            let follower = self.follower();
            let state = follower.audited()?.state();
            let active = state.keys.get(&key).map_or_else(
                || refuse(Rule::SignerLogBehind, "this signer has not read of that key"),
                |key| Ok(key.active()?),
            )?;
            if active.index_of(self.id).is_none() {
                return refuse(Rule::SignerNotInSet, "this signer has no part in that key");
            }
            active.clone()
        };
        self.consumptions.demand_running()?;
        if active.plan.protocol == Protocol::VaultEd25519 {
            return self.probe_vault(key, &active);
        }
        let key = token_key(key, &active)?;
        let mut challenge = [0; 32];
        OsRng.fill_bytes(&mut challenge);
        self.token()?.run(move |token| token.prove(&key, &challenge))?;
        Ok(Reply::Usable)
    }

    /// Signs digests with a key that this signer's token holds, in their order.
    pub(super) fn sign_in_token(
        &self,
        key: KeyId,
        active: &Active,
        digests: Vec<[u8; 32]>,
    ) -> Result<Vec<Bytes>, Trouble> {
        let key = token_key(key, active)?;
        let signed = self.token()?.run(move |token| {
            digests.iter().map(|digest| token.sign(&key, digest).map(Bytes)).collect()
        });
        Ok(signed?)
    }
}

fn token_key(key: KeyId, active: &Active) -> Result<TokenKey, Trouble> {
    match TokenPublic::parse(active.plan.protocol, &active.public_key) {
        Ok(public) => Ok(TokenKey { id: key.0, public }),
        Err(error) => refuse(Rule::SignerKey, error.to_string()),
    }
}
