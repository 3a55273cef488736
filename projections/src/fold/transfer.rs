//! What a transfer's events change. Never invents a state that the log does not name.

use super::At;
use crate::change::{Change, int, json, maybe, text};
use crate::states::TransferState as State;
use rusqlite::types::Value;
use strongroom_domain::{
    TransferId,
    transfer::{
        AttemptAuthorised, AttemptRefused, AttemptSigned, Confirmed, RequestedV1, TransferEvent,
    },
};

pub(super) fn fold(at: At<'_>, id: TransferId, event: &TransferEvent, out: &mut Vec<Change>) {
    use TransferEvent as E;
    let change = |state: State, more: Vec<(&'static str, Value)>| moved(at, id, state, more);
    match event {
        E::RequestedV1(requested) => out.push(asked(at, id, requested)),
        E::Refused(refused) => out.push(change(
            State::Refused,
            vec![("rule", text(refused.rule)), ("because", text(&refused.because))],
        )),
        E::Approved(_) => out.push(change(State::Approved, Vec::new())),
        E::AttemptAuthorised(attempt) => {
            out.push(authorised(at, id, attempt));
            out.push(change(State::Signing, vec![("attempt", int(attempt.attempt))]));
        }
        E::AttemptRefused(refused) => out.push(refusal(at, id, refused)),
        E::AttemptSigned(signed) => {
            out.push(complete(at, id, signed));
            let transaction = ("transaction_id", text(&signed.transaction));
            out.push(change(State::Signed, vec![transaction]));
        }
        E::AttemptBroadcast(broadcast) => {
            let cells = [("broadcast_position", at.position()), ("broadcast_at", at.time())];
            out.push(Change::update("attempts", key(id, broadcast.attempt), cells));
            out.push(change(State::Broadcast, Vec::new()));
        }
        E::Confirmed(confirmed) => out.push(change(State::Confirmed, settled(confirmed))),
        E::Failed(failed) => {
            out.push(change(State::Failed, vec![("because", text(&failed.because))]));
        }
        E::Rejected(_) => out.push(change(State::Rejected, Vec::new())),
        E::Cancelled(_) => out.push(change(State::Cancelled, Vec::new())),
        E::Expired(_) => out.push(change(State::Expired, Vec::new())),
    }
}

fn key(id: TransferId, attempt: u32) -> [(&'static str, Value); 2] {
    [("transfer", text(id)), ("attempt", int(attempt))]
}

fn moved(
    at: At<'_>,
    id: TransferId,
    state: State,
    mut cells: Vec<(&'static str, Value)>,
) -> Change {
    cells.extend([
        ("state", text(state)),
        ("changed_position", at.position()),
        ("changed_at", at.time()),
    ]);
    Change::Update { table: "transfers", key: vec![("transfer", text(id))], cells }
}

fn asked(at: At<'_>, id: TransferId, requested: &RequestedV1) -> Change {
    let RequestedV1 { intent, maker, proposal, decision } = requested;
    Change::insert(
        "transfers",
        [
            ("transfer", text(id)),
            ("position", at.position()),
            ("requested_at", at.time()),
            ("account", text(intent.account)),
            ("wallet", text(intent.wallet)),
            ("asset", text(intent.asset)),
            ("amount", text(intent.amount)),
            ("destination", text(&intent.destination)),
            ("fee_cap", text(intent.fee_cap)),
            ("maker", text(maker)),
            ("proposal", maybe(*proposal)),
            ("decision", json(decision)),
            ("state", text(State::AwaitingApproval)),
            ("changed_position", at.position()),
            ("changed_at", at.time()),
        ],
    )
}

fn authorised(at: At<'_>, id: TransferId, attempt: &AttemptAuthorised) -> Change {
    Change::insert(
        "attempts",
        [
            ("transfer", text(id)),
            ("attempt", int(attempt.attempt)),
            ("position", at.position()),
            ("authorised_at", at.time()),
            ("unsigned", text(&attempt.unsigned)),
            ("fee", text(attempt.fee)),
            ("key", text(attempt.key)),
            ("signers", json(&attempt.signers)),
        ],
    )
}

fn refusal(at: At<'_>, id: TransferId, refused: &AttemptRefused) -> Change {
    Change::insert(
        "refusals",
        [
            ("position", at.position()),
            ("refused_at", at.time()),
            ("transfer", text(id)),
            ("attempt", int(refused.attempt)),
            ("signer", text(refused.signer)),
            ("rule", text(refused.rule)),
            ("because", text(&refused.because)),
        ],
    )
}

fn complete(at: At<'_>, id: TransferId, signed: &AttemptSigned) -> Change {
    Change::update(
        "attempts",
        key(id, signed.attempt),
        [
            ("raw", text(&signed.raw)),
            ("transaction_id", text(&signed.transaction)),
            ("signed_position", at.position()),
            ("signed_at", at.time()),
        ],
    )
}

fn settled(confirmed: &Confirmed) -> Vec<(&'static str, Value)> {
    vec![
        ("block_height", int(confirmed.block.height)),
        ("block_hash", text(&confirmed.block.hash)),
        ("paid", text(confirmed.paid)),
        ("fee", text(confirmed.fee)),
    ]
}
