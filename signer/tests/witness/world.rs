//! A small institution with one real signer: a log that the tests write by the rules, its two keys,
//! and two outside witnesses whose keys the tests hold. Nothing here stands in for the signer.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use ed25519_dalek::{Signer as _, SigningKey};
use ml_dsa::Keypair as _;
use strongroom_domain::{
    AccountId, Bytes, ClientId, Command, Digest, Event, Head, KeyId, LogId, Network, PersonId,
    ProposalId, Recorded, Rule, SignerId, State, Stream, Timestamp,
    charter::{
        CharterEvent, CharterText, CharterTextV1, Enrolment, EnrolmentV1, Founded, FoundedV1,
        FoundingSignature, LogResumed, OutsideWitness, Person, Resumption, ResumptionSignature,
        Role, WitnessAlgorithm, Witnessing,
    },
    decide,
    key::{CeremonyPlan, Protocol},
    place,
    policy::{Policy, Quorum},
    protocol::{LogEntry, Order, Reply},
    signer::{Enrolled, SignerEvent},
    statement::{self, Answer},
};
use strongroom_ledger::{
    Entry, Frontier, Hash, KeyName, LogKeys, NoteSignature, Position, SignedCheckpoint, TreeHead,
    Tiles, WitnessKey, leaf_hash, payload_hash,
    tree::{consistency_tiles, prove_consistency},
};
use strongroom_secrets::Secret;
use strongroom_signer::{
    identity::Identity,
    journal::Journal,
    log_copy::LogCopy,
    order::{Parts, Signer, StartError},
};
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) const MAKER: PersonId = PersonId(Uuid::from_u128(0));
/// Two of the three make the governance quorum.
pub(crate) const APPROVERS: [PersonId; 3] =
    [PersonId(Uuid::from_u128(1)), PersonId(Uuid::from_u128(2)), PersonId(Uuid::from_u128(3))];
const LOG: LogId = LogId(Uuid::from_u128(0x60));
/// Of the log's keys.
const SEEDS: ([u8; 32], [u8; 32]) = ([61; 32], [62; 32]);

/// A log, as far as it is written.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) entries: Vec<LogEntry>,
    pub(crate) heads: Vec<Head>,
    pub(crate) state: State,
    sequences: BTreeMap<String, u64>,
    time: Timestamp,
}

/// The signer's directory, and the honest log.
pub(crate) struct World {
    folder: TempDir,
    pub(crate) log: Log,
    pub(crate) me: SignerId,
}

pub(crate) fn key_of(person: PersonId) -> SigningKey {
    SigningKey::from_bytes(&Digest::of(person.0.as_bytes()).0)
}

fn public(key: &SigningKey) -> Bytes {
    Bytes(key.verifying_key().to_bytes().to_vec())
}

fn sign(key: &SigningKey, text: &str) -> Bytes {
    Bytes(key.sign(text.as_bytes()).to_bytes().to_vec())
}

pub(crate) fn seconds(at: u64) -> strongroom_ledger::Timestamp {
    strongroom_ledger::Timestamp::from_micros(at * 1_000_000).unwrap()
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_micros(since.as_micros().try_into().unwrap())
}

/// The outside witnesses' keys: one of each algorithm.
fn outside() -> [WitnessKey; 2] {
    let name = |name: &str| KeyName::new(name).unwrap();
    [
        WitnessKey::ed25519(name("outside-1"), &[71; 32]).unwrap(),
        WitnessKey::ml_dsa_44(name("outside-2"), &[72; 32]).unwrap(),
    ]
}

/// The log's keys, under the name that it has after `resumptions`.
pub(crate) fn log_keys(resumptions: u32) -> LogKeys {
    let origin = match resumptions {
        0 => format!("strongroom/{LOG}"),
        number => format!("strongroom/{LOG}/{number}"),
    };
    LogKeys::from_seeds(&KeyName::new(&origin).unwrap(), &SEEDS.0, &SEEDS.1).unwrap()
}

