//! What we compute against what others published or computed. Origins: `tests/vectors/SOURCES.md`.

use super::*;
use crate::{AddressError, parse_address};
use bitcoin::{
    ScriptBuf, Transaction, TxOut, XOnlyPublicKey,
    consensus::encode::serialize,
    hashes::{Hash, HashEngine, sha256},
    secp256k1::schnorr::Signature,
};

/// Public keys are compressed with an even y, as BIP 340 lifts them.
fn compressed(x_only: &str) -> [u8; 33] {
    hex::decode(format!("02{x_only}")).unwrap().try_into().unwrap()
}

#[test]
fn bip_340_signatures_verify_as_published() {
    let secp = Secp256k1::verification_only();
    let rows = include_str!("../../../tests/vectors/bip340-verify.csv").lines().skip(1);
    let mut count = 0;
    for row in rows {
        let fields: Vec<&str> = row.split(',').collect();
        let bytes = |field: usize| hex::decode(fields[field]).unwrap();
        let message = Message::from_digest(bytes(2).try_into().unwrap());
        let signature = Signature::from_slice(&bytes(3)).unwrap();
        let valid = XOnlyPublicKey::from_slice(&bytes(1))
            .is_ok_and(|key| secp.verify_schnorr(&signature, &message, &key).is_ok());
        assert_eq!(valid.to_string(), fields[4], "vector {}", fields[0]);
        count += 1;
    }
    assert_eq!(count, 15);
}

#[test]
fn bip_86_and_bip_341_addresses_are_as_published() {
    for (internal, script, address) in [
        (
            "cc8a4bc64d897bddc5fbc2f670f7a8ba0b386779106cf1223c6fc5d7cd6fc115",
            "5120a60869f0dbcf1dc659c9cecbaf8050135ea9e8cdc487053f1dc6880949dc684c",
            "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
        ),
        (
            "83dfe85a3151d2517290da461fe2815591ef69f2b18a2ce63f01697a8b313145",
            "5120a82f29944d65b86ae6b5e5cc75e294ead6c59391a1edc5e016e3498c67fc7bbb",
            "bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh",
        ),
        (
            "399f1b2f4393f29a18c937859c5dd8a77350103157eb880f02e8c08214277cef",
            "5120882d74e5d0572d5a816cef0041a96b6c1de832f6f9676d9605c44d5e9a97d3dc",
            "bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7",
        ),
        (
            "d6889cb081036e0faefa3a35157ad71086b123b2b144b649798b494c300a961d",
            "512053a1f6e454df1aa2776a2814a721372d6258050de330b3c6d10ee8f4e0dda343",
            "bc1p2wsldez5mud2yam29q22wgfh9439spgduvct83k3pm50fcxa5dps59h4z5",
        ),
    ] {
        let found = Destination::p2tr(&compressed(internal)).unwrap();
        assert_eq!(hex::encode(found.script().as_bytes()), script);
        assert_eq!(found.spell(Chain::of(Network::Bitcoin).unwrap()).unwrap().as_str(), address);
        let by_network = crate::address_of(Network::Bitcoin, &compressed(internal)).unwrap();
        assert_eq!(by_network.as_str(), address);
    }
}

/// Of the BIP's valid addresses we pay those of our networks, in lower case, with rules.
#[test]
fn bip_350_addresses_are_accepted_and_refused_as_published() {
    let ours = ["bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"];
    let lines = include_str!("../../../tests/vectors/bip350-addresses.txt").lines();
    let mut count = (0, 0);
    for line in lines.filter(|line| !line.starts_with('#')) {
        let (kind, text) = line.split_once(' ').unwrap();
        let found = parse_address(Network::Bitcoin, text);
        match kind {
            "valid" => count.0 += 1,
            _ => count.1 += 1,
        }
        assert_eq!(found.is_ok(), kind == "valid" && ours.contains(&text), "{text}: {found:?}");
    }
    assert_eq!(count, (8, 15));
}

