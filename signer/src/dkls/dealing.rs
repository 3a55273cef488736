//! Making a key and changing its shares: four rounds, alike but for what they start from. Never opens
//! a commitment before every other holder has committed, and never shows two commitments in a round.
//!
//! | round | to all | to one |
//! |---|---|---|
//! | 1 | a contribution to the session's name | a point of the sender's polynomial (and a term of a lost share) |
//! | 2 | commitments: to the proof of the sum, to a part of the chain code | a commitment to a seed |
//! | 3 | what they commit to | the seed; base OTs of the pair's multiplications |
//! | 4 | – | – |

use std::collections::BTreeMap;

use dkls23_secp256k1::protocols::{
    Abort, PartiesMessage, PartyIndex,
    dkg::{
        self, KeepInitMulPhase3to4, KeepInitZeroSharePhase2to3, KeepInitZeroSharePhase3to4,
        ProofCommitment, SessionData, TransmitInitMulPhase3to4, TransmitInitZeroSharePhase3to4,
        UniqueKeepDerivationPhase2to3,
    },
};
use k256_of_dkls23::{Scalar, Secp256k1};
use rand::{RngCore, rngs::OsRng};
use sha2::{Digest, Sha256};
use strongroom_secrets::Secret;
use zeroize::{Zeroize, Zeroizing};

use super::{
    DklsShare,
    abort::{explain, proven},
    change::{Base, Repair},
    openings::openings,
    public::{index, parameters},
    wire::{
        ChainOpening, Commitments, Contribution, Lacking, Offer, Openings, SeedCommitment, SetUp,
        decode, encode, encode_secret,
    },
};
use crate::{
    frost::ShareName,
    threshold::{Awaited, ByHolder, Change, Heard, Held, Machine, Place, RoundError, Said, Step},
};

const DOMAIN: &[u8] = b"strongroom/dkls23-ceremony/v1\0";

/// A ceremony under way.
pub struct Dealing {
    name: ShareName,
    place: Place,
    base: Base,
    said: Vec<u8>,
    stage: Stage,
}

enum Stage {
    Offered(Zeroizing<Scalar>),
    Committed(Box<Committed>),
    Opened(Box<Opened>),
}

struct Committed {
    session: Vec<u8>,
    point: Scalar,
    proof: ProofCommitment<Secp256k1>,
    seeds: BTreeMap<PartyIndex, KeepInitZeroSharePhase2to3>,
    chain: Option<UniqueKeepDerivationPhase2to3>,
}

struct Opened {
    session: Vec<u8>,
    point: Scalar,
    commitments: ByHolder<Commitments>,
    seed_commitments: Vec<SeedCommitment>,
    seeds: BTreeMap<PartyIndex, KeepInitZeroSharePhase3to4>,
    multiplications: BTreeMap<PartyIndex, KeepInitMulPhase3to4<Secp256k1>>,
}

impl Drop for Committed {
    fn drop(&mut self) {
        self.point.zeroize();
        for kept in self.seeds.values_mut() {
            kept.seed.zeroize();
            kept.salt.zeroize();
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.point.zeroize();
        for kept in self.seeds.values_mut() {
            kept.seed.zeroize();
        }
        for kept in self.multiplications.values_mut() {
            kept.ot_sender.s.zeroize();
            kept.ot_receiver.seed.zeroize();
            kept.nonce.zeroize();
            kept.vec_r.zeroize();
            kept.correlation.zeroize();
        }
    }
}

impl Dealing {
    /// Round 1 of a key.
    pub(super) fn generate(name: ShareName, place: Place) -> Result<(Self, Said), RoundError> {
        let place = place.check()?;
        let fragments = Zeroizing::new(dkg::phase1::<Secp256k1>(&data(place, Vec::new())?));
        Self::offer(name, place, Base::New, &fragments, None)
    }

    /// Round 1 of a change.
    pub(super) fn change(
        held: &Held<'_, DklsShare>,
        name: ShareName,
        change: &Change,
    ) -> Result<(Self, Said), RoundError> {
        let (base, repair) = Base::of(held, name, change)?;
        let fragments = match &base {
            Base::Holder { party, .. }
            | Base::Restored { party, .. }
            | Base::Hollow { party, .. } => Zeroizing::new(party.refresh_complete_phase1()),
            Base::New => return Err(RoundError::Change("a change starts from a key")),
        };
        Self::offer(name, change.place, base, &fragments, repair.as_ref())
    }

    fn offer(
        name: ShareName,
        place: Place,
        base: Base,
        fragments: &[Scalar],
        repair: Option<&Repair>,
    ) -> Result<(Self, Said), RoundError> {
        let of = |holder: u16| {
            let place = usize::from(holder).saturating_sub(1);
            let none = || RoundError::Own("the polynomial has no such point".to_owned());
            fragments.get(place).copied().ok_or_else(none)
        };
        let mut letters = ByHolder::new();
        for receiver in place.others() {
            let lacking = repair.map(|repair| repair.given(&base, receiver)).transpose()?;
            let lacking = lacking.unwrap_or(Lacking::Nothing);
            let offer = Offer { fragment: of(receiver)?, lacking };
            letters.insert(receiver, encode_secret(&offer)?);
        }
        let mut contribution: Contribution = [0; 32];
        OsRng.fill_bytes(&mut contribution);
        let spoken = contribution.to_vec();
        let stage = Stage::Offered(Zeroizing::new(of(place.holder)?));
        Ok((Self { name, place, base, said: spoken.clone(), stage }, Said { spoken, letters }))
    }

