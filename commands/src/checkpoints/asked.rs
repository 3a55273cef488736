//! One witness, as the publisher keeps it: what it cosigned last, and one question at a time. Never
//! asks it about a checkpoint that nobody waits for any more.

use super::{
    port::{Answer, Submission, Witness},
    round::Draft,
};
use std::sync::Arc;
use tokio::sync::Mutex;

/// A witness and the size that it cosigned last, as far as we know.
pub(super) struct Asked {
    pub(super) witness: Arc<dyn Witness>,
    known: Mutex<u64>,
}

/// What a witness had to say to a draft.
pub(super) enum Word {
    /// Signature lines.
    Lines(String),
    /// Nothing; why.
    None(String),
    /// It holds another history.
    Fork(String),
}

impl Asked {
    pub(super) fn new(witness: Arc<dyn Witness>) -> Self {
        Self { witness, known: Mutex::new(0) }
    }

    /// Asks for a cosignature; once more where the witness says that it stands elsewhere.
    pub(super) async fn cosign(&self, draft: &Draft) -> Word {
        // A slow witness: this waits until it has answered the round before.
        let mut known = self.known.lock().await;
        if draft.is_stale() {
            return Word::None("a newer checkpoint is asked for already".to_owned());
        }
        let mut again = true;
        loop {
            if *known > draft.head.size {
                // Asked anew the next time: what it says now need not stay true.
                return beyond(std::mem::take(&mut *known), draft);
            }
            let proof = match draft.proof(*known).await {
                Ok(proof) => proof,
                Err(because) => return Word::None(because),
            };
            let submission = Submission {
                old: *known,
                proof: proof.as_ref().clone(),
                size: draft.head.size,
                checkpoint: draft.note.clone(),
            };
            match self.witness.cosign(&submission).await {
                Answer::Cosigned(lines) => {
                    *known = draft.head.size;
                    return Word::Lines(lines);
                }
                Answer::Conflict { size } if again && size != *known => {
                    *known = size;
                    again = false;
                }
                Answer::Conflict { size } => {
                    *known = size;
                    return Word::None(format!("it says that it cosigned size {size} last"));
                }
                Answer::Unavailable(because) | Answer::Refused(because) => {
                    return Word::None(because);
                }
                Answer::Fork(because) => return Word::Fork(because),
            }
        }
    }
}

/// It has cosigned more of this log than there is: only a log that lost its end looks like that.
fn beyond(cosigned: u64, draft: &Draft) -> Word {
    let end = draft.end_of_log();
    if cosigned <= end {
        return Word::None(format!("it has cosigned size {cosigned} already"));
    }
    Word::Fork(format!(
        "it has cosigned {cosigned} entries of this log, which ends at {end}: this log is an older \
         copy"
    ))
}
