//! What a transfer's events change. Never invents a state that the log does not name.

use super::At;
use crate::change::{Change, int, json, maybe, text};
use crate::rows::Decided;
use crate::states::TransferState as State;
use rusqlite::types::Value;
use strongroom_domain::{
    Amount, Bytes, Intent, PersonId, ProposalId, TransferId,
    deposit::BlockRef,
    transfer::{
        AttemptAuthorised, AttemptRefused, PartiallySigned, Requested, RequestedV1, Returns,
        SweepRequested, TransferEvent,
    },
};

pub(super) fn fold(at: At<'_>, id: TransferId, event: &TransferEvent, out: &mut Vec<Change>) {
    use TransferEvent as E;
    let change = |state: State, more: Vec<(&'static str, Value)>| moved(at, id, state, more);
    match event {
        E::RequestedV1(requested) => out.push(asked_v1(at, id, requested)),
        E::Requested(requested) => out.push(asked(at, id, requested)),
        E::SweepRequested(requested) => {
            out.push(swept(at, id, requested));
            out.push(change(State::Approved, vec![("approved_at", at.time())]));
        }
        E::Refused(refused) => out.push(change(
            State::Refused,
            vec![("rule", text(refused.rule)), ("because", text(&refused.because))],
        )),
        E::Approved(_) => {
            out.push(change(State::Approved, vec![("approved_at", at.time())]));
        }
        E::AttemptAuthorised(attempt) => {
            out.push(authorised(at, id, attempt, "payment"));
            out.push(change(State::Signing, vec![("attempt", int(attempt.attempt))]));
        }
        E::ReturnAuthorised(returned) => {
            let purpose = match returned.returns {
                Returns::Cancellation => "cancellation",
                Returns::Child { .. } => "child",
            };
            out.push(authorised(at, id, &returned.attempt, purpose));
            out.push(change(State::Signing, vec![("attempt", int(returned.attempt.attempt))]));
        }
        E::FeeCapRaised(raised) => {
            let (table, key) = ("transfers", vec![("transfer", text(id))]);
            out.push(Change::Update { table, key, cells: vec![("fee_cap", text(raised.fee_cap))] });
        }
        // How far it is does not change: the cancellation comes next.
        E::AbandonmentApproved(_) => {}
        E::AttemptRefused(refused) => out.push(refusal(at, id, refused)),
        E::PartiallySigned(of) => out.push(partial(at, id, of)),
        E::AttemptSigned(signed) => {
            out.push(complete(at, id, signed.attempt, (&signed.raw, &signed.transaction)));
            let transaction = ("transaction_id", text(&signed.transaction));
            out.push(change(State::Signed, vec![transaction]));
        }
        // How far it is does not change: the chain decides between this one and the current one.
        E::AttemptFound(found) => {
            out.push(complete(at, id, found.attempt, (&found.raw, &found.transaction)));
        }
        E::AttemptBroadcast(broadcast) => {
            let cells = [("broadcast_position", at.position()), ("broadcast_at", at.time())];
            out.push(Change::update("attempts", key(id, broadcast.attempt), cells));
            out.push(change(State::Broadcast, Vec::new()));
        }
        E::ConfirmedV1(it) => {
            out.push(change(State::Confirmed, settled(&it.block, it.paid, it.fee)));
        }
        E::Confirmed(it) => {
            let cells = named(it.attempt, &it.transaction, settled(&it.block, it.paid, it.fee));
            out.push(change(State::Confirmed, cells));
        }
        E::Abandoned(it) => {
            let cells = settled(&it.block, Amount::ZERO, it.fee);
            out.push(change(State::Abandoned, named(it.attempt, &it.transaction, cells)));
        }
        E::Failed(failed) => {
            out.push(change(State::Failed, vec![("because", text(&failed.because))]));
        }
        E::Rejected(_) => out.push(change(State::Rejected, Vec::new())),
        E::Cancelled(_) => out.push(change(State::Cancelled, Vec::new())),
        E::Expired(_) => out.push(change(State::Expired, Vec::new())),
        E::Stopped(stopped) => {
            out.push(change(State::Stopped, vec![("because", text(&stopped.because))]));
        }
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

fn asked_v1(at: At<'_>, id: TransferId, requested: &RequestedV1) -> Change {
    let RequestedV1 { intent, maker, proposal, decision } = requested;
    begun(at, id, (intent, *maker, *proposal), json(decision), (Value::Null, 0))
}

fn asked(at: At<'_>, id: TransferId, requested: &Requested) -> Change {
    let Requested { intent, maker, proposal, at: _, client, decision } = requested;
    let waits = (text(client), decision.delay_s);
    begun(at, id, (intent, *maker, *proposal), json(decision), waits)
}

fn swept(at: At<'_>, id: TransferId, requested: &SweepRequested) -> Change {
    let SweepRequested { intent, successor, rotation, maker, coins: _ } = requested;
    let decided = Decided::Sweep { successor: *successor, rotation: *rotation };
    begun(at, id, (intent, *maker, None), json(&decided), (Value::Null, 0))
}

fn begun(
    at: At<'_>,
    id: TransferId,
    (intent, maker, proposal): (&Intent, PersonId, Option<ProposalId>),
    decision: Value,
    (client, delay_s): (Value, u64),
) -> Change {
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
            ("proposal", maybe(proposal)),
            ("decision", decision),
            ("client", client),
            ("delay_s", int(delay_s)),
            ("state", text(State::AwaitingApproval)),
            ("changed_position", at.position()),
            ("changed_at", at.time()),
        ],
    )
}

fn authorised(
    at: At<'_>,
    id: TransferId,
    attempt: &AttemptAuthorised,
    purpose: &'static str,
) -> Change {
    Change::insert(
        "attempts",
        [
            ("transfer", text(id)),
            ("attempt", int(attempt.attempt)),
            ("position", at.position()),
            ("authorised_at", at.time()),
            ("purpose", text(purpose)),
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

fn partial(at: At<'_>, id: TransferId, of: &PartiallySigned) -> Change {
    let cells = [
        ("position", at.position()),
        ("signed_at", at.time()),
        ("transfer", text(id)),
        ("attempt", int(of.attempt)),
        ("place", int(of.place)),
    ];
    Change::insert("partials", cells)
}

fn complete(
    at: At<'_>,
    id: TransferId,
    attempt: u32,
    (raw, transaction): (&Bytes, &str),
) -> Change {
    let cells = [
        ("raw", text(raw)),
        ("transaction_id", text(transaction)),
        ("signed_position", at.position()),
        ("signed_at", at.time()),
    ];
    Change::update("attempts", key(id, attempt), cells)
}

/// With which of its transactions the chain took.
fn named(
    attempt: u32,
    transaction: &str,
    mut cells: Vec<(&'static str, Value)>,
) -> Vec<(&'static str, Value)> {
    cells.push(("attempt", int(attempt)));
    cells.push(("transaction_id", text(transaction)));
    cells
}

fn settled(block: &BlockRef, paid: Amount, fee: Amount) -> Vec<(&'static str, Value)> {
    vec![
        ("block_height", int(block.height)),
        ("block_hash", text(&block.hash)),
        ("paid", text(paid)),
        ("fee", text(fee)),
    ]
}
