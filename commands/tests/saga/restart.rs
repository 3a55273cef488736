//! A saga that starts finds what the log left to do, whoever left it; without signers or nodes it
//! waits, says what for, and changes nothing.

use crate::house::clock;
use crate::institution::Institution;
use std::sync::Arc;
use std::time::Duration;
use strongroom_commands::checkpoints::{
    Board, CheckpointKeeper, CheckpointSigner, Checkpoints, Parts, Settings as Pace,
};
use strongroom_commands::payment::{Payments, Settings};
use strongroom_commands::signers::{ClientIdentity, Limits, OrderError, Signers, TlsError};
use strongroom_commands::{Bus, ChainNodes};
use strongroom_domain::protocol::Order;
use strongroom_domain::{Network, SignerId, TransferId};
use strongroom_store::ReadLog as _;

const ETH: Network = Network::EthereumDev;

/// A certificate and its key, as PEM.
fn pair() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["strongroom".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

/// Nobody is there to sign or cosign: transfers wait long before they come to that.
struct Nobody;

impl CheckpointSigner for Nobody {
    fn sign(&self, _: &str, _: strongroom_ledger::TreeHead) -> Result<String, String> {
        Err("nobody has the log's keys".to_owned())
    }
}

impl CheckpointKeeper for Nobody {
    fn keep(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
}

fn checkpoints(bus: &Bus, signers: &Signers) -> Checkpoints {
    Checkpoints::start(Parts {
        bus: bus.clone(),
        board: Board::new(None),
        witnesses: signers.witnesses(bus),
        signer: Arc::new(Nobody),
        keeper: Arc::new(Nobody),
        changes: signers.changes(),
        settings: Pace::default(),
    })
}

fn signers(bus: &Bus) -> Signers {
    let (certificate, key) = pair();
    let identity = ClientIdentity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    let board = Board::new(None);
    Signers::start(bus, &identity, Vec::new(), &board, Limits::default()).unwrap()
}

fn start(bus: &Bus) -> Payments {
    let settings = Settings {
        shortest_pause: Duration::from_millis(1),
        expiry_every: Duration::from_millis(5),
        ..Settings::default()
    };
    let signers = signers(bus);
    let asked = (signers.clone(), checkpoints(bus, &signers));
    Payments::start(bus.clone(), asked, Arc::new(ChainNodes::new()), settings)
}

async fn reason(payments: &Payments, transfer: TransferId) -> String {
    loop {
        match payments.waiting(transfer) {
            Some(because) => return because,
            None => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

#[tokio::test]
async fn approved_transfers_are_taken_up_at_the_start_and_as_they_come() {
    let of = Institution::found().await;
    let desk = of.funded(ETH, &[1_000]).await;
    let before = of.house.transfer(&desk, 10, 5).await;
    let bus = Bus::open(Arc::new(of.log.clone()), clock).await.unwrap();
    assert_eq!(bus.log().head(), of.log.head());
    let payments = start(&of.house.bus);
    let wants = "no node of ethereum-dev is configured";
    assert_eq!(reason(&payments, before).await, wants);
    let after = of.house.transfer(&desk, 10, 5).await;
    assert_eq!(reason(&payments, after).await, wants);
    assert_eq!(payments.all_waiting().len(), 2);
    // A second saga, as after a crash: it finds the same, and nothing has moved.
    drop(payments);
    let head = of.log.head();
    let payments = start(&of.house.bus);
    assert_eq!(reason(&payments, before).await, wants);
    assert_eq!(reason(&payments, after).await, wants);
    assert_eq!(of.log.head(), head);
}

#[tokio::test]
async fn a_transfer_that_waits_expires_with_its_approval() {
    let of = Institution::found().await;
    let desk = of.funded(ETH, &[1_000]).await;
    let intent = of.house.intent(&desk, 10, 5);
    let transfer = intent.transfer;
    let expires_at = of.house.bus.now().plus_seconds(1);
    let proposal = of.house.request(intent, expires_at).await;
    of.house.approve(proposal).await;
    let payments = start(&of.house.bus);
    while of.house.state_of(transfer) != "expired" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    while payments.waiting(transfer).is_some() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let free = of.house.bus.read(|state| {
        let claim = state.accounts[&desk.account].claim().unwrap();
        claim.holds.is_empty()
    });
    assert!(free, "its hold is voided");
}

#[tokio::test]
async fn a_signer_without_an_address_is_not_asked() {
    let of = Institution::found().await;
    let signer = SignerId(uuid::Uuid::now_v7());
    let told = signers(&of.house.bus).order(signer, &Order::Status, 0).await;
    assert_eq!(told, Err(OrderError::Unknown { signer }));
}

#[test]
fn a_certificate_or_key_that_is_none_is_refused_without_being_quoted() {
    let refused = |certificate: &str, key: &str| {
        ClientIdentity::from_pem(certificate.as_bytes(), key.as_bytes()).err()
    };
    let (certificate, key) = pair();
    assert_eq!(refused("secret", &key), Some(TlsError::Certificate));
    assert_eq!(refused(&certificate, "secret"), Some(TlsError::Key));
    assert_eq!(refused(&key, &key), Some(TlsError::Certificate));
}
