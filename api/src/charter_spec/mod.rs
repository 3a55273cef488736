//! The charter as its founders write it down (TOML), and how it becomes the text they sign. Names
//! of people stay in this file: only random ids reach the log.

mod draft;
mod named;
#[cfg(test)]
mod tests;

pub use draft::Draft;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use rand::{RngCore as _, rngs::OsRng};
use serde::Deserialize;
use strongroom_domain::{
    Bytes, Digest, LogId, PersonId, Refusal, SignerId,
    approval_key::ApprovalKey as EnrolledKey,
    charter::{
        CharterText, CharterTextV2, Enrolment, Governance, OutsideWitness, Person, PersonV1, Role,
        Witnessing,
    },
    policy::{Label, Policy},
};

use crate::{
    approval_key::{ApprovalKey, ApprovalKeyError},
    policy_file::{self, PolicyFileError},
};
use named::{PolicySpec, QuorumSpec};

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
    governance: GovernanceSpec,
    policy: PolicyHere,
}

/// Who must agree to what: by groups, or, for a charter of version 2, one quorum of people.
#[derive(Deserialize)]
#[serde(untagged)]
enum GovernanceSpec {
    Groups(Governance),
    Named(QuorumSpec),
}

/// The policy: a file of its own, relative to this one, or what such a file would say.
#[derive(Deserialize)]
#[serde(untagged)]
enum PolicyHere {
    File(PathBuf),
    Here(toml::Table),
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
    /// As which groups' approver this person counts.
    #[serde(default)]
    groups: BTreeSet<Label>,
    #[serde(default)]
    approval_keys: Vec<KeySpec>,
    /// Key directories of `strongroom key new`, relative to this file: the public part is read.
    #[serde(default)]
    approval_key_files: Vec<PathBuf>,
    /// SHA-256 of the one-time secret that lets this person enrol a first sign-in credential.
    invitation: Option<Digest>,
}

/// A key: the hex of an Ed25519 one, or any kind by its name, as the log writes it.
#[derive(Deserialize)]
#[serde(untagged)]
enum KeySpec {
    Ed25519(Bytes),
    Any(EnrolledKey),
}

impl From<KeySpec> for EnrolledKey {
    fn from(spec: KeySpec) -> Self {
        match spec {
            KeySpec::Ed25519(key) => Self::Ed25519 { key },
            KeySpec::Any(key) => key,
        }
    }
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
    /// The policy.
    #[error(transparent)]
    Policy(#[from] PolicyFileError),
    /// The policy's own file.
    #[error("the policy {}: {reason}", path.display())]
    PolicyText {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Something that only a charter with groups can say.
    #[error("a charter whose governance names people has no {0}: name groups in [governance]")]
    NeedsGroups(&'static str),
    /// The charter's own rules.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// A charter and who is who in it.
pub struct Drafted {
    /// What is signed.
    pub charter: Draft,
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
            let mut approval_keys: Vec<_> =
                spec.approval_keys.into_iter().map(Into::into).collect();
            for directory in &spec.approval_key_files {
                let key = ApprovalKey::public(&base.join(directory))?.public_key;
                approval_keys.push(EnrolledKey::Ed25519 { key });
            }
            if ids.insert(spec.name.clone(), id).is_some() {
                return Err(SpecError::Namesake(spec.name));
            }
            let (roles, groups, invitation) = (spec.roles, spec.groups, spec.invitation);
            people.push(Person { id, roles, groups, approval_keys, invitation });
        }
        let (signers, names) = enrolments(&self.signers, base)?;
        let log = self.log.unwrap_or_else(|| LogId(uuid::Uuid::now_v7()));
        let witnessing = self.witnessing.resolve(signers.len());
        let charter = match self.governance {
            GovernanceSpec::Groups(governance) => Draft::V3(Box::new(CharterText {
                log,
                name: self.name,
                log_key,
                log_key_ml_dsa_44,
                people,
                signers,
                witnessing,
                governance,
                policy: self.policy.read(base)?,
            })),
            GovernanceSpec::Named(quorum) => {
                let people = people.into_iter().map(named).collect::<Result<_, SpecError>>()?;
                Draft::V2(Box::new(CharterTextV2 {
                    log,
                    name: self.name,
                    log_key,
                    log_key_ml_dsa_44,
                    people,
                    signers,
                    witnessing,
                    governance: quorum.resolve(&ids)?,
                    policy: self.policy.named()?.resolve(&ids)?,
                }))
            }
        };
        charter.check()?;
        Ok(Drafted { charter, people: ids, signers: names })
    }
}

/// Every signer, and the names that their enrolments give them.
fn enrolments(
    paths: &[PathBuf],
    base: &Path,
) -> Result<(Vec<Enrolment>, BTreeMap<String, SignerId>), SpecError> {
    let mut names = BTreeMap::new();
    let mut signers = Vec::new();
    for path in paths {
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
    Ok((signers, names))
}

/// A person as a charter of version 2 can say it.
fn named(person: Person) -> Result<PersonV1, SpecError> {
    if !person.groups.is_empty() {
        return Err(SpecError::NeedsGroups("groups of people"));
    }
    if person.invitation.is_some() {
        return Err(SpecError::NeedsGroups("invitations"));
    }
    let key = |key: EnrolledKey| match key {
        EnrolledKey::Ed25519 { key } => Ok(key),
        EnrolledKey::P256 { .. } | EnrolledKey::WebAuthn { .. } => {
            Err(SpecError::NeedsGroups("keys but Ed25519 ones"))
        }
    };
    let approval_keys = person.approval_keys.into_iter().map(key).collect::<Result<_, _>>()?;
    Ok(PersonV1 { id: person.id, roles: person.roles, approval_keys })
}

impl PolicyHere {
    /// Of the form that names groups.
    fn read(self, base: &Path) -> Result<Policy, SpecError> {
        let text = match self {
            Self::Here(table) => toml::to_string(&table).map_err(PolicyFileError::Write)?,
            Self::File(path) => {
                let path = base.join(path);
                std::fs::read_to_string(&path).map_err(|error| {
                    let reason = error.to_string();
                    SpecError::PolicyText { path: path.clone(), reason }
                })?
            }
        };
        Ok(policy_file::read(&text, 1)?)
    }

    /// Of the form that names people: always in the same file.
    fn named(self) -> Result<PolicySpec, SpecError> {
        match self {
            Self::Here(table) => Ok(table.try_into()?),
            Self::File(_) => Err(SpecError::NeedsGroups("policy in a file of its own")),
        }
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
