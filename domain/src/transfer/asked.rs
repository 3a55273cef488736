//! What was asked, from the stored request on. Never knows what became of it.

use super::{
    Asked, AttemptAuthorised, Cancelled, Requested, RequestedV1, TransferEvent, attempts::check_fee,
};
use crate::{PersonId, Refusal, Rule};

impl Asked {
    /// Its maker takes it back.
    pub(super) fn cancelled_by(&self, by: PersonId) -> Result<Vec<TransferEvent>, Refusal> {
        if by == self.maker {
            Ok(vec![Cancelled {}.into()])
        } else {
            Err(Refusal::new(Rule::NotTheMaker, "only its maker can cancel a transfer"))
        }
    }

    /// Its first attempt.
    pub(super) fn first(&self, attempt: AttemptAuthorised) -> Result<Vec<TransferEvent>, Refusal> {
        if attempt.attempt != 1 {
            return Err(Refusal::new(Rule::AttemptState, "the first attempt is 1"));
        }
        check_fee(self, attempt.fee)?;
        Ok(vec![attempt.into()])
    }
}

impl From<&RequestedV1> for Asked {
    fn from(requested: &RequestedV1) -> Self {
        Self {
            intent: requested.intent.clone(),
            maker: requested.maker,
            proposal: requested.proposal,
            at: None,
            client: None,
            priced: None,
            delay_s: 0,
            approved_at: None,
            approved_fee_cap: requested.intent.fee_cap,
            sweep: None,
        }
    }
}

impl From<&Requested> for Asked {
    fn from(requested: &Requested) -> Self {
        Self {
            intent: requested.intent.clone(),
            maker: requested.maker,
            proposal: requested.proposal,
            at: Some(requested.at),
            client: Some(requested.client),
            priced: requested.decision.priced.clone(),
            delay_s: requested.decision.delay_s,
            approved_at: None,
            approved_fee_cap: requested.intent.fee_cap,
            sweep: None,
        }
    }
}
