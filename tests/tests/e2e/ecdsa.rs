//! Ethereum wallets whose key no signer has: threshold ECDSA over REST, real processes, anvil.

use serde_json::{Value, json};
use strongroom_domain::Network;
use strongroom_tests::deployment::{Deployment, Networks};
use strongroom_tests::journey::{Custody, PATIENCE, Payment, amounts, text};

const NETWORK: Network = Network::EthereumDev;

/// A wallet on a key of the first three signers, any two of whom sign.
fn custody(strongroom: &Deployment) -> Custody {
    let desk = &strongroom.desk;
    let client = desk.initiator();
    let holders: Vec<_> = desk.signers.iter().take(3).collect();
    let asked = json!({"protocol": "dkls23-secp256k1/1", "threshold": 2, "participants": holders});
    let answer = client.post("/keys", &asked).ok();
    desk.approve(&text(&answer, "proposal"));
    let key = text(&answer, "key");
    client.wait(&format!("/keys/{key}"), PATIENCE, |key| {
        assert!(key["state"] != "failed", "the ceremony failed: {key}");
        key["state"] == "active" && key["proof"] != "awaited"
    });
    let asset = NETWORK.native_asset().to_string();
    let account = text(&client.post("/accounts", &json!({"asset": asset})).ok(), "account");
    let asked = json!({"network": NETWORK.name(), "key": key});
    let wallet = text(&client.post("/wallets", &asked).ok(), "wallet");
    let path = format!("/wallets/{wallet}/addresses");
    let address = text(&client.post(&path, &json!({"account": account})).ok(), "address");
    Custody { network: NETWORK, key, wallet, account, address }
}

/// Who signed.
fn signers(story: &Value) -> Vec<String> {
    let last = story["attempts"].as_array().unwrap().last().unwrap();
    let signers = last["signers"].as_array().unwrap().iter();
    signers.map(|signer| signer.as_str().unwrap().to_owned()).collect()
}

#[test]
fn shares_pay_on_ethereum_and_a_signer_that_dies_in_a_round_is_replaced() {
    let root = tempfile::tempdir().unwrap();
    let mut strongroom = Deployment::found(root.path(), Networks::without_bitcoin());
    let destination = strongroom.outside_address(NETWORK);
    strongroom.desk.allow(&[(NETWORK, destination.clone())]);
    let custody = custody(&strongroom);
    let (deposit, _, fee_cap) = amounts(NETWORK);
    strongroom.deposit(&custody, deposit);
    let amount = deposit / 10;
    let payment = Payment { custody: custody.clone(), destination, amount, fee_cap };
    let paid = strongroom.withdraw(&payment);
    // The chain itself recovered the wallet's address from the signature.
    let sent = |story: &Value| {
        let id = text(&story["transaction"], "transaction_id");
        let seen = strongroom.networks.ethereum.must("eth_getTransactionByHash", json!([id]));
        text(&seen, "from").to_lowercase()
    };
    assert_eq!(sent(&paid), custody.address.to_lowercase());

    // The first signer has its order and never answers; the third takes its place by itself.
    let (transfer, proposal) = strongroom.desk.ask(&payment);
    strongroom.signers[0].signal("STOP");
    strongroom.desk.approve(&proposal);
    strongroom.desk.wait_for(&transfer, &["signing"]);
    strongroom.signers[0].kill();
    let story = strongroom.settle(NETWORK, &transfer);
    assert_eq!(sent(&story), custody.address.to_lowercase());
    assert!(!signers(&story).contains(&strongroom.desk.signers[0]), "{story}");

    // It comes back with its share, and signs when the second is away.
    strongroom.signers[0].start();
    strongroom.signers[1].kill();
    strongroom.withdraw(&payment);
    strongroom.signers[1].start();

    // The third hands its place to the fourth, which signs from then on; the address stays.
    let (goes, joins) = (&strongroom.desk.signers[2], &strongroom.desk.signers[3]);
    let path = format!("/keys/{}", custody.key);
    let change = json!({"dropped": [goes], "joining": joins});
    let client = strongroom.desk.initiator();
    let asked = client.post(&format!("{path}/changes"), &change).ok();
    strongroom.desk.approve(&text(&asked, "proposal"));
    client.wait(&path, PATIENCE, |key| {
        key["change"].is_null() && key["proof"] != "awaited" && key["epoch"] != 1
    });
    strongroom.signers[0].kill();
    let story = strongroom.withdraw(&payment);
    assert_eq!(sent(&story), custody.address.to_lowercase());
    assert!(signers(&story).contains(joins), "{story}");
    strongroom.signers[0].start();
    super::spine::the_audit_agrees(&strongroom);
    strongroom.stop();
}
