//! The charter: people, roles, keys, signers and the standing policy. It never changes without a
//! quorum, and never holds a name or a secret.

mod check;
mod event;
mod person;
mod resumption;
mod standing;
mod version_1;
mod witnessing;

pub use event::{
    CharterEvent, CharterTextV2, Enrolment, FoundedV2, FoundingSignature, PersonV1,
    PolicyChangedV1, Role,
};
pub use person::Person;
pub use resumption::{LogResumed, Resumption, ResumptionSignature};
pub use version_1::{CharterTextV1, EnrolmentV1, FoundedV1};
pub use witnessing::{ML_DSA_44_KEY, OutsideWitness, WitnessAlgorithm, Witnessing};

use crate::{
    Aggregate, Bytes, Corrupt, Digest, Head, LogId, PersonId, ProposalId, Refusal, Rule, SignerId,
    policy::{PolicyV1, Quorum},
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
    /// Everyone who may hold a key.
    pub signers: BTreeMap<SignerId, Enrolled>,
    /// Who decides about keys and policy.
    pub governance: Quorum,
    /// The policy in force.
    pub policy: PolicyV1,
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
    /// Begin the log.
    Found(FoundedV2),
    /// Put the policy of an approved proposal in force.
    ChangePolicy {
        /// The proposal whose quorum was reached.
        proposal: ProposalId,
        /// The next policy.
        policy: PolicyV1,
    },
    /// Go on from the log's last entry, which others have read further.
    Resume {
        /// The quorum's word for it.
        certificate: LogResumed,
        /// The log's last entry.
        head: Head,
    },
}

impl Charter {
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

    /// The standing policy, changed only as far as it can be applied by the people there are.
    pub fn check_next_policy(&self, policy: &PolicyV1) -> Result<(), Refusal> {
        policy.check()?;
        if Some(policy.version) != self.policy.version.checked_add(1) {
            let because = format!(
                "the next policy has version {}, not {}",
                self.policy.version.saturating_add(1),
                policy.version
            );
            return Err(Refusal::new(Rule::PolicyInvalid, because));
        }
        for person in policy.people() {
            self.demand(person, Role::Approver)?;
        }
        Ok(())
    }
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
        let text = statement::founding(&self.charter);
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
            (None, Command::Found(founded)) => {
                founded.charter.check()?;
                founded.check_signatures()?;
                Ok(vec![founded.into()])
            }
            (Some(standing), Command::ChangePolicy { proposal, policy }) => {
                standing.check_next_policy(&policy)?;
                Ok(vec![PolicyChangedV1 { proposal, policy }.into()])
            }
            (Some(standing), Command::Resume { certificate, head }) => {
                certificate.check(standing, head)?;
                Ok(vec![certificate.into()])
            }
            (Some(_), Command::Found(_)) => {
                Err(Refusal::new(Rule::CharterState, "this log has a charter already"))
            }
            (None, Command::ChangePolicy { .. } | Command::Resume { .. }) => {
                Err(Refusal::new(Rule::CharterState, "this log has no charter yet"))
            }
        }
    }

    fn evolve(&mut self, event: &CharterEvent) -> Result<(), Corrupt> {
        match (&mut self.0, event) {
            (state @ None, CharterEvent::FoundedV2(founded)) => {
                *state = Some(founded.into());
                Ok(())
            }
            (state @ None, CharterEvent::FoundedV1(founded)) => {
                *state = Some(founded.into());
                Ok(())
            }
            (Some(standing), CharterEvent::LogResumed(resumed)) => {
                standing.resumptions = resumed.resumption.number;
                Ok(())
            }
            (Some(standing), CharterEvent::PolicyChangedV1(change)) => {
                standing.policy = change.policy.clone();
                Ok(())
            }
            (state, event) => Err(Corrupt {
                aggregate: Self::KIND,
                state: if state.is_some() { "founded" } else { "not founded" },
                event: event.kind().0,
            }),
        }
    }
}
