//! What follows a transaction that its chain does not take: the same payment for more, a child that
//! pulls it along, or a payment to nobody that makes it impossible. Pure functions of the log and the
//! fees of the moment; never beyond the fee cap that people approved.

use super::{NoPlan, child_key, fees::Offer, planning::CHANGE};
use strongroom_chains::{
    UnsignedTx, address_of,
    bitcoin::{self, Bid, BidError, SatPerKvb, WeightUnits, multisig},
    ethereum::{self, Gas},
    frost::GroupKey,
};
use strongroom_domain::{
    Address, Amount, Bytes, Network,
    transfer::{AttemptAuthorised, Attempts, Returns},
    wallet::{Coin, Funds, Holding},
};

/// What can be done about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Remedy {
    /// The same payment for a higher fee.
    Replace,
    /// A transaction that pays nobody, so that the payment can't be.
    Cancel,
    /// A transaction on top of this attempt that pays for both.
    Child(u32),
}

/// The transaction that does it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Remade {
    /// What it is for, if it pays nobody.
    pub returns: Option<Returns>,
    /// As the log holds it.
    pub unsigned: Bytes,
    /// The most that it costs.
    pub fee: Amount,
}

/// What there is to go by.
pub(super) struct Case<'a> {
    pub(super) attempts: &'a Attempts,
    pub(super) holding: &'a Holding,
    pub(super) public_key: &'a Bytes,
}

/// More than the last one by this much at least, in per cent: each further one is signed, so there
/// must not be many.
const STEP: u64 = 25;

fn not_now(because: &impl ToString) -> NoPlan {
    NoPlan::NotNow { because: because.to_string() }
}

