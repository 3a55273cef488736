//! What waits for how long, and what a restart remembers of it.

use super::*;
use strongroom_domain::{Head, transfer::Approved};
use uuid::Uuid;

const PAID: TransferId = TransferId(Uuid::from_u128(1));
const ASKED: ProposalId = ProposalId(Uuid::from_u128(2));
const OF: Awaited = Awaited::Transfer(PAID);

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(1_795_000_000_000_000).plus_seconds(seconds)
}

/// Entry 7, dated at the beginning.
fn entry() -> Recorded {
    Recorded {
        head: Head { position: 7, ..Head::default() },
        time: at(0),
        stream: Stream::Transfer(PAID),
        sequence: 3,
        event: TransferEvent::from(Approved {}).into(),
    }
}

/// What begins with entry 7, which came then.
fn begins(sights: &mut Sights, of: Awaited, seen: u64) {
    let wait = sights.see(of, &entry(), at(seen));
    sights.waits.insert(of, wait);
}

fn listed(sights: &mut Sights, seen: u64) -> (Network, Address) {
    let new = (Network::LitecoinRegtest, "rltc1qexchange".parse().unwrap());
    let wait = sights.see(Awaited::Listed(ASKED), &entry(), at(seen));
    sights.listed.insert(ASKED, (wait, [new.clone()].into()));
    new
}

#[test]
fn what_comes_promptly_counts_from_its_date_and_what_comes_late_from_when_it_came() {
    for (seen, from) in [(0, 0), (60, 0), (61, 61), (90_000, 90_000)] {
        let mut sights = Sights::default();
        begins(&mut sights, OF, seen);
        assert!(sights.demand_waited(PAID, 3_600, at(from + 3_599)).is_err(), "{seen}");
        assert_eq!(sights.demand_waited(PAID, 3_600, at(from + 3_600)), Ok(()), "{seen}");
    }
}

#[test]
fn a_restart_neither_forgets_a_wait_nor_begins_it_again() {
    let mut before = Sights::default();
    begins(&mut before, OF, 1_000);
    let kept = before.unwritten();
    assert_eq!(kept, [Sighted { of: OF, from: at(1_000) }]);
    assert_eq!(before.unwritten(), []);
    let mut after = Sights::new(Known { sights: kept, ..Known::default() });
    begins(&mut after, OF, 4_000);
    assert_eq!(after.unwritten(), []);
    assert_eq!(after.demand_waited(PAID, 3_600, at(4_600)), Ok(()));
    // The crash came before the journal's line: the wait is longer.
    let mut lost = Sights::new(Known::default());
    begins(&mut lost, OF, 4_000);
    let refused = lost.demand_waited(PAID, 3_600, at(4_600)).map_err(|refusal| refusal.rule);
    assert_eq!(refused, Err(Rule::TimeLock));
}

#[test]
fn a_mark_says_of_all_entries_before_it_that_they_were_there() {
    let mark = |position, seconds| Mark { position, by: at(seconds) };
    let marks = Marks::new([mark(5, 100), mark(9, 900), mark(9, 950), mark(20, 700)]);
    for (position, seconds) in [(1, 100), (5, 100), (6, 700), (9, 700), (10, 700), (20, 700)] {
        assert_eq!(marks.by(position), Some(at(seconds)), "{position}");
    }
    assert_eq!(marks.by(21), None);
    let known = Known { marks: vec![mark(9, 30)], ..Known::default() };
    let mut restarted = Sights::new(known);
    begins(&mut restarted, OF, 90_000);
    assert_eq!(restarted.demand_waited(PAID, 3_600, at(3_600)), Ok(()), "it was read promptly");
}

#[test]
fn witnesses_make_a_wait_shorter_and_never_shorter_than_its_date() {
    let mut sights = Sights::default();
    begins(&mut sights, OF, 90_000);
    let mark = |position, seconds| Mark { position, by: at(seconds) };
    assert!(!sights.prove(mark(6, 10)), "of entries before it");
    assert!(!sights.prove(mark(7, 90_001)), "later than its own sight");
    assert!(sights.prove(mark(7, 5_000)));
    assert!(!sights.prove(mark(7, 5_000)), "no news");
    assert!(sights.demand_waited(PAID, 3_600, at(8_599)).is_err());
    assert_eq!(sights.demand_waited(PAID, 3_600, at(8_600)), Ok(()));
    assert!(sights.prove(mark(90, 20)));
    assert!(sights.demand_waited(PAID, 3_600, at(3_599)).is_err());
    assert_eq!(sights.demand_waited(PAID, 3_600, at(3_600)), Ok(()));
}

