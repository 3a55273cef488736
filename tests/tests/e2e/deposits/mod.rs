//! The deposit watcher on real nodes: what is seen, credited, taken back, and what a crash or an
//! outage changes about it (nothing). Never asserts how long anything takes.

mod faults;
mod institution;
mod reorganisations;

use institution::Institution;
use std::sync::Arc;
use std::time::{Duration, Instant};
use strongroom_commands::deposits::{
    CursorFolder, Cursors, DepositWatcher, Progress, WatchError, WatchSettings,
};
use strongroom_commands::{Bus, ChainNodes};
use strongroom_domain::deposit::Deposit;
use strongroom_domain::{AccountId, Address, DepositId, Network, State, WalletId};
use strongroom_store::{AppendLog, MemoryLog};
use strongroom_tests::regtest::{Anvil, BitcoinRegtest, Core, start_bitcoin};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Longer than anything here takes on a busy machine: past it something hangs.
const PATIENCE: Duration = Duration::from_secs(90);
const CONFIRMATIONS: u32 = 3;
const PAID: u64 = 12_345_678;
const PAID_WEI: u128 = 1_234_567_890_123_456_789;

/// An institution with one wallet, one account and one deposit address on one network.
struct Custody {
    institution: Institution,
    log: MemoryLog,
    network: Network,
    wallet: WalletId,
    account: AccountId,
    address: Address,
    cursors: tempfile::TempDir,
}

/// A watcher's task.
struct Watching {
    task: JoinHandle<WatchError>,
    progress: watch::Receiver<Progress>,
}

impl Custody {
    async fn open(network: Network) -> Self {
        let log = MemoryLog::default();
        let bus = Bus::open(Arc::new(log.clone()), institution::clock).await.unwrap();
        let institution = Institution::found(bus, CONFIRMATIONS).await;
        let wallet = institution.wallet(network).await;
        let account = institution.account(network).await;
        let address = institution.address(wallet, Some(account)).await;
        let cursors = tempfile::tempdir().unwrap();
        Self { institution, log, network, wallet, account, address, cursors }
    }

    fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        self.institution.bus.read(look)
    }

    fn cursors(&self) -> CursorFolder {
        CursorFolder::new(self.cursors.path().to_owned())
    }

    fn watch(&self, nodes: ChainNodes) -> Watching {
        let cursors: Arc<dyn Cursors> = Arc::new(self.cursors());
        let settings = WatchSettings { birth_height: 0, pause: Duration::from_millis(20) };
        let (bus, nodes) = (self.institution.bus.clone(), Arc::new(nodes));
        let watcher = DepositWatcher::new(bus, nodes, self.network, cursors, settings);
        let progress = watcher.progress();
        Watching { task: tokio::spawn(watcher.run()), progress }
    }

    fn watch_bitcoin(&self, node: &dyn BitcoinRegtest) -> Watching {
        let mut nodes = ChainNodes::new();
        nodes.add_bitcoin(self.network, node.client()).unwrap();
        self.watch(nodes)
    }

    fn watch_anvil(&self, node: &Anvil) -> Watching {
        let mut nodes = ChainNodes::new();
        nodes.add_ethereum(self.network, node.client()).unwrap();
        self.watch(nodes)
    }

    async fn until(&self, what: &str, holds: impl Fn(&State) -> bool) {
        let started = Instant::now();
        while !self.read(&holds) {
            let deposits = self.read(|state| state.deposits.clone());
            assert!(started.elapsed() < PATIENCE, "never {what}: {deposits:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn until_credited(&self, deposit: DepositId) {
        self.until("credited", |state| is(state, deposit, "credited")).await;
    }

    async fn until_confirming(&self, deposit: DepositId) {
        self.until("confirming", |state| is(state, deposit, "confirming")).await;
    }

    /// What the account can claim.
    fn total(&self) -> u128 {
        self.read(|state| state.accounts[&self.account].claim().unwrap().total.units())
    }

    /// What the wallet holds, by coins or balance.
    fn held(&self) -> u128 {
        self.read(|state| {
            let funds = &state.wallets[&self.wallet].holding().unwrap().funds;
            match funds {
                strongroom_domain::wallet::Funds::Coins(coins) => {
                    coins.free.values().map(|coin| coin.amount.units()).sum()
                }
                strongroom_domain::wallet::Funds::Balance(balance) => balance.amount.units(),
            }
        })
    }

    /// What happened to a deposit, by stored types without their first part.
    async fn history(&self, deposit: DepositId) -> Vec<String> {
        use strongroom_store::ReadLog as _;
        let records = self.log.read_stream(&format!("deposit-{deposit}"), 1, 100).await.unwrap();
        let kinds = records.iter().map(|record| record.entry.r#type.clone());
        kinds.map(|kind| kind.trim_start_matches("deposit.").to_owned()).collect()
    }

    /// The fold that a restarted server would have is the one that this one has.
    async fn assert_replays(&self) {
        let log: Arc<dyn AppendLog> = Arc::new(self.log.clone());
        let again = Bus::open(log, institution::clock).await.unwrap();
        assert_eq!(again.read(|state| state.deposits.clone()), self.read(|s| s.deposits.clone()));
        assert_eq!(again.read(|state| state.accounts.clone()), self.read(|s| s.accounts.clone()));
        assert_eq!(again.read(|state| state.wallets.clone()), self.read(|s| s.wallets.clone()));
    }
}

impl Watching {
    /// Until all blocks up to a height were read.
    async fn until_read(&mut self, height: u64) {
        let read = self.progress.wait_for(|progress| progress.read_up_to >= Some(height));
        tokio::time::timeout(PATIENCE, read).await.expect("it reads on").expect("it runs");
    }

    async fn until_in_trouble(&mut self) {
        let trouble = self.progress.wait_for(|progress| progress.trouble.is_some());
        tokio::time::timeout(PATIENCE, trouble).await.expect("it says so").expect("it runs");
    }

    /// As a crash would end it: at whatever point it is.
    async fn kill(self) {
        self.task.abort();
        let ended = self.task.await;
        assert!(ended.is_err_and(|error| error.is_cancelled()), "the watcher ended by itself");
    }
}

fn is(state: &State, deposit: DepositId, name: &str) -> bool {
    state.deposits.get(&deposit).is_some_and(|deposit| deposit.name() == name)
}

/// The deposit of a payment by `fund`: its output is wherever the node's wallet put it.
fn deposit_of(node: &dyn BitcoinRegtest, custody: &Custody, txid: &str) -> DepositId {
    let entry = node.must("getrawtransaction", serde_json::json!([txid, 1]));
    let address = serde_json::json!(custody.address.as_str());
    let pays_us = |output: &serde_json::Value| {
        let script = &output["scriptPubKey"];
        script["address"] == address
            || script["addresses"].as_array().is_some_and(|all| all.contains(&address))
    };
    let outputs = entry["vout"].as_array().unwrap();
    let index = outputs.iter().position(pays_us).expect("an output to our address");
    DepositId::of(custody.network, &format!("{txid}:{index}"))
}

fn deposit_at_hash(custody: &Custody, hash: &str) -> DepositId {
    DepositId::of(custody.network, hash.trim_start_matches("0x"))
}

async fn a_deposit_is_credited_after_its_confirmations(
    node: &dyn BitcoinRegtest,
    network: Network,
) {
    let custody = Custody::open(network).await;
    let change = custody.institution.address(custody.wallet, None).await;
    let mut watching = custody.watch_bitcoin(node);
    node.fund(change.as_str(), PAID);
    let txid = node.fund(custody.address.as_str(), PAID);
    let deposit = deposit_of(node, &custody, &txid);
    node.mine(CONFIRMATIONS - 1);
    custody.until_confirming(deposit).await;
    watching.until_read(node.height()).await;
    assert_eq!((custody.total(), custody.held()), (0, 0));
    node.mine(1);
    custody.until_credited(deposit).await;
    assert_eq!((custody.total(), custody.held()), (u128::from(PAID), u128::from(PAID)));
    assert_eq!(custody.history(deposit).await, ["seen", "credited"]);
    assert_eq!(custody.read(|state| state.deposits.len()), 1, "change is nobody's deposit");
    custody.assert_replays().await;
    watching.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_litecoin_deposit_is_credited_after_its_confirmations() {
    let node = Core::litecoind();
    a_deposit_is_credited_after_its_confirmations(&node, Network::LitecoinRegtest).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bitcoin_deposit_is_credited_after_its_confirmations() {
    let node = start_bitcoin();
    a_deposit_is_credited_after_its_confirmations(node.as_ref(), Network::BitcoinRegtest).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ether_deposit_is_credited_after_its_confirmations() {
    let node = Anvil::start();
    let custody = Custody::open(Network::EthereumDev).await;
    let watching = custody.watch_anvil(&node);
    let hash = node.fund(custody.address.as_str(), PAID_WEI);
    node.mine(1);
    let deposit = deposit_at_hash(&custody, &hash);
    custody.until_confirming(deposit).await;
    assert_eq!((custody.total(), custody.held()), (0, 0));
    node.mine(CONFIRMATIONS - 1);
    custody.until_credited(deposit).await;
    assert_eq!((custody.total(), custody.held()), (PAID_WEI, PAID_WEI));
    assert_eq!(custody.history(deposit).await, ["seen", "credited"]);
    custody.assert_replays().await;
    watching.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_made_while_the_watcher_runs_is_watched() {
    let node = Core::litecoind();
    let custody = Custody::open(Network::LitecoinRegtest).await;
    let mut watching = custody.watch_bitcoin(&node);
    node.mine(2);
    watching.until_read(2).await;
    let mut later = Vec::new();
    for _ in 0..3 {
        later.push(custody.institution.address(custody.wallet, Some(custody.account)).await);
    }
    for address in &later {
        node.fund(address.as_str(), PAID);
    }
    node.mine(CONFIRMATIONS);
    custody
        .until("all credited", |state| {
            let credited = |deposit: &&Deposit| matches!(deposit, Deposit::Credited(_));
            state.deposits.values().filter(credited).count() == later.len()
        })
        .await;
    assert_eq!(custody.total(), 3 * u128::from(PAID));
    watching.kill().await;
}
