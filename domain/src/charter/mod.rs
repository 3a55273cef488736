//! The charter: people, roles, keys, signers and the standing policy. It never changes without a
//! quorum, and never holds a name or a secret.

mod change;
mod check;
mod event;
mod governance;
mod machine;
mod person;
mod resumption;
mod rights;
mod signers;
mod standing;
mod version_1;
mod version_3;
mod witnessing;

pub use change::PeopleChange;
pub use event::{
    CharterEvent, CharterTextV2, Enrolment, FoundedV2, FoundingSignature, PeopleChanged, PersonV1,
    PolicyChanged, PolicyChangedV1, PolicyTightened, Role, SignersChanged,
};
pub use governance::{Governance, Governing};
pub use machine::Machine;
pub use person::Person;
pub use resumption::{LogResumed, Resumption, ResumptionSignature};
pub use signers::SignerChange;
pub use version_1::{CharterTextV1, EnrolmentV1, FoundedV1};
pub use version_3::{CharterText, Founded};
pub use witnessing::{ML_DSA_44_KEY, OutsideWitness, WitnessAlgorithm, Witnessing};

use crate::{
    Aggregate, Bytes, Corrupt, Digest, Head, LogId, PersonId, ProposalId, Refusal, Rule, SignerId,
    Timestamp,
    policy::{InForce, Policy, PolicyV1, Since},
    statement,
};
use check::Text;
use serde::Serialize;
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// The charter as it stands.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Charter(Option<Standing>);

/// What a founded charter says now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Standing {
    /// The log.
    pub log: LogId,
    /// Ed25519 public key of the log.
    pub log_key: Bytes,
    /// Its ML-DSA-44 public key; none under a charter of version 1.
    pub log_key_ml_dsa_44: Option<Bytes>,
    /// Everyone with a role.
    pub people: BTreeMap<PersonId, Person>,
    /// Every machine that may ask for something.
    pub machines: BTreeMap<PersonId, Machine>,
    /// Everyone who may hold a key.
    pub signers: BTreeMap<SignerId, Enrolled>,
    /// Who decides about people, keys and policy.
    pub governance: Governing,
    /// The policy in force.
    pub policy: InForce,
    /// Since when each of its destinations is on the allowlist; those of the founding, and of
    /// policies of the first form, since the epoch.
    pub destinations_since: Since,
    /// Whose cosignatures make a checkpoint count; none under a charter of version 1.
    pub witnessing: Option<Witnessing>,
    /// How often the log went on from an earlier entry.
    pub resumptions: u32,
}

/// A signer's public keys, whatever version of the charter enrolled it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Enrolled {
    /// The signer.
    pub id: SignerId,
    /// Ed25519: signs its confirmations.
    pub identity_key: Bytes,
    /// X25519: other signers seal ceremony messages to it.
    pub sealing_key: Bytes,
    /// SHA-256 of its TLS certificate's DER.
    pub tls_certificate_sha256: Digest,
    /// Ed25519: cosigns checkpoints; none under a charter of version 1.
    pub witness_key: Option<Bytes>,
}

/// A request to change the charter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Begin a log without groups.
    FoundV2(FoundedV2),
    /// Begin the log.
    Found(Founded),
    /// Put the policy of an approved proposal in force.
    ChangePolicy {
        /// The proposal whose quorum was reached.
        proposal: ProposalId,
        /// The next policy.
        policy: PolicyV1,
    },
    /// Put the policy of a proposal in force that was approved, and not vetoed.
    EnactPolicy(PolicyChanged),
    /// Let an officer put a tighter policy in force.
    Tighten(PolicyTightened),
    /// Change who may do what.
    ChangePeople(PeopleChanged),
    /// Enrol or retire a signer.
    ChangeSigners(SignersChanged),
    /// Go on from the log's last entry, which others have read further.
    Resume {
        /// The quorum's word for it.
        certificate: LogResumed,
        /// The log's last entry.
        head: Head,
    },
}

impl Charter {
    /// As it stands.
    #[cfg(test)]
    pub(crate) const fn of(standing: Standing) -> Self {
        Self(Some(standing))
    }

    /// The founded charter.
    pub fn standing(&self) -> Result<&Standing, Refusal> {
        self.0
            .as_ref()
            .ok_or_else(|| Refusal::new(Rule::CharterState, "this log has no charter yet"))
    }
}

