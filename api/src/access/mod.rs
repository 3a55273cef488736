//! Who is calling: API tokens, what people sign in with, their sessions, wrong guesses and machines'
//! nonces, as they are kept beside the log. A secret of 256 random bits is kept as its SHA-256 (it
//! needs no slow hash), anything weaker sealed. Never decides what somebody may do: that is in the
//! charter.

mod account;
mod attempt;
mod network;
mod nonce;
mod register;
mod schema;
mod secret_id;
mod session;
mod token;

pub use account::{Account, Enrolment, NotEnrolled, PasskeyRow, SealedPassword};
pub use attempt::{LockedOut, Subject};
pub use network::{allows, network, plain};
pub use nonce::Nonces;
pub use register::{AccessError, AccessRegister, Bounds, Grant, Listed};
pub(crate) use register::{role_name, role_of};
pub use secret_id::SecretId;
pub use session::{IDLE_S, LONGEST_S, Method, Session, SessionId};
pub use token::{TokenId, TokenParts, TokenText};

#[cfg(test)]
mod tests;
