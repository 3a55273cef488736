//! Vectors of other implementations (RFC 6979, RFC 8032, OpenSSL 3), and what must not pass as their
//! second form.

use strongroom_domain::{Bytes, key::Protocol};

use super::TokenPublic;

/// What OpenSSL signed below: 32 bytes.
const MESSAGE: &[u8; 32] = b"strongroom token vectors digest!";
const RSA: &str = "\
    30820122300d06092a864886f70d01010105000382010f003082010a02820101008d4d53f27d43d84f76137200\
    dada6718789158deb7a125a63bbbbbd17ec4e0ee5fca3929d9897937b8d97a853ec429205dd562b037f9d3a706\
    97696b202f5ec283dceb1ebef1bd3255264cdcbeedb8b2767c3a1674bad46ecc04a57e2d3fbcbd263d5e127264\
    b9541f4677f9bb78d6a3b32b95ec38a7edf9ba9ce4effb0dcb77c2908b3dd2afef4cf66d7481b5734252f0d7f0\
    e9170be1247b3f1330469daef1a158ddb71745e563846e1aafeb378cee47d3874cde2b38d16ace74a4bcc13aab\
    3b8872147eaef0f2cd3afe7389f35adcfaa15dd61757b3b93dfd429b9d3bfeed6890299a5dd33d122d63d7b470\
    8b7ad33b7ebb6f2910ce8be99924db23c5a47f0203010001";
const PSS: &str = "\
    80858df454de4d4d11ea955d87791734f3ef4d7754a5cbb6c08f2c211fa772e2c13f1b1b47fef2ded04cf4c8e3\
    2a1eeab104dbf3970c40f5aefbeee91f92864f9457f167f370b7a75359b6233d094d586509feba1ddd83075c23\
    d996169845e6c97d5442c6c824b1a8bcafdcbc7e5250f0314b26ee0a1d74ddac159e028efd9b16ee4b5689ae53\
    3ad2b7b22080628fe98c2ccfa90f6bc9124f2f6c61a93690c8e5190d9253f5904777c1b8d9b856ecba9ca8a6c5\
    cae352d8fc8bbbcddf5bb035578bf7969fdc8ea46ab519c3acf39b929af445da04f5b203c528d221ab45229dd0\
    f538f6ff2c44506c84c94f1bd141002ae2676195ffda16be85bdbd4061176f";
/// With a salt of 20 bytes.
const PSS_SALT_20: &str = "\
    093556f123e3ef0625020bf28d23cb167668d6c7c0bf90cb5d336a04edb737d24004fa21623930de348332a358\
    6bf4824075e9e181d17c013aee53eda85338e4862416b00e10227dfd542d17df53ce544710b0fefd631da13f03\
    1b74c1ca7994f665e8e815f648b28dbb8cbb0a70b3068f93d9737dbef7374a2e3bdc1dbfc40ae0113a062d4539\
    cc27cbe6d959fa7898777bb681ceac490feedf75a6a46c51e716371c53c434fe794d8d6025d37ef698790f482b\
    18543c590d39f95d2e75d78078ee87d6d4930b6184983469c2b6f9f212e86a095deeea847cae4a2096a778531a\
    f801ba6a2438a9d91d36d8bc5bb29a5149f75208990c129d54e688eb057ae7";
/// PKCS#1 version 1.5.
const PKCS1: &str = "\
    61418c3f5ef107272fd4d419ce2d2aa5c666483a44e810274b0e4c947515f29c2780e6fc2475e7d1e7bb8c09e6\
    1e5b926a81120e25f8f43371825f8d7c40c9c172826e12035d4513ddd7f72cd231f7578284ac69405a295ba303\
    be530586c3f35825ce6a0348053db9ead3a66420b3d0aef9dcb8521cfbdd7575285eb773badb7382a16065b7b4\
    8d983f991baa3469bdc21f011851a9c81d454ddd89b470ff7d432572b1464aafa750a2e8388495a524c4de65e5\
    3afe939851811cf57d1d3497ea497de54d12f7f3170f5a5c5b39418d306bc888e8530dc91fd84a502febd962d6\
    5575964a0d38f7279452214aa855f20d70738401751033a2cdb0254681fe4b";
const ED25519: &str = "\
    74830dc6029754ad98a24d1456eb75217e99e7f9e9d7b865ccd5883f643caaff";
const ED25519_SIGNATURE: &str = "\
    3cb6407645f79db680f0866b0f03345aaaaa3139493612075cb5ce2818be5db08c940b93ffed321e78b2203af0\
    b52d7bebf03b5bd514cd70329f30851319d907";

/// RFC 6979, A.2.5: P-256, SHA-256, "sample".
const P256: &str = "0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6";
const P256_DIGEST: &str = "af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf";
const P256_R: &str = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
const P256_HIGH_S: &str = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
const P256_LOW_S: &str = "0834e36ad29a83bf2bc9385e491d6099c8fdf9d1ed67aa7ea5f51f93782857a9";
const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

fn bytes(hex: &str) -> Bytes {
    Bytes(hex::decode(hex).unwrap())
}

fn public(protocol: Protocol, hex: &str) -> TokenPublic {
    let parsed = TokenPublic::parse(protocol, &bytes(hex)).unwrap();
    assert_eq!(parsed.to_bytes(), bytes(hex));
    assert!(protocol.is_public_key(&parsed.to_bytes()));
    parsed
}

