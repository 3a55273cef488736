//! Signing in, over HTTP: from an invitation to a session, and every attack that this must hold
//! against. The authenticator is software; everything else is the real server.

mod enrolment;
mod guessing;
mod machines;
mod secrets;
mod sessions;

const PASSWORD: &str = "four unrelated words here";
