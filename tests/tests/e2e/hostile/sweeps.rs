//! Wallets that a hostile server gives up, or empties elsewhere. A log that says so stops the signer;
//! an attempt that does so is refused by the rule that its case names; an honest sweep is signed.

use strongroom_chains::bitcoin::{self as utxo, Bid, SatPerKvb};
use strongroom_domain::proposal::Subject;
use strongroom_domain::protocol::Reply;
use strongroom_domain::transfer::{SweepRequested, TransferEvent};
use strongroom_domain::wallet::{AddressDerived, Coin, Rotation, RotationApproved, WalletEvent};
use strongroom_domain::{
    Address, AddressPath, Amount, Branch, Bytes, Command, Intent, Network, ProposalId, Spends,
    Stream, TransferId, WalletId,
};
use uuid::Uuid;

use super::catalogue::answers;
use super::forge::{Forge, clock, strange_address};
use super::transactions::{CHANGE, Custody, FEE, FEE_CAP};
use super::world::World;

const NETWORK: Network = Network::LitecoinRegtest;

struct Stage {
    world: World,
    old: Custody,
    new: Custody,
    other: Custody,
    _root: tempfile::TempDir,
}

fn stage() -> Stage {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let [old, new, other] = [(); 3].map(|()| world.custody(NETWORK));
    Stage { world, old, new, other, _root: root }
}

pub(super) fn rotation(old: &Custody, new: &Custody) -> Rotation {
    Rotation {
        wallet: old.wallet,
        successor: new.wallet,
        fees_from: old.account,
        fee_cap: Amount::new(FEE_CAP),
    }
}

/// Asks, and two of the group agree.
pub(super) fn rotate(forge: &mut Forge, rotation: Rotation) -> ProposalId {
    let proposal = ProposalId(Uuid::now_v7());
    let (maker, expires_at) = (forge.people.maker, forge.time.plus_seconds(3600));
    let subject = Subject::Rotate(rotation);
    forge.run(Command::Propose { proposal, subject, maker, expires_at });
    forge.agree(proposal);
    proposal
}

/// A sweep of one coin, as an honest server asks for it.
pub(super) fn sweep(forge: &Forge, old: &Custody, new: &Custody, coin: &Coin) -> SweepRequested {
    let known = forge.state.wallets[&old.wallet].holding().unwrap().rotation.clone();
    let proposal = known.map_or(ProposalId(Uuid::nil()), |known| known.proposal);
    let intent = Intent {
        transfer: TransferId(Uuid::now_v7()),
        account: old.account,
        wallet: old.wallet,
        asset: NETWORK.native_asset(),
        amount: coin.amount,
        destination: new.address(CHANGE),
        fee_cap: Amount::new(FEE_CAP),
    };
    let (coins, maker) = (vec![coin.outpoint.clone()], forge.people.maker);
    SweepRequested { intent, coins, successor: new.wallet, rotation: proposal, maker }
}

pub(super) fn bytes(old: &Custody, coin: &Coin, to: &Address) -> Bytes {
    let chain = utxo::Chain::of(NETWORK).unwrap();
    let cap = Amount::new(FEE);
    let bid = Bid { rate: SatPerKvb(u64::MAX / 1_000_000), cap, replaced: None };
    let key_of = |path| Some(old.key_of(path));
    utxo::sweep(chain, std::slice::from_ref(coin), to, key_of, bid).unwrap().to_bytes()
}

/// Has a sweep of a new coin asked for and authorised; what the first signer says to it.
fn attempted(
    stage: &mut Stage,
    change: impl FnOnce(&mut SweepRequested),
    made: impl FnOnce(&Custody, &Coin, &Address) -> (Bytes, u128),
) -> Reply {
    let Stage { world, old, new, .. } = stage;
    let coin = old.fund(&mut world.forge);
    let mut requested = sweep(&world.forge, old, new, &coin);
    change(&mut requested);
    let (transfer, to) = (requested.intent.transfer, requested.intent.destination.clone());
    world.forge.run(Command::RequestSweep(requested));
    let (unsigned, fee) = made(old, &coin, &to);
    let (attempt, spends) =
        (old.attempt(unsigned, fee), Spends::Coins(vec![coin.outpoint.clone()]));
    world.forge.run(Command::AuthoriseAttempt { transfer, attempt, spends });
    world.reader(0).commit(transfer, 1)
}

/// A log in which it stands. The signer stops, and names the rule.
#[track_caller]
fn stops(stage: &mut Stage, name: &str, lie: impl FnOnce(&mut Forge, &Stage)) {
    let mut forge = stage.world.forge.clone();
    let before = forge.head().position;
    lie(&mut forge, stage);
    let reply = stage.world.reader(0).push(forge.after(before));
    answers(name, &reply);
    stage.world.restart(0);
    stage.world.pays(&stage.other);
}

/// A sweep, changed.
type Change = fn(&mut SweepRequested, &Stage);

