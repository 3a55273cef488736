//! A policy in words, whole or against the one in force. Its hash stands beside them: the words say
//! what a rule means, the hash which policy is meant.

use super::{approval::duration, change::requirements, quantity};
use crate::{
    Amount, Digest,
    policy::{
        Allowance, Demand, InForce, Measure, Most, OnCompromise, Per, Policy, PolicyRule, Scope,
        Selector, Step, Threshold,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// What another policy would change. Everything that it does not name stays as it is.
pub(super) fn change(in_force: &InForce, next: &Policy) -> String {
    let mut text = format!("PUT IN FORCE  policy version {}\n", next.version);
    match in_force {
        InForce::V1(old) => {
            let _ = write!(
                text,
                "It replaces all of version {}, which is of the older form. All of it:\n{}",
                old.version,
                whole(next)
            );
        }
        InForce::V2(old) => {
            let _ = writeln!(text, "Against version {}:", old.version);
            let (before, after) = (facts(old), facts(next));
            let unchanged = after.iter().filter(|(key, value)| before.get(*key) == Some(value));
            let unchanged = unchanged.count();
            let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
            for key in keys {
                let _ = match (before.get(key), after.get(key)) {
                    (Some(old), None) => writeln!(text, "  - {key}: {old}"),
                    (None, Some(new)) => writeln!(text, "  + {key}: {new}"),
                    (Some(old), Some(new)) if old != new => {
                        writeln!(text, "  ! {key}: {old}\n    becomes: {new}")
                    }
                    (Some(_), Some(_)) | (None, None) => Ok(()),
                };
            }
            let _ = writeln!(text, "  {unchanged} rules and facts stay as they are");
        }
    }
    let _ = writeln!(text, "Policy hash:  SHA-256 {}", hash(next));
    text
}

/// Every word of a policy, one fact a line.
pub(super) fn whole(policy: &Policy) -> String {
    let mut text = format!("  version {}\n", policy.version);
    for (key, value) in facts(policy) {
        let _ = writeln!(text, "  {key}: {value}");
    }
    text
}

/// SHA-256 of its JSON, as it would stand in the log.
pub(super) fn hash(policy: &Policy) -> Digest {
    // A policy has no map with keys that are not text: this does not fail.
    Digest::of(&serde_json::to_vec(policy).unwrap_or_default())
}

/// What a policy says, each under its name.
fn facts(policy: &Policy) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    for known in &policy.destinations {
        let key = format!("may pay {} on {}", known.address, known.network);
        facts.insert(key, format!("known as {}", known.label));
    }
    for rule in &policy.rules {
        facts.insert(format!("rule {}", rule.id), a_rule(rule));
    }
    for (network, blocks) in &policy.confirmations {
        facts.insert(format!("final on {network}"), format!("after {blocks} blocks"));
    }
    let lifetime = duration(policy.proposal_lifetime_s);
    facts.insert("proposals stay open".to_owned(), format!("at most {lifetime}"));
    if let Some(source) = &policy.prices {
        let fact = format!(
            "in {} by ed25519 {}, good for {}",
            source.reference,
            source.key,
            duration(source.max_age_s)
        );
        facts.insert("prices".to_owned(), fact);
    }
    facts
}

fn a_rule(PolicyRule { id: _, scope, demand }: &PolicyRule) -> String {
    format!("{}{} ({})", a_demand(demand), a_scope(scope), demand.kind())
}

fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

fn a_scope(scope: &Scope) -> String {
    let Scope { assets, networks, wallets, wallet_tiers, clients, destinations, initiators, over } =
        scope;
    let mut text = String::new();
    let mut only = |what: &str, names: String| {
        if !names.is_empty() {
            let _ = write!(text, "; only {what} {names}");
        }
    };
    only("of", list(assets));
    only("on", list(networks));
    only("from wallets", list(wallets));
    only("from tiers", list(wallet_tiers.iter().map(|tier| format!("{tier:?}").to_lowercase())));
    only("for clients", list(clients));
    only("to", list(destinations));
    only("asked by", list(initiators));
    match over {
        None => {}
        Some(Threshold::Amount { asset, units }) => only("above", quantity(*units, *asset)),
        Some(Threshold::Value { minor_units }) => {
            only("above", format!("a value of {minor_units} minor units"));
        }
    }
    text
}

fn a_demand(demand: &Demand) -> String {
    match demand {
        Demand::Permit => "may be asked for".to_owned(),
        Demand::Forbid => "is forbidden".to_owned(),
        Demand::Allowlist { cooling_off_s: 0 } => "goes to the allowlist only".to_owned(),
        Demand::Allowlist { cooling_off_s } => {
            format!("goes to the allowlist only, to new entries after {}", duration(*cooling_off_s))
        }
        Demand::Tiers { by, steps } => {
            let steps: Vec<_> = steps.iter().map(|step| a_step(*by, step)).collect();
            format!("{}; above that nothing", steps.join(", "))
        }
        Demand::Approvals { require } => format!("needs {}", requirements(require)),
        Demand::Velocity { window_s, per, most } => {
            format!(
                "within {}, per {}, at most {}",
                duration(*window_s),
                whose(*per),
                at_most(most)
            )
        }
        Demand::Hours { days, from_minute, to_minute } => format!(
            "only on {} from {} to {} UTC",
            list(days.iter().map(|day| format!("{day:?}"))),
            clock(*from_minute),
            clock(*to_minute)
        ),
        Demand::Delay { seconds } => format!("waits {} once approved", duration(*seconds)),
        Demand::FeeCap { asset, most } => {
            format!("may offer its network at most {}", quantity(*most, *asset))
        }
        Demand::MakerNotChecker => "who asks does not approve".to_owned(),
        Demand::WalletCeiling { asset, most, sweep_to } => format!(
            "its wallet holds at most {}, the rest belongs to wallet {sweep_to}",
            quantity(*most, *asset)
        ),
        Demand::Screening { max_age_s } => {
            format!("its destination was found clear within {}", duration(*max_age_s))
        }
        Demand::Compromise { answer: OnCompromise::Refresh } => {
            "once a holder of its wallet's key is not trusted, the others may go on with new shares"
                .to_owned()
        }
        Demand::Compromise { answer: OnCompromise::Rotate } => {
            "once a holder of its wallet's key is not trusted, everything goes to another key"
                .to_owned()
        }
        Demand::ContractCall { contract, selectors } => {
            format!("may call {} of contract {contract}", functions(selectors))
        }
        Demand::TokenApproval { token, spender, most } => {
            let most = match most {
                Allowance::UpTo(units) => format!("up to {units} base units"),
                Allowance::Unlimited => "WITHOUT LIMIT".to_owned(),
            };
            format!("may let {spender} spend token {token} {most}")
        }
        Demand::ContractAdmin { contract, selectors, delegatecall } => format!(
            "may change who controls contract {contract} through {}{}",
            functions(selectors),
            if *delegatecall { ", AND RUN FOREIGN CODE AS ITSELF" } else { "" }
        ),
    }
}

fn a_step(by: Measure, Step { up_to, require, delay_s }: &Step) -> String {
    let limit = match by {
        Measure::AssetAmount(asset) => quantity(*up_to, asset),
        Measure::ReferenceValue => format!("a value of {up_to} minor units"),
    };
    let waits = match delay_s {
        0 => String::new(),
        seconds => format!(" and waits {}", duration(*seconds)),
    };
    format!("up to {limit} needs {}{waits}", requirements(require))
}

const fn whose(per: Per) -> &'static str {
    match per {
        Per::Wallet => "wallet",
        Per::Client => "client",
        Per::Destination => "destination",
        Per::Initiator => "initiator",
        Per::All => "institution",
    }
}

fn at_most(most: &Most) -> String {
    match most {
        Most::Amount { asset, units } => quantity(*units, *asset),
        Most::Value { minor_units } => value(*minor_units),
        Most::Count { transfers } => format!("{transfers} transfers"),
    }
}

fn value(minor_units: Amount) -> String {
    format!("a value of {minor_units} minor units")
}

fn functions(selectors: &BTreeSet<Selector>) -> String {
    format!("function {}", list(selectors))
}

/// `09:30`.
fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}
