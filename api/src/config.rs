//! `strongroom.toml`. Never holds a secret, only the paths of files that do. Relative paths start
//! at the configuration's own directory.

use std::{
    fs,
    io::IsTerminal as _,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de::Error as _};
use strongroom_domain::{Network, PersonId, SignerId};
use strongroom_store::LogLocation;

/// Everything that a server can be told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen. Default 127.0.0.1:3008.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// The data directory that `strongroom init` made.
    pub data: PathBuf,
    /// File with its passphrase; mode 0600.
    pub passphrase_file: PathBuf,
    /// How to write logs.
    #[serde(default)]
    pub log: Logging,
    /// Where the ledger's log is. Default: SQLite in the data directory.
    #[serde(default)]
    pub log_store: LogStore,
    /// Where the charter's signers listen.
    #[serde(default)]
    pub signers: Vec<SignerConfig>,
    /// The chain nodes, one for each network that is served.
    #[serde(default)]
    pub nodes: Vec<NodeConfig>,
    /// How often to publish a checkpoint of the log.
    #[serde(default)]
    pub checkpoints: CheckpointPace,
    /// Where the charter's outside witnesses are.
    #[serde(default)]
    pub witnesses: Vec<WitnessConfig>,
    /// Whom to tell what happens.
    #[serde(default)]
    pub webhooks: Vec<crate::webhooks::WebhookConfig>,
    /// What strangers may read.
    #[serde(default)]
    pub transparency: Transparency,
    /// What is decided about authorisation beside `strongroom.cedar`.
    #[serde(default)]
    pub authorisation: crate::authorisation::Settings,
    /// Where people sign in, and who may speak for them.
    #[serde(default)]
    pub sign_in: SignInConfig,
    /// Whether to hold ledger, chains and read models against one another.
    pub reconciliation: Option<ReconciliationConfig>,
    /// Where signed reference prices are read.
    pub prices: Option<PricesConfig>,
    /// How often to look.
    #[serde(default)]
    pub pace: Pace,
    /// How often backups of key shares are tried.
    #[serde(default)]
    pub backups: BackupPace,
    /// What a caller may take.
    #[serde(default)]
    pub limits: Limits,
}

/// How to write logs: to standard error, always.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Logging {
    /// `text` (default) or `json`.
    pub format: LogFormat,
    /// What to log, as `tracing`'s filters say it. Default `info`.
    pub filter: String,
}

/// Where the ledger's log is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogStore {
    /// A path, `sqlite:PATH`, `postgres://user@host:port/database` or `kurrentdb://host:port`.
    /// Default: `log.db` in the data directory.
    #[serde(deserialize_with = "location")]
    pub location: Option<LogLocation>,
    /// The file with the password of the log's server, if it has one; mode 0600.
    pub password_file: Option<PathBuf>,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Where a signer listens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignerConfig {
    /// Its id in the charter.
    pub id: SignerId,
    /// Host and port.
    pub address: String,
    /// Its certificate, PEM; its hash must be the charter's.
    pub certificate_file: PathBuf,
}

/// Where an outside witness of the charter is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessConfig {
    /// Its name in the charter.
    pub name: String,
    /// Its submission prefix (C2SP tlog-witness): https://…, or http:// on loopback.
    pub url: String,
}

/// What strangers may read. Checkpoints and tiles of hashes are for everybody.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transparency {
    /// Whether entries are, too: they name streams and event types, and no payload. Default: only
    /// auditors read them.
    pub public_entries: bool,
}

/// Where people sign in, and who may speak for them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignInConfig {
    /// What stands in the browser's address line: scheme and host, like `https://custody.example`.
    /// Passkeys are bound to it for ever. Default: `http://localhost` and the port of `listen`.
    pub origin: Option<String>,
    /// Proxies whose `X-Forwarded-For` is believed, as networks. Must be said where `origin` is https:
    /// a proxy ends TLS then, and without its address all callers would count as one.
    pub trusted_proxies: Option<Vec<IpNet>>,
}

/// A chain node.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// Which network it serves.
    pub network: Network,
    /// Its RPC interface, without credentials.
    pub url: String,
    /// Bitcoin Core's `.cookie`.
    pub cookie_file: Option<PathBuf>,
    /// Or a user …
    pub user: Option<String>,
    /// … and the file with the password.
    pub password_file: Option<PathBuf>,
    /// Blocks below this height are not searched for deposits: at most the height of the tip when
    /// the network's first wallet is made. Default 0: always right, and slow.
    #[serde(default)]
    pub birth_height: u64,
}

/// How ledger, chains and read models are held against one another.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReconciliationConfig {
    /// Whose affair every difference is: a person of the charter.
    pub owner: PersonId,
    /// Between two looks, in seconds. Default 3600. A difference is recorded at the second look that
    /// finds it.
    #[serde(default = "an_hour")]
    pub every_s: u64,
}

/// Where signed reference prices are read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PricesConfig {
    /// A file with one signed price on a line, as `strongroom price sign` writes it.
    pub file: Option<PathBuf>,
    /// Or an address that answers with such lines: https://…, or http:// on loopback.
    pub url: Option<String>,
    /// Between two readings, in seconds. Default 10.
    #[serde(default = "ten_seconds")]
    pub every_s: u64,
}

const fn an_hour() -> u64 {
    3_600
}

const fn ten_seconds() -> u64 {
    10
}

