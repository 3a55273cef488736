//! Headless Chromium for tests, driven as a person drives it: real chromedriver and browser
//! processes, real keys pressed, a virtual authenticator for passkeys. Never an answer made up for
//! the server, and never longer alive than the test that started it.
//!
//! `WebDriver` is JSON over HTTP (W3C WebDriver, and WebAuthn Level 2 §11 for authenticators). It is
//! spoken here with the HTTP client that is there already: `fantoccini` needs a crate under a licence
//! that deny.toml does not allow (MPL-2.0), `thirtyfour` a second HTTP client.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a browser that does not do what it is told is a failed test, which is what a panic says"
)]

mod authenticator;
mod console;
mod driver;
mod element;
mod keyboard;
mod meddler;
mod session;

pub use authenticator::{Authenticator, Passkey};
pub use driver::Chromedriver;
pub use element::Element;
pub use keyboard::Key;
pub use meddler::Meddler;
pub use session::{Browser, Window};
