//! Limits over rolling windows. The window's beginning is outside: what was asked for exactly
//! `window_s` seconds ago does not count any more.

use super::{Answer, Asked, fits};
use crate::{
    Amount, Asset,
    policy::{Most, Per, Scope},
    usage::{Of, Tally},
};

impl Asked<'_> {
    fn of(&self, per: Per) -> Of {
        let (case, intent) = (self.case, self.case.intent);
        match per {
            Per::Wallet => Of::Wallet(intent.wallet),
            Per::Client => Of::Client(case.client),
            Per::Destination => Of::Destination(intent.network(), intent.destination.clone()),
            Per::Initiator => Of::Initiator(case.maker),
            Per::All => Of::All,
        }
    }

    /// Of the scope, only assets and networks choose what is counted; the rest chooses which
    /// transfers are asked. So a limit never counts less than a reader would think.
    pub(super) fn velocity(
        &self,
        scope: &Scope,
        window_s: u64,
        per: Per,
        most: Most,
    ) -> Option<Answer> {
        let (case, intent) = (self.case, self.case.intent);
        let of = self.of(per);
        let counted =
            |asset: &Asset| fits(&scope.assets, asset) && fits(&scope.networks, &asset.network());
        let usage = case.facts.usage;
        let before = usage.number(intent.transfer);
        let window = (case.at, window_s);
        let late = case.facts.late.into_iter().flat_map(|late| late.within(&of, window, before));
        let sums = usage
            .within(&of, window, intent.transfer)
            .chain(late)
            .filter(|(asset, _)| counted(asset));
        let (before, with, limit, unit) = match most {
            Most::Amount { asset, .. } if asset != intent.asset => return None,
            Most::Amount { asset, units } => {
                let before = sums.filter(|(of, _)| *of == asset).map(|(_, tally)| tally.amount());
                let before = before.fold(Amount::ZERO, add);
                (before, add(before, intent.amount), units, format!("base units of {asset}"))
            }
            Most::Count { transfers } => {
                let before: u64 = sums.map(|(_, tally)| tally.transfers()).sum();
                let before = Amount::new(u128::from(before));
                let limit = Amount::new(u128::from(transfers));
                (before, add(before, Amount::new(1)), limit, "transfers".to_owned())
            }
            Most::Value { minor_units } => {
                let own = match &self.priced {
                    Ok(priced) => priced.value,
                    Err(because) => return Some(Answer::refuse(because.clone())),
                };
                let before = match self.worth(sums) {
                    Ok(before) => before,
                    Err(because) => return Some(Answer::refuse(because)),
                };
                let unit = format!("minor units of {}", self.reference());
                (before, add(before, own), minor_units, unit)
            }
        };
        let because =
            format!("{with} {unit} within {window_s} s, this one counted; the rule allows {limit}");
        Some(Answer::new(with <= limit, because).told("before", &before).told("with", &with))
    }

    /// What was asked for was worth what it was priced at then; what had no price then is worth
    /// what it is now.
    fn worth(&self, sums: impl Iterator<Item = (Asset, Tally)>) -> Result<Amount, String> {
        let mut worth = Amount::ZERO;
        for (asset, tally) in sums {
            worth = add(worth, tally.value());
            if tally.unpriced().is_zero() {
                continue;
            }
            let (minor_units, _) = self.policy.price(self.case, asset)?;
            let now = super::money::value(asset, tally.unpriced(), minor_units);
            worth = add(worth, now.unwrap_or(Amount::new(u128::MAX)));
        }
        Ok(worth)
    }
}

/// Saturating: what passes 2^128 passes every limit but that one, which `check` refuses.
fn add(a: Amount, b: Amount) -> Amount {
    Amount::new(a.units().saturating_add(b.units()))
}
