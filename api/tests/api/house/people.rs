//! What a quorum agreed to about people and machines, put to the log of a house that does not run;
//! and a clock that tests set.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::UNIX_EPOCH,
};

use ed25519_dalek::Signer as _;
use strongroom_api::{access::SecretId, sign_in::Clock};
use strongroom_commands::{Bus, Request, bus::statement};
use strongroom_domain::{
    Actor, Bytes, Command, Digest, ProposalId, Timestamp, approval_key::Evidence,
    charter::PeopleChange, proposal::Subject, statement::Answer,
};
use strongroom_store::SqliteLog;
use uuid::Uuid;

use super::{
    House,
    founding::{approval_key, person},
};

/// The machine's time, and as many seconds as the test wants.
#[derive(Clone, Default)]
pub(crate) struct TestClock(Arc<AtomicU64>);

impl TestClock {
    pub(crate) fn now(&self) -> Timestamp {
        let since = u64::try_from(UNIX_EPOCH.elapsed().unwrap().as_micros()).unwrap();
        Timestamp::from_micros(since).plus_seconds(self.0.load(Ordering::SeqCst))
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn clock(&self) -> Clock {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }
}

impl House {
    /// Has a quorum agree to changes, one after the other.
    pub(crate) fn agree(&self, changes: Vec<PeopleChange>) {
        let data = self.path("data");
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let log = SqliteLog::open(data.join("log.db")).unwrap();
                let bus = Bus::open(Arc::new(log), strongroom_api::clock::now).await.unwrap();
                for change in changes {
                    agree(&bus, change).await;
                }
            });
        };
        // Tests have runtimes of their own.
        std::thread::spawn(work).join().unwrap();
    }

    /// Has a quorum invite a person; the invitation.
    pub(crate) fn invite(&self, name: &str) -> String {
        let invitation = SecretId::generate();
        let (person, hash) = (person(name), Digest(invitation.hash()));
        self.agree(vec![PeopleChange::Invite { person, invitation: hash }]);
        invitation.expose().to_owned()
    }
}

async fn agree(bus: &Bus, change: PeopleChange) {
    let proposal = ProposalId(Uuid::now_v7());
    let (subject, maker) = (Subject::People(change), person("ian"));
    let expires_at = bus.now().plus_seconds(600);
    let asked = Command::Propose { proposal, subject, maker, expires_at };
    bus.execute(Request::new(asked, Actor::Person(maker))).await.unwrap();
    for name in ["bob", "cyd"] {
        let (approver, answer) = (person(name), Answer::Approve);
        let text = bus.read(|state| statement(state, proposal, answer, approver)).unwrap();
        let signing = approval_key(name);
        let signature = Bytes(signing.sign(text.as_bytes()).to_bytes().to_vec());
        let key = Bytes(signing.verifying_key().to_bytes().to_vec());
        let evidence = Evidence::Signature { signature };
        let answer = Command::AnswerProposal { proposal, answer, approver, key, evidence };
        bus.execute(Request::new(answer, Actor::Person(approver))).await.unwrap();
    }
}
