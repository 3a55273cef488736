//! Where a log is, as a person writes it. Never holds a password.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use crate::audit::AuditLog;
use crate::kurrent::{KurrentAudit, KurrentLog};
use crate::log::AppendLog;
use crate::open::{OpenError, Options};
use crate::postgres::{PostgresAudit, PostgresLog};
use crate::raw::RawLog;
use crate::sqlite::SqliteLog;

/// Where a log is: `PATH` or `sqlite:PATH`, `postgres://user@host:port/database`,
/// `kurrentdb://host:port` (`esdb://…` too).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogLocation {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// The URL of a PostgreSQL database.
    Postgres(String),
    /// The URL of a KurrentDB or EventStoreDB server.
    Kurrent(String),
}

/// Why a text does not say where a log is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// Nothing was given.
    #[error(
        "the place of the log is empty: write a path, sqlite:PATH, postgres://… or kurrentdb://…"
    )]
    Empty,
    /// No backend of this program has that scheme.
    #[error(
        "{scheme}:// is no backend of the log: write a path, sqlite:PATH, postgres://… or \
         kurrentdb://…"
    )]
    Scheme {
        /// What stands before `://`.
        scheme: String,
    },
    /// A URL is seen by others: in the list of processes, in shells' histories, in logs.
    #[error(
        "a {scheme}:// URL must not hold a password: write user@host and put the password into a \
         file of mode 0600"
    )]
    Password {
        /// What stands before `://`.
        scheme: String,
    },
    /// The URL has no host.
    #[error("the {scheme}:// URL names no host")]
    NoHost {
        /// What stands before `://`.
        scheme: String,
    },
}

impl LogLocation {
    /// Opens the log for appending; where there is none, one is made. Whoever holds it is the only
    /// one that appends.
    pub async fn open(&self, options: &Options) -> Result<Arc<dyn AppendLog>, OpenError> {
        match self {
            Self::Sqlite(path) => {
                let (path, options) = (path.clone(), options.clone());
                // Verifying and migrating take a while, and block.
                let open = move || SqliteLog::open_with(path, &options);
                Ok(Arc::new(blocking(open).await?))
            }
            Self::Postgres(url) => Ok(Arc::new(PostgresLog::open(url, options).await?)),
            Self::Kurrent(url) => Ok(Arc::new(KurrentLog::open(url, options).await?)),
        }
    }

    /// Opens the log for nothing but audit. Nothing is checked. Of the options only the password
    /// file counts.
    pub async fn audit(&self, options: &Options) -> Result<Box<dyn RawLog>, OpenError> {
        let _ = options;
        match self {
            Self::Sqlite(path) => {
                let path = path.clone();
                Ok(Box::new(blocking(move || AuditLog::open_read_only(path)).await?))
            }
            Self::Postgres(url) => Ok(Box::new(PostgresAudit::open_read_only(url, options).await?)),
            Self::Kurrent(url) => Ok(Box::new(KurrentAudit::open(url, options)?)),
        }
    }
}

async fn blocking<T: Send + 'static>(
    open: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    let opened = tokio::task::spawn_blocking(open).await;
    opened.unwrap_or_else(|error| Err(OpenError::Unavailable(error.to_string())))
}

impl FromStr for LogLocation {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        if let Some((scheme, rest)) = text.split_once("://") {
            let known: fn(String) -> Self = match scheme {
                "postgres" | "postgresql" => Self::Postgres,
                "kurrentdb" | "kurrentdb+discover" | "kurrent" | "kurrent+discover" | "kdb"
                | "kdb+discover" | "esdb" | "esdb+discover" => Self::Kurrent,
                _ => return Err(LocationError::Scheme { scheme: scheme.to_owned() }),
            };
            check_url(scheme, rest)?;
            return Ok(known(text.to_owned()));
        }
        match text.strip_prefix("sqlite:").unwrap_or(text) {
            "" => Err(LocationError::Empty),
            path => Ok(Self::Sqlite(PathBuf::from(path))),
        }
    }
}

