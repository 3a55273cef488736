//! What freezes, prices, screenings and differences change. Never forgets one that is over.

use super::At;
use crate::change::{Change, json, text};
use strongroom_domain::{
    freeze::FreezeEvent, price::PriceEvent, reconciliation::ReconciliationEvent,
    screening::ScreeningEvent,
};

pub(super) fn freeze(at: At<'_>, event: &FreezeEvent, out: &mut Vec<Change>) {
    out.push(match event {
        FreezeEvent::Set(set) => Change::insert(
            "freezes",
            [
                ("freeze", text(set.freeze)),
                ("position", at.position()),
                ("set_at", at.time()),
                ("scope", json(&set.scope)),
                ("set_by", text(set.by)),
                ("because", text(&set.because)),
            ],
        ),
        FreezeEvent::Lifted(lifted) => Change::update(
            "freezes",
            [("freeze", text(lifted.freeze))],
            [
                ("lifted_position", at.position()),
                ("lifted_at", at.time()),
                ("proposal", text(lifted.proposal)),
            ],
        ),
    });
}

pub(super) fn price(at: At<'_>, event: &PriceEvent, out: &mut Vec<Change>) {
    let PriceEvent::Quoted(quoted) = event;
    out.push(Change::insert(
        "prices",
        [
            ("position", at.position()),
            ("recorded_at", at.time()),
            ("asset", text(quoted.asset)),
            ("reference", text(&quoted.reference)),
            ("minor_units", text(quoted.minor_units)),
            ("at", text(quoted.at)),
        ],
    ));
}

pub(super) fn screening(at: At<'_>, event: &ScreeningEvent, out: &mut Vec<Change>) {
    let ScreeningEvent::Recorded(found) = event;
    out.push(Change::insert(
        "screenings",
        [
            ("position", at.position()),
            ("recorded_at", at.time()),
            ("network", text(found.network)),
            ("address", text(&found.address)),
            ("verdict", text(found.verdict.name())),
            ("at", text(found.at)),
            ("screened_by", text(found.by)),
        ],
    ));
}

pub(super) fn reconciliation(at: At<'_>, event: &ReconciliationEvent, out: &mut Vec<Change>) {
    out.push(match event {
        ReconciliationEvent::DifferenceFound(found) => Change::insert(
            "differences",
            [
                ("difference", text(found.difference)),
                ("position", at.position()),
                ("found_at", text(found.at)),
                ("what", json(&found.what)),
                ("owner", text(found.owner)),
            ],
        ),
        ReconciliationEvent::DifferenceResolved(resolved) => Change::update(
            "differences",
            [("difference", text(resolved.difference))],
            [
                ("resolved_position", at.position()),
                ("resolved_at", at.time()),
                ("resolved_by", text(resolved.by)),
                ("because", text(&resolved.because)),
            ],
        ),
    });
}
