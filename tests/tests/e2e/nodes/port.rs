//! All families through the one port that the sagas use. Never asks for what only one family has.

use strongroom_nodes::{ChainNode, Submission, TransactionId, TransactionStatus};
use strongroom_tests::regtest::{Anvil, BitcoinRegtest, Core, start_bitcoin};

#[tokio::test(flavor = "multi_thread")]
async fn every_family_answers_through_the_port() {
    let (litecoin, bitcoin, ethereum) = (Core::litecoind(), start_bitcoin(), Anvil::start());
    litecoin.mine(2);
    bitcoin.mine(2);
    ethereum.mine(2);
    let nodes: [Box<dyn ChainNode>; 3] =
        [Box::new(litecoin.client()), Box::new(bitcoin.client()), Box::new(ethereum.client())];
    for node in nodes {
        let tip = node.tip().await.unwrap();
        assert_eq!(tip.height, 2);
        assert_eq!(node.block_hash(2).await.unwrap(), Some(tip.hash));
        assert_eq!(node.block_hash(3).await.unwrap(), None);
        let nobodys = TransactionId::from_printed_bytes([7; 32]);
        let status = node.transaction_status(nobodys, 0).await.unwrap();
        assert_eq!(status, TransactionStatus::Unknown);
        let answer = node.submit(nobodys, &[0], 0).await.unwrap();
        assert!(matches!(answer, Submission::Rejected(_)), "{answer:?}");
    }
}
