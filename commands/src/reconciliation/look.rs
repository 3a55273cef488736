//! The task that looks. What it remembers between two looks can be lost: then a difference is found
//! one look later.

use super::{Found, Shared, compare_balance, compare_coins, counters};
use crate::{CommandError, Request};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError},
    time::Duration,
};
use strongroom_chains::bitcoin::{Chain, Destination};
use strongroom_domain::{
    Actor, Amount, Command, DifferenceId, Family, Network, State, WalletId,
    policy::Label,
    reconciliation::{DifferenceFound, Gap, What},
    wallet::OutPoint,
};
use strongroom_nodes::ethereum::{self, At};
use tokio::time::sleep;
use uuid::Uuid;

/// Tries to find the read model at the very entry that the fold is at.
const TRIES: usize = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// The bus has stopped; so does this.
struct Stopped(String);

/// Gaps of the last look, by what they are about.
type Gaps = BTreeMap<String, Gap>;

/// Never returns, unless the bus has stopped.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut before = Gaps::new();
    loop {
        let (differences, troubles) = look(&shared).await;
        for (about, because) in &troubles {
            tracing::warn!(about, because, "not compared");
        }
        let now = shared.bus.now();
        {
            let mut progress = shared.progress.lock().unwrap_or_else(PoisonError::into_inner);
            progress.looked_at = Some(now);
            progress.troubles = troubles;
        }
        let mut gaps = Gaps::new();
        for what in differences {
            let (about, gap) = (what.about().to_string(), what.gap());
            let twice = before.get(&about) == Some(&gap);
            gaps.insert(about, gap);
            if twice && let Err(Stopped(because)) = record(&shared, what).await {
                tracing::error!(because, "reconciliation ends");
                return;
            }
        }
        before = gaps;
        sleep(shared.settings.every).await;
    }
}

/// Every difference, and what could not be compared.
async fn look(shared: &Shared) -> (Vec<What>, BTreeMap<String, String>) {
    let (mut all, mut troubles) = (Vec::new(), BTreeMap::new());
    for network in shared.nodes.networks() {
        match on_network(shared, network).await {
            Ok(found) => all.extend(found),
            Err(because) => drop(troubles.insert(network.to_string(), because)),
        }
    }
    if shared.models.is_some() {
        match read_model(shared).await {
            Ok(found) => all.extend(found),
            Err(because) => drop(troubles.insert("read model".to_owned(), because)),
        }
    }
    all.retain(|what| what.gap() != Gap::None);
    (all, troubles)
}

async fn on_network(shared: &Shared, network: Network) -> Result<Vec<What>, String> {
    let required = shared.bus.read(|state| {
        let standing = state.charter.standing().ok()?;
        standing.policy.confirmations(network)
    });
    // Without a number in the policy nothing is ever final there.
    let Some(required) = required else { return Ok(Vec::new()) };
    match network.family() {
        Family::Bitcoin => coins(shared, network, required).await,
        Family::Ethereum => balances(shared, network, required).await,
    }
}

/// The output scripts of all wallets of a network, and whose each is.
type Scripts = HashMap<Vec<u8>, WalletId>;

fn scripts(state: &State, network: Network) -> (Scripts, Vec<String>) {
    let (mut scripts, mut addresses) = (Scripts::new(), Vec::new());
    let Ok(chain) = Chain::of(network) else { return (scripts, addresses) };
    for (id, wallet) in &state.wallets {
        let Ok(holding) = wallet.holding() else { continue };
        if holding.network != network {
            continue;
        }
        for address in holding.addresses.keys() {
            if let Ok(destination) = Destination::parse(chain, address.as_str()) {
                scripts.insert(destination.script().into_bytes(), *id);
                addresses.push(address.to_string());
            }
        }
    }
    (scripts, addresses)
}

