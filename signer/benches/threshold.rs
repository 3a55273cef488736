//! What our care costs in threshold ECDSA: our state machines (encoding, sealing for each receiver,
//! opening, decoding, checking) against the bare library with its structs passed by reference, as a
//! ratio. Both do the work of all parties in one thread. Never prints a time alone: machines differ,
//! ratios less.
//!
//! `cargo bench -p strongroom-signer --bench threshold -- 2-of-3` for one size.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    io::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use dkls23_secp256k1::{
    Party,
    protocols::{
        Parameters, PartyIndex,
        dkg::{self, SessionData},
        signing::SignData,
    },
};
use k256_of_dkls23::Secp256k1;
use strongroom_secrets::Secret;
use strongroom_signer::{
    dkls::{Dkls23, DklsShare},
    frost::ShareName,
    sealing::{Letterhead, SealingKey},
    threshold::{
        ByHolder, Change, Heard, Held, Machine, Message, Place, Refreshing, Said, Session, Step,
        ThresholdProtocol,
    },
};
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const SIZES: [(u16, u16); 4] = [(2, 3), (3, 5), (5, 7), (7, 10)];
const DIGEST: [u8; 32] = [7; 32];
const EPOCH: u32 = 2;

fn main() -> Outcome<()> {
    let wanted = env::args().find(|argument| argument.contains("-of-"));
    for (threshold, holders) in SIZES {
        let size = format!("{threshold}-of-{holders}");
        if wanted.as_ref().is_some_and(|wanted| *wanted != size) {
            continue;
        }
        let keys: BTreeMap<u16, SealingKey> =
            (1..=holders).map(|holder| (holder, SealingKey::generate())).collect();
        let (ours, shares) = timed(|| make(threshold, holders, &keys))?;
        let (bare, parties) = timed(|| bare_make(threshold, holders))?;
        say(&size, "DKG", ours, bare)?;
        let shares: BTreeMap<u16, Arc<DklsShare>> =
            shares.into_iter().map(|(holder, share)| (holder, Arc::new(share))).collect();
        // The first of each is not counted: it fills caches.
        let (mut ours, mut bare) = (Duration::MAX, Duration::MAX);
        for round in 0..6_u8 {
            ours = ours.min(timed(|| sign(&shares, threshold, round, &keys))?.0);
            bare = bare.min(timed(|| bare_sign(&parties, threshold, round))?.0);
        }
        say(&size, "signature", ours, bare)?;
        let (ours, _) = timed(|| refresh(&shares, threshold, holders, &keys))?;
        let (bare, _) = timed(|| bare_refresh(&parties))?;
        say(&size, "refresh", ours, bare)?;
    }
    Ok(())
}

fn say(size: &str, what: &str, ours: Duration, bare: Duration) -> Outcome<()> {
    let percent = ours.as_micros().saturating_mul(100).checked_div(bare.as_micros()).unwrap_or(0);
    writeln!(
        std::io::stdout(),
        "{size} {what}: ours {} us, bare library {} us, ratio {}.{:02} (all parties, one thread)",
        ours.as_micros(),
        bare.as_micros(),
        percent / 100,
        percent % 100
    )?;
    Ok(())
}

fn timed<T>(run: impl FnOnce() -> Outcome<T>) -> Outcome<(Duration, T)> {
    let begun = Instant::now();
    let result = run()?;
    Ok((begun.elapsed(), result))
}

fn name(holder: u16, epoch: u32) -> ShareName {
    ShareName { key: Uuid::from_u128(1), signer: Uuid::from_u128(holder.into()), epoch }
}

fn head(round: u16, sender: u16, receiver: u16) -> Letterhead<'static> {
    Letterhead {
        protocol: "bench",
        session: Uuid::nil(),
        round,
        sender: Uuid::from_u128(sender.into()),
        receiver: Uuid::from_u128(receiver.into()),
    }
}

