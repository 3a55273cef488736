//! Wallets are given up on real chains: everything in them goes to the successor, what comes late
//! follows, the server is killed between the steps, and the audit tool accepts the whole log.

use serde_json::{Value, json};
use strongroom_domain::{Family, Network};
use strongroom_tests::deployment::{Deployment, Networks};
use strongroom_tests::journey::{Custody, FINAL, PATIENCE, amounts, text};

/// What wallets of the ledger hold: debits less credits.
fn held(strongroom: &Deployment, wallet: &str) -> u128 {
    let wallet = strongroom.desk.initiator().get(&format!("/wallets/{wallet}")).ok();
    let side = |name: &str| text(&wallet["wallet"]["custody"], name).parse::<u128>().unwrap();
    side("debits") - side("credits")
}

fn successor(strongroom: &Deployment, network: Network) -> (String, String) {
    let key = strongroom.desk.key(network);
    let asked = json!({"network": network.name(), "key": key});
    let made = strongroom.desk.initiator().post("/wallets", &asked).ok();
    (text(&made, "wallet"), key)
}

/// Every sweep out of a wallet, with its state.
fn sweeps(strongroom: &Deployment, wallet: &str) -> Vec<(String, String)> {
    let path = format!("/transactions?wallet={wallet}");
    let page = strongroom.desk.initiator().get(&path).ok();
    let of = |item: &Value| (text(item, "transaction"), text(item, "state"));
    page["items"].as_array().unwrap().iter().map(of).collect()
}

/// Mines and looks until `done`; the server is killed −9 whenever a sweep has come a step further.
fn follow(strongroom: &mut Deployment, custody: &Custody, done: impl Fn(&Deployment) -> bool) {
    let began = std::time::Instant::now();
    let mut seen = Vec::new();
    while !done(strongroom) {
        assert!(began.elapsed() < PATIENCE, "nothing moves: {seen:?}");
        let now = sweeps(strongroom, &custody.wallet);
        if now.iter().any(|(_, state)| state == "broadcast") {
            strongroom.networks.mine(custody.network, FINAL);
        }
        if now != seen {
            seen = now;
            strongroom.server.kill();
            strongroom.server.start();
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

fn key_state(strongroom: &Deployment, key: &str) -> String {
    text(&strongroom.desk.initiator().get(&format!("/keys/{key}")).ok(), "state")
}

fn late(strongroom: &Deployment, custody: &Custody, amount: u128) {
    strongroom.deposit(custody, amount);
}

fn rotate(strongroom: &mut Deployment, network: Network) {
    let custody = strongroom.desk.custody(network);
    let successor = successor(strongroom, network);
    rotate_to(strongroom, &custody, successor);
}

/// A wallet that gets money is given up for another, by its id and key, while the server is killed.
pub(super) fn rotate_to(
    strongroom: &mut Deployment,
    custody: &Custody,
    (new, new_key): (String, String),
) {
    let network = custody.network;
    let (amount, payment, fee_cap) = amounts(network);
    strongroom.deposit(custody, amount);
    strongroom.deposit(custody, payment);
    let before = strongroom.desk.available(&custody.account);
    let client = strongroom.desk.initiator();
    let asked = json!({
        "successor": new, "fees_from": custody.account, "fee_cap": fee_cap.to_string(),
    });
    let path = format!("/wallets/{}/rotation", custody.wallet);
    let itself = json!({
        "successor": custody.wallet, "fees_from": custody.account, "fee_cap": "1000",
    });
    assert_eq!(client.post(&path, &itself).refused(), "rotation-invalid");
    let proposal = text(&client.post(&path, &asked).ok(), "proposal");
    strongroom.desk.approve(&proposal);
    let retired = |strongroom: &Deployment| key_state(strongroom, &custody.key) == "retired";
    follow(strongroom, custody, retired);
    let left = held(strongroom, &custody.wallet);
    let owed = strongroom.desk.available(&custody.account);
    assert!(before - owed <= fee_cap, "one fee, within its cap");
    assert_eq!(held(strongroom, &new) + left, owed, "what is owed is what is held");
    // Of coins nothing is left; of an account at most what the network did not take of the fee.
    assert!(if network.family() == Family::Bitcoin { left == 0 } else { left < fee_cap });
    let client = strongroom.desk.initiator();
    let wallet = client.get(&format!("/wallets/{}", custody.wallet)).ok();
    assert_eq!(text(&wallet["wallet"], "successor"), new);
    let address = json!({"account": custody.account});
    let derive = format!("/wallets/{}/addresses", custody.wallet);
    let refused = client.post(&derive, &address);
    assert_eq!(refused.refused(), "wallet-rotated");
    // What comes late to the old address is its account's, and follows.
    late(strongroom, custody, amount);
    let want = held(strongroom, &new) + amount / 2;
    follow(strongroom, custody, |strongroom| held(strongroom, &new) > want);
    assert_eq!(key_state(strongroom, &custody.key), "retired");
    assert_eq!(key_state(strongroom, &new_key), "active");
    for (sweep, state) in sweeps(strongroom, &custody.wallet) {
        assert_eq!(state, "confirmed");
        let log = strongroom.log_file().display().to_string();
        let genesis = strongroom.desk.institution.genesis.clone();
        let (code, said) =
            strongroom.desk.replay(&["explain", &sweep, &log, "--genesis", &genesis]);
        assert_eq!(code, 0, "{said}");
        assert!(said.contains(&new), "{said}");
    }
}

fn whole_log_is_lawful(strongroom: &Deployment) {
    let (log, genesis) =
        (strongroom.log_file().display().to_string(), &strongroom.desk.institution.genesis);
    let (code, said) = strongroom.desk.replay(&["verify", &log, "--genesis", genesis]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_wallet_of_coins_moves_to_its_successor_whatever_dies_on_the_way() {
    let root = tempfile::tempdir().unwrap();
    let mut strongroom = Deployment::found(root.path(), Networks::without_bitcoin());
    rotate(&mut strongroom, Network::LitecoinRegtest);
    whole_log_is_lawful(&strongroom);
}

#[test]
fn a_wallet_with_a_balance_moves_to_its_successor_whatever_dies_on_the_way() {
    let root = tempfile::tempdir().unwrap();
    let mut strongroom = Deployment::found(root.path(), Networks::without_bitcoin());
    rotate(&mut strongroom, Network::EthereumDev);
    whole_log_is_lawful(&strongroom);
}

#[test]
fn a_wallet_on_bitcoin_moves_to_its_successor_whatever_dies_on_the_way() {
    let root = tempfile::tempdir().unwrap();
    let mut strongroom = Deployment::found(root.path(), Networks::start());
    rotate(&mut strongroom, Network::BitcoinRegtest);
    whole_log_is_lawful(&strongroom);
}
