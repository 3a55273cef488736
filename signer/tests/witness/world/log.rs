//! A log that the tests write by the rules, its two keys, and the keys of two outside witnesses.
//! Never writes what the rules do not decide, but for the beginning of an older build's log.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use ed25519_dalek::{Signer as _, SigningKey};
use ml_dsa::Keypair as _;
use strongroom_domain::{
    AccountId, Bytes, ClientId, Command, Digest, Event, Head, KeyId, LogId, Network, PersonId,
    ProposalId, Recorded, SignerId, State, Stream, Timestamp,
    charter::{
        CharterTextV2, Enrolment, FoundingSignature, LogResumed, OutsideWitness, PersonV1,
        Resumption, ResumptionSignature, Role, WitnessAlgorithm, Witnessing,
    },
    decide,
    key::{CeremonyPlan, Protocol},
    place,
    policy::{PolicyV1, Quorum},
    protocol::{LogEntry, Order},
    statement::{self, Answer},
};
use strongroom_ledger::{
    Entry, Frontier, Hash, KeyName, LogKeys, NoteSignature, Position, SignedCheckpoint, Tiles,
    TreeHead, WitnessKey, leaf_hash, payload_hash,
    tree::{consistency_tiles, prove_consistency},
};
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

pub(super) fn charter(me: &strongroom_signer::identity::Enrolment) -> CharterTextV2 {
    let person = |id: &PersonId, role| PersonV1 {
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
    CharterTextV2 {
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
        policy: PolicyV1 {
            version: 1,
            destinations: Vec::new(),
            tiers: Vec::new(),
            fee_caps: BTreeMap::new(),
            confirmations: BTreeMap::new(),
            proposal_lifetime_s: 86_400,
        },
    }
}

pub(super) fn signatures(text: &str) -> Vec<FoundingSignature> {
    let signature = |person: &PersonId| {
        let key = key_of(*person);
        FoundingSignature { person: *person, key: public(&key), signature: sign(&key, text) }
    };
    APPROVERS.iter().map(signature).collect()
}

impl Log {
    pub(super) fn empty() -> Self {
        let state = State::default();
        let (entries, heads, sequences) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { entries, heads, state, sequences, time: now() }
    }

    pub(crate) fn run(&mut self, command: Command) {
        for (stream, event) in decide(&self.state, command, self.time).unwrap().events {
            self.write(stream, event);
        }
    }

    pub(super) fn write(&mut self, stream: Stream, event: Event) {
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
        self.numbered(number, from, abandoned)
    }

    pub(crate) fn numbered(&self, number: u32, from: u64, abandoned: Head) -> LogResumed {
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
            let text =
                statement::approval(&self.state, &stands, answers, Answer::Approve, *approver);
            let key = key_of(*approver);
            self.run(Command::AnswerProposal {
                proposal,
                answer: Answer::Approve,
                approver: *approver,
                key: public(&key),
                evidence: strongroom_domain::approval_key::Evidence::Signature {
                    signature: sign(&key, &text),
                },
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
