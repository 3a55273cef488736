//! What signers cost as processes: keys made, used and renewed through real signers by mutual TLS,
//! against the bare libraries in memory; what a signer's verification costs; and what a long history
//! does to it. As ratios in one run. It asserts nothing about time.
//!
//! There is no server: the bench writes a lawful log itself, as the hostile tests do, and plays the
//! coordinator, so that what is measured is the signers' work and what the wire and the disk add.
//!
//! `cargo bench -p strongroom-signer --bench processes -- [keys | throughput | growth] [2-of-3] [frost |
//! ecdsa]`; without arguments everything. `BENCH_DIR` says where the signers' folders go;
//! `BENCH_HISTORY=1000,10000` which histories are measured.

#![allow(clippy::print_stdout, reason = "printing figures is what this program is for")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    clippy::wildcard_enum_match_arm,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::unnecessary_debug_formatting,
    reason = "a measurement: it stops at the first thing that is not as it must be"
)]

#[path = "../bare/mod.rs"]
mod bare_ecdsa;
mod bare_frost;
mod cost;
#[path = "../../../tests/tests/e2e/hostile/forge.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod forge;
mod growth;
mod keys;
#[path = "../../../tests/tests/e2e/hostile/notary.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod notary;
mod payment;
mod process;
mod sessions;
mod throughput;
#[path = "../../../tests/tests/e2e/hostile/transactions.rs"]
#[allow(dead_code, clippy::unused_self, reason = "the tests use the rest of it")]
mod transactions;
mod world;

use std::path::PathBuf;

use strongroom_domain::key::Protocol;

/// Threshold and holders.
type Size = (u16, u16);

const SIZES: [Size; 4] = [(2, 3), (3, 5), (5, 7), (7, 10)];

/// Which of the two kinds of shares, and of what it pays with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Frost,
    Ecdsa,
}

impl Kind {
    const fn protocol(self) -> Protocol {
        match self {
            Self::Frost => Protocol::FrostSecp256k1Tr,
            Self::Ecdsa => Protocol::Dkls23Secp256k1,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Frost => "FROST",
            Self::Ecdsa => "ECDSA",
        }
    }
}

/// What the command line names; what it does not name is all of it.
struct Wanted(Vec<String>);

impl Wanted {
    fn has(&self, group: &[&str], name: &str) -> bool {
        !group.iter().any(|one| self.0.iter().any(|word| word == one))
            || self.0.iter().any(|word| word == name)
    }
}

/// Where the signers' files go: the disk, and memory where there is such a place.
fn disks() -> Vec<(&'static str, PathBuf)> {
    let disk = std::env::var_os("BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let memory = PathBuf::from("/dev/shm");
    let mut disks = vec![("disk", disk)];
    if memory.is_dir() {
        disks.push(("memory", memory));
    }
    disks
}

fn folder(of: &std::path::Path) -> tempfile::TempDir {
    tempfile::Builder::new().prefix("strongroom-bench-").tempdir_in(of).unwrap()
}

fn main() {
    let wanted = Wanted(std::env::args().skip(1).filter(|word| word != "--bench").collect());
    let parts = ["keys", "throughput", "growth"];
    let sizes: Vec<String> = SIZES.iter().map(|(t, n)| format!("{t}-of-{n}")).collect();
    let sizes: Vec<&str> = sizes.iter().map(String::as_str).collect();
    let kinds = [Kind::Frost, Kind::Ecdsa];
    let kinds = kinds
        .into_iter()
        .filter(|kind| wanted.has(&["frost", "ecdsa"], &kind.name().to_lowercase()));
    let kinds: Vec<Kind> = kinds.collect();
    if wanted.has(&parts, "keys") {
        for kind in &kinds {
            for size in SIZES.iter().zip(&sizes).filter(|(_, name)| wanted.has(&sizes, name)) {
                for (name, disk) in disks() {
                    keys::measure(*kind, *size.0, (name, &disk));
                }
            }
        }
    }
    if wanted.has(&parts, "throughput") {
        for kind in &kinds {
            throughput::measure(*kind);
        }
    }
    if wanted.has(&parts, "growth") {
        for kind in &kinds {
            growth::measure(*kind);
        }
    }
}
