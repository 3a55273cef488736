//! FROST with Taproot tweaks behind the traits of threshold protocols. It adds nothing to
//! [`crate::frost`]: ceremonies and signing are driven through the same calls as orders drive them.

use std::{collections::BTreeSet, sync::Arc};

use strongroom_chains::frost::{ByHolder as Bytes, KeyPath};
use strongroom_domain::key::Protocol;

use super::{
    Awaited, ByHolder, Change, Heard, Held, MOST_MESSAGES, Machine, Message, Place, Refreshing,
    RoundError, Said, Session, Step, ThresholdProtocol,
};
use crate::frost::{
    Ceremony, CeremonyError, ChangePlan, Dealing, Exchange, KeyShare, ShareChange, ShareName,
    SignError, SigningNonces,
};

/// `frost-secp256k1-tr/1`.
pub struct FrostTr;

/// A ceremony under way.
pub struct Generation {
    name: ShareName,
    place: Place,
    stage: Stage,
}

enum Stage {
    Dealt(Box<Dealing>),
    Exchanged(Box<Exchange>),
}

/// A session under way.
pub struct Signing {
    share: Arc<KeyShare>,
    signers: BTreeSet<u16>,
    inputs: Vec<(Message, KeyPath)>,
    said: Vec<u8>,
    stage: SigningStage,
}

enum SigningStage {
    Committed(Vec<SigningNonces>),
    Shared(Vec<Bytes>),
}

impl ThresholdProtocol for FrostTr {
    const PROTOCOL: Protocol = Protocol::FrostSecp256k1Tr;
    type Share = KeyShare;
    type Generation = Generation;
    type Signing = Signing;

    fn generate(name: ShareName, place: Place) -> Result<(Generation, Said), RoundError> {
        let Place { holder, threshold, holders } = place.check()?;
        let begun = Ceremony::new(holder, threshold, holders).and_then(Ceremony::begin);
        let (dealing, spoken) = begun.map_err(explain)?;
        let stage = Stage::Dealt(Box::new(dealing));
        Ok((Generation { name, place, stage }, Said { spoken, letters: ByHolder::new() }))
    }

    fn sign(share: Arc<KeyShare>, session: Session) -> Result<(Signing, Said), RoundError> {
        Signing::begin(share, session)
    }
}

impl Refreshing for FrostTr {
    type Change = ShareChange;

    fn change(
        held: Held<'_, KeyShare>,
        name: ShareName,
        change: &Change,
    ) -> Result<(ShareChange, Said), RoundError> {
        let Change { place, joiner, helpers } = change;
        let (holder, holders) = (place.holder, place.all());
        // Who has its secret again takes part like everyone else.
        let joiner = joiner.filter(|_| !helpers.is_empty());
        let plan = ChangePlan { holder, holders, joiner, helpers: helpers.clone() };
        match held {
            Held::Share(share) => ShareChange::begin(name, plan, share.public(), Some(share)),
            Held::Nothing { package } => {
                let public = strongroom_chains::frost::GroupPublic::from_bytes(package)?;
                ShareChange::begin(name, plan, &public, None)
            }
            Held::Restored { package, scalar } => {
                let public = strongroom_chains::frost::GroupPublic::from_bytes(package)?;
                let own = KeyShare::from_backup(name, holder, scalar, public.clone())
                    .map_err(|error| RoundError::Own(error.to_string()))?;
                ShareChange::begin(name, plan, &public, Some(&own))
            }
        }
    }
}

impl Machine for Generation {
    type Output = KeyShare;

    fn awaits(&self) -> Awaited {
        match self.stage {
            Stage::Dealt(_) => Awaited { spoken: self.place.all(), letters: BTreeSet::new() },
            Stage::Exchanged(_) => {
                Awaited { spoken: BTreeSet::new(), letters: self.place.others() }
            }
        }
    }

    fn step(self, heard: &Heard<'_>) -> Result<Step<Self>, RoundError> {
        self.awaits().check(heard)?;
        let Self { name, place, stage } = self;
        match stage {
            Stage::Dealt(dealing) => {
                let (exchange, letters) = dealing.exchange(heard.spoken).map_err(explain)?;
                let stage = Stage::Exchanged(Box::new(exchange));
                Ok(Step::Said(Self { name, place, stage }, Said { spoken: Vec::new(), letters }))
            }
            Stage::Exchanged(exchange) => {
                exchange.finish(name, heard.letters).map(Step::Done).map_err(explain)
            }
        }
    }
}

