//! Writes logs: honest ones by the rules, and any others. Its entries are always well chained; a
//! test that wants a broken chain breaks it itself. It signs only with the approvers' keys, as they would.

use ed25519_dalek::{Signer as _, SigningKey};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use strongroom_domain::charter::{
    CharterEvent, CharterTextV1, CharterTextV2, Enrolment, EnrolmentV1, FoundedV1, FoundedV2,
    FoundingSignature, PersonV1, Role,
};
use strongroom_domain::policy::{Destination, PolicyV1, Quorum, TierV1};
use strongroom_domain::protocol::{LogEntry, Order};
use strongroom_domain::statement::{self, Answer};
use strongroom_domain::{
    Address, Amount, Bytes, Command, Digest, Event, Head, Network, PersonId, ProposalId, Recorded,
    State, Stream, Timestamp, decide, place,
};
use strongroom_ledger::{Entry, Hash, Note, Position, leaf_hash, payload_hash};
use uuid::Uuid;

use super::notary::Notary;

/// What a log of these tests is about.
pub(super) const NETWORKS: [Network; 2] = [Network::LitecoinRegtest, Network::EthereumDev];

/// A person who answers, with the key that they answer with.
pub(super) struct Approver {
    pub(super) id: PersonId,
    pub(super) key: SigningKey,
}

/// The people and what they founded.
pub(super) struct People {
    /// Asks.
    pub(super) maker: PersonId,
    /// Stops things.
    pub(super) officer: PersonId,
    /// Three of the group, of whom two must agree; the fourth is of no group. The first may also ask.
    pub(super) approvers: Vec<Approver>,
    /// Where payments may go, by network.
    pub(super) destinations: BTreeMap<Network, Address>,
    pub(super) notary: Notary,
}

/// A log, as far as it is written.
#[derive(Clone)]
pub(super) struct Forge {
    pub(super) people: Arc<People>,
    pub(super) state: State,
    pub(super) entries: Vec<LogEntry>,
    /// Of the next entry.
    pub(super) time: Timestamp,
    sequences: BTreeMap<String, u64>,
    prev: Hash,
}

/// The clock of this machine.
pub(super) fn clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_micros(since.as_micros().try_into().unwrap())
}

/// A compressed secp256k1 point whose secret nobody keeps.
pub(super) fn point() -> [u8; 33] {
    let key = k256::ecdsa::SigningKey::random(&mut rand::rngs::OsRng);
    key.verifying_key().to_encoded_point(true).as_bytes().try_into().unwrap()
}

/// An address that is nobody's here.
pub(super) fn strange_address(network: Network) -> Address {
    strongroom_chains::address_of(network, &point()).unwrap()
}

pub(super) fn public(key: &SigningKey) -> Bytes {
    Bytes(key.verifying_key().to_bytes().to_vec())
}

pub(super) fn sign(key: &SigningKey, text: &str) -> Bytes {
    Bytes(key.sign(text.as_bytes()).to_bytes().to_vec())
}

impl Approver {
    fn new() -> Self {
        let key = SigningKey::generate(&mut rand::rngs::OsRng);
        Self { id: PersonId(Uuid::now_v7()), key }
    }
}

impl People {
    fn new(signers: usize) -> Self {
        let destinations = NETWORKS.map(|network| (network, strange_address(network))).into();
        let approvers = (0..4).map(|_| Approver::new()).collect();
        let notary = Notary::new(signers);
        Self {
            maker: PersonId(Uuid::now_v7()),
            officer: PersonId(Uuid::now_v7()),
            approvers,
            destinations,
            notary,
        }
    }

    pub(super) fn quorum(&self) -> Quorum {
        Quorum { approvals: 2, group: self.approvers[..3].iter().map(|one| one.id).collect() }
    }

    fn policy(&self) -> PolicyV1 {
        let allow = |(number, (network, address)): (usize, (&Network, &Address))| Destination {
            network: *network,
            address: address.clone(),
            label: format!("known-{number}").try_into().unwrap(),
        };
        let tier = |network: Network| TierV1 {
            asset: network.native_asset(),
            up_to: Amount::new(1_000_000_000_000_000_000),
            quorum: self.quorum(),
        };
        PolicyV1 {
            version: 1,
            destinations: self.destinations.iter().enumerate().map(allow).collect(),
            tiers: NETWORKS.map(tier).into(),
            fee_caps: [
                (NETWORKS[0].native_asset(), Amount::new(100_000)),
                (NETWORKS[1].native_asset(), Amount::new(10_000_000_000_000_000)),
            ]
            .into(),
            confirmations: NETWORKS.map(|network| (network, 3)).into(),
            proposal_lifetime_s: 86_400,
        }
    }

