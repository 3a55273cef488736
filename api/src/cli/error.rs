//! Why a command of the command line failed. Never holds a secret: only paths, ids and reasons.

use std::{io, path::PathBuf};

use strongroom_commands::{CommandError, bus::LoadError};
use strongroom_domain::Refusal;
use strongroom_secrets::{DurableFileError, SecretFileError};
use strongroom_store::{BackupError, ImportError, OpenError, ReadError, copy::CopyError};

use crate::{
    access::AccessError,
    approval_key::ApprovalKeyError,
    charter_spec::SpecError,
    data_directory::DataError,
    policy_file::{ExamplesError, PolicyFileError},
    serve::ServeError,
    token_key::TokenKeyError,
};

/// Why a command failed, to be printed as it is.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Standard output.
    #[error("cannot write the answer: {0}")]
    Say(io::Error),
    /// A file of the caller's.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Something that can't be written as JSON: a bug.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A passphrase or token file.
    #[error(transparent)]
    Secret(#[from] SecretFileError),
    /// An output file.
    #[error(transparent)]
    Write(#[from] DurableFileError),
    /// The data directory.
    #[error(transparent)]
    Data(#[from] DataError),
    /// An approval key.
    #[error(transparent)]
    Key(#[from] ApprovalKeyError),
    /// A key in a token.
    #[error(transparent)]
    TokenKey(#[from] TokenKeyError),
    /// Nothing to sign with.
    #[error(
        "no key: give --key and --passphrase-file, or --pkcs11-module, --token-label, --key-label \
         and --pin-file"
    )]
    NoKey,
    /// A wallet was not asked about.
    #[error("the rotation was not asked for: {0}")]
    Rotation(String),
    /// The charter's specification.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A rule forbids it.
    #[error("refused by {0}")]
    Refused(#[from] Refusal),
    /// The tokens.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The log can't be opened.
    #[error("the log: {0}")]
    OpenLog(#[from] OpenError),
    /// The log was not copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The database was not sealed.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The log was not saved or restored.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The log can't be read.
    #[error(transparent)]
    ReadLog(#[from] ReadError),
    /// The log can't be followed.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The command bus said no.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The server.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The machine.
    #[error("cannot start the runtime: {0}")]
    Runtime(io::Error),
    /// A server that does not answer as it should.
    #[error("the server {url}: {reason}")]
    Server {
        /// Whom we asked.
        url: String,
        /// What it said, or why it could not be asked.
        reason: String,
    },
    /// The server's statement is not what it should be: nothing was signed.
    #[error("not signed: {0}")]
    Statement(String),
    /// A policy file.
    #[error(transparent)]
    PolicyFile(#[from] PolicyFileError),
    /// The examples beside a policy.
    #[error(transparent)]
    ExamplesFile(#[from] ExamplesError),
    /// A policy does not do what its examples say.
    #[error("{wrong} of {of} examples are not met")]
    Examples {
        /// How many are not met.
        wrong: usize,
        /// How many there are.
        of: usize,
    },
    /// A policy that is odd.
    #[error("{0} findings: read them before anybody votes on this policy")]
    Lint(usize),
    /// The log is not what it should be.
    #[error("entry {position} of the log: {reason}")]
    History {
        /// Where it is filed.
        position: i64,
        /// What is wrong with it.
        reason: String,
    },
    /// The approver changed their mind.
    #[error("not signed: expected the word `{0}`")]
    NotConfirmed(&'static str),
}
