//! Public packages and public keys, as the log has them: one encoding of each.

use strongroom_chains::{
    TokenPublic,
    frost::{GroupKey, GroupPublic},
};
use strongroom_domain::{Bytes, key::Protocol};
use strongroom_signer::dkls::DklsPublic;

pub(super) fn read(bytes: &[u8]) -> bool {
    let mut taken = false;
    if let Ok(public) = GroupPublic::from_bytes(bytes) {
        assert_eq!(public.to_bytes().unwrap(), bytes);
        assert!(public.holders().all(|holder| public.public_share(holder).is_ok()));
        taken = true;
    }
    if let Ok(public) = DklsPublic::from_bytes(bytes) {
        assert_eq!(public.to_bytes().unwrap(), bytes);
        assert!(public.threshold() >= 2 && public.threshold() <= public.holders());
        taken = true;
    }
    if let Ok(key) = GroupKey::from_bytes(bytes) {
        assert_eq!(key.to_bytes().as_slice(), bytes);
        taken = true;
    }
    for protocol in Protocol::ALL {
        taken |= TokenPublic::parse(protocol, &Bytes(bytes.to_vec())).is_ok();
    }
    taken
}
