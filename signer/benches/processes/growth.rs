//! What a long history does to signers: 2 of 3 with logs of several lengths, taking turns.

use std::time::Instant;

use super::cost::{Costs, cost, ms, times};
use super::forge::clock;
use super::transactions::Custody;
use super::world::{Where, World};
use super::{Kind, folder};

const SIGNATURES: [usize; 2] = [60, 20];
const SIZE: super::Size = (2, 3);

fn lengths() -> Vec<u64> {
    let wanted = std::env::var("BENCH_HISTORY").unwrap_or_else(|_| "1000,10000,100000".to_owned());
    wanted.split(',').map(|number| number.trim().parse().unwrap()).collect()
}

struct Old {
    world: World,
    custody: Custody,
    length: u64,
    signing: Costs,
    taking: Costs,
    _root: tempfile::TempDir,
}

impl Old {
    fn make(kind: Kind, length: u64) -> Self {
        let (_, disk) = super::disks().pop().unwrap();
        let root = folder(&disk);
        let mut world = World::found(root.path(), SIZE.1, Where::Processes, clock());
        let key = world.ask_for_key(kind, SIZE);
        world.make(kind, key);
        let custody = world.custody(kind, key, SIZE);
        while world.forge.head().position < length {
            let asked = world.pay(&custody);
            world.settle(&custody, &asked);
        }
        let ids = world.process_ids();
        let entries = world.forge.head().position;
        let taken = cost(&ids, || world.share_much()).0;
        let started = Instant::now();
        for signer in 0..world.ids.len() {
            world.restart(signer);
        }
        let each = started.elapsed().as_nanos() / u128::from(SIZE.1);
        world.cover_again();
        let memory = world.process_ids().into_iter().map(resident).max().unwrap();
        println!(
            "{} {entries} entries: taken in by 3 signers in {} ({} of the processor an entry and signer), \
             restart {}, {memory} MiB each",
            kind.name(),
            ms(taken.wall),
            ms(taken.theirs / entries / 3),
            ms(u64::try_from(each).unwrap()),
        );
        let (signing, taking) = Default::default();
        Self { world, custody, length: entries, signing, taking, _root: root }
    }
}

/// Mebibytes.
fn resident(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

pub(crate) fn measure(kind: Kind) {
    let mut olds: Vec<Old> = lengths().into_iter().map(|length| Old::make(kind, length)).collect();
    for number in 0..=SIGNATURES[usize::from(kind == Kind::Ecdsa)] {
        for old in &mut olds {
            let world = &mut old.world;
            let ids = world.process_ids();
            let asked = world.pay(&old.custody);
            let orders = world.news_without_cosigning();
            let taking = cost(&ids, || world.take_in(orders)).0;
            let transfer = asked.intent.transfer;
            let signing = cost(&ids, || world.sign(kind, &old.custody, transfer)).0;
            world.settle(&old.custody, &asked);
            if number > 0 {
                old.signing.push(signing);
                old.taking.push(taking);
            }
        }
    }
    let first = (olds[0].signing.typical(), olds[0].taking.typical());
    for old in &olds {
        let (signing, taking) = (old.signing.typical(), old.taking.typical());
        println!(
            "{} after {} entries: signature {} = {}, processor {} = {}; taking its payment in {} = {}, \
             processor {} = {}",
            kind.name(),
            old.length,
            ms(signing.wall),
            times(signing.wall, first.0.wall),
            ms(signing.theirs),
            times(signing.theirs, first.0.theirs),
            ms(taking.wall),
            times(taking.wall, first.1.wall),
            ms(taking.theirs),
            times(taking.theirs, first.1.theirs),
        );
    }
}
