//! A machine that asks for things: an API key that signs its requests (RFC 9421). It never
//! approves anything.

use super::{Role, check::invalid};
use crate::{Bytes, PersonId, Refusal, Timestamp, policy::Label, statement};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, net::IpAddr};

/// A machine and its rights. That its time is over is for the server to enforce: nothing in the log
/// proves who asked for something, only who agreed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Random, as a person's.
    pub id: PersonId,
    /// Ed25519 public key that its requests are signed with.
    pub key: Bytes,
    /// What it may do: nothing but initiator, viewer, auditor and compliance.
    pub roles: BTreeSet<Role>,
    /// The operations that it may ask for. Empty: all that its roles allow.
    pub scopes: BTreeSet<Label>,
    /// From where, as CIDR blocks. Empty: from anywhere.
    pub networks: Vec<String>,
    /// From then on the server does not listen to it.
    pub expires_at: Timestamp,
}

impl Machine {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let id = self.id;
        let may = |role: &Role| {
            matches!(role, Role::Initiator | Role::Viewer | Role::Auditor | Role::Compliance)
        };
        if self.roles.is_empty() || !self.roles.iter().all(may) {
            return invalid(format!(
                "machine {id}: a machine is an initiator, viewer, auditor or compliance, and no more"
            ));
        }
        if !statement::is_public_key(&self.key) {
            return invalid(format!("machine {id}: {} is no Ed25519 public key", self.key));
        }
        match self.networks.iter().find(|block| !is_network(block)) {
            Some(block) => invalid(format!(
                "machine {id}: `{}` is no network: expected its first address and the length of \
                 its prefix, as 192.0.2.0/24",
                block.escape_debug()
            )),
            None => Ok(()),
        }
    }
}

/// Whether it is a CIDR block in its one spelling: no bit is set behind the prefix.
fn is_network(block: &str) -> bool {
    let Some((address, prefix)) = block.split_once('/') else { return false };
    let (Ok(ip), Ok(length)) = (address.parse::<IpAddr>(), prefix.parse::<u32>()) else {
        return false;
    };
    let host = match ip {
        IpAddr::V4(ip) => {
            (length <= 32).then(|| u128::from(ip.to_bits().checked_shl(length).unwrap_or(0)))
        }
        IpAddr::V6(ip) => (length <= 128).then(|| ip.to_bits().checked_shl(length).unwrap_or(0)),
    };
    host == Some(0) && format!("{ip}/{length}") == block
}

#[cfg(test)]
mod tests {
    use super::is_network;

    #[test]
    fn a_network_has_one_spelling() {
        for good in ["192.0.2.0/24", "0.0.0.0/0", "192.0.2.7/32", "2001:db8::/32", "::1/128"] {
            assert!(is_network(good), "{good}");
        }
        for bad in [
            "192.0.2.1/24",
            "192.0.2.0",
            "192.0.2.0/33",
            "192.0.2.0/024",
            "192.0.2.0/+24",
            "2001:DB8::/32",
            "2001:db8::1/32",
            "::/129",
            "example/24",
            "",
        ] {
            assert!(!is_network(bad), "{bad}");
        }
    }
}
