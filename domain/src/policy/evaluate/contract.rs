//! Calls of contracts: refused unless a rule of their own allows them. What can't be read is
//! refused whatever the rules say.

use super::{Answer, Asked};
use crate::{
    Address,
    policy::{Allowance, Call, Kind, Meaning, RuleVerdict, Selector},
};
use std::collections::BTreeSet;

impl Asked<'_> {
    pub(super) fn function(
        &self,
        contract: &Address,
        selectors: &BTreeSet<Selector>,
    ) -> Option<Answer> {
        match self.case.call {
            Some(Call { contract: called, meaning: Meaning::Function { selector } })
                if called == contract && selectors.contains(selector) =>
            {
                let because = format!("the function {selector} of {contract} may be called");
                Some(Answer::pass(because).told("selector", selector))
            }
            Some(_) | None => None,
        }
    }

    pub(super) fn allowance(
        &self,
        token: &Address,
        spender: &Address,
        most: Allowance,
    ) -> Option<Answer> {
        let Some(Call { contract, meaning: Meaning::Approval { spender: to, amount } }) =
            self.case.call
        else {
            return None;
        };
        if contract != token || !super::super::call::is(spender, to) {
            return None;
        }
        let passed = match (amount, most) {
            (_, Allowance::Unlimited) => true,
            (Allowance::UpTo(amount), Allowance::UpTo(most)) => *amount <= most,
            (Allowance::Unlimited, Allowance::UpTo(_)) => false,
        };
        let because = format!("{spender} may spend {amount} of {token}; the rule allows {most}");
        Some(Answer::new(passed, because).told("allowance", amount))
    }

    pub(super) fn admin(
        &self,
        contract: &Address,
        selectors: &BTreeSet<Selector>,
        foreign: bool,
    ) -> Option<Answer> {
        match self.case.call {
            Some(Call {
                contract: called,
                meaning: Meaning::Admin { selector, name, delegatecall },
            }) if called == contract && selectors.contains(selector) => {
                let because = format!("{name} of {contract} may be called");
                let answer = if *delegatecall && !foreign {
                    Answer::refuse(format!("{name} would run foreign code as {contract} itself"))
                } else {
                    Answer::pass(because)
                };
                Some(answer.told("selector", selector))
            }
            Some(_) | None => None,
        }
    }

    /// Whether some rule is about the call at all. `None` where there is no call.
    pub(super) fn unknown_call(&self, verdicts: &[RuleVerdict]) -> Option<Answer> {
        let call = self.case.call?;
        let asked = |kind| verdicts.iter().any(|verdict| verdict.kind == kind);
        let contract = &call.contract;
        let (known, what) = match &call.meaning {
            Meaning::Function { selector } => {
                (asked(Kind::ContractCall), format!("the function {selector} of {contract}"))
            }
            Meaning::Approval { spender, amount } => (
                asked(Kind::TokenApproval),
                format!("an allowance of {amount} of {contract} for 0x{spender}"),
            ),
            Meaning::Admin { name, .. } => {
                (asked(Kind::ContractAdmin), format!("{name} of {contract}"))
            }
            Meaning::Unreadable => (false, format!("a call of {contract} that can't be read")),
        };
        let because = if known {
            format!("a rule of its own is about {what}")
        } else {
            format!("{what}: no rule allows it")
        };
        Some(Answer::new(known, because))
    }
}

impl std::fmt::Display for Allowance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UpTo(amount) => write!(f, "{amount} base units"),
            Self::Unlimited => f.write_str("everything"),
        }
    }
}
