//! What a soak runs on: a deployment with a cable to each signer, two tokens with one key, and three
//! funded wallets, one for each way to sign. Nothing in it is simulated.

use std::path::Path;

use serde_json::json;
use strongroom_domain::{Family, Network};

use super::cable::Cable;
use super::storm::{HOLDERS, POOL};
use crate::deployment::{Deployment, Networks, give_twin, replicate, token};
use crate::journey::{Custody, FINAL, PATIENCE, amounts, text};
use crate::regtest::{Anvil, Core};
use crate::withdrawals::coins;

/// The base of every amount that is paid: the number of the withdrawal is added to it.
const AMOUNT: u128 = 1_000_000;
/// A coin that pays one withdrawal, its fee, and what is left over.
const COIN: u64 = 2_000_000;

/// A wallet to pay from and an address to pay to.
pub(super) struct Rail {
    /// How its key signs.
    pub(super) name: &'static str,
    pub(super) custody: Custody,
    pub(super) destination: String,
    pub(super) fee_cap: u128,
    /// What the account began with.
    pub(super) funds: u128,
}

impl Rail {
    /// What its withdrawal of this number pays: no two pay the same.
    pub(super) fn amount(number: usize) -> u128 {
        AMOUNT + u128::try_from(number).expect("a number")
    }
}

/// The nodes of a soak. litecoind's test chain would ask for a payment into its extension blocks at
/// height 432, which is ten minutes of a soak; here that never comes.
fn networks() -> Networks {
    let settings = ["-mempoolreplacement=1", "-vbparams=mweb:4000000000:4000000000"];
    let litecoin = Core::litecoind_with(&settings);
    Networks { bitcoin: None, litecoin, ethereum: Anvil::start() }
}

/// Founds it; `count` is how many withdrawals each wallet must be able to pay.
pub(super) fn prepare(root: &Path, count: usize) -> (Deployment, Vec<Cable>, Vec<Rail>) {
    let mut strongroom = Deployment::found(root, networks());
    let cables = cabled(&mut strongroom);
    let maker = strongroom.signers[POOL[0]].hsm.clone().expect("a token");
    give_twin(&maker, &mut strongroom.signers[POOL[1]]);
    let (litecoin, ethereum) = (Network::LitecoinRegtest, Network::EthereumDev);
    let destinations: Vec<_> = [litecoin, ethereum, ethereum]
        .map(|network| (network, strongroom.outside_address(network)))
        .into();
    strongroom.desk.allow(&destinations);
    let holders = HOLDERS.as_slice();
    let keys = [
        ("frost-secp256k1-tr/1", 2, holders),
        ("dkls23-secp256k1/1", 2, holders),
        ("pkcs11-secp256k1/1", 1, POOL.as_slice()),
    ];
    let rails = ["FROST 2 of 3, litecoin", "dkls23 2 of 3, ether", "HSM pool of 2, ether"];
    let rails = keys.into_iter().zip(rails).zip(destinations);
    let rails = rails.map(|((key, name), (network, destination))| {
        let key = key_of(&strongroom, key);
        let custody = wallet(&strongroom, network, key);
        let (_, _, fee_cap) = amounts(network);
        let funds = fund(&strongroom, &custody, count);
        Rail { name, custody, destination, fee_cap, funds }
    });
    let rails = rails.collect();
    (strongroom, cables, rails)
}

/// From its next start on the server reaches each signer over a cable.
fn cabled(strongroom: &mut Deployment) -> Vec<Cable> {
    strongroom.server.stop();
    let path = strongroom.server.folder.join("strongroom.toml");
    let mut text = std::fs::read_to_string(&path).expect("a configuration");
    let mut cables = Vec::new();
    for signer in &strongroom.signers {
        let cable = Cable::lay(signer.port);
        let address = |port: u16| format!("address = \"127.0.0.1:{port}\"");
        text = text.replace(&address(signer.port), &address(cable.port));
        cables.push(cable);
    }
    std::fs::write(&path, text).expect("a configuration");
    strongroom.server.start();
    cables
}

fn key_of(strongroom: &Deployment, (protocol, threshold, holders): (&str, u8, &[usize])) -> String {
    let desk = &strongroom.desk;
    let client = desk.initiator();
    let ids: Vec<_> = holders.iter().map(|holder| &desk.signers[*holder]).collect();
    let asked = json!({"protocol": protocol, "threshold": threshold, "participants": ids});
    let answer = client.post("/keys", &asked).ok();
    desk.approve(&text(&answer, "proposal"));
    let key = text(&answer, "key");
    let path = format!("/keys/{key}");
    if threshold == 1 {
        client.wait(&path, PATIENCE, |key| {
            key["waiting"].as_str().is_some_and(|waiting| waiting.contains("replicate it"))
        });
        let [maker, twin] = POOL.map(|member| token(&strongroom.signers[member]));
        replicate(&maker, &twin);
    }
    client.wait(&path, PATIENCE, |key| {
        assert!(key["state"] != "failed", "the ceremony failed: {key}");
        key["state"] == "active" && key["proof"] != "awaited"
    });
    key
}

fn wallet(strongroom: &Deployment, network: Network, key: String) -> Custody {
    let client = strongroom.desk.initiator();
    let asset = network.native_asset().to_string();
    let account = text(&client.post("/accounts", &json!({"asset": asset})).ok(), "account");
    let asked = json!({"network": network.name(), "key": key});
    let wallet = text(&client.post("/wallets", &asked).ok(), "wallet");
    let path = format!("/wallets/{wallet}/addresses");
    let address = text(&client.post(&path, &json!({"account": account})).ok(), "address");
    Custody { network, key, wallet, account, address }
}

/// One final coin for each withdrawal, or ether enough: what the account has then.
fn fund(strongroom: &Deployment, custody: &Custody, count: usize) -> u128 {
    let funds = match custody.network.family() {
        Family::Bitcoin => {
            coins(strongroom, custody, COIN, count);
            u128::from(COIN) * u128::try_from(count).expect("a number")
        }
        Family::Ethereum => {
            let (deposit, _, _) = amounts(custody.network);
            let funds = deposit * 100;
            strongroom.networks.ethereum.fund(&custody.address, funds);
            strongroom.networks.mine(custody.network, FINAL);
            funds
        }
    };
    let path = format!("/accounts/{}", custody.account);
    strongroom.desk.initiator().wait(&path, PATIENCE * 5, |account| {
        account["account"]["available"] == funds.to_string().as_str()
    });
    funds
}