    fn me(&self) -> u16 {
        self.place.holder
    }

    fn explain(&self, abort: &Abort) -> RoundError {
        explain(self.me(), abort)
    }

    fn go_on(mut self, spoken: Vec<u8>, stage: Stage, letters: ByHolder<Secret>) -> Step<Self> {
        self.said.clone_from(&spoken);
        self.stage = stage;
        Step::Said(self, Said { spoken, letters })
    }

    /// The session's name: nobody chooses it, and it is of this key, epoch and these holders.
    fn session(&self, heard: &Heard<'_>) -> Result<Vec<u8>, RoundError> {
        let Place { threshold, holders, .. } = self.place;
        let mut hash = Sha256::new_with_prefix(DOMAIN);
        hash.update(self.name.key.as_bytes());
        hash.update(self.name.epoch.to_be_bytes());
        hash.update(threshold.to_be_bytes());
        hash.update(holders.to_be_bytes());
        for (sender, bytes) in heard.spoken {
            let contribution: Contribution =
                bytes.as_slice().try_into().map_err(|_| RoundError::Malformed(*sender))?;
            hash.update(contribution);
        }
        Ok(hash.finalize().to_vec())
    }

    /// Round 2.
    fn commit(mut self, own: &Scalar, heard: &Heard<'_>) -> Result<Step<Self>, RoundError> {
        let session = self.session(heard)?;
        let mut fragments = Zeroizing::new(vec![*own]);
        let mut lacking = ByHolder::new();
        for (sender, letter) in heard.letters {
            let mut offer: Offer = decode(letter.expose(), *sender)?;
            fragments.push(offer.fragment);
            let given = std::mem::replace(&mut offer.lacking, Lacking::Nothing);
            lacking.insert(*sender, given);
        }
        self.base = std::mem::replace(&mut self.base, Base::New).filled(self.me(), lacking)?;
        let (point, proof, seeds, transmit, chain) = match &self.base {
            Base::New => {
                let data = data(self.place, session.clone())?;
                let (point, proof, seeds, transmit, keep, spoken) =
                    dkg::phase2::<Secp256k1>(&data, &fragments);
                (point, proof, seeds, transmit, Some((keep, spoken.cc_commitment)))
            }
            Base::Holder { party, .. }
            | Base::Restored { party, .. }
            | Base::Hollow { party, .. } => {
                let (point, proof, seeds, transmit) =
                    party.refresh_complete_phase2(&session, &fragments);
                (point, proof, seeds, transmit, None)
            }
        };
        let commitments = Commitments {
            proof: proof.commitment,
            chain: chain.as_ref().map(|(_, commitment)| *commitment),
        };
        let mut letters = ByHolder::new();
        for commitment in transmit {
            letters.insert(receiver(&commitment.parties), encode_secret(&commitment)?);
        }
        let chain = chain.map(|(keep, _)| keep);
        let stage = Committed { session, point, proof, seeds, chain };
        Ok(self.go_on(encode(&commitments)?, Stage::Committed(Box::new(stage)), letters))
    }

    /// Round 3: every holder has committed.
    fn open(self, mut kept: Committed, heard: &Heard<'_>) -> Result<Step<Self>, RoundError> {
        let mut commitments = ByHolder::new();
        for (sender, bytes) in heard.spoken {
            let committed: Commitments = decode(bytes, *sender)?;
            if committed.chain.is_some() != kept.chain.is_some() {
                return Err(RoundError::Malformed(*sender));
            }
            commitments.insert(*sender, committed);
        }
        let mut seed_commitments = Vec::with_capacity(heard.letters.len());
        for (sender, letter) in heard.letters {
            let commitment: SeedCommitment = decode(letter.expose(), *sender)?;
            self.addressed(*sender, &commitment.parties)?;
            seed_commitments.push(commitment);
        }
        let (seeds, transmit, multiplications, set_ups, chain) = match (&self.base, &kept.chain) {
            (Base::New, Some(chain)) => {
                let data = data(self.place, kept.session.clone())?;
                let (seeds, transmit, keep, set_ups, spoken) =
                    dkg::phase3::<Secp256k1>(&data, &kept.seeds, chain);
                let opening = ChainOpening { code: spoken.aux_chain_code, salt: spoken.cc_salt };
                (seeds, transmit, keep, set_ups, Some(opening))
            }
            (Base::Holder { party, .. }, None) => {
                let (seeds, transmit, keep, set_ups) =
                    party.refresh_complete_phase3(&kept.session, &kept.seeds);
                (seeds, transmit, keep, set_ups, None)
            }
            (Base::New | Base::Holder { .. } | Base::Restored { .. } | Base::Hollow { .. }, _) => {
                return Err(RoundError::Own("a ceremony in the middle of two".to_owned()));
            }
        };
        let letters = letters(transmit, set_ups)?;
        let spoken = encode(&Openings { proof: kept.proof.proof.clone(), chain })?;
        let opened = Opened {
            session: std::mem::take(&mut kept.session),
            point: kept.point,
            commitments,
            seed_commitments,
            seeds,
            multiplications,
        };
        Ok(self.go_on(spoken, Stage::Opened(Box::new(opened)), letters))
    }

