//! Keys of n signers: making them, signing with them, refreshing their shares, through processes and
//! by the bare library in turn.

use std::path::Path;

use super::cost::{Cost, Costs, cost, ms, times};
use super::forge::clock;
use super::world::{Where, World};
use super::{Kind, Size, bare_ecdsa, bare_frost, folder};

/// Signatures of each, FROST's and ECDSA's: one of these takes ten times as long.
const SIGNATURES: [usize; 2] = [60, 20];
/// Keys made and refreshed; of ECDSA with many holders one alone, which takes a minute.
const KEYS: usize = 3;

/// Either library's key.
enum Bare {
    Frost(bare_frost::Parties),
    Ecdsa(Vec<dkls23_secp256k1::Party>),
}

impl Bare {
    fn make(kind: Kind, (threshold, holders): Size) -> Self {
        match kind {
            Kind::Frost => Self::Frost(bare_frost::Parties::make(threshold, holders)),
            Kind::Ecdsa => Self::Ecdsa(bare_ecdsa::make(threshold, holders).unwrap()),
        }
    }

    fn sign(&self, (threshold, _): Size, number: u8) {
        match self {
            Self::Frost(parties) => parties.sign(&[number; 32]),
            Self::Ecdsa(parties) => {
                bare_ecdsa::sign(parties, threshold, (number, [number; 32])).unwrap();
            }
        }
    }

    fn refresh(&self) {
        match self {
            Self::Frost(parties) => drop(parties.refresh()),
            Self::Ecdsa(parties) => drop(bare_ecdsa::refresh(parties).unwrap()),
        }
    }
}

fn say(of: &str, what: &str, ours: Cost, bare: Cost) {
    println!(
        "{of} {what}: {} = {} bare ({}); processor: signers {} + coordinator {} = {} bare ({})",
        ms(ours.wall),
        times(ours.wall, bare.wall),
        ms(bare.wall),
        ms(ours.theirs),
        ms(ours.own),
        times(ours.cpu(), bare.cpu()),
        ms(bare.cpu()),
    );
}

/// What signers and coordinator take, without what the log and the outside witnesses need to make
/// checkpoints: that is not the signers' work, and many ceremonies would share one.
fn without_checkpoints(world: &mut World, run: impl FnOnce(&mut World)) -> Cost {
    world.aside();
    let ids = world.process_ids();
    let taken = cost(&ids, || run(world)).0;
    taken - world.aside()
}

pub(crate) fn measure(kind: Kind, size: Size, (name, disk): (&str, &Path)) {
    let root = folder(disk);
    let mut world = World::found(root.path(), size.1, Where::Processes, clock());
    let of = format!("{} {} of {}, {name}", kind.name(), size.0, size.1);
    let ids = world.process_ids();

    let keys = if kind == Kind::Ecdsa && size.1 > 3 { 1 } else { KEYS };
    let (mut ours, mut bare) = (Costs::default(), Costs::default());
    let mut made = Vec::new();
    for _ in 0..keys {
        let key = world.ask_for_key(kind, size);
        ours.push(without_checkpoints(&mut world, |world| world.make(kind, key)));
        let (cost, parties) = cost(&[], || Bare::make(kind, size));
        bare.push(cost);
        made.push((key, parties));
    }
    say(&of, "DKG", ours.typical(), bare.typical());
    let (key, parties) = made.pop().unwrap();

    let custody = world.custody(kind, key, size);
    let (mut ours, mut bare, mut taken) = Default::default();
    let count = SIGNATURES[usize::from(kind == Kind::Ecdsa)];
    for number in 0..=u8::try_from(count).unwrap() {
        let asked = world.pay(&custody);
        let orders = world.news();
        let taking = cost(&ids, || world.take_in(orders)).0;
        let signing = cost(&ids, || world.sign(kind, &custody, asked.intent.transfer)).0;
        let alone = cost(&[], || parties.sign(size, number)).0;
        world.settle(&custody, &asked);
        // The first opens shares and fills caches.
        if number > 0 {
            Costs::push(&mut ours, signing);
            Costs::push(&mut bare, alone);
            Costs::push(&mut taken, taking);
        }
    }
    say(&of, "signature", ours.typical(), bare.typical());
    say(&of, "taking in its payment", taken.typical(), bare.typical());

    let (mut ours, mut bare) = (Costs::default(), Costs::default());
    for _ in 0..keys {
        let epoch = world.ask_for_refresh(key);
        ours.push(without_checkpoints(&mut world, |world| world.refresh(key, epoch)));
        bare.push(cost(&[], || parties.refresh()).0);
    }
    say(&of, "refresh", ours.typical(), bare.typical());
}
