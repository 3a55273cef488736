//! The signer as a reader of the log: verifies, audits and folds what the server pushes. It never
//! takes an entry that does not extend what it verified before, back to the pinned genesis.

use std::path::Path;

use strongroom_domain::{
    Digest, EntryParts, Event, Head, Recorded, Refusal, Rule, Stream, Timestamp, TransferId,
    audit::Audited, charter::LogResumed, protocol::LogEntry, transfer::TransferEvent,
};
use strongroom_ledger::{EntryRef, Hash, Position, TreeHead};
use thiserror::Error;

pub use crate::pinned::Pinned;

use crate::{
    grounds::Grounds,
    log_copy::{LogCopy, LogCopyError},
    pinned::{check_founding, check_resumption},
    roots::Roots,
    sights::{Known, Mark, Sighted, Sights},
};

/// How far an entry's time may lie ahead of this signer's clock, in seconds.
const SKEW_S: u64 = 60;

/// Verified bytes that may wait in memory for an order to make them durable.
const MOST_UNWRITTEN: usize = 1024 * 1024;

/// Why the log can't be followed.
#[derive(Debug, Error)]
pub enum FollowError {
    /// The pushed entries are refused; what was verified before still stands.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The copy can't be read or written.
    #[error(transparent)]
    Copy(#[from] LogCopyError),
    /// The copy lacks entries that were cosigned.
    #[error("this signer cosigned {cosigned} entries and its copy of the log has {found}")]
    Shorter {
        /// What it put its name to.
        cosigned: u64,
        /// What there is.
        found: u64,
    },
    /// An entry broke a rule after it was taken in: restart, to go on from what is on disk.
    #[error("this signer stopped following: {0}")]
    Halted(String),
}

/// What the journal remembers about the log besides how far it was verified.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    /// How far it was verified.
    pub acknowledged: Head,
    /// The tree that was cosigned last.
    pub cosigned: Option<TreeHead>,
    /// What must follow the entry that the log goes on from.
    pub resumed: Option<LogResumed>,
    /// Of this signer's own time.
    pub sights: Known,
}

/// The verified copy of the log and its audited fold.
pub struct Follower {
    copy: LogCopy,
    audited: Audited,
    roots: Roots,
    grounds: Grounds,
    sights: Sights,
    /// Entries that a counting checkpoint covers, as far as this process was told.
    covered: u64,
    resumed: Option<LogResumed>,
    pinned: Pinned,
    unwritten: usize,
    halted: Option<String>,
}

impl Follower {
    /// Reads the copy from its first entry on, applying every rule again.
    pub fn open(
        path: &Path,
        known: Remembered,
        pinned: Pinned,
        now: Timestamp,
    ) -> Result<Self, FollowError> {
        let Remembered { acknowledged, cosigned, resumed, sights } = known;
        let mut sights = Sights::new(sights);
        let mut audited = Audited::default();
        let (mut roots, mut grounds) = (Roots::default(), Grounds::default());
        let opened = LogCopy::open(path, ledger_head(acknowledged), |entry, payload| {
            let leaf = leaf_of(entry)?;
            let recorded = read(entry, payload, leaf).map_err(|error| error.because)?;
            check_founding(&recorded, &pinned).map_err(|refusal| refusal.to_string())?;
            check_resumption(&recorded, resumed.as_ref()).map_err(|refusal| refusal.to_string())?;
            audited.extend(&recorded).map_err(|violation| violation.to_string())?;
            roots.push(leaf);
            grounds.note(&recorded);
            sights.note(&recorded, audited.state(), pinned.signer, now);
            match cosigned {
                Some(tree) if tree.size == roots.head().size => check_cosigned(tree, &roots),
                Some(_) | None => Ok(()),
            }
        })?;
        sights.opened();
        if let Some(tree) = cosigned.filter(|tree| tree.size > roots.head().size) {
            return Err(FollowError::Shorter { cosigned: tree.size, found: roots.head().size });
        }
        if opened.cut > 0 {
            tracing::warn!(bytes = opened.cut, "cut the torn end of the log copy");
        }
        Ok(Self {
            copy: opened.copy,
            audited,
            roots,
            grounds,
            sights,
            covered: 0,
            resumed,
            pinned,
            unwritten: 0,
            halted: None,
        })
    }

    /// What the log says, as far as it was verified. After an entry broke a rule nobody may act on
    /// it any more.
    pub fn audited(&self) -> Result<&Audited, FollowError> {
        self.running()?;
        Ok(&self.audited)
    }

    /// How far the log was verified.
    pub const fn head(&self) -> Head {
        self.audited.head()
    }

    /// Takes further entries. Those before a refused one stand. Returns the transfers that ended.
    /// They are durable after [`Self::commit`], or when they come to a mebibyte.
    pub fn extend(
        &mut self,
        entries: &[LogEntry],
        now: Timestamp,
    ) -> Result<Vec<TransferId>, FollowError> {
        self.running()?;
        let mut ended = Vec::new();
        for pushed in entries {
            let (entry, payload) = (pushed.entry.as_bytes(), pushed.payload.as_bytes());
            let recorded = self.verify(entry, payload, now)?;
            ended.extend(self.fold(&recorded, now)?);
            let bytes = entry.len().saturating_add(payload.len());
            self.unwritten = self.unwritten.saturating_add(bytes);
            if self.unwritten > MOST_UNWRITTEN {
                self.commit()?;
            }
        }
        Ok(ended)
    }