impl Standing {
    /// Whether the person has the role; the error says which role would be needed.
    pub fn demand(&self, person: PersonId, role: Role) -> Result<&Person, Refusal> {
        self.people.get(&person).filter(|known| known.roles.contains(&role)).ok_or_else(|| {
            Refusal::new(
                Rule::RoleMissing,
                format!("person {person} does not have the role {role:?}"),
            )
        })
    }

    /// The origin of its checkpoints (C2SP tlog-checkpoint): `strongroom/<log>`, and after the n-th
    /// resumption `strongroom/<log>/<n>`, so that no name ever has two histories.
    pub fn origin(&self) -> String {
        origin(self.log, self.resumptions)
    }

    /// The name that a signer cosigns under: `strongroom/<log>/signer/<signer>`.
    pub fn witness_name(&self, signer: SignerId) -> String {
        format!("{}/signer/{signer}", origin(self.log, 0))
    }

    /// A next policy of the first form, as far as it can be applied by the people there are.
    pub fn check_next_policy_v1(&self, policy: &PolicyV1) -> Result<(), Refusal> {
        policy.check()?;
        if self.policy.v1().is_none() {
            let because = "a policy of the first form can't follow one of the second";
            return Err(Refusal::new(Rule::PolicyInvalid, because));
        }
        self.check_version(policy.version)?;
        for person in policy.people() {
            self.demand(person, Role::Approver)?;
        }
        Ok(())
    }

    /// A next policy, as far as it can be applied by the people there are.
    pub fn check_next_policy(&self, policy: &Policy) -> Result<(), Refusal> {
        policy.check()?;
        self.check_version(policy.version)?;
        Self { policy: InForce::V2(policy.clone()), ..self.clone() }.check()
    }

    fn check_version(&self, version: u32) -> Result<(), Refusal> {
        let standing = self.policy.version();
        if Some(version) == standing.checked_add(1) {
            return Ok(());
        }
        let next = standing.saturating_add(1);
        let because = format!("the next policy has version {next}, not {version}");
        Err(Refusal::new(Rule::PolicyInvalid, because))
    }

    fn check_tighter(&self, policy: &Policy) -> Result<(), Refusal> {
        let InForce::V2(old) = &self.policy else {
            let because = "a policy of the first form is changed by its quorum only";
            return Err(Refusal::new(Rule::PolicyTightens, because));
        };
        self.check_next_policy(policy)?;
        policy.tightens(old).map_err(|refusal| Refusal::new(Rule::PolicyTightens, refusal.because))
    }

    /// Puts a policy in force; what was not on the allowlist before is on it from `at` on.
    fn put_in_force(&mut self, policy: &Policy, at: Timestamp) {
        let mut since = Since::new();
        for known in &policy.destinations {
            let before = self.destinations_since.get(&known.network);
            let before = before.and_then(|by_address| by_address.get(&known.address));
            let from = before.copied().unwrap_or(at);
            since.entry(known.network).or_default().insert(known.address.clone(), from);
        }
        self.destinations_since = since;
        self.policy = InForce::V2(policy.clone());
    }
}

/// On the allowlist since ever.
fn since_ever(destinations: &[crate::policy::Destination]) -> Since {
    let mut since = Since::new();
    for known in destinations {
        let epoch = Timestamp::from_micros(0);
        since.entry(known.network).or_default().insert(known.address.clone(), epoch);
    }
    since
}

impl CharterTextV2 {
    fn text(&self) -> Text<'_> {
        let keys = self.signers.iter().flat_map(|of| [&of.identity_key, &of.witness_key]);
        Text {
            people: &self.people,
            governance: &self.governance,
            policy: &self.policy,
            signers: self.signers.iter().map(|of| (of.id, &of.sealing_key)).collect(),
            keys: keys.chain([&self.log_key]).chain(self.witnessing.ed25519()).collect(),
        }
    }

    /// Whether everyone named exists once, every quorum can be met, and every key is a key.
    pub fn check(&self) -> Result<(), Refusal> {
        self.text().check()?;
        witnessing::check_ml_dsa_44(&self.log_key_ml_dsa_44)?;
        self.witnessing.check(self.signers.len(), &origin(self.log, 0))?;
        let twin = |outside: &OutsideWitness| outside.key == self.log_key_ml_dsa_44;
        if self.witnessing.outside.iter().any(twin) {
            return check::invalid("the log can't be its own witness");
        }
        Ok(())
    }
}

impl FoundedV2 {
    /// Whether every approver of the charter signed it with a key of theirs.
    pub fn check_signatures(&self) -> Result<(), Refusal> {
        let text = statement::founding_v2(&self.charter);
        self.charter.text().check_signatures(&text, &self.signatures)
    }
}

