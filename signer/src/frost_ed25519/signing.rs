//! Signing with a share: commit, then sign once, then combine. A signing nonce lives in memory only, is
//! moved into the one signature that it makes, and is never copied, written or used again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ed25519_dalek::{Signature, VerifyingKey};
use frost_ed25519::{
    Identifier, SigningPackage, aggregate,
    round1::{self, SigningCommitments, SigningNonces},
    round2::{self, SignatureShare},
};
use rand::rngs::OsRng;

use super::{Ed25519Share, explain, identifier};
use crate::threshold::{
    Awaited, ByHolder, Heard, MOST_MESSAGES, Machine, RoundError, Said, Session, Step,
    frost_tr::{join, split},
};

/// A session under way.
pub struct Signing {
    share: Arc<Ed25519Share>,
    signers: BTreeSet<u16>,
    digests: Vec<[u8; 32]>,
    said: Vec<u8>,
    stage: Stage,
}

enum Stage {
    Committed(Vec<SigningNonces>),
    Shared(Vec<SigningPackage>),
}

impl Signing {
    pub(super) fn begin(
        share: Arc<Ed25519Share>,
        session: Session,
    ) -> Result<(Self, Said), RoundError> {
        let Session { signers, messages, .. } = session;
        let threshold = share.threshold();
        let sound = signers.len() == usize::from(threshold)
            && signers.contains(&share.holder())
            && signers.iter().all(|of| share.is_held_by(*of))
            && (1..=MOST_MESSAGES).contains(&messages.len())
            && messages.iter().all(|message| message.path.is_none());
        if !sound {
            let messages = messages.len();
            return Err(RoundError::Session { signers, threshold, messages });
        }
        let (mut nonces, mut commitments) = (Vec::new(), Vec::new());
        for _ in &messages {
            let (nonce, commitment) = round1::commit(share.package().signing_share(), &mut OsRng);
            let own = |error: frost_ed25519::Error| RoundError::Own(error.to_string());
            commitments.push(commitment.serialize().map_err(own)?);
            nonces.push(nonce);
        }
        let digests = messages.into_iter().map(|message| message.digest).collect();
        let said = join(&commitments);
        let stage = Stage::Committed(nonces);
        let machine = Self { share, signers, digests, said: said.clone(), stage };
        Ok((machine, Said { spoken: said, letters: ByHolder::new() }))
    }

    /// What each signer said of each message.
    fn by_message<T>(
        &self,
        heard: &Heard<'_>,
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Vec<BTreeMap<Identifier, T>>, RoundError> {
        let mut messages: Vec<_> = self.digests.iter().map(|_| BTreeMap::new()).collect();
        for (sender, bytes) in heard.spoken {
            let malformed = || RoundError::Malformed(*sender);
            let parts = split(bytes).filter(|parts| parts.len() == messages.len());
            for (message, part) in messages.iter_mut().zip(parts.ok_or_else(malformed)?) {
                message.insert(identifier(*sender)?, read(&part).ok_or_else(malformed)?);
            }
        }
        Ok(messages)
    }

    fn share_out(
        mut self,
        nonces: Vec<SigningNonces>,
        heard: &Heard<'_>,
    ) -> Result<Step<Self>, RoundError> {
        let read = |bytes: &[u8]| SigningCommitments::deserialize(bytes).ok();
        let commitments = self.by_message(heard, read)?;
        let (mut parts, mut packages) = (Vec::new(), Vec::new());
        for ((nonces, commitments), digest) in
            nonces.into_iter().zip(commitments).zip(&self.digests)
        {
            let package = SigningPackage::new(commitments, digest);
            let part = round2::sign(&package, &nonces, self.share.package())
                .map_err(|error| explain(self.signers.iter().copied(), &error))?;
            parts.push(part.serialize());
            packages.push(package);
        }
        self.said = join(&parts);
        self.stage = Stage::Shared(packages);
        let said = Said { spoken: self.said.clone(), letters: ByHolder::new() };
        Ok(Step::Said(self, said))
    }

    /// A second implementation says whether it is a signature.
    fn combine(
        &self,
        packages: &[SigningPackage],
        heard: &Heard<'_>,
    ) -> Result<Vec<[u8; 64]>, RoundError> {
        let parts = self.by_message(heard, |bytes| SignatureShare::deserialize(bytes).ok())?;
        let own = |what: &str| RoundError::Own(format!("own signature: {what}"));
        let key = VerifyingKey::from_bytes(&self.share.key()?).map_err(|_any| own("no key"))?;
        let mut signatures = Vec::with_capacity(packages.len());
        for ((package, parts), digest) in packages.iter().zip(&parts).zip(&self.digests) {
            let signature = aggregate(package, parts, self.share.public())
                .map_err(|error| explain(self.signers.iter().copied(), &error))?;
            let bytes = signature.serialize().map_err(|_any| own("it has no bytes"))?;
            let bytes: [u8; 64] = bytes.try_into().map_err(|_length| own("it has not 64 bytes"))?;
            key.verify_strict(digest, &Signature::from_bytes(&bytes))
                .map_err(|_any| own("it does not verify"))?;
            signatures.push(bytes);
        }
        Ok(signatures)
    }
}

impl Machine for Signing {
    /// A signature of each message (RFC 8032), verified.
    type Output = Vec<[u8; 64]>;

    fn awaits(&self) -> Awaited {
        Awaited { spoken: self.signers.clone(), letters: BTreeSet::new() }
    }

    fn step(mut self, heard: &Heard<'_>) -> Result<Step<Self>, RoundError> {
        self.awaits().check(heard)?;
        if heard.spoken.get(&self.share.holder()) != Some(&self.said) {
            return Err(RoundError::NotMine);
        }
        match std::mem::replace(&mut self.stage, Stage::Shared(Vec::new())) {
            Stage::Committed(nonces) => self.share_out(nonces, heard),
            Stage::Shared(packages) => self.combine(&packages, heard).map(Step::Done),
        }
    }
}
