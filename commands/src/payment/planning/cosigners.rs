//! A multisig wallet's payment: coins chosen by what their inputs weigh, and each shown with the whole
//! transaction that made it, where signers must see that. Never takes a node's word for a coin: what it
//! gives has the coin's own id, or there is no payment.

use super::{CHANGE, Funds, Means};
use crate::payment::{NoPlan, Plan, fees::Offer, plan::choose, saga::Saga, sweep::swept_coins};
use std::collections::BTreeMap;
use strongroom_chains::bitcoin::{
    self, Bid, SatPerKvb,
    multisig::{self, Descriptor, MultisigBuildError, Places, Shape},
};
use strongroom_domain::{
    Amount, Bytes, Intent, Network, SignerId, Spends,
    key::Custody,
    transfer::Asked,
    wallet::{Coin, OutPoint},
};
use strongroom_nodes::bitcoin_core::{FeeRate, Outpoint};

/// The transactions that made coins.
type Made = BTreeMap<OutPoint, Bytes>;

fn not_now(because: &impl ToString) -> NoPlan {
    NoPlan::NotNow { because: because.to_string() }
}

fn never(because: &impl ToString) -> NoPlan {
    NoPlan::Never { because: because.to_string() }
}

impl Means {
    /// Who is asked to sign: of a multisig wallet every signer of it, as any that it takes will do. Fewer
    /// signers than it takes are enough where cosigners can make up for them.
    pub(super) fn cosigning(&self) -> Option<Vec<SignerId>> {
        let all = self.holders.len().saturating_add(self.active.cosigners.len());
        (all >= self.threshold).then(|| self.holders.clone())
    }

    pub(super) const fn is_cosigned(&self) -> bool {
        matches!(self.active.plan.protocol.custody(), Custody::Cosigners)
    }
}

impl Saga {
    /// As for any wallet: the payment, or the sweep of all that it was asked for with.
    pub(super) async fn planned_by_cosigners(
        &self,
        asked: &Asked,
        means: &Means,
        offer: Offer,
    ) -> Result<Plan, NoPlan> {
        let Offer::Rate(rate) = offer else {
            return Err(never(&"the wallet is of another chain family"));
        };
        let Funds::Coins(purse) = &means.funds else {
            return Err(never(&"the wallet is of another chain family"));
        };
        let places = Places::of_key(&means.active).map_err(|error| never(&error))?;
        let descriptor = &places.descriptor;
        if let Some(sweep) = &asked.sweep {
            let coins = swept_coins(sweep, purse)?;
            let made = self.made(means.network, descriptor, &coins).await?;
            return everything(&asked.intent, descriptor, &coins, &made, rate);
        }
        let intent = &asked.intent;
        let chosen = choose(intent, purse, descriptor.input_weight(), rate)?;
        let made = self.made(means.network, descriptor, &chosen.inputs).await?;
        let chain = bitcoin::Chain::of(means.network).map_err(|error| never(&error))?;
        let previous = |coin: &OutPoint| made.get(coin).cloned();
        let built = multisig::build(chain, descriptor, intent, &chosen, CHANGE, previous);
        let unsigned = built.map_err(|error| unbuilt(&error))?;
        let outpoints = chosen.inputs.into_iter().map(|coin| coin.outpoint).collect();
        let spends = Spends::Coins(outpoints);
        Ok(Plan { unsigned: unsigned.to_bytes(), fee: chosen.fee, spends })
    }

    /// Asked of the node, where the wallet's signatures commit to their own coin's amount only.
    async fn made(
        &self,
        network: Network,
        descriptor: &Descriptor,
        coins: &[Coin],
    ) -> Result<Made, NoPlan> {
        if descriptor.shape() == Shape::P2tr {
            return Ok(Made::new());
        }
        let node = self.nodes.bitcoin(network);
        let node = node.ok_or_else(|| not_now(&format!("no node of {network} is configured")))?;
        let mut made = Made::new();
        for Coin { outpoint, .. } in coins {
            let transaction = outpoint.txid.parse().map_err(|error| never(&error))?;
            let coin = Outpoint { transaction, index: outpoint.vout };
            match node.previous(&coin).await {
                Ok(Some(raw)) => drop(made.insert(outpoint.clone(), Bytes(raw))),
                Ok(None) => {
                    let because = format!("the node does not find the coin {outpoint}");
                    return Err(not_now(&because));
                }
                Err(error) => return Err(not_now(&error)),
            }
        }
        Ok(made)
    }
}

fn everything(
    intent: &Intent,
    descriptor: &Descriptor,
    coins: &[Coin],
    made: &Made,
    offered: FeeRate,
) -> Result<Plan, NoPlan> {
    let chain = bitcoin::Chain::of(intent.network()).map_err(|error| never(&error))?;
    let rate = SatPerKvb(offered.per_kvb.max(offered.floor_per_kvb));
    let bid = Bid { rate, cap: intent.fee_cap, replaced: None };
    let to = (&intent.destination, CHANGE);
    let previous = |coin: &OutPoint| made.get(coin).cloned();
    let swept = multisig::sweep(chain, descriptor, coins, to, bid, previous);
    let swept = swept.map_err(|error| not_now(&error))?;
    let fee: Amount = swept.fee().map_err(|error| never(&error))?;
    let spends = Spends::Coins(coins.iter().map(|coin| coin.outpoint.clone()).collect());
    Ok(Plan { unsigned: swept.to_bytes(), fee, spends })
}

fn unbuilt(error: &MultisigBuildError) -> NoPlan {
    match error {
        // The node gave another transaction than the coin's: it, or another node, may do better.
        MultisigBuildError::NoPrevious { .. } => not_now(error),
        MultisigBuildError::Build(_)
        | MultisigBuildError::NoAddress { .. }
        | MultisigBuildError::TooLarge { .. }
        | MultisigBuildError::Malformed(_) => never(error),
    }
}
