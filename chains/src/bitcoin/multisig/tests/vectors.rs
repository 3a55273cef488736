//! What the BIPs themselves publish (../../../../tests/vectors/SOURCES.md). Values only.

use super::{super::script::scripts, Shape};
use crate::bitcoin::multisig::{Descriptor, KeyExpression};
use bitcoin::{
    ScriptBuf,
    bip32::{DerivationPath, Xpriv, Xpub},
    secp256k1::PublicKey,
};
use miniscript::descriptor::checksum::desc_checksum;

fn keys(list: &[&str]) -> Vec<PublicKey> {
    list.iter().map(|key| key.parse().unwrap()).collect()
}

/// BIP 67's scripts are P2SH's; their text is the same in a witness script.
#[test]
fn bip_67_sorts_keys() {
    let list = [
        "02ff12471208c14bd580709cb2358d98975247d8765f92bc25eab3b2763ed605f8",
        "02fe6f0a5a297eb38c391581c4413e084773ea23954d93f7753db7dc0adc188b2f",
    ];
    let script = "522102fe6f0a5a297eb38c391581c4413e084773ea23954d93f7753db7dc0adc188b2f2102ff12471208c14bd580709cb2358d98975247d8765f92bc25eab3b2763ed605f852ae";
    assert_eq!(scripts(Shape::P2wsh, 2, keys(&list)).unwrap().script.to_hex_string(), script);
    let list = [
        "02632b12f4ac5b1d1b72b2a3b508c19172de44f6f46bcee50ba33f3f9291e47ed0",
        "027735a29bae7780a9755fae7a1c4374c656ac6a69ea9f3697fda61bb99a4f3e77",
        "02e2cc6bd5f45edd43bebe7cb9b675f0ce9ed3efe613b177588290ad188d11b404",
    ];
    let script = "522102632b12f4ac5b1d1b72b2a3b508c19172de44f6f46bcee50ba33f3f9291e47ed021027735a29bae7780a9755fae7a1c4374c656ac6a69ea9f3697fda61bb99a4f3e772102e2cc6bd5f45edd43bebe7cb9b675f0ce9ed3efe613b177588290ad188d11b40453ae";
    assert_eq!(scripts(Shape::P2wsh, 2, keys(&list)).unwrap().script.to_hex_string(), script);
    let list = [
        "022df8750480ad5b26950b25c7ba79d3e37d75f640f8e5d9bcd5b150a0f85014da",
        "03e3818b65bcc73a7d64064106a859cc1a5a728c4345ff0b641209fba0d90de6e9",
        "021f2f6e1e50cb6a953935c3601284925decd3fd21bc445712576873fb8c6ebc18",
    ];
    let script = "5221021f2f6e1e50cb6a953935c3601284925decd3fd21bc445712576873fb8c6ebc1821022df8750480ad5b26950b25c7ba79d3e37d75f640f8e5d9bcd5b150a0f85014da2103e3818b65bcc73a7d64064106a859cc1a5a728c4345ff0b641209fba0d90de6e953ae";
    assert_eq!(scripts(Shape::P2wsh, 2, keys(&list)).unwrap().script.to_hex_string(), script);
}

/// The two extended keys of the `sortedmulti` vectors, below which the keys lie at `/*` and `/0/0/*`.
const FIRST: &str = "xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL";
const SECOND: &str = "xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6oDaPPLPxSb7gwQN3ih19Zm4Y";

fn below(xpub: &str, path: &str) -> PublicKey {
    let path: DerivationPath = path.parse().unwrap();
    let xpub: Xpub = xpub.parse().unwrap();
    xpub.derive_pub(&*super::SIGNING, &path).unwrap().public_key
}

#[test]
fn bip_383_sorts_derived_keys() {
    for (index, script) in [
        "5221025d5fc65ebb8d44a5274b53bac21ff8307fec2334a32df05553459f8b1f7fe1b62102fbd47cc8034098f0e6a94c6aeee8528abf0a2153a5d8e46d325b7284c046784652ae",
        "52210264fd4d1f5dea8ded94c61e9641309349b62f27fbffe807291f664e286bfbe6472103f4ece6dfccfa37b211eb3d0af4d0c61dba9ef698622dc17eecdf764beeb005a652ae",
        "5221022ccabda84c30bad578b13c89eb3b9544ce149787e5b538175b1d1ba259cbb83321024d902e1a2fc7a8755ab5b694c575fce742c48d9ff192e63df5193e4c7afe1f9c52ae",
    ]
    .iter()
    .enumerate()
    {
        let keys = vec![below(FIRST, &index.to_string()), below(SECOND, &format!("0/0/{index}"))];
        assert_eq!(scripts(Shape::P2wsh, 2, keys).unwrap().script.to_hex_string(), *script);
    }
}

