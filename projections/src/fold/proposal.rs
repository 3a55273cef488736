//! What a proposal's events change. Never counts answers: whether a quorum was reached is the
//! log's word.

use super::At;
use crate::change::{Change, int, json, text};
use crate::rows::SubjectKind;
use crate::states::ProposalState as State;
use rusqlite::types::Value;
use strongroom_domain::{
    Bytes, PersonId, ProposalId,
    proposal::{Opened, ProposalEvent, Subject},
    statement::Answer,
};

pub(super) fn fold(at: At<'_>, id: ProposalId, event: &ProposalEvent, out: &mut Vec<Change>) {
    use ProposalEvent as E;
    let closed = |state: State, because: Value| {
        Change::update(
            "proposals",
            [("proposal", text(id))],
            [
                ("state", text(state)),
                ("because", because),
                ("changed_position", at.position()),
                ("changed_at", at.time()),
            ],
        )
    };
    out.push(match event {
        E::OpenedV1(opened) => question(at, id, &opened.into()),
        E::Opened(opened) => question(at, id, opened),
        E::ApprovedV1(by) => answer(at, id, Answer::Approve, (by.approver, &by.key, &by.signature)),
        E::DeclinedV1(by) => answer(at, id, Answer::Decline, (by.approver, &by.key, &by.signature)),
        E::Approved(by) => {
            answer(at, id, Answer::Approve, (by.approver, &by.key, by.evidence.signature()))
        }
        E::Declined(by) => {
            answer(at, id, Answer::Decline, (by.approver, &by.key, by.evidence.signature()))
        }
        E::QuorumReached(_) => closed(State::Approved, Value::Null),
        E::Vetoed(vetoed) => {
            closed(State::Vetoed, text(format!("officer {} vetoed it", vetoed.by)))
        }
        E::Rejected(_) => closed(State::Rejected, Value::Null),
        E::Expired(_) => closed(State::Expired, Value::Null),
        E::Cancelled(_) => closed(State::Cancelled, Value::Null),
        E::Fulfilled(_) => closed(State::Fulfilled, Value::Null),
        E::Burnt(burnt) => closed(State::Burnt, text(&burnt.because)),
    });
}

fn question(at: At<'_>, id: ProposalId, opened: &Opened) -> Change {
    let subject_id = match &opened.subject {
        Subject::Transfer { intent, .. } | Subject::Payment { intent, .. } => text(intent.transfer),
        Subject::KeyCeremony(plan) | Subject::MultisigKey { plan, .. } => text(plan.key),
        Subject::PolicyChange(policy) => text(policy.version),
        Subject::PolicyForm2(policy) => text(policy.version),
        Subject::People(change) => change.person().map_or(text("governance"), text),
        Subject::Unfreeze { freeze } => text(freeze),
        Subject::ReleaseKey { key } => text(key),
        Subject::ChangeKey(change) => text(change.key),
        Subject::Rotate(rotation) => text(rotation.wallet),
        Subject::Signers(change) => text(change.signer()),
        Subject::ReleaseSigner { signer } => text(signer),
        Subject::RaiseFeeCap { transfer, .. } | Subject::Abandon { transfer } => text(transfer),
    };
    let kind = SubjectKind::of(&opened.subject).name();
    Change::insert(
        "proposals",
        [
            ("proposal", text(id)),
            ("position", at.position()),
            ("leaf", at.leaf()),
            ("opened_at", at.time()),
            ("subject_kind", text(kind)),
            ("subject_id", subject_id),
            ("subject", json(&opened.subject)),
            ("maker", text(opened.maker)),
            ("policy_version", int(opened.policy_version)),
            ("quorums", json(&opened.quorums)),
            ("delay_s", int(opened.delay_s)),
            ("expires_at", text(opened.expires_at)),
            ("state", text(State::Open)),
            ("changed_position", at.position()),
            ("changed_at", at.time()),
        ],
    )
}

fn answer(
    at: At<'_>,
    id: ProposalId,
    answer: Answer,
    (approver, key, signature): (PersonId, &Bytes, &Bytes),
) -> Change {
    let word = match answer {
        Answer::Approve => "approve",
        Answer::Decline => "decline",
    };
    Change::insert(
        "answers",
        [
            ("position", at.position()),
            ("answered_at", at.time()),
            ("proposal", text(id)),
            ("approver", text(approver)),
            ("answer", text(word)),
            ("key", text(key)),
            ("signature", text(signature)),
        ],
    )
}
