//! The parts that move by themselves: connections to signers, ceremonies, payments, deposits. Their
//! state is the log; stopping them is as harmless as a crash.

use std::{fs, path::Path, sync::Arc, time::Duration};

use strongroom_commands::{
    Bus, ChainNodes,
    ceremony::{self, Ceremonies},
    checkpoints::{Board, CheckpointSigner, Checkpoints},
    deposits::{CursorFolder, DepositWatcher, WatchSettings},
    governance::Governance,
    payment::{self, Payments},
    prices::PriceFeed,
    proof::{self, Proofs},
    reconciliation::Reconciliations,
    reminders::Reminders,
    rotation::Rotations,
    signers::{ClientIdentity, Limits, SignerEndpoint, Signers},
};
use strongroom_domain::Family;
use strongroom_nodes::{BitcoinNode, Credentials, Endpoint, EthereumNode};
use strongroom_projections::Projections;
use tokio::task::JoinSet;

use super::{ServeError, checkpoints, prices, reconciliation};
use crate::{
    checkpoint_file::CheckpointFile,
    config::{Config, NodeConfig, Pace},
    data_directory::TlsIdentity,
};

/// Handles of what runs: it ends with the last of them.
#[derive(Clone)]
pub struct Sagas {
    /// The connections to signers.
    pub signers: Signers,
    /// Payments out of custody.
    pub payments: Payments,
    /// The making of keys.
    pub ceremonies: Ceremonies,
    /// The keys' proofs that they can sign.
    pub proofs: Proofs,
    /// What empties rotated wallets.
    pub rotations: Rotations,
    /// The log's checkpoints.
    pub checkpoints: Checkpoints,
    /// The comparison of ledger, chains and read models, where it is configured.
    pub reconciliations: Option<Reconciliations>,
    /// The reading of reference prices, where it is configured.
    pub prices: Option<PriceFeed>,
    /// What puts approved policies in force.
    _governance: Governance,
    /// Reminders, where somebody is to be told.
    _reminders: Option<Reminders>,
}

impl Sagas {
    /// With reminders.
    pub(super) fn reminding(self, reminders: Reminders) -> Self {
        Self { _reminders: Some(reminders), ..self }
    }
}

/// What publishing checkpoints takes.
pub(super) struct Publishing {
    pub(super) board: Board,
    pub(super) file: CheckpointFile,
    pub(super) keys: Arc<dyn CheckpointSigner>,
}

/// Starts all of it. Watchers of deposits are tasks of their own, because they can fail.
pub(super) fn start(
    config: &Config,
    (bus, projections): (&Bus, &Projections),
    tls: &TlsIdentity,
    publishing: Publishing,
    tasks: &mut JoinSet<Result<(), ServeError>>,
) -> Result<Sagas, ServeError> {
    let every = Duration::from_millis(config.pace.look_every_ms.max(1));
    let nodes = Arc::new(nodes(&config.nodes)?);
    let Publishing { board, file, keys } = publishing;
    let signers = signers(config, bus, tls, &board)?;
    let checkpoints = checkpoints::start(config, (bus, board), &signers, keys, file)?;
    let asked = (signers.clone(), checkpoints.clone());
    for node in &config.nodes {
        let settings = WatchSettings { birth_height: node.birth_height, pause: every };
        let cursors = Arc::new(CursorFolder::new(config.data.clone()));
        let (bus, nodes) = (bus.clone(), Arc::clone(&nodes));
        let watcher = DepositWatcher::new(bus, nodes, node.network, cursors, settings);
        tasks.spawn(async move { Err(ServeError::Deposits(watcher.run().await)) });
    }
    let paced = paced(&config.pace);
    let patience = Duration::from_millis(config.pace.change_patience_ms);
    let ceremonies = ceremony::Settings { patience, ..ceremony::Settings::default() };
    Ok(Sagas {
        signers,
        reconciliations: config
            .reconciliation
            .map(|config| reconciliation::start(config, bus, &nodes, projections)),
        prices: config.prices.as_ref().map(|config| prices::start(config, bus)).transpose()?,
        _governance: Governance::start(bus.clone(), every),
        _reminders: None,
        ceremonies: Ceremonies::start(bus.clone(), asked.clone(), ceremonies),
        rotations: Rotations::start(bus.clone(), every),
        proofs: Proofs::start(bus.clone(), asked.clone(), proof::Settings::default()),
        payments: Payments::start(bus.clone(), asked, nodes, paced),
        checkpoints,
    })
}

fn paced(pace: &Pace) -> payment::Settings {
    payment::Settings {
        tip_every: Duration::from_millis(pace.look_every_ms.max(1)),
        look_every: Duration::from_millis(pace.watch_every_ms.max(1)),
        fees_for: Duration::from_millis(pace.fees_for_ms),
        stuck_after: Duration::from_millis(pace.stuck_after_ms),
        stuck_after_blocks: pace.stuck_after_blocks.max(1),
        ..payment::Settings::default()
    }
}

fn signers(
    config: &Config,
    bus: &Bus,
    tls: &TlsIdentity,
    board: &Board,
) -> Result<Signers, ServeError> {
    let identity = ClientIdentity::from_der(&tls.certificate, tls.key.expose())?;
    let mut endpoints = Vec::new();
    for signer in &config.signers {
        endpoints.push(SignerEndpoint {
            signer: signer.id,
            address: signer.address.clone(),
            certificate_pem: read(&signer.certificate_file)?,
        });
    }
    Ok(Signers::start(bus, &identity, endpoints, board, Limits::default())?)
}

fn read(path: &Path) -> Result<Vec<u8>, ServeError> {
    fs::read(path).map_err(|source| ServeError::Certificate { path: path.to_owned(), source })
}

fn nodes(configured: &[NodeConfig]) -> Result<ChainNodes, ServeError> {
    let mut nodes = ChainNodes::new();
    for node in configured {
        let refuse = |reason: String| ServeError::Node { network: node.network, reason };
        if nodes.node(node.network).is_some() {
            return Err(refuse("a network has one node; this one has two".to_owned()));
        }
        let endpoint = Endpoint::new(&node.url, credentials(node)?);
        let endpoint = endpoint.map_err(|error| refuse(error.to_string()))?;
        match node.network.family() {
            Family::Bitcoin => {
                let chain = strongroom_chains::bitcoin::Chain::of(node.network)?;
                let genesis = chain.genesis.parse();
                let genesis = genesis
                    .map_err(|error: strongroom_nodes::HashError| refuse(error.to_string()))?;
                let client = BitcoinNode::new(endpoint, genesis);
                nodes.add_bitcoin(
                    node.network,
                    client.map_err(|error| refuse(error.to_string()))?,
                )?;
            }
            Family::Ethereum => {
                let chain = strongroom_chains::ethereum::Chain::of(node.network)?;
                let client = EthereumNode::new(endpoint, chain.id);
                nodes.add_ethereum(
                    node.network,
                    client.map_err(|error| refuse(error.to_string()))?,
                )?;
            }
        }
    }
    Ok(nodes)
}

fn credentials(node: &NodeConfig) -> Result<Credentials, ServeError> {
    match (&node.cookie_file, &node.user, &node.password_file) {
        (None, None, None) => Ok(Credentials::None),
        (Some(cookie), None, None) => Ok(Credentials::CookieFile(cookie.clone())),
        (None, Some(user), Some(file)) => {
            Ok(Credentials::PasswordFile { user: user.clone(), file: file.clone() })
        }
        _ => Err(ServeError::Node {
            network: node.network,
            reason: "name a cookie_file, or a user and a password_file, or none of them".to_owned(),
        }),
    }
}
