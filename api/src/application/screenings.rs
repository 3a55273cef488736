//! What compliance found about destinations. The person signs with a key of their own: nothing here
//! ever does.

use serde::Deserialize;
use serde_json::json;
use strongroom_domain::{
    Bytes, Command, Network, Timestamp,
    approval_key::Evidence,
    screening::{Recorded, Verdict},
    statement,
};
use utoipa::ToSchema;

use super::{Application, Caller, Failure, Once, Paging, freezes::destination, views};
use crate::authorisation::Resource;

/// Record what was found about a destination.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordScreening {
    /// Where the address is valid.
    #[schema(value_type = String, example = "litecoin-regtest")]
    pub network: Network,
    /// The destination, in its canonical spelling.
    pub address: String,
    /// `clear` or `flagged`.
    #[schema(value_type = String, example = "clear")]
    pub verdict: Verdict,
    /// When: it must be the time that was signed, and not lie ahead.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// The public key of the caller that signed, hex.
    #[schema(value_type = String)]
    pub key: Bytes,
    /// What the key made over the statement.
    #[schema(value_type = Object)]
    pub evidence: Evidence,
}

/// What would be signed.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ScreeningAsked {
    /// Where the address is valid.
    #[param(value_type = String, example = "litecoin-regtest")]
    pub network: Network,
    /// The destination.
    pub address: String,
    /// `clear` or `flagged`.
    #[param(value_type = String, example = "clear")]
    pub verdict: Verdict,
    /// When.
    #[param(value_type = String)]
    pub at: Timestamp,
}

impl Application {
    /// The text that a person of compliance signs.
    pub fn screening_statement(
        &self,
        caller: &Caller,
        asked: &ScreeningAsked,
    ) -> Result<String, Failure> {
        self.demand(caller, "record-screening", &Resource::System)?;
        let address = destination(asked.network, &asked.address)?;
        let log = self.bus().read(|state| state.charter.standing().map(|standing| standing.log))?;
        let place = (asked.network, &address);
        Ok(statement::screening(log, place, asked.verdict, (caller.person, asked.at)))
    }

    /// Records what a person of compliance found, and signed.
    pub async fn record_screening(
        &self,
        caller: &Caller,
        once: Once,
        asked: RecordScreening,
    ) -> Result<views::ScreeningRecorded, Failure> {
        self.demand(caller, "record-screening", &Resource::System)?;
        let RecordScreening { network, address, verdict, at, key, evidence } = asked;
        let address = destination(network, &address)?;
        let subject = json!({ "address": address, "verdict": verdict.name() });
        let by = caller.person;
        let recorded = Recorded { network, address, verdict, at, by, key, evidence };
        self.answer(caller, once, Command::RecordScreening(recorded), subject).await
    }

    /// Screenings, the old ones too.
    pub async fn screenings(
        &self,
        caller: &Caller,
        paging: Paging,
    ) -> Result<views::ScreeningPage, Failure> {
        self.demand(caller, "read-screenings", &Resource::System)?;
        let page = paging.page()?;
        let rows = self.read(move |view| view.screenings(None, page)).await?;
        let next = page.next(rows.len(), rows.last().map(|row| row.position));
        Ok(views::ScreeningPage { items: rows.into_iter().map(Into::into).collect(), next })
    }
}
