//! What a signer's own clock says about requests that the log dates otherwise: it is asked besides the
//! dates, and never in their place.

use crate::{book::*, house::*, names::*};
use strongroom_domain::{
    Amount, Command, Rule, Timestamp,
    policy::{Day, Demand, Most, Per, PolicyRule, Requirement, Scope},
    usage::{Late, Requested, Sight},
};

const DAY: u64 = 86_400;

fn house(more: PolicyRule) -> Book {
    let mut charter = house_charter();
    charter.policy.rules.push(more);
    charter.governance.policy = vec![Requirement { approvals: 3, group: label("treasury") }];
    let mut book = Book::empty();
    book.put(Command::Found(founded_house(charter, &[ANN, BEN, CAT, DAN]))).unwrap();
    book.furnish().fund()
}

fn rule(id: &str, demand: Demand) -> PolicyRule {
    PolicyRule { id: label(id), scope: Scope::default(), demand }
}

/// What the audit says of a transfer that a signer saw then, beside what is late.
fn seen(book: &Book, n: u8, at: Option<Timestamp>, late: &Late) -> Option<Rule> {
    book.audited.demand_as_seen(transfer(n), at, late).err().map(|refusal| refusal.rule)
}

/// Takes note that a transfer was there only then.
fn note(late: &mut Late, book: &Book, n: u8, from: Timestamp) {
    let asked = book.state.transfers[&transfer(n)].asked().unwrap();
    let intent = asked.intent.clone();
    let (time, client) = (asked.at.unwrap(), asked.client.unwrap());
    let requested = Requested {
        transfer: intent.transfer,
        time,
        wallet: intent.wallet,
        client,
        destination: intent.destination,
        initiator: asked.maker,
        asset: intent.asset,
        amount: intent.amount,
        value: None,
    };
    late.note(&book.state.usage, requested, Sight { position: n.into(), dated: time, from });
}

#[test]
fn what_was_told_together_is_in_one_window_whatever_its_dates_are() {
    let most = Most::Amount { asset: LTC, units: Amount::new(1_500) };
    let mut book = house(rule("a-day", Demand::Velocity { window_s: DAY, per: Per::Client, most }));
    book.signing(1, LTC_WALLET, 1_000);
    book.wait(DAY);
    book.signing(2, LTC_WALLET, 1_000);
    book.authorised(2, 1).unwrap();
    let (mut late, now) = (Late::default(), book.now);
    assert_eq!(seen(&book, 2, None, &late), None);
    for n in [1, 2] {
        note(&mut late, &book, n, now);
    }
    assert_eq!(seen(&book, 1, Some(now), &late), None, "it was the first");
    assert_eq!(seen(&book, 2, Some(now), &late), Some(Rule::SignerClock));
    // Also where only the one before it came late.
    let mut one = Late::default();
    note(&mut one, &book, 1, now);
    assert_eq!(seen(&book, 2, None, &one), Some(Rule::SignerClock));
    // A window after it was there it is out of the way.
    assert_eq!(seen(&book, 2, Some(now.plus_seconds(DAY)), &one), None);
}

#[test]
fn what_was_told_late_is_asked_for_when_it_was_told() {
    let most = Demand::Hours { days: Day::ALL.into(), from_minute: 0, to_minute: 1_439 };
    let mut book = house(rule("hours", most));
    book.signing(1, LTC_WALLET, 1_000);
    let midnight =
        Timestamp::from_micros((book.now.micros() / 86_400_000_000 + 1) * 86_400_000_000);
    let last_minute = Timestamp::from_micros(midnight.micros() - 1);
    assert_eq!(seen(&book, 1, Some(midnight), &Late::default()), None);
    let refused = seen(&book, 1, Some(last_minute), &Late::default());
    assert_eq!(refused, Some(Rule::SignerClock));
}

#[test]
fn what_was_told_late_waits_as_long_as_the_second_judgement_says() {
    let mut book = house(rule("all-wait", Demand::Delay { seconds: 60 }));
    book.approved(1, LTC_WALLET, 1_000);
    book.wait(60);
    let command = book.attempt(1, 1);
    book.put(command).unwrap();
    let late = Late::default();
    let waits = |seen| book.audited.demand_as_seen(transfer(1), seen, &late);
    assert_eq!(waits(None), Ok(0), "its date is taken on trust");
    assert_eq!(waits(Some(book.now)), Ok(60));
}
