//! The main job, step by step, as its users do it: over REST and the command line. Used by the
//! quick start and by the end-to-end tests; it asserts what each step must lead to.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a step that does not lead where it must is a failed test, which is what a panic says"
)]

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use strongroom_domain::{Family, Network};
use strongroom_nodes::TransactionStatus;
use uuid::Uuid;

use crate::deployment::{Client, Deployment, Desk};

/// Long enough for a busy machine; nothing asserts that it takes less.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// Blocks that make anything final under the charter's policy.
pub const FINAL: u32 = 3;

/// A wallet, the account that it serves, and the address given to its client.
#[derive(Clone, Debug)]
pub struct Custody {
    /// Where.
    pub network: Network,
    /// The key that signs.
    pub key: String,
    /// The wallet.
    pub wallet: String,
    /// The client's account.
    pub account: String,
    /// The deposit address.
    pub address: String,
}

/// What is asked of a withdrawal.
#[derive(Clone, Debug)]
pub struct Payment {
    /// From which wallet and account.
    pub custody: Custody,
    /// To whom.
    pub destination: String,
    /// How much, in base units.
    pub amount: u128,
    /// The most that the network may take.
    pub fee_cap: u128,
}

/// Sensible amounts on each network: deposit, withdrawal, fee cap.
pub fn amounts(network: Network) -> (u128, u128, u128) {
    match network {
        Network::Bitcoin | Network::BitcoinRegtest => (50_000_000, 20_000_000, 50_000),
        Network::Litecoin | Network::LitecoinRegtest => (500_000_000, 200_000_000, 500_000),
        Network::Ethereum | Network::EthereumDev => {
            (5_000_000_000_000_000_000, 2_000_000_000_000_000_000, 5_000_000_000_000_000)
        }
    }
}

/// Text of a field; a panic that shows the whole where it is missing.
pub fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}")).to_owned()
}

impl Desk {
    /// The client of the one who asks.
    pub fn initiator(&self) -> Client {
        self.client(&self.institution.initiator)
    }

    /// Two approvers answer yes, each with their own key, by `strongroom approve`.
    pub fn approve(&self, proposal: &str) {
        for approver in self.institution.approvers.iter().take(2) {
            self.approve_as(approver, proposal).unwrap_or_else(|said| panic!("{said}"));
        }
    }

    /// One person answers yes; what the command said where it failed.
    pub fn approve_as(
        &self,
        person: &crate::deployment::Person,
        proposal: &str,
    ) -> Result<String, String> {
        let mut command = person.approve(&self.programs, &self.url, proposal);
        let output = command.stdin(std::process::Stdio::null()).output().expect("a command");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(said) } else { Err(format!("{said}{complained}")) }
    }

    /// A key, asked for, approved and made. `fourth` is the signer with the HSM.
    pub fn key(&self, network: Network) -> String {
        let holders: Vec<&str> = match network.family() {
            Family::Bitcoin => self.signers.iter().take(3).map(String::as_str).collect(),
            Family::Ethereum => vec![self.signers[3].as_str()],
        };
        let (protocol, threshold) = match holders.len() {
            1 => ("pkcs11-secp256k1/1", 1),
            _ => ("frost-secp256k1-tr/1", 2),
        };
        let asked = json!({"protocol": protocol, "threshold": threshold, "participants": holders});
        let client = self.initiator();
        let answer = client.post("/keys", &asked).ok();
        self.approve(&text(&answer, "proposal"));
        let key = text(&answer, "key");
        client.wait(&format!("/keys/{key}"), PATIENCE, |key| {
            assert!(key["state"] != "failed", "the ceremony failed: {key}");
            key["state"] == "active"
        });
        key
    }

    /// A wallet with a key of its own, an account and its deposit address.
    pub fn custody(&self, network: Network) -> Custody {
        let client = self.initiator();
        let key = self.key(network);
        let asset = network.native_asset().to_string();
        let account = text(&client.post("/accounts", &json!({"asset": asset})).ok(), "account");
        let asked = json!({"network": network.name(), "key": key});
        let wallet = text(&client.post("/wallets", &asked).ok(), "wallet");
        let path = format!("/wallets/{wallet}/addresses");
        let address = text(&client.post(&path, &json!({"account": account})).ok(), "address");
        Custody { network, key, wallet, account, address }
    }

    /// What an account can still set aside.
    pub fn available(&self, account: &str) -> u128 {
        let account = self.initiator().get(&format!("/accounts/{account}")).ok();
        text(&account["account"], "available").parse().expect("an amount")
    }

    /// Puts destinations on the allowlist, by a policy change that the quorum approves.
    pub fn allow(&self, destinations: &[(Network, String)]) {
        let client = self.initiator();
        let mut policy = client.get("/policy").ok()["policy"].take();
        let known = policy["destinations"].as_array().expect("a list").clone();
        let mut all = known.clone();
        for (network, address) in destinations {
            let same = |entry: &Value| entry["address"] == address.as_str();
            if !all.iter().any(same) {
                let label = format!("outside-{}", all.len() + 1);
                all.push(json!({"network": network.name(), "address": address, "label": label}));
            }
        }
        if all.len() == known.len() {
            return;
        }
        let version = policy["version"].as_u64().expect("a version") + 1;
        policy["destinations"] = Value::Array(all);
        policy["version"] = json!(version);
        let answer = client.post("/policies", &json!({"policy": policy})).ok();
        self.approve(&text(&answer, "proposal"));
        client.wait("/policy", PATIENCE, |policy| policy["version"] == version);
    }

    /// The body of a withdrawal request.
    pub fn request(&self, payment: &Payment) -> Value {
        json!({
            "account": payment.custody.account,
            "wallet": payment.custody.wallet,
            "asset": payment.custody.network.native_asset().to_string(),
            "amount": payment.amount.to_string(),
            "destination": payment.destination,
            "fee_cap": payment.fee_cap.to_string(),
        })
    }

    /// Asks for a withdrawal: its id and its proposal.
    pub fn ask(&self, payment: &Payment) -> (String, String) {
        let answer = self.initiator().post("/transactions", &self.request(payment)).ok();
        (text(&answer, "transaction"), text(&answer, "proposal"))
    }

    /// Waits until a transfer is in one of these states.
    pub fn wait_for(&self, transfer: &str, states: &[&str]) -> Value {
        let reached =
            |story: &Value| states.iter().any(|state| story["transaction"]["state"] == *state);
        self.initiator().wait(&format!("/transactions/{transfer}"), PATIENCE, reached)
    }

    /// Runs the audit tool; its exit code and what it said.
    pub fn replay(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.programs.replay().args(arguments).output().expect("the audit tool");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code().unwrap_or(-1), format!("{said}{complained}"))
    }
}

