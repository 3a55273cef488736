//! What holds under every policy, written or not: nothing passes that no rule permits, that goes
//! elsewhere than to the allowlist, whose fee nobody limits, or that nobody is asked about.

use super::{Answer, Asked};
use crate::policy::{Kind, Label, Quorums, RuleVerdict};
use std::collections::BTreeSet;

/// The kinds that are asked always, under their own names. No rule may take one of these for its
/// id.
pub(in crate::policy) const ALWAYS: [Kind; 6] = [
    Kind::Permit,
    Kind::Allowlist,
    Kind::FeeCap,
    Kind::Approvals,
    Kind::MakerNotChecker,
    Kind::ContractCall,
];

impl Asked<'_> {
    /// Adds what holds always to what the rules said.
    pub(super) fn always(&self, quorums: &Quorums, verdicts: &mut Vec<RuleVerdict>) {
        let asked = |kind| verdicts.iter().any(|verdict: &RuleVerdict| verdict.kind == kind);
        let permit = if asked(Kind::Permit) {
            Answer::pass("a rule permits it")
        } else {
            Answer::refuse("no rule permits it: one must say that this may be paid at all")
        };
        let allowlist = match self.label {
            Some(label) => Answer::pass("the destination is on the allowlist").told("label", label),
            None => Answer::refuse(
                "the destination is not on the allowlist: a quorum must add it first",
            ),
        };
        let fee_cap = if asked(Kind::FeeCap) {
            Answer::pass("a rule limits the fee")
        } else {
            Answer::refuse("no rule limits what may be offered to the network")
        };
        let approvals = match quorums.check() {
            Ok(()) => Answer::pass(describe(quorums)),
            Err(refusal) => Answer::refuse(refusal.because),
        };
        let maker = BTreeSet::from([self.case.maker]);
        let maker_not_checker = if quorums.still_possible_without(&maker) {
            Answer::pass("enough others can approve it")
        } else {
            Answer::refuse("without the one who asks, too few can approve it")
        };
        let mut all = vec![
            (Kind::Permit, permit),
            (Kind::Allowlist, allowlist),
            (Kind::FeeCap, fee_cap),
            (Kind::Approvals, approvals),
            (Kind::MakerNotChecker, maker_not_checker),
        ];
        all.extend(self.unknown_call(verdicts).map(|answer| (Kind::ContractCall, answer)));
        for (kind, answer) in all {
            // The names of kinds are labels: a test says so.
            if let Ok(rule) = Label::try_from(kind.id().to_owned()) {
                verdicts.push(answer.verdict(rule, kind));
            }
        }
    }
}

fn describe(quorums: &Quorums) -> String {
    let parts = quorums.0.iter().map(|part| format!("{} of {}", part.approvals, part.group.len()));
    format!("{} must approve", parts.collect::<Vec<_>>().join(" and "))
}
