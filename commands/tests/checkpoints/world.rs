//! A founded log in memory whose keys the test holds, and a publisher on it.

use crate::witness::TestWitness;
use ed25519_dalek::{Signer as _, SigningKey};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use strongroom_commands::checkpoints::{
    Board, CheckpointKeeper, CheckpointSigner, Checkpoints, Counting, Parts, Settings, Witness,
};
use strongroom_commands::{Bus, Request};
use strongroom_domain::charter::{
    CharterTextV2, Enrolment, FoundedV2, FoundingSignature, PersonV1, Role, Witnessing,
};
use strongroom_domain::policy::{PolicyV1, Quorum};
use strongroom_domain::{
    AccountId, Actor, Bytes, ClientId, Command, Digest, LogId, Network, PersonId, SignerId,
    Timestamp, statement,
};
use strongroom_ledger::{KeyName, LogKeys, TreeHead};
use strongroom_store::{AppendLog, MemoryLog};
use tokio::sync::watch;
use uuid::Uuid;

pub(crate) fn clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_micros(u64::try_from(since.as_micros()).unwrap())
}

/// Never by itself, so that a test says when.
pub(crate) fn on_demand() -> Settings {
    Settings {
        every: Duration::from_hours(1),
        entries: u64::MAX,
        patience: Duration::from_mins(1),
        shortest_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(5),
    }
}

fn key(seed: u8) -> (SigningKey, Bytes) {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let public = Bytes(key.verifying_key().to_bytes().to_vec());
    (key, public)
}

/// The log's keys; counts what they sign.
pub(crate) struct Keys {
    keys: LogKeys,
    signed: AtomicU64,
}

impl Keys {
    pub(crate) fn signed(&self) -> u64 {
        self.signed.load(Ordering::SeqCst)
    }
}

impl CheckpointSigner for Keys {
    fn sign(&self, origin: &str, head: TreeHead) -> Result<String, String> {
        assert_eq!(origin, self.keys.origin().as_str());
        self.signed.fetch_add(1, Ordering::SeqCst);
        let now = strongroom_ledger::Timestamp::from_micros(clock().micros()).unwrap();
        Ok(self.keys.sign(head, now).unwrap().note().to_string())
    }
}

/// Keeps in memory, when it may.
#[derive(Default)]
pub(crate) struct Shelf {
    kept: Mutex<Option<String>>,
    pub(crate) broken: Mutex<Option<String>>,
}

impl Shelf {
    pub(crate) fn kept(&self) -> Option<String> {
        self.kept.lock().unwrap().clone()
    }
}

impl CheckpointKeeper for Shelf {
    fn keep(&self, checkpoint: &str) -> Result<(), String> {
        if let Some(because) = self.broken.lock().unwrap().clone() {
            return Err(because);
        }
        *self.kept.lock().unwrap() = Some(checkpoint.to_owned());
        Ok(())
    }
}

/// The log, its witnesses and what a publisher needs.
pub(crate) struct World {
    pub(crate) bus: Bus,
    pub(crate) witnesses: Vec<TestWitness>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) board: Board,
    pub(crate) changes: watch::Sender<u64>,
    charter: FoundedV2,
    maker: PersonId,
}

impl World {
    /// Three signers are the witnesses; two of them are enough.
    pub(crate) async fn found() -> Self {
        let (log, maker) = (LogId(Uuid::now_v7()), PersonId(Uuid::now_v7()));
        let origin = KeyName::new(&format!("strongroom/{log}")).unwrap();
        let keys = LogKeys::from_seeds(&origin, &[1; 32], &[2; 32]).unwrap();
        let ids: Vec<_> = (0..3).map(|_| SignerId(Uuid::now_v7())).collect();
        let enrolment = |(number, id): (u8, &SignerId)| Enrolment {
            id: *id,
            identity_key: key(10 + number).1,
            sealing_key: Bytes(vec![7; 32]),
            tls_certificate_sha256: Digest::default(),
            witness_key: key(20 + number).1,
        };
        let charter = charter(log, maker, &keys, (0_u8..).zip(&ids).map(enrolment).collect());
        let witness = |(number, id): (u8, &SignerId)| {
            let name = format!("strongroom/{log}/signer/{id}");
            TestWitness::new(&name, 20 + number, keys.verifier())
        };
        let witnesses = (0_u8..).zip(&ids).map(witness).collect();
        let world = Self {
            bus: bus().await,
            witnesses,
            keys: Arc::new(Keys { keys, signed: AtomicU64::new(0) }),
            shelf: Arc::default(),
            board: Board::new(None),
            changes: watch::Sender::new(0),
            charter,
            maker,
        };
        world.run(&world.bus, Command::FoundCharter(world.charter.clone())).await;
        world
    }