/// How often to look.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pace {
    /// Between two looks at each node's tip, in milliseconds. Default 1000.
    pub look_every_ms: u64,
    /// How long a broadcast transaction may wait for a block before the market's price is offered
    /// where that has risen above its own, in milliseconds. Default 1 200 000.
    pub stuck_after_ms: u64,
    /// The same, in blocks: whichever comes first. Default 3.
    pub stuck_after_blocks: u64,
    /// Between two looks at a broadcast transaction while no block comes, in milliseconds. Default
    /// 30 000.
    pub watch_every_ms: u64,
    /// How long a node's word about fees is used, in milliseconds. Default 10 000.
    pub fees_for_ms: u64,
    /// How long a change of a key's shares waits for a holder that does not answer before it fails,
    /// in milliseconds. Default 60 000.
    pub change_patience_ms: u64,
}

/// How often officers show that their pieces restore a share.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BackupPace {
    /// Days from a backup or a drill to when the next drill is overdue. Default 90.
    pub drill_every_days: u64,
}

impl Default for BackupPace {
    fn default() -> Self {
        Self { drill_every_days: 90 }
    }
}

/// How often to publish a checkpoint of the log; before anything is signed, one is made at once.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointPace {
    /// At least so often while there are new entries, in milliseconds. Default 1000.
    pub every_ms: u64,
    /// And as soon as so many entries have none. Default 256.
    pub every_entries: u64,
}

impl Default for CheckpointPace {
    fn default() -> Self {
        Self { every_ms: 1000, every_entries: 256 }
    }
}

/// What a caller may take.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The longest body, in bytes. Default 65 536.
    pub body_bytes: usize,
    /// The longest time for an answer, in seconds. Default 30.
    pub request_seconds: u64,
    /// Connections at once; who comes when there are so many waits. Each is a file descriptor, so
    /// the process must be allowed more than this. Default 1024.
    pub connections: NonZeroU32,
    /// The longest time until a connection has sent a request's headers, in seconds; one that says
    /// nothing for so long is closed. Default 10.
    pub header_seconds: u64,
    /// Requests under way at once, of all callers; one more is answered 503 at once. A connection
    /// has one at a time, so this must be less than `connections` to say so. Default 512.
    pub in_flight: usize,
    /// Requests per second and token. Default 2000.
    pub requests_per_second: NonZeroU32,
    /// Requests without a good token, per minute and address. Default 120.
    pub failures_per_minute: NonZeroU32,
    /// Open event subscriptions at once. Default 64.
    pub subscriptions: usize,
    /// How deep a GraphQL query may nest. Default 16, which GraphiQL needs for the schema.
    pub graphql_depth: usize,
    /// How many fields it may ask for, lists counted by their length. Default 2000.
    pub graphql_complexity: usize,
}

impl Default for Logging {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".to_owned() }
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            look_every_ms: 1000,
            stuck_after_ms: 1_200_000,
            stuck_after_blocks: 3,
            watch_every_ms: 30_000,
            fees_for_ms: 10_000,
            change_patience_ms: 60_000,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 64 * 1024,
            request_seconds: 30,
            connections: NonZeroU32::MIN.saturating_add(1023),
            header_seconds: 10,
            in_flight: 512,
            requests_per_second: NonZeroU32::MIN.saturating_add(1999),
            failures_per_minute: NonZeroU32::MIN.saturating_add(119),
            subscriptions: 64,
            graphql_depth: 16,
            graphql_complexity: 2000,
        }
    }
}

const fn default_listen() -> SocketAddr {
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 3008))
}

fn location<'de, D: Deserializer<'de>>(text: D) -> Result<Option<LogLocation>, D::Error> {
    String::deserialize(text)?.parse().map(Some).map_err(D::Error::custom)
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[error("the configuration {}: {reason}", path.display())]
pub struct ConfigError {
    path: PathBuf,
    reason: String,
}

/// What is wrong and where. The line itself is not repeated: somebody may have written a password.
fn said(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.lines().count().max(1));
    format!("line {line}: {}", error.message())
}

impl Config {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let refuse = |reason: String| ConfigError { path: path.to_owned(), reason };
        let text = fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
        let config: Self = toml::from_str(&text).map_err(|error| refuse(said(&text, &error)))?;
        Ok(config.below(path.parent().unwrap_or(Path::new("."))))
    }

    fn below(mut self, base: &Path) -> Self {
        let place = |path: &mut PathBuf| *path = base.join(&*path);
        place(&mut self.data);
        place(&mut self.passphrase_file);
        self.log_store.password_file.iter_mut().for_each(place);
        if let Some(LogLocation::Sqlite(path)) = &mut self.log_store.location {
            place(path);
        }
        if let Some(prices) = &mut self.prices {
            prices.file.iter_mut().for_each(place);
        }
        for signer in &mut self.signers {
            place(&mut signer.certificate_file);
        }
        for webhook in &mut self.webhooks {
            webhook.below(base);
        }
        for node in &mut self.nodes {
            node.cookie_file.iter_mut().for_each(place);
            node.password_file.iter_mut().for_each(place);
        }
        self
    }
}

impl Logging {
    /// Starts logging for this process; without effect where it was started before.
    pub fn init(&self) {
        let filter = tracing_subscriber::EnvFilter::new(&self.filter);
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr);
        let _ = match self.format {
            LogFormat::Text => subscriber.try_init(),
            LogFormat::Json => subscriber.json().try_init(),
        };
    }
}
