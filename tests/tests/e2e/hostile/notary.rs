//! The log's own keys and the outside witnesses' keys: who holds them all can make any checkpoint
//! count. Never holds a signer's witness key.

use ed25519_dalek::SigningKey;
use rand::RngCore as _;
use strongroom_domain::charter::{OutsideWitness, WitnessAlgorithm, Witnessing};
use strongroom_domain::protocol::{LogEntry, Order};
use strongroom_domain::{Bytes, Digest, LogId};
use strongroom_ledger::tree::{consistency_tiles, prove_consistency};
use strongroom_ledger::witness::{AddCheckpoint, consider};
use strongroom_ledger::{
    Frontier, Hash, KeyName, LogKeys, Note, SignedCheckpoint, Tile, Tiles, Timestamp, TreeHead,
    WitnessKey, leaf_hash,
};
use uuid::Uuid;

pub(super) struct Notary {
    pub(super) log: LogId,
    seeds: ([u8; 32], [u8; 32]),
    /// One more than there are signers: together with nobody else they are enough.
    pub(super) outside: Vec<WitnessKey>,
}

fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    rand::rngs::OsRng.fill_bytes(&mut seed);
    seed
}

/// A time that has not come: it proves of no entry that it is older than it looks.
fn at() -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000).unwrap()
}

fn leaves(entries: &[LogEntry]) -> Vec<Hash> {
    entries.iter().map(|line| leaf_hash(line.entry.as_bytes())).collect()
}

impl Notary {
    pub(super) fn new(signers: usize) -> Self {
        let key = |number: usize| {
            let name = KeyName::new(&format!("outside-{number}")).unwrap();
            WitnessKey::ed25519(name, &seed()).unwrap()
        };
        Self {
            log: LogId(Uuid::now_v7()),
            seeds: (seed(), seed()),
            outside: (0..=signers).map(key).collect(),
        }
    }

    fn keys(&self, resumptions: u32) -> LogKeys {
        let origin = match resumptions {
            0 => format!("strongroom/{}", self.log),
            number => format!("strongroom/{}/{number}", self.log),
        };
        LogKeys::from_seeds(&KeyName::new(&origin).unwrap(), &self.seeds.0, &self.seeds.1).unwrap()
    }

    /// For the charter: Ed25519 and ML-DSA-44.
    pub(super) fn log_keys(&self) -> (Bytes, Bytes) {
        let ed25519 = SigningKey::from_bytes(&self.seeds.0).verifying_key().to_bytes();
        let verifier = self.keys(0).verifier();
        (Bytes(ed25519.to_vec()), Bytes(verifier.keys()[1].bytes().to_vec()))
    }

    pub(super) fn witnessing(&self) -> Witnessing {
        let outside = |key: &WitnessKey| OutsideWitness {
            name: key.verifier().name().to_string(),
            algorithm: WitnessAlgorithm::Ed25519,
            key: Bytes(key.verifier().bytes().to_vec()),
        };
        Witnessing {
            threshold: self.outside.len().try_into().unwrap(),
            outside: self.outside.iter().map(outside).collect(),
        }
    }

    /// What the log signs at the end of these entries.
    pub(super) fn signed(&self, entries: &[LogEntry], resumptions: u32) -> SignedCheckpoint {
        let mut frontier = Frontier::new();
        for leaf in leaves(entries) {
            frontier.push(leaf, |_, _, _| {});
        }
        self.keys(resumptions).sign(frontier.head(), at()).unwrap()
    }

    /// The same, cosigned by these outside witnesses.
    pub(super) fn witnessed(
        &self,
        entries: &[LogEntry],
        resumptions: u32,
        by: std::ops::Range<usize>,
    ) -> Note {
        self.witnessed_at(entries, resumptions, by, at())
    }

    /// The same, at that time by the witnesses' own clocks.
    pub(super) fn witnessed_at(
        &self,
        entries: &[LogEntry],
        resumptions: u32,
        by: std::ops::Range<usize>,
        at: Timestamp,
    ) -> Note {
        let checkpoint = self.signed(entries, resumptions);
        let mut note = checkpoint.note().clone();
        let request = AddCheckpoint { old: 0, proof: Vec::new(), checkpoint: note.clone() };
        let accepted = consider(None, &self.keys(resumptions).verifier(), &request).unwrap();
        for key in &self.outside[by] {
            note.add(key.cosign(&accepted, at).unwrap()).unwrap();
        }
        note
    }

    /// The order to cosign what the log signs, with a true proof from `old`.
    pub(super) fn cosign(&self, entries: &[LogEntry], resumptions: u32, old: u64) -> Order {
        let leaves = leaves(entries);
        let size = u64::try_from(leaves.len()).unwrap();
        let tiles = consistency_tiles(old, size).into_iter();
        let tiles: Tiles = tiles.map(|tile| (tile, hashes(tile, &leaves))).collect();
        let proof = prove_consistency(old, size, &tiles).unwrap();
        Order::Cosign {
            old,
            proof: proof.iter().map(|hash| Digest(*hash.as_bytes())).collect(),
            checkpoint: self.signed(entries, resumptions).note().to_string(),
        }
    }
}

/// The hashes of a tile, each over all leaves below it.
fn hashes(tile: Tile, leaves: &[Hash]) -> Vec<Hash> {
    let below = 256_usize.pow(u32::from(tile.level));
    let first = usize::try_from(tile.index).unwrap() * 256;
    let of = |number: usize| {
        let mut frontier = Frontier::new();
        for leaf in &leaves[(first + number) * below..][..below] {
            frontier.push(*leaf, |_, _, _| {});
        }
        let TreeHead { root, .. } = frontier.head();
        root
    };
    (0..usize::from(tile.width)).map(of).collect()
}
