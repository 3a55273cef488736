//! A house whose signers are only their identity keys: keys are confirmed, and nobody signs.

use crate::house::{Desk, House, clock, sign, signing_key};
use ed25519_dalek::SigningKey;
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_chains::address_of;
use strongroom_commands::Bus;
use strongroom_domain::charter::Enrolment;
use strongroom_domain::key::{Confirmed, Custody, Protocol, RoundOnePublished};
use strongroom_domain::{
    Address, Bytes, Command, Digest, Family, KeyId, Network, SignerId, statement,
};
use strongroom_store::MemoryLog;
use uuid::Uuid;

/// The generator of secp256k1 and its double: points whose secrets everybody knows.
pub(crate) const POINTS: [&str; 2] = [
    "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5",
];

pub(crate) fn point(which: usize) -> [u8; 33] {
    hex::decode(POINTS[which]).unwrap().try_into().unwrap()
}

/// Where transfers go: somebody else's address on each network.
pub(crate) fn payee(network: Network) -> Address {
    address_of(network, &point(1)).unwrap()
}

pub(crate) struct Institution {
    pub(crate) house: House,
    pub(crate) log: MemoryLog,
    signers: Vec<(SignerId, SigningKey)>,
}

impl Institution {
    pub(crate) async fn found() -> Self {
        let log = MemoryLog::default();
        let bus = Bus::open(Arc::new(log.clone()), clock).await.unwrap();
        let (mut signers, mut enrolments) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            let ((key, public), id) = (signing_key(), SignerId(Uuid::now_v7()));
            signers.push((id, key));
            enrolments.push(Enrolment {
                id,
                identity_key: public,
                sealing_key: Bytes(vec![7; 32]),
                tls_certificate_sha256: Digest::default(),
                witness_key: signing_key().1,
            });
        }
        let networks = [Network::LitecoinRegtest, Network::EthereumDev];
        let payees: BTreeMap<_, _> =
            networks.into_iter().map(|network| (network, payee(network))).collect();
        let house = House::found(bus, enrolments, payees).await;
        Self { house, log, signers }
    }

    /// A key that its holders confirmed. Its public package is empty: nobody will combine for it.
    async fn key(&self, protocol: Protocol) -> KeyId {
        let count = match protocol.custody() {
            Custody::Cosigners => panic!("a multisig key names its cosigners"),
            Custody::Shares => 2,
            Custody::Whole => 1,
        };
        let holders = &self.signers[..count];
        let participants = holders.iter().map(|(id, _)| *id).collect();
        let threshold = u16::try_from(count).unwrap();
        let key = self.house.ceremony(protocol, threshold, participants).await;
        if count > 1 {
            for (signer, _) in holders {
                let published = RoundOnePublished { signer: *signer, package: Bytes(vec![1]) };
                self.house.run(Command::PublishRoundOne { key, published }).await;
            }
        }
        let (public_key, public_package) = (Bytes(point(0).to_vec()), Bytes::default());
        for (signer, identity) in holders {
            let (signer, log) = (*signer, self.house.log);
            let text = statement::confirmation(log, key, signer, &public_key, &public_package);
            let signature = sign(identity, &text);
            let (public_key, public_package) = (public_key.clone(), public_package.clone());
            let confirmed = Confirmed { signer, public_key, public_package, signature };
            self.house.run(Command::ConfirmKey { key, confirmed }).await;
        }
        key
    }

    /// A wallet with money: one coin for each amount, or the amounts together.
    pub(crate) async fn funded(&self, network: Network, amounts: &[u128]) -> Desk {
        let protocol = match network.family() {
            Family::Bitcoin => Protocol::FrostSecp256k1Tr,
            Family::Ethereum => Protocol::Pkcs11Secp256k1,
        };
        let key = self.key(protocol).await;
        let desk = self.house.desk(network, key, point(0)).await;
        for (number, amount) in (1_u8..).zip(amounts) {
            let transaction = hex::encode([number; 32]);
            let place = match network.family() {
                Family::Bitcoin => format!("{transaction}:0"),
                Family::Ethereum => transaction,
            };
            self.house.deposit(&desk, place, *amount).await;
        }
        desk
    }

    /// The holders of every key, in their order.
    pub(crate) fn holders(&self, protocol: Protocol) -> Vec<SignerId> {
        let count = if protocol == Protocol::FrostSecp256k1Tr { 2 } else { 1 };
        self.signers.iter().take(count).map(|(id, _)| *id).collect()
    }
}
