//! The price source: reads signed prices where the configuration says, and puts each that is newer
//! than the log's newest into the log. Never makes a price, and never takes one on trust: the ledger
//! verifies the signature of the policy's source.

mod file;

pub use file::{QuoteFile, quotes};

use crate::{Bus, CommandError, Request};
use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use strongroom_domain::{Actor, Asset, Command, Timestamp, price::Quoted};
use tokio::{task::JoinSet, time::sleep};

#[cfg(test)]
mod tests;

/// What reading prices gives; the error says what is short.
pub type Quotes<'a> = Pin<Box<dyn Future<Output = Result<Vec<Quoted>, String>> + Send + 'a>>;

/// Where signed prices can be read.
pub trait QuoteSource: Send + Sync {
    /// All that are there now.
    fn read(&self) -> Quotes<'_>;
}

/// The running source. Clones are handles of the same one, which ends with the last handle.
#[derive(Clone)]
pub struct PriceFeed(Arc<Running>);

struct Running {
    trouble: Arc<Mutex<Option<String>>>,
    _tasks: JoinSet<()>,
}

impl PriceFeed {
    /// Reads now and at intervals. Must be called inside a Tokio runtime.
    pub fn start(bus: Bus, source: Arc<dyn QuoteSource>, every: Duration) -> Self {
        let trouble = Arc::new(Mutex::new(None));
        let mut tasks = JoinSet::new();
        tasks.spawn(run(bus, source, every, Arc::clone(&trouble)));
        Self(Arc::new(Running { trouble, _tasks: tasks }))
    }

    /// Why the last reading came to nothing, if it did. The newest prices of the log go on counting
    /// until they are too old for the policy.
    pub fn trouble(&self) -> Option<String> {
        self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn run(
    bus: Bus,
    source: Arc<dyn QuoteSource>,
    every: Duration,
    trouble: Arc<Mutex<Option<String>>>,
) {
    // What was refused is not asked for again and again.
    let mut refused: BTreeMap<Asset, Timestamp> = BTreeMap::new();
    loop {
        let read = source.read().await;
        let found = match read {
            Ok(quotes) => put(&bus, quotes, &mut refused).await,
            Err(because) => {
                tracing::warn!(because, "prices are not read for now");
                Ok(Some(because))
            }
        };
        match found {
            Ok(found) => *trouble.lock().unwrap_or_else(PoisonError::into_inner) = found,
            Err(because) => {
                tracing::error!(because, "prices are read no more");
                return;
            }
        }
        sleep(every).await;
    }
}

/// Puts what is new into the log. The error means that the bus has stopped.
async fn put(
    bus: &Bus,
    quotes: Vec<Quoted>,
    refused: &mut BTreeMap<Asset, Timestamp>,
) -> Result<Option<String>, String> {
    let mut trouble = None;
    for quoted in quotes {
        let (asset, at) = (quoted.asset, quoted.at);
        let newest = bus.read(|state| state.prices.of(asset).map(|known| known.at));
        let known = newest.is_some_and(|newest| at <= newest);
        if known || refused.get(&asset).is_some_and(|last| at <= *last) {
            continue;
        }
        match bus.execute(Request::new(Command::QuotePrice(quoted), Actor::Saga)).await {
            Ok(_) => tracing::info!(%asset, %at, "a newer price"),
            Err(CommandError::Refused(refusal)) => {
                tracing::error!(%asset, %at, %refusal, "a price is refused");
                trouble = Some(format!("the price of {asset} of {at}: {refusal}"));
                refused.insert(asset, at);
            }
            Err(error @ (CommandError::Conflict { .. } | CommandError::Unavailable { .. })) => {
                trouble = Some(error.to_string());
            }
            Err(error @ (CommandError::Corrupt { .. } | CommandError::KeyReused { .. })) => {
                return Err(error.to_string());
            }
        }
    }
    Ok(trouble)
}
