//! Limits of one transfer, and what it is worth. A price that is too old is no price: nothing is
//! ever guessed.

use super::{Answer, Asked};
use crate::{
    Amount, Asset, Timestamp, WalletId,
    policy::{Case, Label, Policy, Priced},
};

impl Policy {
    /// What the transfer is worth: by the price that it was asked for with, else by the newest.
    pub(super) fn priced(&self, case: &Case<'_>) -> Result<Priced, String> {
        let asset = case.intent.asset;
        let Some(source) = &self.prices else {
            return Err("the policy names no source of prices".to_owned());
        };
        let recorded = case.priced.filter(|priced| priced.reference == source.reference);
        let (minor_units, at) = match recorded {
            Some(priced) => (priced.minor_units, priced.at),
            None => self.price(case, asset)?,
        };
        check_age(&(asset, at), case.at, source.max_age_s)?;
        let value = value(asset, case.intent.amount, minor_units)
            .ok_or_else(|| format!("the value of {} {asset} passes 2^128", case.intent.amount))?;
        Ok(Priced { reference: source.reference.clone(), minor_units, at, value })
    }

    /// The newest price, if it is young enough.
    pub(super) fn price(
        &self,
        case: &Case<'_>,
        asset: Asset,
    ) -> Result<(Amount, Timestamp), String> {
        let Some(source) = &self.prices else {
            return Err("the policy names no source of prices".to_owned());
        };
        let newest =
            case.facts.prices.of(asset).filter(|quote| quote.reference == source.reference);
        let Some(quote) = newest else {
            return Err(format!("there is no price of {asset} in {}", source.reference));
        };
        check_age(&(asset, quote.at), case.at, source.max_age_s)?;
        Ok((quote.minor_units, quote.at))
    }
}

fn check_age(
    (asset, then): &(Asset, Timestamp),
    at: Timestamp,
    max_age_s: u64,
) -> Result<(), String> {
    if then.plus_seconds(max_age_s) >= at {
        return Ok(());
    }
    Err(format!("the price of {asset} is of {then}, older than {max_age_s} s: it is no price"))
}

/// Minor units of the reference for `amount` base units, rounded up. `None` where they pass 2^128.
pub(super) fn value(asset: Asset, amount: Amount, minor_units: Amount) -> Option<Amount> {
    let unit = 10_u128.checked_pow(u32::from(asset.decimals()))?;
    let (whole, rest) = (amount.units().checked_div(unit)?, amount.units().checked_rem(unit)?);
    let price = minor_units.units();
    let whole = whole.checked_mul(price)?;
    // rest < 10^decimals, so this passes 2^128 only at prices that no coin has.
    let rest = rest.checked_mul(price)?.div_ceil(unit);
    whole.checked_add(rest).map(Amount::new)
}

impl Asked<'_> {
    pub(super) fn fee_cap(&self, asset: Asset, most: Amount) -> Option<Answer> {
        let intent = self.case.intent;
        if intent.network().native_asset() != asset {
            return None;
        }
        let cap = intent.fee_cap;
        let because = format!("fee cap {cap} of {asset}, the rule allows {most}");
        Some(Answer::new(cap <= most, because).told("fee-cap", &cap))
    }

    pub(super) fn ceiling(&self, asset: Asset, most: Amount, sweep_to: WalletId) -> Option<Answer> {
        let intent = self.case.intent;
        if intent.asset != asset {
            return None;
        }
        let wallet = self.case.facts.wallets.get(&sweep_to);
        let own = wallet.and_then(|wallet| wallet.holding().ok()).is_some_and(|holding| {
            holding.network == asset.network()
                && holding.addresses.contains_key(&intent.destination)
        });
        let (amount, wallet) = (intent.amount, intent.wallet);
        let answer = if own {
            Answer::pass(format!("it brings {amount} of {asset} to the wallet {sweep_to}"))
        } else {
            let because = format!(
                "{amount} of {asset}; the wallet {wallet} may hold, and therefore pay, {most}"
            );
            Answer::new(amount <= most, because)
        };
        Some(answer.told("amount", &amount))
    }

    /// The name of the reference, for a reason.
    pub(super) fn reference(&self) -> String {
        let source = self.policy.prices.as_ref();
        source.map(|source| &source.reference).map_or_else(String::new, Label::to_string)
    }
}
