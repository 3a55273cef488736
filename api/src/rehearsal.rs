//! A proposed policy, asked about everything that was ever requested, with what the log knew at that
//! moment. Never changes what happened: what a refusal then would have changed later is not played.

use std::collections::BTreeMap;

use serde::Serialize;
use strongroom_domain::{
    Event, Recorded, State, TransferId,
    policy::{Case, Facts, Policy, PolicyDecision, Since},
    transfer::{Requested, RequestedV1, TransferEvent},
};

/// What the proposed policy would have said to one request.
#[derive(Debug, Serialize)]
pub struct Rehearsed {
    /// Which transfer.
    pub transfer: TransferId,
    /// The entry that asked for it.
    pub position: u64,
    /// What, as people read it.
    pub what: String,
    /// How the policy of then and the proposed one differ. Empty where they do not.
    pub differences: Vec<Difference>,
}

/// How two policies differ on a request.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "difference")]
pub enum Difference {
    /// It was let through, and would have been refused.
    Refused {
        /// By which rules, and why.
        because: Vec<String>,
    },
    /// It was refused, and would have been let through.
    Allowed,
    /// It would have waited longer, or less long.
    Delay {
        /// Then, in seconds.
        then: u64,
        /// Proposed, in seconds.
        proposed: u64,
    },
    /// More people, or fewer, would have been asked.
    Approvals {
        /// Then.
        then: usize,
        /// Proposed.
        proposed: usize,
    },
    /// As many people, of other groups.
    OtherPeople,
}

/// What a policy says, as far as policies of both forms say it.
struct Said {
    refused: Vec<String>,
    quorums: strongroom_domain::policy::Quorums,
    delay_s: u64,
}

impl From<&PolicyDecision> for Said {
    fn from(decision: &PolicyDecision) -> Self {
        let denied = decision.verdicts.iter().filter(|verdict| !verdict.passed);
        Self {
            refused: denied.map(|no| format!("{}: {}", no.rule, no.because)).collect(),
            quorums: decision.quorums.clone(),
            delay_s: decision.delay_s,
        }
    }
}

/// Asks the proposed policy, if the entry is a request. `before` is the state that it was decided on.
pub fn rehearse(policy: &Policy, before: &State, recorded: &Recorded) -> Option<Rehearsed> {
    let Event::Transfer(event) = &recorded.event else { return None };
    let (intent, maker, at, then) =
        if let TransferEvent::Requested(Requested { intent, maker, at, decision, .. }) = event {
            (intent, *maker, *at, Said::from(decision))
        } else if let TransferEvent::RequestedV1(RequestedV1 { intent, maker, decision, .. }) =
            event
        {
            let denied = decision.verdicts.iter().filter(|verdict| !verdict.passed);
            let then = Said {
                refused: denied.map(|no| format!("{}: {}", no.rule, no.because)).collect(),
                quorums: strongroom_domain::policy::Quorums(
                    decision.quorum.iter().cloned().collect(),
                ),
                delay_s: 0,
            };
            (intent, *maker, recorded.time, then)
        } else {
            return None;
        };
    let standing = before.charter.standing().ok()?;
    let client = before.accounts.get(&intent.account)?.claim().ok()?.client;
    let wallet_tier = before.wallets.get(&intent.wallet)?.holding().ok()?.tier;
    let groups = standing.groups();
    let since = since(policy, &standing.destinations_since);
    let proposed = policy.evaluate(&Case {
        intent,
        maker,
        client,
        wallet_tier,
        at,
        priced: None,
        call: None,
        facts: Facts {
            groups: &groups,
            destinations_since: &since,
            usage: &before.usage,
            late: None,
            prices: &before.prices,
            screenings: &before.screenings,
            wallets: &before.wallets,
        },
    });
    let asset = intent.asset;
    Some(Rehearsed {
        transfer: intent.transfer,
        position: recorded.head.position,
        what: format!(
            "{} {} to {}",
            intent.amount.with_decimals(asset.decimals()),
            asset.symbol(),
            intent.destination
        ),
        differences: differences(&then, &Said::from(&proposed)),
    })
}

/// Destinations that only the proposed policy lists count as listed from the beginning: the question
/// is what it would have done had it stood.
fn since(policy: &Policy, known: &Since) -> Since {
    let mut since: Since = BTreeMap::new();
    for of in &policy.destinations {
        let listed = known.get(&of.network).and_then(|all| all.get(&of.address)).copied();
        since.entry(of.network).or_default().insert(of.address.clone(), listed.unwrap_or_default());
    }
    since
}

fn differences(then: &Said, proposed: &Said) -> Vec<Difference> {
    match (then.refused.is_empty(), proposed.refused.is_empty()) {
        (false, false) => Vec::new(),
        (false, true) => vec![Difference::Allowed],
        (true, false) => vec![Difference::Refused { because: proposed.refused.clone() }],
        (true, true) => {
            let mut differences = Vec::new();
            if then.delay_s != proposed.delay_s {
                let (then, proposed) = (then.delay_s, proposed.delay_s);
                differences.push(Difference::Delay { then, proposed });
            }
            let (before, after) = (then.quorums.approvals(), proposed.quorums.approvals());
            if before != after {
                differences.push(Difference::Approvals { then: before, proposed: after });
            } else if then.quorums != proposed.quorums {
                differences.push(Difference::OtherPeople);
            }
            differences
        }
    }
}
