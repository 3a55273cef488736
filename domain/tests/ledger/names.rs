//! Everybody and everything that the tests name: ids from small numbers, keys from fixed seeds.
//! No key here is used anywhere else.

use ed25519_dalek::{Signer as _, SigningKey};
use std::collections::{BTreeMap, BTreeSet};
use strongroom_domain::{
    AccountId, Address, Amount, Asset, Bytes, ClientId, Digest, KeyId, LogId, Network, PersonId,
    ProposalId, SignerId, TransferId, WalletId,
    charter::{
        CharterTextV1, CharterTextV2, Enrolment, EnrolmentV1, FoundedV1, FoundedV2,
        FoundingSignature, ML_DSA_44_KEY, OutsideWitness, PersonV1, Role, WitnessAlgorithm,
        Witnessing,
    },
    policy::{Destination, Label, PolicyV1, Quorum, TierV1},
    statement,
};
use uuid::Uuid;

/// Asks, and never answers.
pub(crate) const MAKER: PersonId = PersonId(Uuid::from_u128(1));
/// Asks and answers.
pub(crate) const ANN: PersonId = PersonId(Uuid::from_u128(2));
/// Answers.
pub(crate) const BEN: PersonId = PersonId(Uuid::from_u128(3));
/// Answers.
pub(crate) const CAT: PersonId = PersonId(Uuid::from_u128(4));
/// Answers nothing that the policy asks: in no group.
pub(crate) const DAN: PersonId = PersonId(Uuid::from_u128(5));
/// Reads.
pub(crate) const AUDITOR: PersonId = PersonId(Uuid::from_u128(6));

/// What the tests pay in.
pub(crate) const LTC: Asset = Network::LitecoinRegtest.native_asset();
/// And in.
pub(crate) const ETH: Asset = Network::EthereumDev.native_asset();

pub(crate) const LTC_ACCOUNT: AccountId = AccountId(Uuid::from_u128(0x20));
pub(crate) const ETH_ACCOUNT: AccountId = AccountId(Uuid::from_u128(0x21));
pub(crate) const LTC_WALLET: WalletId = WalletId(Uuid::from_u128(0x30));
pub(crate) const ETH_WALLET: WalletId = WalletId(Uuid::from_u128(0x31));
pub(crate) const FROST_KEY: KeyId = KeyId(Uuid::from_u128(0x40));
pub(crate) const TOKEN_KEY: KeyId = KeyId(Uuid::from_u128(0x41));
pub(crate) const CLIENT: ClientId = ClientId(Uuid::from_u128(0x50));
pub(crate) const LOG: LogId = LogId(Uuid::from_u128(0x60));

pub(crate) fn transfer(n: u8) -> TransferId {
    TransferId(Uuid::from_u128(0x100 + u128::from(n)))
}

/// The proposal that asks for [`transfer`] `n`.
pub(crate) fn question(n: u8) -> ProposalId {
    ProposalId(Uuid::from_u128(0x200 + u128::from(n)))
}

pub(crate) fn signer(n: u8) -> SignerId {
    SignerId(Uuid::from_u128(0x300 + u128::from(n)))
}

/// A person's or signer's key, from the number that its id ends with.
pub(crate) fn key_of(id: Uuid) -> SigningKey {
    SigningKey::from_bytes(&Digest::of(id.as_bytes()).0)
}

pub(crate) fn public(key: &SigningKey) -> Bytes {
    Bytes(key.verifying_key().to_bytes().to_vec())
}

pub(crate) fn sign(key: &SigningKey, text: &str) -> Bytes {
    Bytes(key.sign(text.as_bytes()).to_bytes().to_vec())
}

pub(crate) fn address(text: &str) -> Address {
    text.parse().unwrap()
}

pub(crate) fn label(text: &str) -> Label {
    Label::try_from(text.to_owned()).unwrap()
}

pub(crate) fn quorum(approvals: u8, group: &[PersonId]) -> Quorum {
    Quorum { approvals, group: group.iter().copied().collect() }
}

