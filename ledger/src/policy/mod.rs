//! Whose signatures make a checkpoint count: the log's, and those of enough witnesses. Never counts a
//! witness twice, and never lets a checkpoint count without witnesses.

mod text;
mod unwitnessed;

#[cfg(test)]
mod tests;

pub use text::PolicyTextError;
pub use unwitnessed::UnwitnessedPolicy;

use crate::checkpoint::Checkpoint;
use crate::key_name::KeyName;
use crate::log_keys::{LogSignatureError, LogVerifier, SignedCheckpoint};
use crate::note::Note;
use crate::tree::TreeHead;
use crate::verifier_key::{KeyAlgorithm, VerifierKey, WrongSignature};

/// The most logs, witnesses or groups that a policy may have.
pub const POLICY_LIMIT: usize = 64;

/// The logs that are known, the witnesses that are trusted, and how many of them it takes.
///
/// Made from a charter ([`WitnessPolicy::majority`]) or read from a C2SP tlog-policy text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessPolicy {
    logs: Vec<LogVerifier>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Member,
}

/// A witness that a policy trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    label: String,
    key: VerifierKey,
    url: Option<String>,
}

/// `threshold` of the members have to witness for the group to do so.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    label: String,
    threshold: usize,
    members: Vec<Member>,
}

/// By index: a group only has members defined before it, and each in one group only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Witness(usize),
    Group(usize),
}

/// A witness that cosigned, and when it says that it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigner {
    /// Its name.
    pub name: KeyName,
    /// The time of its newest cosignature, in POSIX seconds.
    pub at: u64,
}

/// A checkpoint that both keys of its log and enough witnesses signed. Only
/// [`WitnessPolicy::counts`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountingCheckpoint {
    signed: SignedCheckpoint,
    cosigners: Vec<Cosigner>,
}

/// Why keys do not make a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Two sets of witnesses without a common one could each witness another history.
    #[error(
        "{threshold} of {witnesses} witnesses is no majority: the threshold has to be at most \
         {witnesses}, and more than half of it"
    )]
    NoMajority {
        /// The threshold.
        threshold: usize,
        /// How many witnesses there are.
        witnesses: usize,
    },
    /// More than anybody needs.
    #[error("a policy has at most {POLICY_LIMIT} logs, witnesses and groups each")]
    TooLong,
    /// A key of the wrong type.
    #[error("{name} is not a key of a witness: its type has to be 0x04 or 0x06")]
    NoWitness {
        /// The name of the key.
        name: KeyName,
    },
    /// One key or name twice: it would count twice.
    #[error("the witness {name} is there a second time, by its name or by its key, or is the log")]
    Repeated {
        /// The name of the second.
        name: KeyName,
    },
}