/// The three extended private keys of the `multi` and `multi_a` vectors, with hardened steps.
fn three(index: u32) -> Vec<PublicKey> {
    let parts = [
        (
            "xprv9s21ZrQH143K31xYSDQpPDxsXRTUcvj2iNHm5NUtrGiGG5e2DtALGdso3pGz6ssrdK4PFmM8NSpSBHNqPqm55Qn3LqFtT2emdEXVYsCzC2U",
            "2147483647'/0".to_owned(),
        ),
        (
            "xprv9vHkqa6EV4sPZHYqZznhT2NPtPCjKuDKGY38FBWLvgaDx45zo9WQRUT3dKYnjwih2yJD9mkrocEZXo1ex8G81dwSM1fwqWpWkeS3v86pgKt",
            format!("1/2/{index}"),
        ),
        (
            "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
            format!("10/20/30/40/{index}'"),
        ),
    ];
    let key = |(xprv, path): (&str, String)| {
        let (xprv, path): (Xpriv, DerivationPath) = (xprv.parse().unwrap(), path.parse().unwrap());
        let child = xprv.derive_priv(&super::SIGNING, &path).unwrap();
        child.private_key.public_key(&super::SIGNING)
    };
    parts.into_iter().map(key).collect()
}

#[test]
fn bip_387_makes_tapscripts_without_a_key_path() {
    for (index, script) in [
        "5120e4c8f2b0a7d3a688ac131cb03248c0d4b0a59bbd4f37211c848cfbd22a981192",
        "5120827faedaa21e52fca2ac83b53afd1ab7d4d1e6ce67ff42b19f2723d48b5a19ab",
        "5120647495ed09de61a3a324704f9203c130d655bf3141f9b748df8f7be7e9af55a4",
    ]
    .iter()
    .enumerate()
    {
        let keys = three(index.try_into().unwrap());
        assert_eq!(scripts(Shape::P2tr, 2, keys).unwrap().output.to_hex_string(), *script);
    }
    // And of two keys, one fixed: both xprv of the vector are FIRST and SECOND's.
    let keys = vec![FIRST.parse::<Xpub>().unwrap().public_key, below(SECOND, "0")];
    let script = "51202eea93581594a43c0c8423b70dc112e5651df63984d108d4fc8ccd3b63b4eafa";
    assert_eq!(scripts(Shape::P2tr, 2, keys).unwrap().output, ScriptBuf::from_hex(script).unwrap());
}

#[test]
fn bip_380_checksums() {
    assert_eq!(desc_checksum("raw(deadbeef)").unwrap(), "89f8spxm");
    for text in [
        "raw(deadbeef)",
        "raw(deadbeef)#",
        "raw(deadbeef)#89f8spxmx",
        "raw(deadbeef)#89f8spx",
        "raw(deedbeef)#89f8spxm",
        "raw(deedbeef)##9f8spxm",
        "raw(Ü)#00000000",
    ] {
        let error = Descriptor::import(text).unwrap_err().to_string();
        assert!(error.contains("checksum"), "{text}: {error}");
    }
    let error = Descriptor::import("raw(deadbeef)#89f8spxm").unwrap_err().to_string();
    assert!(error.contains("another kind"), "{error}");
}

/// Of BIP 380's key expressions we take fewer than it allows, and say why.
#[test]
fn bip_380_and_389_key_expressions() {
    let plain = "0260b2003c386519fc9eadf2b5cf124dd8eea4c4e68d5e154050a9346ea98ce600";
    assert!(plain.parse::<KeyExpression>().is_ok());
    let uncompressed = "04a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235";
    for text in [
        uncompressed,
        "5KYZdUEo39z3FPrtuX2QbbwGnNP5zTd7yyr2SC1j299sBCnWjss",
        "L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1",
        "xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc",
        &format!("[deadbeef/0h/0h/0h/*]{plain}"),
        &format!("[deadbeef/0h/0h/0h/]{plain}"),
        &format!("[deadbef/0h/0h/0h]{plain}"),
        &format!("[deadbeef/<0;1>]{FIRST}"),
        &format!("{FIRST}/3h/4h/5h/*"),
        &format!("{FIRST}/<0;1>/<2;3>"),
        &format!("{FIRST}/<0;>/*"),
    ] {
        assert!(text.parse::<KeyExpression>().is_err(), "{text}");
    }
}
