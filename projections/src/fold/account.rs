//! What an account's events change. Never computes a balance: that needs the rows.

use super::At;
use crate::change::{Change, text};
use strongroom_domain::{AccountId, Amount, account::AccountEvent};

pub(super) fn fold(at: At<'_>, account: AccountId, event: &AccountEvent, out: &mut Vec<Change>) {
    match event {
        AccountEvent::Opened(opened) => out.push(Change::insert(
            "accounts",
            [
                ("account", text(account)),
                ("position", at.position()),
                ("opened_at", at.time()),
                ("client", text(opened.client)),
                ("asset", text(opened.asset)),
                ("total", text(Amount::ZERO)),
                ("pending", text(Amount::ZERO)),
                ("shortfall", text(Amount::ZERO)),
            ],
        )),
        AccountEvent::Posted(posted) => out.extend(
            posted.entries.iter().map(|entry| Change::Post { account, entry: entry.clone() }),
        ),
        AccountEvent::HoldPlaced(placed) => out.push(Change::PlaceHold {
            account,
            transfer: placed.transfer,
            amount: placed.amount,
            position: at.0.head.position,
        }),
        AccountEvent::HoldRaised(raised) => {
            out.push(Change::ReleaseHold { account, transfer: raised.transfer });
            out.push(Change::PlaceHold {
                account,
                transfer: raised.transfer,
                amount: raised.amount,
                position: at.0.head.position,
            });
        }
        AccountEvent::HoldPosted(posted) => {
            out.push(Change::ReleaseHold { account, transfer: posted.transfer });
            out.extend(
                posted.entries.iter().map(|entry| Change::Post { account, entry: entry.clone() }),
            );
        }
        AccountEvent::HoldVoided(voided) => {
            out.push(Change::ReleaseHold { account, transfer: voided.transfer });
        }
    }
}
