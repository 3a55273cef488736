//! Keys inside a PKCS#11 token (an HSM, or SoftHSM): made there, used there. Never lets a private key
//! leave the token, and never lets anybody outside this crate name a digest to sign.
//!
//! A token belongs to one process, and a process to one token: the library's state, its login and
//! its `C_Finalize` are process-wide (PKCS#11 2.40, section 5.4). A call inside the library cannot be
//! given a time limit; [`TimedToken`] says what is done about that.

mod confinement;
mod connection;
mod error;
mod key;
mod keys;
mod pin;
mod renewal;
mod signature;
mod timed;
mod wrapping;

use std::{
    num::NonZeroUsize,
    path::PathBuf,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use cryptoki::{context::Pkcs11, session::Session};
use sha2::{Digest, Sha256};
use strongroom_secrets::Secret;
use uuid::Uuid;

use connection::{Connection, start};
use error::Lapse;
pub use error::TokenError;
pub use key::{KeyKind, TokenKey, WrappingKey};
use pin::Pin;
use renewal::Restarts;
pub use timed::TimedToken;

/// Set while this process has a token open.
static OPEN: AtomicBool = AtomicBool::new(false);

/// Where a token is and how to log in.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    /// The vendor's PKCS#11 library.
    pub module: PathBuf,
    /// The token's label. Slots change their numbers; labels stay.
    pub label: String,
    /// The token's serial number, where a label is not unique.
    pub serial: Option<String>,
    /// A file with the user PIN, readable by its owner alone.
    pub pin_file: PathBuf,
    /// How many sessions may work at the same time.
    pub sessions: NonZeroUsize,
}

/// An open token. Share it by reference between threads.
pub struct Token {
    settings: TokenSettings,
    pin: Mutex<Pin>,
    module: Pkcs11,
    line: RwLock<Line>,
    free: Mutex<usize>,
    freed: Condvar,
    generating: Mutex<()>,
    restarts: Mutex<Restarts>,
}

/// The connection, and how often it was made anew: two threads that saw the same one fail must not
/// both replace it.
struct Line {
    generation: u64,
    state: State,
}

enum State {
    Up(Connection),
    Down,
    /// The token refused the PIN. Trying it again would lock the token.
    PinRefused,
}

impl Token {
    /// Loads the library, finds the token and logs in.
    pub fn open(settings: TokenSettings) -> Result<Self, TokenError> {
        match Self::attach(settings)? {
            (token, None) => Ok(token),
            (_, Some(problem)) => Err(problem),
        }
    }

    /// As [`Token::open`], with the problem beside a token that can't be used yet: one that is away,
    /// or refuses the PIN. It is tried again when it is used, the PIN when its file is written anew.
    ///
    /// A signer starts with it all the same. It has other keys, it is a witness, and a supervisor
    /// that restarted it over and over would try a wrong PIN until the token locks.
    pub fn attach(settings: TokenSettings) -> Result<(Self, Option<TokenError>), TokenError> {
        let mut token = Self::later(settings)?;
        let started = start(&token.module, &token.settings, &token.pin().text);
        let (state, problem) = match started {
            Ok(connection) => (State::Up(connection), None),
            Err(error @ TokenError::PinRefused) => {
                token.pin().refused = true;
                (State::PinRefused, Some(error))
            }
            Err(error) => (State::Down, Some(error)),
        };
        token.line = RwLock::new(Line { generation: 0, state });
        Ok((token, problem))
    }

    /// Loads the library and asks nothing of the token, which may hang: its first use does.
    pub fn later(settings: TokenSettings) -> Result<Self, TokenError> {
        let pin = Pin::read(&settings.pin_file)?;
        if OPEN.swap(true, Ordering::SeqCst) {
            return Err(TokenError::SecondToken);
        }
        let module = Pkcs11::new(&settings.module).map_err(|source| {
            OPEN.store(false, Ordering::SeqCst);
            TokenError::Module { path: settings.module.clone(), what: source.to_string() }
        })?;
        Ok(Self {
            free: Mutex::new(settings.sessions.get()),
            settings,
            pin: Mutex::new(pin),
            module,
            line: RwLock::new(Line { generation: 0, state: State::Down }),
            freed: Condvar::new(),
            generating: Mutex::new(()),
            restarts: Mutex::default(),
        })
    }

    /// The token's label.
    pub fn label(&self) -> &str {
        &self.settings.label
    }

