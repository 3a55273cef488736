//! Payments of a multisig wallet whose descriptor, coins, amounts or outputs are not those that people
//! approved. Each is refused before a signer consumes it, and both sign an honest one after it.

use bitcoin::Sequence;
use bitcoin::absolute::LockTime;
use bitcoin::psbt::{Psbt, PsbtSighashType};
use bitcoin::sighash::{EcdsaSighashType, TapSighashType};
use strongroom_chains::bitcoin::multisig::build;
use strongroom_chains::bitcoin::{self as utxo, Plan};
use strongroom_domain::key::Protocol;
use strongroom_domain::protocol::{Reply, Work};
use strongroom_domain::wallet::Coin;
use strongroom_domain::{AddressPath, Amount, Bytes, Intent, Spends};

use super::catalogue::{answers, nothing_more};
use super::cosigners::{NETWORK, Shared, made};
use super::forge::{clock, strange_address};
use super::rounds::{Said, step};
use super::transactions::{
    AMOUNT, CHANGE, COIN, DEPOSIT, FEE, FEE_CAP, add_output, altered, strange_outpoint,
    strange_script,
};
use super::world::World;

/// Bytes for an approved intent over a coin, and the fee that the log states.
type Bent = fn(&mut Shared, &Intent, &Coin) -> (Bytes, u128);

fn other(s: &Shared, intent: &Intent, coin: &Coin, change: fn(&mut Intent)) -> (Bytes, u128) {
    let mut other = intent.clone();
    change(&mut other);
    (s.honest(&other, coin), FEE)
}

fn bent(s: &Shared, i: &Intent, coin: &Coin, change: fn(&mut Psbt)) -> (Bytes, u128) {
    (altered(&s.honest(i, coin), change), FEE)
}

/// A coin of another wallet, whose transaction is whole, in this one's clothes.
fn of_another(s: &mut Shared, i: &Intent, instead: bool) -> (Bytes, u128) {
    let descriptor = s.foreign(instead);
    let chain = utxo::Chain::of(NETWORK).unwrap();
    let address = descriptor.address(chain, DEPOSIT).unwrap();
    let to = utxo::Destination::parse(chain, address.as_str()).unwrap();
    let (coin, previous) = made(to.script(), COIN);
    s.previous.insert(coin.outpoint.txid.clone(), previous);
    (s.over(&descriptor, i, &[coin], FEE), FEE)
}