async fn coins(shared: &Shared, network: Network, required: u32) -> Result<Vec<What>, String> {
    let node = shared.nodes.bitcoin(network).ok_or("no node is configured")?;
    let (scripts, addresses) = shared.bus.read(|state| scripts(state, network));
    if addresses.is_empty() {
        return Ok(Vec::new());
    }
    let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();
    let scan = node.unspent(&addresses).await.map_err(|error| error.to_string())?;
    let mut by_wallet: BTreeMap<WalletId, Vec<Found>> = BTreeMap::new();
    for wallet in scripts.values() {
        by_wallet.entry(*wallet).or_default();
    }
    for unspent in scan.unspent {
        let Some(wallet) = scripts.get(&unspent.script_pubkey) else { continue };
        let found = Found {
            outpoint: OutPoint {
                txid: unspent.outpoint.transaction.to_string(),
                vout: unspent.outpoint.index,
            },
            amount: Amount::new(u128::from(unspent.value)),
            confirmations: scan.tip.height.saturating_add(1).saturating_sub(unspent.height),
        };
        by_wallet.entry(*wallet).or_default().push(found);
    }
    Ok(shared.bus.read(|state| {
        let compared = by_wallet.iter();
        compared.filter_map(|(id, found)| compare_coins(state, *id, found, required)).collect()
    }))
}

async fn balances(shared: &Shared, network: Network, required: u32) -> Result<Vec<What>, String> {
    let node = shared.nodes.ethereum(network).ok_or("no node is configured")?;
    let accounts: Vec<(WalletId, ethereum::Address)> = shared.bus.read(|state| {
        let wallets = state.wallets.iter().filter_map(|(id, wallet)| {
            let holding = wallet.holding().ok().filter(|of| of.network == network)?;
            // Such a key has one address only.
            let address = holding.addresses.keys().next()?;
            Some((*id, address.as_str().parse().ok()?))
        });
        wallets.collect()
    });
    let tip = node.tip().await.map_err(|error| error.to_string())?;
    let deep = tip.height.saturating_add(1).checked_sub(u64::from(required));
    let Some(height) = deep else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for (wallet, account) in accounts {
        let wei = node.balance(account, At::Height(height)).await;
        let wei = Amount::new(wei.map_err(|error| error.to_string())?);
        all.extend(shared.bus.read(|state| compare_balance(state, wallet, wei)));
    }
    Ok(all)
}

/// Every counter of the read model that is not the fold's.
async fn read_model(shared: &Shared) -> Result<Vec<What>, String> {
    let Some(models) = &shared.models else { return Ok(Vec::new()) };
    for _ in 0..TRIES {
        let fold = shared.bus.read_settled(|state| (state.head.position, counters(state)));
        if let Some((position, fold)) = fold {
            let counted = models.count().await?;
            if counted.position == position {
                return Ok(unlike(&fold, &counted.counters));
            }
        }
        sleep(BETWEEN_TRIES).await;
    }
    Err("the log never stood still long enough to count both at one entry".to_owned())
}

fn unlike(fold: &BTreeMap<String, Amount>, model: &BTreeMap<String, Amount>) -> Vec<What> {
    let names: std::collections::BTreeSet<_> = fold.keys().chain(model.keys()).collect();
    let of = |all: &BTreeMap<String, Amount>, name| all.get(name).copied().unwrap_or_default();
    let compared = names.into_iter().filter_map(|name| {
        let counter = Label::try_from(name.clone()).ok()?;
        Some(What::ReadModel { counter, ledger: of(fold, name), model: of(model, name) })
    });
    compared.filter(|what| what.gap() != Gap::None).collect()
}

async fn record(shared: &Shared, what: What) -> Result<(), Stopped> {
    if !shared.bus.read(|state| state.reconciliation.is_news(&what)) {
        return Ok(());
    }
    let found = DifferenceFound {
        difference: DifferenceId(Uuid::now_v7()),
        what,
        owner: shared.settings.owner,
        at: shared.bus.now(),
    };
    let about = found.what.about().to_string();
    let request = Request::new(Command::FindDifference(found), Actor::Saga);
    match shared.bus.execute(request).await {
        Ok(_) => tracing::error!(about, "ALARM: two records do not agree"),
        // The next look finds it again.
        Err(
            error @ (CommandError::Refused(_)
            | CommandError::Conflict { .. }
            | CommandError::Unavailable { .. }
            | CommandError::KeyReused { .. }),
        ) => tracing::error!(about, %error, "a difference is not recorded"),
        Err(error @ CommandError::Corrupt { .. }) => return Err(Stopped(error.to_string())),
    }
    Ok(())
}
