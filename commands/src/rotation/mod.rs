//! Empties wallets that a quorum gave up: asks for sweeps to the successor, again when something comes
//! late, and retires the key once nothing is left. Its state is the log: a crash at any step leaves
//! what the next look does. The sweeps themselves are the signing saga's affair.
//!
//! | the log says | the step |
//! |---|---|
//! | a rotation, and the successor has no address for sweeps | `DeriveAddress` |
//! | approved payments that have not set anything aside | wait for them |
//! | a sweep under way | wait for it |
//! | more is free than a sweep may cost | `RequestSweep` |
//! | nothing is left or pending, the key is not retired | `RetireKey` |

mod next;

pub use next::{MOST_COINS, Step, step};

use crate::{Bus, CommandError, Request};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use strongroom_domain::{Actor, Command, TransferId, WalletId};
use tokio::{task::JoinSet, time::sleep};
use uuid::Uuid;

/// The running saga. Clones are handles of the same one, which ends with the last handle.
#[derive(Clone)]
pub struct Rotations(Arc<Running>);

struct Running {
    waits: Waits,
    _tasks: JoinSet<()>,
}

type Waits = Arc<Mutex<BTreeMap<WalletId, String>>>;

impl Rotations {
    /// Looks at intervals for what is to be moved. Must be called inside a Tokio runtime.
    pub fn start(bus: Bus, every: Duration) -> Self {
        let waits = Waits::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(run(bus, every, Arc::clone(&waits)));
        Self(Arc::new(Running { waits, _tasks: tasks }))
    }

    /// What the emptying of a wallet waits for, if it waits.
    pub fn waiting(&self, wallet: WalletId) -> Option<String> {
        self.0.waits.lock().unwrap_or_else(PoisonError::into_inner).get(&wallet).cloned()
    }
}

async fn run(bus: Bus, every: Duration, waits: Waits) {
    loop {
        let rotated: Vec<WalletId> = bus.read(|state| {
            let rotated = state.wallets.iter().filter(|(_, wallet)| {
                wallet.holding().is_ok_and(|holding| holding.rotation.is_some())
            });
            rotated.map(|(id, _)| *id).collect()
        });
        for wallet in rotated {
            match look(&bus, wallet).await {
                Ok(because) => note(&waits, wallet, because),
                Err(because) => {
                    tracing::error!(%because, "no wallet is emptied any more");
                    return;
                }
            }
        }
        sleep(every).await;
    }
}

/// One step of one wallet; what it waits for. `Err`: the bus has stopped.
async fn look(bus: &Bus, wallet: WalletId) -> Result<Option<String>, String> {
    let command = match bus.read(|state| step(state, wallet, TransferId(Uuid::now_v7()))) {
        Ok(Step::Done) => return Ok(None),
        Ok(Step::Wait(because)) => return Ok(Some(because)),
        Ok(Step::Take(command)) => *command,
        Err(refusal) => return Ok(Some(refusal.to_string())),
    };
    let what = if matches!(command, Command::RequestSweep(_)) {
        "a sweep is asked for"
    } else if matches!(command, Command::RetireKey { .. }) {
        "its key is retired"
    } else {
        "its successor gets an address"
    };
    match bus.execute(Request::new(command, Actor::Saga).within(wallet.0)).await {
        Ok(_) => {
            tracing::info!(%wallet, what, "a rotated wallet");
            Ok(None)
        }
        // Something else happened first, or the claim that bears the fees has too little.
        Err(
            error @ (CommandError::Refused(_)
            | CommandError::Conflict { .. }
            | CommandError::Unavailable { .. }
            | CommandError::KeyReused { .. }),
        ) => Ok(Some(error.to_string())),
        Err(error @ CommandError::Corrupt { .. }) => Err(error.to_string()),
    }
}

fn note(waits: &Waits, wallet: WalletId, because: Option<String>) {
    let mut waits = waits.lock().unwrap_or_else(PoisonError::into_inner);
    match because {
        None => drop(waits.remove(&wallet)),
        Some(because) if waits.get(&wallet) == Some(&because) => {}
        Some(because) => {
            tracing::warn!(%wallet, because, "a rotated wallet waits");
            waits.insert(wallet, because);
        }
    }
}