    fn charter(&self, signers: Vec<Enrolment>) -> CharterTextV2 {
        let person = |(number, approver): (usize, &Approver)| PersonV1 {
            id: approver.id,
            roles: if number == 0 {
                BTreeSet::from([Role::Approver, Role::Initiator])
            } else {
                BTreeSet::from([Role::Approver])
            },
            approval_keys: vec![public(&approver.key)],
        };
        let mut people: Vec<_> = self.approvers.iter().enumerate().map(person).collect();
        let roles = BTreeSet::from([Role::Initiator]);
        people.push(PersonV1 { id: self.maker, roles, approval_keys: Vec::new() });
        let roles = BTreeSet::from([Role::Officer]);
        people.push(PersonV1 { id: self.officer, roles, approval_keys: Vec::new() });
        let (log_key, log_key_ml_dsa_44) = self.notary.log_keys();
        CharterTextV2 {
            log: self.notary.log,
            name: "hostile".to_owned().try_into().unwrap(),
            log_key,
            log_key_ml_dsa_44,
            people,
            witnessing: self.notary.witnessing(),
            signers,
            governance: self.quorum(),
            policy: self.policy(),
        }
    }
}

impl Forge {
    /// A founded log that begins at `time`.
    pub(super) fn found(signers: Vec<Enrolment>, time: Timestamp) -> Self {
        let people = Arc::new(People::new(signers.len()));
        let charter = people.charter(signers);
        let text = statement::founding_v2(&charter);
        let signature = |approver: &Approver| FoundingSignature {
            person: approver.id,
            key: public(&approver.key),
            signature: sign(&approver.key, &text),
        };
        let signatures = people.approvers.iter().map(signature).collect();
        let mut forge = Self {
            people,
            state: State::default(),
            entries: Vec::new(),
            time,
            sequences: BTreeMap::new(),
            prev: Hash::ZERO,
        };
        forge.run(Command::FoundCharter(FoundedV2 { charter, signatures }));
        forge
    }

    /// A log from before there were witnesses: no command founds one any more.
    pub(super) fn found_v1(signers: &[Enrolment], time: Timestamp) -> Self {
        let mut forge = Self::found(signers.to_vec(), time);
        let charter = forge.people.charter(signers.to_vec());
        let signers = signers.iter().cloned().map(|of| EnrolmentV1 {
            id: of.id,
            identity_key: of.identity_key,
            sealing_key: of.sealing_key,
            tls_certificate_sha256: of.tls_certificate_sha256,
        });
        let charter = CharterTextV1 {
            log: charter.log,
            name: charter.name,
            log_key: charter.log_key,
            people: charter.people,
            signers: signers.collect(),
            governance: charter.governance,
            policy: charter.policy,
        };
        let text = statement::founding_v1(&charter);
        let signature = |approver: &Approver| FoundingSignature {
            person: approver.id,
            key: public(&approver.key),
            signature: sign(&approver.key, &text),
        };
        let signatures = forge.people.approvers.iter().map(signature).collect();
        forge.state = State::default();
        (forge.entries, forge.sequences, forge.prev) = (Vec::new(), BTreeMap::new(), Hash::ZERO);
        forge.write(Stream::Charter, CharterEvent::from(FoundedV1 { charter, signatures }));
        forge
    }

    pub(super) fn head(&self) -> Head {
        self.state.head
    }

    /// The leaf of entry 1.
    pub(super) fn genesis(&self) -> Digest {
        Digest(*leaf_hash(self.entries[0].entry.as_bytes()).as_bytes())
    }

    /// What was written after `position`.
    pub(super) fn after(&self, position: u64) -> &[LogEntry] {
        &self.entries[usize::try_from(position).unwrap()..]
    }

    fn resumptions(&self) -> u32 {
        self.state.charter.standing().unwrap().resumptions
    }

