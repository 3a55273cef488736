//! `make quick-start`: founds an institution, starts everything, and runs one real withdrawal on
//! each chain, with a line for each step. Also its parts, one by one, against what then runs.
//! Nothing here is simulated: where a step does not lead where it must, this ends with an error.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "saying what happens is what this program is for"
)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a step that does not lead where it must ends the program with what was wrong"
)]

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use strongroom_domain::Network;
use strongroom_tests::deployment::{Deployment, Desk, Networks};
use strongroom_tests::journey::{Custody, Payment, amounts, text};

/// Runs Strongroom's main job on this machine, with real processes.
#[derive(Parser)]
struct Arguments {
    /// Where everything is kept; emptied at the start of a run.
    #[arg(long, default_value = ".strongroom")]
    root: PathBuf,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// The whole job, then keep serving until Ctrl-C.
    Run {
        /// Stop everything at the end instead.
        #[arg(long)]
        oneshot: bool,
        /// The server's port.
        #[arg(long, default_value_t = 3008)]
        port: u16,
    },
    /// Make a key inside the HSM of a running deployment.
    SetupHsm,
    /// Put the test destinations on the allowlist of a running deployment, by its quorum.
    SetupApprovalWorkflows,
    /// Create an account, a wallet and an address on each network of a running deployment.
    CreateTestWallets,
}

/// Marks a folder as one that a run may empty. Held locked by the run that uses it.
const MARK: &str = ".strongroom-deployment";

fn main() {
    let Arguments { root, part } = Arguments::parse();
    match part.unwrap_or(Part::Run { oneshot: false, port: 3008 }) {
        Part::Run { oneshot, port } => run(&root, oneshot, port),
        Part::SetupHsm => setup_hsm(&desk(&root)),
        Part::SetupApprovalWorkflows => setup_approval_workflows(&desk(&root)),
        Part::CreateTestWallets => create_test_wallets(&desk(&root)),
    }
}

fn desk(root: &Path) -> Desk {
    Desk::open(root).unwrap_or_else(|why| give_up(&why))
}

/// What the user can mend is said in one line, without a backtrace.
fn give_up(why: &str) -> ! {
    eprintln!("{why}");
    std::process::exit(1)
}

fn run(root: &Path, oneshot: bool, port: u16) {
    // Before anything is removed: it could be what another run is using.
    if TcpListener::bind(("127.0.0.1", port)).is_err() {
        give_up(&format!("port {port} is in use: another quick start? Give another --port"));
    }
    let _lock = start_clean(root).unwrap_or_else(|why| give_up(&why));
    println!("== 1. nodes, HSM, four signers, charter, server");
    let networks = Networks::start();
    for network in networks.all() {
        println!("   node      {network}");
    }
    if networks.bitcoin.is_none() {
        println!(
            "   neither bitcoind nor btcd is installed: the Bitcoin family runs as Litecoin alone"
        );
    }
    let mut strongroom = Deployment::found_at(root, networks, port);
    println!("   charter   3 approvers (2 must agree), 1 initiator, 1 auditor");
    println!("   genesis   {} (pinned by every signer)", strongroom.desk.institution.genesis);
    println!("   server    {}", strongroom.server.url());
    allow_outside(&strongroom);
    let custodies = ceremonies(&strongroom);
    deposits(&strongroom, &custodies);
    let paid = withdrawals(&strongroom, &custodies);
    reckoning(&strongroom);
    receipts(&strongroom, &paid);
    println!("\nEvery step held.");
    if oneshot {
        strongroom.stop();
        return;
    }
    where_next(&strongroom);
    wait_for_interrupt();
    strongroom.stop();
}