    /// Makes a key that can never leave the token. Refused when the token has one with this id.
    ///
    /// Not repeated after a lost answer: a crash may leave a key that nobody heard of, so call it
    /// with an id from the log, and ask [`Token::public_key`] on [`TokenError::KeyExists`].
    pub fn generate(&self, kind: KeyKind, id: Uuid, label: &str) -> Result<TokenKey, TokenError> {
        let key = self.make(id, &|connection, _session| {
            keys::generate(&self.module, connection.slot(), kind, id, label)
        })?;
        self.prove(&key, &[0; 32])?;
        Ok(key)
    }

    /// The public key beside the private key with this id. Refused where that one is of another kind,
    /// was not made in a token, or could have left it.
    pub fn public_key(&self, kind: KeyKind, id: Uuid) -> Result<TokenKey, TokenError> {
        self.run(id, &|_, session| keys::public_key(session, id, kind))
    }

    /// Signs a challenge as proof that the token still has the key and uses it rightly.
    ///
    /// What is signed is `SHA-256("strongroom/key-possession/v1" ‖ id ‖ challenge)`: no transaction of
    /// any chain has such a digest.
    pub fn prove(&self, key: &TokenKey, challenge: &[u8; 32]) -> Result<Vec<u8>, TokenError> {
        self.sign(key, &possession_digest(key.id, challenge))
    }

    /// Makes an AES-256 key that encrypts key shares at rest, and nothing else. The label must be free.
    pub fn make_wrapping_key(&self, label: &str) -> Result<WrappingKey, TokenError> {
        let made = self.make(Uuid::nil(), &|connection, _session| {
            wrapping::generate(&self.module, connection.slot(), label)
        });
        made.map_err(|error| no_wrapping_key(error, label))
    }

    /// The one wrapping key with this label. Never makes one: under a new key old shares don't open.
    pub fn wrapping_key(&self, label: &str) -> Result<WrappingKey, TokenError> {
        let found = self.run(Uuid::nil(), &|_, session| wrapping::find(session, label));
        found.map_err(|error| no_wrapping_key(error, label))
    }

    /// Encrypts a secret under a wrapping key, bound to `aad`, which is authenticated and not stored.
    /// The result was opened again before it is returned. 45 bytes longer than the secret.
    pub fn seal(
        &self,
        key: &WrappingKey,
        aad: &[u8],
        secret: &Secret,
    ) -> Result<Vec<u8>, TokenError> {
        self.run(key.id, &|connection, session| {
            let handle = connection.wrapping_key(session, key.id)?;
            wrapping::seal(session, handle, key.id, aad, secret)
        })
    }

