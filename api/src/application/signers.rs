//! Signers and the shares that they hold: one officer quarantines, quorums let a signer go on, enrol,
//! retire, and let shares change hands. Nothing here answers a quorum's question.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;
use strongroom_domain::{
    Bytes, Command, Digest, KeyId, ProposalId, SignerId,
    charter::{Enrolment, SignerChange},
    planned_change,
    proposal::Subject,
    restoring_change,
    signer::Quarantined,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Application, Caller, Failure, Once, ProposeRelease, StopIt, views};
use crate::authorisation::Resource;

/// Ask the governing quorum whether the shares of a key may change hands. Nobody dropped and nobody
/// joining: all shares are made anew, and every older one becomes useless.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestChange {
    /// Who holds it no more: ids of signers.
    #[serde(default)]
    #[schema(value_type = Vec<Uuid>)]
    pub dropped: BTreeSet<SignerId>,
    /// Who holds it from now on: the id of a signer.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub joining: Option<SignerId>,
    /// The share of the one who is dropped comes from officers' pieces of its backup, and not from the
    /// other holders: `strongroom-signer restore` at who joins (docs/backups.md).
    #[serde(default)]
    pub restore: bool,
    /// How long the question stays open, in seconds. Default: the policy's longest.
    pub expires_in_s: Option<u64>,
}

/// Ask the governing quorum to enrol or retire a signer.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposeSigners {
    /// Which change.
    pub change: SignersChange,
    /// How long the question stays open, in seconds. Default: the policy's longest.
    pub expires_in_s: Option<u64>,
}

/// What can be changed about signers.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SignersChange {
    /// A new one, as `strongroom-signer init` printed it.
    Enrol {
        /// Its id.
        id: Uuid,
        /// Ed25519, hex: signs its confirmations.
        identity_key: String,
        /// X25519, hex: other signers seal messages to it.
        sealing_key: String,
        /// SHA-256 of its TLS certificate's DER, hex.
        tls_certificate_sha256: String,
        /// Ed25519, hex: cosigns checkpoints.
        witness_key: String,
    },
    /// One leaves. It holds no key any more.
    Retire(Uuid),
}

fn bytes(field: &str, text: &str) -> Result<Bytes, Failure> {
    let wrong = |_| Failure::Malformed(format!("{field} is not hex"));
    hex::decode(text).map(Bytes).map_err(wrong)
}

impl SignersChange {
    fn read(self) -> Result<SignerChange, Failure> {
        let (id, identity_key, sealing_key, tls_certificate_sha256, witness_key) = match self {
            Self::Retire(signer) => return Ok(SignerChange::Retire { signer: SignerId(signer) }),
            Self::Enrol { id, identity_key, sealing_key, tls_certificate_sha256, witness_key } => {
                (id, identity_key, sealing_key, tls_certificate_sha256, witness_key)
            }
        };
        let certificate: Digest = tls_certificate_sha256
            .parse()
            .map_err(|_| Failure::Malformed("tls_certificate_sha256 is no digest".to_owned()))?;
        Ok(SignerChange::Enrol(Enrolment {
            id: SignerId(id),
            identity_key: bytes("identity_key", &identity_key)?,
            sealing_key: bytes("sealing_key", &sealing_key)?,
            tls_certificate_sha256: certificate,
            witness_key: bytes("witness_key", &witness_key)?,
        }))
    }
}

impl Application {
    /// Opens a proposal about the shares of a key.
    pub async fn request_change(
        &self,
        caller: &Caller,
        once: Once,
        (key, asked): (KeyId, RequestChange),
    ) -> Result<views::KeyChangeRequested, Failure> {
        self.demand(caller, "change-key", &Resource::System)?;
        let RequestChange { dropped, joining, restore, expires_in_s } = asked;
        let planned = match (restore, dropped.first(), dropped.len(), joining) {
            (true, Some(lost), 1, Some(joins)) => {
                self.bus().read(|state| restoring_change(state, key, *lost, joins))
            }
            (true, ..) => {
                let because = "a share is restored in the place of one signer, at one that joins";
                return Err(Failure::Malformed(because.to_owned()));
            }
            (false, ..) => self.bus().read(|state| planned_change(state, key, dropped, joining)),
        };
        let change = planned.map_err(Failure::from)?;
        let proposal = ProposalId(Uuid::now_v7());
        let expires_at = self.expiry(expires_in_s);
        let subject = json!({
            "key": key, "proposal": proposal, "expires_at": expires_at.to_string(),
            "change": &change,
        });
        let maker = caller.person;
        let command = Command::RequestKeyChange { proposal, change, maker, expires_at };
        self.answer(caller, once, command, subject).await
    }

    /// One officer trusts a signer no more.
    pub async fn quarantine_signer(
        &self,
        caller: &Caller,
        once: Once,
        (signer, asked): (SignerId, StopIt),
    ) -> Result<views::SignerQuarantined, Failure> {
        self.demand(caller, "quarantine-signer", &Resource::System)?;
        let quarantined = Quarantined { by: caller.person, because: asked.because };
        let command = Command::QuarantineSigner { signer, quarantined };
        self.answer(caller, once, command, json!({ "signer": signer })).await
    }

    /// Asks a quorum to trust a quarantined signer again.
    pub async fn propose_signer_release(
        &self,
        caller: &Caller,
        once: Once,
        (signer, asked): (SignerId, ProposeRelease),
    ) -> Result<views::ReleaseProposed, Failure> {
        self.demand(caller, "propose-signer-release", &Resource::System)?;
        self.propose_release(caller, once, Subject::ReleaseSigner { signer }, asked).await
    }

    /// Asks a quorum to enrol or retire a signer.
    pub async fn propose_signers(
        &self,
        caller: &Caller,
        once: Once,
        asked: ProposeSigners,
    ) -> Result<views::ReleaseProposed, Failure> {
        self.demand(caller, "propose-signers", &Resource::System)?;
        let subject = Subject::Signers(asked.change.read()?);
        let asked = ProposeRelease { expires_in_s: asked.expires_in_s };
        self.propose_release(caller, once, subject, asked).await
    }
}
