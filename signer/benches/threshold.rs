//! What our care costs in threshold ECDSA: our state machines (encoding, sealing for each receiver,
//! opening, decoding, checking) against the bare library with its structs passed by reference, as a
//! ratio. Both do the work of all parties in one thread. Never prints a time alone: machines differ,
//! ratios less.
//!
//! `cargo bench -p strongroom-signer --bench threshold -- 2-of-3` for one size.

mod bare;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    io::Write,
    sync::Arc,
    time::{Duration, Instant},
};

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
        let (alone, parties) = timed(|| bare::make(threshold, holders))?;
        say(&size, "DKG", ours, alone)?;
        let shares: BTreeMap<u16, Arc<DklsShare>> =
            shares.into_iter().map(|(holder, share)| (holder, Arc::new(share))).collect();
        // The first of each is not counted: it fills caches.
        let (mut ours, mut alone) = (Duration::MAX, Duration::MAX);
        for round in 0..6_u8 {
            ours = ours.min(timed(|| sign(&shares, threshold, round, &keys))?.0);
            alone = alone.min(timed(|| bare::sign(&parties, threshold, (round, DIGEST)))?.0);
        }
        say(&size, "signature", ours, alone)?;
        let (ours, _) = timed(|| refresh(&shares, threshold, holders, &keys))?;
        let (alone, _) = timed(|| bare::refresh(&parties))?;
        say(&size, "refresh", ours, alone)?;
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
