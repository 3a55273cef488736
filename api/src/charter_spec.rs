//! The charter as its founders write it down (TOML), and how it becomes the text they sign. Names
//! of people stay in this file: only random ids reach the log.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use rand::{RngCore as _, rngs::OsRng};
use serde::Deserialize;
use strongroom_domain::{
    Amount, Asset, Bytes, Digest, LogId, Network, PersonId, Refusal, SignerId,
    charter::{CharterTextV2, Enrolment, OutsideWitness, PersonV1, Role, Witnessing},
    policy::{Destination, Label, PolicyV1, Quorum, TierV1},
};

use crate::approval_key::{ApprovalKey, ApprovalKeyError};

/// `charter.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CharterSpec {
    name: Label,
    log: Option<LogId>,
    people: Vec<PersonSpec>,
    /// Enrolment files that `strongroom-signer init` wrote, relative to this file.
    #[serde(default)]
    signers: Vec<PathBuf>,
    /// Who cosigns checkpoints besides the signers, and how many it takes of all.
    #[serde(default)]
    witnessing: WitnessingSpec,
    governance: QuorumSpec,
    policy: PolicySpec,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WitnessingSpec {
    /// Without it: more than half of all witnesses.
    threshold: Option<u8>,
    #[serde(default)]
    outside: Vec<OutsideWitness>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonSpec {
    /// By which quorums of this file name them. Goes no further.
    name: String,
    id: Option<PersonId>,
    roles: BTreeSet<Role>,
    #[serde(default)]
    approval_keys: Vec<Bytes>,
    /// Key directories of `strongroom key new`, relative to this file: the public part is read.
    #[serde(default)]
    approval_key_files: Vec<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuorumSpec {
    approvals: u8,
    group: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicySpec {
    proposal_lifetime_s: u64,
    #[serde(default)]
    destinations: Vec<DestinationSpec>,
    #[serde(default)]
    tiers: Vec<TierSpec>,
    #[serde(default)]
    fee_caps: BTreeMap<Asset, Amount>,
    #[serde(default)]
    confirmations: BTreeMap<Network, u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DestinationSpec {
    network: Network,
    address: String,
    label: Label,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TierSpec {
    asset: Asset,
    up_to: Amount,
    approvals: u8,
    group: BTreeSet<String>,
}

/// What `strongroom-signer init` wrote, as far as the charter needs it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnrolmentFile {
    signer: SignerId,
    name: String,
    identity_key: Bytes,
    sealing_key: Bytes,
    #[serde(rename = "tls_certificate")]
    _tls_certificate: String,
    tls_certificate_sha256: Digest,
    witness_key: Bytes,
}

/// Why a specification is no charter.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// Not the TOML that is expected.
    #[error("the charter's specification: {0}")]
    Toml(#[from] toml::de::Error),
    /// A quorum asks somebody whom nobody knows.
    #[error("a quorum names `{0}`: no person of this file has this name")]
    Stranger(String),
    /// A name is given twice.
    #[error("two people are called `{0}`: names in this file must differ")]
    Namesake(String),
    /// An enrolment file.
    #[error("the enrolment {}: {reason}", path.display())]
    Enrolment {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// An approval key.
    #[error(transparent)]
    Key(#[from] ApprovalKeyError),
    /// A destination.
    #[error("the destination {label}: {reason}")]
    Destination {
        /// Which.
        label: Label,
        /// What is wrong with its address.
        reason: strongroom_chains::AddressError,
    },
    /// The charter's own rules.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// A charter and who is who in it.
pub struct Drafted {
    /// What is signed.
    pub charter: CharterTextV2,
    /// Name in the specification → id.
    pub people: BTreeMap<String, PersonId>,
    /// Name in the enrolment → id.
    pub signers: BTreeMap<String, SignerId>,
}

impl CharterSpec {
    /// Reads a specification.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        Ok(toml::from_str(text)?)
    }

    /// The charter that it describes; `base` is where its relative paths start.
    /// `log_key` and `log_key_ml_dsa_44` are the log's own.
    pub fn draft(
        self,
        base: &Path,
        (log_key, log_key_ml_dsa_44): (Bytes, Bytes),
    ) -> Result<Drafted, SpecError> {
        let mut ids = BTreeMap::new();
        let mut people = Vec::new();
        for spec in self.people {
            let id = spec.id.unwrap_or_else(random_person);
            let mut approval_keys = spec.approval_keys;
            for directory in &spec.approval_key_files {
                approval_keys.push(ApprovalKey::public(&base.join(directory))?.public_key);
            }
            if ids.insert(spec.name.clone(), id).is_some() {
                return Err(SpecError::Namesake(spec.name));
            }
            people.push(PersonV1 { id, roles: spec.roles, approval_keys });
        }
        let mut names = BTreeMap::new();
        let mut signers = Vec::new();
        for path in &self.signers {
            let file = enrolment(&base.join(path))?;
            names.insert(file.name, file.signer);
            signers.push(Enrolment {
                id: file.signer,
                identity_key: file.identity_key,
                sealing_key: file.sealing_key,
                tls_certificate_sha256: file.tls_certificate_sha256,
                witness_key: file.witness_key,
            });
        }
        let charter = CharterTextV2 {
            log: self.log.unwrap_or_else(|| LogId(uuid::Uuid::now_v7())),
            name: self.name,
            log_key,
            log_key_ml_dsa_44,
            people,
            witnessing: self.witnessing.resolve(signers.len()),
            signers,
            governance: self.governance.resolve(&ids)?,
            policy: self.policy.resolve(&ids)?,
        };
        charter.check()?;
        Ok(Drafted { charter, people: ids, signers: names })
    }
}

impl WitnessingSpec {
    fn resolve(self, signers: usize) -> Witnessing {
        let Self { threshold, outside } = self;
        let majority = signers.saturating_add(outside.len()) / 2 + 1;
        // A charter with more witnesses than that is refused by its own check.
        let threshold = threshold.unwrap_or_else(|| u8::try_from(majority).unwrap_or(u8::MAX));
        Witnessing { threshold, outside }
    }
}

impl QuorumSpec {
    fn resolve(self, ids: &BTreeMap<String, PersonId>) -> Result<Quorum, SpecError> {
        let find = |name: String| ids.get(&name).copied().ok_or(SpecError::Stranger(name));
        let group = self.group.into_iter().map(find).collect::<Result<_, _>>()?;
        Ok(Quorum { approvals: self.approvals, group })
    }
}

impl PolicySpec {
    fn resolve(self, ids: &BTreeMap<String, PersonId>) -> Result<PolicyV1, SpecError> {
        let destination = |spec: DestinationSpec| {
            let address = strongroom_chains::parse_address(spec.network, &spec.address);
            let label = spec.label.clone();
            let address = address.map_err(|reason| SpecError::Destination { label, reason })?;
            Ok(Destination { network: spec.network, address, label: spec.label })
        };
        let tier = |spec: TierSpec| {
            let quorum = QuorumSpec { approvals: spec.approvals, group: spec.group };
            Ok(TierV1 { asset: spec.asset, up_to: spec.up_to, quorum: quorum.resolve(ids)? })
        };
        let destinations = self.destinations.into_iter().map(destination);
        let tiers = self.tiers.into_iter().map(tier);
        Ok(PolicyV1 {
            version: 1,
            destinations: destinations.collect::<Result<_, SpecError>>()?,
            tiers: tiers.collect::<Result<_, SpecError>>()?,
            fee_caps: self.fee_caps,
            confirmations: self.confirmations,
            proposal_lifetime_s: self.proposal_lifetime_s,
        })
    }
}

/// Random (UUIDv4), so that an id says nothing about its person.
fn random_person() -> PersonId {
    let mut bytes = [0; 16];
    OsRng.fill_bytes(&mut bytes);
    PersonId(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

fn enrolment(path: &Path) -> Result<EnrolmentFile, SpecError> {
    let refuse = |reason: String| SpecError::Enrolment { path: path.to_owned(), reason };
    let bytes = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))
}
