//! What nodes say about fees, kept for some seconds: many transfers plan in one second. Never caps a
//! fee; the intent does.

use super::{NoPlan, saga::Saga};
use std::{collections::BTreeMap, sync::Arc};
use strongroom_domain::{Family, Network};
use strongroom_nodes::{NodeError, bitcoin_core::FeeRate, ethereum::FeeSuggestion};
use tokio::{sync::Mutex, time::Instant};

/// What a node says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Offer {
    /// Per size.
    Rate(FeeRate),
    /// Per gas.
    Gas(FeeSuggestion),
}

type Kept = Arc<Mutex<Option<(Instant, Offer)>>>;

/// The last answers, by network. One question is asked at a time.
#[derive(Default)]
pub(super) struct Fees(std::sync::Mutex<BTreeMap<Network, Kept>>);

impl Saga {
    /// What a transaction should offer now.
    pub(super) async fn offer(&self, network: Network) -> Result<Offer, NoPlan> {
        let kept = {
            let mut all = self.fees.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            Arc::clone(all.entry(network).or_default())
        };
        let mut kept = kept.lock().await;
        if let Some((since, offer)) = *kept
            && since.elapsed() < self.settings.fees_for
        {
            return Ok(offer);
        }
        let offer = self.ask_node(network).await?;
        *kept = Some((Instant::now(), offer));
        Ok(offer)
    }

    async fn ask_node(&self, network: Network) -> Result<Offer, NoPlan> {
        let missing = || NoPlan::NotNow { because: format!("no node of {network} is configured") };
        let failed = |error: NodeError| NoPlan::NotNow { because: error.to_string() };
        match network.family() {
            Family::Bitcoin => {
                let node = self.nodes.bitcoin(network).ok_or_else(missing)?;
                node.fee_rate(self.settings.fee_target).await.map(Offer::Rate).map_err(failed)
            }
            Family::Ethereum => {
                let node = self.nodes.ethereum(network).ok_or_else(missing)?;
                node.fee_suggestion().await.map(Offer::Gas).map_err(failed)
            }
        }
    }
}
