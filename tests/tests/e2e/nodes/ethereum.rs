//! The Ethereum client against anvil. Never signs: anvil's own accounts do.

use serde_json::json;
use strongroom_nodes::ethereum::{Address, At};
use strongroom_nodes::{
    EthereumNode, NodeError, RejectionReason, Submission, TransactionId, TransactionStatus,
};
use strongroom_tests::regtest::Anvil;

const ETHER: u128 = 1_000_000_000_000_000_000;

fn id(text: &str) -> TransactionId {
    text.parse().unwrap()
}

/// A signed transfer that no pool holds.
struct Signed {
    id: TransactionId,
    raw: Vec<u8>,
}

fn sign(node: &Anvil, from: usize, to: Address, wei: u128) -> Signed {
    let txid = node.transfer(from, &to.to_string(), wei);
    let raw = node.must("eth_getRawTransactionByHash", json!([txid]));
    let raw = hex::decode(raw.as_str().unwrap().trim_start_matches("0x")).unwrap();
    node.must("anvil_dropTransaction", json!([txid]));
    Signed { id: id(&txid), raw }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_is_seen_exactly_and_its_confirmations_are_counted() {
    let node = Anvil::start();
    let client = node.client();
    let receiver = Address::from_bytes([0xab; 20]);
    // More than 64 bits, and odd in its last digit.
    let wei = 100 * ETHER + 1;
    let txid = id(&node.fund(&receiver.to_string(), wei));
    let status = async || client.transaction_status(txid).await.unwrap();
    assert_eq!(status().await, TransactionStatus::InMempool);
    assert_eq!(client.receipt(txid).await.unwrap(), None);
    assert_eq!(client.account_nonce(node.account(0), At::Latest).await.unwrap(), 0);
    assert_eq!(client.account_nonce(node.account(0), At::Pending).await.unwrap(), 1);
    node.mine(1);

    let tip = client.tip().await.unwrap();
    let block = client.block(tip.height).await.unwrap().unwrap();
    assert_eq!((block.height, block.hash), (tip.height, tip.hash));
    assert_eq!(Some(block.previous), client.block_hash(tip.height - 1).await.unwrap());
    let [deposit] = block.transactions.as_slice() else { panic!("one transaction") };
    assert_eq!((deposit.id, deposit.to, deposit.value), (txid, Some(receiver), wei));
    assert_eq!((deposit.from, deposit.account_nonce), (node.account(0), 0));
    assert_eq!(client.balance(receiver, At::Latest).await.unwrap(), wei);
    let receipt = client.receipt(txid).await.unwrap().unwrap();
    assert!(receipt.succeeded);
    assert_eq!((receipt.gas_used, receipt.block), (21_000, tip.hash));
    assert_eq!(receipt.fee, 21_000 * receipt.effective_gas_price);
    assert_eq!(
        client.balance(node.account(0), At::Latest).await.unwrap(),
        10_000 * ETHER - wei - receipt.fee
    );
    for confirmations in 1..4 {
        let status = status().await;
        let TransactionStatus::InBlock(inclusion) = status else { panic!("{status:?}") };
        assert_eq!(inclusion.confirmations, confirmations);
        assert_eq!((inclusion.height, inclusion.block), (tip.height, tip.hash));
        assert!(inclusion.succeeded);
        node.mine(1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_submitted_again_is_known_in_the_pool_and_in_a_block() {
    let node = Anvil::start();
    let client = node.client();
    let transfer = sign(&node, 0, node.account(1), ETHER);
    assert_eq!(client.transaction_status(transfer.id).await.unwrap(), TransactionStatus::Unknown);
    let submit = async || client.submit(transfer.id, &transfer.raw).await.unwrap();
    assert_eq!(submit().await, Submission::Accepted);
    assert_eq!(submit().await, Submission::AlreadyKnown);
    node.mine(1);
    assert_eq!(submit().await, Submission::AlreadyKnown);
    node.mine(2);
    assert_eq!(submit().await, Submission::AlreadyKnown);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_transaction_comes_with_its_reason() {
    let node = Anvil::start();
    let client = node.client();
    let reason = async |transfer: &Signed| {
        let answer = client.submit(transfer.id, &transfer.raw).await.unwrap();
        let Submission::Rejected(rejection) = answer else { panic!("{answer:?}") };
        assert!(!rejection.message.is_empty());
        rejection.reason
    };
    let garbage = Signed { id: TransactionId::from_printed_bytes([1; 32]), raw: vec![2, 1] };
    assert_eq!(reason(&garbage).await, RejectionReason::Invalid);

    // Same account nonce, other content: one of the two will be superseded.
    let first = sign(&node, 0, node.account(1), 1);
    let second = sign(&node, 0, node.account(1), 2);
    assert_eq!(client.submit(first.id, &first.raw).await.unwrap(), Submission::Accepted);
    assert_eq!(reason(&second).await, RejectionReason::FeeTooLow, "a replacement must pay more");
    node.mine(1);
    assert_eq!(reason(&second).await, RejectionReason::Superseded);

    let last_coins = sign(&node, 2, node.account(1), 9_000 * ETHER);
    node.set_balance(&node.account(2).to_string(), ETHER);
    assert_eq!(reason(&last_coins).await, RejectionReason::InsufficientFunds);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reverted_transaction_is_included_but_did_not_succeed() {
    let node = Anvil::start();
    let client = node.client();
    let contract = "0x00000000000000000000000000000000000c0de5";
    // PUSH1 0 PUSH1 0 REVERT
    node.must("anvil_setCode", json!([contract, "0x60006000fd"]));
    let transaction = json!({
        "from": node.account(0).to_string(), "to": contract, "value": "0x1", "gas": "0xc350",
    });
    let txid = id(node.must("eth_sendTransaction", json!([transaction])).as_str().unwrap());
    node.mine(1);
    let status = client.transaction_status(txid).await.unwrap();
    assert!(matches!(status, TransactionStatus::InBlock(at) if !at.succeeded), "{status:?}");
    assert_eq!(client.balance(contract.parse().unwrap(), At::Latest).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reorganisation_shows_as_another_hash_and_takes_its_transactions_away() {
    let node = Anvil::start();
    let client = node.client();
    node.mine(3);
    let txid = id(&node.fund(&node.account(1).to_string(), 1));
    node.mine(2);
    let below = client.block_hash(3).await.unwrap();
    let before = client.block_hash(4).await.unwrap();
    assert!(before.is_some());

    node.reorganise(2);
    node.mine(1);

    assert_eq!(client.block_hash(3).await.unwrap(), below);
    assert_ne!(client.block_hash(4).await.unwrap(), before);
    assert_eq!(client.block_hash(7).await.unwrap(), None, "above the tip");
    assert_eq!(client.transaction_status(txid).await.unwrap(), TransactionStatus::Unknown);
    assert_eq!(client.receipt(txid).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fee_suggestion_is_enough_for_the_next_block() {
    let node = Anvil::start();
    let client = node.client();
    node.mine(1);
    let suggestion = client.fee_suggestion().await.unwrap();
    assert!(suggestion.priority_fee > 0);
    node.mine(1);
    let block = node.must("eth_getBlockByNumber", json!(["latest", false]));
    let base_fee = block["baseFeePerGas"].as_str().unwrap().trim_start_matches("0x");
    let base_fee = u128::from_str_radix(base_fee, 16).unwrap();
    assert_eq!(suggestion.next_base_fee, base_fee);
    assert_eq!(suggestion.max_fee(), Some(2 * base_fee + suggestion.priority_fee));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_another_chain_is_refused_whatever_is_asked() {
    let node = Anvil::start();
    let client = EthereumNode::new(node.endpoint(), 1).unwrap();
    for refusal in [
        client.check_chain().await.unwrap_err(),
        client.tip().await.unwrap_err(),
        client.submit(TransactionId::from_printed_bytes([1; 32]), &[1]).await.unwrap_err(),
    ] {
        let NodeError::WrongChain { expected, found, .. } = refusal else { panic!("{refusal:?}") };
        assert_eq!((expected.as_str(), found.as_str()), ("1", "31337"));
    }
}
