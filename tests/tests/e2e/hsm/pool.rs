//! Two signers with a copy of the same token, and a wallet on Ethereum that either of them pays from.

use std::path::PathBuf;

use serde_json::{Value, json};
use strongroom_domain::Network;
use strongroom_tests::deployment::{Deployment, Networks, replicate};
use strongroom_tests::journey::{Custody, PATIENCE, Payment, amounts, text};

pub(super) const NETWORK: Network = Network::EthereumDev;

/// The signer whose token makes the key, and the one that has a copy.
pub(super) const MAKER: usize = 3;
pub(super) const COPY: usize = 2;

pub(super) struct Pool {
    pub(super) strongroom: Deployment,
    pub(super) payment: Payment,
    // Gone when the test is.
    _root: tempfile::TempDir,
}

/// The directory of a signer's one token.
pub(super) fn token(strongroom: &Deployment, signer: usize) -> PathBuf {
    strongroom_tests::deployment::token(&strongroom.signers[signer])
}

/// Gives a signer a token of its own that is the maker's twin, and restarts it with that.
pub(super) fn give_twin(strongroom: &mut Deployment) {
    let of_maker = strongroom.signers[MAKER].hsm.clone().unwrap();
    strongroom_tests::deployment::give_twin(&of_maker, &mut strongroom.signers[COPY]);
}

/// Asks for a key that both tokens hold, and has it made. The copy comes late.
pub(super) fn key(strongroom: &Deployment, protocol: &str) -> Value {
    let desk = &strongroom.desk;
    let client = desk.initiator();
    let holders = [&desk.signers[MAKER], &desk.signers[COPY]];
    let asked = json!({"protocol": protocol, "threshold": 1, "participants": holders});
    let answer = client.post("/keys", &asked).ok();
    desk.approve(&text(&answer, "proposal"));
    let path = format!("/keys/{}", text(&answer, "key"));
    // The maker has confirmed; the other says what its operator has to do, and nothing goes on.
    client.wait(&path, PATIENCE, |key| {
        let waiting = key["waiting"].as_str().unwrap_or_default();
        waiting.contains("replicate it") && waiting.contains(holders[1].as_str())
    });
    replicate(&token(strongroom, MAKER), &token(strongroom, COPY));
    client.wait(&path, PATIENCE, |key| {
        assert!(key["state"] != "failed", "the ceremony failed: {key}");
        key["state"] == "active" && key["proof"] != "awaited"
    })
}

impl Pool {
    pub(super) fn found() -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut strongroom = Deployment::found(root.path(), Networks::without_bitcoin());
        give_twin(&mut strongroom);
        let destination = strongroom.outside_address(NETWORK);
        strongroom.desk.allow(&[(NETWORK, destination.clone())]);
        let key = text(&key(&strongroom, "pkcs11-secp256k1/1"), "key");
        let client = strongroom.desk.initiator();
        let asset = NETWORK.native_asset().to_string();
        let account = text(&client.post("/accounts", &json!({"asset": asset})).ok(), "account");
        let asked = json!({"network": NETWORK.name(), "key": key});
        let wallet = text(&client.post("/wallets", &asked).ok(), "wallet");
        let path = format!("/wallets/{wallet}/addresses");
        let address = text(&client.post(&path, &json!({"account": account})).ok(), "address");
        let custody = Custody { network: NETWORK, key, wallet, account, address };
        let (deposit, _, fee_cap) = amounts(NETWORK);
        strongroom.deposit(&custody, deposit);
        let payment = Payment { custody, destination, amount: deposit / 50, fee_cap };
        Self { strongroom, payment, _root: root }
    }

    /// A payment that must end well, and who signed it.
    pub(super) fn pay(&self) -> String {
        let story = self.strongroom.withdraw(&self.payment);
        let last = story["attempts"].as_array().unwrap().last().unwrap();
        let signers = last["signers"].as_array().unwrap();
        assert_eq!(signers.len(), 1, "{story}");
        signers[0].as_str().unwrap().to_owned()
    }

    /// Pays, and expects this signer to have signed.
    pub(super) fn pays_by(&self, signer: usize) {
        assert_eq!(self.pay(), self.strongroom.desk.signers[signer]);
    }
}