    /// Another log under the same charter: its entries have other times and ids.
    pub(crate) async fn twin(&self) -> Bus {
        let bus = bus().await;
        self.run(&bus, Command::FoundCharter(self.charter.clone())).await;
        bus
    }

    async fn run(&self, bus: &Bus, command: Command) -> u64 {
        let outcome = bus.execute(Request::new(command, Actor::Saga)).await.unwrap();
        outcome.positions.unwrap().1
    }

    /// One entry; its position.
    pub(crate) async fn append(&self) -> u64 {
        self.append_to(&self.bus).await
    }

    pub(crate) async fn append_to(&self, bus: &Bus) -> u64 {
        let (account, client) = (AccountId(Uuid::now_v7()), ClientId(Uuid::now_v7()));
        let asset = Network::EthereumDev.native_asset();
        self.run(bus, Command::OpenAccount { account, client, asset, by: self.maker }).await
    }

    pub(crate) fn publish(&self, settings: Settings) -> Checkpoints {
        let witness = |one: &TestWitness| -> Arc<dyn Witness> { Arc::new(one.clone()) };
        Checkpoints::start(Parts {
            bus: self.bus.clone(),
            board: self.board.clone(),
            witnesses: self.witnesses.iter().map(witness).collect(),
            signer: Arc::<Keys>::clone(&self.keys),
            keeper: Arc::<Shelf>::clone(&self.shelf),
            changes: self.changes.subscribe(),
            settings,
        })
    }

    /// Waits until the board shows something like this.
    pub(crate) async fn shows(&self, like: impl Fn(&Counting) -> bool) -> Arc<Counting> {
        let mut news = self.board.news();
        let shown = news.wait_for(|shown| shown.as_ref().is_some_and(|one| like(one))).await;
        shown.unwrap().clone().unwrap()
    }
}

async fn bus() -> Bus {
    let log: Arc<dyn AppendLog> = Arc::new(MemoryLog::default());
    Bus::open(log, clock).await.unwrap()
}

fn charter(log: LogId, maker: PersonId, keys: &LogKeys, signers: Vec<Enrolment>) -> FoundedV2 {
    let approvers = [3, 4].map(|seed| (PersonId(Uuid::now_v7()), key(seed)));
    let group = approvers.iter().map(|(id, _)| *id).collect();
    let governance = Quorum { approvals: 2, group };
    let verifier = keys.verifier();
    let [log_key, log_key_ml_dsa_44] = verifier.keys().map(|key| Bytes(key.bytes().to_vec()));
    let person =
        |id, role, approval_keys| PersonV1 { id, roles: BTreeSet::from([role]), approval_keys };
    let mut people: Vec<_> = approvers
        .iter()
        .map(|(id, (_, public))| person(*id, Role::Approver, vec![public.clone()]))
        .collect();
    people.push(person(maker, Role::Initiator, Vec::new()));
    let charter = CharterTextV2 {
        log,
        name: "checkpoints".to_owned().try_into().unwrap(),
        log_key,
        log_key_ml_dsa_44,
        witnessing: Witnessing { threshold: 2, outside: Vec::new() },
        people,
        signers,
        governance,
        policy: PolicyV1 {
            version: 1,
            destinations: Vec::new(),
            tiers: Vec::new(),
            fee_caps: BTreeMap::new(),
            confirmations: BTreeMap::new(),
            proposal_lifetime_s: 3600,
        },
    };
    let text = statement::founding_v2(&charter);
    let signed = approvers.iter().map(|(person, (secret, public))| FoundingSignature {
        person: *person,
        key: public.clone(),
        signature: Bytes(secret.sign(text.as_bytes()).to_bytes().to_vec()),
    });
    let signatures = signed.collect();
    FoundedV2 { charter, signatures }
}
