//! When several groups are satisfied, against every way to seat the people.

use super::*;
use proptest::prelude::*;
use uuid::Uuid;

fn people(ids: impl IntoIterator<Item = u128>) -> BTreeSet<PersonId> {
    ids.into_iter().map(|id| PersonId(Uuid::from_u128(id))).collect()
}

fn part(approvals: u8, ids: impl IntoIterator<Item = u128>) -> Quorum {
    Quorum { approvals, group: people(ids) }
}

#[test]
fn a_person_counts_for_one_part_only() {
    let both = Quorums(vec![part(1, [1, 2]), part(1, [2, 3])]);
    assert!(!both.satisfied_by(&people([2])));
    assert!(!both.satisfied_by(&people([1])));
    assert!(both.satisfied_by(&people([1, 2])));
    assert!(both.satisfied_by(&people([2, 3])), "2 sits in the first part");
    assert!(both.satisfied_by(&people([1, 3])));
}

#[test]
fn somebody_of_no_group_counts_for_nothing() {
    let two = Quorums(vec![part(2, [1, 2, 3])]);
    assert!(!two.satisfied_by(&people([1, 9])));
    assert!(two.satisfied_by(&people([1, 3, 9])));
}

#[test]
fn nothing_asked_is_never_satisfied() {
    assert!(!Quorums::default().satisfied_by(&people([1, 2, 3])));
    assert!(!Quorums(vec![part(0, [1, 2])]).satisfied_by(&people([1, 2])));
}

#[test]
fn a_quorum_takes_two_people_and_groups_of_two_to_ten() {
    for (parts, sound) in [
        (vec![part(2, 1..=3)], true),
        (vec![part(7, 1..=10)], true),
        (vec![part(1, [1, 2]), part(1, [3, 4])], true),
        (vec![part(1, [1, 2]), part(1, [1, 2])], true),
        (vec![part(2, [1, 2]), part(1, [1, 2])], false),
        (vec![part(1, [1, 2])], false),
        (vec![part(0, [1, 2]), part(2, [1, 2])], false),
        (vec![part(2, 1..=11)], false),
        (vec![part(1, [1]), part(1, [2, 3])], false),
        (vec![part(3, [1, 2])], false),
        (vec![], false),
    ] {
        assert_eq!(Quorums(parts.clone()).check().is_ok(), sound, "{parts:?}");
    }
}

#[test]
fn a_group_is_asked_once_for_the_most_that_any_rule_asks() {
    let label = |text: &str| Label::try_from(text.to_owned()).expect("a label");
    let groups = Groups::from([(label("desk"), people([1, 2, 3]))]);
    let ask = |approvals, group| Requirement { approvals, group: label(group) };
    let asked = [ask(1, "desk"), ask(2, "desk"), ask(1, "board")];
    let resolved = Quorums::resolve(&asked, &groups);
    assert_eq!(resolved, Quorums(vec![part(1, []), part(2, [1, 2, 3])]));
    assert!(resolved.check().is_err(), "nobody is on the board");
}

/// Every way to give each approver one part or none.
fn by_force(parts: &[Quorum], left: &[PersonId]) -> bool {
    let Some((person, rest)) = left.split_first() else {
        return parts.iter().all(|part| part.approvals == 0);
    };
    let sits = |at: usize| {
        let mut next = parts.to_vec();
        let part = next.get_mut(at).expect("a part");
        let fits = part.approvals > 0 && part.group.contains(person);
        part.approvals = part.approvals.saturating_sub(1);
        fits && by_force(&next, rest)
    };
    by_force(parts, rest) || (0..parts.len()).any(sits)
}

proptest! {
    #[test]
    fn matching_finds_a_seating_exactly_where_there_is_one(
        parts in prop::collection::vec((1..=3_u8, prop::collection::btree_set(0..6_u128, 0..5)), 1..4),
        approvers in prop::collection::btree_set(0..6_u128, 0..6),
    ) {
        let parts: Vec<_> = parts.into_iter().map(|(m, ids)| part(m, ids)).collect();
        let approvers = people(approvers);
        let listed: Vec<_> = approvers.iter().copied().collect();
        let expected = by_force(&parts, &listed);
        prop_assert_eq!(Quorums(parts).satisfied_by(&approvers), expected);
    }
}
