//! Dates that a stolen server writes so that waits look over and limits look free. A signer's own clock
//! does not bear them out, and only enough witnesses who were there then can.

use strongroom_domain::policy::{Day, Demand, PolicyRule, Scope};
use strongroom_domain::protocol::{Order, Reply};
use strongroom_domain::{Address, Command, Spends, Timestamp, TransferId};

use super::catalogue::answers;
use super::forge::clock;
use super::governed::{governed_by, label, next, request, two_hours_ago};
use super::transactions::{AMOUNT, Custody, FEE};
use super::world::World;

const HOUR_S: u64 = 3_600;

/// A rule about the second destination alone: what is paid after a case goes elsewhere.
fn of_second(id: &str, demand: Demand) -> PolicyRule {
    let scope = Scope { destinations: [label("second")].into(), ..Scope::default() };
    PolicyRule { id: label(id), scope, demand }
}

/// A payment to there, approved, with an honest attempt. No signer has heard of it.
fn attempted(world: &mut World, custody: &Custody, to: &Address) -> TransferId {
    let coin = custody.fund(&mut world.forge);
    let (asked, command) = request(&world.forge, custody, AMOUNT, Some(to));
    world.forge.run(command);
    world.forge.agree(asked.proposal);
    let attempt = custody.attempt(custody.psbt(&asked.intent, &coin, FEE), FEE);
    custody.authorise(&mut world.forge, &asked, attempt, Spends::Coins(vec![coin.outpoint]));
    asked.intent.transfer
}

fn commits(reply: &Reply) {
    assert!(matches!(reply, Reply::Committed { .. }), "{reply:?}");
}

fn witnesses(world: &World) -> usize {
    world.forge.people.notary.outside.len()
}

#[test]
fn a_new_destination_cools_off_from_when_the_signer_heard_of_it() {
    let root = tempfile::tempdir().unwrap();
    let (mut world, custody, second) = governed_by(root.path(), two_hours_ago(), |policy| {
        let cooling_off_s = HOUR_S;
        policy.rules.push(of_second("cools", Demand::Allowlist { cooling_off_s }));
    });
    let (size, listed) = (world.forge.head().position, world.forge.time);
    world.forge.time = listed.plus_seconds(HOUR_S + 60);
    let transfer = attempted(&mut world, &custody, &second);
    world.forge.time = clock();
    let reply = world.reader(0).commit(transfer, 1);
    answers("clock-destination-listed-in-the-past", &reply);
    world.pays(&custody);
    world.restart(0);
    let reply = world.reader(0).commit(transfer, 1);
    answers("clock-destination-listed-in-the-past-after-restart", &reply);
    world.pays(&custody);
    // Enough witnesses saw it then: the signer was away, and nobody lied.
    let then = world.forge.witnessed_then(size, 0..witnesses(&world), listed.plus_seconds(1));
    let mut link = world.reader(0);
    assert!(matches!(link.ask(&then), Reply::Covered { .. }));
    commits(&link.commit(transfer, 1));
    world.pays(&custody);
}

/// Two payments that the limit allows in two hours, and not in one.
struct Two {
    world: World,
    custody: Custody,
    first: TransferId,
    second: TransferId,
    /// Where the second one's entries begin and end; and when each was, by the log's dates.
    places: (u64, u64),
    begun: Timestamp,
    dated: Timestamp,
    _root: tempfile::TempDir,
}

fn two() -> Two {
    let root = tempfile::tempdir().unwrap();
    let (mut world, custody, to) = governed_by(root.path(), two_hours_ago(), |policy| {
        for rule in &mut policy.rules {
            if let Demand::Velocity { window_s, .. } = &mut rule.demand {
                *window_s = HOUR_S;
            }
        }
    });
    let begun = world.forge.time;
    let first = attempted(&mut world, &custody, &to);
    world.forge.time = world.forge.time.plus_seconds(HOUR_S + 60);
    let (before, dated) = (world.forge.head().position, world.forge.time);
    let second = attempted(&mut world, &custody, &to);
    let places = (before, world.forge.head().position);
    world.forge.time = clock();
    Two { world, custody, first, second, places, begun, dated, _root: root }
}

