//! What waits for how long, and what a restart remembers of it.

use super::*;
use uuid::Uuid;

const PAID: TransferId = TransferId(Uuid::from_u128(1));
const ASKED: ProposalId = ProposalId(Uuid::from_u128(2));

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(1_795_000_000_000_000).plus_seconds(seconds)
}

#[test]
fn what_comes_promptly_counts_from_its_date_and_what_comes_late_from_when_it_came() {
    for (seen, from) in [(0, 0), (60, 0), (61, 61), (90_000, 90_000)] {
        let mut sights = Sights::default();
        sights.see(Awaited::Transfer(PAID), at(0), at(seen));
        assert!(sights.demand_waited(PAID, 3_600, at(from + 3_599)).is_err(), "{seen}");
        assert_eq!(sights.demand_waited(PAID, 3_600, at(from + 3_600)), Ok(()), "{seen}");
    }
}

#[test]
fn a_restart_neither_forgets_a_wait_nor_begins_it_again() {
    let mut before = Sights::default();
    before.see(Awaited::Transfer(PAID), at(0), at(1_000));
    let kept = before.unwritten();
    assert_eq!(kept, [Sighted { of: Awaited::Transfer(PAID), from: at(1_000) }]);
    assert_eq!(before.unwritten(), []);
    let mut after = Sights::new(kept);
    after.see(Awaited::Transfer(PAID), at(0), at(4_000));
    assert_eq!(after.unwritten(), []);
    assert_eq!(after.demand_waited(PAID, 3_600, at(4_600)), Ok(()));
    // The crash came before the journal's line: the wait is longer.
    let mut lost = Sights::new([]);
    lost.see(Awaited::Transfer(PAID), at(0), at(4_000));
    let refused = lost.demand_waited(PAID, 3_600, at(4_600)).map_err(|refusal| refusal.rule);
    assert_eq!(refused, Err(Rule::TimeLock));
}

#[test]
fn a_policy_that_came_into_force_too_soon_for_a_signer_is_not_kept_to_before() {
    let mut sights = Sights::default();
    sights.see(Awaited::Policy(ASKED), at(0), at(5_000));
    sights.policy_until =
        sights.waits.remove(&Awaited::Policy(ASKED)).map(|at| at.plus_seconds(60));
    assert!(sights.demand_waited(PAID, 0, at(5_059)).is_err());
    assert_eq!(sights.demand_waited(PAID, 0, at(5_060)), Ok(()));
}

#[test]
fn who_is_enrolled_later_waits_for_payments_and_not_for_the_policy_that_stood() {
    let mut sights = Sights::default();
    sights.see(Awaited::Transfer(PAID), at(0), at(5_000));
    sights.see(Awaited::Policy(ASKED), at(0), at(5_000));
    sights.policy_until = Some(at(9_000));
    sights.no_policy_waits();
    assert!(sights.demand_waited(PAID, 3_600, at(8_599)).is_err());
    assert_eq!(sights.demand_waited(PAID, 3_600, at(8_600)), Ok(()));
    assert!(!sights.waits.contains_key(&Awaited::Policy(ASKED)));
}

#[test]
fn a_line_of_the_journal_is_written_as_it_was() {
    let sighted = Sighted { of: Awaited::Policy(ASKED), from: at(0) };
    let text = serde_json::to_string(&sighted).unwrap();
    let golden = r#"{"of":{"policy":"00000000-0000-0000-0000-000000000002"},"from":"2026-11-18T11:06:40.000000Z"}"#;
    assert_eq!(text, golden);
    assert_eq!(serde_json::from_str::<Sighted>(&text).unwrap(), sighted);
}