#[test]
fn a_policy_that_came_into_force_too_soon_for_a_signer_is_not_kept_to_before() {
    let mut sights = Sights::default();
    let wait = sights.see(Awaited::Policy(ASKED), &entry(), at(5_000));
    sights.policies.push((wait, 60));
    assert!(sights.demand_waited(PAID, 0, at(5_059)).is_err());
    assert_eq!(sights.demand_waited(PAID, 0, at(5_060)), Ok(()));
}

#[test]
fn a_destination_that_a_signer_heard_of_late_cools_off_from_then_on() {
    let mut sights = Sights::default();
    let (network, address) = listed(&mut sights, 5_000);
    let other = "rltc1qother".parse().unwrap();
    let cooled = |sights: &Sights, address, seconds| {
        sights.demand_cooled((network, address), 3_600, at(seconds)).map_err(|of| of.rule)
    };
    assert_eq!(cooled(&sights, &address, 8_599), Err(Rule::TimeLock));
    assert_eq!(cooled(&sights, &address, 8_600), Ok(()));
    assert_eq!(cooled(&sights, &other, 5_000), Ok(()));
    assert!(sights.prove(Mark { position: 7, by: at(30) }));
    assert_eq!(cooled(&sights, &address, 30), Ok(()), "its date is good enough then");
}

#[test]
fn who_is_enrolled_later_waits_for_payments_and_not_for_the_policy_that_stood() {
    let mut sights = Sights::default();
    begins(&mut sights, OF, 5_000);
    begins(&mut sights, Awaited::Policy(ASKED), 5_000);
    let (network, address) = listed(&mut sights, 5_000);
    sights.policies.push((sights.waits[&OF], 4_000));
    sights.trust(8);
    assert!(sights.demand_waited(PAID, 3_600, at(8_599)).is_err());
    assert_eq!(sights.demand_waited(PAID, 3_600, at(8_600)), Ok(()));
    assert_eq!(sights.demand_cooled((network, &address), 3_600, at(5_000)), Ok(()));
    assert!(!sights.waits.contains_key(&Awaited::Policy(ASKED)));
}

#[test]
fn what_the_journal_says_is_held_only_while_the_copy_is_read() {
    let sights = (0..10_000).map(|number| {
        let of = Awaited::Transfer(TransferId(Uuid::from_u128(number)));
        Sighted { of, from: at(0) }
    });
    let marks = (0..10_000).map(|position| Mark { position, by: at(position) });
    let known = Known { sights: sights.collect(), marks: marks.collect(), unmarked: 0 };
    let mut sights = Sights::new(known);
    assert_eq!(sights.held(), 20_000);
    begins(&mut sights, OF, 0);
    sights.opened();
    assert_eq!(sights.held(), 1, "the one that waits");
    let state = State::default();
    let ended = Recorded { event: TransferEvent::from(Approved {}).into(), ..entry() };
    sights.note(&ended, &state, SignerId(Uuid::nil()), at(0));
    assert_eq!(sights.held(), 1, "nothing that came promptly is remembered");
}

#[test]
fn a_line_of_the_journal_is_written_as_it_was() {
    let id = "00000000-0000-0000-0000-000000000002";
    for (of, name) in [(Awaited::Policy(ASKED), "policy"), (Awaited::Listed(ASKED), "listed")] {
        let sighted = Sighted { of, from: at(0) };
        let text = serde_json::to_string(&sighted).unwrap();
        let golden =
            format!(r#"{{"of":{{"{name}":"{id}"}},"from":"2026-11-18T11:06:40.000000Z"}}"#);
        assert_eq!(text, golden);
        assert_eq!(serde_json::from_str::<Sighted>(&text).unwrap(), sighted);
    }
    let mark = Mark { position: 7, by: at(0) };
    let golden = r#"{"position":7,"by":"2026-11-18T11:06:40.000000Z"}"#;
    assert_eq!(serde_json::to_string(&mark).unwrap(), golden);
    assert_eq!(serde_json::from_str::<Mark>(golden).unwrap(), mark);
}