#[test]
fn what_is_told_together_counts_together() {
    let Two { mut world, custody, first, second, places, dated, _root, .. } = two();
    commits(&world.reader(0).commit(first, 1));
    let reply = world.reader(0).commit(second, 1);
    answers("clock-limit-dated-into-two-windows", &reply);
    world.pays(&custody);
    world.restart(0);
    let reply = world.reader(0).commit(second, 1);
    answers("clock-limit-dated-into-two-windows-after-restart", &reply);
    world.pays(&custody);
    commits(&world.reader(0).commit(first, 1));

    let (all, soon) = (witnesses(&world), dated.plus_seconds(5));
    let new = world.forge.witnessed_then(places.1, 0..all, clock());
    let mut link = world.reader(0);
    assert!(matches!(link.ask(&new), Reply::Covered { .. }));
    answers("clock-limit-with-a-new-checkpoint", &link.commit(second, 1));
    world.pays(&custody);

    let few = world.forge.witnessed_then(places.1, 0..all - 1, soon);
    answers("clock-limit-with-an-old-checkpoint-of-too-few", &link.ask(&few));
    world.pays(&custody);

    // One witness that lies about its clock is not enough.
    let Order::Checkpoint { checkpoint: old } = world.forge.witnessed_then(places.1, 0..1, soon)
    else {
        panic!()
    };
    let Order::Checkpoint { checkpoint: new } =
        world.forge.witnessed_then(places.1, 1..all, clock())
    else {
        panic!()
    };
    let signatures = |note: &str| note.split_once("\n\n").unwrap().1.to_owned();
    let of_log = 2;
    let lines: Vec<_> = signatures(&new).lines().skip(of_log).map(str::to_owned).collect();
    let lines = lines.join("\n") + "\n";
    let mixed = Order::Checkpoint { checkpoint: format!("{old}{lines}") };
    assert!(matches!(link.ask(&mixed), Reply::Covered { .. }));
    let reply = link.commit(second, 1);
    answers("clock-limit-with-an-old-checkpoint-of-one-and-new-ones", &reply);
    world.pays(&custody);

    let before = world.forge.witnessed_then(places.0, 0..all, soon);
    assert!(matches!(link.ask(&before), Reply::Covered { .. }));
    let reply = link.commit(second, 1);
    answers("clock-limit-with-an-old-checkpoint-of-entries-before", &reply);
    world.pays(&custody);
}

#[test]
fn a_signer_that_was_away_signs_what_witnesses_saw_in_time() {
    let Two { mut world, custody, first, second, places, begun, dated, _root } = two();
    let mut link = world.reader(0);
    commits(&link.commit(first, 1));
    assert!(matches!(link.commit(second, 1), Reply::Refused(_)));
    let all = witnesses(&world);
    for (size, dated) in [(places.0, begun), (places.1, dated)] {
        let then = world.forge.witnessed_then(size, 0..all, dated.plus_seconds(5));
        assert!(matches!(link.ask(&then), Reply::Covered { .. }));
    }
    // It is in the journal: another start knows it without being told again.
    world.restart(0);
    commits(&world.reader(0).commit(second, 1));
    world.pays(&custody);
}

#[test]
fn a_lock_that_was_lengthened_counts_from_when_the_signer_heard_of_the_approval() {
    let root = tempfile::tempdir().unwrap();
    let (mut world, custody, second) = governed_by(root.path(), two_hours_ago(), |_| ());
    let transfer = attempted(&mut world, &custody, &second);
    let mut policy = next(&world.forge);
    policy.rules.push(of_second("waits", Demand::Delay { seconds: HOUR_S }));
    let by = world.forge.people.officer;
    world.forge.run(Command::TightenPolicy { policy, by });
    world.forge.time = clock();
    let reply = world.reader(0).commit(transfer, 1);
    answers("clock-longer-lock-since", &reply);
    world.pays(&custody);
}

#[test]
fn a_payment_is_asked_for_when_the_signer_hears_of_it() {
    let root = tempfile::tempdir().unwrap();
    let minute = |at: Timestamp| u16::try_from(at.micros() / 60_000_000 % 1_440).unwrap();
    let then = two_hours_ago();
    let (mut world, custody, second) = governed_by(root.path(), then, |policy| {
        let (from_minute, to_minute) = (minute(then), (minute(then) + 60) % 1_440);
        let days = Day::ALL.into();
        policy.rules.push(of_second("hours", Demand::Hours { days, from_minute, to_minute }));
    });
    let transfer = attempted(&mut world, &custody, &second);
    world.forge.time = clock();
    let reply = world.reader(0).commit(transfer, 1);
    answers("clock-dated-into-open-hours", &reply);
    world.pays(&custody);
}
