//! The rules of Ethereum payments. Origins of the vectors: `tests/vectors/SOURCES.md`.

mod stuck;

use super::{
    AssembleError, BuildError, Chain, DecodeError as E, Gas, UnsignedTx, address_of, build,
    decode_signed, parse_address,
};
use crate::{AddressError, bitcoin::tests::intent};
use alloy_consensus::{SignableTransaction, TxEip1559, TxLegacy, transaction::RlpEcdsaEncodableTx};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address as Account, TxKind, U256, keccak256};
use k256::ecdsa::{Signature, SigningKey, signature::hazmat::PrehashSigner};
use proptest::{collection::vec, prelude::*, sample::Index};
use serde::Deserialize;
use strongroom_domain::{Amount, Intent, Network};

const TO: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

/// The key of EIP-155's example.
fn key() -> SigningKey {
    SigningKey::from_slice(&[0x46; 32]).unwrap()
}

fn public_key() -> [u8; 33] {
    key().verifying_key().to_encoded_point(true).as_bytes().try_into().unwrap()
}

/// RFC 6979, low s.
fn sign(digest: &[u8; 32]) -> [u8; 64] {
    let signature: Signature = key().sign_prehash(digest).unwrap();
    signature.normalize_s().unwrap_or(signature).to_bytes().into()
}

fn dev() -> &'static Chain {
    Chain::of(Network::EthereumDev).unwrap()
}

fn payment(network: Network, amount: u128, cap: u128) -> Intent {
    intent(network, TO.parse().unwrap(), amount, cap)
}

fn example() -> UnsignedTx {
    let gas = Gas { max_fee: 2_000_000_000, max_priority_fee: 1_000_000_000 };
    build(dev(), &payment(Network::EthereumDev, 10_u128.pow(18), u128::MAX), 5, gas).unwrap()
}

#[test]
fn eip_55_addresses_are_accepted_as_published() {
    for text in [
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77",
        "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ] {
        assert_eq!(parse_address(Network::Ethereum, text).unwrap().as_str(), text);
    }
}

#[test]
fn an_address_without_its_checksum_is_refused_with_the_right_spelling() {
    let right = || TO.parse().unwrap();
    for text in [TO.to_lowercase(), format!("0x{}", TO[2..].to_uppercase())] {
        let found = parse_address(Network::Ethereum, &text);
        assert_eq!(found, Err(AddressError::NotCanonical { right: right() }), "{text}");
    }
}

#[test]
fn an_address_with_a_wrong_checksum_is_refused_without_a_guess() {
    let wrong = TO.replace("aA", "Aa");
    assert_eq!(parse_address(Network::Ethereum, &wrong), Err(AddressError::Checksum));
    for text in
        ["", "0x", &TO[2..], &TO[..41], &format!("{TO}0"), "bc1qxyz", &TO.replace("0x", "0X")]
    {
        let network = Network::Ethereum;
        assert_eq!(parse_address(network, text), Err(AddressError::NotAnAddress { network }));
    }
}

#[derive(Deserialize)]
struct Vector {
    chain_id: u64,
    nonce: u64,
    value: String,
    max_fee: String,
    max_priority_fee: String,
    to: String,
    unsigned: String,
    payload: String,
    r: String,
    s: String,
    raw: String,
    id: String,
}

#[test]
fn payments_are_byte_for_byte_those_of_an_independent_program() {
    let vectors: Vec<Vector> =
        serde_json::from_str(include_str!("../../tests/vectors/eip1559-payments.json")).unwrap();
    assert_eq!(vectors.len(), 3);
    for vector in vectors {
        let chain = Chain::ALL.into_iter().find(|c| c.id == vector.chain_id).unwrap();
        let number = |text: &str| text.parse::<u128>().unwrap();
        let to = vector.to.parse().unwrap();
        let wanted = intent(chain.network, to, number(&vector.value), u128::MAX);
        let gas = Gas {
            max_fee: number(&vector.max_fee),
            max_priority_fee: number(&vector.max_priority_fee),
        };
        let unsigned = build(chain, &wanted, vector.nonce, gas).unwrap();
        assert_eq!(unsigned.to_bytes().to_string(), vector.unsigned);
        let digest = unsigned.signing_payload().digest;
        assert_eq!(hex::encode(digest), vector.payload);
        let signature = sign(&digest);
        assert_eq!(hex::encode(signature), [vector.r, vector.s].concat());
        let signed = unsigned.assemble(&public_key(), &signature).unwrap();
        assert_eq!(signed.raw.to_string(), vector.raw);
        assert_eq!(signed.id.to_string(), vector.id);
    }
}

