//! Each kind of key: made in the token, confined to it and to one purpose, and what it signs.

use super::*;
use crate::pkcs11::keys::on_curve;
use strongroom_chains::TokenPublic;

#[test]
fn every_kind_is_made_found_again_and_signs() {
    with_token("kinds::every_kind_is_made_found_again_and_signs", |home| {
        let token = open(home);
        for (number, kind) in (1_u128..).zip(KeyKind::ALL) {
            let id = Uuid::from_u128(number);
            let key = token.generate(kind, id, "k").unwrap();
            assert_eq!((key.id, key.kind()), (id, kind));
            assert_eq!(token.public_key(kind, id).unwrap(), key);
            // Half of all ECDSA results are high-S: none of these may be.
            for byte in 0..12_u8 {
                let digest = [byte; 32];
                let signature = token.sign(&key, &digest).unwrap();
                assert!(key.public.verifies(&digest, &signature), "{kind:?}");
                assert!(!key.public.verifies(&[0xee; 32], &signature), "{kind:?}");
            }
            for other in KeyKind::ALL.into_iter().filter(|other| *other != kind) {
                let refusal = token.public_key(other, id);
                assert!(matches!(refusal, Err(TokenError::KeyUnfit { .. })), "{refusal:?}");
                let refusal = token.generate(other, id, "k");
                assert!(matches!(refusal, Err(TokenError::KeyExists { .. })), "{refusal:?}");
            }
        }
        drop(token);
        let token = open(home);
        for (number, kind) in (1_u128..).zip(KeyKind::ALL) {
            let key = token.public_key(kind, Uuid::from_u128(number)).unwrap();
            token.prove(&key, &[3; 32]).unwrap();
        }
    });
}

/// A template that differs from ours in one attribute.
fn made_otherwise(token: &Token, id: Uuid, other: &[Attribute]) {
    let session = with_connection(token, |up| token.module.open_rw_session(up.slot()).unwrap());
    let id = Attribute::Id(id.as_bytes().to_vec());
    let curve = Attribute::EcParams(vec![0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a]);
    let public = [id.clone(), curve, Attribute::Token(true)];
    let ours = [
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        Attribute::Derive(false),
        Attribute::Decrypt(false),
        Attribute::Unwrap(false),
    ];
    let differs =
        |one: &Attribute| other.iter().all(|other| other.attribute_type() != one.attribute_type());
    let mut private = vec![id, Attribute::Token(true)];
    private.extend(ours.into_iter().filter(differs));
    private.extend_from_slice(other);
    session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private).unwrap();
}

#[test]
fn a_key_that_is_not_confined_is_never_used() {
    with_token("kinds::a_key_that_is_not_confined_is_never_used", |home| {
        let token = open(home);
        let good = token.generate(KeyKind::Secp256k1, ID, "k").unwrap();
        let wrong = [
            (Attribute::Extractable(true), "CKA_EXTRACTABLE"),
            (Attribute::Sensitive(false), "CKA_SENSITIVE"),
            (Attribute::Private(false), "CKA_PRIVATE"),
            (Attribute::Sign(false), "CKA_SIGN is not"),
            (Attribute::Derive(true), "CKA_DERIVE"),
            (Attribute::Decrypt(true), "CKA_DECRYPT"),
            (Attribute::Unwrap(true), "CKA_UNWRAP"),
        ];
        for (number, (attribute, what)) in (100_u128..).zip(wrong) {
            let id = Uuid::from_u128(number);
            made_otherwise(&token, id, &[attribute]);
            let said = token.public_key(KeyKind::Secp256k1, id).unwrap_err().to_string();
            assert!(said.contains(what), "{said}");
            // Who names it by another way gets no further.
            let named = TokenKey { id, public: good.public.clone() };
            let refusal = token.sign(&named, &[1; 32]);
            assert!(matches!(refusal, Err(TokenError::KeyUnfit { .. })), "{refusal:?}");
        }
        assert_signs(&token, &good);
    });
}

#[test]
fn a_key_that_was_imported_is_never_used() {
    with_token("kinds::a_key_that_was_imported_is_never_used", |home| {
        let token = open(home);
        let session =
            with_connection(&token, |up| token.module.open_rw_session(up.slot()).unwrap());
        let curve = Attribute::EcParams(vec![0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a]);
        let private = [
            Attribute::Class(ObjectClass::PRIVATE_KEY),
            Attribute::KeyType(cryptoki::object::KeyType::EC),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
            Attribute::Id(ID.as_bytes().to_vec()),
            curve,
            Attribute::Value(vec![1; 32]),
        ];
        session.create_object(&private).unwrap();
        let secret = k256::SecretKey::from_slice(&[1; 32]).unwrap();
        let point: [u8; 33] = k256::elliptic_curve::sec1::ToEncodedPoint::to_encoded_point(
            &secret.public_key(),
            true,
        )
        .as_bytes()
        .try_into()
        .unwrap();
        let key = TokenKey { id: ID, public: TokenPublic::Secp256k1(point) };
        let refusal = token.sign(&key, &[1; 32]);
        assert!(matches!(refusal, Err(TokenError::KeyUnfit { .. })), "{refusal:?}");
    });
}

#[test]
fn only_a_der_octet_string_around_a_point_is_a_public_key() {
    let point = hex::decode("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
    let point: [u8; 33] = point.unwrap().try_into().unwrap();
    let der = [[0x04, 33].as_slice(), &point].concat();
    let read = |der: &[u8]| on_curve(KeyKind::Secp256k1, der);
    assert_eq!(read(&der), Some(TokenPublic::Secp256k1(point)));
    let longer = [der.as_slice(), &[0]].concat();
    for wrong in [&point[..], &der[..34], &longer, &[0x04], &[], &[0x04, 0]] {
        assert_eq!(read(wrong), None);
    }
    // The same bytes on other curves: x of secp256k1's generator is on neither.
    assert_eq!(on_curve(KeyKind::Ed25519, &der), None);
    assert_eq!(on_curve(KeyKind::Rsa2048, &der), None);
    let uncompressed = hex::decode(
        "044104\
         6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
         4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    );
    let uncompressed = uncompressed.unwrap();
    assert!(matches!(on_curve(KeyKind::P256, &uncompressed), Some(TokenPublic::P256(_))));
    assert_eq!(on_curve(KeyKind::Secp256k1, &uncompressed), None);
}
