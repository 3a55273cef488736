//! Addresses and networks (CIDR), in one spelling only. Never resolves a name.

use std::net::IpAddr;

use ipnet::IpNet;

/// Reads `10.1.0.0/16`, `2001:db8::/32` or a single address. Refuses a network that names a host in
/// it: `10.1.2.3/16` may have been meant either way.
pub fn network(text: &str) -> Result<IpNet, String> {
    let malformed =
        || format!("`{text}` is no network: expected 10.1.0.0/16, 2001:db8::/32 or one address");
    let network = match text.parse::<IpNet>() {
        Ok(network) => network,
        Err(_) => IpNet::from(text.parse::<IpAddr>().map_err(|_| malformed())?),
    };
    if network.trunc() == network {
        return Ok(network);
    }
    Err(format!(
        "`{text}` names one address in a network: write {} or {}/{}",
        network.trunc(),
        network.addr(),
        network.max_prefix_len()
    ))
}

/// An IPv4 address that came in IPv6's clothes is an IPv4 address.
pub fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// Whether an address is in one of the networks; in any, where there are none.
pub fn allows(networks: &[IpNet], address: IpAddr) -> bool {
    networks.is_empty() || networks.iter().any(|network| network.contains(&plain(address)))
}