fn charter(me: &strongroom_signer::identity::Enrolment) -> CharterText {
    let person = |id: &PersonId, role| Person {
        id: *id,
        roles: [role].into(),
        approval_keys: if role == Role::Approver { vec![public(&key_of(*id))] } else { vec![] },
    };
    let mut people: Vec<_> = APPROVERS.iter().map(|id| person(id, Role::Approver)).collect();
    people.push(person(&MAKER, Role::Initiator));
    let quorum = Quorum { approvals: 2, group: APPROVERS.into() };
    let ml_dsa = ml_dsa::SigningKey::<ml_dsa::MlDsa44>::from_seed(&SEEDS.1.into());
    let [ed25519, ml_dsa_44] = outside().map(|key| OutsideWitness {
        name: key.verifier().name().to_string(),
        algorithm: WitnessAlgorithm::Ed25519,
        key: Bytes(key.verifier().bytes().to_vec()),
    });
    let ml_dsa_44 = OutsideWitness { algorithm: WitnessAlgorithm::MlDsa44, ..ml_dsa_44 };
    CharterText {
        log: LOG,
        name: "witnessed".to_owned().try_into().unwrap(),
        log_key: public(&SigningKey::from_bytes(&SEEDS.0)),
        log_key_ml_dsa_44: Bytes(ml_dsa.verifying_key().encode().to_vec()),
        people,
        signers: vec![Enrolment {
            id: SignerId(me.signer),
            identity_key: me.identity_key.parse().unwrap(),
            sealing_key: me.sealing_key.parse().unwrap(),
            tls_certificate_sha256: me.tls_certificate_sha256.parse().unwrap(),
            witness_key: me.witness_key.parse().unwrap(),
        }],
        witnessing: Witnessing { threshold: 2, outside: vec![ed25519, ml_dsa_44] },
        governance: quorum,
        policy: Policy {
            version: 1,
            destinations: Vec::new(),
            tiers: Vec::new(),
            fee_caps: BTreeMap::new(),
            confirmations: BTreeMap::new(),
            proposal_lifetime_s: 86_400,
        },
    }
}

fn signatures(text: &str) -> Vec<FoundingSignature> {
    let signature = |person: &PersonId| {
        let key = key_of(*person);
        FoundingSignature { person: *person, key: public(&key), signature: sign(&key, text) }
    };
    APPROVERS.iter().map(signature).collect()
}

impl Log {
    fn empty() -> Self {
        let state = State::default();
        let (entries, heads, sequences) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { entries, heads, state, sequences, time: now() }
    }

    pub(crate) fn run(&mut self, command: Command) {
        for (stream, event) in decide(&self.state, command, self.time).unwrap().events {
            self.write(stream, event);
        }
    }

    fn write(&mut self, stream: Stream, event: Event) {
        let ((kind, version), name) = (event.kind(), stream.to_string());
        let payload = String::from_utf8(event.encode().unwrap()).unwrap();
        let sequence = self.sequences.get(&name).copied().unwrap_or(0) + 1;
        let before = self.state.head;
        let entry = Entry {
            position: Position::new(before.position + 1).unwrap(),
            time: strongroom_ledger::Timestamp::from_micros(self.time.micros()).unwrap(),
            stream: name.clone(),
            sequence,
            r#type: kind.to_owned(),
            version,
            actor: "founders".to_owned(),
            command: Uuid::now_v7(),
            correlation: Uuid::now_v7(),
            causation: None,
            payload_sha256: payload_hash(payload.as_bytes()),
            prev: Hash::new(before.leaf.0),
        };
        let bytes = entry.encode().unwrap();
        let leaf = Digest(*leaf_hash(&bytes).as_bytes());
        let head = Head { position: before.position + 1, leaf };
        let recorded = Recorded { head, time: self.time, stream, sequence, event };
        self.state.evolve(&recorded).unwrap();
        self.sequences.insert(name, sequence);
        self.heads.push(head);
        self.entries.push(LogEntry { entry: String::from_utf8(bytes).unwrap(), payload });
    }

