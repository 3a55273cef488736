//! Lawful logs whose attempts do something else than what people approved. The log can't show it: the
//! bytes do, and only the signer reads them. Each is refused, nothing is consumed, and an honest
//! transaction is signed after it.

use bitcoin::psbt::PsbtSighashType;
use bitcoin::{Sequence, TapSighashType, absolute::LockTime, transaction::Version};
use strongroom_domain::wallet::{AddressDerived, Coin};
use strongroom_domain::{AddressPath, Amount, Branch, Bytes, Command, Intent, Network, Spends};

use super::catalogue::answers;
use super::forge::{Forge, clock, point, strange_address};
use super::transactions::{
    AMOUNT, CHANGE, COIN, Custody, FEE, FEE_CAP, GAS_PRICE, Raw, add_output, altered,
    strange_outpoint, strange_script,
};
use super::world::{HSM, World};

/// Bytes for an approved intent over a coin, and the fee that the log states.
type Bent = fn(&Custody, &Intent, &Coin) -> (Bytes, u128);

fn with_intent(c: &Custody, intent: &Intent, coin: &Coin, change: fn(&mut Intent)) -> Bytes {
    let mut other = intent.clone();
    change(&mut other);
    c.psbt(&other, coin, FEE)
}

fn bent(c: &Custody, i: &Intent, coin: &Coin, change: fn(&mut bitcoin::Psbt)) -> (Bytes, u128) {
    (altered(&c.psbt(i, coin, FEE), change), FEE)
}

/// The value of the output that pays, and of the one that is change.
const PAYS: u64 = 400_000;

fn on_coins() -> Vec<(&'static str, Bent)> {
    vec![
        ("coins-one-output-more", |c, i, coin| {
            bent(c, i, coin, |psbt| add_output(psbt, strange_script(), 1000))
        }),
        ("coins-two-outputs-of-change", |c, i, coin| {
            bent(c, i, coin, |psbt| {
                let mut outputs = psbt.unsigned_tx.output.iter();
                let change = outputs.find(|output| output.value.to_sat() != PAYS);
                add_output(psbt, change.unwrap().script_pubkey.clone(), 1000);
            })
        }),
        ("coins-unknown-script", |c, i, coin| {
            bent(c, i, coin, |psbt| {
                let script = bitcoin::ScriptBuf::from_bytes(vec![0x6f, 1, 2, 3]);
                psbt.unsigned_tx.output[0].script_pubkey = script;
            })
        }),
        ("coins-data-in-output", |c, i, coin| {
            bent(c, i, coin, |psbt| {
                add_output(psbt, bitcoin::ScriptBuf::new_op_return([7; 20]), 0);
            })
        }),
        ("coins-another-destination", |c, i, coin| {
            let other = |intent: &mut Intent| {
                intent.destination = strange_address(Network::LitecoinRegtest);
            };
            (with_intent(c, i, coin, other), FEE)
        }),
        ("coins-larger-amount", |c, i, coin| {
            let other = |intent: &mut Intent| intent.amount = Amount::new(AMOUNT + 1);
            (with_intent(c, i, coin, other), FEE)
        }),
        ("coins-smaller-amount", |c, i, coin| {
            let other = |intent: &mut Intent| intent.amount = Amount::new(AMOUNT - 1);
            (with_intent(c, i, coin, other), FEE)
        }),
        ("coins-change-to-stranger", |c, i, coin| {
            let stranger = point();
            let key = |path| if path == CHANGE { stranger } else { c.key_of(path) };
            (c.psbt_with(i, coin, FEE, key), FEE)
        }),
        ("coins-change-to-address-that-log-lies-about", |c, i, coin| {
            let key = |path| if path == CHANGE { POISON.with(|key| *key) } else { c.key_of(path) };
            (c.psbt_with(i, coin, FEE, key), FEE)
        }),
        ("coins-fee-above-cap-stated-below-it", |c, i, coin| (c.psbt(i, coin, FEE_CAP + 1), FEE)),
        ("coins-all-change-as-fee", |c, i, coin| (c.psbt(i, coin, COIN - AMOUNT), FEE)),
        ("coins-another-fee-than-stated", |c, i, coin| (c.psbt(i, coin, FEE), FEE + 1)),
        ("coins-another-coin-than-reserved", |c, i, coin| {
            bent(c, i, coin, |psbt| {
                psbt.unsigned_tx.input[0].previous_output = strange_outpoint();
            })
        }),
        ("coins-coin-of-stranger", |c, i, coin| {
            let stranger = point();
            let key = |path: AddressPath| {
                if path.branch == Branch::Deposit { stranger } else { c.key_of(path) }
            };
            (c.psbt_with(i, coin, FEE, key), FEE)
        }),
        ("coins-coin-more-than-reserved", |c, i, coin| {
            bent(c, i, coin, |psbt| {
                let mut input = psbt.unsigned_tx.input[0].clone();
                input.previous_output = strange_outpoint();
                psbt.unsigned_tx.input.push(input);
                psbt.inputs.push(psbt.inputs[0].clone());
            })
        }),
        ("coins-signatures-that-cover-nothing", |c, i, coin| {
            bent(c, i, coin, |psbt| {
                psbt.inputs[0].sighash_type = Some(PsbtSighashType::from(TapSighashType::None));
            })
        }),
        ("coins-script-path", |c, i, coin| {
            bent(c, i, coin, |psbt| {
                use bitcoin::hashes::Hash as _;
                let root = bitcoin::TapNodeHash::from_byte_array([3; 32]);
                psbt.inputs[0].tap_merkle_root = Some(root);
            })
        }),
        ("coins-lock-time", |c, i, coin| {
            bent(c, i, coin, |psbt| psbt.unsigned_tx.lock_time = LockTime::from_consensus(9))
        }),
        ("coins-another-version", |c, i, coin| {
            bent(c, i, coin, |psbt| psbt.unsigned_tx.version = Version(3))
        }),
        ("coins-relative-lock", |c, i, coin| {
            bent(c, i, coin, |psbt| psbt.unsigned_tx.input[0].sequence = Sequence(1))
        }),
        ("coins-something-after-end", |c, i, coin| {
            let mut bytes = c.psbt(i, coin, FEE).0;
            bytes.push(0);
            (Bytes(bytes), FEE)
        }),
        ("coins-no-transaction-at-all", |_, _, _| (Bytes(vec![0; 3]), FEE)),
    ]
}