impl Signing {
    fn begin(share: Arc<KeyShare>, session: Session) -> Result<(Self, Said), RoundError> {
        let Session { signers, messages, .. } = session;
        let threshold = share.public().threshold();
        let holders: BTreeSet<u16> = share.public().holders().collect();
        let sound = signers.len() == usize::from(threshold)
            && signers.contains(&share.holder())
            && signers.is_subset(&holders)
            && (1..=MOST_MESSAGES).contains(&messages.len());
        // A taproot output belongs to a child: nothing is ever signed under the group key itself.
        let inputs: Option<Vec<_>> = messages.iter().map(|of| Some((*of, of.path?))).collect();
        let (true, Some(inputs)) = (sound, inputs) else {
            let messages = messages.len();
            return Err(RoundError::Session { signers, threshold, messages });
        };
        let count = u16::try_from(inputs.len()).unwrap_or(u16::MAX);
        let drawn = share.commit(count).map_err(failed)?;
        let (nonces, commitments): (Vec<_>, Vec<_>) = drawn.into_iter().unzip();
        let said = join(&commitments);
        let stage = SigningStage::Committed(nonces);
        let machine = Self { share, signers, inputs, said: said.clone(), stage };
        Ok((machine, Said { spoken: said, letters: ByHolder::new() }))
    }

    /// What each signer said of each input.
    fn by_input(&self, heard: &Heard<'_>) -> Result<Vec<Bytes>, RoundError> {
        let mut inputs = vec![Bytes::new(); self.inputs.len()];
        for (sender, bytes) in heard.spoken {
            let parts = split(bytes).filter(|parts| parts.len() == inputs.len());
            let parts = parts.ok_or(RoundError::Malformed(*sender))?;
            for (input, part) in inputs.iter_mut().zip(parts) {
                input.insert(*sender, part);
            }
        }
        Ok(inputs)
    }
}

impl Machine for Signing {
    /// A signature of each message (BIP 340), verified.
    type Output = Vec<[u8; 64]>;

    fn awaits(&self) -> Awaited {
        Awaited { spoken: self.signers.clone(), letters: BTreeSet::new() }
    }

    fn step(self, heard: &Heard<'_>) -> Result<Step<Self>, RoundError> {
        self.awaits().check(heard)?;
        if heard.spoken.get(&self.share.holder()) != Some(&self.said) {
            return Err(RoundError::NotMine);
        }
        let inputs = self.by_input(heard)?;
        let Self { share, signers, inputs: messages, stage, .. } = self;
        match stage {
            SigningStage::Committed(nonces) => {
                let mut parts = Vec::with_capacity(messages.len());
                for ((nonce, commitments), (message, path)) in
                    nonces.into_iter().zip(&inputs).zip(&messages)
                {
                    let part = share.sign(nonce, commitments, &message.digest, *path);
                    parts.push(part.map_err(failed)?);
                }
                let said = join(&parts);
                let stage = SigningStage::Shared(inputs);
                let next = Self { share, signers, inputs: messages, said: said.clone(), stage };
                Ok(Step::Said(next, Said { spoken: said, letters: ByHolder::new() }))
            }
            SigningStage::Shared(commitments) => {
                let mut signatures = Vec::with_capacity(messages.len());
                for ((commitments, parts), (message, path)) in
                    commitments.iter().zip(&inputs).zip(&messages)
                {
                    let combined =
                        share.public().combine(*path, &message.digest, commitments, parts);
                    signatures.push(combined?);
                }
                Ok(Step::Done(signatures))
            }
        }
    }
}

/// Byte strings in one, each behind its length.
pub(crate) fn join(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut joined = Vec::new();
    for part in parts {
        joined.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        joined.extend_from_slice(part);
    }
    joined
}

/// What [`join`] wrote.
pub(crate) fn split(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut parts = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (part, rest) =
            rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        parts.push(part.to_vec());
        bytes = rest;
    }
    Some(parts)
}

fn explain(error: CeremonyError) -> RoundError {
    let because = error.to_string();
    match error {
        CeremonyError::Parameters { holder, threshold, holders } => {
            RoundError::Place(Place { holder, threshold, holders })
        }
        CeremonyError::Senders { found, wanted } => RoundError::Senders { found, wanted },
        CeremonyError::NotMine => RoundError::NotMine,
        CeremonyError::Malformed(sender) => RoundError::Malformed(sender),
        CeremonyError::Culprits(culprits) => match culprits.first() {
            Some(culprit) => RoundError::Culprit { culprit: *culprit, because },
            None => RoundError::Failed(because),
        },
        CeremonyError::Failed(_) => RoundError::Failed(because),
        CeremonyError::Public(error) => error.into(),
    }
}

fn failed(error: SignError) -> RoundError {
    match error {
        SignError::OtherRound(because) => RoundError::Failed(because),
        SignError::Public(error) => error.into(),
        SignError::Failed(_) | SignError::Damaged | SignError::OwnShare(_) => {
            RoundError::Own(error.to_string())
        }
    }
}
