//! What a 2-of-3 FROST signature costs through real processes, against the bare crate in memory, as
//! a ratio in one run; and the same interval for a key in an HSM, for which `signer/benches/hsm.rs`
//! measures the bare operation. It asserts nothing about time.
//!
//! Measured from the time of the entry `transfer.attempt-authorised` to that of
//! `transfer.attempt-signed`. In between: the first entry's fsync; the push of the log to the
//! signers over mutual TLS; in each, verification of the entries and every rule applied again; both
//! rounds, each with all of a signer's checks, and the consumption and log copy synced to disk before
//! the first; every share checked by its maker; combination and verification by the server; the
//! decision. The second entry's own fsync is not in it. With clients at once more may be on their way
//! than there are clients, who don't wait for signatures. Bare: two commitments, two shares, one
//! aggregation, with the taproot tweak, on one thread.

#![allow(clippy::print_stdout, reason = "printing figures is what this program is for")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "a measurement: it stops at the first thing that is not as it must be"
)]

use std::collections::BTreeMap;
use std::time::Instant;

use frost_secp256k1_tr::{
    self as frost, Identifier, SigningPackage,
    keys::{IdentifierList, KeyPackage, PublicKeyPackage},
};
use rand::rngs::OsRng;
use strongroom_domain::Network;
use strongroom_tests::deployment::{Deployment, Networks};
use strongroom_tests::withdrawals::{Withdrawals, raise_limit, signings};

const ALONE: usize = 150;
const TOGETHER: usize = 320;
const IN_FLIGHT: usize = 16;
const BARE: usize = 300;

fn main() {
    let root = tempfile::tempdir().expect("a folder");
    let mut strongroom = Deployment::found(root.path(), Networks::without_bitcoin());
    raise_limit(&mut strongroom, 100_000);
    let bare = Bare::new();
    let mut signed = 0;
    for (name, network) in [("FROST", Network::LitecoinRegtest), ("HSM", Network::EthereumDev)] {
        let before = bare.median();
        let load = Withdrawals::prepare(&strongroom, network, ALONE + TOGETHER);
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        for _ in 0..ALONE {
            runtime.block_on(load.ask_and_approve());
            signed += 1;
            drop(signings(&strongroom, signed));
        }
        let mut alone = signings(&strongroom, signed);
        runtime.block_on(load.make(TOGETHER, IN_FLIGHT));
        signed += TOGETHER;
        let mut together = signings(&strongroom, signed);
        for list in [&mut alone, &mut together] {
            list.sort_unstable();
        }
        let alone = alone.split_off(signed - ALONE - TOGETHER);
        let together = together.split_off(signed - TOGETHER);
        let after = bare.median();
        let bare = f64::midpoint(before, after);
        println!(
            "{name}, bare FROST 2 of 3 in memory: {bare:.0} us ({before:.0} before, {after:.0} after)"
        );
        tell("one after the other", &alone, bare);
        tell("16 clients", &together, bare);
    }
    strongroom.stop();
}

fn tell(how: &str, signings: &[(u64, u64)], bare: f64) {
    let mut took: Vec<u64> =
        signings.iter().map(|(authorised, signed)| signed.saturating_sub(*authorised)).collect();
    took.sort_unstable();
    let at = |percent: usize| took[took.len() * percent / 100];
    let first = signings.iter().map(|(authorised, _)| *authorised).min().expect("one");
    let last = signings.iter().map(|(_, signed)| *signed).max().expect("one");
    let each = last.saturating_sub(first) as f64 / signings.len() as f64;
    println!(
        "  {how}: median {} us = {:.1} x bare, p95 {} us; one every {each:.0} us, of {}",
        at(50),
        at(50) as f64 / bare,
        at(95),
        signings.len()
    );
}

/// The crate alone, with a dealer's key.
struct Bare {
    packages: BTreeMap<Identifier, KeyPackage>,
    public: PublicKeyPackage,
}

impl Bare {
    fn new() -> Self {
        let (shares, public) =
            frost::keys::generate_with_dealer(3, 2, IdentifierList::Default, OsRng)
                .expect("shares");
        let packages = shares
            .into_iter()
            .take(2)
            .map(|(id, share)| (id, KeyPackage::try_from(share).expect("a package")));
        Self { packages: packages.collect(), public }
    }

    fn sign(&self, message: &[u8; 32]) {
        let (mut nonces, mut commitments) = (BTreeMap::new(), BTreeMap::new());
        for (id, package) in &self.packages {
            let drawn = frost::round1::commit(package.signing_share(), &mut OsRng);
            nonces.insert(*id, drawn.0);
            commitments.insert(*id, drawn.1);
        }
        let signing = SigningPackage::new(commitments, message);
        let mut shares = BTreeMap::new();
        for (id, package) in &self.packages {
            let share = frost::round2::sign_with_tweak(&signing, &nonces[id], package, None);
            shares.insert(*id, share.expect("a share"));
        }
        frost::aggregate_with_tweak(&signing, &shares, &self.public, None).expect("a signature");
    }

    /// Microseconds.
    fn median(&self) -> f64 {
        let mut took: Vec<f64> = (0..BARE)
            .map(|number| {
                let mut message = [0; 32];
                message[..8].copy_from_slice(&(number as u64).to_be_bytes());
                let started = Instant::now();
                self.sign(&message);
                started.elapsed().as_secs_f64() * 1e6
            })
            .collect();
        took.sort_unstable_by(f64::total_cmp);
        took[took.len() / 2]
    }
}
