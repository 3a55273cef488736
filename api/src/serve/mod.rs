//! Wiring: opens everything in the order in which it is needed, serves, and stops in the opposite
//! order. Never goes on serving what may not be true any more.

mod checkpoints;
mod connections;
mod error;
mod log_store;
mod prices;
mod reconciliation;
mod reminders;
mod sagas;
mod signals;

pub use error::ServeError;
pub use sagas::Sagas;

use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use strongroom_commands::Bus;
use strongroom_projections::Projections;
use strongroom_secrets::{hardening, read_secret};
use strongroom_store::AppendLog;
use tokio::{net::TcpListener, task::JoinSet};

use self::sagas::Publishing;
use crate::{
    application::Application,
    authorisation::{Authorisation, Settings},
    checkpoint_file::CheckpointFile,
    clock,
    config::{Config, Limits},
    data_directory::DataDirectory,
    rest,
    sign_in::{Clock, SignIn},
    webhooks::{self, Endpoint, Outbox, Webhooks},
};

/// How often the log and the bus are asked whether they have stopped.
const LOOK: Duration = Duration::from_millis(250);
/// How long requests may take that are under way when the server stops.
const FINISH: Duration = Duration::from_secs(10);

/// A server that listens, and does not serve yet.
pub struct Server {
    listener: TcpListener,
    router: axum::Router,
    limits: Limits,
    application: Application,
    log: Arc<dyn AppendLog>,
    tasks: JoinSet<Result<(), ServeError>>,
}

/// Serves until a signal says stop.
pub async fn until_told(config: Config) -> Result<(), ServeError> {
    match hardening() {
        Some(given) if given.is_complete() => tracing::info!("{given}"),
        Some(given) => tracing::warn!("{given}"),
        None => {}
    }
    let mut told = pin!(signals::stop()?);
    // A standby waits in there for as long as another server has the log.
    let server = tokio::select! {
        opened = Server::open(config) => opened?,
        () = told.as_mut() => return Ok(()),
    };
    let address = server.address()?;
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "tokens come in clear: put a proxy with TLS in front of this");
    }
    tracing::info!(%address, "serving");
    server.run(told).await
}

impl Server {
    /// Opens the log, the read model and the tokens, and listens.
    pub async fn open(config: Config) -> Result<Self, ServeError> {
        Self::open_at(config, Arc::new(clock::now)).await
    }

    /// [`Self::open`], with the clock that sessions, codes and signed requests are measured by.
    pub async fn open_at(config: Config, clock: Clock) -> Result<Self, ServeError> {
        let public_entries = config.transparency.public_entries;
        let authorisation =
            Authorisation::open(Settings { public_entries, ..config.authorisation })?;
        let endpoints = Endpoint::all(&config.webhooks)?;
        let directory = DataDirectory::open(&config.data)?;
        let passphrase = read_secret(&config.passphrase_file)?;
        let sealer = directory.sealer(&passphrase)?;
        drop(passphrase);
        let (tls, keys) = directory.keys_by(&sealer)?;
        let log = log_store::open(&config.log_store, &directory).await?;
        let bus = Bus::open(Arc::clone(&log), clock::now).await?;
        if bus.read(|state| state.charter.standing().is_err()) {
            return Err(ServeError::NoCharter);
        }
        let projections = Projections::open(directory.read_model())?;
        let mut tasks = JoinSet::new();
        let (reader, followed) = (projections.clone(), bus.log());
        tasks.spawn(async move { reader.run(followed).await.map_err(ServeError::from) });
        let file = CheckpointFile::new(directory.checkpoint());
        let board = checkpoints::recalled(&bus, &file).await?;
        let publishing = Publishing { board, file, keys: Arc::new(keys) };
        let parts = (&bus, &projections);
        let sagas = sagas::start(&config, parts, &tls, publishing, &mut tasks)?;
        drop(tls);
        let listener = TcpListener::bind(config.listen).await;
        let listener =
            listener.map_err(|source| ServeError::Listen { address: config.listen, source })?;
        let listens = listener.local_addr().map_err(ServeError::Socket)?;
        let kept = (&directory, sealer);
        let sign_in = SignIn::open(&config.sign_in, listens, kept, bus.clone(), clock)?;
        let webhooks = Webhooks::new(endpoints, Outbox::open(&directory.webhooks())?);
        start_webhooks(&webhooks, &bus, &mut tasks);
        let sagas = sagas.reminding(reminders::start(&bus, &webhooks));
        let entry = (sign_in, authorisation);
        let drill_every_s = config.backups.drill_every_days.saturating_mul(86_400);
        let application =
            Application::new(bus, projections, entry, (sagas, webhooks), drill_every_s);
        let router = rest::router(application.clone(), &config.limits);
        Ok(Self { listener, router, limits: config.limits, application, log, tasks })
    }

    /// Where it listens.
    pub fn address(&self) -> Result<SocketAddr, ServeError> {
        self.listener.local_addr().map_err(ServeError::Socket)
    }

    /// Serves until `told`, or until something says that it must not.
    pub async fn run(self, told: impl Future<Output = ()> + Send) -> Result<(), ServeError> {
        let Self { listener, router, limits, application, log, mut tasks } = self;
        let (stop, stopping) = tokio::sync::watch::channel(false);
        let serving = tokio::spawn(connections::serve(listener, router, limits, stopping));
        let result = tokio::select! {
            () = told => Ok(()),
            because = fault(&application, log.as_ref()) => Err(ServeError::Stopped(because)),
            ended = tasks.join_next() => ended.map_or(Ok(()), task_ended),
        };
        if let Err(error) = &result {
            tracing::error!(%error, "stopping");
            application.report_fault(error.to_string());
        }
        stop.send_replace(true);
        // Subscriptions stay open for as long as their clients like: they are cut off.
        if tokio::time::timeout(FINISH, serving).await.is_err() {
            tracing::warn!("some requests were cut off");
        }
        tasks.shutdown().await;
        tracing::info!("stopped");
        result
    }
}

/// Tells what happens, where somebody is to be told.
fn start_webhooks(webhooks: &Webhooks, bus: &Bus, tasks: &mut JoinSet<Result<(), ServeError>>) {
    if webhooks.endpoints().is_empty() {
        return;
    }
    let (told, followed) = (webhooks.clone(), bus.clone());
    tasks
        .spawn(async move { webhooks::follow(told, followed).await.map_err(ServeError::Webhooks) });
    let told = webhooks.clone();
    tasks.spawn(async move {
        webhooks::deliver(told).await;
        Ok(())
    });
}

/// Waits for a reason to stop.
async fn fault(application: &Application, log: &dyn AppendLog) -> String {
    let mut fault = application.fault();
    loop {
        tokio::select! {
            _ = fault.changed() => {
                if let Some(because) = fault.borrow().clone() {
                    return because;
                }
            }
            () = tokio::time::sleep(LOOK) => {
                if let Some(because) = log.stop_reason() {
                    return because;
                }
                application.probe().await;
            }
        }
    }
}

/// A task ends by itself only when something is wrong.
fn task_ended(
    ended: Result<Result<(), ServeError>, tokio::task::JoinError>,
) -> Result<(), ServeError> {
    match ended {
        Ok(Ok(())) => Err(ServeError::Stopped("a part of the server ended by itself".to_owned())),
        Ok(Err(error)) => Err(error),
        Err(error) => Err(ServeError::Stopped(format!("a part of the server died: {error}"))),
    }
}
