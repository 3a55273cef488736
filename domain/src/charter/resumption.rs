//! How a log goes on from an earlier entry when the entries behind it are lost everywhere. Never
//! without the governance quorum, and never twice under one name.

use super::{Role, Standing};
use crate::{Bytes, Head, LogId, PersonId, Refusal, Rule, approval_key::Evidence, statement};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The resumption certificate: what `strongroom-signer resume` reads as JSON, and the event that
/// the log goes on with, byte for byte the same.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogResumed {
    /// What was agreed to.
    pub resumption: Resumption,
    /// One of each of the governance quorum, as many as it needs.
    pub signatures: Vec<ResumptionSignature>,
}

/// Where a log goes on, and what it gives up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resumption {
    /// Which log.
    pub log: LogId,
    /// Greater than of every resumption before, those included that are given up: each has a name
    /// of its own.
    pub number: u32,
    /// The last entry that anybody holds of what is given up.
    pub abandoned: Head,
    /// The last entry that stands. The log's next one is the resumption.
    pub from: Head,
}

/// Somebody's word for a resumption.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResumptionSignature {
    /// Who.
    pub person: PersonId,
    /// With which of their keys.
    pub key: Bytes,
    /// Ed25519 (RFC 8032) over [`statement::resumption`] of this person.
    pub signature: Bytes,
}

impl LogResumed {
    /// Whether the charter, as it stands at `head`, lets the log go on from there.
    pub fn check(&self, standing: &Standing, head: Head) -> Result<(), Refusal> {
        let Resumption { log, number, abandoned, from } = &self.resumption;
        let refuse = |because: String| Err(Refusal::new(Rule::LogResumption, because));
        if *log != standing.log {
            return refuse(format!("the certificate is for log {log}, this is {}", standing.log));
        }
        // Not only the next one: where an earlier resumption is itself given up, its name is taken.
        if *number <= standing.resumptions {
            let last = standing.resumptions;
            return refuse(format!("resumption {number} can't follow number {last}"));
        }
        if *from != head {
            return refuse(format!(
                "the certificate goes on from entry {} with hash {}, the log ends at entry {} with \
                 hash {}",
                from.position, from.leaf, head.position, head.leaf
            ));
        }
        if abandoned.position <= from.position {
            return refuse("nothing is given up: no certificate is needed".to_owned());
        }
        self.check_signatures(standing)
    }

    fn check_signatures(&self, standing: &Standing) -> Result<(), Refusal> {
        let quorums = standing.governance.resumption(&standing.groups());
        let mut agreed = BTreeSet::new();
        for by in &self.signatures {
            let person = standing.demand(by.person, Role::Approver)?;
            if !quorums.people().contains(&by.person) || !agreed.insert(by.person) {
                let because = format!("{} counts once, and only in the group", by.person);
                return Err(Refusal::new(Rule::ApproverNotInGroup, because));
            }
            let Some(key) = person.approval_key(&by.key) else {
                let because = format!("{} is not an approval key of {}", by.key, by.person);
                return Err(Refusal::new(Rule::ApprovalKeyUnknown, because));
            };
            let text = statement::resumption(&self.resumption, by.person);
            let evidence = Evidence::Signature { signature: by.signature.clone() };
            if !key.verify(&text, &evidence) {
                let because = format!("{} did not sign this resumption", by.person);
                return Err(Refusal::new(Rule::ApprovalSignature, because));
            }
        }
        if !quorums.satisfied_by(&agreed) {
            let (given, needed) = (agreed.len(), quorums.approvals());
            let because = format!("{given} of the quorum agreed, {needed} needed");
            return Err(Refusal::new(Rule::LogResumption, because));
        }
        Ok(())
    }
}
