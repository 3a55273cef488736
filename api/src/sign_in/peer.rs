//! From where a request comes: the socket's other end, or, behind our own proxies, what they say.
//! Never takes a header's word from anybody else.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};
use ipnet::IpNet;

use crate::{
    access::{allows, plain},
    application::Failure,
    rest::Problem,
};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address that a request comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer(pub IpAddr);

impl Peer {
    /// The nearest address that is not one of our proxies'. A proxy that says nothing readable is
    /// taken for the caller itself: that holds callers back together, and lets nobody pose.
    pub fn of(socket: SocketAddr, headers: &HeaderMap, proxies: &[IpNet]) -> Self {
        let mut nearest = plain(socket.ip());
        let said = headers.get_all(FORWARDED_FOR).iter().rev();
        let hops = said.flat_map(|value| value.to_str().unwrap_or("?").rsplit(','));
        for hop in hops {
            if proxies.is_empty() || !allows(proxies, nearest) {
                break;
            }
            let Ok(hop) = hop.trim().parse() else { break };
            nearest = plain(hop);
        }
        Self(nearest)
    }
}

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let peer = parts.extensions.get::<Self>().copied();
        peer.ok_or(Problem(Failure::Unauthenticated))
    }
}

#[cfg(test)]
mod tests {
    use super::{HeaderMap, IpNet, Peer};

    fn peer(socket: &str, said: &[&str], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in said {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let proxies: Vec<IpNet> = proxies.iter().map(|one| one.parse().unwrap()).collect();
        Peer::of(format!("{socket}:1").parse().unwrap(), &headers, &proxies).0.to_string()
    }

    #[test]
    fn only_our_own_proxies_are_believed_and_only_about_the_next_hop() {
        assert_eq!(peer("192.0.2.1", &["198.51.100.7"], &[]), "192.0.2.1");
        assert_eq!(peer("192.0.2.1", &["198.51.100.7"], &["10.0.0.0/8"]), "192.0.2.1");
        let ours = ["10.0.0.0/8"];
        assert_eq!(peer("10.0.0.1", &["198.51.100.7"], &ours), "198.51.100.7");
        // What the caller wrote itself stands to the left.
        assert_eq!(peer("10.0.0.1", &["203.0.113.9, 198.51.100.7"], &ours), "198.51.100.7");
        assert_eq!(
            peer("10.0.0.1", &["203.0.113.9", "198.51.100.7, 10.2.0.1"], &ours),
            "198.51.100.7"
        );
        assert_eq!(peer("10.0.0.1", &["unknown"], &ours), "10.0.0.1");
        assert_eq!(peer("[::ffff:10.0.0.1]", &["2001:db8::1"], &ours), "2001:db8::1");
    }
}