/// Runs machines to their end, every letter sealed by its sender and opened by its receiver.
fn run<M: Machine>(
    begun: BTreeMap<u16, (M, Said)>,
    keys: &BTreeMap<u16, SealingKey>,
) -> Outcome<BTreeMap<u16, M::Output>> {
    let (mut machines, mut said) = (BTreeMap::new(), BTreeMap::new());
    for (holder, (machine, spoken)) in begun {
        machines.insert(holder, machine);
        said.insert(holder, spoken);
    }
    let mut ended = BTreeMap::new();
    for round in 1_u16.. {
        let mut spoken: ByHolder<Vec<u8>> = ByHolder::new();
        let mut letters: BTreeMap<u16, ByHolder<Secret>> = BTreeMap::new();
        for (sender, words) in std::mem::take(&mut said) {
            spoken.insert(sender, words.spoken);
            for (receiver, letter) in words.letters {
                let (from, to) = (key(keys, sender)?, key(keys, receiver)?);
                let head = head(round, sender, receiver);
                let sealed = from.seal(&to.public(), &head, &letter)?;
                let opened = to.open(&from.public(), &head, &sealed)?;
                letters.entry(receiver).or_default().insert(sender, opened);
            }
        }
        let nothing = ByHolder::new();
        for (holder, machine) in std::mem::take(&mut machines) {
            let silent = machine.awaits().spoken.is_empty();
            let own = letters.remove(&holder).unwrap_or_default();
            let heard = Heard { spoken: if silent { &nothing } else { &spoken }, letters: &own };
            match machine.step(&heard)? {
                Step::Said(machine, words) => {
                    machines.insert(holder, machine);
                    said.insert(holder, words);
                }
                Step::Done(output) => drop(ended.insert(holder, output)),
            }
        }
        if machines.is_empty() {
            break;
        }
    }
    Ok(ended)
}

fn key(keys: &BTreeMap<u16, SealingKey>, holder: u16) -> Outcome<&SealingKey> {
    keys.get(&holder).ok_or_else(|| "a holder without a key".into())
}

fn make(
    threshold: u16,
    holders: u16,
    keys: &BTreeMap<u16, SealingKey>,
) -> Outcome<BTreeMap<u16, DklsShare>> {
    let begun: Result<BTreeMap<_, _>, _> = (1..=holders)
        .map(|holder| {
            let place = Place { holder, threshold, holders };
            Dkls23::generate(name(holder, 1), place).map(|begun| (holder, begun))
        })
        .collect();
    run(begun?, keys)
}

fn sign(
    shares: &BTreeMap<u16, Arc<DklsShare>>,
    threshold: u16,
    round: u8,
    keys: &BTreeMap<u16, SealingKey>,
) -> Outcome<BTreeMap<u16, Vec<[u8; 64]>>> {
    let signers: BTreeSet<u16> = (1..=threshold).collect();
    let messages = vec![Message { digest: DIGEST, path: None }];
    let session = Session { id: [round; 32], signers, messages };
    let begun: Result<BTreeMap<_, _>, _> = shares
        .iter()
        .take(threshold.into())
        .map(|(holder, share)| {
            Dkls23::sign(Arc::clone(share), session.clone()).map(|begun| (*holder, begun))
        })
        .collect();
    run(begun?, keys)
}

fn refresh(
    shares: &BTreeMap<u16, Arc<DklsShare>>,
    threshold: u16,
    holders: u16,
    keys: &BTreeMap<u16, SealingKey>,
) -> Outcome<BTreeMap<u16, DklsShare>> {
    let begun: Result<BTreeMap<_, _>, _> = shares
        .iter()
        .map(|(holder, share)| {
            let place = Place { holder: *holder, threshold, holders };
            let change = Change { place, joiner: None, helpers: BTreeSet::new() };
            Dkls23::change(Held::Share(share.as_ref()), name(*holder, EPOCH), &change)
                .map(|begun| (*holder, begun))
        })
        .collect();
    run(begun?, keys)
}

fn index(number: u16) -> Outcome<PartyIndex> {
    Ok(PartyIndex::new(number.try_into()?).map_err(|error| error.to_string())?)
}

fn aborted(abort: &dkls23_secp256k1::protocols::Abort) -> String {
    abort.description()
}

fn bare_make(threshold: u16, holders: u16) -> Outcome<Vec<Party>> {
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

fn bare_sign(parties: &[Party], threshold: u16, round: u8) -> Outcome<Vec<String>> {
    let signers: Vec<_> = parties.iter().take(threshold.into()).collect();
    let mut data = Vec::new();
    for party in &signers {
        let others = signers.iter().map(|other| other.party_index);
        let counterparties = others.filter(|other| *other != party.party_index).collect();
        let sign_id = vec![round; 32];
        data.push(SignData { sign_id, counterparties, message_hash: DIGEST });
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

fn bare_refresh(parties: &[Party]) -> Outcome<Vec<Party>> {
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
