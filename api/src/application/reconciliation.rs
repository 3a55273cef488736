//! Differences between the log, the chains and the read models, and what people found out about
//! them. Nothing here corrects a number.

use serde_json::json;
use strongroom_domain::{Command, DifferenceId, reconciliation::DifferenceResolved};

use super::{Application, Caller, Failure, Once, Paging, freezes::StopIt, views};
use crate::authorisation::Resource;

impl Application {
    /// Differences, also those that were explained.
    pub async fn differences(
        &self,
        caller: &Caller,
        paging: Paging,
    ) -> Result<views::DifferencePage, Failure> {
        self.demand(caller, "read-differences", &Resource::System)?;
        let page = paging.page()?;
        let rows = self.read(move |view| view.differences(page)).await?;
        let next = page.next(rows.len(), rows.last().map(|row| row.position));
        Ok(views::DifferencePage { items: rows.into_iter().map(Into::into).collect(), next })
    }

    /// How the last comparison went.
    pub fn reconciliation_status(
        &self,
        caller: &Caller,
    ) -> Result<views::ReconciliationStatus, Failure> {
        self.demand(caller, "read-differences", &Resource::System)?;
        let progress = self
            .0
            .sagas
            .reconciliations
            .as_ref()
            .map(strongroom_commands::reconciliation::Reconciliations::progress);
        let troubles = progress.iter().flat_map(|progress| progress.troubles.iter());
        Ok(views::ReconciliationStatus {
            running: progress.is_some(),
            looked_at: progress.as_ref().and_then(|of| of.looked_at).map(|at| at.to_string()),
            troubles: troubles.map(|(what, because)| format!("{what}: {because}")).collect(),
        })
    }

    /// Its owner, or an officer, says what became of a difference.
    pub async fn resolve_difference(
        &self,
        caller: &Caller,
        once: Once,
        (difference, asked): (DifferenceId, StopIt),
    ) -> Result<views::DifferenceResolved, Failure> {
        self.demand(caller, "resolve-difference", &Resource::System)?;
        let (by, because) = (caller.person, asked.because);
        let resolved = DifferenceResolved { difference, by, because };
        let subject = json!({ "difference": difference });
        self.answer(caller, once, Command::ResolveDifference(resolved), subject).await
    }
}
