//! Reasons and inputs are part of the log's format: readers decide again and must get the same
//! bytes. Here is one decision of every kind, passed and refused, held to a file.

use crate::{
    Amount, Bytes, WalletId,
    policy::{world::*, *},
    screening::Verdict,
};
use std::{collections::BTreeSet, env, fs, path::Path};

fn rules() -> Vec<PolicyRule> {
    let days = BTreeSet::from([Day::Monday, Day::Tuesday]);
    let steps = vec![
        Step { up_to: Amount::new(100), require: vec![ask(1, "board")], delay_s: 0 },
        Step { up_to: Amount::new(200), require: vec![ask(2, "board")], delay_s: 60 },
    ];
    let value = Most::Value { minor_units: Amount::new(150) };
    let units = Most::Amount { asset: LTC, units: Amount::new(150) };
    let velocity = |per, most| Demand::Velocity { window_s: DAY, per, most };
    let (token, spender) =
        (address("0xToken"), address("0xabababababababababababababababababababab"));
    let selectors = BTreeSet::from([Selector([1, 2, 3, 4])]);
    let over = Some(Threshold::Value { minor_units: Amount::new(150) });
    vec![
        rule("e-cool", Demand::Allowlist { cooling_off_s: DAY }),
        rule("f-tiers", Demand::Tiers { by: Measure::AssetAmount(LTC), steps: steps.clone() }),
        rule("g-value", Demand::Tiers { by: Measure::ReferenceValue, steps }),
        rule("h-units", velocity(Per::Wallet, units)),
        rule("i-worth", velocity(Per::All, value)),
        rule("j-count", velocity(Per::Client, Most::Count { transfers: 2 })),
        rule("k-hours", Demand::Hours { days, from_minute: 480, to_minute: 1_080 }),
        rule("l-delay", Demand::Delay { seconds: 30 }),
        rule("m-maker", Demand::MakerNotChecker),
        rule(
            "n-ceiling",
            Demand::WalletCeiling {
                asset: LTC,
                most: Amount::new(150),
                sweep_to: WalletId(id(40)),
            },
        ),
        rule("o-screened", Demand::Screening { max_age_s: 3_600 }),
        rule(
            "p-call",
            Demand::ContractCall { contract: token.clone(), selectors: selectors.clone() },
        ),
        rule(
            "q-approve",
            Demand::TokenApproval {
                token: token.clone(),
                spender,
                most: Allowance::UpTo(Amount::new(5)),
            },
        ),
        rule("r-admin", Demand::ContractAdmin { contract: token, selectors, delegatecall: false }),
        scoped("s-over", Scope { over, ..Scope::default() }, Demand::Forbid),
    ]
}

/// Worlds in which each rule passes and refuses, each for each of its reasons.
fn worlds() -> Vec<World> {
    let mut good = World::new();
    good.quote(LTC, 100_000_000, good.at);
    good.screen(Verdict::Clear, good.at);
    let changes: [fn(&mut World); 12] = [
        |_| (),
        |w| w.intent.amount = Amount::new(201),
        |w| w.before(20, w.at, 100, Some(100)),
        |w| w.before(20, w.at, 100, None),
        |w| w.intent.destination = address("rltc1qthief"),
        |w| w.on_the_list(LTC.network(), "rltc1qexchange", w.at),
        |w| w.since.clear(),
        |w| w.at = at(20 * 3_600),
        |w| w.screen(Verdict::Flagged, w.at.plus_seconds(1)),
        |w| w.intent.fee_cap = Amount::new(11),
        |w| w.groups.clear(),
        |w| {
            w.own(40, "rltc1qbank");
            w.intent.destination = address("rltc1qbank");
        },
    ];
    let payments = changes.into_iter().map(|change| {
        let mut world = good.clone();
        change(&mut world);
        world
    });
    let selector = Selector([1, 2, 3, 4]);
    let spender = Bytes(vec![0xab; 20]);
    let calls = [
        Meaning::Function { selector },
        Meaning::Function { selector: Selector([9; 4]) },
        Meaning::Approval { spender, amount: Allowance::Unlimited },
        Meaning::Admin { selector, name: "execTransaction", delegatecall: false },
        Meaning::Admin { selector, name: "execTransaction", delegatecall: true },
        Meaning::Unreadable,
    ];
    let calling = calls.into_iter().map(|meaning| {
        let contract = address("0xToken");
        World { call: Some(Call { contract, meaning }), ..good.clone() }
    });
    payments.chain(calling).chain([World::new()]).collect()
}

#[test]
fn a_reason_is_never_worded_anew() {
    let mut policy = policy(rules());
    let mut decisions: Vec<_> = worlds().iter().map(|world| world.ask(&policy)).collect();
    policy.rules.clear();
    decisions.push(World::new().ask(&policy));
    let asked: BTreeSet<_> =
        decisions.iter().flat_map(|decision| &decision.verdicts).map(|v| v.kind).collect();
    // A compromise is of keys: no payment is asked.
    assert_eq!(asked.len() + 1, Kind::ALL.len(), "a kind is missing: {asked:?}");
    let written = serde_json::to_string_pretty(&decisions).expect("JSON") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/policy/evaluate/decisions.json");
    if !path.exists() && env::var_os("STRONGROOM_NEW_GOLDEN").is_some() {
        fs::write(&path, &written).expect("a file");
    }
    let stored = fs::read_to_string(&path).expect("decisions.json");
    assert_eq!(written, stored, "old logs would be unlawful: tie it to a policy version");
}
