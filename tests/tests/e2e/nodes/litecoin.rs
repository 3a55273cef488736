//! What Litecoin has and Bitcoin has not. Never needs MWEB addresses in the product.

use serde_json::{Value, json};
use strongroom_nodes::{TransactionId, TransactionStatus};
use strongroom_tests::regtest::{BitcoinRegtest, Core};

/// MWEB is active from height 432 on regtest, when it was signalled; mined by a node that knows it, it is.
const MWEB_HEIGHT: u32 = 432;

#[tokio::test(flavor = "multi_thread")]
async fn blocks_with_confidential_transactions_are_read_and_a_peg_out_is_an_ordinary_output() {
    let node = Core::litecoind();
    let client = node.client();
    node.mine(MWEB_HEIGHT - 1);
    let confidential = node.must("getnewaddress", json!(["", "mweb"]));
    // The first blocks after activation need a peg-in to make the extension block.
    let peg_in = txid(&node.must("sendtoaddress", json!([confidential, "5.00000000"])));
    node.mine(2);
    // Away with the coins outside, so that the payment must come from inside: a peg-out.
    let outside: Vec<Value> = node
        .must("listunspent", json!([]))
        .as_array()
        .unwrap()
        .iter()
        .filter(|coin| coin.get("address") != Some(&confidential) && coin.get("vout").is_some())
        .map(|coin| json!({ "txid": coin["txid"], "vout": coin["vout"] }))
        .collect();
    node.must("lockunspent", json!([false, outside]));
    let address = node.new_address();
    let script = node.must("getaddressinfo", json!([address]));
    let script = hex::decode(script["scriptPubKey"].as_str().unwrap()).unwrap();
    node.must("sendtoaddress", json!([address, "1.23456789"]));
    node.mine(1);

    let tip = client.tip().await.unwrap();
    for height in u64::from(MWEB_HEIGHT) - 2..=tip.height {
        let hash = client.block_hash(height).await.unwrap().unwrap();
        assert_eq!(client.block(hash).await.unwrap().unwrap().height, height);
    }
    let block = client.block(tip.hash).await.unwrap().unwrap();
    let hogex = block.transactions.last().unwrap();
    let peg_out = hogex.outputs.iter().find(|output| output.script_pubkey == script);
    assert_eq!(peg_out.unwrap().value, 123_456_789);
    assert_eq!(hogex.outputs[0].script_pubkey[..2], [0x58, 0x20], "the extension block's balance");
    let status = client.transaction_status(peg_in, tip.height).await.unwrap();
    assert!(matches!(status, TransactionStatus::InBlock(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_that_is_reorganised_away_is_unknown_and_its_rival_confirmed() {
    let node = Core::litecoind();
    let client = node.client();
    let txid = node.fund(&node.new_address(), 70_000_000);
    node.mine(3);
    let before = client.tip().await.unwrap();
    let deposit = txid.parse().unwrap();
    let status = client.transaction_status(deposit, before.height).await.unwrap();
    assert!(matches!(status, TransactionStatus::InBlock(at) if at.confirmations == 3));

    let rival = node.reorganise_away(&txid);

    assert_eq!(client.tip().await.unwrap().height, before.height + 1);
    let gone = client.transaction_status(deposit, before.height).await.unwrap();
    assert_eq!(gone, TransactionStatus::Unknown);
    let rival = client.transaction_status(rival.parse().unwrap(), before.height).await.unwrap();
    assert!(matches!(rival, TransactionStatus::InBlock(at) if at.confirmations == 4));
}

fn txid(value: &Value) -> TransactionId {
    value.as_str().unwrap().parse().unwrap()
}
