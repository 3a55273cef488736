//! A machine behind a signed request. Never says whether it was the key, the network or the time
//! that was wrong: that is in the server's log.

use std::net::IpAddr;

use axum::http::request;

use super::{
    SignIn,
    request_signature::{Claimed, Parts},
};
use crate::{
    access::allows,
    application::{Caller, Failure, Via},
};

/// What is said of any signature that is not a machine's in force.
pub(super) const NOT_GOOD: &str = "no machine of the charter has signed this so, from there, now";

impl SignIn {
    /// Who signed a request. The body is not looked at: whoever reads it compares its digest.
    pub fn machine(&self, request: &request::Parts, from: IpAddr) -> Result<Caller, Failure> {
        let now = self.now();
        let claimed = Claimed::read(&request.headers, now).map_err(Failure::RequestSignature)?;
        let refused = |because: &'static str| {
            tracing::warn!(machine = %claimed.machine, %from, because, "a signed request was refused");
            Failure::RequestSignature(NOT_GOOD)
        };
        let machine =
            self.charter().machine(claimed.machine).ok_or_else(|| refused("no such machine"))?;
        let parts = Parts {
            method: &request.method,
            scheme: self.site().scheme(),
            authority: self.site().authority(),
            uri: &request.uri,
            headers: &request.headers,
        };
        claimed.verify(&machine.key, &parts).map_err(|because| {
            if because == NOT_GOOD {
                refused("wrong signature")
            } else {
                Failure::RequestSignature(because)
            }
        })?;
        if now >= machine.expires_at {
            return Err(refused("the machine's key has expired"));
        }
        if !allows(&machine.networks, from) {
            return Err(refused("used from another address"));
        }
        // Last: nobody but the machine itself uses its nonces up.
        if !self.nonces.take(claimed.machine, &claimed.nonce, claimed.expires, now)? {
            return Err(Failure::RequestSignature("this nonce was used before"));
        }
        let via = Via::Machine { scopes: machine.scopes };
        Ok(Caller { person: claimed.machine, roles: machine.roles, clients: None, via, at: now })
    }
}
