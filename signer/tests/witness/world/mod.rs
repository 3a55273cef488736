//! A small institution with one real signer. Nothing here stands in for the signer.

mod log;

pub(crate) use log::{Log, log_keys, seconds};

use std::path::{Path, PathBuf};

use log::{charter, signatures};
use strongroom_domain::{
    Command, Digest, Head, Rule, SignerId, Stream,
    charter::{CharterEvent, CharterTextV1, CharterTextV2, EnrolmentV1, FoundedV1, FoundedV2},
    protocol::{Order, Reply},
    signer::{Enrolled, SignerEvent},
    statement,
};
use strongroom_ledger::NoteSignature;
use strongroom_secrets::Secret;
use strongroom_signer::{
    identity::Identity,
    journal::Journal,
    log_copy::LogCopy,
    order::{Parts, Signer, StartError},
};
use tempfile::TempDir;

/// The signer's directory, and the honest log.
pub(crate) struct World {
    folder: TempDir,
    pub(crate) log: Log,
    pub(crate) me: SignerId,
}

fn passphrase() -> Secret {
    Secret::new(b"open sesame".to_vec())
}

impl World {
    /// A signer that nobody has spoken to, and a log that enrols it.
    pub(crate) fn founded() -> Self {
        Self::with(|log, charter| {
            let signatures = signatures(&statement::founding_v2(&charter));
            log.run(Command::FoundCharter(FoundedV2 { charter, signatures }));
        })
    }

    /// As [`Self::founded`], by a build from before there were witnesses.
    pub(crate) fn founded_v1() -> Self {
        Self::with(|log, charter| {
            let CharterTextV2 { log: id, name, log_key, people, governance, policy, .. } = charter;
            let signer = charter.signers.into_iter().next().unwrap();
            let enrolled = Enrolled {
                identity_key: signer.identity_key.clone(),
                tls_certificate_sha256: signer.tls_certificate_sha256,
            };
            let signers = vec![EnrolmentV1 {
                id: signer.id,
                identity_key: signer.identity_key,
                sealing_key: signer.sealing_key,
                tls_certificate_sha256: signer.tls_certificate_sha256,
            }];
            let log_id = id;
            let charter =
                CharterTextV1 { log: log_id, name, log_key, people, signers, governance, policy };
            let signatures = signatures(&statement::founding_v1(&charter));
            let founded = CharterEvent::from(FoundedV1 { charter, signatures });
            log.write(Stream::Charter, founded.into());
            log.write(Stream::Signer(signer.id), SignerEvent::from(enrolled).into());
        })
    }

    fn with(found: impl FnOnce(&mut Log, CharterTextV2)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let enrolment = Identity::create(folder.path(), "signer 1", &passphrase()).unwrap();
        Journal::create(&folder.path().join("journal")).unwrap();
        LogCopy::create(&folder.path().join("log.jsonl")).unwrap();
        let mut log = Log::empty();
        found(&mut log, charter(&enrolment));
        Self { folder, log, me: SignerId(enrolment.signer) }
    }

    pub(crate) fn directory(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn copy(&self) -> PathBuf {
        self.folder.path().join("log.jsonl")
    }

    pub(crate) fn genesis(&self) -> Digest {
        self.log.heads[0].leaf
    }

    /// Starts the signer on what is in its directory.
    pub(crate) fn try_open(&self) -> Result<Signer, StartError> {
        let (identity, sealer) = Identity::open(self.folder.path(), &passphrase()).unwrap();
        let (directory, genesis) = (self.folder.path().to_owned(), self.genesis());
        Signer::open(Parts { identity, sealer, directory, token: None, vault: None, genesis })
    }

    /// As [`Self::reader`], of another log.
    pub(crate) fn reader_of(&self, log: &Log) -> Signer {
        let signer = self.try_open().unwrap();
        follow(&signer, log);
        signer
    }

    /// As [`Self::try_open`], and it reads all of the honest log.
    pub(crate) fn reader(&self) -> Signer {
        self.reader_of(&self.log)
    }
}

pub(crate) fn ask(signer: &Signer, order: &Order) -> Reply {
    let answer = signer.answer(&serde_json::to_vec(order).unwrap());
    serde_json::from_slice(&answer).unwrap()
}

pub(crate) fn head(signer: &Signer) -> Head {
    match ask(signer, &Order::Status) {
        Reply::Status { head, .. } => head,
        other => panic!("{other:?}"),
    }
}

/// Pushes what the signer lacks of a log.
pub(crate) fn push(signer: &Signer, log: &Log) -> Reply {
    let from = usize::try_from(head(signer).position).unwrap();
    ask(signer, &Order::Extend { entries: log.entries[from..].to_vec() })
}

#[track_caller]
pub(crate) fn follow(signer: &Signer, log: &Log) {
    let reply = push(signer, log);
    assert!(matches!(reply, Reply::Status { head, .. } if head == log.state.head), "{reply:?}");
}

#[track_caller]
pub(crate) fn cosigned(reply: Reply) -> Vec<NoteSignature> {
    match reply {
        Reply::Cosigned { signature } => NoteSignature::parse_lines(&signature).unwrap(),
        other => panic!("not cosigned: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn refused(reply: &Reply, rule: Rule) {
    match reply {
        Reply::Refused(refusal) => assert_eq!(refusal.rule, rule, "{refusal}"),
        other => panic!("not refused by {rule}: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn corrupt(reply: &Reply, word: &str) {
    match reply {
        Reply::Corrupt { because, .. } => assert!(because.contains(word), "{because}"),
        other => panic!("not corrupt: {other:?}"),
    }
}
