//! A witness for strangers (C2SP tlog-witness): it cosigns a log's checkpoint only after a proof
//! that the log still begins with what it cosigned before. Never signs what is not on its disk.

mod key;
mod server;

pub use key::{WitnessKind, make_key, read_key};
pub use server::serve;

use crate::finding::{Fault, Finding};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use strongroom_ledger::{
    Accepted, AddCheckpoint, LogVerifier, Note, NoteSignature, TreeHead, WitnessKey, WitnessPolicy,
    WitnessRefusal, payload_hash,
    witness::{SIZE_CONTENT_TYPE, consider},
};
use strongroom_secrets::{Existing, write_durably};
use strongroom_store::{Clock, system_clock};

/// Proofs of forks that are kept; a log that forks does so once, the rest is repetition.
const EVIDENCE_LIMIT: usize = 32;

/// A witness with its memory.
pub struct Watch {
    folder: PathBuf,
    key: WitnessKey,
    clock: Clock,
    logs: BTreeMap<String, Mutex<Log>>,
    /// Two of them with one memory would be two witnesses with one key.
    _lock: File,
}

/// One log that is watched.
struct Log {
    verifier: LogVerifier,
    last: Option<TreeHead>,
    /// The newest checkpoint with our cosignature.
    cosigned: Option<String>,
    /// What is on the disk is not known any more.
    lost: bool,
}

/// What is said to whoever asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WitnessAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The content type of the body.
    pub kind: &'static str,
    /// The body.
    pub body: String,
}

impl WitnessAnswer {
    fn text(status: u16, body: impl Into<String>) -> Self {
        Self { status, kind: "text/plain; charset=utf-8", body: body.into() }
    }
}

fn failed(path: &Path, error: &dyn ToString) -> Finding {
    Finding::of(Fault::Unreadable, format!("{}: {}", path.display(), error.to_string()))
}

/// Where what was cosigned last is kept, by the origin's hash.
fn file_of(origin: &str, extension: &str) -> String {
    format!("{}.{extension}", payload_hash(origin.as_bytes()))
}

impl Watch {
    /// Opens a witness's memory, and remembers what it cosigned of every log of the policy. What the
    /// policy says of witnesses is for others: this is one of them.
    pub fn open(folder: &Path, key: WitnessKey, policy: &WitnessPolicy) -> Result<Self, Finding> {
        Self::open_with(folder, key, policy, system_clock())
    }

    /// The same, by another clock.
    pub fn open_with(
        folder: &Path,
        key: WitnessKey,
        policy: &WitnessPolicy,
        clock: Clock,
    ) -> Result<Self, Finding> {
        let path = folder.join("lock");
        let lock = File::create(&path).map_err(|error| failed(&path, &error))?;
        lock.try_lock().map_err(|_| failed(&path, &"another witness uses this folder"))?;
        let mut logs = BTreeMap::new();
        for verifier in policy.logs() {
            let origin = verifier.origin().as_str().to_owned();
            let last = remembered(folder, verifier)?;
            let cosigned = std::fs::read_to_string(folder.join(file_of(&origin, "cosigned"))).ok();
            let log = Log { verifier: verifier.clone(), last, cosigned, lost: false };
            logs.insert(origin, Mutex::new(log));
        }
        Ok(Self { folder: folder.to_owned(), key, clock, logs, _lock: lock })
    }

    /// `POST add-checkpoint`. One request of a log at a time: what is checked is what is replaced.
    pub fn add_checkpoint(&self, body: &str) -> WitnessAnswer {
        let request: AddCheckpoint = match body.parse() {
            Ok(request) => request,
            Err(error) => return WitnessAnswer::text(400, format!("{error}\n")),
        };
        let origin = request.origin().unwrap_or_default();
        let Some(log) = self.logs.get(origin) else {
            let refusal = WitnessRefusal::UnknownOrigin { origin: origin.to_owned() };
            return WitnessAnswer::text(refusal.status(), refusal.body());
        };
        // A thread that ended in the middle leaves a memory that nobody knows.
        let Ok(mut log) = log.lock() else { return lost() };
        if log.lost {
            return lost();
        }
        match consider(log.last, &log.verifier, &request) {
            Ok(accepted) => self.cosign(&mut log, &accepted),
            Err(refusal) => {
                if matches!(refusal, WitnessRefusal::Inconsistent(_)) {
                    self.keep_evidence(body);
                }
                let kind = if matches!(refusal, WitnessRefusal::Conflict { .. }) {
                    SIZE_CONTENT_TYPE
                } else {
                    "text/plain; charset=utf-8"
                };
                WitnessAnswer { status: refusal.status(), kind, body: refusal.body() }
            }
        }
    }