/// Why a checkpoint does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CountError {
    /// Not signed by its log as it has to be.
    #[error(transparent)]
    Log(#[from] LogSignatureError),
    /// Of a log that the policy does not name.
    #[error("the policy does not name the log {origin}")]
    UnknownLog {
        /// The log.
        origin: String,
    },
    /// A cosignature is not by the key that it names.
    #[error(transparent)]
    Wrong(#[from] WrongSignature),
    /// Not enough witnesses.
    #[error("the cosignatures of {} witnesses are not enough for the policy's quorum", .cosigners.len())]
    TooFew {
        /// Those that did cosign.
        cosigners: Vec<Cosigner>,
    },
}

impl WitnessPolicy {
    /// The policy of a charter: `threshold` of all the witnesses, which has to be a majority.
    pub fn majority(
        log: LogVerifier,
        witnesses: Vec<VerifierKey>,
        threshold: usize,
    ) -> Result<Self, PolicyError> {
        let count = witnesses.len();
        if count > POLICY_LIMIT {
            return Err(PolicyError::TooLong);
        }
        if threshold > count || threshold <= count / 2 {
            return Err(PolicyError::NoMajority { threshold, witnesses: count });
        }
        let mut trusted: Vec<Witness> = Vec::new();
        for (key, number) in witnesses.into_iter().zip(1..) {
            if trusted.iter().any(|other| other.key.name() == key.name()) {
                return Err(PolicyError::Repeated { name: key.name().clone() });
            }
            let witness = Witness { label: format!("w{number}"), key, url: None };
            witness.check(&trusted, std::slice::from_ref(&log))?;
            trusted.push(witness);
        }
        let members = (0..count).map(Member::Witness).collect();
        let group = Group { label: "witnesses".to_owned(), threshold, members };
        let quorum = Member::Group(0);
        Ok(Self { logs: vec![log], witnesses: trusted, groups: vec![group], quorum })
    }

    /// The logs that it knows.
    pub fn logs(&self) -> &[LogVerifier] {
        &self.logs
    }

    /// The witnesses that it trusts.
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// Checks a checkpoint: both signatures of its log, every cosignature of a known witness, and
    /// whether there are enough. Signatures of unknown keys are not looked at.
    pub fn counts(&self, note: &Note) -> Result<CountingCheckpoint, CountError> {
        let signed = verify_log(&self.logs, note)?;
        let cosigned = self.cosigned(note)?;
        let reached = self.reached(&cosigned);
        let cosigners = cosigned.into_iter().flatten().collect();
        if reached {
            return Ok(CountingCheckpoint { signed, cosigners });
        }
        Err(CountError::TooFew { cosigners })
    }

    /// The known witnesses that cosigned a note, whether they are enough or not. What it says of the
    /// log is not checked.
    pub fn cosigners(&self, note: &Note) -> Result<Vec<Cosigner>, WrongSignature> {
        Ok(self.cosigned(note)?.into_iter().flatten().collect())
    }

    fn cosigned(&self, note: &Note) -> Result<Vec<Option<Cosigner>>, WrongSignature> {
        let of = |witness: &Witness| {
            // A cosignature without a time does not say that this was the newest tree.
            let time = witness.key.signed(note)?.filter(|time| *time > 0);
            Ok(time.map(|at| Cosigner { name: witness.key.name().clone(), at }))
        };
        self.witnesses.iter().map(of).collect()
    }

    fn reached(&self, cosigned: &[Option<Cosigner>]) -> bool {
        let mut groups = Vec::with_capacity(self.groups.len());
        let holds = |groups: &[bool], member: Member| match member {
            Member::Witness(index) => cosigned.get(index).is_some_and(Option::is_some),
            Member::Group(index) => groups.get(index).copied().unwrap_or(false),
        };
        for group in &self.groups {
            let count = group.members.iter().filter(|member| holds(&groups, **member)).count();
            groups.push(count >= group.threshold);
        }
        holds(&groups, self.quorum)
    }
}

/// The log of a note, among those known, and whether both its keys signed.
fn verify_log(logs: &[LogVerifier], note: &Note) -> Result<SignedCheckpoint, CountError> {
    let checkpoint: Checkpoint = note.text().parse().map_err(LogSignatureError::Malformed)?;
    let log = logs.iter().find(|log| log.origin().as_str() == checkpoint.origin());
    let unknown = || CountError::UnknownLog { origin: checkpoint.origin().to_owned() };
    Ok(log.ok_or_else(unknown)?.verify(note)?)
}

impl Witness {
    /// What the policy's text calls it.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Its key.
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Where to reach it, if the policy's text says so.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Whether it may stand beside the others.
    fn check(&self, others: &[Self], logs: &[LogVerifier]) -> Result<(), PolicyError> {
        let key = &self.key;
        let name = || key.name().clone();
        match key.algorithm() {
            KeyAlgorithm::Ed25519 => return Err(PolicyError::NoWitness { name: name() }),
            KeyAlgorithm::Ed25519Cosignature | KeyAlgorithm::MlDsa44Cosignature => (),
        }
        let mut of_logs = logs.iter().flat_map(LogVerifier::keys);
        let repeated = others.iter().any(|other| other.key.bytes() == key.bytes())
            || of_logs.any(|log| log.bytes() == key.bytes());
        if repeated { Err(PolicyError::Repeated { name: name() }) } else { Ok(()) }
    }
}

impl CountingCheckpoint {
    /// The log.
    pub fn origin(&self) -> &str {
        self.signed.origin()
    }

    /// The head of its tree.
    pub const fn head(&self) -> TreeHead {
        self.signed.head()
    }

    /// The note, with every signature line that it came with.
    pub const fn note(&self) -> &Note {
        self.signed.note()
    }

    /// The checkpoint as its log signed it.
    pub const fn signed(&self) -> &SignedCheckpoint {
        &self.signed
    }

    /// The witnesses of the policy that cosigned.
    pub fn cosigners(&self) -> &[Cosigner] {
        &self.cosigners
    }
}