    /// Further entries that mean little.
    pub(crate) fn grow(&mut self, entries: u8) {
        for _ in 0..entries {
            let (account, client) = (AccountId(Uuid::now_v7()), ClientId(Uuid::now_v7()));
            let asset = Network::Bitcoin.native_asset();
            self.run(Command::OpenAccount { account, client, asset, by: MAKER });
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.state.head.position
    }

    fn leaves(&self) -> Vec<Hash> {
        self.heads.iter().map(|head| Hash::new(head.leaf.0)).collect()
    }

    pub(crate) fn tree(&self, size: u64) -> TreeHead {
        let mut frontier = Frontier::new();
        for leaf in self.leaves().iter().take(size.try_into().unwrap()) {
            frontier.push(*leaf, |_, _, _| {});
        }
        frontier.head()
    }

    pub(crate) fn proof(&self, old: u64, new: u64) -> Vec<Digest> {
        let leaves = self.leaves();
        let tiles = consistency_tiles(old, new).into_iter().map(|tile| {
            assert_eq!((tile.level, tile.index), (0, 0), "the tests' logs are short");
            (tile, leaves[..tile.width.into()].to_vec())
        });
        let tiles: Tiles = tiles.collect();
        let proof = prove_consistency(old, new, &tiles).unwrap();
        proof.iter().map(|hash| Digest(*hash.as_bytes())).collect()
    }

    /// What the log signs at its head.
    pub(crate) fn signed(&self) -> SignedCheckpoint {
        let resumptions = self.state.charter.standing().unwrap().resumptions;
        log_keys(resumptions).sign(self.tree(self.size()), seconds(1_800_000_000)).unwrap()
    }

    /// The order to cosign the head, with a proof from `old`.
    pub(crate) fn cosign(&self, old: u64) -> Order {
        let (proof, checkpoint) = (self.proof(old, self.size()), self.signed().note().to_string());
        Order::Cosign { old, proof, checkpoint }
    }

    /// A checkpoint of the head with the cosignatures of the first `outside` outside witnesses.
    pub(crate) fn witnessed(&self, by: usize) -> String {
        let signed = self.signed();
        let mut note = signed.note().clone();
        for key in outside().iter().take(by) {
            note.add(outside_word(key, &signed)).unwrap();
        }
        note.to_string()
    }

    pub(crate) fn certificate(&self, from: u64, abandoned: Head) -> LogResumed {
        let number = self.state.charter.standing().unwrap().resumptions + 1;
        let from = self.heads[usize::try_from(from).unwrap() - 1];
        let resumption = Resumption { log: LOG, number, abandoned, from };
        let signature = |person: &PersonId| {
            let (key, text) = (key_of(*person), statement::resumption(&resumption, *person));
            ResumptionSignature { person: *person, key: public(&key), signature: sign(&key, &text) }
        };
        LogResumed { signatures: APPROVERS[..2].iter().map(signature).collect(), resumption }
    }

    /// The same log, up to an entry.
    pub(crate) fn rewound(&self, size: u64) -> Self {
        let mut log = Self { time: self.time, ..Self::empty() };
        for (entry, head) in self.entries.iter().zip(&self.heads).take(size.try_into().unwrap()) {
            let recorded = read(entry, *head);
            log.state.evolve(&recorded).unwrap();
            log.sequences.insert(recorded.stream.to_string(), recorded.sequence);
            log.entries.push(entry.clone());
            log.heads.push(*head);
        }
        log
    }

    /// Asks for a key that this signer makes alone, approved. Returns it.
    pub(crate) fn request_key(&mut self, me: SignerId) -> KeyId {
        let (key, proposal) = (KeyId(Uuid::now_v7()), ProposalId(Uuid::now_v7()));
        let protocol = Protocol::Pkcs11Secp256k1;
        let plan = CeremonyPlan { key, protocol, threshold: 1, participants: vec![me] };
        let expires_at = self.time.plus_seconds(3_600);
        self.run(Command::RequestCeremony { proposal, plan, maker: MAKER, expires_at });
        for approver in &APPROVERS[..2] {
            let answers = self.state.proposals[&proposal].answers().unwrap();
            let stands = place(&self.state, proposal).unwrap();
            let text = statement::approval(&stands, answers, Answer::Approve, *approver);
            let key = key_of(*approver);
            self.run(Command::AnswerProposal {
                proposal,
                answer: Answer::Approve,
                approver: *approver,
                key: public(&key),
                signature: sign(&key, &text),
            });
        }
        key
    }
}

fn outside_word(key: &WitnessKey, signed: &SignedCheckpoint) -> NoteSignature {
    let verifier = log_verifier(signed.origin());
    let request = strongroom_ledger::witness::AddCheckpoint {
        old: 0,
        proof: Vec::new(),
        checkpoint: signed.note().clone(),
    };
    let accepted = strongroom_ledger::witness::consider(None, &verifier, &request).unwrap();
    key.cosign(&accepted, seconds(1_800_000_001)).unwrap()
}

fn log_verifier(origin: &str) -> strongroom_ledger::LogVerifier {
    LogKeys::from_seeds(&KeyName::new(origin).unwrap(), &SEEDS.0, &SEEDS.1).unwrap().verifier()
}

fn read(entry: &LogEntry, head: Head) -> Recorded {
    let parsed = strongroom_ledger::EntryRef::parse(entry.entry.as_bytes()).unwrap();
    Recorded::read(strongroom_domain::EntryParts {
        position: head.position,
        leaf: head.leaf.0,
        time: &parsed.time.to_string(),
        stream: parsed.stream,
        sequence: parsed.sequence,
        kind: parsed.r#type,
        version: parsed.version,
        payload: entry.payload.as_bytes(),
    })
    .unwrap()
}

fn passphrase() -> Secret {
    Secret::new(b"open sesame".to_vec())
}

impl World {
    /// A signer that nobody has spoken to, and a log that enrols it.
    pub(crate) fn founded() -> Self {
        Self::with(|log, charter| {
            let signatures = signatures(&statement::founding(&charter));
            log.run(Command::FoundCharter(Founded { charter, signatures }));
        })
    }

    /// As [`Self::founded`], by a build from before there were witnesses.
    pub(crate) fn founded_v1() -> Self {
        Self::with(|log, charter| {
            let CharterText { log: id, name, log_key, people, governance, policy, .. } = charter;
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

    fn with(found: impl FnOnce(&mut Log, CharterText)) -> Self {
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
        Signer::open(Parts { identity, sealer, directory, token: None, genesis })
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
