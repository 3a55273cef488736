//! Calls to the server. Never makes another call than the one that got no answer, and never says
//! that something was written when the server did not.

use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use kurrentdb::{
    AppendToStreamOptions, Authentication, Client, Error, ReadStream, ReadStreamOptions,
    RecordedEvent, StreamPosition, StreamState,
};
use tokio::time::{sleep, timeout};

use super::address::Address;
use super::record::Event;
use crate::open::OpenError;
use crate::password::Password;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Why a read gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReadFailure {
    #[error("the server knows no such stream")]
    NotFound,
    #[error("the stream was deleted for good (tombstone)")]
    Tombstone,
    #[error("{0}")]
    Unavailable(String),
}

/// Why an append was not made, or may not have been.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum AppendFailure {
    /// Nothing was written, and the log may go on.
    #[error("{0}")]
    Refused(String),
    /// The stream is not at the revision that was expected.
    #[error("stream {stream} has {found}, {expected} was expected: another program wrote to it")]
    Foreign { stream: String, expected: String, found: String },
    #[error("stream {0} was deleted for good (tombstone)")]
    Tombstone(String),
    #[error("the server denies this user to write to stream {0}")]
    Denied(String),
    /// It is not known whether it was written.
    #[error("{0}")]
    Unknown(String),
}

/// A server, with the connection to it, which is made anew whenever it is lost.
pub(super) struct Connection {
    pub(super) address: Address,
    login: Option<Authentication>,
    client: Mutex<Option<Client>>,
}

/// Events of a stream, one after another.
pub(super) struct Reading {
    stream: ReadStream,
    deadline: Duration,
}

impl Connection {
    pub(super) fn new(address: Address, password: Option<&Password>) -> Result<Self, OpenError> {
        let login = match (&address.user, password) {
            (None, None) => None,
            (Some(user), Some(password)) => {
                Some(Authentication::basic(user.clone(), password.expose().to_owned()))
            }
            (Some(user), None) => {
                return Err(OpenError::Refused(format!(
                    "the log's server asks for the password of {user}: name a password file"
                )));
            }
            (None, Some(_)) => {
                return Err(OpenError::Refused(
                    "there is a password file, but the log's URL names no user: write \
                     kurrentdb://USER@host"
                        .to_owned(),
                ));
            }
        };
        use_ring();
        Ok(Self { address, login, client: Mutex::new(None) })
    }

