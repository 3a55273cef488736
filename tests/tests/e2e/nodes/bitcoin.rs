//! What holds on every node of the Bitcoin family, run on litecoind and on btcd (or bitcoind). Never
//! uses the node's wallet through the client.

use serde_json::json;
use strongroom_nodes::bitcoin_core::FeeBasis;
use strongroom_nodes::{NodeError, RejectionReason, Submission, TransactionId, TransactionStatus};
use strongroom_tests::regtest::{BITCOIN, BitcoinRegtest, Core, LITECOIN, start_bitcoin};

use super::taproot::Spender;

fn nodes() -> [Box<dyn BitcoinRegtest>; 2] {
    [Box::new(Core::litecoind()), start_bitcoin()]
}

fn id(text: &str) -> TransactionId {
    text.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_is_seen_exactly_and_its_confirmations_are_counted() {
    for node in nodes() {
        let client = node.client();
        let spender = Spender::new(7);
        // 0.1 coins have no exact float; 12 345 678.9 satoshis' worth of digits neither.
        let amounts = [10_000_000, 123_456_789, 3_301, 29_000_000];
        node.mine(110);
        let since = client.tip().await.unwrap().height;
        let paid: Vec<TransactionId> = amounts
            .iter()
            .map(|value| id(&node.fund(&node.network().address(&spender.script()), *value)))
            .collect();
        for txid in &paid {
            let status = client.transaction_status(*txid, since).await.unwrap();
            assert_eq!(status, TransactionStatus::InMempool);
        }
        node.mine(1);
        let tip = client.tip().await.unwrap();
        let block = client.block(tip.hash).await.unwrap().unwrap();
        assert_eq!((block.height, block.hash), (tip.height, tip.hash));
        assert_eq!(block.previous, client.block_hash(tip.height - 1).await.unwrap());
        for (txid, value) in paid.iter().zip(amounts) {
            let found = block.transactions.iter().find(|found| found.id == *txid).unwrap();
            assert!(!found.inputs.is_empty());
            let script = spender.script().to_bytes();
            let output = found.outputs.iter().find(|output| output.script_pubkey == script);
            assert_eq!(output.unwrap().value, value);
        }
        node.mine(2);
        for confirmations in 3..5 {
            let status = client.transaction_status(paid[0], since).await.unwrap();
            let TransactionStatus::InBlock(inclusion) = status else { panic!("{status:?}") };
            assert_eq!(inclusion.confirmations, confirmations);
            assert_eq!((inclusion.height, inclusion.block), (tip.height, tip.hash));
            assert!(inclusion.succeeded);
            node.mine(1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_submitted_again_is_known_in_the_pool_in_a_block_and_after_it_was_spent() {
    for node in nodes() {
        let client = node.client();
        let spender = Spender::new(8);
        let coin = spender.receive(node.as_ref(), 50_000_000);
        let since = node.height();
        let spend = spender.spend(&coin, &spender.script(), 49_990_000);
        let submit = async || client.submit(spend.id(), &spend.raw(), since).await.unwrap();
        let status = async || client.transaction_status(spend.id(), since).await.unwrap();

        assert_eq!(status().await, TransactionStatus::Unknown);
        assert_eq!(submit().await, Submission::Accepted);
        assert!(matches!(submit().await, Submission::Accepted | Submission::AlreadyKnown));
        assert_eq!(status().await, TransactionStatus::InMempool);
        node.mine(1);
        assert_eq!(submit().await, Submission::AlreadyKnown);
        let next = spender.spend(&spend.coin(), &spender.script(), 49_980_000);
        let accepted = client.submit(next.id(), &next.raw(), since).await.unwrap();
        assert_eq!(accepted, Submission::Accepted);
        node.mine(1);
        // All outputs are spent: the node itself has forgotten it.
        assert_eq!(submit().await, Submission::AlreadyKnown);
        assert!(matches!(status().await, TransactionStatus::InBlock(at) if at.confirmations == 2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_transaction_comes_with_its_reason() {
    for node in nodes() {
        let client = node.client();
        let spender = Spender::new(9);
        let coin = spender.receive(node.as_ref(), 50_000_000);
        let since = node.height();
        let first = spender.spend(&coin, &spender.script(), 49_900_000);
        let mut unsigned = spender.spend(&coin, &spender.script(), 49_800_000);
        unsigned.corrupt_signature();
        let reason = async |id, raw: Vec<u8>| {
            let answer = client.submit(id, &raw, since).await.unwrap();
            let Submission::Rejected(rejection) = answer else { panic!("{answer:?}") };
            assert!(!rejection.message.is_empty());
            rejection.reason
        };

        let garbage = reason(first.id(), vec![2, 0, 0, 0, 1]).await;
        assert_eq!(garbage, RejectionReason::Invalid);
        assert_eq!(reason(unsigned.id(), unsigned.raw()).await, RejectionReason::Invalid);
        let free = spender.spend(&coin, &spender.script(), 50_000_000);
        assert_eq!(reason(free.id(), free.raw()).await, RejectionReason::FeeTooLow);
        let first_sent = client.submit(first.id(), &first.raw(), since).await.unwrap();
        assert_eq!(first_sent, Submission::Accepted);
        let rival = spender.spend(&coin, &spender.script(), 49_950_000);
        // litecoind replaces nothing by default, though both signal it.
        let expected = if node.network() == LITECOIN {
            RejectionReason::Conflicting
        } else {
            RejectionReason::FeeTooLow
        };
        assert_eq!(reason(rival.id(), rival.raw()).await, expected);
        node.mine(1);
        assert_eq!(reason(rival.id(), rival.raw()).await, RejectionReason::Superseded);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_must_offer_more_and_excludes_what_it_replaced() {
    let litecoind = Core::litecoind_with(&["-mempoolreplacement=1"]);
    let nodes: [Box<dyn BitcoinRegtest>; 2] = [Box::new(litecoind), start_bitcoin()];
    for node in nodes {
        let client = node.client();
        let spender = Spender::new(14);
        let coin = spender.receive(node.as_ref(), 50_000_000);
        let since = node.height();
        let attempts = [49_900_000, 49_950_000, 49_700_000]
            .map(|value| spender.spend(&coin, &spender.script(), value));
        let mut answers = Vec::new();
        for attempt in &attempts {
            answers.push(client.submit(attempt.id(), &attempt.raw(), since).await.unwrap());
        }
        assert_eq!(answers[0], Submission::Accepted);
        let cheaper = RejectionReason::FeeTooLow;
        let refused = matches!(&answers[1], Submission::Rejected(no) if no.reason == cheaper);
        assert!(refused, "{answers:?}");
        assert_eq!(answers[2], Submission::Accepted);
        node.mine(1);
        let replaced = client.transaction_status(attempts[0].id(), since).await.unwrap();
        assert_eq!(replaced, TransactionStatus::Unknown);
        let late = client.submit(attempts[0].id(), &attempts[0].raw(), since).await.unwrap();
        let superseded = RejectionReason::Superseded;
        assert!(matches!(late, Submission::Rejected(no) if no.reason == superseded));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_another_transaction_than_meant_are_an_error() {
    for node in nodes() {
        let client = node.client();
        let spender = Spender::new(10);
        let coin = spender.receive(node.as_ref(), 1_000_000);
        let spend = spender.spend(&coin, &spender.script(), 990_000);
        let other = TransactionId::from_printed_bytes([9; 32]);
        let answer = client.submit(other, &spend.raw(), 0).await;
        assert!(matches!(answer, Err(NodeError::Malformed { .. })), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reorganisation_shows_as_another_hash_at_the_same_height() {
    for node in nodes() {
        let client = node.client();
        node.mine(5);
        let before = client.block_hash(4).await.unwrap().unwrap();
        let below = client.block_hash(3).await.unwrap();
        assert!(client.block(before).await.unwrap().is_some());

        node.take_back(2);
        assert_eq!(client.tip().await.unwrap().height, 3);
        assert_eq!(client.block_hash(4).await.unwrap(), None);
        node.mine(3);

        assert_eq!(client.block_hash(3).await.unwrap(), below);
        assert_ne!(client.block_hash(4).await.unwrap(), Some(before));
        assert_eq!(client.block(before).await.unwrap(), None, "no longer on the best chain");
        assert_eq!(client.tip().await.unwrap().height, 6);
        assert_eq!(client.block_hash(7).await.unwrap(), None, "above the tip");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_stays_found_when_a_reorganisation_moves_it() {
    for node in nodes() {
        let client = node.client();
        let spender = Spender::new(11);
        node.mine(101);
        let txid = id(&node.fund(&node.network().address(&spender.script()), 1_000_000));
        node.mine(3);
        let since = node.height();
        node.take_back(3);
        assert_eq!(
            client.transaction_status(txid, since).await.unwrap(),
            TransactionStatus::InMempool
        );
        node.mine(4);
        let status = client.transaction_status(txid, since).await.unwrap();
        assert!(matches!(status, TransactionStatus::InBlock(at) if at.confirmations == 4));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_index_a_search_ends_100_blocks_below_the_height_it_is_given() {
    for (settings, is_indexed) in [("-txindex=0", false), ("-txindex=1", true)] {
        let node = Core::litecoind_with(&[settings]);
        let client = node.client();
        let spender = Spender::new(16);
        let coin = spender.receive(&node, 1_000_000);
        let spend = spender.spend(&coin, &spender.script(), 990_000);
        client.submit(spend.id(), &spend.raw(), 0).await.unwrap();
        node.mine(1);
        let at = node.height();
        node.mine(110);
        for (since, is_found) in [(0, true), (at, true), (at + 100, true), (at + 101, is_indexed)] {
            let status = client.transaction_status(spend.id(), since).await.unwrap();
            let found = matches!(status, TransactionStatus::InBlock(found) if found.height == at);
            assert_eq!(found, is_found, "{settings}, since {since}: {status:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_nobody_sent_is_unknown() {
    for node in nodes() {
        node.mine(3);
        let client = node.client();
        let status = client.transaction_status(TransactionId::from_printed_bytes([3; 32]), 0).await;
        assert_eq!(status.unwrap(), TransactionStatus::Unknown);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_estimate_the_fee_rate_is_the_documented_fallback_above_the_floor() {
    for node in nodes() {
        let rate = node.client().fee_rate(6).await.unwrap();
        assert_eq!((rate.per_kvb, rate.basis), (10_000, FeeBasis::Fallback));
        // 1000 on litecoind and btcd; a tenth of it since Bitcoin Core 30.
        assert!([100, 1_000].contains(&rate.floor_per_kvb), "{rate:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_another_chain_is_refused_whatever_is_asked() {
    for node in nodes() {
        let other = if node.network() == BITCOIN { LITECOIN } else { BITCOIN };
        let endpoint = node.endpoint();
        let client = strongroom_nodes::BitcoinNode::new(endpoint, other.genesis()).unwrap();
        let refusals = [
            client.check_chain().await.unwrap_err(),
            client.tip().await.unwrap_err(),
            client.fee_rate(6).await.unwrap_err(),
            client.submit(TransactionId::from_printed_bytes([1; 32]), &[1], 0).await.unwrap_err(),
        ];
        for refusal in refusals {
            assert_eq!(
                refusal,
                NodeError::WrongChain {
                    node: node.endpoint().name(),
                    expected: other.genesis.to_owned(),
                    found: node.network().genesis.to_owned(),
                }
            );
        }
        assert!(node.rpc("getblockcount", json!([])).is_ok());
    }
}
