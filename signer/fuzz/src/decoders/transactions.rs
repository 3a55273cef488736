//! Transactions that a signer is asked to sign, and those that come back: one encoding of each, and
//! whatever is read can be judged.

use std::sync::LazyLock;

use strongroom_chains::{
    UnsignedTx,
    bitcoin::{
        Chain,
        multisig::{self, Descriptor, Offered},
    },
    transaction_id,
};
use strongroom_domain::{Bytes, Network};

fn nobodys(_: &strongroom_domain::Address) -> Option<strongroom_domain::AddressPath> {
    None
}

/// As the log has it, of every network.
pub(super) fn unsigned(bytes: &[u8]) -> bool {
    let given = Bytes(bytes.to_vec());
    let mut taken = false;
    for network in Network::ALL {
        if let Ok(read) = UnsignedTx::parse(network, &given) {
            assert_eq!(read.to_bytes(), given);
            let _ = (read.effect(&nobodys), read.returned(&nobodys), read.fee());
            let _ = read.signing_payloads(&nobodys);
            assert!(read.excludes(&read) || !read.depends_on(&read));
            taken = true;
        }
        let Ok(chain) = Chain::of(network) else { continue };
        if let Ok(read) = multisig::UnsignedTx::parse(chain, bytes) {
            assert_eq!(read.to_bytes(), given);
            let _ = (read.outputs(), read.fee(), read.payloads(0));
            assert!(multisig::UnsignedTx::is_one(bytes));
            taken = true;
        }
    }
    taken
}

/// The wallets of the seeds.
static DESCRIPTORS: LazyLock<Vec<Descriptor>> = LazyLock::new(|| {
    let texts = include_str!("../descriptors.txt");
    texts.lines().map(|line| Descriptor::import(line).unwrap()).collect()
});

/// As a cosigner's device, or another wallet, hands it over.
pub(super) fn offered(bytes: &[u8]) -> bool {
    let mut taken = false;
    for descriptor in &*DESCRIPTORS {
        for network in [Network::Bitcoin, Network::BitcoinRegtest, Network::LitecoinRegtest] {
            let chain = Chain::of(network).unwrap();
            let Ok(read) = Offered::read(chain, descriptor, bytes) else { continue };
            assert_eq!(read.unsigned.descriptor(), descriptor);
            let _ = (read.unsigned.outputs(), read.unsigned.fee(), read.unsigned.payloads(0));
            // Ours of it is one that we read, and has no more signatures than were verified.
            let plain = read.unsigned.to_bytes();
            let again = Offered::read(chain, descriptor, plain.as_slice()).unwrap();
            assert_eq!(again.unsigned, read.unsigned);
            assert!(again.signatures.is_empty());
            taken = true;
        }
    }
    taken
}

/// As a node has it.
pub(super) fn signed(bytes: &[u8]) -> bool {
    let given = Bytes(bytes.to_vec());
    Network::ALL.into_iter().filter(|network| transaction_id(*network, &given).is_ok()).count() > 0
}