    /// Round 4.
    fn finish(self, kept: &Opened, heard: &Heard<'_>) -> Result<Step<Self>, RoundError> {
        let opened = openings(&kept.commitments, heard)?;
        let (mut seeds, mut set_ups) = (Vec::new(), Vec::new());
        for (sender, letter) in heard.letters {
            let set_up: SetUp = decode(letter.expose(), *sender)?;
            self.addressed(*sender, &set_up.seed.parties)?;
            self.addressed(*sender, &set_up.multiplication.parties)?;
            seeds.push(set_up.seed.clone());
            set_ups.push(set_up.multiplication.clone());
        }
        let shared = match &self.base {
            Base::New => dkg::phase4::<Secp256k1>(
                &data(self.place, kept.session.clone())?,
                &kept.point,
                &opened.proofs,
                &kept.seeds,
                &kept.seed_commitments,
                &seeds,
                &kept.multiplications,
                &set_ups,
                &opened.chain_commitments,
                &opened.chain,
                |_| String::new(),
            )
            .map_err(|abort| self.explain(&abort)),
            Base::Holder { party, public } => {
                let party = party.refresh_complete_phase4(
                    &kept.session,
                    &kept.point,
                    &opened.proofs,
                    &kept.seeds,
                    &kept.seed_commitments,
                    &seeds,
                    &kept.multiplications,
                    &set_ups,
                );
                let party = party.map_err(|abort| self.explain(&abort))?;
                let package = public.package().refresh(&kept.session, &opened.proofs);
                package.map(|package| (party, package)).map_err(|reason| match proven(&reason) {
                    Some(culprit) => RoundError::Culprit { culprit, because: reason.to_string() },
                    None => RoundError::Failed(reason.to_string()),
                })
            }
            Base::Restored { .. } | Base::Hollow { .. } => {
                Err(RoundError::Own("a hollow place at the end".to_owned()))
            }
        };
        for seed in &mut seeds {
            seed.seed.zeroize();
            seed.salt.zeroize();
        }
        let (party, package) = shared?;
        Ok(Step::Done(DklsShare::new(self.name, party, package)?))
    }

    /// A letter says whose it is, and for whom: as the one who brought it says.
    fn addressed(&self, sender: u16, parties: &PartiesMessage) -> Result<(), RoundError> {
        if parties.sender == index(sender)? && parties.receiver == index(self.me())? {
            Ok(())
        } else {
            Err(RoundError::Malformed(sender))
        }
    }
}

impl Machine for Dealing {
    type Output = DklsShare;

    fn awaits(&self) -> Awaited {
        Awaited { spoken: self.place.all(), letters: self.place.others() }
    }

    fn step(mut self, heard: &Heard<'_>) -> Result<Step<Self>, RoundError> {
        self.awaits().check(heard)?;
        if heard.spoken.get(&self.me()) != Some(&self.said) {
            return Err(RoundError::NotMine);
        }
        let taken = std::mem::replace(&mut self.stage, Stage::Offered(Zeroizing::default()));
        match taken {
            Stage::Offered(own) => self.commit(&own, heard),
            Stage::Committed(kept) => self.open(*kept, heard),
            Stage::Opened(kept) => self.finish(&kept, heard),
        }
    }
}

/// One letter of round 3 for each receiver.
fn letters(
    seeds: Vec<TransmitInitZeroSharePhase3to4>,
    set_ups: Vec<TransmitInitMulPhase3to4<Secp256k1>>,
) -> Result<ByHolder<Secret>, RoundError> {
    let mut seeds: BTreeMap<u16, _> =
        seeds.into_iter().map(|seed| (receiver(&seed.parties), seed)).collect();
    let mut letters = ByHolder::new();
    for multiplication in set_ups {
        let to = receiver(&multiplication.parties);
        let none = || RoundError::Own("a pair without a seed".to_owned());
        let seed = seeds.remove(&to).ok_or_else(none)?;
        letters.insert(to, encode_secret(&SetUp { seed, multiplication })?);
    }
    Ok(letters)
}

fn receiver(parties: &PartiesMessage) -> u16 {
    parties.receiver.as_u8().into()
}

fn data(place: Place, session_id: Vec<u8>) -> Result<SessionData, RoundError> {
    Ok(SessionData {
        parameters: parameters(place.threshold, place.holders)?,
        party_index: index(place.holder)?,
        session_id,
    })
}
