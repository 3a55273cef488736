//! Keys inside a PKCS#11 token (an HSM, or SoftHSM): made there, used there. Never lets a private key
//! leave the token, and never lets anybody outside this crate name a digest to sign.
//!
//! A token belongs to one process, and a process to one token: the library's state, its login and
//! its `C_Finalize` are process-wide (PKCS#11 2.40, section 5.4). A call inside the library cannot be
//! given a time limit: a token that hangs holds its thread, and with all sessions the signer. The
//! server's own limit makes that *unavailable* for the callers.

mod connection;
mod error;
mod keys;
mod signature;

use std::{
    num::NonZeroUsize,
    path::PathBuf,
    sync::{
        Condvar, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use cryptoki::{context::Pkcs11, mechanism::Mechanism, session::Session};
use sha2::{Digest, Sha256};
use strongroom_secrets::{SecretText, read_secret_text};
use uuid::Uuid;

use connection::{Connection, start};
use error::Lapse;
pub use error::TokenError;
pub use signature::EcdsaSignature;

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

/// A secp256k1 key in the token: its `CKA_ID` and what its signatures must verify under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenKey {
    /// `CKA_ID` is these 16 bytes.
    pub id: Uuid,
    /// SEC 1 compressed.
    pub public: [u8; 33],
}

/// An open token. Share it by reference between threads.
pub struct Token {
    settings: TokenSettings,
    pin: SecretText,
    module: Pkcs11,
    line: RwLock<Line>,
    free: Mutex<usize>,
    freed: Condvar,
    generating: Mutex<()>,
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
    /// The token refused the PIN. Trying again would lock it.
    PinRefused,
}

impl Token {
    /// Loads the library, finds the token and logs in.
    pub fn open(settings: TokenSettings) -> Result<Self, TokenError> {
        let pin = read_secret_text(&settings.pin_file)?;
        if OPEN.swap(true, Ordering::SeqCst) {
            return Err(TokenError::SecondToken);
        }
        let opened = Pkcs11::new(&settings.module)
            .map_err(|source| TokenError::Module {
                path: settings.module.clone(),
                what: source.to_string(),
            })
            .and_then(|module| Ok((start(&module, &settings, &pin)?, module)));
        let (connection, module) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                OPEN.store(false, Ordering::SeqCst);
                return Err(error);
            }
        };
        Ok(Self {
            free: Mutex::new(settings.sessions.get()),
            settings,
            pin,
            module,
            line: RwLock::new(Line { generation: 0, state: State::Up(connection) }),
            freed: Condvar::new(),
            generating: Mutex::new(()),
        })
    }

    /// Makes a key that can never leave the token. Refused when the token has one with this id.
    ///
    /// Not repeated after a lost answer: a crash may leave a key that nobody heard of, so call it
    /// with an id from the log, and ask [`Token::public_key`] on [`TokenError::KeyExists`].
    pub fn generate_secp256k1(&self, id: Uuid, label: &str) -> Result<TokenKey, TokenError> {
        let _one_at_a_time = self.generating.lock().unwrap_or_else(PoisonError::into_inner);
        self.probe()?;
        let made = self.attempt(&|connection, _session| {
            keys::generate(&self.module, connection.slot(), id, label)
        });
        let key = made.map_err(|(_, lapse)| lapse.into_error(id, &self.settings.label))?;
        self.prove(&key, &[0; 32])?;
        Ok(key)
    }

    /// The public key beside the private key with this id.
    pub fn public_key(&self, id: Uuid) -> Result<TokenKey, TokenError> {
        self.run(id, &|_, session| keys::public_key(session, id))
    }

    /// Signs a challenge as proof that the token still has the key and uses it rightly.
    ///
    /// What is signed is `SHA-256("strongroom/key-possession/v1" ‖ id ‖ challenge)`: no transaction of
    /// any chain has such a digest.
    pub fn prove(
        &self,
        key: &TokenKey,
        challenge: &[u8; 32],
    ) -> Result<EcdsaSignature, TokenError> {
        self.sign_digest(key, &possession_digest(key.id, challenge))
    }

    /// Whether the token answers; reconnects when it was away and is back.
    pub fn probe(&self) -> Result<(), TokenError> {
        self.run(Uuid::nil(), &|connection, session| {
            session.get_session_info().map_err(Lapse::call("C_GetSessionInfo"))?;
            connection.probe(&self.module).map_err(Lapse::call("C_GetTokenInfo"))
        })
    }

    /// Signs a digest: low-S, with its recovery id, verified under the key before it is returned.
    ///
    /// Only this crate calls it, after all of the signer's checks.
    pub(crate) fn sign_digest(
        &self,
        key: &TokenKey,
        digest: &[u8; 32],
    ) -> Result<EcdsaSignature, TokenError> {
        let raw = self.run(key.id, &|connection, session| {
            let handle = connection.private_key(session, key.id)?;
            session.sign(&Mechanism::Ecdsa, handle, digest).map_err(Lapse::call("C_Sign"))
        })?;
        EcdsaSignature::checked(&raw, &key.public, digest)
            .ok_or(TokenError::WrongSignature { id: key.id })
    }

    /// Runs a call that may be repeated: once more, exactly, after the connection was made anew.
    fn run<T>(&self, id: Uuid, call: &Call<'_, T>) -> Result<T, TokenError> {
        let (generation, lapse) = match self.attempt(call) {
            Ok(answer) => return Ok(answer),
            Err(failed) => failed,
        };
        if !self.worth_another(generation, &lapse)? {
            return Err(lapse.into_error(id, &self.settings.label));
        }
        self.attempt(call).map_err(|(_, lapse)| lapse.into_error(id, &self.settings.label))
    }

    /// Whether the connection is to blame, and is a new one by now.
    fn worth_another(&self, generation: u64, lapse: &Lapse) -> Result<bool, TokenError> {
        let gone = match lapse {
            Lapse::Final(_) => return Ok(false),
            Lapse::Absent => self.probe_once().is_err(),
            Lapse::Down => true,
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
            State::PinRefused => Err(Lapse::Final(TokenError::PinRefused)),
        };
        result.map_err(|lapse| (line.generation, lapse))
    }

    /// Replaces the connection, unless somebody did so since `generation`. Waits until no session is
    /// in use, because a logout or `C_Finalize` takes all of them away.
    fn reconnect(&self, generation: u64) -> Result<(), TokenError> {
        let mut line = self.line.write().unwrap_or_else(PoisonError::into_inner);
        if line.generation != generation {
            return Ok(());
        }
        let before = std::mem::replace(&mut line.state, State::Down);
        let again = match before {
            State::PinRefused => Err(TokenError::PinRefused),
            State::Up(connection) => connection.renew(&self.module, &self.settings, &self.pin),
            State::Down => connection::restart(&self.module, &self.settings, &self.pin),
        };
        line.generation = line.generation.saturating_add(1);
        match again {
            Ok(connection) => {
                line.state = State::Up(connection);
                Ok(())
            }
            Err(TokenError::PinRefused) => {
                line.state = State::PinRefused;
                Err(TokenError::PinRefused)
            }
            Err(error) => Err(TokenError::TokenUnavailable {
                label: self.settings.label.clone(),
                what: error.to_string(),
            }),
        }
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
