//! Nodes that are down, hang or come back as somebody else. Never asserts a duration: the time limit
//! shows in that the call returns at all.

use std::time::Duration;

use serde_json::json;
use strongroom_nodes::{
    BitcoinNode, Credentials, Endpoint, EthereumNode, NodeError, Submission, TransactionId,
};
use strongroom_tests::regtest::{Anvil, BitcoinRegtest, Core, start_bitcoin};

use super::taproot::Spender;

const LIMIT: Duration = Duration::from_secs(2);

fn impatient(node: &dyn BitcoinRegtest) -> BitcoinNode {
    let endpoint = node.endpoint().with_time_limit(LIMIT);
    BitcoinNode::new(endpoint, node.network().genesis()).unwrap()
}

fn is_unavailable<T>(answer: Result<T, NodeError>) -> bool {
    answer.is_err_and(|error| error.is_unavailable())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_is_unavailable_and_its_chain_is_there_when_it_returns() {
    let nodes: [Box<dyn BitcoinRegtest>; 2] = [Box::new(Core::litecoind()), start_bitcoin()];
    for mut node in nodes {
        let client = node.client();
        node.mine(3);
        let before = client.tip().await.unwrap();
        node.stop();
        assert!(is_unavailable(client.tip().await));
        let id = TransactionId::from_printed_bytes([1; 32]);
        assert!(is_unavailable(client.transaction_status(id, 0).await));
        assert!(is_unavailable(client.submit(id, &[1], 0).await));
        node.restart();
        assert_eq!(client.tip().await.unwrap(), before);
        node.mine(1);
        node.kill();
        assert!(is_unavailable(client.tip().await));
        node.restart();
        // What was mined just before SIGKILL may be lost; the node and we agree on what is left.
        assert_eq!(client.tip().await.unwrap().height, node.height());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_hangs_is_unavailable_and_a_submission_can_be_repeated_after() {
    let nodes: [Box<dyn BitcoinRegtest>; 2] = [Box::new(Core::litecoind()), start_bitcoin()];
    for node in nodes {
        let client = impatient(node.as_ref());
        let spender = Spender::new(13);
        let coin = spender.receive(node.as_ref(), 1_000_000);
        let since = node.height();
        let spend = spender.spend(&coin, &spender.script(), 990_000);
        node.signal("STOP");
        assert!(is_unavailable(client.tip().await));
        // The lost answer: whether the node reads this when it wakes is its affair.
        assert!(is_unavailable(client.submit(spend.id(), &spend.raw(), since).await));
        node.signal("CONT");
        // Patient from here: a busy machine may take its time to wake the node.
        let again = node.client().submit(spend.id(), &spend.raw(), since).await.unwrap();
        assert!(matches!(again, Submission::Accepted | Submission::AlreadyKnown), "{again:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_an_outage_that_names_the_login_and_not_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "CANARY-password").unwrap();
    let node = Core::litecoind();
    let login = |file| Credentials::PasswordFile { user: "somebody".to_owned(), file };
    let endpoint = Endpoint::new(&node.url(), login(file)).unwrap().with_time_limit(LIMIT);
    let client = BitcoinNode::new(endpoint, node.network().genesis()).unwrap();
    let error = client.tip().await.unwrap_err();
    assert!(error.is_unavailable());
    assert!(error.to_string().contains("credentials"), "{error}");
    assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");

    let missing = folder.path().join("none");
    let endpoint = Endpoint::new(&node.url(), login(missing)).unwrap().with_time_limit(LIMIT);
    let client = BitcoinNode::new(endpoint, node.network().genesis()).unwrap();
    assert!(is_unavailable(client.tip().await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_comes_back_as_another_chain_is_refused() {
    let node = Anvil::start();
    let endpoint = node.endpoint().with_time_limit(LIMIT);
    let client = EthereumNode::new(endpoint, Anvil::CHAIN_ID).unwrap();
    assert_eq!(client.tip().await.unwrap().height, 0);
    node.must("anvil_setChainId", json!([5]));
    node.signal("STOP");
    assert!(is_unavailable(client.tip().await));
    node.signal("CONT");
    let refusal = client.tip().await.unwrap_err();
    assert!(matches!(refusal, NodeError::WrongChain { .. }), "{refusal:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_anvil_returns_with_its_chain() {
    let mut node = Anvil::start();
    let client = node.client();
    let receiver = node.account(1);
    let txid = node.fund(&receiver.to_string(), 5).parse().unwrap();
    node.mine(2);
    let before = client.tip().await.unwrap();
    node.stop();
    assert!(is_unavailable(client.tip().await));
    node.restart();
    assert_eq!(client.tip().await.unwrap(), before);
    let status = client.transaction_status(txid).await.unwrap();
    assert!(matches!(status, strongroom_nodes::TransactionStatus::InBlock(_)), "{status:?}");
}