    fn verify(
        &mut self,
        entry: &[u8],
        payload: &[u8],
        now: Timestamp,
    ) -> Result<Recorded, FollowError> {
        let parsed = EntryRef::parse(entry).map_err(|error| fork(error.to_string()))?;
        let leaf = strongroom_ledger::leaf_hash(entry);
        let recorded = read(&parsed, payload, leaf)?;
        if recorded.time > now.plus_seconds(SKEW_S) {
            let because =
                format!("entry {} is dated {}, now is {now}", parsed.position, recorded.time);
            return Err(Refusal::new(Rule::SignerClock, because).into());
        }
        check_founding(&recorded, &self.pinned)?;
        check_resumption(&recorded, self.resumed.as_ref())?;
        match self.copy.verify(entry, payload) {
            Ok(_) => Ok(recorded),
            Err(LogCopyError::Chain(error)) => Err(fork(error.to_string()).into()),
            Err(error) => Err(self.halt(error.to_string())),
        }
    }

    fn fold(
        &mut self,
        recorded: &Recorded,
        seen: Timestamp,
    ) -> Result<Option<TransferId>, FollowError> {
        if let Err(violation) = self.audited.extend(recorded) {
            return Err(self.halt(violation.to_string()));
        }
        self.roots.push(Hash::new(recorded.head.leaf.0));
        self.grounds.note(recorded);
        self.sights.note(recorded, self.audited.state(), self.pinned.signer, seen);
        Ok(match (recorded.stream, &recorded.event) {
            (
                Stream::Transfer(id),
                Event::Transfer(
                    TransferEvent::ConfirmedV1(_)
                    | TransferEvent::Confirmed(_)
                    | TransferEvent::Abandoned(_)
                    | TransferEvent::Failed(_),
                ),
            ) => Some(id),
            _ => None,
        })
    }

    /// When this signer saw what starts a wait.
    pub const fn sights(&self) -> &Sights {
        &self.sights
    }

    /// Enough witnesses had cosigned these entries by then. Returns whether that is news.
    pub fn prove(&mut self, mark: Mark) -> bool {
        self.sights.prove(mark)
    }

    /// Those of them that the journal does not hold yet.
    pub fn unwritten_sights(&mut self) -> Vec<Sighted> {
        self.sights.unwritten()
    }

    /// The roots of the verified log's sizes.
    pub const fn roots(&self) -> &Roots {
        &self.roots
    }

    /// Whether the next entry must be the resumption that this signer's operator let it follow.
    pub fn awaits_resumption(&self) -> bool {
        self.resumed.as_ref().is_some_and(|of| of.resumption.from == self.head())
    }

    /// Which entries orders rest on.
    pub const fn grounds(&self) -> &Grounds {
        &self.grounds
    }

    /// A counting checkpoint covers this many entries of the verified log.
    pub fn cover(&mut self, size: u64) -> u64 {
        self.covered = self.covered.max(size);
        self.covered
    }

    /// Whether a counting checkpoint covers the entry: others too have seen that it stands where
    /// this signer saw it.
    pub fn demand_covered(&self, position: u64) -> Result<(), Refusal> {
        if position <= self.covered {
            return Ok(());
        }
        let because = format!(
            "entry {position} needs a checkpoint with enough cosignatures, the newest covers {}",
            self.covered
        );
        Err(Refusal::new(Rule::SignerNotCovered, because))
    }

    /// Makes what was verified durable; the head that the journal may now acknowledge.
    pub fn commit(&mut self) -> Result<Head, FollowError> {
        self.running()?;
        match self.copy.commit() {
            Ok(head) => {
                self.unwritten = 0;
                Ok(domain_head(head))
            }
            Err(error) => Err(self.halt(error.to_string())),
        }
    }

    /// Stops following for a reason outside of the log: what is held may be half taken in.
    pub fn stop(&mut self, because: &str) {
        if self.halted.is_none() {
            self.halt(because.to_owned());
        }
    }

    fn running(&self) -> Result<(), FollowError> {
        self.halted.clone().map_or(Ok(()), |because| Err(FollowError::Halted(because)))
    }

    fn halt(&mut self, because: String) -> FollowError {
        tracing::error!(because, "this signer follows the log no further");
        self.halted = Some(because.clone());
        FollowError::Halted(because)
    }
}

fn fork(because: String) -> Refusal {
    Refusal::new(Rule::SignerLogFork, because)
}

pub(crate) fn leaf_of(entry: &EntryRef<'_>) -> Result<Hash, String> {
    let bytes = entry.encode().map_err(|error| error.to_string())?;
    Ok(strongroom_ledger::leaf_hash(&bytes))
}

pub(crate) fn read(entry: &EntryRef<'_>, payload: &[u8], leaf: Hash) -> Result<Recorded, Refusal> {
    Recorded::read(EntryParts {
        position: entry.position.get(),
        leaf: *leaf.as_bytes(),
        time: &entry.time.to_string(),
        stream: entry.stream,
        sequence: entry.sequence,
        kind: entry.r#type,
        version: entry.version,
        payload,
    })
    .map_err(|error| fork(error.to_string()))
}

/// Two trees of one size are two histories: this signer has put its name to the other one.
fn check_cosigned(tree: TreeHead, roots: &Roots) -> Result<(), String> {
    let found = roots.head().root;
    if found == tree.root {
        return Ok(());
    }
    Err(format!(
        "this log is a fork: at {} entries its root is {found}, this signer cosigned {}",
        tree.size, tree.root
    ))
}

pub(crate) fn ledger_head(head: Head) -> strongroom_ledger::Head {
    let position = Position::new(head.position).unwrap_or(Position::START);
    strongroom_ledger::Head { position, leaf: Hash::new(head.leaf.0) }
}

const fn domain_head(head: strongroom_ledger::Head) -> Head {
    Head { position: head.position.get(), leaf: Digest(*head.leaf.as_bytes()) }
}
