//! What belongs into a window by a reader's own clock.

use super::tests::{LTC, at, id, requested};
use super::*;

fn prompt(dated: Timestamp, seen: Timestamp) -> bool {
    seen <= dated.plus_seconds(60)
}

/// Two that came with the third, long after their dates.
fn three() -> (Usage, Late) {
    let (mut usage, mut late) = (Usage::default(), Late::default());
    for (n, dated) in [(1, 1_000), (2, 90_000), (3, 180_000)] {
        let request = requested(n, at(dated), 5);
        usage.count(request.clone());
        let sight = Sight { position: n.try_into().unwrap(), dated: at(dated), from: at(200_000) };
        late.note(&usage, request, sight);
    }
    (usage, late)
}

/// What stands in a day before `n`, if that was asked for then.
fn day(usage: &Usage, late: &Late, n: u128, seconds: u64) -> u64 {
    let (window, transfer) = ((at(seconds), 86_400), TransferId(id(n)));
    let dated = usage.within(&Of::All, window, transfer);
    let besides = late.within(&Of::All, window, usage.number(transfer));
    dated.chain(besides).map(|(_, tally)| tally.transfers()).sum()
}

#[test]
fn what_was_dated_into_other_windows_counts_where_it_was_there() {
    let (usage, late) = three();
    assert_eq!(day(&usage, &Late::default(), 3, 180_000), 0, "by the dates they are a day apart");
    assert_eq!(late.from(TransferId(id(3))), Some(at(200_000)));
    assert_eq!(day(&usage, &late, 3, 200_000), 2);
    assert_eq!(day(&usage, &late, 2, 200_000), 1, "never what followed it");
    assert_eq!(day(&usage, &late, 9, 286_399), 3);
    assert_eq!(day(&usage, &late, 9, 286_400), 0, "the window has passed them");
}

#[test]
fn none_is_counted_twice() {
    let (usage, late) = three();
    assert_eq!(day(&usage, &late, 9, 180_001), 3, "one by its date, two because they came then");
    let of = Of::Wallet(WalletId(id(1)));
    let other = Of::Wallet(WalletId(id(2)));
    let sum = |of| late.within(of, (at(286_399), 86_400), None).count();
    assert_eq!((sum(&of), sum(&other)), (3, 0));
    let assets: Vec<_> =
        late.within(&of, (at(286_399), 86_400), None).map(|(asset, _)| asset).collect();
    assert_eq!(assets, [LTC; 3]);
}

#[test]
fn what_witnesses_saw_in_time_counts_by_its_date_again() {
    let (usage, mut late) = three();
    assert!(!late.prove(2, at(200_000), prompt));
    assert!(late.prove(2, at(90_030), prompt));
    assert_eq!(late.len(), 2, "the first was seen a day after its date");
    assert_eq!(day(&usage, &late, 3, 200_000), 0);
    assert!(late.prove(3, at(180_000), prompt));
    assert_eq!(late.from(TransferId(id(3))), None);
    assert_eq!(late.from(TransferId(id(1))), Some(at(90_030)));
}

#[test]
fn what_came_to_nothing_is_free_unless_it_was_signed() {
    let (mut usage, mut late) = three();
    late.signed(TransferId(id(1)));
    for n in [1, 2] {
        usage.free(TransferId(id(n)));
        late.free(TransferId(id(n)));
    }
    assert_eq!(day(&usage, &late, 3, 200_000), 1);
}

#[test]
fn what_no_window_can_need_is_forgotten() {
    let (mut usage, mut late) = (Usage::default(), Late::default());
    for n in 1..=1_000_u32 {
        let dated = at(u64::from(n) * 86_400);
        let request = requested(n.into(), dated, 5);
        usage.count(request.clone());
        let from = dated.plus_seconds(3_600);
        late.note(&usage, request, Sight { position: n.into(), dated, from });
    }
    assert_eq!(late.len(), 93, "92 days of one a day, and the first of them");
}