/// A run starts in an empty folder of its own making, never in somebody else's. The mark stays while
/// the rest goes, so that a run that is killed here leaves a folder that the next one may empty.
/// Keep what this returns: it is the lock.
fn start_clean(root: &Path) -> Result<File, String> {
    let said = |error: std::io::Error| format!("{}: {error}", root.display());
    std::fs::create_dir_all(root).map_err(said)?;
    let mark = root.join(MARK);
    let mut entries = root.read_dir().map_err(said)?;
    if !mark.exists() && entries.next().is_some() {
        return Err(format!(
            "{} holds something and has no {MARK}: not emptied. Give another --root, or remove it",
            root.display()
        ));
    }
    let lock = File::create(&mark).map_err(said)?;
    lock.try_lock().map_err(|_held| format!("another quick start runs in {}", root.display()))?;
    for entry in root.read_dir().map_err(said)? {
        let path = entry.map_err(said)?.path();
        if path == mark {
            continue;
        }
        let is_folder = path.symlink_metadata().map_err(said)?.is_dir();
        let removed =
            if is_folder { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        removed.map_err(said)?;
    }
    Ok(lock)
}

fn allow_outside(strongroom: &Deployment) {
    println!("== 2. policy: destinations, by quorum");
    let networks = strongroom.networks.all();
    let allowed: Vec<_> =
        networks.iter().map(|network| (*network, strongroom.outside_address(*network))).collect();
    strongroom.desk.allow(&allowed);
    for (network, address) in &allowed {
        println!("   allowed   {address} on {network}");
    }
}

fn ceremonies(strongroom: &Deployment) -> Vec<Custody> {
    println!("== 3. keys, wallets, addresses");
    let mut custodies = Vec::new();
    for network in strongroom.networks.all() {
        let custody = strongroom.desk.custody(network);
        let how = match network.family() {
            strongroom_domain::Family::Bitcoin => "2-of-3 FROST shares, made by three signers",
            strongroom_domain::Family::Ethereum => "made in the HSM, not extractable",
        };
        println!("   key       {} ({how})", custody.key);
        println!("   address   {} on {network}", custody.address);
        custodies.push(custody);
    }
    custodies
}

fn deposits(strongroom: &Deployment, custodies: &[Custody]) {
    println!("== 4. deposits");
    for custody in custodies {
        let (amount, _, _) = amounts(custody.network);
        strongroom.deposit(custody, amount);
        println!("   credited  {amount} base units on {} after its confirmations", custody.network);
    }
}

/// The transfers that were confirmed.
fn withdrawals(strongroom: &Deployment, custodies: &[Custody]) -> Vec<String> {
    println!("== 5. withdrawals");
    let mut paid = Vec::new();
    let desk = &strongroom.desk;
    let policy = desk.initiator().get("/policy").ok()["policy"].take();
    for custody in custodies {
        let (_, amount, fee_cap) = amounts(custody.network);
        let stranger = strongroom.stranger_address(custody.network);
        let payment = |destination: String| Payment {
            custody: custody.clone(),
            destination,
            amount,
            fee_cap,
        };
        let refused = desk.initiator().post("/transactions", &desk.request(&payment(stranger)));
        assert_eq!(refused.refused(), "destination-allowlist");
        println!("   refused   to a stranger on {}: {}", custody.network, refused.refused());
        let known = policy["destinations"].as_array().expect("a list");
        let mine = known.iter().find(|entry| entry["network"] == custody.network.name());
        let destination = text(mine.expect("a destination"), "address");
        own_request(strongroom, &payment(destination.clone()));
        let confirmed = strongroom.withdraw(&payment(destination));
        let transaction = text(&confirmed["transaction"], "transaction_id");
        println!("   confirmed {transaction} on {}", custody.network);
        assert!(
            strongroom.node_knows(custody.network, &transaction),
            "the node must know {transaction}"
        );
        paid.push(text(&confirmed["transaction"], "transaction"));
    }
    paid
}

/// Somebody who may ask and approve asks, and tries to approve what they asked.
fn own_request(strongroom: &Deployment, payment: &Payment) {
    let desk = &strongroom.desk;
    let maker = &desk.institution.approvers[0];
    let client = desk.client(maker);
    let answer = client.post("/transactions", &desk.request(payment)).ok();
    let said = desk.approve_as(maker, &text(&answer, "proposal"));
    let said = said.expect_err("the maker must not approve");
    assert!(said.contains("maker-checker"), "{said}");
    println!("   refused   the maker's own approval: maker-checker");
    let transfer = text(&answer, "transaction");
    client.post(&format!("/transactions/{transfer}/cancel"), &serde_json::json!({})).ok();
}

fn reckoning(strongroom: &Deployment) {
    println!("== 6. reckoning");
    let balances = strongroom.desk.initiator().get("/balances").ok();
    for balance in balances.as_array().expect("a list") {
        assert_eq!(balance["balanced"], true, "debits equal credits: {balance}");
        println!(
            "   {:<22} debits {} = credits {}",
            text(balance, "asset"),
            text(&balance["all"], "debits"),
            text(&balance["all"], "credits")
        );
    }
    let log = strongroom.log_file().display().to_string();
    let read = strongroom.server.data.join("read.db").display().to_string();
    let genesis = &strongroom.desk.institution.genesis;
    for arguments in [vec!["verify", &log, "--genesis", genesis], vec!["compare", &log, &read]] {
        let (code, said) = strongroom.desk.replay(&arguments);
        assert_eq!(code, 0, "strongroom-replay {arguments:?}: {said}");
        println!("   strongroom-replay {}", arguments[0]);
        for line in said.lines() {
            println!("      {line}");
        }
    }
}

/// What a client gets: a file that needs nobody's word.
fn receipts(strongroom: &Deployment, paid: &[String]) {
    println!("== 7. receipts");
    for transfer in paid {
        let (file, said) = strongroom.receipt(transfer, "transfer.confirmed");
        println!("   receipt   {}", file.display());
        let witnesses = said.lines().filter(|line| line.starts_with("seen by")).count();
        println!(
            "      {}, cosigned by {witnesses} witnesses",
            said.lines().last().unwrap_or_default()
        );
    }
    let folder = strongroom.root.join("receipts");
    println!(
        "   check     strongroom-replay receipt FILE --policy {}",
        folder.join("policy").display()
    );
}

fn where_next(strongroom: &Deployment) {
    let url = strongroom.server.url();
    let token = &strongroom.desk.institution.auditor.token_file;
    println!("\nIt keeps serving; Ctrl-C stops everything. Where to look next:");
    println!(
        "   REST      curl -H \"Authorization: Bearer $(cat {})\" {url}/api/v1/transactions",
        token.display()
    );
    println!("   OpenAPI   {url}/api/v1/openapi.json");
    println!("   GraphQL   {url}/graphql");
    println!("   pages     {url}/ (sign in, approve, the queue)");
    println!("   log       {}", strongroom.log_file().display());
    println!(
        "   logs      {}, {}/signer-*/strongroom-signer.log",
        strongroom.server.log().display(),
        strongroom.root.display()
    );
}

fn wait_for_interrupt() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
            .expect("signals");
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = term.recv() => {}
        }
    });
}

fn setup_hsm(desk: &Desk) {
    let key = desk.key(Network::EthereumDev);
    println!("key {key} made in the HSM after its quorum agreed, and confirmed by its signer");
}

/// Adds a test destination for each network, by the governing quorum.
fn setup_approval_workflows(desk: &Desk) {
    let destinations: Vec<_> = desk
        .networks
        .iter()
        .map(|network| (*network, strongroom_tests::journey::address_of_nobody(*network)))
        .collect();
    desk.allow(&destinations);
    let policy = desk.initiator().get("/policy").ok();
    println!("policy version {} in force:", policy["version"]);
    println!("{}", serde_json::to_string_pretty(&policy).expect("JSON"));
}

fn create_test_wallets(desk: &Desk) {
    for network in desk.networks.iter().copied() {
        let custody = desk.custody(network);
        println!("wallet {} on {network}: {}", custody.wallet, custody.address);
    }
}
