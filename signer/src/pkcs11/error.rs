//! What can go wrong with a token, and whose affair it is. Never holds a PIN.

use std::path::PathBuf;

use cryptoki::error::{Error, RvError};
use strongroom_secrets::SecretFileError;
use thiserror::Error as ThisError;
use uuid::Uuid;

/// Why a token did not do as asked.
#[derive(Debug, ThisError)]
pub enum TokenError {
    /// The PIN file.
    #[error(transparent)]
    PinFile(#[from] SecretFileError),
    /// The library does not load.
    #[error("cannot load the PKCS#11 module {}: {what}", path.display())]
    Module {
        /// The library.
        path: PathBuf,
        /// What the loader said.
        what: String,
    },
    /// This process has a token open.
    #[error("a process opens one token; run a signer for each")]
    SecondToken,
    /// No token of that name.
    #[error("no token is labelled \"{label}\"; there are {found:?}")]
    NoToken {
        /// What was looked for.
        label: String,
        /// What was found.
        found: Vec<String>,
    },
    /// Several tokens of that name.
    #[error("{count} tokens are labelled \"{label}\"; name the serial number too")]
    SeveralTokens {
        /// What was looked for.
        label: String,
        /// How many there are.
        count: usize,
    },
    /// The token refused the PIN: it is not tried again, since a few more tries lock the token.
    #[error("the token refused the PIN, which is not tried again before its file is written anew")]
    PinRefused,
    /// Unplugged, unreachable or broken. Its keys are not lost: try again later.
    #[error("the token \"{label}\" is unavailable: {what}")]
    TokenUnavailable {
        /// The token.
        label: String,
        /// What failed.
        what: String,
    },
    /// The token answers and has no such key: destroyed, or another token with the same label.
    #[error("the token has no private key with the id {id}; restore it or retire the key")]
    KeyMissing {
        /// `CKA_ID`.
        id: Uuid,
    },
    /// More than one: `CKA_ID` is not unique by itself, and which one signs would be chance.
    #[error("the token has {count} keys with the id {id}; remove all but the right one")]
    SeveralKeys {
        /// `CKA_ID`.
        id: Uuid,
        /// How many there are.
        count: usize,
    },
    /// Generating again would make a second one.
    #[error("the token has a key with the id {id} already")]
    KeyExists {
        /// `CKA_ID`.
        id: Uuid,
    },
    /// The token made the key otherwise than told.
    #[error("the token's key {id} is not as it must be: {what}")]
    KeyUnfit {
        /// `CKA_ID`.
        id: Uuid,
        /// What is wrong with it.
        what: &'static str,
    },
    /// There is no such wrapping key: another token, or none was made.
    #[error("the token has no AES key labelled \"{label}\"")]
    NoWrappingKey {
        /// `CKA_LABEL`.
        label: String,
    },
    /// More than one: under which of them something was sealed would be chance.
    #[error("the token has {count} secret keys labelled \"{label}\"; remove all but the right one")]
    SeveralWrappingKeys {
        /// `CKA_LABEL`.
        label: String,
        /// How many there are.
        count: usize,
    },
    /// Generating again would make a second one.
    #[error("the token has a secret key labelled \"{label}\" already")]
    WrappingKeyExists {
        /// `CKA_LABEL`.
        label: String,
    },
    /// The text was changed, or is for something else.
    #[error("the token's key {id} did not seal this for this purpose, or it was changed since")]
    Unopened {
        /// `CKA_ID`.
        id: Uuid,
    },
    /// Another key has sealed it.
    #[error("this was sealed under the key {by}, and the token's is {id}")]
    SealedByOther {
        /// `CKA_ID` of the key at hand.
        id: Uuid,
        /// `CKA_ID` of the key that it names.
        by: Uuid,
    },
    /// The signature does not verify under the key: nothing leaves the signer.
    #[error("the token's signature does not verify under the key {id}")]
    WrongSignature {
        /// `CKA_ID`.
        id: Uuid,
    },
    /// Any other refusal of the token.
    #[error("{step} failed: {code}")]
    Token {
        /// The PKCS#11 function.
        step: &'static str,
        /// The return code's name.
        code: String,
    },
}

/// Why one attempt failed, before it is known whether another is worth it.
pub(super) enum Lapse {
    /// Another attempt gives the same.
    Final(TokenError),
    /// The search found no key.
    Absent,
    /// There is no connection.
    Down,
    /// There is none, since the token refused the PIN.
    PinRefused,
    /// A call of the library failed; `lost` if a new connection may help.
    Call { step: &'static str, code: String, lost: bool },
}

impl Lapse {
    /// For `map_err` on a call of the library.
    pub(super) fn call(step: &'static str) -> impl FnOnce(Error) -> Self {
        move |error| Self::Call { step, code: code(&error), lost: is_lost(&error) }
    }

    /// What it comes to when there is no other attempt.
    pub(super) fn into_error(self, id: Uuid, label: &str) -> TokenError {
        let unavailable = |what| TokenError::TokenUnavailable { label: label.to_owned(), what };
        match self {
            Self::Final(error) => error,
            Self::Absent => TokenError::KeyMissing { id },
            Self::PinRefused => TokenError::PinRefused,
            Self::Down => unavailable("there is no connection to it".into()),
            Self::Call { step, code, lost: true } => unavailable(format!("{step} failed: {code}")),
            Self::Call { step, code, lost: false } => TokenError::Token { step, code },
        }
    }
}

impl From<TokenError> for Lapse {
    fn from(error: TokenError) -> Self {
        Self::Final(error)
    }
}

/// The return code's name; the library's texts are paragraphs.
pub(super) fn code(error: &Error) -> String {
    if let Error::Pkcs11(code, _) = error { format!("{code:?}") } else { error.to_string() }
}

pub(super) fn is_pin(error: &Error) -> bool {
    use RvError::{PinExpired, PinIncorrect, PinInvalid, PinLenRange, PinLocked};
    matches!(
        error,
        Error::Pkcs11(PinIncorrect | PinLocked | PinInvalid | PinExpired | PinLenRange, _)
    )
}

/// Codes after which handle, session, login or token may be stale. A destroyed key and a lost token
/// give the same ones, so the connection is probed afterwards.
fn is_lost(error: &Error) -> bool {
    use RvError::{
        CryptokiNotInitialized, DeviceError, DeviceRemoved, FunctionFailed, GeneralError,
        KeyHandleInvalid, ObjectHandleInvalid, OperationActive, SessionClosed,
        SessionHandleInvalid, SlotIdInvalid, TokenNotPresent, TokenNotRecognized, UserNotLoggedIn,
    };
    matches!(
        error,
        Error::Pkcs11(
            CryptokiNotInitialized
                | DeviceError
                | DeviceRemoved
                | FunctionFailed
                | GeneralError
                | KeyHandleInvalid
                | ObjectHandleInvalid
                | OperationActive
                | SessionClosed
                | SessionHandleInvalid
                | SlotIdInvalid
                | TokenNotPresent
                | TokenNotRecognized
                | UserNotLoggedIn,
            _
        )
    )
}