#[test]
fn litecoin_spells_addresses_as_its_core_does() {
    for (network, address, script) in [
        (
            Network::Litecoin,
            "LYW5o985ZgXDQXRR3u9fReeKhkcS11Hdur",
            "76a91491a69439e8f9ce974441eaf4d8973ed24a61ff1c88ac",
        ),
        (
            Network::Litecoin,
            "MDYfqZSrwNZkYQxdzgX7KEybXUDh6scNe9",
            "a9143df0bbabd72ed36a9575d91191cf088fbabf15e087",
        ),
        (
            Network::Litecoin,
            "ltc1qsnjdumudhhuegxsxmyxg8c0cahmly20ucuxcts",
            "001484e4de6f8dbdf9941a06d90c83e1f8edf7f229fc",
        ),
        (
            Network::Litecoin,
            "ltc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxq4arnzx",
            "5120a60869f0dbcf1dc659c9cecbaf8050135ea9e8cdc487053f1dc6880949dc684c",
        ),
        (
            Network::LitecoinRegtest,
            "mqjsAm5L4wVq41BmCEwybSkAmKJjf4zMgD",
            "76a914702262f72024b7d496b215fda105305669363f4a88ac",
        ),
        (
            Network::LitecoinRegtest,
            "QZiUdyfbkCftCaTrZRxUagNiDxDey5bCMW",
            "a9148fd3f21b0fa5c831a62782bddc97a04f30f2629787",
        ),
        (
            Network::LitecoinRegtest,
            "rltc1q8s9ncgrw6mwap7uhqh38f2pqapueq8qjnjac2r",
            "00143c0b3c206ed6ddd0fb9705e274a820e879901c12",
        ),
    ] {
        let chain = Chain::of(network).unwrap();
        let found = Destination::parse(chain, address).unwrap();
        assert_eq!(hex::encode(found.script().as_bytes()), script);
        let script = ScriptBuf::from_hex(script).unwrap();
        let back = Destination::from_script(&script).unwrap();
        assert_eq!(back.spell(chain).unwrap().as_str(), address);
    }
}

#[test]
fn an_old_litecoin_script_address_is_refused_with_its_present_spelling() {
    let chain = Chain::of(Network::Litecoin).unwrap();
    let bitcoin = Chain::of(Network::Bitcoin).unwrap();
    let old = Destination::P2sh([5; 20]).spell(bitcoin).unwrap();
    let right = Destination::P2sh([5; 20]).spell(chain).unwrap();
    assert!(old.as_str().starts_with('3') && right.as_str().starts_with('M'));
    assert_eq!(
        parse_address(Network::Litecoin, old.as_str()),
        Err(AddressError::LegacySpelling { network: Network::Litecoin, right })
    );
}

#[test]
fn dust_is_what_core_calls_dust() {
    let point = XOnlyPublicKey::from_slice(
        &compressed("cc8a4bc64d897bddc5fbc2f670f7a8ba0b386779106cf1223c6fc5d7cd6fc115")[1..],
    );
    for (destination, limit) in [
        (Destination::P2pkh([1; 20]), 546),
        (Destination::P2sh([1; 20]), 540),
        (Destination::P2wpkh([1; 20]), 294),
        (Destination::P2wsh([1; 32]), 330),
        (Destination::P2tr(point.unwrap().serialize()), 330),
    ] {
        let script = destination.script();
        let of = |network| super::super::dust_limit(Chain::of(network).unwrap(), &script);
        assert_eq!(of(Network::Bitcoin), Some(limit));
        assert_eq!(of(Network::Litecoin), Some(limit * 10));
    }
}

#[test]
fn the_signing_payload_is_the_message_of_bip_341() {
    for inputs in 1..4 {
        let wallet = TestWallet::on(Network::LitecoinRegtest);
        let coins: Vec<Coin> = (0..inputs).map(|n| coin(n, 70_000)).collect();
        let to = Destination::P2sh([3; 20]);
        let mut wanted = request(wallet.chain, to, 50_000, &[]);
        wanted.keep = &coins;
        let unsigned = wallet.build(to, 50_000, &select(&wanted).unwrap());
        let spent: Vec<TxOut> = unsigned.spent.iter().map(|(coin, _)| coin.clone()).collect();
        let transaction = &unsigned.psbt.unsigned_tx;
        let expected: Vec<_> =
            (0..inputs).map(|input| by_the_text(transaction, &spent, input)).collect();
        assert_eq!(unsigned.digests().unwrap(), expected);
    }
}

/// "Common signature message" for the key path with the default sighash, written from the BIP's
/// text and not from the library.
fn by_the_text(transaction: &Transaction, spent: &[TxOut], input: u32) -> [u8; 32] {
    let tag = sha256::Hash::hash(b"TapSighash").to_byte_array();
    let hash = |parts: Vec<Vec<u8>>| sha256::Hash::hash(&parts.concat()).to_byte_array();
    let inputs = &transaction.input;
    let mut message = sha256::Hash::engine();
    message.input(&tag);
    message.input(&tag);
    message.input(&[0, 0]); // epoch, hash type
    message.input(&transaction.version.0.to_le_bytes());
    message.input(&transaction.lock_time.to_consensus_u32().to_le_bytes());
    message.input(&hash(inputs.iter().map(|i| serialize(&i.previous_output)).collect()));
    message.input(&hash(spent.iter().map(|c| c.value.to_sat().to_le_bytes().to_vec()).collect()));
    message.input(&hash(spent.iter().map(|c| serialize(&c.script_pubkey)).collect()));
    message.input(&hash(inputs.iter().map(|i| i.sequence.0.to_le_bytes().to_vec()).collect()));
    message.input(&hash(transaction.output.iter().map(serialize).collect()));
    message.input(&[0]); // spend type: no annex, key path
    message.input(&input.to_le_bytes());
    sha256::Hash::from_engine(message).to_byte_array()
}