/// A user but no password, and a host; what else a URL may say is the backend's affair.
fn check_url(scheme: &str, rest: &str) -> Result<(), LocationError> {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // Whatever stands before the last `@` of all, so that no odd character hides a password.
    let user = rest.rsplit_once('@').map_or("", |(user, _)| user);
    let query = rest.split_once('?').map_or("", |(_, query)| query).to_ascii_lowercase();
    let names_password = query.split(['&', '#']).any(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        name.contains("password") || name.contains("passwd")
    });
    if user.contains(':') || names_password {
        return Err(LocationError::Password { scheme: scheme.to_owned() });
    }
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // A socket's folder may stand in the query: postgres:///db?host=/run/postgresql.
    let named = query.split('&').any(|pair| pair.starts_with("host="));
    if host.is_empty() && !named {
        return Err(LocationError::NoHost { scheme: scheme.to_owned() });
    }
    Ok(())
}

impl fmt::Display for LogLocation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(out, "sqlite:{}", path.display()),
            Self::Postgres(url) | Self::Kurrent(url) => out.write_str(url),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<LogLocation, LocationError> {
        text.parse()
    }

    #[test]
    fn a_location_is_a_path_or_a_url() {
        for text in ["log.db", "/var/lib/strongroom/log.db", "sqlite:/tmp/a b.db", "C:odd", "a@b:c"]
        {
            let path = text.strip_prefix("sqlite:").unwrap_or(text);
            assert_eq!(parsed(text), Ok(LogLocation::Sqlite(path.into())));
        }
        for text in [
            "postgres://strongroom@db.example:5432/ledger",
            "postgresql://localhost/ledger",
            "postgres:///ledger?host=/run/postgresql&user=x",
        ] {
            assert_eq!(parsed(text), Ok(LogLocation::Postgres(text.to_owned())));
        }
        for text in ["kurrentdb://localhost:2113?tls=false", "esdb+discover://admin@a,b,c"] {
            assert_eq!(parsed(text), Ok(LogLocation::Kurrent(text.to_owned())));
            assert_eq!(parsed(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_not_repeated() {
        for text in [
            "postgres://me:geheim@host/db",
            "postgres://me:geh/eim@host/db",
            "postgres://me:ge@heim@host",
            "postgres://me@host/db?password=geheim",
            "postgres://me@host/db?sslmode=require&PassWord=geheim",
            "esdb://admin:geheim@localhost:2113",
            "kurrentdb://me@host?userKeyPassword=geheim",
        ] {
            let refused = parsed(text).unwrap_err();
            assert!(matches!(refused, LocationError::Password { .. }), "{text}: {refused:?}");
            assert!(!format!("{refused} {refused:?}").contains("heim"), "{refused}");
        }
    }

    #[test]
    fn what_is_no_location_is_named() {
        assert_eq!(parsed(""), Err(LocationError::Empty));
        assert_eq!(parsed("sqlite:"), Err(LocationError::Empty));
        let scheme = "mysql".to_owned();
        assert_eq!(parsed("mysql://host/db"), Err(LocationError::Scheme { scheme }));
        assert!(matches!(parsed("postgres://"), Err(LocationError::NoHost { .. })));
        assert!(matches!(parsed("esdb://me@"), Err(LocationError::NoHost { .. })));
    }

    #[tokio::test]
    async fn a_path_opens_as_a_log_and_for_audit() {
        let folder = tempfile::tempdir().unwrap();
        let place = parsed(&format!("sqlite:{}", folder.path().join("log.db").display())).unwrap();
        let log = place.open(&Options::default()).await.unwrap();
        log.append(crate::conformance::append_to(&[("a", 0)])).await.unwrap();
        let mut audit = place.audit(&Options::default()).await.unwrap();
        assert_eq!(audit.head().await.unwrap(), log.head());
        assert_eq!(audit.raw_after(0, 10).await.unwrap().len(), 1);
        assert_eq!(audit.raw_after(1, 10).await.unwrap(), []);
        assert_eq!(log.stop_reason(), None);
    }
}
