//! Which reminders are due: pure functions of the fold and the time.

use super::{About, Milestone, Reminder};
use std::collections::BTreeMap;
use strongroom_domain::{
    ProposalId, State, Timestamp,
    proposal::{Proposal, Subject},
    transfer::Transfer,
};

/// The last minute, in microseconds.
const MINUTE: u64 = 60_000_000;

/// A time that runs out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// Of what.
    pub about: About,
    /// When it began.
    pub from: Timestamp,
    /// When it is over.
    pub to: Timestamp,
}

/// Every time that runs: of questions that wait for answers, and of time locks.
pub(super) fn spans(state: &State, opened: &BTreeMap<ProposalId, Timestamp>) -> Vec<Span> {
    // Proposals that are not closed: the fold keeps their places for as long.
    let alive = state.opened_at.keys().filter_map(|id| Some((*id, state.proposals.get(id)?)));
    alive.filter_map(|(id, proposal)| span(state, opened, id, proposal)).collect()
}

fn span(
    state: &State,
    opened: &BTreeMap<ProposalId, Timestamp>,
    id: ProposalId,
    proposal: &Proposal,
) -> Option<Span> {
    let answers = proposal.answers()?;
    if matches!(proposal, Proposal::Open(_)) {
        let about = About::Proposal(id);
        return Some(Span { about, from: *opened.get(&id)?, to: answers.opened.expires_at });
    }
    let (Subject::Transfer { intent, .. } | Subject::Payment { intent, .. }) =
        &answers.opened.subject
    else {
        return None;
    };
    let Transfer::Approved(asked) = state.transfers.get(&intent.transfer)? else { return None };
    if asked.delay_s == 0 {
        return None;
    }
    let about = About::TimeLock(intent.transfer);
    Some(Span { about, from: asked.approved_at?, to: asked.released_at()? })
}

/// What came due after `since`, up to `now`, in the order of time.
pub fn due(spans: &[Span], since: Timestamp, now: Timestamp) -> Vec<Reminder> {
    let mut due: Vec<_> = spans
        .iter()
        .flat_map(milestones)
        .filter(|reminder| reminder.at > since && reminder.at <= now && reminder.ends_at > now)
        .collect();
    due.sort_by_key(|reminder| (reminder.at, reminder.about, reminder.milestone));
    due
}

fn milestones(span: &Span) -> Vec<Reminder> {
    let Span { about, from, to } = *span;
    let length = to.micros().saturating_sub(from.micros());
    let at = |after: u64| Timestamp::from_micros(from.micros().saturating_add(after));
    let tenths = |tenths: u64| (length / 10).saturating_mul(tenths);
    let mut all = vec![
        Reminder { about, milestone: Milestone::Half, at: at(length / 2), ends_at: to },
        Reminder { about, milestone: Milestone::NineTenths, at: at(tenths(9)), ends_at: to },
    ];
    // Of a short time nine tenths are as good.
    if length / 10 > MINUTE {
        let milestone = Milestone::LastMinute;
        all.push(Reminder { about, milestone, at: at(length.saturating_sub(MINUTE)), ends_at: to });
    }
    all
}