/// The example of EIP-155: the account of its key, its payload and its bytes.
#[test]
fn keys_payloads_and_signatures_are_those_of_eip_155() {
    let address = address_of(&public_key()).unwrap();
    assert_eq!(address.as_str(), "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F");
    let legacy = TxLegacy {
        chain_id: Some(1),
        nonce: 9,
        gas_price: 20_000_000_000,
        gas_limit: 21_000,
        to: TxKind::Call(Account::from([0x35; 20])),
        value: U256::from(10_u128.pow(18)),
        input: alloy_primitives::Bytes::new(),
    };
    let digest = keccak256(legacy.encoded_for_signing()).0;
    assert_eq!(
        hex::encode(digest),
        "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"
    );
    let signature = sign(&digest);
    let (r, s) = signature.split_at(32);
    let signature =
        alloy_primitives::Signature::new(U256::from_be_slice(r), U256::from_be_slice(s), false);
    let mut raw = Vec::new();
    legacy.rlp_encode_signed(&signature, &mut raw);
    assert_eq!(
        hex::encode(raw),
        "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a0\
         28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb70330\
         4b3800ccf555c9f3dc64214b297fb1966a3b6d83"
    );
}

/// Changes the example, and reads the result as a signer would.
fn read(change: impl FnOnce(&mut TxEip1559)) -> Result<UnsignedTx, E> {
    let mut payment = example().payment;
    change(&mut payment);
    UnsignedTx::parse(dev(), &payment.encoded_for_signing())
}

#[test]
fn more_than_a_plain_payment_is_refused() {
    assert_eq!(read(|_| {}), Ok(example()));
    assert_eq!(read(|p| p.chain_id = 1), Err(E::ChainId { found: 1, expected: 31_337 }));
    assert_eq!(read(|p| p.gas_limit = 21_001), Err(E::GasLimit { found: 21_001 }));
    assert_eq!(read(|p| p.gas_limit = 20_999), Err(E::GasLimit { found: 20_999 }));
    assert_eq!(read(|p| p.to = TxKind::Create), Err(E::NoRecipient));
    assert_eq!(read(|p| p.input = vec![0].into()), Err(E::CallData { found: 1 }));
    let item = AccessListItem { address: Account::ZERO, storage_keys: vec![] };
    assert_eq!(read(|p| p.access_list = AccessList(vec![item])), Err(E::AccessList));
    assert_eq!(
        read(|p| p.max_priority_fee_per_gas = 2_000_000_001),
        Err(E::PriorityFee { priority: 2_000_000_001, max: 2_000_000_000 })
    );
    assert_eq!(read(|p| p.nonce = u64::MAX), Err(E::AccountNonce));
    assert_eq!(read(|p| p.max_fee_per_gas = u128::MAX), Err(E::Money));
    assert_eq!(read(|p| p.value = U256::from(u128::MAX) + U256::from(1)), Err(E::Money));
}

#[test]
fn a_second_encoding_a_tail_or_another_type_is_refused() {
    let bytes = example().to_bytes().0;
    let tail = [bytes.as_slice(), &[0x80]].concat();
    assert_eq!(UnsignedTx::parse(dev(), &tail), Err(E::NotCanonical));
    let refused =
        |bytes: &[u8]| matches!(UnsignedTx::parse(dev(), bytes), Err(E::NotEip1559 { .. }));
    assert!(refused(b""));
    assert!(refused(&[1]));
    assert!(refused(&bytes[1..]), "without the type byte");
    assert!(refused(&[&[1], &bytes[1..]].concat()), "EIP-2930");
    assert!(refused(&[&[2], bytes.as_slice()].concat()));
    let signed = example().assemble(&public_key(), &sign(&example().signing_payload().digest));
    assert!(refused(signed.unwrap().raw.as_slice()), "already signed");
}

#[test]
fn a_fee_above_the_cap_is_not_built() {
    let gas = Gas { max_fee: 100, max_priority_fee: 1 };
    let make = |cap| build(dev(), &payment(Network::EthereumDev, 1, cap), 0, gas);
    assert!(make(2_100_000).is_ok());
    let (fee, cap) = (Amount::new(2_100_000), Amount::new(2_099_999));
    assert_eq!(make(2_099_999), Err(BuildError::FeeOverCap { fee, cap }));
    let elsewhere = payment(Network::Ethereum, 1, u128::MAX);
    assert!(matches!(build(dev(), &elsewhere, 0, gas), Err(BuildError::Network { .. })));
}

