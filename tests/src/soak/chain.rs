//! What the nodes say was paid: every block from the first one on. The product is not asked.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use strongroom_domain::Family;

use super::ground::Rail;
use crate::deployment::Networks;

/// How often each amount arrived at a rail's destination.
pub(super) type Paid = BTreeMap<u128, u32>;

pub(super) fn paid(networks: &Networks, rail: &Rail) -> Paid {
    match rail.custody.network.family() {
        Family::Bitcoin => coins(networks, rail),
        Family::Ethereum => ether(networks, rail),
    }
}

fn coins(networks: &Networks, rail: &Rail) -> Paid {
    let node = networks.utxo(rail.custody.network);
    let mut paid = Paid::new();
    for height in 1..=node.height() {
        let block = node.must("getblock", json!([node.block_hash(height), 2]));
        for output in each(&block["tx"]).flat_map(|transaction| each(&transaction["vout"])) {
            let to = &output["scriptPubKey"]["addresses"][0];
            if *to == rail.destination.as_str() {
                let text = output["value"].to_string();
                let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
                let amount = format!("{whole}{fraction:0<8}").parse().expect("an amount");
                *paid.entry(amount).or_default() += 1;
            }
        }
    }
    paid
}

fn ether(networks: &Networks, rail: &Rail) -> Paid {
    let node = &networks.ethereum;
    let (mut paid, last) = (Paid::new(), number(&node.must("eth_blockNumber", json!([]))));
    for height in 1..=last {
        let block = node.must("eth_getBlockByNumber", json!([format!("{height:#x}"), true]));
        for transaction in each(&block["transactions"]) {
            let to = transaction["to"].as_str().unwrap_or_default();
            if to.eq_ignore_ascii_case(&rail.destination) {
                *paid.entry(number(&transaction["value"])).or_default() += 1;
            }
        }
    }
    paid
}

/// What the chain has at an account's address, of Ethereum's family.
pub(super) fn balance(networks: &Networks, rail: &Rail) -> u128 {
    let asked = json!([rail.custody.address, "latest"]);
    number(&networks.ethereum.must("eth_getBalance", asked))
}

fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn number(text: &Value) -> u128 {
    let text = text.as_str().expect("a number as text");
    u128::from_str_radix(text.trim_start_matches("0x"), 16).expect("a number")
}
