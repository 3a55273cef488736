//! Spend proofs under keys whose secrets these tests know.

use bitcoin::{
    key::{Keypair, TapTweak as _},
    secp256k1::{Message, Scalar, Secp256k1, SecretKey},
};
use strongroom_domain::{
    Bytes, KeyId, LogId, ProposalId, SignerId,
    key::{Active, CeremonyPlan, Proof, Protocol},
    statement,
};

use super::{SpendProofError, digest, path, verify_proof};
use crate::frost::GroupKey;

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(n: u8) -> T {
    format!("01900000-0000-7000-8000-0000000000{n:02x}").parse().unwrap()
}

fn key() -> KeyId {
    id(1)
}

fn active(protocol: Protocol, public_key: Vec<u8>) -> Active {
    let signer = id::<SignerId>(2);
    let participants = vec![signer];
    Active {
        plan: CeremonyPlan { key: key(), protocol, threshold: 1, participants },
        public_key: Bytes(public_key),
        public_package: Bytes::default(),
        epoch: 1,
        former: std::collections::BTreeMap::new(),
        epochs_asked: 1,
        change: None,
        retired: false,
        holders: [(1, signer)].into(),
        cosigners: Vec::new(),
        expressions: std::collections::BTreeMap::new(),
        parts: std::collections::BTreeMap::new(),
        proof: Proof::Awaited,
        wallet: None,
        backups: std::collections::BTreeMap::new(),
        drilled: std::collections::BTreeMap::new(),
        proposal: id::<ProposalId>(3),
    }
}

fn text(key: KeyId, epoch: u32, active: &Active) -> String {
    statement::spend_proof(id::<LogId>(4), key, epoch, &active.public_key)
}

fn secret() -> SecretKey {
    SecretKey::from_slice(&[7; 32]).unwrap()
}

fn public() -> Vec<u8> {
    secret().public_key(&Secp256k1::new()).serialize().to_vec()
}

/// As the holders of a group key sign together for its child at the proof's path.
fn schnorr(epoch: u32, digest: [u8; 32]) -> Bytes {
    let secp = Secp256k1::new();
    let child = GroupKey::from_bytes(&public()).unwrap().child(path(epoch)).unwrap();
    let moved = secret().add_tweak(&Scalar::from_be_bytes(child.distance()).unwrap()).unwrap();
    let pair = Keypair::from_secret_key(&secp, &moved).tap_tweak(&secp, None).to_keypair();
    Bytes(secp.sign_schnorr_no_aux_rand(&Message::from_digest(digest), &pair).serialize().to_vec())
}

fn ecdsa(digest: [u8; 32]) -> Bytes {
    let signed = Secp256k1::new().sign_ecdsa(&Message::from_digest(digest), &secret());
    Bytes(signed.serialize_compact().to_vec())
}

#[test]
fn a_group_key_proves_itself_with_the_child_of_the_epoch() {
    let active = active(Protocol::FrostSecp256k1Tr, public());
    for epoch in [1, 2, 9] {
        let text = text(key(), epoch, &active);
        let proof = [schnorr(epoch, digest(&text))];
        assert_eq!(verify_proof(&active, epoch, &text, &proof), Ok(()));
        let other = schnorr(epoch + 1, digest(&text));
        assert_eq!(
            verify_proof(&active, epoch, &text, &[other]),
            Err(SpendProofError::Signature { place: 1 })
        );
    }
}

#[test]
fn a_proof_of_another_key_or_epoch_is_none() {
    for protocol in [Protocol::FrostSecp256k1Tr, Protocol::Pkcs11Secp256k1] {
        let active = active(protocol, public());
        let of = |key, epoch| {
            let digest = digest(&text(key, epoch, &active));
            if protocol == Protocol::FrostSecp256k1Tr {
                schnorr(epoch, digest)
            } else {
                ecdsa(digest)
            }
        };
        let asked = text(key(), 2, &active);
        assert_eq!(verify_proof(&active, 2, &asked, &[of(key(), 2)]), Ok(()));
        for wrong in [of(key(), 1), of(id(9), 2)] {
            assert_eq!(
                verify_proof(&active, 2, &asked, &[wrong]),
                Err(SpendProofError::Signature { place: 1 })
            );
        }
    }
}

#[test]
fn an_ed25519_key_signs_the_digest_itself() {
    use ed25519_dalek::Signer as _;
    let secret = ed25519_dalek::SigningKey::from_bytes(&[3; 32]);
    for protocol in [Protocol::VaultEd25519, Protocol::Pkcs11Ed25519, Protocol::FrostEd25519] {
        let active = active(protocol, secret.verifying_key().to_bytes().to_vec());
        let text = text(key(), 1, &active);
        let signature = Bytes(secret.sign(&digest(&text)).to_bytes().to_vec());
        assert_eq!(verify_proof(&active, 1, &text, &[signature]), Ok(()));
        let over_text = Bytes(secret.sign(text.as_bytes()).to_bytes().to_vec());
        assert!(verify_proof(&active, 1, &text, &[over_text]).is_err());
    }
}

#[test]
fn a_proof_has_one_signature() {
    let active = active(Protocol::Pkcs11Secp256k1, public());
    let text = text(key(), 1, &active);
    let one = ecdsa(digest(&text));
    for wrong in [vec![], vec![one.clone(), one]] {
        assert!(matches!(
            verify_proof(&active, 1, &text, &wrong),
            Err(SpendProofError::Count { wanted: 1, .. })
        ));
    }
}

#[test]
fn the_digest_is_of_its_own_domain() {
    use sha2::{Digest as _, Sha256};
    let mut bytes = b"strongroom/spend-proof/v1".to_vec();
    bytes.push(0);
    bytes.extend_from_slice(b"text");
    assert_eq!(digest("text"), <[u8; 32]>::from(Sha256::digest(bytes)));
    // No address is below the branch of proofs.
    let used = [strongroom_domain::Branch::Deposit, strongroom_domain::Branch::Change];
    assert!(used.iter().all(|branch| branch.number() != path(1).change));
}
