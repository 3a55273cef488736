//! What callers that know no family rely on. Each family's own rules are tested beside it.

use crate::frost::{GroupKey, KeyPath};
use crate::{AddressError, TransactionId, UnsignedTx, address_of, bitcoin::tests::*};
use crate::{bitcoin, ethereum, parse_address, transaction_id};
use strongroom_domain::{Bytes, Network};

const KEY: [u8; 33] = {
    // The generator of secp256k1: SEC 2, 2.4.1.
    let mut key = [0x02; 33];
    let x = *b"\x79\xbe\x66\x7e\xf9\xdc\xbb\xac\x55\xa0\x62\x95\xce\x87\x0b\x07\
               \x02\x9b\xfc\xdb\x2d\xce\x28\xd9\x59\xf2\x81\x5b\x16\xf8\x17\x98";
    let mut at = 0;
    while at < 32 {
        key[at + 1] = x[at];
        at += 1;
    }
    key
};

#[test]
fn a_keys_address_is_an_address_of_its_network_and_of_no_other() {
    for network in Network::ALL {
        let address = address_of(network, &KEY).unwrap();
        assert_eq!(parse_address(network, address.as_str()), Ok(address.clone()));
        for other in Network::ALL.into_iter().filter(|other| other.family() != network.family()) {
            assert!(parse_address(other, address.as_str()).is_err(), "{address} on {other}");
        }
        let mut wrong = KEY;
        wrong[0] = 4;
        assert!(address_of(network, &wrong).is_err());
    }
}

/// The two halves of this crate agree on what a wallet's address is.
#[test]
fn a_child_of_a_group_key_signs_for_the_address_of_that_child() {
    let group = GroupKey::from_bytes(&KEY).unwrap();
    for index in 0..4 {
        let child = group.child(KeyPath { change: 0, index }).unwrap();
        let signs_for = bitcoin::Destination::P2tr(child.output_key().serialize());
        assert_eq!(bitcoin::Destination::p2tr(&child.to_bytes()), Ok(signs_for));
    }
}

#[test]
fn an_address_of_another_network_is_refused_by_name() {
    for (network, text) in [
        (Network::Litecoin, "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"),
        (Network::Bitcoin, "ltc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxq4arnzx"),
        (Network::Bitcoin, "mqjsAm5L4wVq41BmCEwybSkAmKJjf4zMgD"),
        (Network::Bitcoin, "LYW5o985ZgXDQXRR3u9fReeKhkcS11Hdur"),
    ] {
        let found = parse_address(network, text).unwrap_err();
        assert!(matches!(found, AddressError::WrongNetwork { .. }), "{text}: {found}");
    }
}

/// Each reason has its own name, and says what would be right.
#[test]
fn an_address_is_refused_for_the_reason_that_is_true() {
    let taproot = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0";
    let right = taproot.parse().unwrap();
    let off_the_curve = bitcoin::Destination::P2tr([0xff; 32]);
    let off_the_curve = off_the_curve.spell(bitcoin::Chain::of(Network::Bitcoin).unwrap()).unwrap();
    for (text, reason) in [
        (taproot.to_uppercase().as_str(), AddressError::NotCanonical { right }),
        (&taproot.replace("jj0", "Jj0"), AddressError::MixedCase),
        (&taproot.replace("jj0", "jj9"), AddressError::Checksum),
        ("1BoatSLRHtKNngkdXEeobR76b53LETtpyU", AddressError::Checksum),
        (
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
            AddressError::Bech32mExpected,
        ),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh", AddressError::Bech32Expected),
        ("bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", AddressError::WitnessVersion { version: 2 }),
        ("bc1pw5dgrnzv", AddressError::Program),
        (off_the_curve.as_str(), AddressError::NotAPoint),
        ("", AddressError::NotAnAddress { network: Network::Bitcoin }),
        ("hello", AddressError::NotAnAddress { network: Network::Bitcoin }),
    ] {
        assert_eq!(parse_address(Network::Bitcoin, text), Err(reason), "{text}");
    }
}

#[test]
fn one_set_of_calls_serves_both_families() {
    let wallet = TestWallet::on(Network::LitecoinRegtest);
    let owns = |address: &_| wallet.owns(address);
    let psbt = wallet.example();
    let bytes = psbt.to_bytes();
    let unsigned = UnsignedTx::parse(Network::LitecoinRegtest, &bytes).unwrap();
    assert_eq!(unsigned, UnsignedTx::Bitcoin(psbt.clone()));
    assert_eq!(unsigned.to_bytes(), bytes);
    assert_eq!(unsigned.effect(&owns).unwrap().fee, unsigned.fee().unwrap());
    assert_eq!(unsigned.signing_payloads(&owns).unwrap()[0].path, Some(coin(1, 0).path));
    let signed = unsigned.assemble(&KEY, &wallet.sign(&psbt)).unwrap();
    assert_eq!(transaction_id(Network::LitecoinRegtest, &signed.raw).unwrap(), signed.id);
    assert_eq!(unsigned.check_signed(&Bytes(KEY.to_vec()), &signed.raw), Ok(signed));

    let to = address_of(Network::Ethereum, &KEY).unwrap();
    let chain = ethereum::Chain::of(Network::Ethereum).unwrap();
    let gas = ethereum::Gas { max_fee: 9, max_priority_fee: 1 };
    let wanted = intent(Network::Ethereum, to, 7, 189_000);
    let payment = ethereum::build(chain, &wanted, 0, gas).unwrap();
    let account = UnsignedTx::parse(Network::Ethereum, &payment.to_bytes()).unwrap();
    assert_eq!(account.effect(&owns).unwrap().realises(&wanted), Ok(()));
    assert_eq!(account.signing_payloads(&owns).unwrap(), [payment.signing_payload()]);
    assert!(account.assemble(&KEY, &[]).is_err());
    assert!(account.excludes(&account) && unsigned.excludes(&unsigned));
    assert!(!account.excludes(&unsigned) && !unsigned.excludes(&account));
}

#[test]
fn bytes_of_one_family_are_refused_by_the_other() {
    let psbt = TestWallet::on(Network::Bitcoin).example().to_bytes();
    assert!(UnsignedTx::parse(Network::Ethereum, &psbt).is_err());
    assert!(UnsignedTx::parse(Network::Bitcoin, &Bytes(vec![2, 0xc0])).is_err());
}

#[test]
fn a_transaction_id_has_one_spelling() {
    let text = "00".repeat(31) + "aF";
    assert!(text.parse::<TransactionId>().is_err());
    let text = text.to_lowercase();
    assert_eq!(text.parse::<TransactionId>().unwrap().to_string(), text);
}
