//! A connection to the server, with the role and the settings that it is used with. Never takes a
//! password from a URL, and never serves from a server whose commits are not durable.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Row};

use crate::location::LogLocation;
use crate::open::{OpenError, Options};
use crate::password::Password;

/// Older ones are not maintained any more.
const VERSION_LEAST: i32 = 150_000;
const FORMAT: i32 = 1;
const SCHEMA: &str = include_str!("schema.sql");

/// The server ends the session of a sequencer that it has not heard of for so long, so that another
/// can take over from one that hangs or is cut off.
pub(crate) const LEASE: Duration = Duration::from_secs(10);

/// A server that does not answer within this time is not there.
const CONNECTED_WITHIN: Duration = Duration::from_secs(10);

/// Plans are made while tables are small and kept: they use indexes from the first row on.
const PLANS: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;
  SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off; SET work_mem = '32MB';";
const SEQUENCER: &str = "SET ROLE strongroom_sequencer; SET idle_session_timeout = '10s';
  SET statement_timeout = 0; SET lock_timeout = 0; SET tcp_keepalives_idle = 5;
  SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3;";
/// Whoever only reads may be quiet for as long as nobody asks, whatever the server's default is.
const READER: &str = "SET ROLE strongroom_reader; SET default_transaction_read_only = on;
  SET idle_session_timeout = 0;";

/// The two integers of the advisory lock, as `schema.sql` has them: "SRlg" and 1.
const TRY_LOCK: &str = "SELECT pg_try_advisory_lock(1397910631, 1)";
const UNLOCK: &str = "SELECT pg_advisory_unlock_all()";

/// Where a database is, and who asks.
#[derive(Clone)]
pub(crate) struct Target {
    options: PgConnectOptions,
    /// The database for people, without the user.
    name: String,
}

