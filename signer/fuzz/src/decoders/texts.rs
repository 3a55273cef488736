//! Descriptors, key expressions, extended keys, paths and addresses as text.

use strongroom_chains::{
    bitcoin::multisig::{Descriptor, KeyExpression},
    hd, parse_address,
};
use strongroom_domain::{Network, SignerId};

pub(super) fn read(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let mut taken = false;
    for read in [text.parse::<Descriptor>(), Descriptor::import(text)].into_iter().flatten() {
        assert_eq!(read.to_string().parse::<Descriptor>().as_ref(), Ok(&read));
        taken = true;
    }
    if let Ok(read) = text.parse::<KeyExpression>() {
        assert_eq!(read.to_string().parse::<KeyExpression>().as_ref(), Ok(&read));
        taken = true;
    }
    if let Ok(read) = text.parse::<hd::Path>() {
        assert_eq!(read.to_string().parse::<hd::Path>().as_ref(), Ok(&read));
        taken = true;
    }
    if let Ok(read) = text.parse::<SignerId>() {
        assert_eq!(read.to_string().parse::<SignerId>().as_ref(), Ok(&read));
    }
    for network in Network::ALL {
        if let Ok(address) = parse_address(network, text) {
            assert_eq!(parse_address(network, address.as_str()).as_ref(), Ok(&address));
            taken = true;
        }
        let account = hd::Account { purpose: hd::Purpose::Bip84, network, number: 0 };
        taken |= hd::AccountKey::parse(account, text).is_ok();
    }
    taken
}