    /// Remembers, then signs. A crash in between has remembered what nobody has a signature for: the
    /// log asks again and gets it.
    fn cosign(&self, log: &mut Log, accepted: &Accepted) -> WitnessAnswer {
        let origin = log.verifier.origin().as_str().to_owned();
        let note = own_note(&origin, accepted.note(), None);
        let path = self.folder.join(file_of(&origin, "checkpoint"));
        if write_durably(&path, note.as_bytes(), Existing::Replace).is_err() {
            log.lost = true;
            return lost();
        }
        log.last = Some(accepted.head());
        let Ok(signature) = self.key.cosign(accepted, (self.clock)()) else {
            return WitnessAnswer::text(500, "this witness cannot sign\n");
        };
        let cosigned = own_note(&origin, accepted.note(), Some(&signature));
        // For monitors only, who may be told of an older one: a failure takes nothing away.
        let path = self.folder.join(file_of(&origin, "cosigned"));
        let _ = write_durably(&path, cosigned.as_bytes(), Existing::Replace);
        log.cosigned = Some(cosigned);
        WitnessAnswer::text(200, signature.to_string())
    }

    /// A log that signed two histories has signed its own conviction.
    fn keep_evidence(&self, body: &str) {
        let folder = self.folder.join("evidence");
        let room = std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::read_dir(&folder))
            .is_ok_and(|files| files.count() < EVIDENCE_LIMIT);
        if room {
            let path = folder.join(format!("{}.request", payload_hash(body.as_bytes())));
            let _ = write_durably(&path, body.as_bytes(), Existing::Keep);
        }
    }

    /// `GET <origin hash>/checkpoint`: the newest checkpoint that it cosigned.
    pub fn checkpoint(&self, hash: &str) -> WitnessAnswer {
        let known =
            self.logs.iter().find(|(it, _)| payload_hash(it.as_bytes()).to_string() == hash);
        let log = known.and_then(|(_, log)| log.lock().ok());
        match log.and_then(|log| log.cosigned.clone()) {
            Some(note) => WitnessAnswer::text(200, note),
            None => WitnessAnswer::text(404, "nothing was cosigned for such a log\n"),
        }
    }
}

fn lost() -> WitnessAnswer {
    let because =
        "this witness cannot write to its disk: it signs nothing until it was restarted\n";
    WitnessAnswer::text(503, because)
}

/// The checkpoint with the log's own signatures, and ours: what strangers added is not told on.
fn own_note(origin: &str, note: &Note, ours: Option<&NoteSignature>) -> String {
    let log = note.signatures().iter().filter(|signature| signature.name() == origin);
    let lines: String = log.chain(ours).map(ToString::to_string).collect();
    format!("{}\n{lines}", note.text())
}

/// What was cosigned last. What can't be read is never taken for nothing.
fn remembered(folder: &Path, verifier: &LogVerifier) -> Result<Option<TreeHead>, Finding> {
    let path = folder.join(file_of(verifier.origin().as_str(), "checkpoint"));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&path, &error)),
    };
    let note: Note = text.parse().map_err(|error: strongroom_ledger::NoteError| {
        failed(&path, &format!("this witness's memory is damaged: {error}"))
    })?;
    let signed = verifier.verify(&note).map_err(|error| {
        failed(&path, &format!("this witness's memory is not of this log: {error}"))
    })?;
    Ok(Some(signed.head()))
}