impl Deployment {
    /// Pays a deposit address on the chain, and waits until it is the client's.
    pub fn deposit(&self, custody: &Custody, amount: u128) {
        let before = self.desk.available(&custody.account);
        match custody.network.family() {
            Family::Ethereum => drop(self.networks.ethereum.fund(&custody.address, amount)),
            Family::Bitcoin => {
                let network = custody.network;
                let amount = u64::try_from(amount).expect("an amount of the Bitcoin family");
                self.networks.utxo(network).fund(&custody.address, amount);
            }
        }
        self.networks.mine(custody.network, FINAL);
        let path = format!("/accounts/{}", custody.account);
        let wanted = before.checked_add(amount).expect("a sum");
        self.desk.initiator().wait(&path, PATIENCE, |account| {
            account["account"]["available"] == wanted.to_string().as_str()
        });
    }

    /// A fresh address of somebody outside.
    pub fn outside_address(&self, network: Network) -> String {
        // Litecoin's own wallet can then be asked what it received.
        if network == Network::LitecoinRegtest {
            self.networks.litecoin.new_address()
        } else {
            address_of_nobody(network)
        }
    }

    /// An address that nobody has allowed.
    pub fn stranger_address(&self, network: Network) -> String {
        address_of_nobody(network)
    }

    /// Whether the network's own node has a transaction in its best chain.
    pub fn node_knows(&self, network: Network, transaction: &str) -> bool {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let id = transaction.parse().expect("a transaction id");
        let status = match network.family() {
            Family::Ethereum => {
                let node = self.networks.ethereum.client();
                runtime.block_on(async { node.transaction_status(id).await })
            }
            Family::Bitcoin => {
                let node = self.networks.utxo(network).client();
                runtime.block_on(async { node.transaction_status(id, 0).await })
            }
        };
        matches!(status.expect("the node answers"), TransactionStatus::InBlock(_))
    }

    /// Waits until a transfer is broadcast, mines what makes it final, waits until it is confirmed.
    pub fn settle(&self, network: Network, transfer: &str) -> Value {
        self.desk.wait_for(transfer, &["broadcast", "confirmed"]);
        self.networks.mine(network, FINAL);
        self.desk.wait_for(transfer, &["confirmed"])
    }

    /// The receipt of what became of a transfer, fetched from the server and checked without it: by
    /// the audit tool, under the policy that the log's own charter says. The file, and what was said.
    pub fn receipt(&self, transfer: &str, kind: &str) -> (PathBuf, String) {
        let client = self.desk.client(&self.desk.institution.auditor);
        let story = client.get(&format!("/transactions/{transfer}")).ok();
        let entries = story["entries"].as_array().expect("a list");
        let entry = entries.iter().find(|entry| entry["kind"] == kind);
        let entry = entry.unwrap_or_else(|| panic!("no {kind} in {story}"));
        let folder = self.root.join("receipts");
        std::fs::create_dir_all(&folder).expect("a folder");
        let (receipt, policy) = (folder.join(format!("{transfer}.receipt")), folder.join("policy"));
        let told = client.text(&format!("/receipts/{}", entry["position"]));
        std::fs::write(&receipt, told).expect("a file");
        let log = self.log_file().display().to_string();
        let genesis = &self.desk.institution.genesis;
        let (code, said) = self.desk.replay(&["policy", &log, "--genesis", genesis]);
        assert_eq!(code, 0, "{said}");
        assert_eq!(said, client.text("/log/policy"), "the server's policy is the charter's");
        std::fs::write(&policy, said).expect("a file");
        let (shown, policy) = (receipt.display().to_string(), policy.display().to_string());
        let (code, said) = self.desk.replay(&["receipt", &shown, "--policy", &policy]);
        assert_eq!(code, 0, "{said}");
        (receipt, said)
    }

    /// A complete withdrawal.
    pub fn withdraw(&self, payment: &Payment) -> Value {
        let (transfer, proposal) = self.desk.ask(payment);
        self.desk.approve(&proposal);
        self.settle(payment.custody.network, &transfer)
    }
}

/// The address of a fresh key that nobody keeps.
pub fn address_of_nobody(network: Network) -> String {
    use k256::elliptic_curve::sec1::ToEncodedPoint as _;
    let secret = k256::SecretKey::random(&mut rand::rngs::OsRng);
    let point = secret.public_key().to_encoded_point(true);
    let key = point.as_bytes().try_into().expect("33 bytes");
    strongroom_chains::address_of(network, key).expect("an address").to_string()
}

/// A fresh idempotency key.
pub fn fresh_key() -> String {
    Uuid::now_v7().to_string()
}