impl Target {
    /// Reads `postgres://user@host:port/database`, and the password from its file; without one,
    /// libpq's PGPASSFILE and `~/.pgpass` are asked.
    pub(crate) fn new(url: &str, options: &Options) -> Result<Self, OpenError> {
        let refused = |reason: String| OpenError::Refused(reason);
        match url.parse::<LogLocation>().map_err(|error| refused(error.to_string()))? {
            LogLocation::Postgres(_) => {}
            LogLocation::Sqlite(_) | LogLocation::Kurrent(_) => {
                return Err(refused("this is no postgres:// URL".to_owned()));
            }
        }
        let connect: PgConnectOptions = url
            .parse()
            .map_err(|error| refused(format!("the postgres:// URL cannot be read: {error}")))?;
        let mut connect = connect.application_name("strongroom").disable_statement_logging();
        if let Some(file) = &options.password_file {
            connect = connect.password(Password::read(file)?.expose());
        }
        let database = connect.get_database().unwrap_or_else(|| connect.get_username());
        let place = connect.get_socket().map_or_else(
            || format!("{}:{}", connect.get_host(), connect.get_port()),
            |socket| socket.display().to_string(),
        );
        let name = format!("database {database} at {place}");
        Ok(Self { options: connect, name })
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    async fn connect(&self) -> Result<PgConnection, OpenError> {
        let connecting = PgConnection::connect_with(&self.options);
        match tokio::time::timeout(CONNECTED_WITHIN, connecting).await {
            Ok(connected) => Ok(connected?),
            Err(_) => {
                Err(OpenError::Unavailable(format!("no answer from the server of {}", self.name)))
            }
        }
    }

    /// The session that writes: it holds the lock, and the schema is there.
    pub(crate) async fn sequencer(&self) -> Result<PgConnection, OpenError> {
        let mut db = self.connect().await?;
        check_server(&mut db).await?;
        let (locked,): (bool,) = sqlx::query_as(TRY_LOCK).fetch_one(&mut db).await?;
        if !locked {
            return Err(OpenError::Locked { path: PathBuf::from(&self.name) });
        }
        migrate(&mut db).await?;
        warn_of_power(&mut db).await?;
        sqlx::raw_sql(PLANS).execute(&mut db).await?;
        sqlx::raw_sql(SEQUENCER).execute(&mut db).await?;
        check_format(&mut db).await?;
        Ok(db)
    }

    /// A session that reads a database that is no log, and cannot change it.
    pub(crate) async fn guest(&self) -> Result<PgConnection, OpenError> {
        let mut db = self.connect().await?;
        sqlx::raw_sql("SET default_transaction_read_only = on").execute(&mut db).await?;
        Ok(db)
    }

    /// A session that reads, for audit.
    pub(crate) async fn reader(&self) -> Result<PgConnection, OpenError> {
        let mut db = self.connect().await?;
        become_reader(&mut db).await?;
        check_format(&mut db).await?;
        Ok(db)
    }
}

pub(crate) async fn become_reader(db: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(PLANS).execute(&mut *db).await?;
    sqlx::raw_sql(READER).execute(db).await?;
    Ok(())
}

/// Lets go of the lock at once: the server notices the end of a session only a little later.
pub(crate) async fn close(mut db: PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(UNLOCK).execute(&mut db).await?;
    db.close().await
}

/// A server that would acknowledge what is not durable is refused, and one that only follows.
async fn check_server(db: &mut PgConnection) -> Result<(), OpenError> {
    let row = sqlx::query(
        "SELECT current_setting('server_version_num')::integer, pg_is_in_recovery(),
           current_setting('server_encoding'), current_setting('fsync'),
           current_setting('full_page_writes'), current_setting('synchronous_commit')",
    )
    .fetch_one(db)
    .await?;
    let version: i32 = row.try_get(0)?;
    if version < VERSION_LEAST {
        let reason = format!("PostgreSQL {} is too old: 15 or newer is needed", version / 10_000);
        return Err(OpenError::Refused(reason));
    }
    if row.try_get(1)? {
        let reason = "this server is a standby: connect to the primary".to_owned();
        return Err(OpenError::Unavailable(reason));
    }
    let demands: [(&str, usize, &[&str]); 4] = [
        ("server_encoding", 2, &["UTF8"]),
        ("fsync", 3, &["on"]),
        ("full_page_writes", 4, &["on"]),
        ("synchronous_commit", 5, &["on", "remote_apply"]),
    ];
    for (setting, column, allowed) in demands {
        let found: String = row.try_get(column)?;
        if !allowed.contains(&found.as_str()) {
            let allowed = allowed.join(" or ");
            let reason = format!("the server's {setting} is {found}, it must be {allowed}");
            return Err(OpenError::Refused(reason));
        }
    }
    Ok(())
}

/// Makes the tables where there are none. A crash leaves none either: it is one transaction.
async fn migrate(db: &mut PgConnection) -> Result<(), OpenError> {
    let (there,): (bool,) =
        sqlx::query_as("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'strongroom_log')")
            .fetch_one(&mut *db)
            .await?;
    if !there {
        let mut transaction = db.begin().await?;
        sqlx::raw_sql(SCHEMA).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    Ok(())
}

/// Says so where the database's own protection rests on nothing but the triggers.
async fn warn_of_power(db: &mut PgConnection) -> Result<(), OpenError> {
    let (power,): (bool,) = sqlx::query_as(
        "SELECT pg_has_role(nspowner, 'MEMBER') FROM pg_namespace WHERE nspname = 'strongroom_log'",
    )
    .fetch_one(db)
    .await?;
    if power {
        tracing::warn!(
            "the server's login owns the log's tables and could drop their protection: give it a \
             login that is a member of strongroom_sequencer and strongroom_reader alone"
        );
    }
    Ok(())
}

async fn check_format(db: &mut PgConnection) -> Result<(), OpenError> {
    let found = sqlx::query_as("SELECT format FROM strongroom_log.format").fetch_optional(db).await;
    match found {
        Ok(Some((FORMAT,))) => Ok(()),
        Ok(Some((found,))) => Err(OpenError::Format { found, known: FORMAT }),
        Ok(None) => Err(OpenError::NotALog),
        Err(sqlx::Error::Database(error)) if is_undefined(error.as_ref()) => {
            Err(OpenError::NotALog)
        }
        Err(error) => Err(error.into()),
    }
}

/// 42P01 `undefined_table`, 3F000 `invalid_schema_name`.
fn is_undefined(error: &dyn sqlx::error::DatabaseError) -> bool {
    matches!(error.code().as_deref(), Some("42P01" | "3F000"))
}