#[test]
fn only_the_wallets_low_s_signature_is_taken() {
    let unsigned = example();
    let signature = sign(&unsigned.signing_payload().digest);
    let signed = unsigned.assemble(&public_key(), &signature).unwrap();
    assert_eq!(unsigned.check_signed(&public_key(), &signed.raw), Ok(signed.clone()));
    let view = decode_signed(dev(), signed.raw.as_slice()).unwrap();
    assert_eq!((view.sender, view.id), (address_of(&public_key()).unwrap(), signed.id));

    let parsed = Signature::from_slice(&signature).unwrap();
    let (r, s) = parsed.split_scalars();
    let high = Signature::from_scalars(r, -s).unwrap();
    let found = unsigned.assemble(&public_key(), &high.to_bytes().into());
    assert_eq!(found, Err(AssembleError::HighS));

    let stranger = SigningKey::from_slice(&[0x47; 32]).unwrap();
    let stranger = stranger.verifying_key().to_encoded_point(true);
    let stranger = stranger.as_bytes().try_into().unwrap();
    assert_eq!(unsigned.assemble(&stranger, &signature), Err(AssembleError::BadSignature));
    assert_eq!(
        unsigned.check_signed(&stranger, &signed.raw),
        Err(AssembleError::NotThisTransaction)
    );
    assert_eq!(unsigned.assemble(&public_key(), &[0; 64]), Err(AssembleError::BadSignature));
}

#[test]
fn the_same_account_nonce_excludes() {
    let gas = |max_fee| Gas { max_fee, max_priority_fee: 1 };
    let make = |nonce, fee| {
        build(dev(), &payment(Network::EthereumDev, 1, u128::MAX), nonce, gas(fee)).unwrap()
    };
    assert!(make(4, 100).excludes(&make(4, 110)));
    assert!(!make(4, 100).excludes(&make(5, 100)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_built_does_what_the_intent_says(
        to in any::<[u8; 20]>(),
        amount in any::<u128>(),
        nonce in 0..u64::MAX,
        max_fee in 0..u128::MAX / 21_000,
        priority in any::<Index>(),
    ) {
        let to = super::address::spell(Account::from(to)).unwrap();
        let wanted = intent(Network::EthereumDev, to, amount, u128::MAX);
        let capped = usize::try_from(max_fee).unwrap_or(usize::MAX - 1);
        let gas = Gas { max_fee, max_priority_fee: priority.index(capped + 1) as u128 };
        let unsigned = build(dev(), &wanted, nonce, gas).unwrap();
        let bytes = unsigned.to_bytes();
        prop_assert_eq!(&UnsignedTx::parse(dev(), bytes.as_slice()).unwrap(), &unsigned);
        let effect = unsigned.effect().unwrap();
        prop_assert_eq!(effect.realises(&wanted), Ok(()));
        prop_assert_eq!(effect.fee.units(), max_fee * 21_000);
        let signature = sign(&unsigned.signing_payload().digest);
        let signed = unsigned.assemble(&public_key(), &signature).unwrap();
        prop_assert_eq!(unsigned.check_signed(&public_key(), &signed.raw), Ok(signed));
    }

    /// Foreign bytes are refused, not fallen over.
    #[test]
    fn decoders_survive_any_bytes(
        noise in vec(any::<u8>(), 0..300),
        changes in vec((any::<Index>(), any::<u8>()), 0..6),
        cut in any::<Index>(),
        text in ".{0,60}",
    ) {
        let unsigned = example();
        let signature = sign(&unsigned.signing_payload().digest);
        let signed = unsigned.assemble(&public_key(), &signature).unwrap();
        let typed = [&[2], noise.as_slice()].concat();
        for mut bytes in [noise.clone(), typed, unsigned.to_bytes().0, signed.raw.0] {
            for (at, byte) in &changes {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                }
            }
            bytes.truncate(cut.index(bytes.len() + 1).max(bytes.len() / 2));
            if let Ok(read) = UnsignedTx::parse(dev(), &bytes) {
                let _ = read.effect();
            }
            let _ = decode_signed(dev(), &bytes);
            let _ = unsigned.check_signed(&public_key(), &bytes.into());
        }
        let _ = parse_address(Network::Ethereum, &text);
    }
}

/// There is no change of the bytes that signers would not notice.
#[test]
fn every_changed_bit_is_refused_or_changes_what_is_signed() {
    let before = example();
    let bytes = before.to_bytes().0;
    let mut read = 0;
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let Ok(other) = UnsignedTx::parse(dev(), &changed) else { continue };
            read += 1;
            assert_ne!(other.signing_payload(), before.signing_payload(), "byte {at}, bit {bit}");
        }
    }
    assert!(read > 0, "amounts and the destination can be changed to other valid ones");
}