#[test]
fn a_log_that_empties_a_wallet_elsewhere_stops_the_signer() {
    let mut stage = stage();
    let coin = stage.old.fund(&mut stage.world.forge);
    stops(&mut stage, "sweep-without-a-rotation", |forge, of| {
        let requested = sweep(forge, &of.old, &of.new, &coin);
        let transfer = requested.intent.transfer;
        forge.write(Stream::Transfer(transfer), TransferEvent::from(requested));
    });
    stops(&mut stage, "rotation-without-a-quorum", |forge, of| {
        let approved = RotationApproved {
            rotation: rotation(&of.old, &of.new),
            proposal: ProposalId(Uuid::now_v7()),
            maker: forge.people.maker,
        };
        forge.write(Stream::Wallet(of.old.wallet), WalletEvent::from(approved));
    });
    rotate(&mut stage.world.forge, rotation(&stage.old, &stage.new));
    let cases: [(&str, Change); 6] = [
        ("sweep-to-a-foreign-address", |of, _| of.intent.destination = strange_address(NETWORK)),
        ("sweep-to-another-wallet", |of, stage| {
            of.intent.destination = stage.other.address(CHANGE);
        }),
        ("sweep-for-another-successor", |of, stage| {
            of.successor = stage.other.wallet;
            of.intent.destination = stage.other.address(CHANGE);
        }),
        ("sweep-above-the-cap", |of, _| of.intent.fee_cap = Amount::new(FEE_CAP + 1)),
        ("sweep-at-a-clients-cost", |of, stage| of.intent.account = stage.other.account),
        ("sweep-of-more-than-there-is", |of, _| {
            of.intent.amount = Amount::new(of.intent.amount.units() + 1);
        }),
    ];
    for (name, change) in cases {
        stops(&mut stage, name, |forge, of| {
            let mut requested = sweep(forge, &of.old, &of.new, &coin);
            change(&mut requested, of);
            let transfer = requested.intent.transfer;
            forge.write(Stream::Transfer(transfer), TransferEvent::from(requested));
        });
    }
    stops(&mut stage, "rotation-to-another-successor-afterwards", |forge, of| {
        let approved = RotationApproved {
            rotation: rotation(&of.old, &of.other),
            proposal: ProposalId(Uuid::now_v7()),
            maker: forge.people.maker,
        };
        forge.write(Stream::Wallet(of.old.wallet), WalletEvent::from(approved));
    });
}

/// The successor's entry calls a stranger's address its own: no rule of the log can tell.
fn strange_address_of(forge: &mut Forge, wallet: WalletId) -> Address {
    let address = strange_address(NETWORK);
    let path = AddressPath { branch: Branch::Change, index: 1 };
    let derived = AddressDerived { address: address.clone(), path, account: None };
    forge.run(Command::DeriveAddress { wallet, derived });
    address
}

#[test]
fn an_attempt_of_a_sweep_does_exactly_what_the_rotation_says() {
    let mut stage = stage();
    rotate(&mut stage.world.forge, rotation(&stage.old, &stage.new));
    let strange = strange_address_of(&mut stage.world.forge, stage.new.wallet);
    let reply = attempted(
        &mut stage,
        |of| of.intent.destination = strange.clone(),
        |old, coin, to| (bytes(old, coin, to), FEE),
    );
    answers("sweep-to-an-address-the-successors-key-has-not", &reply);
    stage.world.pays(&stage.other);
    let reply = attempted(&mut stage, |_| {}, |old, coin, _| (bytes(old, coin, &strange), FEE));
    answers("sweep-whose-bytes-pay-a-stranger", &reply);
    stage.world.pays(&stage.other);
    let reply = attempted(
        &mut stage,
        |_| {},
        |old, coin, to| {
            let amount = Amount::new(coin.amount.units() / 2);
            let intent = Intent { amount, ..sweep_intent(old, to) };
            (old.psbt(&intent, coin, FEE), FEE)
        },
    );
    answers("sweep-that-leaves-half-behind", &reply);
    stage.world.pays(&stage.other);
    let reply = attempted(&mut stage, |_| {}, |old, coin, to| (bytes(old, coin, to), FEE / 2));
    answers("sweep-whose-log-states-another-fee", &reply);
    stage.world.pays(&stage.other);
    let reply = attempted(&mut stage, |_| {}, |old, coin, to| (bytes(old, coin, to), FEE));
    assert!(matches!(reply, Reply::Committed { .. }), "an honest sweep: {reply:?}");
}

fn sweep_intent(old: &Custody, to: &Address) -> Intent {
    Intent {
        transfer: TransferId(Uuid::now_v7()),
        account: old.account,
        wallet: old.wallet,
        asset: NETWORK.native_asset(),
        amount: Amount::ZERO,
        destination: to.clone(),
        fee_cap: Amount::new(FEE_CAP),
    }
}
