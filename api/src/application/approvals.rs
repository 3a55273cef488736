//! Questions to quorums: what waits, what exactly is asked, and answers. Never signs anything.

use serde::Deserialize;
use serde_json::json;
use strongroom_commands::bus::statement;
use strongroom_domain::approval_key::Evidence;
use strongroom_domain::{Bytes, Command, PersonId, ProposalId, statement::Answer};
use utoipa::ToSchema;

use super::{Application, Caller, Failure, Once, answered, views};
use crate::authorisation::Resource;

/// A signed answer.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerApproval {
    /// `approve` or `decline`.
    #[schema(value_type = String, example = "approve")]
    pub answer: Answer,
    /// The approver's public key, hex, as the charter enrols it.
    #[schema(value_type = String)]
    pub key: Bytes,
    /// Of an Ed25519 or P-256 key: over the whole statement, hex. In place of `evidence`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub signature: Option<Bytes>,
    /// Of any key, a passkey's assertion among them. In place of `signature`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub evidence: Option<Evidence>,
}

impl AnswerApproval {
    fn proof(signature: Option<Bytes>, evidence: Option<Evidence>) -> Result<Evidence, Failure> {
        match (signature, evidence) {
            (Some(signature), None) => Ok(Evidence::Signature { signature }),
            (None, Some(evidence)) => Ok(evidence),
            (Some(_), Some(_)) | (None, None) => Err(Failure::Malformed(
                "an answer has a signature or evidence, not both".to_owned(),
            )),
        }
    }
}

/// An answer's word.
pub(crate) const fn word(answer: Answer) -> &'static str {
    match answer {
        Answer::Approve => "approve",
        Answer::Decline => "decline",
    }
}

impl Application {
    /// A proposal, with the statement that an approver would sign while it is open.
    pub async fn approval(
        &self,
        caller: &Caller,
        id: ProposalId,
        approver: Option<PersonId>,
        answer: Option<Answer>,
    ) -> Result<views::Approval, Failure> {
        let row = self.read(move |view| view.proposal(id)).await?;
        let row = row.ok_or_else(|| Failure::NotFound { what: "proposal", id: id.to_string() })?;
        let approver = approver.unwrap_or(caller.person);
        let answer = answer.unwrap_or(Answer::Approve);
        // Bound to the entry that opened it, which is durable: the read model has it.
        let statement = self.bus().read(|state| statement(state, id, answer, approver)).ok();
        Ok(views::Approval {
            proposal: row.into(),
            approver: approver.to_string(),
            answer: word(answer).to_owned(),
            statement,
        })
    }

    /// Answers a proposal as the caller.
    pub async fn answer_approval(
        &self,
        caller: &Caller,
        once: Once,
        proposal: ProposalId,
        asked: AnswerApproval,
    ) -> Result<views::Answered, Failure> {
        self.demand(caller, "answer-proposal", &Resource::System)?;
        let AnswerApproval { answer, key, signature, evidence } = asked;
        let evidence = AnswerApproval::proof(signature, evidence)?;
        let approver = caller.person;
        let command = Command::AnswerProposal { proposal, answer, approver, key, evidence };
        let subject = json!({
            "proposal": proposal, "approver": approver, "answer": word(answer),
            "quorum_reached": false, "rejected": false,
        });
        let mut outcome = self.execute(caller, once, command, subject).await?;
        let (reached, rejected) =
            (outcome.has("proposal.quorum-reached"), outcome.has("proposal.rejected"));
        if let Some(fields) = outcome.subject.as_object_mut() {
            fields.insert("quorum_reached".to_owned(), reached.into());
            fields.insert("rejected".to_owned(), rejected.into());
        }
        answered(outcome)
    }
}
