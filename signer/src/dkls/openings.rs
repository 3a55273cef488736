//! Round 3's openings, each beside what its sender had committed to. Never takes one that no commitment
//! came before.

use std::collections::BTreeMap;

use dkls23_secp256k1::protocols::{
    PartyIndex,
    dkg::{BroadcastDerivationPhase2to4, BroadcastDerivationPhase3to4, ProofCommitment},
};
use k256_of_dkls23::Secp256k1;

use super::{
    public::index,
    wire::{ChainOpening, Commitments, Openings, decode},
};
use crate::threshold::{ByHolder, Heard, RoundError};

/// Everyone's openings, beside what they had committed to.
pub(super) struct Opening {
    pub(super) proofs: Vec<ProofCommitment<Secp256k1>>,
    pub(super) chain_commitments: BTreeMap<PartyIndex, BroadcastDerivationPhase2to4>,
    pub(super) chain: BTreeMap<PartyIndex, BroadcastDerivationPhase3to4>,
}

/// What was said in round 3, held against what was said in round 2.
pub(super) fn openings(
    commitments: &ByHolder<Commitments>,
    heard: &Heard<'_>,
) -> Result<Opening, RoundError> {
    let mut all =
        Opening { proofs: Vec::new(), chain_commitments: BTreeMap::new(), chain: BTreeMap::new() };
    for (sender, bytes) in heard.spoken {
        let opening: Openings = decode(bytes, *sender)?;
        let sender_index = index(*sender)?;
        let missing = || RoundError::Own("a commitment is missing".to_owned());
        let committed = commitments.get(sender).ok_or_else(missing)?;
        match (committed.chain, opening.chain) {
            (Some(cc_commitment), Some(ChainOpening { code, salt })) => {
                let before = BroadcastDerivationPhase2to4 { sender_index, cc_commitment };
                all.chain_commitments.insert(sender_index, before);
                let after = BroadcastDerivationPhase3to4 {
                    sender_index,
                    aux_chain_code: code,
                    cc_salt: salt,
                };
                all.chain.insert(sender_index, after);
            }
            (None, None) => {}
            (Some(_), None) | (None, Some(_)) => return Err(RoundError::Malformed(*sender)),
        }
        all.proofs.push(ProofCommitment {
            index: sender_index,
            proof: opening.proof,
            commitment: committed.proof,
        });
    }
    Ok(all)
}