    /// Opens what [`Token::seal`] made under the same key and `aad`. [`TokenError::Unopened`] means
    /// that the text or its context is wrong; every other error, that the token is.
    pub fn unseal(
        &self,
        key: &WrappingKey,
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Secret, TokenError> {
        self.run(key.id, &|connection, session| {
            let handle = connection.wrapping_key(session, key.id)?;
            wrapping::open(session, handle, key.id, aad, sealed)
        })
    }

    /// Asks every idle session whether it is alive, and lets go of those that are not.
    pub(super) fn keep_alive(&self) -> Result<(), TokenError> {
        self.run(Uuid::nil(), &|connection, _| {
            connection.sweep();
            connection.probe(&self.module).map_err(Lapse::call("C_GetTokenInfo"))
        })
    }

    /// Whether the token answers; reconnects when it was away and is back.
    pub fn probe(&self) -> Result<(), TokenError> {
        self.run(Uuid::nil(), &|connection, session| {
            session.get_session_info().map_err(Lapse::call("C_GetSessionInfo"))?;
            connection.probe(&self.module).map_err(Lapse::call("C_GetTokenInfo"))
        })
    }

    /// Signs 32 bytes: the digest of ECDSA, the message of Ed25519 and RSA-PSS. Verified under the key
    /// before it is returned: `r ‖ s` with low s for ECDSA, 64 bytes for Ed25519, 256 for RSA.
    ///
    /// Only this crate calls it, after all of the signer's checks.
    pub(crate) fn sign(&self, key: &TokenKey, digest: &[u8; 32]) -> Result<Vec<u8>, TokenError> {
        let kind = key.kind();
        let raw = self.run(key.id, &|connection, session| {
            let handle = connection.private_key(session, key.id, kind)?;
            session.sign(&kind.signing(), handle, digest).map_err(Lapse::call("C_Sign"))
        })?;
        signature::checked(&key.public, digest, raw)
            .ok_or(TokenError::WrongSignature { id: key.id })
    }

    /// Makes something: one at a time, and never twice.
    fn make<T>(&self, id: Uuid, call: &Call<'_, T>) -> Result<T, TokenError> {
        let _one_at_a_time = self.generating.lock().unwrap_or_else(PoisonError::into_inner);
        self.probe()?;
        self.attempt(call).map_err(|(_, lapse)| lapse.into_error(id, &self.settings.label))
    }

    /// Runs a call that may be repeated.
    fn run<T>(&self, id: Uuid, call: &Call<'_, T>) -> Result<T, TokenError> {
        let ran = match self.repeated(call) {
            // What no list of codes tells apart, a vendor's own among them, may be the library's state; and what
            // was brought back into a token is seen by some only when they start over.
            Err(Lapse::Absent | Lapse::Call { .. }) if self.start_over() => self.repeated(call),
            other => other,
        };
        ran.map_err(|lapse| lapse.into_error(id, &self.settings.label))
    }

    /// Once more, exactly, after the connection was made anew.
    fn repeated<T>(&self, call: &Call<'_, T>) -> Result<T, Lapse> {
        let (generation, lapse) = match self.attempt(call) {
            Ok(answer) => return Ok(answer),
            Err(failed) => failed,
        };
        if !self.worth_another(generation, &lapse)? {
            return Err(lapse);
        }
        self.attempt(call).map_err(|(_, lapse)| lapse)
    }

    /// Whether the connection is to blame, and is a new one by now.
    fn worth_another(&self, generation: u64, lapse: &Lapse) -> Result<bool, TokenError> {
        let gone = match lapse {
            Lapse::Final(_) => return Ok(false),
            Lapse::Absent => self.probe_once().is_err(),
            Lapse::Down => true,
            Lapse::PinRefused => {
                let pin = self.pin();
                // Somebody else logged in with the new one meanwhile, or this call does.
                !pin.refused
                    || (pin.is_rewritten(&self.settings.pin_file)
                        && Pin::read(&self.settings.pin_file).is_ok())
            }
            Lapse::Call { lost, .. } => *lost,
        };
        if gone {
            self.reconnect(generation)?;
        }
        Ok(gone)
    }

    fn probe_once(&self) -> Result<(), Lapse> {
        let line = self.line.read().unwrap_or_else(PoisonError::into_inner);
        match &line.state {
            State::Up(connection) => {
                connection.probe(&self.module).map_err(Lapse::call("C_GetTokenInfo"))
            }
            State::Down | State::PinRefused => Err(Lapse::Down),
        }
    }

    /// One try with a session of the pool. A session that failed is closed, not given back.
    fn attempt<T>(&self, call: &Call<'_, T>) -> Result<T, (u64, Lapse)> {
        let _permit = self.permit();
        let line = self.line.read().unwrap_or_else(PoisonError::into_inner);
        let result = match &line.state {
            State::Up(connection) => connection.session(&self.module).and_then(|session| {
                let answer = call(connection, &session)?;
                connection.give_back(session);
                Ok(answer)
            }),
            State::Down => Err(Lapse::Down),
            State::PinRefused => Err(Lapse::PinRefused),
        };
        result.map_err(|lapse| (line.generation, lapse))
    }

    fn pin(&self) -> MutexGuard<'_, Pin> {
        self.pin.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn permit(&self) -> Permit<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free =
            self.freed.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free = free.saturating_sub(1);
        Permit(self)
    }
}

/// Something done with a session; may be done twice.
type Call<'a, T> = dyn Fn(&Connection, &Session) -> Result<T, Lapse> + 'a;

/// The right to use one session.
struct Permit<'a>(&'a Token);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut free = self.0.free.lock().unwrap_or_else(PoisonError::into_inner);
        *free = free.saturating_add(1);
        self.0.freed.notify_one();
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        // Sessions first: closing one after C_Finalize could close another's with the same number.
        self.line.write().unwrap_or_else(PoisonError::into_inner).state = State::Down;
        let _ = self.module.clone().finalize();
        OPEN.store(false, Ordering::SeqCst);
    }
}

/// What is missing is found by its label, and has no id that we know.
fn no_wrapping_key(error: TokenError, label: &str) -> TokenError {
    if let TokenError::KeyMissing { .. } = error {
        TokenError::NoWrappingKey { label: label.to_owned() }
    } else {
        error
    }
}

/// What [`Token::prove`] signs.
pub fn possession_digest(id: Uuid, challenge: &[u8; 32]) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"strongroom/key-possession/v1")
        .chain_update(id.as_bytes())
        .chain_update(challenge)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests;
