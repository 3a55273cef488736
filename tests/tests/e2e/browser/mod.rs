//! People at browsers: real Chromium with a virtual authenticator, the real server, signers and
//! nodes. What a browser complains of fails the test.

mod approving;
mod frame;
mod house;
mod officer;
