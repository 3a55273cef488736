//! Counters, as Prometheus reads them. Never a label that a caller chooses.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use strongroom_domain::proposal::Proposal;

use super::Application;

/// What was counted since the start.
#[derive(Default)]
pub struct Metrics {
    done: AtomicU64,
    /// By rule, or by kind of failure.
    not_done: Mutex<BTreeMap<&'static str, u64>>,
    /// By status.
    answers: Mutex<BTreeMap<u16, u64>>,
}

impl Metrics {
    /// Counts a command: done, or not done and why.
    pub fn command(&self, not_done: Option<&'static str>) {
        match not_done {
            None => {
                self.done.fetch_add(1, Ordering::Relaxed);
            }
            Some(why) => count(&self.not_done, why),
        }
    }

    /// Counts an answer.
    pub fn answer(&self, status: u16) {
        count(&self.answers, status);
    }
}

fn count<K: Ord>(counters: &Mutex<BTreeMap<K, u64>>, key: K) {
    let mut counters = counters.lock().unwrap_or_else(PoisonError::into_inner);
    let counter = counters.entry(key).or_default();
    *counter = counter.saturating_add(1);
}

impl Application {
    /// All of it, in Prometheus's text format 0.0.4.
    pub fn metrics_text(&self) -> String {
        let bus = self.bus();
        let (open, standing) = bus.read(|state| {
            let standing = state.opened_at.keys().filter_map(|id| state.proposals.get(id));
            let open = standing.filter(|one| matches!(one, Proposal::Open(_))).count();
            (open, state.opened_at.len().saturating_sub(open))
        });
        let log = bus.log().head().position.get();
        let reached = self.0.projections.head().position;
        let done = self.metrics().done.load(Ordering::Relaxed);
        let mut text = self.checkpoint_metrics();
        // Writing to a String does not fail.
        let _ = write!(
            text,
            "# TYPE strongroom_log_position gauge\nstrongroom_log_position {log}\n\
             # TYPE strongroom_read_model_position gauge\nstrongroom_read_model_position {reached}\n\
             # TYPE strongroom_proposals_open gauge\nstrongroom_proposals_open {open}\n\
             # TYPE strongroom_proposals_approved gauge\nstrongroom_proposals_approved {standing}\n\
             # TYPE strongroom_commands_done_total counter\nstrongroom_commands_done_total {done}\n"
        );
        let signers = &self.0.sagas.signers;
        let (live, away) = (signers.live().len(), signers.away().len());
        let sick = signers.sick().len();
        let _ = write!(
            text,
            "# TYPE strongroom_signers_reached gauge\nstrongroom_signers_reached {live}\n\
             # TYPE strongroom_signers_away gauge\nstrongroom_signers_away {away}\n\
             # TYPE strongroom_signer_keys_unusable gauge\nstrongroom_signer_keys_unusable {sick}\n"
        );
        let (overdue, missing) = self.backup_counts();
        let _ = write!(
            text,
            "# TYPE strongroom_recovery_drills_overdue gauge\n\
             strongroom_recovery_drills_overdue {overdue}\n\
             # TYPE strongroom_shares_without_backup gauge\n\
             strongroom_shares_without_backup {missing}\n\
             # TYPE strongroom_commands_not_done_total counter\n"
        );
        let counters = self.metrics().not_done.lock().unwrap_or_else(PoisonError::into_inner);
        for (why, count) in counters.iter() {
            let _ = writeln!(text, "strongroom_commands_not_done_total{{why=\"{why}\"}} {count}");
        }
        text.push_str("# TYPE strongroom_http_answers_total counter\n");
        let answers = self.metrics().answers.lock().unwrap_or_else(PoisonError::into_inner);
        for (status, count) in answers.iter() {
            let _ = writeln!(text, "strongroom_http_answers_total{{status=\"{status}\"}} {count}");
        }
        text
    }
}
