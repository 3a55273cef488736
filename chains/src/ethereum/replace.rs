//! The same account nonce for a higher price: a replacement of a payment, or a payment of nothing to
//! the wallet itself that makes the payment impossible. Never changes whom a payment pays.

use super::{BuildError, Chain, DecodeError, GAS_LIMIT, Gas, UnsignedTx, address};
use alloy_consensus::TxEip1559;
use alloy_primitives::{Bytes as Data, TxKind, U256};
use strongroom_domain::{Address, AddressPath, Amount};

/// How much more nodes demand of a replacement, in per cent, of each of the two prices: geth's
/// `txpool.pricebump`, which the others follow.
const BUMP: u128 = 10;

impl Gas {
    /// The least with which nodes take a replacement of a transaction that offers this: a tenth more
    /// of both prices, rounded up. `None` beyond 128 bits.
    pub fn bumped(self) -> Option<Self> {
        let more = |price: u128| {
            let scaled = price.checked_mul(BUMP.checked_add(100)?)?.div_ceil(100);
            // A tenth of nothing is nothing, and a replacement must offer more.
            Some(scaled.max(price.checked_add(1)?))
        };
        Some(Self { max_fee: more(self.max_fee)?, max_priority_fee: more(self.max_priority_fee)? })
    }

    /// What to offer: what the market asks, at least what replacing takes, at most what the cap
    /// allows.
    pub fn bid(wanted: Self, replaced: Option<Self>, cap: Amount) -> Result<Self, BuildError> {
        let over = |max_fee: u128| BuildError::FeeOverCap {
            fee: Amount::new(max_fee.saturating_mul(u128::from(GAS_LIMIT))),
            cap,
        };
        let none = Self { max_fee: 0, max_priority_fee: 0 };
        let least = match replaced {
            None => none,
            Some(replaced) => replaced.bumped().ok_or_else(|| over(u128::MAX))?,
        };
        let most = cap.units().checked_div(u128::from(GAS_LIMIT)).unwrap_or(0);
        if least.max_fee > most {
            return Err(over(least.max_fee));
        }
        let max_fee = wanted.max_fee.clamp(least.max_fee, most);
        let priority = wanted.max_priority_fee.max(least.max_priority_fee);
        Ok(Self { max_fee, max_priority_fee: priority.min(max_fee) })
    }
}

/// A payment of nothing from the wallet to itself, as number `account_nonce`.
pub fn cancel(
    chain: &'static Chain,
    wallet: &Address,
    account_nonce: u64,
    gas: Gas,
) -> Result<UnsignedTx, BuildError> {
    let to = address::account(chain.network, wallet.as_str())?;
    let payment = TxEip1559 {
        chain_id: chain.id,
        nonce: account_nonce,
        gas_limit: GAS_LIMIT,
        max_fee_per_gas: gas.max_fee,
        max_priority_fee_per_gas: gas.max_priority_fee,
        to: TxKind::Call(to),
        value: U256::ZERO,
        access_list: alloy_eips::eip2930::AccessList::default(),
        input: Data::new(),
    };
    Ok(UnsignedTx::of(chain, payment)?)
}

impl UnsignedTx {
    /// The same payment at another price.
    pub fn at(&self, gas: Gas) -> Result<Self, DecodeError> {
        let payment = TxEip1559 {
            max_fee_per_gas: gas.max_fee,
            max_priority_fee_per_gas: gas.max_priority_fee,
            ..self.payment.clone()
        };
        Self::of(self.chain, payment)
    }

    /// Reads back a transaction that must pay nobody: it sends nothing, to the wallet itself. Says
    /// the most that it costs.
    pub fn returned(
        &self,
        owns: &dyn Fn(&Address) -> Option<AddressPath>,
    ) -> Result<Amount, DecodeError> {
        let effect = self.effect()?;
        if effect.amount.is_zero() && owns(&effect.destination).is_some() {
            Ok(effect.fee)
        } else {
            Err(DecodeError::Outward { to: effect.destination, amount: effect.amount })
        }
    }
}
