//! One session of a spend proof, from its first round to the signature. Sees public messages and
//! sealed letters; never a share.

use super::drive::{Stop, wait};
use crate::signers::Signers;
use futures::future::join_all;
use std::collections::BTreeMap;
use strongroom_chains::{
    frost::{ByHolder, FrostError, GroupPublic},
    spend_proof::{digest, path},
};
use strongroom_domain::{
    Bytes, SignerId,
    key::{Active, Protocol},
    protocol::{Order, Reply, Sealed, Spoken, Work},
};
use uuid::Uuid;

/// More rounds than any protocol has.
const MOST_ROUNDS: u16 = 16;

/// A session: its name is random and never used again.
pub(super) struct Session<'a> {
    asked: &'a Signers,
    active: &'a Active,
    signers: Vec<SignerId>,
    name: Bytes,
    at_least: u64,
}

/// What everyone said in a round.
struct Round {
    spoken: Vec<Spoken>,
    letters: BTreeMap<SignerId, Vec<Sealed>>,
    signatures: Option<Vec<Bytes>>,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        asked: &'a Signers,
        active: &'a Active,
        signers: Vec<SignerId>,
        at_least: u64,
    ) -> Self {
        let name = Bytes(Uuid::new_v4().as_bytes().to_vec());
        Self { asked, active, signers, name, at_least }
    }

    /// Runs the protocol's rounds. What comes out is verified by the caller.
    pub(super) async fn run(self, statement: &str) -> Result<Vec<Bytes>, Stop> {
        let named = |signer: &SignerId| Spoken { signer: *signer, message: Bytes::default() };
        let mut spoken: Vec<_> = self.signers.iter().map(named).collect();
        let mut letters = BTreeMap::new();
        let mut before: Vec<Vec<Spoken>> = Vec::new();
        for round in 1..=MOST_ROUNDS {
            let said = self.round(round, &spoken, letters).await?;
            if let Some(signatures) = said.signatures {
                return Ok(signatures);
            }
            before.push(said.spoken.clone());
            if let (Protocol::FrostSecp256k1Tr, [commitments, shares]) =
                (self.active.plan.protocol, before.as_slice())
            {
                return self.combine(statement, commitments, shares);
            }
            (spoken, letters) = (said.spoken, said.letters);
        }
        Err(wait("the proof has not ended after its last round"))
    }

    async fn round(
        &self,
        round: u16,
        spoken: &[Spoken],
        mut letters: BTreeMap<SignerId, Vec<Sealed>>,
    ) -> Result<Round, Stop> {
        let (key, epoch) = (self.active.plan.key, self.active.epoch);
        let asked = self.signers.iter().map(|signer| {
            let order = Order::Step {
                work: Work::Proof { key, epoch },
                session: self.name.clone(),
                round,
                spoken: spoken.to_vec(),
                letters: letters.remove(signer).unwrap_or_default(),
            };
            async move { (*signer, self.asked.order(*signer, &order, self.at_least).await) }
        });
        let answers = join_all(asked.collect::<Vec<_>>()).await;
        let mut said = Round { spoken: Vec::new(), letters: BTreeMap::new(), signatures: None };
        let (mut because, mut failed) = (None, Vec::new());
        for (signer, answer) in answers {
            match answer {
                Ok(Reply::Spoke { message, letters }) => {
                    said.spoken.push(Spoken { signer, message });
                    for letter in letters.into_iter().filter(|letter| letter.sender == signer) {
                        said.letters.entry(letter.receiver).or_default().push(letter);
                    }
                }
                Ok(Reply::Signatures { signatures }) => said.signatures = Some(signatures),
                Ok(other) => {
                    because.get_or_insert(format!("signer {signer}: {}", told(&other)));
                    failed.push(signer);
                }
                Err(error) => {
                    because.get_or_insert(error.to_string());
                    failed.push(signer);
                }
            }
        }
        match because {
            // One that has the whole signature is enough.
            Some(because) if said.signatures.is_none() => Err(Stop::Wait { because, failed }),
            _ => Ok(said),
        }
    }

    fn combine(
        &self,
        statement: &str,
        commitments: &[Spoken],
        shares: &[Spoken],
    ) -> Result<Vec<Bytes>, Stop> {
        let by_holder = |spoken: &[Spoken]| -> ByHolder {
            let numbered =
                |of: &Spoken| Some((self.active.index_of(of.signer)?, of.message.0.clone()));
            spoken.iter().filter_map(numbered).collect()
        };
        let group = GroupPublic::from_bytes(self.active.public_package.as_slice()).map_err(wait)?;
        let signed = group.combine(
            path(self.active.epoch),
            &digest(statement),
            &by_holder(commitments),
            &by_holder(shares),
        );
        let signature = signed.map_err(|error| Stop::Wait {
            failed: self.culprits(&error),
            because: error.to_string(),
        })?;
        Ok(vec![Bytes(signature.to_vec())])
    }

    /// Whom a failed combination proves wrong: nothing of value is at stake, so others are asked.
    fn culprits(&self, error: &FrostError) -> Vec<SignerId> {
        let holders: Vec<u16> = match error {
            FrostError::Commitment(holder) | FrostError::Share(holder) => vec![*holder],
            FrostError::Culprits(holders) => holders.iter().copied().collect(),
            FrostError::Unverified
            | FrostError::Commitments(_)
            | FrostError::GroupKey
            | FrostError::Path { .. }
            | FrostError::NoChild { .. }
            | FrostError::PublicPackage
            | FrostError::NoHolder
            | FrostError::Holders { .. }
            | FrostError::TooFew { .. }
            | FrostError::Stranger(_) => Vec::new(),
        };
        holders.iter().filter_map(|holder| self.active.holders.get(holder).copied()).collect()
    }
}

/// What an answer says that is no part of a proof.
#[expect(clippy::wildcard_enum_match_arm, reason = "every other answer is to another question")]
pub(super) fn told(reply: &Reply) -> String {
    match reply {
        Reply::Refused(refusal) => refusal.to_string(),
        Reply::Unavailable { because } | Reply::Corrupt { because, .. } => because.clone(),
        _ => "it answered something else than was asked".to_owned(),
    }
}
