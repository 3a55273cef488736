//! What follows a signed transaction: replacements, children and cancellations that do something else
//! than they are called. The log can't show it; the signer reads the bytes. Each is refused, and an
//! honest one is signed after it.

use strongroom_chains::UnsignedTx;
use strongroom_chains::bitcoin::{self as utxo, Bid, SatPerKvb};
use strongroom_chains::ethereum::{self, Gas};
use strongroom_domain::protocol::Reply;
use strongroom_domain::transfer::{AttemptSigned, ReturnAuthorised, Returns};
use strongroom_domain::wallet::Coin;
use strongroom_domain::{Address, AddressPath, Amount, Branch, Bytes, Command, Network, Spends};

use super::catalogue::answers;
use super::forge::{Forge, clock, point, strange_address};
use super::transactions::{
    AMOUNT, Asked, CHANGE, COIN, Custody, DEPOSIT, FEE, FEE_CAP, GAS_PRICE, Raw, add_output,
    altered, strange_script,
};
use super::world::{HSM, World};

/// Bytes that are called a replacement or a child, and the fee that the log states.
type Bent = fn(&Custody, &Asked, &Coin) -> (Bytes, u128);

/// What the replacement costs.
const MORE: u128 = 2 * FEE;

fn child_of(c: &Custody, parent: &Bytes, to: AddressPath, fee: u128) -> Bytes {
    let UnsignedTx::Bitcoin(parent) = UnsignedTx::parse(c.network, parent).unwrap() else {
        unreachable!()
    };
    let owns =
        |address: &Address| [CHANGE, DEPOSIT].into_iter().find(|path| c.address(*path) == *address);
    // So low a rate that the floor decides: the fee of what it "replaces" and 111 more.
    let replaced = Some(Amount::new(fee - 111));
    let bid = Bid { rate: SatPerKvb(0), cap: Amount::new(u64::MAX.into()), replaced };
    let made = utxo::child(&parent, &owns, to, |path| Some(c.key_of(path)), bid);
    made.unwrap().to_bytes()
}

fn honest_parent(c: &Custody, asked: &Asked, coin: &Coin) -> Bytes {
    c.psbt(&asked.intent, coin, FEE)
}

fn replacements() -> Vec<(&'static str, Bent)> {
    vec![
        ("replacement-that-pays-elsewhere", |c, asked, coin| {
            let mut intent = asked.intent.clone();
            intent.destination = strange_address(Network::LitecoinRegtest);
            (c.psbt(&intent, coin, MORE), MORE)
        }),
        ("replacement-that-pays-more", |c, asked, coin| {
            let mut intent = asked.intent.clone();
            intent.amount = Amount::new(AMOUNT + 1);
            (c.psbt(&intent, coin, MORE), MORE)
        }),
        ("replacement-whose-change-is-strangers", |c, asked, coin| {
            let stranger = point();
            let key = |path| if path == CHANGE { stranger } else { c.key_of(path) };
            (c.psbt_with(&asked.intent, coin, MORE, key), MORE)
        }),
        ("replacement-with-output-more", |c, asked, coin| {
            let psbt = c.psbt(&asked.intent, coin, MORE);
            (altered(&psbt, |psbt| add_output(psbt, strange_script(), 1_000)), MORE)
        }),
        ("replacement-of-another-coin", |c, asked, coin| {
            let mut other = coin.clone();
            other.outpoint.vout = 9;
            (c.psbt(&asked.intent, &other, MORE), MORE)
        }),
        ("replacement-above-fee-cap-stated-below-it", |c, asked, coin| {
            (c.psbt(&asked.intent, coin, FEE_CAP + 1), FEE_CAP)
        }),
        ("replacement-that-returns-everything", |c, _, coin| {
            let chain = utxo::Chain::of(c.network).unwrap();
            let replaced = Some(Amount::new(MORE));
            let cap = Amount::new(FEE_CAP);
            let bid = Bid { rate: SatPerKvb(1_000), cap, replaced };
            let key = |path| Some(c.key_of(path));
            let made = utxo::cancel(chain, std::slice::from_ref(coin), CHANGE, key, bid).unwrap();
            (made.to_bytes(), made.fee().unwrap().units())
        }),
    ]
}