pub(crate) fn policy() -> PolicyV1 {
    let two = || quorum(2, &[ANN, BEN, CAT]);
    let three = || quorum(3, &[ANN, BEN, CAT]);
    let tier = |asset, up_to, quorum| TierV1 { asset, up_to: Amount::new(up_to), quorum };
    let to = |network, to, name| Destination { network, address: address(to), label: label(name) };
    PolicyV1 {
        version: 1,
        destinations: vec![
            to(Network::LitecoinRegtest, "rltc1qexchange", "exchange-ltc"),
            to(Network::EthereumDev, "0xExchange", "exchange-eth"),
        ],
        tiers: vec![
            tier(LTC, 1_000_000, two()),
            tier(LTC, 10_000_000, three()),
            tier(ETH, 1_000_000, two()),
        ],
        fee_caps: BTreeMap::from([(LTC, Amount::new(10_000)), (ETH, Amount::new(10_000))]),
        confirmations: BTreeMap::from([(Network::LitecoinRegtest, 3), (Network::EthereumDev, 2)]),
        proposal_lifetime_s: 86_400,
    }
}

pub(crate) fn charter() -> CharterTextV2 {
    let person = |id: PersonId, roles: &[Role]| PersonV1 {
        id,
        roles: roles.iter().copied().collect(),
        approval_keys: if roles.contains(&Role::Approver) {
            vec![public(&key_of(id.0))]
        } else {
            Vec::new()
        },
    };
    let enrolment = |n: u8| Enrolment {
        id: signer(n),
        identity_key: public(&key_of(signer(n).0)),
        sealing_key: Bytes(vec![n; 32]),
        tls_certificate_sha256: Digest([n; 32]),
        witness_key: public(&witness_key_of(n)),
    };
    CharterTextV2 {
        log: LOG,
        name: label("test-house"),
        log_key: public(&key_of(LOG.0)),
        log_key_ml_dsa_44: Bytes(vec![4; ML_DSA_44_KEY]),
        people: vec![
            person(MAKER, &[Role::Initiator]),
            person(ANN, &[Role::Initiator, Role::Approver]),
            person(BEN, &[Role::Approver]),
            person(CAT, &[Role::Approver]),
            person(DAN, &[Role::Approver]),
            person(AUDITOR, &[Role::Auditor]),
        ],
        signers: (1..=4).map(enrolment).collect(),
        witnessing: Witnessing {
            threshold: 4,
            outside: vec![
                OutsideWitness {
                    name: "witness.example/one".to_owned(),
                    algorithm: WitnessAlgorithm::Ed25519,
                    key: public(&witness_key_of(5)),
                },
                OutsideWitness {
                    name: "witness.example/two".to_owned(),
                    algorithm: WitnessAlgorithm::MlDsa44,
                    key: Bytes(vec![5; ML_DSA_44_KEY]),
                },
            ],
        },
        governance: quorum(2, &[ANN, BEN, CAT]),
        policy: policy(),
    }
}

/// The charter as it was written before there were witnesses.
pub(crate) fn charter_v1() -> CharterTextV1 {
    let CharterTextV2 { log, name, log_key, people, signers, governance, policy, .. } = charter();
    let enrolment = |signer: Enrolment| EnrolmentV1 {
        id: signer.id,
        identity_key: signer.identity_key,
        sealing_key: signer.sealing_key,
        tls_certificate_sha256: signer.tls_certificate_sha256,
    };
    let signers = signers.into_iter().map(enrolment).collect();
    CharterTextV1 { log, name, log_key, people, signers, governance, policy }
}

/// A witness's key: the signers' are 1 to 4.
pub(crate) fn witness_key_of(n: u8) -> SigningKey {
    SigningKey::from_bytes(&Digest::of(&[b'w', n]).0)
}

fn signed_by(who: &[PersonId], text: &str) -> Vec<FoundingSignature> {
    let signature = |person: &PersonId| {
        let key = key_of(person.0);
        FoundingSignature { person: *person, key: public(&key), signature: sign(&key, text) }
    };
    let distinct: BTreeSet<_> = who.iter().collect();
    distinct.into_iter().map(signature).collect()
}

/// The charter with the founding signatures of `who`.
pub(crate) fn founded(charter: CharterTextV2, who: &[PersonId]) -> FoundedV2 {
    FoundedV2 { signatures: signed_by(who, &statement::founding_v2(&charter)), charter }
}

/// As [`founded`], of version 1.
pub(crate) fn founded_v1(charter: CharterTextV1, who: &[PersonId]) -> FoundedV1 {
    FoundedV1 { signatures: signed_by(who, &statement::founding_v1(&charter)), charter }
}
