//! Keys: asking a quorum for one. The ceremony itself is a saga's affair.

use serde::Deserialize;
use serde_json::json;
use strongroom_chains::bitcoin::multisig::KeyExpression;
use strongroom_domain::{
    Command, KeyId, ProposalId, SignerId,
    key::{CeremonyPlan, Cosigner, Protocol},
    policy::{InForce, Label},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Application, Caller, Failure, Once, views};
use crate::authorisation::Resource;

/// Ask the governing quorum for a key.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestKey {
    /// `frost-secp256k1-tr/1` or `pkcs11-secp256k1/1`.
    #[schema(value_type = String, example = "frost-secp256k1-tr/1")]
    pub protocol: Protocol,
    /// How many holders sign.
    pub threshold: u16,
    /// Who holds it: ids of signers, in the order of their numbers.
    #[schema(value_type = Vec<Uuid>)]
    pub participants: Vec<SignerId>,
    /// Of a multisig key: the cosigners that no signer process holds, by name and public key.
    #[serde(default)]
    pub cosigners: Vec<NewCosigner>,
    /// How long the question stays open, in seconds. Default: the policy's longest.
    pub expires_in_s: Option<u64>,
}

/// A cosigner of a multisig key: a file on an offline machine, a token, a hardware device.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCosigner {
    /// What people call it.
    #[schema(value_type = String, example = "vault-zurich")]
    pub name: Label,
    /// Its key expression (BIP 380): `[fingerprint/path]xpub…`, or a compressed public key in hex.
    pub key: String,
}

impl NewCosigner {
    /// In the one spelling that the log has.
    fn canonical(self) -> Result<Cosigner, Failure> {
        let Self { name, key } = self;
        match key.trim().parse::<KeyExpression>() {
            Ok(key) => Ok(Cosigner { name, key: key.to_string() }),
            Err(error) => Err(Failure::Malformed(format!("the key of cosigner {name}: {error}"))),
        }
    }
}

impl Application {
    /// Opens a key's proposal.
    pub async fn request_key(
        &self,
        caller: &Caller,
        once: Once,
        asked: RequestKey,
    ) -> Result<views::KeyRequested, Failure> {
        self.demand(caller, "request-key", &Resource::System)?;
        let RequestKey { protocol, threshold, participants, cosigners, expires_in_s } = asked;
        let (key, proposal) = (KeyId(Uuid::now_v7()), ProposalId(Uuid::now_v7()));
        let expires_at = self.expiry(expires_in_s);
        let plan = CeremonyPlan { key, protocol, threshold, participants };
        let maker = caller.person;
        let cosigners =
            cosigners.into_iter().map(NewCosigner::canonical).collect::<Result<Vec<_>, _>>()?;
        // A policy of the first form asks no proofs of keys.
        let command = if self.proofs_are_asked() {
            Command::RequestKey { proposal, plan, cosigners, maker, expires_at }
        } else {
            Command::RequestCeremony { proposal, plan, maker, expires_at }
        };
        let subject = json!({
            "key": key, "proposal": proposal, "expires_at": expires_at.to_string(),
        });
        self.answer(caller, once, command, subject).await
    }

    fn proofs_are_asked(&self) -> bool {
        self.bus().read(|state| {
            let standing = state.charter.standing();
            standing.is_ok_and(|standing| matches!(standing.policy, InForce::V2(_)))
        })
    }
}
