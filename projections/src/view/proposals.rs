//! Questions to quorums, with their answers so far. Never says whether a quorum would be enough.

use super::{
    View,
    cells::{Cells, damaged},
};
use crate::{
    change::text,
    error::QueryError,
    page::Page,
    rows::{AnswerRow, ProposalRow, SubjectKind},
    states::ProposalState,
};
use strongroom_domain::{Head, ProposalId, statement::Answer};

/// Which proposals. What is `None` does not matter.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ProposalFilter {
    /// How far they are; [`ProposalState::Open`] are those that wait for answers.
    pub state: Option<ProposalState>,
    /// What they are about.
    pub subject: Option<SubjectKind>,
}

impl View<'_> {
    /// Proposals.
    pub fn proposals(
        &self,
        filter: ProposalFilter,
        page: Page,
    ) -> Result<Vec<ProposalRow>, QueryError> {
        let filters = [
            filter.state.map(|state| ("state", text(state))),
            filter.subject.map(|kind| ("subject_kind", text(kind.name()))),
        ];
        let filters = filters.into_iter().flatten().collect();
        let select = page.select("SELECT * FROM proposals", "position", filters);
        self.list(select, |cells| self.question(cells))
    }

    /// One proposal.
    pub fn proposal(&self, id: ProposalId) -> Result<Option<ProposalRow>, QueryError> {
        let sql = "SELECT * FROM proposals WHERE proposal = ?1";
        self.one(sql, text(id), |cells| self.question(cells))
    }

    fn question(&self, cells: &Cells<'_>) -> Result<ProposalRow, QueryError> {
        let proposal = cells.parse("proposal")?;
        let answers = "SELECT * FROM answers WHERE proposal = ?1 ORDER BY position";
        Ok(ProposalRow {
            proposal,
            opened: Head { position: cells.number("position")?, leaf: cells.parse("leaf")? },
            opened_at: cells.parse("opened_at")?,
            subject: cells.json("subject")?,
            maker: cells.parse("maker")?,
            policy_version: cells.number("policy_version")?,
            quorums: cells.json("quorums")?,
            delay_s: cells.number("delay_s")?,
            expires_at: cells.parse("expires_at")?,
            state: cells.parse("state")?,
            because: cells.maybe_text("because")?,
            changed_position: cells.number("changed_position")?,
            changed_at: cells.parse("changed_at")?,
            answers: self.list((answers.to_owned(), vec![text(proposal)]), answer)?,
        })
    }
}

fn answer(cells: &Cells<'_>) -> Result<AnswerRow, QueryError> {
    let word = cells.text("answer")?;
    Ok(AnswerRow {
        position: cells.number("position")?,
        answered_at: cells.parse("answered_at")?,
        answer: match word.as_str() {
            "approve" => Answer::Approve,
            "decline" => Answer::Decline,
            _ => return Err(damaged("answer", &word)),
        },
        approver: cells.parse("approver")?,
        key: cells.parse("key")?,
        signature: cells.parse("signature")?,
    })
}