/// What is tried on wallets of both shapes.
fn on_both() -> Vec<(&'static str, Bent)> {
    vec![
        ("cosigners-another-destination", |s, i, coin| {
            other(s, i, coin, |to| to.destination = strange_address(NETWORK))
        }),
        ("cosigners-larger-amount", |s, i, coin| {
            other(s, i, coin, |to| to.amount = Amount::new(AMOUNT + 1))
        }),
        ("cosigners-smaller-amount", |s, i, coin| {
            other(s, i, coin, |to| to.amount = Amount::new(AMOUNT - 1))
        }),
        ("cosigners-all-change-as-fee", |s, i, coin| {
            (s.over(&s.descriptor, i, std::slice::from_ref(coin), COIN - AMOUNT), FEE)
        }),
        ("cosigners-fee-above-cap-stated-below-it", |s, i, coin| {
            (s.over(&s.descriptor, i, std::slice::from_ref(coin), FEE_CAP + 1), FEE)
        }),
        ("cosigners-another-fee-than-stated", |s, i, coin| (s.honest(i, coin), FEE + 1)),
        ("cosigners-one-output-more", |s, i, coin| {
            bent(s, i, coin, |psbt| add_output(psbt, strange_script(), 1000))
        }),
        ("cosigners-change-to-stranger", |s, i, coin| {
            bent(s, i, coin, |psbt| {
                let mut outputs = psbt.unsigned_tx.output.iter_mut();
                let change = outputs.find(|output| u128::from(output.value.to_sat()) != AMOUNT);
                change.unwrap().script_pubkey = strange_script();
                for output in &mut psbt.outputs {
                    *output = bitcoin::psbt::Output::default();
                }
            })
        }),
        ("cosigners-change-at-an-address-that-log-does-not-know", |s, i, coin| {
            let plan = Plan {
                inputs: vec![coin.clone()],
                change: Some(Amount::new(COIN - AMOUNT - FEE)),
                fee: Amount::new(FEE),
            };
            let chain = utxo::Chain::of(NETWORK).unwrap();
            let far = AddressPath { index: 77, ..CHANGE };
            let previous = s.previous.clone();
            let built = build(chain, &s.descriptor, i, &plan, far, |coin| {
                previous.get(&coin.txid).cloned()
            });
            (built.unwrap().to_bytes(), FEE)
        }),
        ("cosigners-coin-that-is-not-there", |s, i, coin| {
            bent(s, i, coin, |psbt| {
                psbt.unsigned_tx.input[0].previous_output = strange_outpoint();
            })
        }),
        ("cosigners-descriptor-with-a-strangers-key", |s, i, _| of_another(s, i, true)),
        ("cosigners-descriptor-with-a-key-more", |s, i, _| of_another(s, i, false)),
        ("cosigners-another-descriptor-named", |s, i, coin| {
            let stranger = s.foreign(true).to_string();
            let bytes = altered(&s.honest(i, coin), |psbt| {
                for named in psbt.proprietary.values_mut() {
                    *named = stranger.clone().into_bytes();
                }
            });
            (bytes, FEE)
        }),
        ("cosigners-no-descriptor-named", |s, i, coin| {
            bent(s, i, coin, |psbt| psbt.proprietary.clear())
        }),
        ("cosigners-amount-of-coin-lied-about", |s, i, coin| {
            bent(s, i, coin, |psbt| {
                let spent = psbt.inputs[0].witness_utxo.as_mut().unwrap();
                spent.value = bitcoin::Amount::from_sat(spent.value.to_sat() * 2);
            })
        }),
        ("cosigners-lock-time", |s, i, coin| {
            bent(s, i, coin, |psbt| psbt.unsigned_tx.lock_time = LockTime::from_consensus(9))
        }),
        ("cosigners-relative-lock", |s, i, coin| {
            bent(s, i, coin, |psbt| psbt.unsigned_tx.input[0].sequence = Sequence(1))
        }),
        ("cosigners-single-keys-transaction", |s, i, coin| {
            let key = |_| super::forge::point();
            (s.custody.psbt_with(i, coin, FEE, key), FEE)
        }),
    ]
}

fn on_p2wsh() -> Vec<(&'static str, Bent)> {
    vec![
        ("cosigners-no-previous-transaction", |s, i, coin| {
            bent(s, i, coin, |psbt| psbt.inputs[0].non_witness_utxo = None)
        }),
        ("cosigners-another-previous-transaction", |s, i, coin| {
            bent(s, i, coin, |psbt| {
                let previous = psbt.inputs[0].non_witness_utxo.as_mut().unwrap();
                previous.output[0].value = bitcoin::Amount::from_sat(9_000_000);
            })
        }),
        ("cosigners-signatures-that-cover-one-output", |s, i, coin| {
            bent(s, i, coin, |psbt| {
                psbt.inputs[0].sighash_type = Some(EcdsaSighashType::Single.into());
            })
        }),
        ("cosigners-another-witness-script", |s, i, coin| {
            bent(s, i, coin, |psbt| psbt.inputs[0].witness_script = Some(strange_script()))
        }),
    ]
}

fn on_p2tr() -> Vec<(&'static str, Bent)> {
    vec![
        ("cosigners-signatures-that-cover-no-output", |s, i, coin| {
            bent(s, i, coin, |psbt| {
                psbt.inputs[0].sighash_type = Some(PsbtSighashType::from(TapSighashType::None));
            })
        }),
        ("cosigners-internal-key-of-somebody", |s, i, coin| {
            bent(s, i, coin, |psbt| {
                let key = bitcoin::XOnlyPublicKey::from_slice(&super::forge::point()[1..]);
                psbt.inputs[0].tap_internal_key = Some(key.unwrap());
            })
        }),
        ("cosigners-another-leaf", |s, i, coin| {
            bent(s, i, coin, |psbt| {
                for (script, _) in psbt.inputs[0].tap_scripts.values_mut() {
                    *script = strange_script();
                }
            })
        }),
    ]
}

