//! Derivation below a group key against values from an independent program. Combining is tried in
//! `signer/src/frost/tests.rs`, where there are shares; nothing here makes one.

use super::{FrostError, GroupKey, GroupPublic, KeyPath, identifier, verify};

/// Group key, chain code, then (path, child point, distance, output key). From forty lines of Python
/// with the standard library alone: BIP 32 CKDpub and BIP 341 written out over integers.
type Vector = (&'static str, &'static str, [(u32, u32, [&'static str; 3]); 2]);

const VECTORS: [Vector; 2] = [
    (
        "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        "8d3919454dd6146060bb964d5e7401e8f492473b2a08171a1325a727ab8bb756",
        [
            (
                0,
                0,
                [
                    "02bf30f902f67722b97f283ea037a328728d5cf2107e7df043765ca99dc49b7df8",
                    "6ced50b4c20ebe9544500371dd40cee132680ce5af52652d01fb131b5da607cc",
                    "00b4ce7f90539ec361f5cca20aad9cd9917cad804f329caedfaafc76555814ba",
                ],
            ),
            (
                1,
                5,
                [
                    "0354243e526dd5e43eb0e7b8af591806aced36d9277951faf0f505dfcbe86aead7",
                    "30c3f9eeff3c98afe0c044374f64e51390634442560b582801439ac42163ac56",
                    "6f9f0f9d198aaad03f9f6b53c9ba2e15765f3ce46e5250b3974fcd65b2f5fd8e",
                ],
            ),
        ],
    ),
    (
        "025cbdf0646e5db4eaa398f365f2ea7a0e3d419b7e0330e39ce92bddedcac4f9bc",
        "563eef4099d536d548065404644aaf61d3f1a0f7c1d7a1fc3198beec1649d56e",
        [
            (
                0,
                0,
                [
                    "022b23e71ec30582b920a52c51e6c846d8dc46e664e1cb1547e1b11dac58555e8c",
                    "4d1c266805024301486d8288259a742cc1976a4ff2e3fcf184a11b90e4b3b823",
                    "55e737a5c494fd56b90ad7520f40a664cfcc82cb9d0d1c5f865a52790ba17f10",
                ],
            ),
            (
                1,
                5,
                [
                    "03ef567442299383db5a90029e04466732ab667eae768fd242b7588d85852d4bb0",
                    "e76c827cc03b53b0c5d39116e99a0a28b39690b370843386f0615bcd7236f2e5",
                    "3929e20a97c0c83e23fa9ed1a2325a90b5350da5a1f4d089bf38c13cdc7368dc",
                ],
            ),
        ],
    ),
];

#[test]
fn children_are_those_that_an_independent_program_derives() {
    for (group, chain_code, children) in VECTORS {
        let key = GroupKey::from_bytes(&hex::decode(group).unwrap()).unwrap();
        assert_eq!(hex::encode(key.chain_code()), chain_code);
        for (change, index, [point, distance, output]) in children {
            let child = key.child(KeyPath { change, index }).unwrap();
            assert_eq!(hex::encode(child.to_bytes()), point);
            assert_eq!(hex::encode(child.distance()), distance);
            assert_eq!(hex::encode(child.output_key().serialize()), output);
        }
    }
}

#[test]
fn a_hardened_number_is_refused() {
    let key = GroupKey::from_bytes(&hex::decode(VECTORS[0].0).unwrap()).unwrap();
    for (change, index) in [(1 << 31, 0), (0, 1 << 31), (u32::MAX, u32::MAX)] {
        let refusal = key.child(KeyPath { change, index }).err();
        assert_eq!(refusal, Some(FrostError::Path { change, index }));
    }
}

#[test]
fn what_is_no_compressed_point_is_no_group_key() {
    let mut bytes = hex::decode(VECTORS[0].0).unwrap();
    for wrong in [&bytes[1..], &bytes[..32], &[][..], &[4; 65][..]] {
        assert_eq!(GroupKey::from_bytes(wrong), Err(FrostError::GroupKey));
    }
    bytes[0] = 4;
    assert_eq!(GroupKey::from_bytes(&bytes), Err(FrostError::GroupKey));
    assert_eq!(GroupPublic::from_bytes(&bytes), Err(FrostError::PublicPackage));
}

#[test]
fn holders_count_from_one() {
    assert_eq!(identifier(0), Err(FrostError::NoHolder));
    assert!(identifier(1).is_ok());
}

#[test]
fn a_signature_of_nothing_does_not_verify() {
    let key = GroupKey::from_bytes(&hex::decode(VECTORS[0].0).unwrap()).unwrap();
    let output = key.child(KeyPath { change: 0, index: 0 }).unwrap().output_key();
    assert_eq!(verify(&output, &[1; 32], &[0; 64]), Err(FrostError::Unverified));
}

#[test]
fn a_remembered_child_is_the_derived_one_and_has_the_address_of_its_point() {
    for (group, ..) in VECTORS {
        let key = GroupKey::from_bytes(&hex::decode(group).unwrap()).unwrap();
        for (change, index) in [(0, 0), (0, 1), (1, 0)] {
            let [first, again] = [(); 2].map(|()| key.child(KeyPath { change, index }).unwrap());
            assert_eq!(first.to_bytes(), again.to_bytes());
            assert_eq!(first.distance(), again.distance());
            for network in [
                strongroom_domain::Network::LitecoinRegtest,
                strongroom_domain::Network::EthereumDev,
            ] {
                let expected = crate::address_of(network, &again.to_bytes());
                assert_eq!(again.address(network).ok(), expected.ok());
            }
        }
    }
}
