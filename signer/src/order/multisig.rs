//! Multisig keys: this signer's own key among the cosigners', in its token or in a sealed file. The
//! descriptor is made again from this signer's own log each time; no order brings a key or a digest.

use strongroom_chains::{
    TokenPublic,
    bitcoin::multisig::{KeyExpression, Partial, Payload, Places, Shape, UnsignedTx, shape_of},
    spend_proof::verify_cosigner,
};
use strongroom_domain::{
    Bytes, KeyId, Rule,
    key::{Active, Ceremony, Key},
    protocol::Reply,
};

use super::{Signer, Trouble, refuse};
use crate::{
    cosigner::{Cosigner, CosignerError},
    frost::ShareName,
    grounds::Grounds,
    pkcs11::{KeyKind, TokenKey},
};

/// Where a signer's account lies below its seed (BIP 48). Every key has a seed of its own, so the coin
/// says nothing; devices expect one.
const fn account(shape: Shape) -> &'static str {
    match shape {
        Shape::P2wsh => "48h/0h/0h/2h",
        Shape::P2tr => "48h/0h/0h/3h",
    }
}

/// This signer's key, opened.
enum Held {
    Token(TokenKey),
    File(Box<Cosigner>),
}

impl Signer {
    /// Whether the log shows a ceremony of cosigners.
    pub(super) fn is_multisig(&self, key: KeyId) -> bool {
        let follower = self.follower();
        let audited = follower.audited();
        let known = audited.ok().and_then(|of| of.state().keys.get(&key));
        let Some(Key::Ceremony(ceremony)) = known else { return false };
        shape_of(ceremony.plan.protocol).is_some()
    }

    /// A round of a multisig key's ceremony: everyone's key, then everyone's word for the descriptor.
    pub(super) fn make_multisig(&self, key: KeyId, round: u16) -> Result<Reply, Trouble> {
        let rests_on = if round == 1 { Grounds::of_beginning } else { Grounds::of_rounds };
        let (ceremony, _) = self.under_way(key, rests_on)?;
        let Some(shape) = shape_of(ceremony.plan.protocol) else {
            return refuse(Rule::SignerProtocol, "this key has no cosigners");
        };
        match round {
            1 => {
                self.ready_to_seal()?;
                let message = Bytes(self.own_expression(key, shape)?.to_string().into_bytes());
                Ok(Reply::Spoke { message, letters: Vec::new() })
            }
            2 => self.confirm_descriptor(key, shape, &ceremony),
            _ => refuse(Rule::SignerProtocol, format!("its ceremony has no round {round}")),
        }
    }

    fn confirm_descriptor(
        &self,
        key: KeyId,
        shape: Shape,
        ceremony: &Ceremony,
    ) -> Result<Reply, Trouble> {
        let Some(published) = ceremony.rounds.get(&1) else {
            return refuse(Rule::SignerLogBehind, "the first round is not complete in the log");
        };
        let places = Places::of(&ceremony.plan, published, &ceremony.cosigners);
        let places = match places {
            Ok(places) => places,
            Err(error) => return refuse(Rule::CeremonyPlan, error.to_string()),
        };
        // A seed drawn now could not be the one that was published.
        if !self.in_token(key, shape) && !self.seed_of(key).path(&self.directory).exists() {
            let because = "the key that this signer published is in its token, which is not set up";
            return Err(Trouble::Unavailable(because.to_owned()));
        }
        let own = self.own_expression(key, shape)?;
        let mine = places.signers.get(&self.id).and_then(|at| places.descriptor.keys().get(*at));
        if mine != Some(&own) {
            let because = "the log says that this signer published another key".to_owned();
            return Err(Trouble::Corrupt(because, None));
        }
        let descriptor = places.descriptor.to_string().into_bytes();
        self.confirm(key, Bytes::default(), Bytes(descriptor))
    }

    /// In its token where it has one and the script takes ECDSA, else drawn here and sealed. The same
    /// whenever it is asked for.
    fn own_expression(&self, key: KeyId, shape: Shape) -> Result<KeyExpression, Trouble> {
        if self.in_token(key, shape) {
            let made = self.make_in_token(key, KeyKind::Secp256k1)?;
            return match made.public.to_bytes().array::<33>() {
                Some(point) => hex::encode(point)
                    .parse()
                    .map_err(|_| Trouble::Corrupt("the token's key is no point".to_owned(), None)),
                None => Err(Trouble::Corrupt("the token's key has not 33 bytes".to_owned(), None)),
            };
        }
        let cosigner = Cosigner::held(&self.sealer, &self.directory, self.seed_of(key))?;
        cosigner.expression(account(shape)).map_err(wrong)
    }

