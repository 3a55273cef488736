//! Which reminders are due.

use super::*;
use uuid::Uuid;

const ABOUT: About = About::TimeLock(TransferId(Uuid::from_u128(7)));

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn told(from: u64, to: u64, since: u64, now: u64) -> Vec<(Milestone, Timestamp)> {
    let span = Span { about: ABOUT, from: at(from), to: at(to) };
    let due = due(&[span], at(since), at(now));
    due.into_iter().map(|reminder| (reminder.milestone, reminder.at)).collect()
}

#[test]
fn an_hour_is_reminded_of_thrice() {
    let all = told(0, 3_600, 0, 3_599);
    let (half, nine) = ((Milestone::Half, at(1_800)), (Milestone::NineTenths, at(3_240)));
    assert_eq!(all, [half, nine, (Milestone::LastMinute, at(3_540))]);
}

#[test]
fn a_reminder_is_due_once() {
    assert_eq!(told(0, 3_600, 0, 1_799), []);
    assert_eq!(told(0, 3_600, 1_799, 1_800), [(Milestone::Half, at(1_800))]);
    assert_eq!(told(0, 3_600, 1_800, 1_801), []);
}

#[test]
fn a_short_time_has_no_last_minute_and_what_is_over_no_reminder() {
    assert_eq!(told(0, 600, 0, 599).len(), 2);
    assert_eq!(told(0, 3_600, 0, 3_600), []);
    assert_eq!(told(5, 5, 0, 10), []);
}

#[test]
fn a_reminder_keeps_its_name() {
    let span = Span { about: ABOUT, from: at(0), to: at(600) };
    let names: Vec<_> = due(&[span], at(0), at(599)).iter().map(Reminder::name).collect();
    let id = "00000000-0000-0000-0000-000000000007";
    assert_eq!(names, [format!("time-lock-{id}-half"), format!("time-lock-{id}-nine-tenths")]);
}
