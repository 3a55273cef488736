//! The bare threshold ECDSA library with its structs passed by reference: all parties in one thread, in
//! memory. Never anything of ours: it is what ours is measured against.

use std::collections::BTreeMap;

use dkls23_secp256k1::{
    Party,
    protocols::{
        Parameters, PartyIndex,
        dkg::{self, SessionData},
        signing::SignData,
    },
};
use k256_of_dkls23::Secp256k1;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn index(number: u16) -> Outcome<PartyIndex> {
    Ok(PartyIndex::new(number.try_into()?).map_err(|error| error.to_string())?)
}

fn aborted(abort: &dkls23_secp256k1::protocols::Abort) -> String {
    abort.description()
}

/// Key generation, by all.
pub(super) fn make(threshold: u16, holders: u16) -> Outcome<Vec<Party>> {
    let parameters = Parameters::new(threshold.try_into()?, holders.try_into()?)?;
    let data: Vec<SessionData> = (1..=holders)
        .map(|holder| {
            let (parameters, party_index) = (parameters.clone(), index(holder)?);
            Ok(SessionData { parameters, party_index, session_id: vec![1; 32] })
        })
        .collect::<Outcome<_>>()?;
    let dealt: Vec<_> = data.iter().map(dkg::phase1::<Secp256k1>).collect();
    let second: Vec<_> = (0..data.len())
        .zip(&data)
        .map(|(place, data)| {
            let fragments: Vec<_> =
                dealt.iter().filter_map(|points| points.get(place).copied()).collect();
            dkg::phase2::<Secp256k1>(data, &fragments)
        })
        .collect();
    let third: Vec<_> = data
        .iter()
        .zip(&second)
        .map(|(data, (_, _, zero, _, chain, _))| dkg::phase3::<Secp256k1>(data, zero, chain))
        .collect();
    let proofs: Vec<_> = second.iter().map(|(_, proof, ..)| proof.clone()).collect();
    let chain_2: BTreeMap<_, _> =
        second.iter().map(|(.., said)| (said.sender_index, said.clone())).collect();
    let chain_3: BTreeMap<_, _> =
        third.iter().map(|(.., said)| (said.sender_index, said.clone())).collect();
    let mut parties = Vec::new();
    for ((data, (point, ..)), (zero, _, mul, _, _)) in data.iter().zip(&second).zip(&third) {
        let me = data.party_index;
        let zero_2: Vec<_> = second
            .iter()
            .flat_map(|(_, _, _, letters, ..)| letters)
            .filter(|letter| letter.parties.receiver == me)
            .cloned()
            .collect();
        let zero_3: Vec<_> = third
            .iter()
            .flat_map(|(_, letters, ..)| letters)
            .filter(|letter| letter.parties.receiver == me)
            .cloned()
            .collect();
        let set_ups: Vec<_> = third
            .iter()
            .flat_map(|(_, _, _, letters, _)| letters)
            .filter(|letter| letter.parties.receiver == me)
            .cloned()
            .collect();
        let made = dkg::phase4::<Secp256k1>(
            data,
            point,
            &proofs,
            zero,
            &zero_2,
            &zero_3,
            mul,
            &set_ups,
            &chain_2,
            &chain_3,
            |_| String::new(),
        );
        parties.push(made.map_err(|abort| aborted(&abort))?.0);
    }
    Ok(parties)
}

/// One signature of `digest`, by the first `threshold`. `round` makes the session's name.
pub(super) fn sign(
    parties: &[Party],
    threshold: u16,
    (round, digest): (u8, [u8; 32]),
) -> Outcome<Vec<String>> {
    let signers: Vec<_> = parties.iter().take(threshold.into()).collect();
    let mut data = Vec::new();
    for party in &signers {
        let others = signers.iter().map(|other| other.party_index);
        let counterparties = others.filter(|other| *other != party.party_index).collect();
        let sign_id = vec![round; 32];
        data.push(SignData { sign_id, counterparties, message_hash: digest });
    }
    let (mut kept, mut letters) = (Vec::new(), Vec::new());
    for (party, data) in signers.iter().zip(&data) {
        let (unique, keep, said) = party.sign_phase1(data).map_err(|abort| aborted(&abort))?;
        kept.push((unique, keep));
        letters.extend(said);
    }
    let (mut kept_2, mut letters_2) = (Vec::new(), Vec::new());
    for ((party, data), (unique, keep)) in signers.iter().zip(&data).zip(kept) {
        let mine: Vec<_> = letters
            .iter()
            .filter(|letter| letter.parties.receiver == party.party_index)
            .cloned()
            .collect();
        let (unique, keep, said) =
            party.sign_phase2(data, unique, keep, &mine).map_err(|abort| aborted(&abort))?;
        kept_2.push((unique, keep));
        letters_2.extend(said);
    }
    let (mut halves, mut sums) = (Vec::new(), Vec::new());
    for ((party, data), (unique, keep)) in signers.iter().zip(&data).zip(kept_2) {
        let mine: Vec<_> = letters_2
            .iter()
            .filter(|letter| letter.parties.receiver == party.party_index)
            .cloned()
            .collect();
        let (half, sum) =
            party.sign_phase3(data, unique, keep, &mine).map_err(|abort| aborted(&abort))?;
        halves.push(half);
        sums.push(sum);
    }
    let mut signatures = Vec::new();
    for ((party, data), half) in signers.iter().zip(&data).zip(&halves) {
        let (signature, _) =
            party.sign_phase4(data, half, &sums, true).map_err(|abort| aborted(&abort))?;
        signatures.push(signature);
    }
    Ok(signatures)
}

/// New shares of the same key, by all.
pub(super) fn refresh(parties: &[Party]) -> Outcome<Vec<Party>> {
    let session = [3; 32];
    let dealt: Vec<_> = parties.iter().map(Party::refresh_complete_phase1).collect();
    let second: Vec<_> = parties
        .iter()
        .enumerate()
        .map(|(place, party)| {
            let fragments: Vec<_> =
                dealt.iter().filter_map(|points| points.get(place).copied()).collect();
            party.refresh_complete_phase2(&session, &fragments)
        })
        .collect();
    let third: Vec<_> = parties
        .iter()
        .zip(&second)
        .map(|(party, (_, _, zero, _))| party.refresh_complete_phase3(&session, zero))
        .collect();
    let proofs: Vec<_> = second.iter().map(|(_, proof, ..)| proof.clone()).collect();
    let mut renewed = Vec::new();
    for ((party, (point, ..)), (zero, _, mul, _)) in parties.iter().zip(&second).zip(&third) {
        let me = party.party_index;
        let zero_2: Vec<_> = second
            .iter()
            .flat_map(|(_, _, _, letters)| letters)
            .filter(|letter| letter.parties.receiver == me)
            .cloned()
            .collect();
        let zero_3: Vec<_> = third
            .iter()
            .flat_map(|(_, letters, ..)| letters)
            .filter(|letter| letter.parties.receiver == me)
            .cloned()
            .collect();
        let set_ups: Vec<_> = third
            .iter()
            .flat_map(|(.., letters)| letters)
            .filter(|letter| letter.parties.receiver == me)
            .cloned()
            .collect();
        let made = party.refresh_complete_phase4(
            &session, point, &proofs, zero, &zero_2, &zero_3, mul, &set_ups,
        );
        renewed.push(made.map_err(|abort| aborted(&abort))?);
    }
    Ok(renewed)
}