    fn client(&self) -> Result<Client, String> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        let made = Client::new(self.address.settings.clone()).map_err(|error| error.to_string())?;
        Ok(client.insert(made).clone())
    }

    /// The server's client gives up for good on some errors: the next call makes a new one. A client
    /// that was told of another leader turns to that one by itself.
    fn lost(&self, error: &Error) {
        if !matches!(error, Error::NotLeaderException(_)) {
            self.forget();
        }
    }

    fn forget(&self) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn no_answer(&self) -> String {
        self.forget();
        no_answer(self.address.deadline)
    }

    /// Begins to read a stream forwards, with at most `limit` events; tries again while there is no
    /// answer.
    pub(super) async fn read(
        &self,
        stream: &str,
        from: u64,
        limit: usize,
    ) -> Result<Reading, ReadFailure> {
        let options = ReadStreamOptions::default().forwards();
        let options = options.position(StreamPosition::Position(from)).max_count(limit);
        self.begin(stream, options).await
    }

    /// The last event of a stream; `None` when there is none.
    pub(super) async fn last(&self, stream: &str) -> Result<Option<RecordedEvent>, ReadFailure> {
        let options = ReadStreamOptions::default().position(StreamPosition::End).max_count(1);
        match self.begin(stream, options).await {
            Ok(mut reading) => match reading.next().await {
                Err(ReadFailure::NotFound) => Ok(None),
                other => other,
            },
            Err(ReadFailure::NotFound) => Ok(None),
            Err(other) => Err(other),
        }
    }

    async fn begin(
        &self,
        stream: &str,
        options: ReadStreamOptions,
    ) -> Result<Reading, ReadFailure> {
        // Of a replica that lags behind, the end of the log would look cut off.
        let options = self.readable(options.requires_leader(true));
        let deadline = self.address.deadline;
        let mut pause = FIRST_PAUSE;
        let mut reason = String::new();
        for _ in 0..=self.address.retries.min(3) {
            match self.client() {
                Err(error) => reason = error,
                Ok(client) => match timeout(deadline, client.read_stream(stream, &options)).await {
                    Ok(Ok(stream)) => return Ok(Reading { stream, deadline }),
                    Ok(Err(error)) => match failure(&error) {
                        ReadFailure::Unavailable(why) => {
                            self.lost(&error);
                            reason = why;
                        }
                        definite @ (ReadFailure::NotFound | ReadFailure::Tombstone) => {
                            return Err(definite);
                        }
                    },
                    Err(_) => reason = self.no_answer(),
                },
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(ReadFailure::Unavailable(reason))
    }

    fn readable(&self, options: ReadStreamOptions) -> ReadStreamOptions {
        match &self.login {
            Some(login) => options.authenticated(login.clone()),
            None => options,
        }
    }

    /// Appends all events behind revision `last` (`None`: the stream does not exist yet), or none.
    ///
    /// Without an answer the same call is made again: the server knows the ids, and answers one
    /// that it has already taken at that revision as it did the first time.
    pub(super) async fn append(
        &self,
        stream: &str,
        last: Option<u64>,
        events: &[Event],
    ) -> Result<u64, AppendFailure> {
        let state = last.map_or(StreamState::NoStream, StreamState::StreamRevision);
        let options = AppendToStreamOptions::default().stream_state(state).requires_leader(true);
        let options = options.deadline(self.address.deadline);
        let options = match &self.login {
            Some(login) => options.authenticated(login.clone()),
            None => options,
        };
        let mut pause = FIRST_PAUSE;
        let mut reason = String::new();
        for attempt in 0..=self.address.retries {
            match self.try_append(stream, last, &options, events).await {
                Ok(revision) => return Ok(revision),
                Err(AppendFailure::Unknown(why)) => reason = why,
                // After a call without an answer this says nothing about that one.
                Err(AppendFailure::Refused(why)) if attempt > 0 => reason = why,
                Err(definite) => return Err(definite),
            }
            tracing::warn!(stream, attempt, %reason, "an append got no answer");
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        let calls = u64::from(self.address.retries) + 1;
        Err(AppendFailure::Unknown(format!(
            "the server gave no answer to {calls} calls of one append, the last time: {reason}"
        )))
    }

    async fn try_append(
        &self,
        stream: &str,
        last: Option<u64>,
        options: &AppendToStreamOptions,
        events: &[Event],
    ) -> Result<u64, AppendFailure> {
        let client = self.client().map_err(AppendFailure::Unknown)?;
        let data: Vec<_> = events.iter().map(Event::data).collect();
        let call = client.append_to_stream(stream, options, data);
        let answer = timeout(self.address.deadline, call).await;
        let answer = answer.map_err(|_| AppendFailure::Unknown(self.no_answer()))?;
        let before = last.map_or("no events".to_owned(), |last| format!("revision {last}"));
        match answer {
            Ok(written) => {
                let count = u64::try_from(events.len()).unwrap_or(u64::MAX);
                let expected = last.map_or(0, |last| last.saturating_add(1)).saturating_add(count);
                let found = written.next_expected_version;
                if found.checked_add(1) == Some(expected) {
                    return Ok(found);
                }
                let found = format!("revision {found} after {count} events");
                Err(AppendFailure::Foreign { stream: stream.to_owned(), expected: before, found })
            }
            Err(Error::WrongExpectedVersion { current, .. }) => {
                let found = match current {
                    kurrentdb::CurrentRevision::Current(found) => format!("revision {found}"),
                    kurrentdb::CurrentRevision::NoStream => "no events".to_owned(),
                };
                Err(AppendFailure::Foreign { stream: stream.to_owned(), expected: before, found })
            }
            Err(Error::AccessDenied) => Err(AppendFailure::Denied(stream.to_owned())),
            Err(Error::ResourceDeleted) => Err(AppendFailure::Tombstone(stream.to_owned())),
            Err(Error::Grpc { code, message }) if refuses(&message) => {
                Err(AppendFailure::Refused(format!("the server refuses it ({code}): {message}")))
            }
            Err(other) => {
                self.lost(&other);
                Err(AppendFailure::Unknown(other.to_string()))
            }
        }
    }
}

impl Reading {
    /// The next event; `None` at the end of what was asked for.
    pub(super) async fn next(&mut self) -> Result<Option<RecordedEvent>, ReadFailure> {
        match timeout(self.deadline, self.stream.next()).await {
            // Links are not followed: one in a log is an event like any other, and foreign.
            Ok(Ok(found)) => Ok(found.and_then(|found| found.event.or(found.link))),
            Ok(Err(error)) => Err(failure(&error)),
            Err(_) => Err(ReadFailure::Unavailable(no_answer(self.deadline))),
        }
    }
}

fn failure(error: &Error) -> ReadFailure {
    if matches!(error, Error::ResourceNotFound) {
        return ReadFailure::NotFound;
    }
    if matches!(error, Error::ResourceDeleted) {
        return ReadFailure::Tombstone;
    }
    ReadFailure::Unavailable(error.to_string())
}

/// The server's words for an append that is larger than it is set to take: nothing was written.
fn refuses(message: &str) -> bool {
    message.to_ascii_lowercase().contains("maximum append")
}

fn no_answer(deadline: Duration) -> String {
    format!("no answer within {} ms", deadline.as_millis())
}

/// The server's client is built with a second provider of TLS and would make it the process's own:
/// with this, all of the process speaks TLS through `ring`.
fn use_ring() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        // Fails where the process has one already: then that one stays.
        let _ = rustls::crypto::CryptoProvider::install_default((*ring).clone());
    });
}