    /// A seed that was sealed before a token was set up stays what it is.
    fn in_token(&self, key: KeyId, shape: Shape) -> bool {
        match shape {
            Shape::P2wsh => {
                self.token.is_some() && !self.seed_of(key).path(&self.directory).exists()
            }
            Shape::P2tr => false,
        }
    }

    const fn seed_of(&self, key: KeyId) -> ShareName {
        ShareName { key: key.0, signer: self.id.0, epoch: 1 }
    }

    /// What this signer's key is at its place in a key of the log.
    fn held(&self, key: KeyId, places: &Places) -> Result<(usize, Held), Trouble> {
        let Some(place) = places.signers.get(&self.id).copied() else {
            return refuse(Rule::SignerNotInSet, "this signer has no part in that key");
        };
        match places.descriptor.keys().get(place) {
            Some(KeyExpression::Fixed(point)) => {
                let public = TokenPublic::Secp256k1(point.serialize());
                Ok((place, Held::Token(TokenKey { id: key.0, public })))
            }
            Some(KeyExpression::Extended { .. }) => {
                let cosigner = Cosigner::load(&self.sealer, &self.directory, self.seed_of(key))?;
                Ok((place, Held::File(Box::new(cosigner))))
            }
            None => refuse(Rule::SignerNotInSet, "this signer has no part in that key"),
        }
    }

    /// This signer's signature of each input, verified before it is given.
    pub(super) fn sign_multisig(
        &self,
        key: KeyId,
        active: &Active,
        unsigned: &UnsignedTx,
    ) -> Result<Vec<Bytes>, Trouble> {
        let places = places(active)?;
        if *unsigned.descriptor() != places.descriptor {
            return refuse(Rule::SignerIntentMismatch, "the coins are another wallet's");
        }
        let (place, held) = self.held(key, &places)?;
        let payloads: Vec<Payload> = unsigned.payloads(place);
        let signatures = match held {
            Held::File(cosigner) => cosigner.sign(&places.descriptor, &payloads).map_err(wrong)?,
            Held::Token(key) => {
                let digests: Vec<[u8; 32]> = payloads.iter().map(|of| of.digest).collect();
                self.token_signs(key, digests)?
            }
        };
        let partial = Partial { place, signatures };
        unsigned
            .check_partial(&partial)
            .map_err(|error| Trouble::Corrupt(format!("own signature: {error}"), None))?;
        Ok(partial.signatures.iter().map(|of| Bytes(of.to_vec())).collect())
    }

    /// This signer's part of a spend proof.
    pub(super) fn prove_as_cosigner(
        &self,
        active: &Active,
        statement: &str,
        digest: [u8; 32],
    ) -> Result<Reply, Trouble> {
        let (key, epoch) = (active.plan.key, active.epoch);
        let places = places(active)?;
        let (place, held) = self.held(key, &places)?;
        let signature = match held {
            Held::File(cosigner) => {
                cosigner.prove(&places.descriptor, epoch, digest).map_err(wrong)?
            }
            Held::Token(key) => {
                let signed = self.token_signs(key, vec![digest])?;
                signed
                    .into_iter()
                    .next()
                    .ok_or_else(|| Trouble::Unavailable("the token gave no signature".to_owned()))?
            }
        };
        let signature = Bytes(signature.to_vec());
        match verify_cosigner(&places.descriptor, place, epoch, statement, &signature) {
            Ok(()) => Ok(Reply::Signatures { signatures: vec![signature] }),
            Err(error) => Err(Trouble::Corrupt(format!("own proof: {error}"), None)),
        }
    }

    fn token_signs(&self, key: TokenKey, digests: Vec<[u8; 32]>) -> Result<Vec<[u8; 64]>, Trouble> {
        let signed = self.token()?.run(move |token| {
            digests.iter().map(|digest| token.sign(&key, digest)).collect::<Result<Vec<_>, _>>()
        });
        let whole = signed?.into_iter().map(<[u8; 64]>::try_from).collect::<Result<Vec<_>, _>>();
        whole.map_err(|_| Trouble::Corrupt("a signature has not 64 bytes".to_owned(), None))
    }
}

fn places(active: &Active) -> Result<Places, Trouble> {
    Places::of_key(active).map_err(|error| Trouble::Corrupt(error.to_string(), None))
}

#[expect(clippy::needless_pass_by_value, reason = "an error to be mapped comes by value")]
fn wrong(error: CosignerError) -> Trouble {
    Trouble::Corrupt(error.to_string(), None)
}