fn children() -> Vec<(&'static str, Bent)> {
    vec![
        ("child-that-pays-somebody", |c, asked, coin| {
            let child = child_of(c, &honest_parent(c, asked, coin), CHANGE, FEE);
            (altered(&child, |psbt| add_output(psbt, strange_script(), 1_000)), FEE)
        }),
        ("child-that-pays-somebody-alone", |c, asked, coin| {
            let child = child_of(c, &honest_parent(c, asked, coin), CHANGE, FEE);
            let bent = altered(&child, |psbt| {
                psbt.unsigned_tx.output[0].script_pubkey = strange_script();
            });
            (bent, FEE)
        }),
        ("child-to-clients-deposit-address", |c, asked, coin| {
            (child_of(c, &honest_parent(c, asked, coin), DEPOSIT, FEE), FEE)
        }),
        ("child-of-another-transaction", |c, asked, coin| {
            (child_of(c, &c.psbt(&asked.intent, coin, FEE + 1), CHANGE, FEE), FEE)
        }),
        ("child-that-costs-too-much-with-its-parent", |c, asked, coin| {
            let fee = FEE_CAP - FEE + 1;
            (child_of(c, &honest_parent(c, asked, coin), CHANGE, fee), fee - 1)
        }),
        ("child-payment-that-is-called-child", |c, asked, coin| {
            (c.psbt(&asked.intent, coin, MORE), MORE)
        }),
    ]
}

/// An honest attempt that a signer has consumed and the log calls signed.
fn first_of(world: &mut World, c: &Custody) -> (Asked, Coin) {
    let coin = c.fund(&mut world.forge);
    let asked = c.ask_and_approve(&mut world.forge);
    c.authorise_honestly(&mut world.forge, &asked, &coin);
    let reply = world.reader(0).commit(asked.intent.transfer, 1);
    assert!(matches!(reply, Reply::Committed { .. }), "{reply:?}");
    sign(&mut world.forge, &asked, 1);
    (asked, coin)
}

/// What the signed transaction is nobody checks who is asked to sign another.
fn sign(forge: &mut Forge, asked: &Asked, attempt: u32) {
    let raw = Bytes(vec![1]);
    let signed = AttemptSigned { attempt, raw, transaction: format!("{attempt:064}") };
    forge.run(Command::RecordSigned { transfer: asked.intent.transfer, signed });
}

fn replace(forge: &mut Forge, c: &Custody, asked: &Asked, coin: &Coin, bytes: (Bytes, u128, u32)) {
    let (unsigned, fee, number) = bytes;
    let mut attempt = c.attempt(unsigned, fee);
    attempt.attempt = number;
    c.authorise(forge, asked, attempt, Spends::Coins(vec![coin.outpoint.clone()]));
}

fn give_back(
    forge: &mut Forge,
    c: &Custody,
    asked: &Asked,
    returns: Returns,
    (unsigned, fee, number): (Bytes, u128, u32),
) {
    let mut attempt = c.attempt(unsigned, fee);
    attempt.attempt = number;
    let returned = ReturnAuthorised { returns, attempt };
    forge.run(Command::AuthoriseReturn { transfer: asked.intent.transfer, returned });
}

#[test]
fn a_replacement_does_what_was_approved_or_is_not_signed() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let c = world.custody(Network::LitecoinRegtest);
    for (name, bent) in replacements() {
        let (asked, coin) = first_of(&mut world, &c);
        let (unsigned, fee) = bent(&c, &asked, &coin);
        replace(&mut world.forge, &c, &asked, &coin, (unsigned, fee, 2));
        let reply = world.reader(0).commit(asked.intent.transfer, 2);
        answers(name, &reply);
        let honest = c.psbt(&asked.intent, &coin, FEE_CAP);
        replace(&mut world.forge, &c, &asked, &coin, (honest, FEE_CAP, 3));
        let reply = world.reader(0).commit(asked.intent.transfer, 3);
        assert!(matches!(reply, Reply::Committed { .. }), "{name}: {reply:?}");
        world.pays(&c);
    }
}

