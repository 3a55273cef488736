//! The reckoning after a storm: every acknowledged withdrawal is held against the log, the nodes' own
//! blocks, the balances and the audit tool. It asks the server last.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use super::chain;
use super::ground::Rail;
use super::payer::Asked;
use super::report::{RailReport, Slow, Times};
use super::storm::Fault;
use super::trail::Trail;
use crate::deployment::Deployment;
use crate::journey::{PATIENCE, text};

/// A fault, and when it struck and was mended by the clock, in microseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spell {
    pub(super) fault: Fault,
    pub(super) from: u64,
    pub(super) until: u64,
}

/// Waits until every acknowledged withdrawal is over; those that are not after all this time are lost.
pub(super) fn wait(trail: &mut Trail, asked: &[Asked], patience: Duration) {
    let started = Instant::now();
    let transfers: Vec<_> = asked.iter().filter_map(|one| one.transfer.as_deref()).collect();
    while started.elapsed() < patience {
        trail.read_on();
        if transfers.iter().all(|transfer| trail.end(transfer).is_some()) {
            return;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Of a span, how long enough was up for a wallet whose key signs in this way.
pub(super) fn while_up(spells: &[Spell], pool: bool, from: u64, until: u64) -> Duration {
    const STEP: u64 = 50_000;
    let mut up = 0;
    let mut now = from;
    while now < until {
        let on = spells.iter().filter(|it| it.from <= now && now < it.until).map(|it| it.fault);
        let step = STEP.min(until - now);
        if super::storm::is_enough(&on.collect::<Vec<_>>(), pool) {
            up += step;
        }
        now += step;
    }
    Duration::from_micros(up)
}

/// One wallet's part of the report, its slowest withdrawals, and what is wrong.
pub(super) fn rail(
    (index, rail): (usize, &Rail),
    strongroom: &Deployment,
    (asked, trail): (&[Asked], &Trail),
    (spells, storm): (&[Spell], u64),
    broken: &mut Vec<String>,
) -> (RailReport, Vec<Slow>) {
    let mut paid = chain::paid(&strongroom.networks, rail);
    let mut report = RailReport { name: rail.name.to_owned(), ..RailReport::default() };
    let (mut calm, mut stormy, mut up, mut slow) = (vec![], vec![], vec![], vec![]);
    let mut sum = 0;
    for one in asked.iter().filter(|one| one.rail == index) {
        report.requested += 1;
        let times = paid.remove(&one.amount).unwrap_or(0);
        if let Some(because) = &one.refused {
            broken.push(format!("{}: a request was turned down: {because}", rail.name));
        }
        let Some(transfer) = &one.transfer else {
            report.refused += 1;
            if times > 0 {
                report.wrong += 1;
                broken.push(format!("{}: paid, and never acknowledged: {one:?}", rail.name));
            }
            continue;
        };
        report.acknowledged += 1;
        let due = match trail.end(transfer) {
            Some("transfer.confirmed") => {
                report.confirmed += 1;
                sum += one.amount;
                1
            }
            Some(end) => {
                report.refused += 1;
                broken.push(format!("{}: {transfer} ended by {end}", rail.name));
                0
            }
            None => {
                report.lost += 1;
                let client = strongroom.desk.initiator();
                let told = client.get(&format!("/transactions/{transfer}")).body;
                let last = trail.last(transfer);
                broken.push(format!("{}: lost after {last}: {told}", rail.name));
                times
            }
        };
        if times != due {
            report.wrong += 1;
            broken.push(format!("{}: {transfer} was paid {times} times", rail.name));
        }
        let Some(broadcast) = trail.when(transfer, "transfer.attempt-broadcast") else { continue };
        let took = Duration::from_micros(broadcast.saturating_sub(one.since));
        if one.since < storm {
            calm.push(took);
            continue;
        }
        stormy.push(took);
        let while_up = while_up(spells, index == super::storm::POOL_RAIL, one.since, broadcast);
        up.push(while_up);
        let told = story(one, transfer, (spells, storm), broadcast);
        slow.push(Slow { took, while_up, story: format!("{}: {told}", rail.name) });
    }
    for (amount, times) in paid {
        broken.push(format!("{}: {amount} was paid {times} times, and not asked for", rail.name));
    }
    report.calm = Times::of(calm);
    report.storm = Times::of(stormy);
    report.while_up = Times::of(up);
    balance(rail, strongroom, sum, broken);
    (report, slow)
}

fn story(one: &Asked, transfer: &str, (spells, storm): (&[Spell], u64), until: u64) -> String {
    let on = spells.iter().filter(|it| it.from < until && one.since < it.until);
    let seconds = |time: u64| Duration::from_micros(time.saturating_sub(storm)).as_secs_f64();
    let on =
        on.map(|it| format!("{:?} {:.1}–{:.1}", it.fault, seconds(it.from), seconds(it.until)));
    let on: Vec<_> = on.collect();
    let (since, on) = (seconds(one.since), on.join(", "));
    format!("{transfer}, asked at {since:.1}, {} repeats: {on}", one.repeated)
}

/// What the account has is what it began with, without what was paid and what that cost.
fn balance(rail: &Rail, strongroom: &Deployment, sum: u128, broken: &mut Vec<String>) {
    let client = strongroom.desk.initiator();
    let account = client.get(&format!("/accounts/{}", rail.custody.account)).ok();
    let available: u128 = text(&account["account"], "available").parse().expect("an amount");
    let total: u128 = text(&account["account"], "total").parse().expect("an amount");
    if available != total {
        broken.push(format!("{}: something is still set aside: {account}", rail.name));
    }
    let spent = rail.funds.saturating_sub(available);
    if spent < sum {
        broken.push(format!("{}: {sum} was paid, {spent} is gone", rail.name));
    }
    if rail.custody.network.family() == strongroom_domain::Family::Ethereum {
        let held = chain::balance(&strongroom.networks, rail);
        if held != available {
            broken.push(format!("{}: the chain has {held}, we {available}", rail.name));
        }
    }
}

/// Everything else that must hold: no alarm, nobody who waits, ledger, chains and tables agree, and
/// every rule decides again as it did.
pub(super) fn whole(strongroom: &mut Deployment, trail: &Trail, broken: &mut Vec<String>) {
    broken.extend(trail.trouble.iter().map(|it| format!("in the log: {it}")));
    let mut logs: BTreeMap<String, _> = BTreeMap::new();
    logs.insert("server".to_owned(), strongroom.server.log());
    for (number, signer) in strongroom.signers.iter().enumerate() {
        logs.insert(format!("signer {}", number + 1), signer.log());
    }
    for (who, path) in logs {
        broken.extend(complaints(&path).into_iter().map(|line| format!("{who}: {line}")));
    }
    let officer = strongroom.desk.institution.officer.clone();
    strongroom.server.stop();
    strongroom.server.reconcile(&officer.id);
    strongroom.server.start();
    let client = strongroom.desk.client(&officer);
    // A difference shows in two looks in a row.
    let mut looks = std::collections::BTreeSet::new();
    let started = Instant::now();
    while looks.len() < 3 && started.elapsed() < PATIENCE {
        let status = client.get("/reconciliation").ok();
        let whole = status["troubles"].as_array().is_some_and(Vec::is_empty);
        looks.extend(status["looked_at"].as_str().filter(|_| whole).map(str::to_owned));
        std::thread::sleep(Duration::from_millis(200));
    }
    if looks.len() < 3 {
        broken.push(format!("no reconciliation: {}", client.get("/reconciliation").body));
    }
    let differences = client.get("/differences").ok();
    if differences["items"].as_array().is_none_or(|items| !items.is_empty()) {
        broken.push(format!("ledger and chain differ: {differences}"));
    }
    let log = strongroom.log_file().display().to_string();
    let read = strongroom.server.data.join("read.db").display().to_string();
    let genesis = &strongroom.desk.institution.genesis;
    for arguments in [["verify", &log, "--genesis", genesis].as_slice(), &["compare", &log, &read]]
    {
        let (code, said) = strongroom.desk.replay(arguments);
        if code != 0 {
            broken.push(format!("strongroom-replay {} ended with {code}: {said}", arguments[0]));
        }
    }
}

/// Lines that a person would be woken for.
fn complaints(log: &Path) -> Vec<String> {
    let text = String::from_utf8_lossy(&std::fs::read(log).unwrap_or_default()).into_owned();
    let wakes = |line: &&str| line.contains("ALARM") || line.contains("panicked");
    text.lines().filter(wakes).take(3).map(str::to_owned).collect()
}
