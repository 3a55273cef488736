//! An approval whose time runs out while its transfer is being signed: either a signature can be
//! completed, or the holders swear it off and the hold is voided. Nothing stays in between.

use std::time::Duration;

use serde_json::json;
use strongroom_domain::Network;
use strongroom_tests::deployment::{Deployment, Networks};
use strongroom_tests::journey::{PATIENCE, Payment, amounts, text};

#[test]
fn a_transfer_whose_time_runs_out_before_anybody_signed_fails_and_gives_its_hold_back() {
    let root = tempfile::tempdir().unwrap();
    let mut strongroom = Deployment::found(root.path(), Networks::without_bitcoin());
    for network in [Network::LitecoinRegtest, Network::EthereumDev] {
        let destination = strongroom.outside_address(network);
        strongroom.desk.allow(&[(network, destination.clone())]);
        let custody = strongroom.desk.custody(network);
        let (deposit, amount, fee_cap) = amounts(network);
        strongroom.deposit(&custody, deposit);
        let payment = Payment { custody: custody.clone(), destination, amount, fee_cap };
        let mut asked = strongroom.desk.request(&payment);
        asked["expires_in_s"] = json!(6);
        for signer in &strongroom.signers {
            signer.signal("STOP");
        }
        let answer = strongroom.desk.initiator().post("/transactions", &asked).ok();
        strongroom.desk.approve(&text(&answer, "proposal"));
        let transfer = text(&answer, "transaction");
        strongroom.desk.wait_for(&transfer, &["signing"]);
        std::thread::sleep(Duration::from_secs(7));
        for signer in &strongroom.signers {
            signer.signal("CONT");
        }
        let failed = strongroom.desk.wait_for(&transfer, &["failed"]);
        assert!(failed["transaction"]["transaction_id"].is_null(), "{failed}");
        let path = format!("/accounts/{}", custody.account);
        let given_back = |account: &serde_json::Value| {
            account["account"]["available"] == deposit.to_string().as_str()
        };
        strongroom.desk.initiator().wait(&path, PATIENCE, given_back);
        // The funds are free again, and the next payment takes them.
        strongroom.withdraw(&payment);
    }
    super::spine::the_audit_agrees(&strongroom);
    strongroom.stop();
}