fn attempts_are_read(protocol: Protocol, cases: Vec<(&'static str, Bent)>) {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let mut shared = world.shared(protocol);
    for (name, bytes) in on_both().into_iter().chain(cases) {
        let coin = shared.fund(&mut world.forge);
        let asked = shared.custody.ask_and_approve(&mut world.forge);
        let (unsigned, fee) = bytes(&mut shared, &asked.intent, &coin);
        shared.authorise(&mut world.forge, &asked, 1, (unsigned, fee), &coin);
        let reply = world.reader(0).sign_alone(asked.intent.transfer, 1);
        answers(name, &reply);
        // It was not consumed: an honest one of the same transfer takes its place.
        let honest = (shared.honest(&asked.intent, &coin), FEE);
        shared.authorise(&mut world.forge, &asked, 2, honest, &coin);
        world.both_sign(&shared, &asked, 2);
    }
}

#[test]
fn a_p2wsh_payment_is_the_approved_one_of_the_wallets_own_cosigners() {
    attempts_are_read(Protocol::MultisigP2wsh, on_p2wsh());
}

#[test]
fn a_p2tr_payment_is_the_approved_one_of_the_wallets_own_cosigners() {
    attempts_are_read(Protocol::MultisigP2tr, on_p2tr());
}

#[test]
fn a_cosigner_gives_its_part_of_one_attempt_and_only_as_a_cosigner() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let mut shared = world.shared(Protocol::MultisigP2wsh);
    let single = world.custody(NETWORK);
    let (coin, second) = (shared.fund(&mut world.forge), shared.fund(&mut world.forge));
    let asked = shared.custody.ask_and_approve(&mut world.forge);
    let transfer = asked.intent.transfer;
    let honest = (shared.honest(&asked.intent, &coin), FEE);
    shared.authorise(&mut world.forge, &asked, 1, honest, &coin);

    answers("cosigners-first-round-of-shares", &world.reader(0).commit(transfer, 1));
    world.pays_together(&mut shared);
    let session = Bytes(vec![3; 16]);
    let work = Work::Attempt { transfer, attempt: 1 };
    let reply = step(&mut world.reader(0), work, &session, 1, Said::default());
    answers("cosigners-session-of-shares", &reply);
    world.pays_together(&mut shared);
    answers("cosigners-signer-without-a-part", &world.reader(2).sign_alone(transfer, 1));
    world.pays_together(&mut shared);

    let first = world.reader(0).sign_alone(transfer, 1);
    assert!(matches!(first, Reply::Signatures { .. }), "{first:?}");
    let again = world.reader(0).sign_alone(transfer, 1);
    nothing_more("cosigners-part-asked-for-twice", again == first);
    world.restart(0);
    let again = world.reader(0).sign_alone(transfer, 1);
    nothing_more("cosigners-part-asked-for-after-a-restart", again == first);
    world.pays_together(&mut shared);

    // A transaction of both coins would pay twice with one that spends the first: only the bytes say so.
    let both = shared.over(&shared.descriptor, &asked.intent, &[coin, second.clone()], FEE);
    let asked = shared.custody.ask_and_approve(&mut world.forge);
    shared.authorise(&mut world.forge, &asked, 1, (both, FEE), &second);
    let reply = world.reader(0).sign_alone(asked.intent.transfer, 1);
    answers("cosigners-coin-of-another-transfer", &reply);
    world.pays_together(&mut shared);

    let coin = single.fund(&mut world.forge);
    let asked = single.ask_and_approve(&mut world.forge);
    let (own, previous) = {
        let chain = utxo::Chain::of(NETWORK).unwrap();
        let to = utxo::Destination::parse(chain, shared.custody.deposit.as_str()).unwrap();
        made(to.script(), COIN)
    };
    shared.previous.insert(own.outpoint.txid.clone(), previous);
    let unsigned = shared.honest(&asked.intent, &own);
    let spends = Spends::Coins(vec![coin.outpoint.clone()]);
    let attempt = single.attempt(unsigned, FEE);
    single.authorise(&mut world.forge, &asked, attempt, spends);
    let reply = world.reader(0).commit(asked.intent.transfer, 1);
    answers("cosigners-transaction-of-a-shared-wallet-for-one-key", &reply);
    world.pays(&single);
    world.pays_together(&mut shared);
}