#[test]
fn a_child_pays_nobody_and_stays_within_the_cap_with_its_parent_or_is_not_signed() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let c = world.custody(Network::LitecoinRegtest);
    let returns = Returns::Child { parent: 1 };
    for (name, bent) in children() {
        let (asked, coin) = first_of(&mut world, &c);
        let (unsigned, fee) = bent(&c, &asked, &coin);
        give_back(&mut world.forge, &c, &asked, returns, (unsigned, fee, 2));
        let reply = world.reader(0).commit(asked.intent.transfer, 2);
        answers(name, &reply);
        let honest = child_of(&c, &honest_parent(&c, &asked, &coin), CHANGE, FEE);
        give_back(&mut world.forge, &c, &asked, returns, (honest, FEE, 3));
        let reply = world.reader(0).commit(asked.intent.transfer, 3);
        assert!(matches!(reply, Reply::Committed { .. }), "{name}: {reply:?}");
        // It stands and falls with its parent: what replaces that replaces both.
        sign(&mut world.forge, &asked, 3);
        let later = c.psbt(&asked.intent, &coin, MORE);
        replace(&mut world.forge, &c, &asked, &coin, (later, MORE, 4));
        let reply = world.reader(0).commit(asked.intent.transfer, 4);
        assert!(matches!(reply, Reply::Committed { .. }), "{name}: {reply:?}");
        world.pays(&c);
    }
    // A signer that has not seen the parent's attempt holds to the same.
    assert_eq!(c.address(CHANGE), c.address(AddressPath { branch: Branch::Change, index: 0 }));
    const { assert!(COIN > AMOUNT + FEE_CAP) };
}

/// Fields of a payment from an account, changed.
type Twist = fn(&mut Raw);

fn on_accounts() -> Vec<(&'static str, Twist)> {
    vec![
        ("nonce-another-account-nonce", |raw| raw.nonce += 1),
        ("nonce-larger-value", |raw| raw.value += 1),
        ("nonce-another-recipient", |raw| raw.to = vec![7; 20]),
        ("nonce-call-data", |raw| raw.data = vec![1]),
        ("nonce-gas-for-more-than-payment", |raw| raw.gas = 21_001),
        ("nonce-fee-above-cap", |raw| raw.gas_price = 10_000_000_000_000),
    ]
}

#[test]
fn a_replacement_by_account_nonce_does_what_was_approved_or_is_not_signed() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let c = world.custody(Network::EthereumDev);
    for (name, twist) in on_accounts() {
        let asked = c.ask_and_approve(&mut world.forge);
        let nonce = c.next_nonce(&world.forge);
        let spends = || Spends::AccountNonce(nonce);
        let first = c.attempt(c.payment(&asked.intent, nonce), 21_000 * GAS_PRICE);
        c.authorise(&mut world.forge, &asked, first, spends());
        let reply = world.reader(HSM).sign_alone(asked.intent.transfer, 1);
        assert!(matches!(reply, Reply::Signatures { .. }), "{name}: {reply:?}");
        sign(&mut world.forge, &asked, 1);
        let fee = 21_000 * GAS_PRICE * 2;
        for (number, twist) in [(2, Some(twist)), (3, None)] {
            let mut raw = Raw::of(&c, &asked.intent, nonce);
            raw.gas_price = 2 * GAS_PRICE;
            if let Some(twist) = twist {
                twist(&mut raw);
            }
            let mut attempt = c.attempt(raw.bytes(), fee);
            attempt.attempt = number;
            c.authorise(&mut world.forge, &asked, attempt, spends());
            let reply = world.reader(HSM).sign_alone(asked.intent.transfer, number);
            match twist {
                Some(_) => answers(name, &reply),
                None => assert!(matches!(reply, Reply::Signatures { .. }), "{name}: {reply:?}"),
            }
        }
        world.pays(&c);
    }
}