/// The name of a log's checkpoints and of its own signatures.
fn origin(log: LogId, resumptions: u32) -> String {
    match resumptions {
        0 => format!("strongroom/{log}"),
        number => format!("strongroom/{log}/{number}"),
    }
}

impl Aggregate for Charter {
    const KIND: &'static str = "charter";
    type Command = Command;
    type Event = CharterEvent;

    fn decide(&self, command: Command) -> Result<Vec<CharterEvent>, Refusal> {
        match (&self.0, command) {
            (None, Command::FoundV2(founded)) => {
                founded.charter.check()?;
                founded.check_signatures()?;
                Ok(vec![founded.into()])
            }
            (None, Command::Found(founded)) => {
                founded.charter.policy.check()?;
                founded.charter.check()?;
                founded.check_signatures()?;
                Ok(vec![founded.into()])
            }
            (Some(standing), Command::ChangePolicy { proposal, policy }) => {
                standing.check_next_policy_v1(&policy)?;
                Ok(vec![PolicyChangedV1 { proposal, policy }.into()])
            }
            (Some(standing), Command::EnactPolicy(changed)) => {
                standing.check_next_policy(&changed.policy)?;
                Ok(vec![changed.into()])
            }
            (Some(standing), Command::Tighten(tightened)) => {
                standing.demand(tightened.by, Role::Officer)?;
                standing.check_tighter(&tightened.policy)?;
                Ok(vec![tightened.into()])
            }
            (Some(standing), Command::ChangePeople(changed)) => {
                standing.after(&changed.change)?;
                Ok(vec![changed.into()])
            }
            (Some(standing), Command::ChangeSigners(changed)) => {
                standing.after_signers(&changed.change)?;
                Ok(vec![changed.into()])
            }
            (Some(standing), Command::Resume { certificate, head }) => {
                certificate.check(standing, head)?;
                Ok(vec![certificate.into()])
            }
            (Some(_), Command::Found(_) | Command::FoundV2(_)) => {
                Err(Refusal::new(Rule::CharterState, "this log has a charter already"))
            }
            (
                None,
                Command::ChangePolicy { .. }
                | Command::EnactPolicy(_)
                | Command::Tighten(_)
                | Command::ChangePeople(_)
                | Command::ChangeSigners(_)
                | Command::Resume { .. },
            ) => Err(Refusal::new(Rule::CharterState, "this log has no charter yet")),
        }
    }

    fn evolve(&mut self, event: &CharterEvent) -> Result<(), Corrupt> {
        let (name, kind) = (if self.0.is_some() { "founded" } else { "not founded" }, event.kind());
        let corrupt = || Corrupt { aggregate: Self::KIND, state: name, event: kind.0 };
        match (&mut self.0, event) {
            (state @ None, CharterEvent::FoundedV1(founded)) => *state = Some(founded.into()),
            (state @ None, CharterEvent::FoundedV2(founded)) => *state = Some(founded.into()),
            (state @ None, CharterEvent::Founded(founded)) => {
                *state = Some((&founded.charter).into());
            }
            (Some(standing), CharterEvent::LogResumed(resumed)) => {
                standing.resumptions = resumed.resumption.number;
            }
            (Some(standing), CharterEvent::PolicyChangedV1(changed)) => {
                standing.destinations_since = since_ever(&changed.policy.destinations);
                standing.policy = InForce::V1(changed.policy.clone());
            }
            (Some(standing), CharterEvent::PolicyChanged(changed)) => {
                standing.put_in_force(&changed.policy, changed.at);
            }
            (Some(standing), CharterEvent::PolicyTightened(tightened)) => {
                standing.put_in_force(&tightened.policy, tightened.at);
            }
            (Some(standing), CharterEvent::PeopleChanged(changed)) => {
                standing.change(&changed.change).map_err(|_| corrupt())?;
            }
            (Some(standing), CharterEvent::SignersChanged(changed)) => {
                standing.change_signers(&changed.change).map_err(|_| corrupt())?;
            }
            (
                Some(_),
                CharterEvent::FoundedV1(_) | CharterEvent::FoundedV2(_) | CharterEvent::Founded(_),
            )
            | (
                None,
                CharterEvent::PolicyChangedV1(_)
                | CharterEvent::PolicyChanged(_)
                | CharterEvent::PolicyTightened(_)
                | CharterEvent::PeopleChanged(_)
                | CharterEvent::SignersChanged(_)
                | CharterEvent::LogResumed(_),
            ) => return Err(corrupt()),
        }
        Ok(())
    }
}