    /// A checkpoint of all that is written, cosigned by all outside witnesses: it counts.
    pub(super) fn counting(&self) -> String {
        self.witnessed(0..self.people.notary.outside.len()).to_string()
    }

    /// The same, cosigned by some.
    pub(super) fn witnessed(&self, by: std::ops::Range<usize>) -> Note {
        self.people.notary.witnessed(&self.entries, self.resumptions(), by)
    }

    /// What so many witnesses cosigned at `time`, when that was all of the log.
    pub(super) fn witnessed_then(
        &self,
        size: u64,
        by: std::ops::Range<usize>,
        time: Timestamp,
    ) -> Order {
        let entries = &self.entries[..usize::try_from(size).unwrap()];
        let at = strongroom_ledger::Timestamp::from_micros(time.micros()).unwrap();
        let note = self.people.notary.witnessed_at(entries, self.resumptions(), by, at);
        Order::Checkpoint { checkpoint: note.to_string() }
    }

    /// The order to cosign all that is written, for who cosigned `old` entries last.
    pub(super) fn cosign(&self, old: u64) -> Order {
        self.people.notary.cosign(&self.entries, self.resumptions(), old)
    }

    /// Writes what the rules decide.
    #[track_caller]
    pub(super) fn run(&mut self, command: Command) {
        let events = self.decide(command);
        self.write_all(&events);
    }

    /// What the rules decide, unwritten.
    #[track_caller]
    pub(super) fn decide(&self, command: Command) -> Vec<(Stream, Event)> {
        decide(&self.state, command, self.time).unwrap().events
    }

    pub(super) fn write_all(&mut self, events: &[(Stream, Event)]) {
        for (stream, event) in events {
            self.write(*stream, event.clone());
        }
    }

    /// Writes an event, whatever the rules say about it.
    pub(super) fn write(&mut self, stream: Stream, event: impl Into<Event>) {
        let event = event.into();
        let (kind, version) = event.kind();
        let payload = String::from_utf8(event.encode().unwrap()).unwrap();
        let (leaf, sequence) = self.write_raw(stream, (kind, version), payload);
        let head = Head {
            position: self.entries.len().try_into().unwrap(),
            leaf: Digest(*leaf.as_bytes()),
        };
        let recorded = Recorded { head, time: self.time, stream, sequence, event };
        // What can't have happened is written all the same.
        let _ = self.state.evolve(&recorded);
        self.state.head = head;
        self.time = Timestamp::from_micros(self.time.micros() + 1);
    }

    /// Writes any payload under any type.
    pub(super) fn write_raw(
        &mut self,
        stream: Stream,
        (kind, version): (&str, u16),
        payload: String,
    ) -> (Hash, u64) {
        let name = stream.to_string();
        let sequence = self.sequences.get(&name).copied().unwrap_or(0) + 1;
        let position = u64::try_from(self.entries.len()).unwrap() + 1;
        let entry = Entry {
            position: Position::new(position).unwrap(),
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
            prev: self.prev,
        };
        let bytes = entry.encode().unwrap();
        self.prev = leaf_hash(&bytes);
        self.sequences.insert(name, sequence);
        self.entries.push(LogEntry { entry: String::from_utf8(bytes).unwrap(), payload });
        (self.prev, sequence)
    }

    /// The statement of a proposal, as this person would sign it.
    pub(super) fn statement(&self, id: ProposalId, answer: Answer, person: PersonId) -> String {
        let answers = self.state.proposals[&id].answers().unwrap();
        let stands = place(&self.state, id).unwrap();
        statement::approval(&self.state, &stands, answers, answer, person)
    }

    /// The approver with this number says yes.
    #[track_caller]
    pub(super) fn approve(&mut self, proposal: ProposalId, number: usize) {
        let people = Arc::clone(&self.people);
        let approver = &people.approvers[number];
        let answer = Answer::Approve;
        let signature = sign(&approver.key, &self.statement(proposal, answer, approver.id));
        let (key, approver) = (public(&approver.key), approver.id);
        let evidence = strongroom_domain::approval_key::Evidence::Signature { signature };
        self.run(Command::AnswerProposal { proposal, answer, approver, key, evidence });
    }

    /// Two of the group say yes.
    #[track_caller]
    pub(super) fn agree(&mut self, proposal: ProposalId) {
        self.approve(proposal, 1);
        self.approve(proposal, 2);
    }
}