fn digest(hex: &str) -> [u8; 32] {
    bytes(hex).array().unwrap()
}

#[test]
fn an_rsa_signature_is_pss_with_sha_256_and_a_salt_of_32_bytes() {
    let key = public(Protocol::Pkcs11Rsa2048, RSA);
    let good = hex::decode(PSS).unwrap();
    assert!(key.verifies(MESSAGE, &good));
    for other in [PSS_SALT_20, PKCS1] {
        assert!(!key.verifies(MESSAGE, &hex::decode(other).unwrap()));
    }
    assert!(!key.verifies(&[0; 32], &good));
    let longer = [&[0][..], &good].concat();
    for wrong in [&good[1..], &good[..255], &longer, &[], &[0; 256], &[0xff; 256]] {
        assert!(!key.verifies(MESSAGE, wrong));
    }
    for byte in 0..good.len() {
        let mut changed = good.clone();
        changed[byte] ^= 1;
        assert!(!key.verifies(MESSAGE, &changed), "byte {byte}");
    }
}

#[test]
fn an_rsa_key_has_2048_bits_and_the_exponent_65537() {
    let good = hex::decode(RSA).unwrap();
    let refused = |bytes: Vec<u8>| {
        assert!(TokenPublic::parse(Protocol::Pkcs11Rsa2048, &Bytes(bytes)).is_err());
    };
    let changed = |place: usize, to: u8| {
        let mut bytes = good.clone();
        bytes[place] = to;
        bytes
    };
    refused(changed(293, 3));
    refused(changed(33, 0x7f));
    // An even modulus.
    refused(changed(288, 0x16));
    refused(good[..293].to_vec());
    refused([good.as_slice(), &[0]].concat());
    refused(Vec::new());
}

#[test]
fn an_ed25519_signature_has_one_form() {
    let key = public(Protocol::Pkcs11Ed25519, ED25519);
    assert_eq!(key, public(Protocol::VaultEd25519, ED25519));
    let good = hex::decode(ED25519_SIGNATURE).unwrap();
    assert!(key.verifies(MESSAGE, &good));
    assert!(!key.verifies(&[0; 32], &good));
    // s + L (RFC 8032, section 5.1.7: s must be below L).
    let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let (mut again, mut carry) = (good.clone(), 0_u16);
    for (byte, added) in again[32..].iter_mut().zip(order.unwrap()) {
        let sum = u16::from(*byte) + u16::from(added) + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    for wrong in [&again[..], &good[..63], &good[1..], &[], &[0; 64]] {
        assert!(!key.verifies(MESSAGE, wrong));
    }
    // A key of small order verifies a signature of zeros over anything, if it is let.
    let small = TokenPublic::Ed25519([0; 32]);
    assert!(!small.verifies(MESSAGE, &[0; 64]));
}

#[test]
fn an_ecdsa_signature_has_its_s_in_the_lower_half() {
    let key = public(Protocol::Pkcs11P256, P256);
    let digest = digest(P256_DIGEST);
    let of = |r: &str, s: &str| hex::decode(format!("{r}{s}")).unwrap();
    assert!(key.verifies(&digest, &of(P256_R, P256_LOW_S)));
    let zero = "00".repeat(32);
    let wrong = [(P256_R, P256_HIGH_S), (&zero, P256_LOW_S), (P256_R, &zero), (&zero, &zero)];
    for (r, s) in wrong.into_iter().chain([(P256_ORDER, P256_LOW_S), (P256_R, P256_ORDER)]) {
        assert!(!key.verifies(&digest, &of(r, s)), "{r} {s}");
    }
    assert!(!key.verifies(&[0; 32], &of(P256_R, P256_LOW_S)));
    assert!(!key.verifies(&digest, &of(P256_R, P256_LOW_S)[..63]));
    assert!(!key.verifies(&digest, &[&of(P256_R, P256_LOW_S)[..], &[0]].concat()));
    // The same on the other curve: the generator signs with the key 1 and the nonce 1, r = x(G).
    let point = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    let key = public(Protocol::Pkcs11Secp256k1, point);
    assert!(!key.verifies(&digest, &[0; 64]));
    assert!(!key.verifies(&digest, &[0xff; 64]));
    assert!(!key.verifies(&digest, &[]));
}

#[test]
fn a_point_is_on_the_curve_of_its_protocol() {
    let off = format!("02{}", "ff".repeat(32));
    for protocol in [Protocol::Pkcs11Secp256k1, Protocol::Pkcs11P256] {
        let refused = [off.as_str(), "", "00", &format!("04{}", "11".repeat(64))];
        for bad in refused {
            assert!(TokenPublic::parse(protocol, &bytes(bad)).is_err(), "{bad}");
        }
    }
    // y = 2 is on no point of edwards25519.
    let off = format!("02{}", "00".repeat(31));
    assert!(TokenPublic::parse(Protocol::Pkcs11Ed25519, &bytes(&off)).is_err());
    for protocol in Protocol::ALL {
        if !protocol.name().starts_with("pkcs11-") && protocol != Protocol::VaultEd25519 {
            assert!(TokenPublic::parse(protocol, &bytes(P256)).is_err());
        }
    }
}