impl Case<'_> {
    /// The transaction that `remedy` takes now.
    pub(super) fn remade(&self, remedy: Remedy, offer: Offer) -> Result<Remade, NoPlan> {
        match offer {
            Offer::Rate(rate) => {
                let floor = rate.floor_per_kvb;
                self.of_coins(remedy, SatPerKvb(rate.per_kvb.max(floor)))
            }
            Offer::Gas(gas) => {
                let max_fee = gas.max_fee().unwrap_or(u128::MAX);
                let wanted = Gas { max_fee, max_priority_fee: gas.priority_fee };
                self.of_account(remedy, wanted)
            }
        }
    }

    /// Whether the market asks more than the current attempt offers. `None` where that can't be told.
    pub(super) fn is_outbid(&self, offer: Offer) -> Option<bool> {
        let current = self.parse(&self.attempts.current).ok()?;
        match (current, offer) {
            (UnsignedTx::Bitcoin(current), Offer::Rate(rate)) => {
                Some(rate_of(&current)? < SatPerKvb(rate.per_kvb))
            }
            (UnsignedTx::Multisig(current), Offer::Rate(rate)) => {
                let fee = current.fee().ok()?;
                Some(rate_at(current.weight()?, fee)? < SatPerKvb(rate.per_kvb))
            }
            (UnsignedTx::Ethereum(current), Offer::Gas(gas)) => {
                let asked = gas.next_base_fee.checked_add(gas.priority_fee)?;
                Some(current.gas().max_fee < asked)
            }
            (UnsignedTx::Bitcoin(_) | UnsignedTx::Multisig(_), Offer::Gas(_))
            | (UnsignedTx::Ethereum(_), Offer::Rate(_)) => None,
        }
    }

    const fn network(&self) -> Network {
        self.attempts.asked.intent.network()
    }

    fn owns(&self, address: &Address) -> Option<strongroom_domain::AddressPath> {
        self.holding.addresses.get(address).map(|derived| derived.path)
    }

    fn parse(&self, attempt: &AttemptAuthorised) -> Result<UnsignedTx, NoPlan> {
        UnsignedTx::parse(self.network(), &attempt.unsigned).map_err(|error| not_now(&error))
    }

    /// The last attempt that pays: what a replacement is made of.
    fn payment(&self) -> Result<UnsignedTx, NoPlan> {
        let mut signed = self.attempts.complete.values().filter(|signed| signed.returns.is_none());
        let last = signed.next_back().map(|signed| &signed.authorised);
        let current = self.attempts.returns.is_none().then_some(&self.attempts.current);
        let last = current.or(last).ok_or_else(|| not_now(&"no attempt pays"))?;
        self.parse(last)
    }

    /// Of a multisig wallet: no child pulls its transactions along, as that would take the cosigners'
    /// signatures twice.
    fn of_cosigners(&self, remedy: Remedy, market: SatPerKvb) -> Result<Remade, NoPlan> {
        let owns = |address: &Address| self.owns(address);
        let other = || not_now(&"the attempt is no multisig wallet's");
        let bid = Bid {
            rate: market,
            cap: self.attempts.asked.intent.fee_cap,
            replaced: self.attempts.highest_fee(),
        };
        let (returns, made) = match remedy {
            Remedy::Replace => {
                let UnsignedTx::Multisig(earlier) = self.payment()? else { return Err(other()) };
                let rate = earlier.weight().zip(earlier.fee().ok());
                let rate = rate.and_then(|(weight, fee)| rate_at(weight, fee));
                let rate = rate.map_or(market, |rate| market.max(stepped(rate)));
                let (asked, bid) = (&self.attempts.asked, Bid { rate, ..bid });
                let made = if asked.sweep.is_some() {
                    multisig::sweep_again(&earlier, (&asked.intent.destination, CHANGE), bid)
                } else {
                    multisig::replace(&earlier, &owns, CHANGE, bid)
                };
                (None, made)
            }
            Remedy::Cancel => {
                let UnsignedTx::Multisig(earlier) = self.parse(&self.attempts.current)? else {
                    return Err(other());
                };
                (Some(Returns::Cancellation), multisig::cancel(&earlier, CHANGE, bid))
            }
            Remedy::Child(_) => {
                return Err(not_now(&"a multisig wallet's transactions are not pulled along"));
            }
        };
        let made = made.map_err(|error| explain(&error))?;
        let fee = made.fee().map_err(|error| not_now(&error))?;
        Ok(Remade { returns, unsigned: made.to_bytes(), fee })
    }

    fn of_coins(&self, remedy: Remedy, market: SatPerKvb) -> Result<Remade, NoPlan> {
        if matches!(self.parse(&self.attempts.current)?, UnsignedTx::Multisig(_)) {
            return self.of_cosigners(remedy, market);
        }
        let group =
            GroupKey::from_bytes(self.public_key.as_slice()).map_err(|error| not_now(&error))?;
        let key_of = |path| child_key(group, path);
        let owns = |address: &Address| self.owns(address);
        let bid = Bid {
            rate: market,
            cap: self.attempts.asked.intent.fee_cap,
            replaced: self.attempts.highest_fee(),
        };
        let (returns, made) = match remedy {
            Remedy::Replace => {
                let UnsignedTx::Bitcoin(earlier) = self.payment()? else {
                    return Err(not_now(&"the attempt is of another chain family"));
                };
                let rate = rate_of(&earlier).map_or(market, |rate| market.max(stepped(rate)));
                let bid = Bid { rate, ..bid };
                let asked = &self.attempts.asked;
                let made = if asked.sweep.is_some() {
                    let to = &asked.intent.destination;
                    bitcoin::sweep(earlier.chain(), &self.coins(), to, key_of, bid)
                } else {
                    bitcoin::replace(&earlier, &owns, bid)
                };
                (None, made)
            }
            Remedy::Cancel => {
                let chain = bitcoin::Chain::of(self.network()).map_err(|error| not_now(&error))?;
                let coins = self.coins();
                let made = bitcoin::cancel(chain, &coins, CHANGE, key_of, bid);
                (Some(Returns::Cancellation), made)
            }
            Remedy::Child(parent) => {
                let signed = self.attempts.complete.get(&parent);
                let signed = signed.ok_or_else(|| not_now(&"that attempt is not signed"))?;
                let UnsignedTx::Bitcoin(spent) = self.parse(&signed.authorised)? else {
                    return Err(not_now(&"accounts have no children"));
                };
                let before = self.attempts.children(parent).map(|child| child.authorised.fee);
                let bid = Bid { replaced: before.max(), ..bid };
                let made = bitcoin::child(&spent, &owns, CHANGE, key_of, bid);
                (Some(Returns::Child { parent }), made)
            }
        };
        let made = made.map_err(|error| explain(&error))?;
        let fee = made.fee().map_err(|error| not_now(&error))?;
        Ok(Remade { returns, unsigned: made.to_bytes(), fee })
    }

    fn coins(&self) -> Vec<Coin> {
        match &self.holding.funds {
            Funds::Coins(coins) => {
                let mine = coins.reserved.get(&self.attempts.asked.intent.transfer);
                mine.into_iter().flatten().map(|(_, coin)| coin.clone()).collect()
            }
            Funds::Balance(_) => Vec::new(),
        }
    }

    fn of_account(&self, remedy: Remedy, wanted: Gas) -> Result<Remade, NoPlan> {
        let replaced = self.highest_gas()?;
        let cap = self.attempts.asked.intent.fee_cap;
        let gas = Gas::bid(wanted, replaced, cap).map_err(|error| beyond(&error))?;
        let (returns, made) = match remedy {
            Remedy::Replace => {
                let UnsignedTx::Ethereum(earlier) = self.payment()? else {
                    return Err(not_now(&"the attempt is of another chain family"));
                };
                let asked = &self.attempts.asked;
                let made = if asked.sweep.is_some() {
                    super::sweep::at(&asked.intent, earlier.account_nonce(), gas)?
                } else {
                    earlier.at(gas).map_err(|error| not_now(&error))?
                };
                (None, made)
            }
            Remedy::Cancel => {
                let UnsignedTx::Ethereum(earlier) = self.parse(&self.attempts.current)? else {
                    return Err(not_now(&"the attempt is of another chain family"));
                };
                let key = self.public_key.array::<33>();
                let key = key.ok_or_else(|| not_now(&"the wallet's key has not 33 bytes"))?;
                let own = address_of(self.network(), &key).map_err(|error| not_now(&error))?;
                let made = ethereum::cancel(earlier.chain(), &own, earlier.account_nonce(), gas);
                (Some(Returns::Cancellation), made.map_err(|error| not_now(&error))?)
            }
            Remedy::Child(_) => return Err(not_now(&"accounts have no children")),
        };
        let fee = made.fee().map_err(|error| not_now(&error))?;
        Ok(Remade { returns, unsigned: made.to_bytes(), fee })
    }

    /// The most that any attempt offered of which a signature may exist.
    fn highest_gas(&self) -> Result<Option<Gas>, NoPlan> {
        let signed = self.attempts.complete.values().map(|signed| &signed.authorised);
        let mut highest: Option<Gas> = None;
        for attempt in signed.chain([&self.attempts.current]) {
            let UnsignedTx::Ethereum(unsigned) = self.parse(attempt)? else { continue };
            let Gas { max_fee, max_priority_fee } = unsigned.gas();
            highest = Some(highest.map_or(unsigned.gas(), |before| Gas {
                max_fee: before.max_fee.max(max_fee),
                max_priority_fee: before.max_priority_fee.max(max_priority_fee),
            }));
        }
        Ok(highest)
    }
}

fn rate_of(unsigned: &bitcoin::UnsignedTx) -> Option<SatPerKvb> {
    rate_at(unsigned.weight()?, unsigned.fee().ok()?)
}

fn rate_at(weight: WeightUnits, fee: Amount) -> Option<SatPerKvb> {
    let size = weight.0.div_ceil(4);
    let scaled = fee.units().checked_mul(1_000)?;
    let rate = scaled.checked_div(u128::from(size))?;
    u64::try_from(rate).ok().map(SatPerKvb)
}

const fn stepped(rate: SatPerKvb) -> SatPerKvb {
    SatPerKvb(rate.0.saturating_mul(100 + STEP) / 100)
}

fn explain(error: &BidError) -> NoPlan {
    match error {
        BidError::OverCap { .. } => beyond(error),
        BidError::NoChange { .. }
        | BidError::OutOfRange
        | BidError::Build(_)
        | BidError::Multisig(_)
        | BidError::Decode(_) => not_now(error),
    }
}

fn beyond(error: &impl ToString) -> NoPlan {
    let because = format!("{}: raising the fee cap takes a proposal", error.to_string());
    NoPlan::NotNow { because }
}