#[test]
fn a_cancellation_sends_nothing_to_the_wallet_itself_or_is_not_signed() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let c = world.custody(Network::EthereumDev);
    let cases: [(&str, Twist); 6] = [
        ("cancel-that-pays", |raw| raw.value = 1),
        ("cancel-to-stranger", |raw| raw.to = vec![7; 20]),
        ("cancel-with-another-account-nonce", |raw| raw.nonce += 1),
        ("cancel-with-call-data", |raw| raw.data = vec![1]),
        ("cancel-above-fee-cap", |raw| raw.gas_price = 10_000_000_000_000),
        ("cancel-that-costs-something-else-than-stated", |raw| raw.gas_price += 1),
    ];
    for (name, twist) in cases {
        // The second transfer waits for the first one's account nonce.
        let asked = c.ask_and_approve(&mut world.forge);
        let nonce = c.next_nonce(&world.forge);
        let first = c.attempt(c.payment(&asked.intent, nonce), 21_000 * GAS_PRICE);
        c.authorise(&mut world.forge, &asked, first, Spends::AccountNonce(nonce));
        let other = c.ask_and_approve(&mut world.forge);
        let next = c.next_nonce(&world.forge);
        let second = c.attempt(c.payment(&other.intent, next), 21_000 * GAS_PRICE);
        c.authorise(&mut world.forge, &other, second, Spends::AccountNonce(next));
        world.forge.run(Command::FindNonceGap { transfer: asked.intent.transfer });
        let chain = ethereum::Chain::of(c.network).unwrap();
        let gas = Gas { max_fee: 2 * GAS_PRICE, max_priority_fee: 2 * GAS_PRICE };
        let own = c.address(DEPOSIT);
        let honest = ethereum::cancel(chain, &own, nonce, gas).unwrap().to_bytes();
        let mut raw = Raw::of(&c, &asked.intent, nonce);
        raw.to = hex::decode(own.as_str().trim_start_matches("0x")).unwrap();
        (raw.value, raw.gas_price) = (0, 2 * GAS_PRICE);
        assert_eq!(raw.bytes(), honest, "the encoder by hand");
        twist(&mut raw);
        let fee = 21_000 * GAS_PRICE * 2;
        let transfer = asked.intent.transfer;
        give_back(&mut world.forge, &c, &asked, Returns::Cancellation, (raw.bytes(), fee, 2));
        let reply = world.reader(HSM).sign_alone(transfer, 2);
        answers(name, &reply);
        give_back(&mut world.forge, &c, &asked, Returns::Cancellation, (honest, fee, 3));
        let reply = world.reader(HSM).sign_alone(transfer, 3);
        assert!(matches!(reply, Reply::Signatures { .. }), "{name}: {reply:?}");
        // The payment is still not impossible for the log, and excludes it for the signer.
        let reply = world.reader(HSM).sign_alone(other.intent.transfer, 1);
        assert!(matches!(reply, Reply::Signatures { .. }), "{name}: {reply:?}");
        world.pays(&c);
    }
}

#[test]
fn nobody_cancels_a_payment_without_its_quorum() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let c = world.custody(Network::LitecoinRegtest);
    let (asked, coin) = first_of(&mut world, &c);
    let chain = utxo::Chain::of(c.network).unwrap();
    let replaced = Some(Amount::new(FEE));
    let bid = Bid { rate: SatPerKvb(1_000), cap: Amount::new(FEE_CAP), replaced };
    let key = |path| Some(c.key_of(path));
    let made = utxo::cancel(chain, &[coin], CHANGE, key, bid).unwrap();
    let mut attempt = c.attempt(made.to_bytes(), made.fee().unwrap().units());
    attempt.attempt = 2;
    let returned = ReturnAuthorised { returns: Returns::Cancellation, attempt };
    let stream = strongroom_domain::Stream::Transfer(asked.intent.transfer);
    let before = world.forge.head().position;
    let mut lie = world.forge.clone();
    lie.write(stream, strongroom_domain::transfer::TransferEvent::from(returned));
    let mut link = world.reader(0);
    let reply = link.push(lie.after(before));
    // Such a log is no log of this institution: the signer stops.
    answers("cancel-without-quorum", &reply);
    world.restart(0);
    world.pays(&c);
}