thread_local! {
    /// A stranger's key whose address the log calls the wallet's.
    static POISON: [u8; 33] = point();
}

/// Lets the log call a stranger's address the wallet's next one of change.
fn poison(forge: &mut Forge, custody: &Custody) {
    let poisoned = strongroom_chains::bitcoin::Destination::p2tr(&POISON.with(|key| *key)).unwrap();
    let chain = strongroom_chains::bitcoin::Chain::of(custody.network).unwrap();
    let path = AddressPath { branch: Branch::Change, index: 1 };
    let address = poisoned.spell(chain).unwrap();
    let derived = AddressDerived { address, path, account: None };
    forge.run(Command::DeriveAddress { wallet: custody.wallet, derived });
}

#[test]
fn a_transaction_that_spends_coins_otherwise_than_approved_is_not_signed() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::LitecoinRegtest);
    poison(&mut world.forge, &custody);
    for (name, bytes) in on_coins() {
        let coin = custody.fund(&mut world.forge);
        let asked = custody.ask_and_approve(&mut world.forge);
        let (unsigned, fee) = bytes(&custody, &asked.intent, &coin);
        let attempt = custody.attempt(unsigned, fee);
        let spends = Spends::Coins(vec![coin.outpoint.clone()]);
        custody.authorise(&mut world.forge, &asked, attempt, spends.clone());
        let reply = world.reader(0).commit(asked.intent.transfer, 1);
        answers(name, &reply);
        // The refused attempt was not consumed: an honest one of the same transfer takes its place.
        let mut honest = custody.attempt(custody.psbt(&asked.intent, &coin, FEE), FEE);
        honest.attempt = 2;
        custody.authorise(&mut world.forge, &asked, honest, spends);
        let late = world.reader(0).commit(asked.intent.transfer, 1);
        answers("coins-refused-attempt-after-its-replacement", &late);
        let reply = world.reader(0).commit(asked.intent.transfer, 2);
        assert!(matches!(reply, strongroom_domain::protocol::Reply::Committed { .. }), "{name}");
        world.pays(&custody);
    }
}

/// Fields of a payment, changed.
type Twist = fn(&mut Raw);

fn on_accounts() -> Vec<(&'static str, Twist)> {
    vec![
        ("account-another-chain-id", |raw| raw.chain_id = 1),
        ("account-no-chain-id", |raw| raw.chain_id = 0),
        ("account-another-account-nonce", |raw| raw.nonce += 1),
        ("account-larger-value", |raw| raw.value += 1),
        ("account-smaller-value", |raw| raw.value -= 1),
        ("account-another-recipient", |raw| raw.to = vec![7; 20]),
        ("account-contract-creation", |raw| raw.to.clear()),
        ("account-call-data", |raw| raw.data = hex::decode("a9059cbb").unwrap()),
        // execTransaction(…, operation = 1) of a Safe: whoever it calls runs in the wallet's name.
        ("account-delegatecall-in-data", |raw| {
            raw.data = hex::decode(format!("6a761202{:0>64}{:0>64}", "1", "1")).unwrap();
        }),
        ("account-approval-in-data", |raw| {
            raw.data = hex::decode(format!("095ea7b3{:0>64}{}", "1", "f".repeat(16))).unwrap();
        }),
        ("account-value-and-recipient-in-data", |raw| {
            raw.value = 0;
            raw.data = hex::decode("d0e30db0").unwrap();
        }),
        ("account-gas-for-more-than-payment", |raw| raw.gas = 21_001),
        ("account-fee-above-cap", |raw| raw.gas_price = 10_000_000_000_000),
        ("account-another-fee-than-stated", |raw| raw.gas_price -= 1),
    ]
}

#[test]
fn a_payment_from_an_account_otherwise_than_approved_is_not_signed() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::EthereumDev);
    for (name, twist) in on_accounts() {
        let asked = custody.ask_and_approve(&mut world.forge);
        let nonce = custody.next_nonce(&world.forge);
        let mut raw = Raw::of(&custody, &asked.intent, nonce);
        assert_eq!(raw.bytes(), custody.payment(&asked.intent, nonce), "the encoder by hand");
        twist(&mut raw);
        let attempt = custody.attempt(raw.bytes(), 21_000 * GAS_PRICE);
        custody.authorise(&mut world.forge, &asked, attempt, Spends::AccountNonce(nonce));
        let reply = world.reader(HSM).sign_alone(asked.intent.transfer, 1);
        answers(name, &reply);
        let mut honest = custody.attempt(custody.payment(&asked.intent, nonce), 21_000 * GAS_PRICE);
        honest.attempt = 2;
        custody.authorise(&mut world.forge, &asked, honest, Spends::AccountNonce(nonce));
        let reply = world.reader(HSM).sign_alone(asked.intent.transfer, 2);
        assert!(matches!(reply, strongroom_domain::protocol::Reply::Signatures { .. }), "{name}");
        world.pays(&custody);
    }
}
