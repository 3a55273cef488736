//! Who has refused a transaction, as the log says. Never takes a word about one transaction for a word
//! about another.

use super::saga::{Recorded, Saga, Stopped};
use crate::recorded;
use std::collections::BTreeSet;
use strongroom_domain::{
    Actor, Bytes, Command, Event, Refusal, SignerId, Stream, TransferId,
    transfer::{AttemptRefused, TransferEvent},
};
use strongroom_store::PAGE_LIMIT;

/// Everyone who refused the current attempt's transaction, in whichever attempt that has the same.
pub(super) async fn refusals(saga: &Saga, id: TransferId) -> Result<BTreeSet<SignerId>, String> {
    let log = saga.bus.log();
    let stream = Stream::Transfer(id).to_string();
    let (mut refused, mut transaction, mut from) = (BTreeSet::new(), Bytes::default(), 1);
    loop {
        let page = log.read_stream(&stream, from, PAGE_LIMIT).await;
        let page = page.map_err(|error| error.to_string())?;
        let Some(last) = page.last() else { return Ok(refused) };
        from = last.entry.sequence.saturating_add(1);
        for record in &page {
            let read = recorded(record).map_err(|error| error.to_string())?;
            let Event::Transfer(event) = read.event else { continue };
            if let TransferEvent::AttemptRefused(by) = event {
                refused.insert(by.signer);
            } else if let TransferEvent::AttemptAuthorised(attempt) = event {
                forget_others(&mut transaction, attempt.unsigned, &mut refused);
            } else if let TransferEvent::ReturnAuthorised(returned) = event {
                forget_others(&mut transaction, returned.attempt.unsigned, &mut refused);
            }
        }
    }
}

/// Who refused another transaction has said nothing about this one.
fn forget_others(known: &mut Bytes, next: Bytes, refused: &mut BTreeSet<SignerId>) {
    if *known != next {
        refused.clear();
        *known = next;
    }
}

/// A signer's refusal goes to the log: its rule, and what it said.
pub(super) async fn record_refusal(
    saga: &Saga,
    transfer: TransferId,
    attempt: u32,
    signer: SignerId,
    refusal: Refusal,
) -> Result<(), Stopped> {
    let Refusal { rule, because } = refusal;
    let refused = AttemptRefused { attempt, signer, rule, because };
    let command = Command::RecordRefusal { transfer, refused };
    match saga.execute(transfer, command, Actor::Signer(signer)).await? {
        Recorded::Done(_) => {}
        Recorded::Refused(refusal) => {
            tracing::warn!(%transfer, %signer, %refusal, "a refusal was not recorded");
        }
    }
    Ok(())
}
