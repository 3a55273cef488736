//! What one signer does of a payment, part by part, in this process and without a network: taking the
//! log in, judging it again, checking the attempt, consuming it, signing. Against its part of the
//! signature by the bare library.

use strongroom_domain::protocol::Order;

use super::cost::{cost, ms, times};
use super::forge::clock;
use super::world::{Where, World};
use super::{Kind, bare_frost, folder};

const PAYMENTS: u32 = 200;

/// Not built yet for threshold ECDSA, whose parts can't be told apart: it is said with the keys.
pub(crate) fn measure(kind: Kind) {
    if kind == Kind::Ecdsa {
        return;
    }
    let (_, memory) = super::disks().pop().unwrap();
    let root = folder(&memory);
    let size = (2, 3);
    let mut world = World::found(root.path(), size.1, Where::Here, clock());
    let key = world.ask_for_key(kind, size);
    world.make(kind, key);
    let custody = world.custody(kind, key, size);
    world.share();
    let bare = bare_frost::Parties::make(size.0, size.1);
    let others = bare.others_commitments();
    let mut spent: [u64; 6] = [0; 6];
    let mut entries = 0;
    for number in 0..=PAYMENTS {
        let before = world.forge.head().position;
        let asked = world.pay(&custody);
        entries += world.forge.head().position - before;
        let transfer = asked.intent.transfer;
        let mut taken = Vec::new();
        for order in world.news() {
            // The first signer alone is timed; the second is needed for its commitment.
            taken.push(timed(|| world.ask(vec![(0, order.clone())])).0);
            world.ask(vec![(1, order.clone()), (2, order)]);
        }
        let commit = Order::Commit { transfer, attempt: 1 };
        let (committing, first) = timed(|| world.ask(vec![(0, commit.clone())]));
        let second = world.ask(vec![(1, commit)]);
        let sign = super::sessions::second_round(&world.ids, transfer, first, second);
        let signing = timed(|| world.ask(vec![(0, sign)])).0;
        let alone = timed(|| bare.sign_alone(&[u8::try_from(number).unwrap(); 32], &others)).0;
        world.settle(&custody, &asked);
        if number > 0 {
            let [extend, cosign, cover] = taken[..] else { panic!() };
            for (sum, part) in
                spent.iter_mut().zip([extend, cosign, cover, committing, signing, alone])
            {
                *sum += part;
            }
        }
    }
    let each = spent.map(|sum| sum / u64::from(PAYMENTS));
    let bare = each[5];
    let all: u64 = each[..5].iter().sum();
    println!(
        "{} one signer, in memory, one thread: {:.0} payments a second with all verification, {:.0} \
         signature parts a second without any = {}; {} entries a payment",
        kind.name(),
        1e9 / all as f64,
        1e9 / bare as f64,
        times(all, bare),
        entries / u64::from(PAYMENTS)
    );
    for (name, part) in
        ["take in the log", "cosign", "checkpoint", "round 1", "round 2"].into_iter().zip(each)
    {
        println!("  {name}: {} = {} its bare part of a signature", ms(part), times(part, bare));
    }
}

/// Nanoseconds of the processor: other programs disturb them less than the clock.
fn timed<T>(run: impl FnOnce() -> T) -> (u64, T) {
    let (taken, result) = cost(&[], run);
    (taken.own, result)
}
